//! What a text that cannot be read resembles: patterns of tokens from other languages, with the spelling of pdsl.
//!
//! They are looked for only where the recogniser has failed, from the place of failure backwards, so no pattern here
//! can refuse a program that is right. The exception is [`layout`], which looks at every declaration.

mod bodies;
mod branches;
mod changes;
mod conditions;
mod declarations;
mod functions;
mod imports;
mod layout;
mod loops;
mod networks;
mod operators;
mod params;
mod phrases;
mod spreads;
mod values;
mod words;

pub(super) use imports::names_from;
pub(super) use layout::misread;

use super::scan::{Token, TokenKind};
use super::words as keywords;
use crate::diag::codes::syntax as codes;
use crate::diag::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// The tokens of one declaration, or of text that is none.
pub(super) struct Passage<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    /// The token at which the recogniser gave up.
    pub(super) failed: usize,
}

/// Explains why a declaration cannot be read from `at` on, if it looks like something known.
pub(super) fn explain(file: FileId, text: &str, tokens: &[Token], at: usize) -> Option<Diagnostic> {
    let failed = tokens.partition_point(|token| token.start <= at).checked_sub(1)?;
    let passage = Passage { file, text, tokens, failed };
    // A head says more than the sign at which it fails.
    let heads = ["import", "param", "table", "plot", "claim", "test"];
    let head = heads.iter().any(|word| passage.is(0, word)).then(|| passage.declaration(0)).flatten();
    head.or_else(|| (0..=failed).rev().find_map(|nth| passage.at(nth))).or_else(|| passage.last_resort())
}

/// Explains text at top level that no declaration begins.
pub(super) fn explain_stray(file: FileId, text: &str, tokens: &[Token]) -> Option<Diagnostic> {
    let passage = Passage { file, text, tokens, failed: tokens.len() };
    passage.stray().or_else(|| passage.first_line().find_map(|nth| passage.operator(nth)))
}

impl Passage<'_> {
    /// What is said where nothing looks familiar.
    fn last_resort(&self) -> Option<Diagnostic> {
        self.second_value(self.failed).or_else(|| self.pair(self.failed))
    }

    /// The patterns that may begin at a token, the more telling ones first.
    fn at(&self, nth: usize) -> Option<Diagnostic> {
        self.declaration(nth)
            .or_else(|| self.layout(nth))
            .or_else(|| self.operator(nth))
            .or_else(|| self.value(nth))
            .or_else(|| self.word(nth))
    }

    fn first_line(&self) -> impl Iterator<Item = usize> {
        let end = (1..self.tokens.len()).find(|nth| self.fresh(*nth)).unwrap_or(self.tokens.len());
        0..end
    }

    fn kind(&self, nth: usize) -> Option<TokenKind> {
        self.tokens.get(nth).map(|token| token.kind)
    }

    /// The text of a token; empty past the end.
    fn spelled(&self, nth: usize) -> &str {
        self.tokens.get(nth).map_or("", |token| &self.text[token.start..token.end])
    }

    fn is(&self, nth: usize, what: &str) -> bool {
        self.spelled(nth) == what
    }

    fn is_word(&self, nth: usize) -> bool {
        self.kind(nth) == Some(TokenKind::Word)
    }

    /// Whether a token is a word that could be a name.
    fn is_name(&self, nth: usize) -> bool {
        self.is_word(nth) && !keywords::is_keyword(self.spelled(nth))
    }

    /// Whether the text from a token on begins so, across tokens that touch.
    fn follows(&self, nth: usize, what: &str) -> bool {
        self.tokens.get(nth).is_some_and(|token| self.text[token.start..].starts_with(what))
    }

    /// Whether a token begins right where the one before it ends.
    fn touches(&self, nth: usize) -> bool {
        nth > 0 && nth < self.tokens.len() && self.tokens[nth - 1].end == self.tokens[nth].start
    }

    /// Whether a token is the first of its line.
    fn fresh(&self, nth: usize) -> bool {
        match self.tokens.get(nth) {
            Some(token) => nth == 0 || self.text[self.tokens[nth - 1].end..token.start].contains('\n'),
            None => true,
        }
    }

    /// Whether a value ends right before a token.
    fn after_value(&self, nth: usize) -> bool {
        let Some(before) = nth.checked_sub(1) else { return false };
        match self.kind(before) {
            Some(TokenKind::Word) => {
                !keywords::is_keyword(self.spelled(before)) || matches!(self.spelled(before), "true" | "false")
            }
            Some(TokenKind::Number | TokenKind::Str | TokenKind::Close(_)) => true,
            _ => false,
        }
    }

    fn depth(&self, nth: usize) -> u32 {
        self.tokens.get(nth).map_or(0, |token| token.depth)
    }

    /// The token that closes the bracket at `open`.
    fn close(&self, open: usize) -> Option<usize> {
        let depth = self.depth(open);
        (open + 1..self.tokens.len())
            .find(|nth| self.depth(*nth) == depth && matches!(self.kind(*nth), Some(TokenKind::Close(_))))
    }

    /// The bracket that is open around a token.
    fn opener(&self, nth: usize) -> Option<usize> {
        let depth = self.depth(nth).checked_sub(1)?;
        (0..nth.min(self.tokens.len()))
            .rev()
            .find(|at| self.depth(*at) == depth && matches!(self.kind(*at), Some(TokenKind::Open(_))))
    }

    fn is_open(&self, nth: usize, bracket: u8) -> bool {
        self.kind(nth) == Some(TokenKind::Open(bracket))
    }

    /// One past the last token of what begins at a token: up to a comma, a closing bracket or the end of the line.
    fn value_end(&self, start: usize) -> usize {
        let depth = self.depth(start);
        (start..self.tokens.len())
            .find(|nth| {
                let (here, kind) = (self.depth(*nth), self.kind(*nth));
                here < depth
                    || here == depth && self.is(*nth, ",")
                    || *nth > start && here == depth && self.fresh(*nth) && !matches!(kind, Some(TokenKind::Close(_)))
            })
            .unwrap_or(self.tokens.len())
    }

    /// The first token of the value that ends before a token: back to `=`, `:`, a comma, an opening bracket.
    fn value_start(&self, end: usize) -> usize {
        let depth = self.depth(end);
        let stops = |nth: usize| {
            self.depth(nth) < depth
                || self.depth(nth) == depth
                    && (matches!(self.spelled(nth), "," | ":" | "let")
                        || self.is(nth, "=")
                            && !self.is(nth + 1, "=")
                            && !matches!(self.before(nth), "=" | "<" | ">" | "!")
                        || self.is(nth, ">") && self.before(nth) == "=")
        };
        (0..end).rev().find(|nth| stops(*nth)).map_or(0, |nth| nth + 1)
    }

    fn before(&self, nth: usize) -> &str {
        nth.checked_sub(1).map_or("", |before| self.spelled(before))
    }

    /// The text from one token up to another, or `…` if it is long.
    fn source(&self, start: usize, end: usize) -> &str {
        let text = self.whole(start, end);
        if !text.is_empty() && text.len() <= 90 && !text.contains('\n') { text } else { "…" }
    }

    /// The text from one token up to another, however long.
    fn whole(&self, start: usize, end: usize) -> &str {
        match (self.tokens.get(start), end.checked_sub(1).and_then(|last| self.tokens.get(last))) {
            (Some(first), Some(last)) if first.start < last.end => &self.text[first.start..last.end],
            _ => "",
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let first = self.tokens.get(start).map_or(0, |token| token.start);
        let last = end.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(first, |token| token.end);
        Span::new(self.file, first, last.max(first))
    }

    /// The span of some bytes from a token on.
    fn bytes(&self, nth: usize, length: usize) -> Span {
        let start = self.tokens.get(nth).map_or(0, |token| token.start);
        Span::new(self.file, start, start + length)
    }
}

/// Makes a diagnostic of this folder.
fn found(
    code: &'static Code,
    message: impl Into<String>,
    span: Span,
    label: &str,
    help: impl Into<String>,
) -> Diagnostic {
    Diagnostic::error(code, message).label(span, label).help(help)
}

/// A word or a way of writing of another language.
fn habit(message: impl Into<String>, span: Span, help: impl Into<String>) -> Diagnostic {
    found(&codes::FOREIGN_WORD, message, span, "a habit of another language", help)
}

/// An operator of another language.
fn operator(message: impl Into<String>, span: Span, help: impl Into<String>) -> Diagnostic {
    found(&codes::FOREIGN_OPERATOR, message, span, "no operator of pdsl", help)
}

//! Matches brackets before the parser runs: an unclosed bracket is reported where it was opened.

use super::report;
use super::scan::{Scan, Token, TokenKind};
use super::words;
use crate::diag::Diagnostic;
use crate::source::{FileId, Span};

/// Brackets may be nested this deep.
pub(super) const MAX_DEPTH: u32 = 256;

/// Fills in the depth of every token, repairs what can be repaired in place, and reports.
///
/// Returns the offsets around which the text cannot be parsed.
pub(super) fn check(file: FileId, text: &str, scan: &mut Scan) -> Vec<usize> {
    let guesses = scan.guesses.clone();
    let mut matcher = Matcher::new(file, text, &guesses);
    // First without regard to columns: declarations may stand in column 0 inside a block as long as everything matches.
    let mut trial = scan.tokens.clone();
    let mut untouched = scan.repaired.clone();
    matcher.run(&mut trial, &mut untouched, false);
    if matcher.diagnostics.is_empty() && guesses.is_empty() {
        scan.tokens = trial;
        return Vec::new();
    }
    if let Some((tokens, diagnostic, at)) = with_comments(file, text, scan) {
        scan.tokens = tokens;
        scan.diagnostics.push(diagnostic);
        return vec![at];
    }
    matcher = Matcher::new(file, text, &guesses);
    matcher.run(&mut scan.tokens, &mut scan.repaired, true);
    scan.diagnostics.append(&mut matcher.diagnostics);
    matcher.broken
}

/// Reads the brackets in comments behind code as well. If everything matches then, `//` was meant as a division.
fn with_comments(file: FileId, text: &str, scan: &Scan) -> Option<(Vec<Token>, Diagnostic, usize)> {
    let behind = |start: usize| !text[..start].rsplit('\n').next().unwrap_or("").trim().is_empty();
    let mut tokens = scan.tokens.clone();
    let mut first = None;
    for comment in scan.comments.iter().filter(|comment| behind(comment.start)) {
        let written = text[comment.start..comment.end].bytes().enumerate();
        let brackets: Vec<(usize, u8)> = written.filter(|(_, byte)| b"()[]{}".contains(byte)).collect();
        if !brackets.is_empty() && first.is_none() {
            first = Some(comment);
        }
        tokens.extend(brackets.into_iter().map(|(at, byte)| {
            let start = comment.start + at;
            let kind = if b"([{".contains(&byte) { TokenKind::Open(byte) } else { TokenKind::Close(byte) };
            Token { kind, start, end: start + 1, flush: false, depth: 0 }
        }));
    }
    let comment = first?;
    tokens.sort_by_key(|token| token.start);
    let mut matcher = Matcher::new(file, text, &scan.guesses);
    matcher.run(&mut tokens, &mut scan.repaired.clone(), false);
    if !matcher.diagnostics.is_empty() {
        return None;
    }
    let inside =
        |token: &Token| scan.comments.iter().any(|comment| (comment.start..comment.end).contains(&token.start));
    let closing =
        tokens.iter().position(|token| token.start > comment.start && matches!(token.kind, TokenKind::Close(_)))?;
    let opening = tokens[..closing]
        .iter()
        .rposition(|token| token.depth == tokens[closing].depth && matches!(token.kind, TokenKind::Open(_)))?;
    let (TokenKind::Open(open), opened) = (tokens[opening].kind, tokens[opening].start) else { return None };
    let span = Span::new(file, comment.start, comment.end);
    let diagnostic = report::commented_bracket(span, open, Span::new(file, opened, opened + 1));
    tokens.retain(|token| !inside(token));
    Some((tokens, diagnostic, opened))
}

struct Matcher<'a> {
    file: FileId,
    text: &'a str,
    /// Bracket and place of everything that is open.
    stack: Vec<(u8, usize)>,
    diagnostics: Vec<Diagnostic>,
    broken: Vec<usize>,
    guesses: &'a [usize],
    /// Set between a string without end and the next declaration.
    quiet: bool,
}

impl<'a> Matcher<'a> {
    fn new(file: FileId, text: &'a str, guesses: &'a [usize]) -> Self {
        Self { file, text, stack: Vec::new(), diagnostics: Vec::new(), broken: Vec::new(), guesses, quiet: false }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if !self.quiet {
            self.diagnostics.push(diagnostic);
        }
    }

    fn run(&mut self, tokens: &mut [Token], repaired: &mut [u8], by_column: bool) {
        for token in tokens {
            let word = &self.text[token.start..token.end];
            if by_column && token.flush && token.kind == TokenKind::Word && words::is_declaration(word) {
                self.close_all(token.start, token.end);
                self.quiet = false;
            }
            if token.kind == TokenKind::Str && self.guesses.binary_search(&token.start).is_ok() {
                self.quiet = true;
            }
            token.depth = self.stack.len() as u32;
            match token.kind {
                TokenKind::Open(open) => {
                    if self.stack.len() as u32 == MAX_DEPTH {
                        self.report(report::too_deep(self.span(token.start)));
                        self.broken.push(token.start);
                    }
                    self.stack.push((open, token.start));
                }
                TokenKind::Close(close) => {
                    self.close(close, token.start, repaired);
                    token.depth = self.stack.len() as u32;
                }
                _ => {}
            }
        }
        let kept = self.text.trim_end();
        let last = kept.chars().next_back().map_or(0, char::len_utf8);
        self.close_all(kept.len() - last, kept.len());
    }

    fn span(&self, at: usize) -> Span {
        Span::new(self.file, at, at + 1)
    }

    fn close(&mut self, close: u8, at: usize, repaired: &mut [u8]) {
        let Some(&(open, opened)) = self.stack.last() else {
            self.report(report::closes_nothing(close, self.span(at)));
            repaired[at] = b' ';
            return;
        };
        if report::partner(open) == close {
            self.stack.pop();
            return;
        }
        // `[ ( ]`: the inner bracket is the one that was forgotten, if an outer one fits.
        if let Some(fitting) = self.stack.iter().rposition(|(other, _)| report::partner(*other) == close) {
            self.report(report::unclosed(open, self.span(opened), self.span(at)));
            self.broken.push(opened);
            self.stack.truncate(fitting);
        } else {
            self.report(report::mismatched(open, self.span(opened), close, self.span(at)));
            repaired[at] = report::partner(open);
            self.stack.pop();
        }
    }

    /// Reports the outermost bracket that is still open and forgets them all.
    fn close_all(&mut self, start: usize, end: usize) {
        if let Some(&(open, at)) = self.stack.last() {
            let missed = Span::new(self.file, start.max(at), end.max(at + 1));
            self.report(report::unclosed(open, self.span(at), missed));
            self.broken.push(at);
            self.stack.clear();
        }
    }
}

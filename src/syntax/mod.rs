//! Text to tree: words, brackets, chunks, pest, and the formatter.

pub mod tree;
pub mod words;

mod brackets;
mod build;
mod chunks;
mod cursor;
mod expected;
mod habits;
mod parse;
mod pieces;
mod print;
mod relocate;
mod report;
mod salvage;
mod scan;
mod walk;

use std::ops::Range;

pub use cursor::{CURSOR, item_at_cursor};
pub use pieces::Pieces;
pub use print::print;
pub use relocate::Move;

use build::Builder;
use chunks::Chunk;
use parse::Rule;
use scan::{CommentKind, Scan, TokenKind};
use tree::{Expr, File, Function, Item};

use crate::diag::{Checked, Diagnostic};
use crate::source::{FileId, Span};

/// Parses a whole file: always a tree, and every syntax error.
///
/// A declaration that cannot be read stays in the tree as a binding of its name to [`tree::ExprKind::Error`].
pub fn parse(file: FileId, text: &str) -> (File, Vec<Diagnostic>) {
    parse_again(file, text, None)
}

/// Parses a whole file of which an earlier text was parsed: only what has changed since is read.
pub fn parse_again(file: FileId, text: &str, previous: Option<&File>) -> (File, Vec<Diagnostic>) {
    let source = Source::new(file, text);
    let mut diagnostics = source.divisions();
    let docs = source.module_docs(&mut diagnostics);
    let mut items = Vec::new();
    let mut open = false;
    // What stands below a declaration that cannot be read, further to the right, is part of it.
    let mut unread: Option<usize> = None;
    let mut refused = Vec::new();
    let mut kept = Vec::with_capacity(source.chunks.len());
    for (nth, (chunk, read)) in source.chunks.iter().zip(pieces::read(&source, previous)).enumerate() {
        let column = source.column(chunk.start);
        if unread.is_some_and(|left| column > left) {
            items.extend(source.salvaged(chunk));
            refused.push(chunk.start..source.reach(nth));
            kept.push(None);
            continue;
        }
        if !chunk.declares {
            refused.push(chunk.start..source.reach(nth));
        }
        open |= !read.complete && source.imports(chunk);
        // A page of YAML is one mistake, except for its plain settings; so is a `try` with its `except`.
        let key = nth > 0
            && source.is_key(chunk)
            && source.is_key(&source.chunks[nth - 1])
            && !(source.is_setting(chunk) && source.is_setting(&source.chunks[nth - 1]));
        let goes_on = key || unread.is_some() && source.continues(chunk);
        unread = (!read.complete).then_some(column);
        let item = read.item.is_some().then_some(items.len());
        items.extend(read.item);
        if !goes_on {
            diagnostics.extend(read.diagnostics.iter().cloned());
        }
        let again = read.complete && source.is_clean(chunk);
        kept.push(again.then_some((item, read.diagnostics)));
    }
    diagnostics.extend(source.habits(&refused));
    // What stands for a character in the repaired text may be several characters: a place there may cut one here.
    for label in diagnostics.iter_mut().flat_map(|diagnostic| &mut diagnostic.labels) {
        let (start, end) = (label.span.start as usize, label.span.end as usize);
        label.span = Span::new(file, text.floor_char_boundary(start), text.ceil_char_boundary(end));
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| (label.span.start, label.span.end)));
    let pieces = Pieces::of(&source, kept);
    (File { id: file, docs, items, open, pieces }, diagnostics)
}

/// Tells whether a text cannot be all that its author wants to write: a bracket is open, or it ends with an operator.
pub fn is_unfinished(text: &str) -> bool {
    let scan = scan::scan(FileId(0), text);
    let depth = scan.tokens.iter().fold(0_i64, |depth, token| match token.kind {
        TokenKind::Open(_) => depth + 1,
        TokenKind::Close(_) => depth - 1,
        _ => depth,
    });
    let last = scan.tokens.last().map_or("", |token| &text[..token.end]);
    let goes_on = ["|>", "=>", "=", "+", "-", "*", "/", "^", "<", ",", ":"].iter().any(|end| last.ends_with(end));
    depth > 0 || goes_on
}

/// Parses one expression, such as the right side of `--set name=value`.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the bare method is not general over lifetimes")]
pub fn parse_expression(file: FileId, text: &str) -> Checked<Expr> {
    Source::new(file, text).lone(Rule::lone_expr, |builder, pair| builder.lone_expr(pair))
}

/// Parses a function without a body, as stages declare themselves.
#[expect(clippy::redundant_closure_for_method_calls, reason = "the bare method is not general over lifetimes")]
pub fn parse_signature(file: FileId, text: &str) -> Checked<Function> {
    Source::new(file, text).lone(Rule::lone_signature, |builder, pair| builder.signature(pair))
}

/// A text after the passes that come before the recogniser.
struct Source<'a> {
    file: FileId,
    text: &'a str,
    scan: Scan,
    repaired: String,
    broken: Vec<usize>,
    chunks: Vec<Chunk>,
}

/// A piece of the file after it was read.
#[derive(Default)]
struct Read {
    item: Option<Item>,
    diagnostics: Vec<Diagnostic>,
    /// Whether the recogniser came to its end.
    complete: bool,
}

impl<'a> Source<'a> {
    fn new(file: FileId, text: &'a str) -> Self {
        let mut scan = scan::scan(file, text);
        let broken = brackets::check(file, text, &mut scan);
        // Offsets of the repaired text are offsets of the source: nothing may change its length.
        let repaired = String::from_utf8(scan.repaired.clone()).unwrap_or_else(|_| text.to_owned());
        let chunks = chunks::cut(text, &scan);
        Self { file, text, scan, repaired, broken, chunks }
    }

    /// What the first passes found, except inside text that is refused as a whole.
    fn habits(&self, refused: &[Range<usize>]) -> Vec<Diagnostic> {
        let inside = |at: usize| refused.iter().any(|range| range.contains(&at));
        let found = self.scan.diagnostics.iter();
        found
            .filter(|found| !found.labels.iter().take(1).any(|label| inside(label.span.start as usize)))
            .cloned()
            .collect()
    }

    /// Values that are followed by `// 2`: Python would divide.
    fn divisions(&self) -> Vec<Diagnostic> {
        let tokens = &self.scan.tokens;
        let word = |token: &scan::Token| &self.text[token.start..token.end];
        // A name that is defined, or a parameter of a function.
        let bound = |name: &str| {
            let binds = |nth: usize| {
                let after = |what: &[&str]| nth > 0 && what.contains(&word(&tokens[nth - 1]));
                let typed = tokens.get(nth + 1).is_some_and(|next| word(next) == ":");
                let head = || tokens[..nth].iter().rposition(|token| token.depth == 0 && word(token) == "(");
                after(&["let", "param"])
                    || typed
                        && after(&["(", ","])
                        && head().is_some_and(|open| open > 1 && word(&tokens[open - 2]) == "fn")
            };
            (0..tokens.len()).any(|nth| word(&tokens[nth]) == name && binds(nth))
        };
        let comments = self.scan.comments.iter().filter(|comment| comment.kind == CommentKind::Plain);
        let mut found = Vec::new();
        for comment in comments {
            let right = self.text[comment.start + 2..comment.end].trim();
            let before =
                tokens.partition_point(|token| token.end <= comment.start).checked_sub(1).map(|nth| &tokens[nth]);
            let Some(before) = before.filter(|before| !self.text[before.end..comment.start].contains('\n')) else {
                continue;
            };
            let value = matches!(before.kind, TokenKind::Number | TokenKind::Close(b')'))
                || before.kind == TokenKind::Word && !words::is_keyword(word(before));
            let number = right.starts_with(|c: char| c.is_ascii_digit())
                && right.bytes().all(|byte| words::is_word_byte(byte) || matches!(byte, b'.' | b'%'));
            if value && (number || words::is_name(right) && bound(right)) {
                let left = if before.kind == TokenKind::Close(b')') { "…" } else { word(before) };
                let place = |start, end| Span::new(self.file, start, end);
                let (comment, whole) = (place(comment.start, comment.end), place(before.start, before.end));
                found.push(report::comment_division(comment, whole, left, right));
            }
        }
        found
    }

    /// Where the piece after a piece begins.
    fn reach(&self, nth: usize) -> usize {
        self.chunks.get(nth + 1).map_or(self.text.len(), |next| next.start)
    }

    /// The distance of an offset from the left edge of its line.
    fn column(&self, at: usize) -> usize {
        at - self.text[..at].rfind('\n').map_or(0, |line| line + 1)
    }

    fn salvaged(&self, chunk: &Chunk) -> Option<Item> {
        salvage::item(self.file, self.text, &self.scan.tokens, chunk)
    }

    /// Whether a piece brings in names, in whatever language.
    fn imports(&self, chunk: &Chunk) -> bool {
        let first = &self.scan.tokens[chunk.first];
        let word = &self.text[first.start..first.end];
        matches!(word, "import" | "from" | "use" | "using" | "include" | "require" | "library" | "source")
    }

    /// Whether a piece goes on with a statement of another language that an earlier piece began.
    fn continues(&self, chunk: &Chunk) -> bool {
        let first = &self.scan.tokens[chunk.first];
        matches!(
            &self.text[first.start..first.end],
            "except" | "catch" | "finally" | "else" | "elif" | "end" | "done" | "}"
        )
    }

    /// Whether a piece is `key: …` at top level.
    fn is_key(&self, chunk: &Chunk) -> bool {
        let tokens = &self.scan.tokens[chunk.first..chunk.last];
        let colon = tokens.get(1).is_some_and(|token| &self.text[token.start..token.end] == ":");
        !chunk.declares && colon && tokens[0].kind == TokenKind::Word
    }

    /// Whether a piece is `key: 3`, with a value of one token.
    fn is_setting(&self, chunk: &Chunk) -> bool {
        let tokens = &self.scan.tokens[chunk.first..chunk.last];
        self.is_key(chunk) && tokens.len() == 3 && !matches!(tokens[2].kind, TokenKind::Symbol)
    }

    /// The `//!` lines above the first declaration; later ones are reported.
    fn module_docs(&self, diagnostics: &mut Vec<Diagnostic>) -> Vec<String> {
        let first = self.chunks.first().map_or(usize::MAX, |chunk| chunk.start);
        let mut docs = Vec::new();
        for comment in self.scan.comments.iter().filter(|comment| comment.kind == CommentKind::ModuleDoc) {
            if comment.start < first {
                docs.push(chunks::marker_off(&self.text[comment.start..comment.end]));
            } else {
                let span = Span::new(self.file, comment.start, comment.end);
                diagnostics.push(report::late_module_doc(span));
            }
        }
        docs
    }

    /// Whether a piece was left as it is by the passes before the recogniser.
    fn is_clean(&self, chunk: &Chunk) -> bool {
        let range = chunk.start..chunk.end;
        let untouched = self.text.as_bytes()[range.clone()] == self.repaired.as_bytes()[range.clone()];
        untouched && !self.broken.iter().chain(&self.scan.guesses).any(|at| range.contains(at))
    }

    fn item(&self, chunk: &Chunk) -> Read {
        let tokens = &self.scan.tokens[chunk.first..chunk.last];
        let unread = |found: Option<Diagnostic>| Read {
            item: self.salvaged(chunk),
            diagnostics: found.into_iter().collect(),
            complete: false,
        };
        if !chunk.declares {
            let known = habits::explain_stray(self.file, self.text, tokens);
            return unread(known.or_else(|| Some(salvage::stray(self.file, self.text, &self.scan.tokens, chunk))));
        }
        if self.broken.iter().any(|at| (chunk.start..chunk.end).contains(at)) {
            return unread(None);
        }
        if let Some(list) = habits::misread(self.file, self.text, tokens) {
            return unread(Some(list));
        }
        match parse::recognise(Rule::declaration, self.file, &self.repaired, chunk.start, chunk.end) {
            Ok(pair) => {
                let builder = Builder::new(self.file, chunk.start, &self.scan.tokens);
                let built = builder.item(pair);
                let item = built.map(|(kind, span)| Item { docs: chunk.docs.clone(), span, kind });
                Read { item, diagnostics: builder.diagnostics.into_inner(), complete: true }
            }
            Err(failure) => {
                let guessed = self.scan.guesses.iter().any(|at| (chunk.start..=failure.at).contains(at));
                let known = habits::explain(self.file, self.text, tokens, failure.at);
                unread((!guessed).then_some(known.unwrap_or(failure.diagnostic)))
            }
        }
    }

    fn lone<T>(
        &self,
        rule: Rule,
        build: impl FnOnce(&Builder<'_>, pest::iterators::Pair<'_, Rule>) -> Option<T>,
    ) -> Checked<T> {
        let mut diagnostics = self.scan.diagnostics.clone();
        if !self.broken.is_empty() {
            return Err(diagnostics);
        }
        match parse::recognise(rule, self.file, &self.repaired, 0, self.repaired.len()) {
            Ok(pair) => {
                let builder = Builder::new(self.file, 0, &self.scan.tokens);
                let built = build(&builder, pair);
                diagnostics.extend(builder.diagnostics.into_inner());
                built.filter(|_| diagnostics.is_empty()).ok_or(diagnostics)
            }
            Err(failure) => {
                let known = habits::explain(self.file, self.text, &self.scan.tokens, failure.at);
                diagnostics.push(known.unwrap_or(failure.diagnostic));
                Err(diagnostics)
            }
        }
    }
}

#[cfg(test)]
mod tests;

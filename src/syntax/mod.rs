//! Text to tree: words, brackets, chunks, pest, and the formatter.

pub mod tree;
pub mod words;

mod brackets;
mod build;
mod chunks;
mod cursor;
mod expected;
mod parse;
mod pieces;
mod print;
mod relocate;
mod report;
mod salvage;
mod scan;
mod walk;

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
    let mut diagnostics = source.habits();
    let docs = source.module_docs(&mut diagnostics);
    let (items, found, pieces) = pieces::read(&source, previous);
    diagnostics.extend(found);
    diagnostics.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| (label.span.start, label.span.end)));
    (File { id: file, docs, items, pieces }, diagnostics)
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
    fn habits(&self) -> Vec<Diagnostic> {
        let stray = |at: usize| {
            let chunk =
                self.chunks.partition_point(|chunk| chunk.start <= at).checked_sub(1).map(|nth| &self.chunks[nth]);
            chunk.is_some_and(|chunk| !chunk.declares && at < chunk.end)
        };
        let found = self.scan.diagnostics.iter();
        found
            .filter(|found| !found.labels.iter().take(1).any(|label| stray(label.span.start as usize)))
            .cloned()
            .collect()
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

    fn item(&self, chunk: &Chunk) -> (Option<Item>, Vec<Diagnostic>) {
        let salvaged = || salvage::item(self.file, self.text, &self.scan.tokens, chunk);
        if !chunk.declares {
            return (salvaged(), vec![salvage::stray(self.file, self.text, &self.scan.tokens, chunk)]);
        }
        if self.broken.iter().any(|at| (chunk.start..chunk.end).contains(at)) {
            return (salvaged(), Vec::new());
        }
        match parse::recognise(Rule::declaration, self.file, &self.repaired, chunk.start, chunk.end) {
            Ok(pair) => {
                let builder = Builder::new(self.file, chunk.start, &self.scan.tokens);
                let built = builder.item(pair);
                let item = built.map(|(kind, span)| Item { docs: chunk.docs.clone(), span, kind });
                (item, builder.diagnostics.into_inner())
            }
            Err(failure) => {
                let guessed = self.scan.guesses.iter().any(|at| (chunk.start..=failure.at).contains(at));
                (salvaged(), if guessed { Vec::new() } else { vec![failure.diagnostic] })
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
                diagnostics.push(failure.diagnostic);
                Err(diagnostics)
            }
        }
    }
}

#[cfg(test)]
mod tests;

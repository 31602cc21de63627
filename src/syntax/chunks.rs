//! Cuts a file into pieces of one declaration each, so that each is parsed by itself.

use super::scan::{CommentKind, Scan, Token, TokenKind};
use super::words;

/// A piece of the file that holds one declaration, or text that belongs to none.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Lines of `///` above, without the marker.
    pub(super) docs: Vec<String>,
    /// Index of the first token.
    pub(super) first: usize,
    /// One past the index of the last token.
    pub(super) last: usize,
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte of the last token.
    pub(super) end: usize,
    /// Whether a declaration's keyword begins it.
    pub(super) declares: bool,
}

/// Cuts the tokens at declarations.
pub(super) fn cut(text: &str, scan: &Scan) -> Vec<Chunk> {
    let tokens = &scan.tokens;
    let starts: Vec<usize> = (0..tokens.len()).filter(|at| *at == 0 || begins(text, tokens, *at)).collect();
    let mut chunks = Vec::with_capacity(starts.len());
    let mut after = 0;
    for (nth, &first) in starts.iter().enumerate() {
        let last = starts.get(nth + 1).copied().unwrap_or(tokens.len());
        let (start, end) = (tokens[first].start, tokens[last - 1].end);
        chunks.push(Chunk {
            docs: docs_between(text, scan, after, start),
            first,
            last,
            start,
            end,
            declares: declares(text, tokens, first),
        });
        after = end;
    }
    chunks
}

fn declares(text: &str, tokens: &[Token], at: usize) -> bool {
    tokens[at].kind == TokenKind::Word && words::is_declaration(&text[tokens[at].start..tokens[at].end])
}

fn begins(text: &str, tokens: &[Token], at: usize) -> bool {
    let token = &tokens[at];
    if token.flush && token.depth == 0 && matches!(token.kind, TokenKind::Str | TokenKind::Number) {
        return matches!(tokens[at - 1].kind, TokenKind::Close(_) | TokenKind::Number | TokenKind::Str);
    }
    if token.depth > 0 || token.kind != TokenKind::Word {
        return false;
    }
    let word = &text[token.start..token.end];
    let before = &tokens[at - 1];
    let previous = &text[before.start..before.end];
    if words::is_declaration(word) {
        // `let f = fn(x) …`: a value is wanted, so no declaration begins on the same line.
        let wanted = before.kind == TokenKind::Symbol && !text[before.end..token.start].contains('\n');
        // `from std.data import digits`.
        let imported = word == "import" && !text[before.end..token.start].contains('\n');
        if wanted || imported {
            return false;
        }
        return previous != "." && !(previous == "pub" && matches!(word, "let" | "fn"));
    }
    // A name in column 0 after a complete value cannot go on with it.
    let complete = match before.kind {
        TokenKind::Word => !words::is_keyword(previous) || matches!(previous, "true" | "false"),
        TokenKind::Number | TokenKind::Str | TokenKind::Close(_) => true,
        // `from std.data import *`
        TokenKind::Symbol => previous == "*" && at >= 2 && text[tokens[at - 2].start..tokens[at - 2].end] == *"import",
        TokenKind::Open(_) => false,
    };
    // The filter of a loop stands behind it; an `if` in column 0 is a statement of another language.
    token.flush && complete && (word == "if" || !words::CONTINUATIONS.contains(&word))
}

/// The doc comments between two declarations, except one behind the end of the first: it speaks of nothing below.
fn docs_between(text: &str, scan: &Scan, from: usize, to: usize) -> Vec<String> {
    let first = scan.comments.partition_point(|comment| comment.start < from);
    scan.comments[first..]
        .iter()
        .take_while(|comment| comment.start < to)
        .filter(|comment| comment.kind == CommentKind::Doc)
        .filter(|comment| from == 0 || text[from..comment.start].contains('\n'))
        .map(|comment| marker_off(&text[comment.start..comment.end]))
        .collect()
}

/// Takes `///` or `//!` and one blank off a line.
pub(super) fn marker_off(line: &str) -> String {
    let rest = &line[3..];
    rest.strip_prefix(' ').unwrap_or(rest).trim_end().to_owned()
}

//! What remains of a declaration that cannot be read: its name, so that its uses are not reported as well.

use std::sync::Arc;

use super::chunks::Chunk;
use super::habits;
use super::report;
use super::scan::{Token, TokenKind};
use super::tree::{Binding, Expr, ExprKind, Item, ItemKind, Name, Pattern};
use super::words;
use crate::diag::Diagnostic;
use crate::source::{FileId, Span};

/// Binds the name of a broken declaration to [`ExprKind::Error`].
pub(super) fn item(file: FileId, text: &str, tokens: &[Token], chunk: &Chunk) -> Option<Item> {
    let own = &tokens[chunk.first..chunk.last];
    let word = |token: &Token| &text[token.start..token.end];
    let head = word(own.first()?);
    if matches!(head, "table" | "plot" | "claim" | "expect" | "test") {
        return None;
    }
    let span = Span::new(file, chunk.start, chunk.end);
    let named = |token: &Token| Name { text: Arc::from(word(token)), span: Span::new(file, token.start, token.end) };
    let is_name = |token: &&Token| token.kind == TokenKind::Word && !words::is_keyword(word(token));
    let pattern = if !chunk.declares {
        Pattern::Tuple(stray_names(text, own).map(named).collect(), span)
    } else if head == "import" {
        // The names in braces, or the last word.
        let braces: Vec<Name> = own.iter().filter(|token| token.depth > 0).filter(is_name).map(named).collect();
        if braces.is_empty() { Pattern::Name(named(own.iter().rfind(is_name)?)) } else { Pattern::Tuple(braces, span) }
    } else {
        let public = usize::from(head == "pub");
        let target = own.get(1 + public).or(own.first())?;
        match target.kind {
            TokenKind::Open(_) => {
                let close = own.iter().skip(2 + public).position(|token| matches!(token.kind, TokenKind::Close(_)))?;
                let names = own.iter().skip(2 + public).take(close).filter(is_name).map(named).collect();
                Pattern::Tuple(names, span)
            }
            _ => Pattern::Name(named(Some(target).filter(is_name).or(own.first().filter(is_name))?)),
        }
    };
    let value = Expr { span: Span::new(file, chunk.end, chunk.end), kind: Arc::new(ExprKind::Error) };
    let binding = Binding { public: true, pattern, ty: None, value, builtin: false };
    Some(Item { docs: chunk.docs.clone(), span, kind: ItemKind::Binding(binding) })
}

/// The names that text of another language seems to define.
fn stray_names<'t>(text: &'t str, own: &'t [Token]) -> impl Iterator<Item = &'t Token> {
    let word = |token: &Token| &text[token.start..token.end];
    let head = own.first().map_or("", word);
    let imported: Vec<&str> = match head {
        "from" | "use" | "using" | "include" | "require" | "library" => habits::names_from(text, own, own, true),
        _ => Vec::new(),
    };
    // Up to `=`, `:` or `<-`: everything before is what gets the value.
    let signs = |token: &Token| matches!(word(token), "=" | ":" | "<" | "(" | "{");
    let end = own.iter().position(signs).unwrap_or(0);
    let defines = own.get(end).is_some_and(|sign| word(sign) != "(" && word(sign) != "{")
        || end >= 2 && own[..end].iter().all(|token| token.kind == TokenKind::Word && !words::is_keyword(word(token)));
    let last = end.checked_sub(1);
    own.iter().enumerate().filter_map(move |(nth, token)| {
        let is_name = token.kind == TokenKind::Word && !words::is_keyword(word(token));
        let target =
            defines && (Some(nth) == last || nth < end && own.get(nth + 1).is_some_and(|next| word(next) == ","));
        (is_name && (target || imported.contains(&word(token)))).then_some(token)
    })
}

/// Reports text at top level that no declaration begins.
pub(super) fn stray(file: FileId, text: &str, tokens: &[Token], chunk: &Chunk) -> Diagnostic {
    let word = |at: usize| tokens.get(at).filter(|_| at < chunk.last).map_or("", |token| &text[token.start..token.end]);
    let first = &tokens[chunk.first];
    let next = match (word(chunk.first + 1), word(chunk.first + 2)) {
        (":", "=") => ":=",
        (next, _) => next,
    };
    report::stray(word(chunk.first), next, Span::new(file, first.start, first.end))
}

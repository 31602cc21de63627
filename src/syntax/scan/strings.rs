//! Strings: with their quotes straight, single or missing, and over several lines.

use super::{Scanner, TokenKind};
use crate::syntax::report;

impl Scanner<'_> {
    pub(super) fn string(&mut self) {
        let (start, line_end) = (self.at, self.end_of_line());
        let mut at = start + 1;
        while at < line_end {
            match self.bytes[at] {
                b'\\' => at += 2,
                b'"' => return self.push(TokenKind::Str, at + 1),
                _ => at += 1,
            }
        }
        let end = self.guess_string_end(start, line_end);
        self.scan.diagnostics.push(report::unterminated_string(self.span(start, line_end)));
        self.scan.guesses.push(start);
        self.replace_string(start, end);
        self.push(TokenKind::Str, end);
    }

    /// Leaves the brackets and commas at the end of the line to the program, where they close something.
    fn guess_string_end(&self, start: usize, line_end: usize) -> usize {
        let mut end = line_end;
        let mut open = self.open.len();
        while end > start + 1 {
            match self.bytes[end - 1] {
                b')' | b']' | b'}' if open > 0 => open -= 1,
                b',' | b' ' | b'\t' => {}
                _ => break,
            }
            end -= 1;
        }
        end
    }

    /// Makes the range a string literal without content, or a hole if there is no room.
    fn replace_string(&mut self, start: usize, end: usize) {
        if end - start < 2 {
            self.replace(start, end, "\u{1}");
        } else {
            self.blank(start, end);
            self.scan.repaired[start] = b'"';
            self.scan.repaired[end - 1] = b'"';
        }
    }

    pub(super) fn single_quoted(&mut self) {
        let (start, line_end) = (self.at, self.end_of_line());
        let close = self.text[start + 1..line_end].find('\'').map(|length| start + 1 + length);
        let end = close.map_or_else(|| self.guess_string_end(start, line_end), |close| close + 1);
        let span = self.span(start, end);
        let inner = close.map_or("\"", |close| &self.text[start + 1..close]);
        self.scan.diagnostics.push(report::straight_quotes(report::single_quotes(span), span, inner));
        match close {
            Some(close) if !self.bytes[start + 1..close].iter().any(|byte| matches!(byte, b'"' | b'\\')) => {
                self.scan.repaired[start] = b'"';
                self.scan.repaired[close] = b'"';
            }
            // Without a closing quote the last byte may be part of a longer character.
            _ => self.replace_string(start, end),
        }
        self.push(TokenKind::Str, end);
    }

    pub(super) fn long_string(&mut self, quote: &str) {
        let start = self.at;
        let end = self.text[start + 3..].find(quote).map_or(self.bytes.len(), |length| start + length + 6);
        if self.documents(start) {
            let inner = self.text.get(start + 3..end.saturating_sub(3)).unwrap_or_default();
            let (span, top) = (self.span(start, start + 3), self.scan.tokens.is_empty());
            self.scan.diagnostics.push(report::docstring(span, inner, self.function(), top));
            self.blank(start, end);
            self.at = end;
        } else {
            self.scan.diagnostics.push(report::long_string(self.span(start, start + 3)));
            self.replace(start, end, "\"\"");
            self.push(TokenKind::Str, end);
        }
        if let Some(line) = self.text[start..end].rfind('\n') {
            self.line_start = start + line + 1;
        }
    }

    /// The name of the function whose body has just been opened.
    fn function(&self) -> Option<&str> {
        let tokens = &self.scan.tokens;
        let opens = tokens.last().is_some_and(|token| token.kind == TokenKind::Open(b'{'));
        let word = |nth: usize| tokens.get(nth).map(|token| &self.text[token.start..token.end]);
        let head = (0..tokens.len()).rev().find(|nth| word(*nth) == Some("fn")).filter(|_| opens)?;
        word(head + 1)
    }

    /// Whether a text at `start` is what Python calls a docstring: first in a file or in a block.
    fn documents(&self, start: usize) -> bool {
        let first = self.text[self.line_start..start].trim().is_empty();
        first
            && self.scan.tokens.last().is_none_or(|token| {
                matches!(token.kind, TokenKind::Open(b'{')) || self.open.is_empty() && start == self.line_start
            })
    }

    pub(super) fn typographic_string(&mut self, start: usize) {
        let line_end = self.end_of_line();
        let first = self.text[start..].chars().next().map_or(1, char::len_utf8);
        let close =
            self.text[start + first..line_end].char_indices().find(|(_, c)| matches!(c, '“' | '”' | '«' | '»' | '"'));
        let end = close.map_or(line_end, |(length, c)| start + first + length + c.len_utf8());
        let span = self.span(start, end);
        let inner = close.map_or("\"", |(length, _)| &self.text[start + first..start + first + length]);
        self.scan.diagnostics.push(report::straight_quotes(report::typographic_quotes(span), span, inner));
        self.replace_string(start, end);
        self.push(TokenKind::Str, end);
    }
}

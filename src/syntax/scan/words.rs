//! Words that a single token gives away: constants of other languages, `return`.

use super::{Scanner, Token, TokenKind};
use crate::diag::Diagnostic;
use crate::syntax::report;
use crate::syntax::words::{is_declaration, is_word_byte};

impl Scanner<'_> {
    pub(super) fn word(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| !is_word_byte(*byte)).unwrap_or(rest.len());
        let (start, end) = (self.at, self.at + length);
        let word = &self.text[start..end];
        if start == self.line_start && is_declaration(word) {
            self.open.clear();
        }
        let after_dot = start > 0 && self.bytes[start - 1] == b'.';
        let labels = self.text[end..].trim_start_matches([' ', '\t']).starts_with(':');
        if !after_dot && !labels {
            if let Some(right) = truth(word) {
                self.scan.diagnostics.push(report::truth(self.span(start, end), word, right));
                self.replace(start, end, right);
            } else if matches!(word, "None" | "null" | "nil" | "undefined" | "NULL" | "nullptr") {
                let found = self.missing_value(start, end);
                self.scan.diagnostics.push(found);
                self.replace(start, end, "\u{1}");
            } else if word == "return" && self.value_follows(end) {
                self.scan.diagnostics.push(report::return_word(self.span(start, end)));
                self.blank(start, end);
                self.at = end;
                return;
            }
        }
        self.push(TokenKind::Word, end);
    }

    /// Whether the line goes on, after a blank, with something that can only be a value.
    fn value_follows(&self, end: usize) -> bool {
        let rest = &self.bytes[end..];
        matches!(rest.first(), Some(b' ' | b'\t'))
            && rest
                .iter()
                .find(|byte| !matches!(byte, b' ' | b'\t'))
                .is_some_and(|byte| is_word_byte(*byte) || matches!(byte, b'"' | b'\'' | b'(' | b'[' | b'{'))
    }

    /// What to say about `None` by what it is given to.
    fn missing_value(&self, start: usize, end: usize) -> Diagnostic {
        let (span, word) = (self.span(start, end), &self.text[start..end]);
        let tokens = &self.scan.tokens;
        let text = |token: &Token| &self.text[token.start..token.end];
        let back = |count: usize| tokens.len().checked_sub(count).and_then(|at| tokens.get(at));
        let (Some(sign), Some(before)) = (back(1).map(text), back(2)) else {
            return report::missing_value(span, word);
        };
        if !matches!(sign, "=" | ":") || tokens.len() < 3 {
            return report::missing_value(span, word);
        }
        // The type between the parameter's colon and `=`.
        let line = &self.text[self.line_start..start];
        let declared = line.rfind(['(', ',']).map_or(line, |at| &line[at + 1..]);
        let ty = declared.split_once(':').map(|(_, ty)| ty.trim_end_matches(['=', ' ']).trim());
        if let Some(ty) = ty.filter(|ty| sign == "=" && !ty.is_empty()) {
            return report::missing_default(span, self.span(before.end, end), word, ty);
        }
        let given = text(before);
        match self.open.last() {
            Some(b'(') if before.kind == TokenKind::Word => {
                let comma =
                    tokens.len().checked_sub(3).and_then(|at| tokens.get(at)).filter(|token| text(token) == ",");
                let rest = &self.text[end..];
                let joint = if rest.trim_start().starts_with(',') {
                    rest.len() - rest.trim_start()[1..].trim_start().len()
                } else {
                    0
                };
                let whole = comma.map_or((before.start, end + joint), |token| (token.start, end));
                report::missing_argument(span, self.span(whole.0, whole.1), word, given)
            }
            Some(b'{') if before.kind == TokenKind::Word => report::missing_field(span, word, given),
            _ => report::missing_value(span, word),
        }
    }
}

/// What `True` and `FALSE` are here.
fn truth(word: &str) -> Option<&'static str> {
    match word {
        "True" | "TRUE" => Some("true"),
        "False" | "FALSE" => Some("false"),
        _ => None,
    }
}

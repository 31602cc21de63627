//! Bodies of functions as other languages write them: names get values by `let`, an early `return` becomes `else`.

use super::Passage;
use crate::syntax::scan::TokenKind;

/// Longest body that is shown, in lines and in characters of a line.
const LINES: usize = 12;
const WIDTH: usize = 100;

/// Words of statements and values that have no counterpart of the same shape.
const FOREIGN: [&str; 17] = [
    "for", "while", "with", "def", "class", "import", "try", "raise", "yield", "global", "del", "assert", "lambda",
    "match", "as", "pass", "loop",
];

impl Passage<'_> {
    /// The lines of a body in the words of pdsl; nothing if a statement of it has no counterpart.
    pub(super) fn body(&self, start: usize, end: usize) -> Option<Vec<String>> {
        let documented = self.kind(start) == Some(TokenKind::Str) && self.fresh(start + 1) && start + 1 < end;
        let start = if documented { start + 1 } else { start };
        if self.whole(start, end).contains("//") {
            return None;
        }
        let lines = self.statements(start, end)?;
        // A name that is given again would need another.
        let mut given: Vec<&str> =
            lines.iter().filter_map(|line| line.trim_start().split_once(" = ")).map(|it| it.0).collect();
        given.sort_unstable();
        if given.windows(2).any(|pair| pair[0] == pair[1]) {
            return None;
        }
        (lines.len() <= LINES && lines.iter().all(|line| line.len() <= WIDTH)).then_some(lines)
    }

    fn statements(&self, start: usize, end: usize) -> Option<Vec<String>> {
        if start >= end {
            return None;
        }
        let stop = self.statement_end(start, end);
        let rest = if self.is(stop, ";") { stop + 1 } else { stop };
        match self.spelled(start) {
            "if" => self.choice(start, end),
            _ if self.returned(start) => {
                (rest >= end).then(|| self.value_text(start, stop)).flatten().map(|value| vec![value])
            }
            word => {
                let declares = matches!(word, "let" | "const" | "var" | "val" | "auto");
                let name = if declares { start + 1 } else { start };
                let name = if declares && self.is(name, "mut") { name + 1 } else { name };
                let equals = (name + 1..stop).find(|nth| self.assigns(*nth) && self.depth(*nth) == self.depth(name));
                match equals.filter(|equals| self.is_name(name) && self.only_typed(name, *equals)) {
                    Some(equals) => {
                        let value = self.value_text(equals + 1, stop)?;
                        let mut lines = vec![format!("let {} = {value}", self.spelled(name))];
                        lines.extend(self.statements(rest, end)?);
                        Some(lines)
                    }
                    None if declares || rest < end => None,
                    None => Some(vec![self.value_text(start, stop)?]),
                }
            }
        }
    }

    /// Whether `return` stands before a token. The scanner has reported and skipped it.
    fn returned(&self, nth: usize) -> bool {
        let from = nth.checked_sub(1).map_or(0, |before| self.tokens[before].end);
        self.tokens.get(nth).is_some_and(|token| self.text[from..token.start].trim().ends_with("return"))
    }

    /// The column in which the line of a token begins.
    fn indent(&self, nth: usize) -> usize {
        let Some(token) = self.tokens.get(nth) else { return 0 };
        let line = &self.text[self.text[..token.start].rfind('\n').map_or(0, |end| end + 1)..];
        line.len() - line.trim_start_matches([' ', '\t']).len()
    }

    /// Whether between a name and its `=` stands at most a type.
    fn only_typed(&self, name: usize, equals: usize) -> bool {
        equals == name + 1 || self.is(name + 1, ":")
    }

    /// Where a statement ends: at `;`, or at a line that begins no deeper.
    fn statement_end(&self, start: usize, end: usize) -> usize {
        let (depth, column) = (self.depth(start), self.indent(start));
        let ends = |nth: &usize| {
            self.depth(*nth) == depth
                && (self.is(*nth, ";")
                    || self.fresh(*nth)
                        && self.indent(*nth) <= column
                        && !matches!(self.kind(*nth), Some(TokenKind::Symbol | TokenKind::Close(_))))
        };
        (start + 1..end).find(ends).unwrap_or(end)
    }

    /// `if a: return x`, with what follows as its `else`.
    fn choice(&self, start: usize, end: usize) -> Option<Vec<String>> {
        let depth = self.depth(start);
        let (condition, inner, after) = self.branch(start + 1, start, end)?;
        let condition = self.value_text(start + 1, condition)?;
        let returns = (inner.0..inner.1).any(|nth| self.returned(nth));
        let (otherwise, rest) = match self.spelled(after) {
            "elif" => (self.choice(after, end)?, end),
            "else" if self.is(after + 1, "if") => (self.choice(after + 1, end)?, end),
            "else" if self.depth(after) == depth => {
                let (_, other, rest) = self.branch(after + 1, after, end)?;
                (self.statements(other.0, other.1)?, rest)
            }
            _ if returns => (self.statements(after, end)?, end),
            _ => return None,
        };
        let then = self.statements(inner.0, inner.1)?;
        if rest < end {
            return None;
        }
        if let ([one], [other]) = (then.as_slice(), otherwise.as_slice()) {
            let tail = if other.starts_with("if ") { other.clone() } else { format!("{{ {other} }}") };
            let line = format!("if {condition} {{ {one} }} else {tail}");
            if line.len() <= WIDTH - 20 {
                return Some(vec![line]);
            }
        }
        let deeper = |lines: &[String]| lines.iter().map(|line| format!("  {line}")).collect::<Vec<_>>();
        let mut lines = vec![format!("if {condition} {{")];
        lines.extend(deeper(&then));
        match otherwise.split_first() {
            Some((first, more)) if first.starts_with("if ") => {
                lines.push(format!("}} else {first}"));
                lines.extend_from_slice(more);
            }
            _ => {
                lines.push("} else {".to_owned());
                lines.extend(deeper(&otherwise));
                lines.push("}".to_owned());
            }
        }
        Some(lines)
    }

    /// The body behind a head: where the head ends, what stands in the body, and what comes after it.
    pub(super) fn branch(&self, from: usize, head: usize, end: usize) -> Option<(usize, (usize, usize), usize)> {
        let (depth, column) = (self.depth(head), self.indent(head));
        let sign =
            (from..end).find(|nth| self.depth(*nth) == depth && (self.is_open(*nth, b'{') || self.is(*nth, ":")))?;
        if self.is_open(sign, b'{') {
            let close = self.close(sign)?;
            return Some((sign, (sign + 1, close), close + 1));
        }
        let ends = |nth: &usize| {
            self.depth(*nth) < depth || self.fresh(*nth) && self.depth(*nth) == depth && self.indent(*nth) <= column
        };
        let stop = (sign + 1..end).find(ends).unwrap_or(end);
        Some((sign, (sign + 1, stop), stop))
    }

    /// A value on one line in the words of pdsl.
    fn value_text(&self, start: usize, end: usize) -> Option<String> {
        let depth = self.depth(start);
        if start >= end || (start..end).any(|nth| FOREIGN.contains(&self.spelled(nth))) {
            return None;
        }
        // `a if c else b` of Python.
        let word = |what: &str| (start + 1..end).find(|nth| self.is(*nth, what) && self.depth(*nth) == depth);
        if let (Some(condition), Some(other)) = (word("if"), word("else"))
            && condition < other
        {
            let part = |from, to| self.value_text(from, to);
            let (then, condition) = (part(start, condition)?, part(condition + 1, other)?);
            return Some(format!("if {condition} {{ {then} }} else {{ {} }}", part(other + 1, end)?));
        }
        let mut text = String::new();
        let mut nth = start;
        while nth < end {
            if nth > start && !self.touches(nth) {
                text.push(' ');
            }
            let (word, next) = (self.spelled(nth), self.spelled(nth + 1));
            let double = self.touches(nth + 1) && word == next;
            let (piece, width) = match word {
                "*" if double => ("^", 2),
                "&" if double => ("and", 2),
                "|" if double => ("or", 2),
                "&" if !self.touches(nth + 1) || nth + 1 >= end => return None,
                "&" => ("", 1),
                "!" if next == "=" && self.touches(nth + 1) => ("!=", 2),
                "=" if double => ("==", 2),
                "=" if matches!(next, ">") && self.touches(nth + 1) => return None,
                "=" if !matches!(self.before(nth), "<" | ">" | "=") => {
                    if nth == start || self.depth(nth) == depth || !self.is_name(nth - 1) {
                        return None;
                    }
                    (if self.touches(nth + 1) { ": " } else { ":" }, 1)
                }
                "!" | "?" | "%" | ";" | "~" | "@" | "if" | "else" => return None,
                "math" | "np" | "numpy" | "torch" if next == "." => ("", 2),
                _ => (word, 1),
            };
            text.push_str(piece);
            nth += width;
        }
        Some(text.trim().replace(" :", ":"))
    }
}

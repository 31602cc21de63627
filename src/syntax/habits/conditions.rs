//! Conditions that other languages demand by `assert`.

use super::{Passage, habit};
use crate::diag::Diagnostic;
use crate::syntax::scan::TokenKind;

const MESSAGE: &str = "A condition is demanded by `expect`";

impl Passage<'_> {
    /// `assert a == b, "…"`, `assert_eq!(a, b)`, `self.assertEqual(a, b)`, `stopifnot(a)` as a statement.
    pub(super) fn assertion(&self, nth: usize) -> Option<Diagnostic> {
        let tested = matches!(self.spelled(nth), "self" | "np" | "numpy" | "torch" | "unittest" | "testing")
            && (nth + 1..nth + 5).any(|at| self.spelled(at).starts_with("assert"));
        let word = if tested { (nth + 1..nth + 5).find(|at| self.spelled(*at).starts_with("assert"))? } else { nth };
        let name = self.spelled(word);
        let open = if self.is(word + 1, "!") { word + 2 } else { word + 1 };
        let asserts = name.starts_with("assert") || name.starts_with("debug_assert");
        let others = matches!(name, "stopifnot" | "ensure" | "require_that" | "expect_equal" | "expect_true" | "check");
        if !(asserts || others && self.is_open(open, b'(')) || matches!(self.spelled(word + 1), "=" | ":" | ".") {
            return None;
        }
        let line = (word + 1..self.tokens.len())
            .find(|at| self.fresh(*at) && self.depth(*at) <= self.depth(word) && self.begins_line(*at))
            .unwrap_or(self.tokens.len());
        let close = self.is_open(open, b'(').then(|| self.close(open)).flatten();
        let call = close.filter(|close| *close + 1 >= line || self.is(close + 1, ","));
        let condition = match call {
            Some(_) => self.compared(name, &self.arguments(open))?,
            None => self.near(word + 1, self.value_end(word + 1)),
        };
        let (place, whole) = (self.span(word, open), self.span(nth, line));
        if self.depth(nth) == 0 || self.is(0, "test") {
            let help = format!("write `expect {condition}`");
            let diagnostic = habit(MESSAGE, place, help);
            return Some(if condition.contains('…') {
                diagnostic
            } else {
                diagnostic.fix(whole, format!("expect {condition}"))
            });
        }
        Some(habit(MESSAGE, place, format!("write `expect {condition}` at the top level, outside of the braces")))
    }

    /// `expect(a).toBe(b)` of JavaScript, which reads like a condition.
    pub(super) fn expectation(&self) -> Option<Diagnostic> {
        (0..self.tokens.len()).find_map(|nth| {
            let close =
                (self.is(nth, "expect") && self.is_open(nth + 1, b'(')).then(|| self.close(nth + 1)).flatten()?;
            let sign = match self.spelled(close + 2) {
                "toBe" | "toEqual" | "toStrictEqual" => "==",
                "toBeGreaterThan" => ">",
                "toBeGreaterThanOrEqual" => ">=",
                "toBeLessThan" => "<",
                "toBeLessThanOrEqual" => "<=",
                _ => return None,
            };
            let end = self.close(close + 3)?;
            let text = format!("expect {} {sign} {}", self.source(nth + 2, close), self.source(close + 4, end));
            let diagnostic =
                habit("A condition follows `expect`", self.span(close + 1, close + 3), format!("write `{text}`"));
            Some(diagnostic.in_place_of(self.span(nth, end + 1)))
        })
    }

    /// Whether a token cannot go on with what stands on the line before.
    fn begins_line(&self, nth: usize) -> bool {
        matches!(self.kind(nth), Some(TokenKind::Word | TokenKind::Close(_)))
            && !matches!(self.spelled(nth), "and" | "or" | "in" | "if" | "else" | "not")
    }

    /// The condition of a call that asserts.
    fn compared(&self, name: &str, args: &[(usize, usize)]) -> Option<String> {
        let text = |at: usize| args.get(at).map(|(start, end)| self.source(*start, *end));
        let words = name.replace('_', "").to_ascii_lowercase();
        let words = words.trim_start_matches("debug").trim_start_matches("assert").trim_start_matches("expect");
        let sign = match words {
            "eq" | "equal" | "equals" | "is" => "==",
            "ne" | "notequal" | "notequals" => "!=",
            "greater" | "gt" => ">",
            "greaterequal" | "ge" => ">=",
            "less" | "lt" => "<",
            "lessequal" | "le" => "<=",
            "almostequal" | "allclose" | "close" | "approx" => {
                let (left, right) = (args.first()?, args.get(1)?);
                return Some(self.within(*left, *right, None));
            }
            "false" => return Some(format!("not ({})", text(0)?)),
            _ => return args.first().map(|(start, end)| self.near(*start, *end)),
        };
        Some(format!("{} {sign} {}", text(0)?, text(1)?))
    }

    /// A condition as written, or the one that `a == approx(b)` means.
    fn near(&self, start: usize, end: usize) -> String {
        let written = || self.source(start, end).to_owned();
        let Some(word) = (start..end).find(|at| matches!(self.spelled(*at), "approx" | "isclose" | "allclose")) else {
            return written();
        };
        let args = self.arguments(word + 1);
        let label = |part: &(usize, usize)| {
            matches!(self.spelled(part.0), "abs" | "rel" | "atol" | "rtol" | "abs_tol" | "rel_tol")
                && matches!(self.spelled(part.0 + 1), "=" | ":")
        };
        let tolerance = args.iter().find(|part| label(part)).map(|part| self.source(part.0 + 2, part.1));
        let plain: Vec<_> = args.iter().filter(|part| !label(part)).copied().collect();
        let equals = (start..word).find(|at| self.follows(*at, "=="));
        match (plain.as_slice(), equals) {
            ([only], Some(equals)) => self.within((start, equals), *only, tolerance),
            ([left, right], None) => self.within(*left, *right, tolerance),
            _ => written(),
        }
    }

    /// That two values are close: within percentage points if the second is a percentage.
    fn within(&self, left: (usize, usize), right: (usize, usize), tolerance: Option<&str>) -> String {
        let ratio = self.spelled(right.1.saturating_sub(1)).ends_with('%');
        let tolerance = tolerance.unwrap_or(if ratio { "0.0001pp" } else { "1e-6" });
        format!("abs({} - {}) < {tolerance}", self.source(left.0, left.1), self.source(right.0, right.1))
    }
}

//! Conditions and branches as other languages write them.

use super::{Passage, habit};
use crate::diag::Diagnostic;

impl Passage<'_> {
    /// `match x { … }`, `if let`, `a if c else b`, `if c:`, `if c then a`, and branches without braces.
    pub(super) fn conditional(&self, nth: usize) -> Option<Diagnostic> {
        let word = self.spelled(nth);
        match word {
            "match" | "switch" | "case" | "when" if !self.after_value(nth) || self.fresh(nth) => {
                if self.is(nth + 1, ":") || self.is(nth + 1, ",") || self.is(nth + 1, ")") {
                    return None;
                }
                let end = (nth + 1..self.tokens.len())
                    .find(|at| self.is_open(*at, b'{') || self.is(*at, ":") || self.fresh(*at));
                let subject = self.source(nth + 1, end?);
                let subject = subject.trim_start_matches('(').trim_end_matches(')');
                let place = self.span(nth, nth + 1);
                let message = format!("There is no `{word}`");
                let branches = end.filter(|at| self.is_open(*at, b'{')).and_then(|open| self.branches(open, subject));
                Some(match branches {
                    Some((text, close)) => {
                        habit(message, place, format!("write `{text}`")).in_place_of(self.span(nth, close + 1))
                    }
                    None => habit(message, place, format!("write `if {subject} == … {{ … }} else {{ … }}`")),
                })
            }
            "let" if self.before(nth) == "if" => Some(habit(
                "There is no `if let`",
                self.span(nth - 1, nth + 1),
                "write `if condition { … } else { … }`",
            )),
            "if" if self.after_value(nth) && !self.fresh(nth) && !self.filters(nth) => {
                let depth = self.depth(nth);
                let (start, end) = (self.value_start(nth), self.value_end(nth));
                let other = (nth + 1..end).find(|at| self.is(*at, "else") && self.depth(*at) == depth);
                let braced =
                    (nth + 1..other.unwrap_or(end)).any(|at| self.is_open(at, b'{') && self.depth(at) == depth);
                if braced || nth < self.failed && other.is_none() {
                    return None;
                }
                let message = "The condition comes first";
                let Some(other) = other else {
                    let (condition, value) = (self.source(nth + 1, end), self.source(start, nth));
                    let help = format!("write `if {condition} {{ {value} }} else {{ … }}`, with the value otherwise");
                    return Some(habit(message, self.span(nth, nth + 1), help));
                };
                let last = self.value_end(other + 1);
                let help = format!(
                    "write `if {} {{ {} }} else {{ {} }}`",
                    self.source(nth + 1, other),
                    self.source(start, nth),
                    self.source(other + 1, last),
                );
                Some(habit(message, self.span(nth, nth + 1), help).in_place_of(self.span(start, last)))
            }
            "then" if self.after_value(nth) => {
                let depth = self.depth(nth);
                let place = self.span(nth, nth + 1);
                let message = "The branches of an `if` stand in braces";
                let first = (0..nth).rev().find(|at| self.is(*at, "if") && self.depth(*at) == depth);
                let other = (nth..self.tokens.len()).find(|at| self.is(*at, "else") && self.depth(*at) == depth);
                let (Some(first), Some(other)) = (first, other) else {
                    return Some(habit(message, place, "write `if condition { a } else { b }`"));
                };
                let last = self.value_end(other + 1);
                let last = (other + 1..last).find(|at| self.is(*at, "end")).unwrap_or(last);
                let help = format!(
                    "write `if {} {{ {} }} else {{ {} }}`",
                    self.source(first + 1, nth),
                    self.source(nth + 1, other),
                    self.source(other + 1, last)
                );
                Some(habit(message, place, help).in_place_of(self.span(first, last)))
            }
            "else" if self.is(nth + 1, ":") => Some(habit(
                "The branches of an `if` stand in braces",
                self.span(nth + 1, nth + 2),
                "write `else { … }`",
            )),
            "if" if nth < self.failed && !self.after_value(nth) => {
                self.bare_branches(nth).or_else(|| self.unfiltered(nth))
            }
            "if" if nth < self.failed && self.fresh(nth) => self.unfiltered(nth),
            "elseif" | "elsif" => {
                Some(habit(format!("`{word}` is written `else if`"), self.span(nth, nth + 1), "write `else if`"))
            }
            _ => None,
        }
    }

    /// An `if` without `else` as all that a loop gives: its condition belongs to the head.
    fn unfiltered(&self, nth: usize) -> Option<Diagnostic> {
        let depth = self.depth(nth);
        let open = (nth + 1..self.failed).find(|at| self.is_open(*at, b'{') && self.depth(*at) == depth)?;
        let close = self.close(open).filter(|close| close + 1 == self.failed && self.is(self.failed, "}"))?;
        let help = format!("write `{}`, without the `if` inside", self.filtered(nth, true)?);
        Some(habit("A loop is filtered in its head", self.span(nth, close.min(nth + 1)), help))
    }

    /// Whether an `if` at a token would be the filter of a loop.
    fn filters(&self, nth: usize) -> bool {
        self.head_of(nth).is_some_and(|head| self.depth(head) == self.depth(nth))
    }

    /// The arms `"a" => x, _ => y` of a `match`, as branches; with the bracket that closes them.
    fn branches(&self, open: usize, subject: &str) -> Option<(String, usize)> {
        let close = self.close(open)?;
        let arms = self.arguments(open);
        let mut text = String::new();
        for (nth, (start, end)) in arms.iter().enumerate() {
            let arrow = (*start..*end).find(|at| self.follows(*at, "=>") || self.follows(*at, "->"))?;
            let (pattern, value) = (self.source(*start, arrow), self.source(arrow + 2, *end));
            let block = self.is_open(arrow + 2, b'{') && !self.is(arrow + 4, ":");
            let inner = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|_| block);
            let value = inner.unwrap_or(value).trim();
            let last = nth + 1 == arms.len();
            text += &if last && nth > 0 {
                format!("{{ {value} }}")
            } else {
                let condition: Vec<String> =
                    pattern.split('|').map(|one| format!("{subject} == {}", one.trim())).collect();
                format!("if {} {{ {value} }} else ", condition.join(" or "))
            };
        }
        (arms.len() > 1).then_some((text, close))
    }

    fn bare_branches(&self, nth: usize) -> Option<Diagnostic> {
        let depth = self.depth(nth);
        let end = (nth + 1..=self.failed).find(|at| self.is_open(*at, b'{') && self.depth(*at) == depth);
        if end.is_some() {
            return None;
        }
        let message = "The branches of an `if` stand in braces";
        if self.is(self.failed, ":") && self.depth(self.failed) == depth {
            return Some(habit(message, self.span(self.failed, self.failed + 1), "write `if … { … } else { … }`"));
        }
        let close = self.is_open(nth + 1, b'(').then(|| self.close(nth + 1)).flatten()?;
        (close + 1 == self.failed).then(|| {
            let condition = self.source(nth + 2, close);
            habit(
                message,
                self.span(self.failed, self.failed + 1),
                format!("write `if {condition} {{ … }} else {{ … }}`"),
            )
        })
    }
}

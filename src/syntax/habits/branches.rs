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
                Some(match end.and_then(|sign| self.branches(nth, sign, subject)) {
                    Some((text, end)) => {
                        habit(message, place, format!("write `{text}`")).in_place_of(self.span(nth, end))
                    }
                    None => habit(message, place, format!("write `if {subject} == … {{ … }} else {{ … }}`")),
                })
            }
            "let" if self.before(nth) == "if" => Some(self.unwrapping(nth)),
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

    /// `if let Some(x) = y { … }`.
    fn unwrapping(&self, nth: usize) -> Diagnostic {
        let depth = self.depth(nth);
        let at = |what: &str| (nth..self.tokens.len()).find(|at| self.is(*at, what) && self.depth(*at) == depth);
        let place = self.span(nth - 1, nth + 1);
        match (at("="), at("{")) {
            (Some(equals), Some(open)) if equals < open => {
                let value = self.source(equals + 1, open);
                let help = format!("a value is never absent: write `{value}` itself, without the `if` around it");
                habit("There is no `if let`", place, help)
            }
            _ => habit("There is no `if let`", place, "write `if condition { … } else { … }`"),
        }
    }

    /// The arms of a `match` or `switch` at `word`, whose body begins at `sign`, as branches; with where it ends.
    fn branches(&self, word: usize, sign: usize, subject: &str) -> Option<(String, usize)> {
        let (_, inner, end) = self.branch(sign, word, self.tokens.len())?;
        let depth = self.depth(inner.0);
        let begins =
            |at: &usize| self.fresh(*at) && self.depth(*at) == depth && matches!(self.spelled(*at), "case" | "default");
        let cases: Vec<usize> = (inner.0..inner.1).filter(begins).collect();
        let arms: Vec<(String, String)> = if cases.is_empty() {
            let arms = self.arguments(sign);
            arms.iter().map(|(start, end)| self.arrow_arm(*start, *end)).collect::<Option<_>>()?
        } else {
            let ends = cases.iter().skip(1).copied().chain([inner.1]);
            cases.iter().zip(ends).map(|(start, end)| self.case_arm(*start, end)).collect::<Option<_>>()?
        };
        let mut text = String::new();
        for (nth, (pattern, value)) in arms.iter().enumerate() {
            text += &if nth + 1 == arms.len() && nth > 0 {
                format!("{{ {value} }}")
            } else {
                format!("if {} {{ {value} }} else ", matches_pattern(subject, pattern)?)
            };
        }
        (arms.len() > 1).then_some((text, end))
    }

    /// `1 | 2 => x`.
    fn arrow_arm(&self, start: usize, end: usize) -> Option<(String, String)> {
        let arrow = (start..end).find(|at| self.follows(*at, "=>") || self.follows(*at, "->"))?;
        let value = self.source(arrow + 2, end);
        let block = self.is_open(arrow + 2, b'{') && !self.is(arrow + 4, ":");
        let inner = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|_| block);
        Some((self.source(start, arrow).to_owned(), inner.unwrap_or(value).trim().to_owned()))
    }

    /// `case 1: return x`.
    fn case_arm(&self, start: usize, end: usize) -> Option<(String, String)> {
        let depth = self.depth(start);
        let colon = (start..end).find(|at| self.is(*at, ":") && self.depth(*at) == depth)?;
        let stop = (colon + 1..end).find(|at| self.is(*at, "break")).unwrap_or(end);
        let [value] = <[String; 1]>::try_from(self.body(colon + 1, stop)?).ok()?;
        Some((self.source(start + 1, colon).to_owned(), value))
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

/// The condition that a value matches a pattern.
fn matches_pattern(subject: &str, pattern: &str) -> Option<String> {
    if let Some((name, condition)) = pattern.split_once(" if ") {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let words = condition.split_inclusive(|c| !is_part(c)).map(|piece| {
            let (word, rest) = piece.split_at(piece.find(|c| !is_part(c)).unwrap_or(piece.len()));
            format!("{}{rest}", if word == name.trim() { subject } else { word })
        });
        return Some(words.collect::<String>().trim().to_owned());
    }
    let one = |pattern: &str| match pattern.split_once("..") {
        Some((start, end)) => {
            let (sign, end) = end.strip_prefix('=').map_or(("<", end), |end| ("<=", end));
            let bounds = [(">=", start.trim()), (sign, end.trim())];
            let bounds = bounds.iter().filter(|(_, bound)| !bound.is_empty());
            bounds.map(|(sign, bound)| format!("{subject} {sign} {bound}")).collect::<Vec<_>>().join(" and ")
        }
        None => format!("{subject} == {pattern}"),
    };
    let found: Vec<String> = pattern.split('|').map(|pattern| one(pattern.trim())).collect();
    (!pattern.trim().is_empty() && pattern.trim() != "_").then(|| found.join(" or "))
}

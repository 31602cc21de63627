//! Words between values, where pdsl has operators, calls and texts in quotes.

use super::{Passage, found, habit, operator};
use crate::diag::Diagnostic;
use crate::diag::codes::syntax as codes;
use crate::syntax::scan::TokenKind;

impl Passage<'_> {
    /// Words between values: `x as f64`, `a is b`, `a in xs`, `imp pruning`, `new Net()`.
    pub(super) fn phrase(&self, nth: usize) -> Option<Diagnostic> {
        let (word, place) = (self.spelled(nth), self.span(nth, nth + 1));
        let after = self.after_value(nth) && !self.fresh(nth);
        match word {
            "as" if after && !self.is(0, "import") => {
                let start = self.operand_start(nth);
                let value = self.source(start, nth);
                let to = if matches!(crate::diag::foreign::ty(self.spelled(nth + 1)), Some("Int")) {
                    "floor"
                } else {
                    "float"
                };
                let whole = self.span(start, nth + 2);
                let diagnostic = operator("There are no casts", place, format!("write `{to}({value})`"));
                let diagnostic = diagnostic.in_place_of(whole);
                // The recogniser stops at the first.
                let others =
                    (nth + 1..self.tokens.len()).filter(|at| self.is(*at, "as") && self.after_value(*at)).count();
                let also = if others == 1 { "the other cast" } else { "the other casts" };
                Some(match others {
                    0 => diagnostic,
                    _ => diagnostic.help(format!("write `{to}({value})`, and {also} alike")),
                })
            }
            "is" if after
                && (nth + 1..nth + 4).any(|at| matches!(self.spelled(at), "None" | "null" | "NULL" | "nil")) =>
            {
                Some(operator("No value is ever missing", place, "remove the test"))
            }
            _ if nth == self.failed
                && after
                && matches!(self.before(nth), "typeof" | "await" | "yield" | "void" | "delete" | "async") =>
            {
                let word = self.before(nth).to_owned();
                Some(habit(format!("There is no `{word}`"), self.span(nth - 1, nth), format!("remove `{word}`")))
            }
            "is" if after && self.is(nth + 1, "not") => {
                let place = self.span(nth, nth + 2);
                Some(operator("`is not` is written `!=`", place, "write `!=`").in_place_of(place))
            }
            "is" if after => Some(operator("`is` is written `==`", place, "write `==`").in_place_of(place)),
            "plot" | "table" if self.is_open(nth + 1, b'(') && self.touches(nth + 1) && nth > 0 => {
                let right = if word == "plot" {
                    "line(rows, x: .sparsity, y: .top1)"
                } else {
                    "summary(rows, by: [.round], over: .seed, show: [mean])"
                };
                Some(habit(
                    format!("`{word}` begins a declaration and is no function"),
                    place,
                    format!("write `{right}`"),
                ))
            }
            "in" if after && nth > 2 && matches!(self.spelled(nth - 2), "and" | "&") && self.in_head(nth) => {
                self.loop_part(nth - 2)
            }
            "in" if after && nth + 1 >= self.failed && !self.in_axes(nth) => Some(self.membership(nth)),
            "not" if after && self.is(nth + 1, "in") && !self.in_axes(nth) => Some(self.membership(nth + 1)),
            "for" if after && self.failed == nth && self.opener(nth).is_some() => {
                if let Some(found) = self.opener(nth).and_then(|open| self.keyed(open)) {
                    return Some(found);
                }
                let (value, rest) = (self.source(self.value_start(nth), nth), self.source(nth, self.value_end(nth)));
                let whole = self.span(self.value_start(nth), self.value_end(nth));
                let help = format!("write `{rest} {{ {value} }}`");
                Some(habit("A list is built with `for` in front", place, help).in_place_of(whole))
            }
            "mut" if self.is_name(nth + 1) => Some(habit("Nothing is mutable", place, "remove `mut`").fix(place, "")),
            _ if nth == self.failed
                && after
                && self.is_name(nth)
                && self.is_open(nth + 1, b'(')
                && self.touches(nth + 1)
                && self.before(nth) == ")" =>
            {
                let call = self.source(nth, self.value_end(nth));
                Some(
                    found(
                        &codes::UNEXPECTED,
                        "A call behind a value needs a pipe",
                        place,
                        "no `|>` before this",
                        format!("write `|> {call}`"),
                    )
                    .fix(self.span(nth, nth), "|> "),
                )
            }
            "new" if self.is_name(nth + 1) && !self.fresh(nth + 1) => Some(habit(
                "There is no `new`",
                place,
                format!("write `{}`", self.source(nth + 1, self.value_end(nth + 1))),
            )),
            "do" | "end" | "begin" if after || self.fresh(nth) && nth >= self.failed => {
                Some(habit("Blocks stand in braces", place, "write `{ … }`"))
            }
            _ if nth == self.failed => self.bare_text(nth),
            _ => None,
        }
    }

    /// The first token of the name, number, call or field that ends before a token.
    fn operand_start(&self, end: usize) -> usize {
        let mut start = end;
        while let Some(last) = start.checked_sub(1) {
            start = match self.kind(last) {
                Some(TokenKind::Close(_)) => {
                    let opens = |at: &usize| {
                        self.depth(*at) == self.depth(last) && matches!(self.kind(*at), Some(TokenKind::Open(_)))
                    };
                    (0..last).rev().find(opens).unwrap_or(last)
                }
                _ => last,
            };
            let called = matches!(self.kind(start), Some(TokenKind::Open(b'(' | b'['))) && self.touches(start);
            if called && self.after_value(start) {
                continue;
            }
            if self.before(start) != "." {
                break;
            }
            start -= 1;
        }
        start
    }

    /// `a in xs`, `a not in xs`, in a comparison or a condition; `nth` is the `in`.
    fn membership(&self, nth: usize) -> Diagnostic {
        let negated = self.before(nth) == "not";
        let before = if negated { nth - 1 } else { nth };
        let joints = ["and", "or", "if", "not", "{", "return"];
        let depth = self.depth(nth);
        let joint = |at: &usize| self.depth(*at) == depth && joints.contains(&self.spelled(*at));
        let first = self.value_start(before);
        let start = (first..before).rev().find(joint).map_or(first, |at| at + 1);
        let line = self.value_end(nth + 1);
        let end = (nth + 1..line)
            .find(|at| joint(at) || self.depth(*at) == depth && self.is_open(*at, b'{') && *at > nth + 1)
            .unwrap_or(line);
        let (item, list) = (self.source(start, before), self.source(nth + 1, end));
        let list = match list.split_once("..") {
            Some(_) => format!("({list})").replace("((", "(").replace("))", ")"),
            None => list.to_owned(),
        };
        let variable = if item.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "x") { "y" } else { "x" };
        let right = match list.trim_matches(['(', ')']).split_once("..") {
            Some((low, high)) if !list.contains(['[', ',']) => {
                let (sign, high) = high.strip_prefix('=').map_or(("<", high), |high| ("<=", high));
                format!("{item} >= {low} and {item} {sign} {high}")
            }
            _ => format!("any({list}, {variable} => {variable} == {item})"),
        };
        let right = match (negated, right.starts_with("any(")) {
            (true, true) => format!("not {right}"),
            (true, false) => format!("not ({right})"),
            _ => right,
        };
        let message = "Whether a list has an element is asked with `any`";
        let diagnostic = operator(message, self.span(before, nth + 1), format!("write `{right}`"));
        diagnostic.in_place_of(self.span(start, end))
    }

    /// `|> init seed`, `evaluate s task.test`: a call without parentheses; `nth` is its second word.
    fn bare_call(&self, nth: usize) -> Option<Diagnostic> {
        let name = nth.checked_sub(1).filter(|name| self.is_name(*name) && !self.fresh(nth))?;
        if crate::diag::foreign::statement(self.spelled(name)).is_some() {
            return None;
        }
        let begins = self.is_name(nth) || matches!(self.kind(nth), Some(TokenKind::Number | TokenKind::Str));
        let piped = name >= 2 && self.before(name) == ">" && self.spelled(name - 2) == "|";
        let mut args = Vec::new();
        let mut at = nth;
        while at < self.tokens.len()
            && !self.fresh(at)
            && (self.is_name(at) || self.kind(at) == Some(TokenKind::Number))
        {
            let start = at;
            at += 1;
            while self.is(at, ".") && self.touches(at) && self.is_word(at + 1) {
                at += 2;
            }
            args.push(self.source(start, at));
        }
        let reads = args.iter().any(|arg| arg.contains('.') && arg.starts_with(|c: char| c.is_ascii_alphabetic()));
        if !begins || args.is_empty() || !(piped || reads) || self.is(at, ":") {
            return None;
        }
        let help = format!("write `{}({})`", self.spelled(name), args.join(", "));
        let diagnostic = habit("A call takes its arguments in parentheses", self.span(name, at), help);
        Some(diagnostic.in_place_of(self.span(name, at)))
    }

    /// `method: imp pruning`: words where a text is meant.
    fn bare_text(&self, nth: usize) -> Option<Diagnostic> {
        let bare = |at: usize| {
            self.is_name(at) && !self.is_open(at + 1, b'(') && !matches!(self.spelled(at + 1), ":" | "=" | ".")
        };
        if let Some(call) = self.bare_call(nth) {
            return Some(call);
        }
        if !bare(nth) || self.fresh(nth) || !nth.checked_sub(1).is_some_and(|before| self.is_name(before)) {
            return None;
        }
        let mut start = nth;
        while start > 0 && self.is_name(start - 1) && !self.fresh(start) {
            start -= 1;
        }
        let labelled =
            start >= 2 && self.before(start) == ":" && self.is_word(start - 2) && self.opener(start).is_some();
        let mut end = nth + 1;
        while bare(end) && !self.fresh(end) {
            end += 1;
        }
        labelled.then(|| {
            let text = self.source(start, end);
            found(
                &codes::FOREIGN_WORD,
                "A text stands in double quotes",
                self.span(start, end),
                "a text?",
                format!("write `\"{text}\"`"),
            )
            .in_place_of(self.span(start, end))
        })
    }
}

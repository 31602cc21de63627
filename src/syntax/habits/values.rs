//! Values as other languages write them: functions, texts, records, ranges, conditions.

use super::operators::heads;
use super::{Passage, habit, operator};
use crate::diag::Diagnostic;
use crate::syntax::report::{is_unit, near_unit};
use crate::syntax::scan::TokenKind;

impl Passage<'_> {
    pub(super) fn value(&self, nth: usize) -> Option<Diagnostic> {
        match self.kind(nth)? {
            _ if nth == self.failed && self.loop_part(nth).is_some() => self.loop_part(nth),
            TokenKind::Word if nth == self.failed && self.is(nth + 1, ":") => self.without_commas(nth),
            TokenKind::Word if self.is(nth + 1, "-") && self.opener(nth).is_some() && self.begins_part(nth) => {
                self.blanks(nth, &[":", "="])
            }
            TokenKind::Str => self.quoted_key(nth),
            TokenKind::Number => self.after_number(nth),
            TokenKind::Open(b'[') if nth > 0 && self.touches(nth) && self.after_value(nth) => self.slice(nth),
            TokenKind::Open(b'(') => self.typed_parameters(nth),
            TokenKind::Open(b'{') => self.keyed(nth).or_else(|| self.shorthand(nth)).or_else(|| self.named_record(nth)),
            TokenKind::Word => self.function_value(nth).or_else(|| self.conditional(nth)).or_else(|| self.phrase(nth)),
            _ => None,
        }
    }

    /// Whether a token stands first in an argument or in a field.
    fn begins_part(&self, nth: usize) -> bool {
        matches!(self.before(nth), "(" | "{" | ",")
    }

    /// `"key": value` of JSON and Python.
    fn quoted_key(&self, nth: usize) -> Option<Diagnostic> {
        let inside = self.opener(nth).is_some_and(|open| self.is_open(open, b'{'));
        if !(inside && self.is(nth + 1, ":") && matches!(self.before(nth), "{" | ",")
            || inside && self.fresh(nth) && self.is(nth + 1, ":"))
        {
            return None;
        }
        let name = self.spelled(nth).trim_matches('"');
        let plain = !name.is_empty()
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let help =
            if plain { format!("write `{name}: …`") } else { "names are made of letters, digits and `_`".to_owned() };
        let place = self.span(nth, nth + 1);
        let others = self.opener(nth).and_then(|open| Some((open, self.close(open)?))).is_some_and(|(open, close)| {
            let key = |at: usize| self.kind(at) == Some(TokenKind::Str) && self.is(at + 1, ":");
            (open + 1..close).any(|at| at != nth && self.depth(at) == self.depth(nth) && key(at))
        });
        let help = if others && plain { help + ", and the other names without quotes as well" } else { help };
        let diagnostic = habit("A field's name is written without quotes", place, help);
        Some(if plain { diagnostic.fix(place, name) } else { diagnostic })
    }

    /// A record whose fields stand on lines of their own, without commas; `nth` is the first field behind a missing one.
    fn without_commas(&self, nth: usize) -> Option<Diagnostic> {
        let open = self.opener(nth)?;
        let record = self.is_open(open, b'{');
        if !record && !self.is_open(open, b'(') {
            return None;
        }
        let (close, inner) = (self.close(open)?, self.depth(nth));
        let starts: Vec<usize> = (open + 1..close)
            .filter(|at| self.depth(*at) == inner && self.is_name(*at) && self.is(at + 1, ":") && self.fresh(*at))
            .collect();
        let missing = starts.iter().filter(|at| !matches!(self.before(**at), "," | "{")).count();
        if missing < 2 || starts.first() != Some(&(open + 1)) {
            return None;
        }
        let ends = starts.iter().skip(1).copied().chain([close]);
        let fields: Vec<&str> =
            starts.iter().zip(ends).map(|(start, end)| self.source(*start, end).trim_end_matches(',').trim()).collect();
        let inner = fields.join(", ");
        let (what, whole) =
            if record { ("field", format!("{{ {inner} }}")) } else { ("argument", format!("({inner})")) };
        let callee = if record { "" } else { self.before(open) };
        let message = if record { "Fields are separated by commas" } else { "Arguments are separated by commas" };
        let place = self.span(nth, nth + 1);
        let short = whole.len() <= 100 && !whole.contains(['\n', '…']);
        Some(if short {
            habit(message, place, format!("write `{callee}{whole}`")).fix(self.span(open, close + 1), whole)
        } else {
            habit(message, place, format!("add a comma behind each of the {} {what}s", fields.len()))
        })
    }

    /// `8 ep`, `1:10`.
    fn after_number(&self, nth: usize) -> Option<Diagnostic> {
        let next = self.spelled(nth + 1);
        let key = nth.checked_sub(1).filter(|key| self.is_name(*key) && !self.fresh(nth) && next == ":");
        if let Some(key) = key.filter(|key| matches!(self.before(*key), "{" | ",")) {
            let name = format!("{}_{}", self.spelled(key), self.spelled(nth));
            let place = self.span(key, nth + 1);
            return Some(habit("A name is one word", place, format!("write `{name}`")).in_place_of(place));
        }
        if self.is_word(nth + 1) && !self.touches(nth + 1) && !self.fresh(nth + 1) {
            let unit = if is_unit(next) { Some(next) } else { near_unit(next).map(crate::syntax::tree::Unit::suffix) };
            let labelled = self.is(nth + 2, ":") || self.is(nth + 2, "=");
            return unit.filter(|_| !labelled).map(|unit| self.apart(nth, unit));
        }
        let thousands = next == ","
            && self.touches(nth + 1)
            && self.touches(nth + 2)
            && self.kind(nth + 2) == Some(TokenKind::Number);
        if thousands && self.failed > nth {
            let (first, rest) = (self.spelled(nth), self.spelled(nth + 2));
            let right =
                if rest.len() == 3 && first != "0" { format!("{first}_{rest}") } else { format!("{first}.{rest}") };
            let place = self.span(nth, nth + 3);
            return Some(habit("A number has no `,` in it", place, format!("write `{right}`")).in_place_of(place));
        }
        let sliced = self
            .opener(nth)
            .is_some_and(|open| self.is_open(open, b'[') && self.touches(open) && self.after_value(open));
        let ranged = next == ":"
            && !sliced
            && !self.fresh(nth + 2)
            && (self.kind(nth + 2) == Some(TokenKind::Number) || self.is_name(nth + 2));
        ranged.then(|| {
            let (first, last) = (self.spelled(nth), self.source(nth + 2, self.value_end(nth + 2)));
            let last = if self.kind(nth + 2) == Some(TokenKind::Number) { self.spelled(nth + 2) } else { last };
            let place = self.span(nth + 1, nth + 2);
            operator("Ranges are written `a..=b`", place, format!("write `{first}..={last}`")).fix(place, "..=")
        })
    }

    /// `xs[1:3]` of Python.
    fn slice(&self, nth: usize) -> Option<Diagnostic> {
        let close = self.close(nth)?;
        let inner = self.depth(nth) + 1;
        let colon = (nth + 1..close).find(|at| self.is(*at, ":") && self.depth(*at) == inner)?;
        let list = if self.is_name(nth - 1) { self.spelled(nth - 1) } else { "xs" };
        let bound = |start: usize, end: usize, otherwise: String| {
            if start < end { self.source(start, end).to_owned() } else { otherwise }
        };
        let (first, last) = (bound(nth + 1, colon, "0".to_owned()), bound(colon + 1, close, format!("len({list})")));
        let right = format!("for i in {first}..{last} {{ {list}[i] }}");
        let start = if self.is_name(nth - 1) { nth - 1 } else { nth };
        let help = if self.before(start) == "in" { format!("write `({right})`") } else { format!("write `{right}`") };
        let diagnostic = operator("There are no slices", self.span(colon, colon + 1), help);
        Some(if self.is_name(nth - 1) && self.before(nth - 1) != "." {
            diagnostic.in_place_of(self.span(nth - 1, close + 1))
        } else {
            diagnostic
        })
    }

    /// `(x: Int) => …`.
    fn typed_parameters(&self, nth: usize) -> Option<Diagnostic> {
        let close = self.close(nth)?;
        let arrow = self.follows(close + 1, "=>") || self.follows(close + 1, "->");
        let named = nth.checked_sub(2).is_some_and(|fun| self.is(fun, "fn"));
        (arrow && !named && self.is_name(nth + 1) && self.is(nth + 2, ":")).then(|| {
            let params = self.names_between(nth + 1, close);
            habit(
                "The parameters of a lambda have no types",
                self.span(nth, close + 1),
                format!("write `{} => …`", heads(&params)),
            )
        })
    }

    /// `{ s.round: s.top1 for s in states }` of Python.
    pub(super) fn keyed(&self, nth: usize) -> Option<Diagnostic> {
        let (close, inner) = (self.close(nth)?, self.depth(nth) + 1);
        let at = |what: &str| (nth + 1..close).find(|at| self.is(*at, what) && self.depth(*at) == inner);
        let (colon, word) = (at(":")?, at("for")?);
        if colon > word || (nth + 1..word).any(|at| self.is(at, ",") && self.depth(at) == inner) || self.fresh(word) {
            return None;
        }
        let (key, value) = (self.source(nth + 1, colon), self.source(colon + 1, word));
        let name = key.rsplit('.').next().filter(|name| crate::syntax::words::is_name(name)).unwrap_or("key");
        let help = format!("write `{} {{ {{ {name}: {key}, value: {value} }} }}`", self.source(word, close));
        let diagnostic = habit(
            "There are no tables of keys; a list of records is built with `for`",
            self.span(word, word + 1),
            help,
        );
        Some(diagnostic.in_place_of(self.span(nth, close + 1)))
    }

    /// `{ round, sparsity }` of JavaScript.
    fn shorthand(&self, nth: usize) -> Option<Diagnostic> {
        if self.before(nth) == "." || self.before(nth) == "let" || self.before(nth) == "for" {
            return None;
        }
        // `{` and `a, b = …` on the next line: a block.
        let line = (nth + 2..self.tokens.len()).find(|at| self.fresh(*at)).unwrap_or(self.tokens.len());
        if self.fresh(nth + 1) && (nth + 1..line).any(|at| self.is(at, "=")) {
            return None;
        }
        let close = self.close(nth).unwrap_or(self.tokens.len());
        let inner = self.depth(nth) + 1;
        let lone = (nth + 1..close).find(|at| {
            self.depth(*at) == inner
                && self.is_name(*at)
                && (*at == nth + 1 || self.before(*at) == ",")
                && (self.is(*at + 1, ",") || *at + 1 == close && *at > nth + 1)
        })?;
        let name = self.spelled(lone);
        (lone < self.failed + 1).then(|| {
            let place = self.span(lone, lone + 1);
            habit("A field has a name and a value", place, format!("write `{name}: {name}`")).in_place_of(place)
        })
    }

    /// `Recipe { lr: 0.1 }` of Rust.
    fn named_record(&self, nth: usize) -> Option<Diagnostic> {
        let name = nth.checked_sub(1).filter(|name| self.is_name(*name))?;
        let capital = self.spelled(name).starts_with(|c: char| c.is_ascii_uppercase());
        let returned = name.checked_sub(1).is_some_and(|before| matches!(self.spelled(before), ">" | "]" | ":"));
        (capital && !returned && self.failed >= nth).then(|| {
            habit(
                "A record has no name in front",
                self.span(name, name + 1),
                "write `{ name: value }`, or call a function: `sgd(lr: …)`",
            )
        })
    }
}

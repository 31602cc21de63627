//! Parameters of a program as other languages write them.

use super::{Passage, found, habit};
use crate::diag::codes::syntax as codes;
use crate::diag::{Diagnostic, foreign};
use crate::syntax::scan::TokenKind;

impl Passage<'_> {
    /// `param rounds = 3`, `param Int rounds = 3`.
    pub(super) fn param(&self) -> Option<Diagnostic> {
        if self.is_name(1) && self.is(2, ":") && self.fresh(3) && self.tokens.len() > 3 {
            let entry = |keys: &[&str]| {
                let key =
                    (3..self.tokens.len()).find(|nth| keys.contains(&self.spelled(*nth)) && self.is(nth + 1, ":"));
                key.map(|key| (key + 2, self.source(key + 2, self.value_end(key + 2))))
            };
            let (name, value) = (self.spelled(1), entry(&["default", "value", "init"]));
            let ty = entry(&["type"]).map_or_else(
                || value.map_or("Type", |(at, _)| self.guess(at)),
                |(_, ty)| foreign::ty(ty).unwrap_or(ty),
            );
            let default = value.map_or("…", |(_, text)| text);
            let help = format!("write `param {name}: {ty} = {default}`");
            return Some(found(
                &codes::FOREIGN_LAYOUT,
                "A parameter is written on one line",
                self.span(2, 3),
                "settings by indentation",
                help,
            ));
        }
        let typed = self.capital(1) || foreign::ty(self.spelled(1)).is_some();
        if self.is_name(1) && self.is_name(2) && typed && !self.is(3, ":") {
            let (ty, name) = (self.spelled(1), self.spelled(2));
            let ty = foreign::ty(ty).unwrap_or(ty);
            let place = self.span(1, 3);
            return Some(
                habit("The name comes before the type", place, format!("write `{name}: {ty}`")).in_place_of(place),
            );
        }
        if self.is_name(1)
            && self.is_word(2)
            && (self.capital(2) || foreign::ty(self.spelled(2)).is_some())
            && !self.is(3, ":")
        {
            return None;
        }
        if self.is_name(1) && self.is(2, ":") && self.plain_value(3) {
            let (name, value) = (self.spelled(1), self.source(3, self.value_end(3)));
            let help = format!("write `param {name}: {} = {value}`", self.guess(3));
            let diagnostic = habit("A parameter has a type before its value", self.span(3, 4), help);
            let (start, ty) = (self.span(3, 3), self.guess(3));
            let known = !matches!(ty, "Type" | "List[…]");
            return Some(if known { diagnostic.fix(start, format!("{ty} = ")) } else { diagnostic });
        }
        if self.is(2, ":") && self.is_open(3, b'{') {
            let key = |keys: &[&str]| {
                (4..self.tokens.len()).find(|at| keys.contains(&self.spelled(*at)) && self.is(at + 1, ":"))
            };
            let close = self.close(3)?;
            if let Some(at) = key(&["values", "choices", "options"]).filter(|at| self.is_open(at + 2, b'[')) {
                let list = (at + 2, self.value_end(at + 2));
                return Some(self.several_values(self.source(list.0, list.1), (3, close + 1), self.guess(at + 3)));
            }
            let at = key(&["value", "default", "init"])?;
            let text = format!("{} = {}", self.guess(at + 2), self.source(at + 2, self.value_end(at + 2)));
            let help = format!("write `param {}: {text}`", self.spelled(1));
            let diagnostic = habit("A parameter has a type and one value", self.span(3, close + 1), help);
            return Some(diagnostic.fix(self.span(3, close + 1), text));
        }
        if let Some(several) = self.blanks(1, &[":", "="]) {
            return Some(several);
        }
        let comma = self.is(self.failed, ",").then_some(self.failed);
        if let Some(bounds) = comma.filter(|comma| self.depth(*comma) == 0).and_then(|comma| self.bounds(comma)) {
            return Some(bounds);
        }
        if self.is(self.failed, "if") && self.depth(self.failed) == 0 && self.is(2, ":") {
            let place = self.span(self.failed, self.failed + 1);
            return Some(habit("A condition stands after `where`", place, "write `where`").in_place_of(place));
        }
        if let Some(comma) =
            comma.filter(|comma| self.depth(*comma) == 0 && self.is_name(comma + 1) && self.is(comma + 2, ":"))
        {
            let second = self.source(comma + 1, self.value_end(comma + 1));
            let help = format!("write `param {second}` on a line of its own");
            return Some(habit("Each parameter has a `param` of its own", self.span(comma, comma + 1), help));
        }
        if self.is_name(1)
            && self.is(2, ":")
            && self.is_word(3)
            && self.failed == 4
            && matches!(self.spelled(4), ">" | "<" | "!" | "if")
        {
            let (name, ty, condition) = (self.spelled(1), self.spelled(3), self.source(4, self.value_end(4)));
            let condition = condition.trim_start_matches("if ").trim_start_matches(name).trim();
            let help = format!("write `param {name}: {ty} = … where {name} {condition}`");
            return Some(habit("A condition stands after `where`", self.span(4, 5), help));
        }
        if self.is(self.failed, "in") && self.depth(self.failed) == 0 && self.is(2, ":") {
            return Some(self.allowed());
        }
        if comma.is_some_and(|comma| self.depth(comma) == 0) {
            let equals = (2..self.failed).find(|nth| self.is(*nth, "=") && self.depth(*nth) == 0)?;
            let end = (self.failed..self.tokens.len())
                .find(|nth| self.fresh(*nth) || self.is(*nth, "where"))
                .unwrap_or(self.tokens.len());
            let list = format!("[{}]", self.source(equals + 1, end));
            return Some(self.several_values(&list, (equals + 1, end), self.spelled(3)));
        }
        if !self.is_name(1) || !self.is(2, "=") {
            return None;
        }
        let (name, value) = (self.spelled(1), self.source(3, self.value_end(3)));
        let ty = self.guess(3);
        let place = self.span(1, 2);
        let help = format!("write `param {name}: {ty} = {value}`");
        let message = format!("The parameter `{name}` has no type");
        let diagnostic = found(&codes::INCOMPLETE, message, place, "needs a type", help);
        let known = !matches!(ty, "Type" | "List[…]");
        Some(if known { diagnostic.fix(place, format!("{name}: {ty}")) } else { diagnostic })
    }

    /// `param rounds: Int = 5, min: 1, max: 10`.
    fn bounds(&self, comma: usize) -> Option<Diagnostic> {
        let name = self.spelled(1);
        let end = (comma..self.tokens.len()).find(|at| self.fresh(*at)).unwrap_or(self.tokens.len());
        let bound = |at: usize| {
            let sign = match self.spelled(at) {
                "min" | "ge" | "low" | "lower" | "minimum" | "from" => ">=",
                "max" | "le" | "high" | "upper" | "maximum" => "<=",
                "gt" => ">",
                "lt" => "<",
                _ => return None,
            };
            matches!(self.spelled(at + 1), ":" | "=")
                .then(|| format!("{name} {sign} {}", self.source(at + 2, self.value_end(at + 2).min(end))))
        };
        let bounds: Vec<String> = (comma + 1..end).filter_map(bound).collect();
        (!bounds.is_empty()).then(|| {
            let condition = format!("where {}", bounds.join(" and "));
            let help = format!("write `param {} {condition}`", self.source(1, comma));
            let place = self.span(comma, end);
            habit("A condition stands after `where`", place, help).fix(place, format!(" {condition}"))
        })
    }

    /// `param rounds: Int = 5 in 1..10`, `param scope: Str in ["a", "b"]`; the `in` is where the recogniser failed.
    fn allowed(&self) -> Diagnostic {
        let (name, at) = (self.spelled(1), self.failed);
        let end = self.value_end(at + 1);
        let stop = (at + 1..end).find(|nth| self.is(*nth, "=") && self.depth(*nth) == 0).unwrap_or(end);
        let list = self.source(at + 1, stop);
        let condition = match list.split_once("..") {
            Some((low, high)) => format!("{name} >= {low} and {name} <= {}", high.trim_start_matches('=')),
            None => format!("any({list}, x => x == {name})"),
        };
        let head = match (self.source(1, at), self.source(stop + 1, end)) {
            (head, default) if stop < end => format!("{head} = {default}"),
            (head, _) => head.to_owned(),
        };
        let help = format!("write `param {head} where {condition}`");
        let diagnostic = habit("A condition stands after `where`", self.span(at, at + 1), help);
        let text = format!("{head} where {condition}");
        if text.contains('…') { diagnostic } else { diagnostic.fix(self.span(1, end), text) }
    }

    /// `param rounds: Int = [3, 5, 7]`, `= choice(3, 5, 7)`: more than one value for a number or a text.
    pub(super) fn scalar_list(&self) -> Option<Diagnostic> {
        let scalar = ["Int", "Float", "Ratio", "Points", "Str", "Bool", "Step"].contains(&self.spelled(3));
        if !(self.is(0, "param") && self.is(2, ":") && scalar && self.is(4, "=")) {
            return None;
        }
        let end = self.value_end(5);
        let alone = |close: usize| close + 1 == end || self.is(close + 1, "where");
        if self.is_open(5, b'[') {
            let close = self.close(5).filter(|close| alone(*close) && *close > 6)?;
            return Some(self.several_values(self.source(5, close + 1), (5, close + 1), self.spelled(3)));
        }
        let sets = ["choice", "choices", "grid", "sweep_over", "one_of", "oneof", "options", "Choice", "grid_search"];
        let close = self.is_open(6, b'(').then(|| self.close(6)).flatten().filter(|close| alone(*close))?;
        if sets.contains(&self.spelled(5)) {
            let inner = self.source(7, close);
            let list = if inner.starts_with('[') { inner.to_owned() } else { format!("[{inner}]") };
            return Some(self.several_values(&list, (5, close + 1), self.spelled(3)));
        }
        let ranges = ["range", "uniform", "interval", "linspace", "arange", "loguniform", "log_uniform", "randint"];
        ranges.contains(&self.spelled(5)).then(|| self.several_values("[…]", (5, close + 1), self.spelled(3)))
    }

    fn several_values(&self, list: &str, place: (usize, usize), ty: &str) -> Diagnostic {
        let name = self.spelled(1);
        let one = list.trim_start_matches('[').trim_end_matches(']').split(',').next().unwrap_or("…").trim();
        let help = format!(
            "for one value, write `param {name}: {ty} = {one}`; for all of them, remove the line and give the sweep one \
             more axis: `sweep seed in seeds(3), {name} in {list} {{ … }}`"
        );
        habit("A `param` has one value", self.span(place.0, place.1), help)
    }

    /// The type of a literal.
    pub(super) fn guess(&self, nth: usize) -> &'static str {
        let text = self.spelled(nth);
        match self.kind(nth) {
            Some(TokenKind::Str) => "Str",
            Some(TokenKind::Number) if text.ends_with('%') => "Ratio",
            Some(TokenKind::Number) if text.ends_with("pp") => "Points",
            Some(TokenKind::Number) if ["ep", "it", "img"].iter().any(|unit| text.ends_with(unit)) => "Step",
            Some(TokenKind::Number) if text.contains(['.', 'e', 'E']) => "Float",
            Some(TokenKind::Number) => "Int",
            Some(TokenKind::Open(b'[')) => match self.guess(nth + 1) {
                "Int" => "List[Int]",
                "Float" => "List[Float]",
                "Ratio" => "List[Ratio]",
                "Step" => "List[Step]",
                "Str" => "List[Str]",
                _ => "List[…]",
            },
            _ if matches!(text, "true" | "false") => "Bool",
            _ => "Type",
        }
    }
}

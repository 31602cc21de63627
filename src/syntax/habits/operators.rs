//! Signs: operators, quotes and markers of other languages.

use super::{Passage, habit, operator};
use crate::diag::{Diagnostic, foreign};
use crate::syntax::scan::TokenKind;

impl Passage<'_> {
    pub(super) fn operator(&self, nth: usize) -> Option<Diagnostic> {
        if self.kind(nth) != Some(TokenKind::Symbol) {
            return None;
        }
        match self.spelled(nth).as_bytes().first()? {
            b'<' => self.left_arrow(nth),
            b'%' => self.percent(nth),
            b'-' if self.follows(nth, "->") && nth + 1 >= self.failed && self.is_open(nth + 3, b'(') => {
                let pipes = self.after_value(nth) && !self.is(0, "fn") && self.is_name(nth + 2);
                let place = self.bytes(nth, 2);
                pipes.then(|| operator("A pipe is written `|>`", place, "write `|>`").in_place_of(place))
            }
            b'+' | b'-' | b'*' | b'/' => self.augmented(nth).or_else(|| self.unpacks(nth)),
            b':' if self.follows(nth, "::") => Some(self.double_colon(nth)),
            b'&' => self.function_type(nth + 2).or_else(|| Some(self.ampersand(nth))),
            b'|' => self.bar(nth),
            b'?' => Some(self.question(nth)),
            b'$' => Some(self.dollar(nth)),
            b'@' => Some(self.at_sign(nth)),
            b'!' => self.macro_call(nth),
            b'`' => Some(self.backtick(nth)),
            b'\\' if self.is_open(nth + 1, b'(') => self.arrow_function(nth, nth + 1),
            b'\\' => self.bare_function(nth),
            b'~' if !self.is_word(nth + 1) || self.fresh(nth + 1) => {
                Some(operator("There is no `~` for a missing value", self.bytes(nth, 1), "leave the argument out"))
            }
            b'~' => Some(operator(
                "There is no `~`",
                self.bytes(nth, 1),
                "name columns one by one: `x: .sparsity, y: .top1`",
            )),
            b'.' => self.points(nth),
            _ => None,
        }
    }

    /// `x <- value` of R.
    fn left_arrow(&self, nth: usize) -> Option<Diagnostic> {
        let name = nth.checked_sub(1)?;
        if self.follows(nth, "<<") && self.is_open(nth + 3, b'{') || self.follows(nth, "<<:") {
            let base = self.source(nth + 3, self.value_end(nth + 3)).trim_start_matches('*');
            let help = format!("write `..{}`", if self.is(nth + 2, ":") { base } else { "base" });
            let whole = self.span(nth, self.value_end(nth + 3));
            let diagnostic = habit("A record takes the fields of another by `..`", whole, help);
            return Some(if self.is(nth + 2, ":") { diagnostic.in_place_of(whole) } else { diagnostic });
        }
        let arrow = self.follows(nth, "<-") && self.is_name(name) && (self.fresh(name) || self.before(name) == "let");
        arrow.then(|| {
            let name = self.spelled(name);
            let (place, help) = (self.bytes(nth, 2), format!("write `let {name} = …`"));
            let diagnostic = operator(format!("`{name}` gets a value with `let {name} = …`"), place, help);
            let start = nth - 1;
            match self.before(start) {
                "let" => diagnostic.fix(place, "="),
                _ => diagnostic.fix(self.span(start, nth + 2), format!("let {name} =")),
            }
        })
    }

    fn percent(&self, nth: usize) -> Option<Diagnostic> {
        for (found, right) in [
            ("%>%", "|>"),
            ("%<>%", "|>"),
            ("%+%", "++"),
            ("%%", "mod(a, b)"),
            ("%/%", "floor(a / b)"),
            ("%in%", "any(xs, x => x == a)"),
        ] {
            if self.follows(nth, found) {
                let place = self.bytes(nth, found.len());
                let diagnostic = operator(format!("`{found}` is written `{right}`"), place, format!("write `{right}`"));
                return Some(if right.contains('(') { diagnostic } else { diagnostic.in_place_of(place) });
            }
        }
        let number = nth.checked_sub(1).filter(|number| self.kind(*number) == Some(TokenKind::Number))?;
        let alone = !matches!(self.kind(nth + 1), Some(TokenKind::Number | TokenKind::Word | TokenKind::Open(_)));
        alone.then(|| self.apart(number, "%"))
    }

    /// `std::data::digits`.
    fn double_colon(&self, nth: usize) -> Diagnostic {
        let mut start = nth;
        while start >= 1 && (self.is_word(start - 1) || self.is(start - 1, ":")) && self.touches(start) {
            start -= 1;
        }
        let mut end = nth;
        while end < self.tokens.len() && (self.is_word(end) || self.is(end, ":")) && (end == nth || self.touches(end)) {
            end += 1;
        }
        if self.follows(nth, "::<") {
            let message = "Functions have no type parameters";
            return habit(message, self.bytes(nth, 3), format!("write `{}(…)`", self.before(nth)));
        }
        let (owner, member) = (self.spelled(start), self.spelled(end.saturating_sub(1)));
        if owner.starts_with(|c: char| c.is_ascii_uppercase()) {
            let args =
                self.is_open(end, b'(').then(|| self.close(end)).flatten().map(|close| self.source(end + 1, close));
            let (message, right) = match (owner, member, args) {
                ("String" | "Str" | "Box" | "Some" | "Rc" | "Arc", _, Some(value)) if value != "…" => {
                    ("A value is simply there", value.to_owned())
                }
                ("Vec" | "HashMap" | "List" | "HashSet", ..) => ("A list is written in brackets", "[]".to_owned()),
                (.., Some(args)) => ("There are no types with functions", format!("{member}({args})")),
                _ => ("There are no types with variants", format!("\"{}\"", member.to_ascii_lowercase())),
            };
            let place = self.span(start, end);
            return habit(message, place, format!("write `{right}`"));
        }
        if member.starts_with(|c: char| c.is_ascii_uppercase()) {
            return habit("Types stand alone, without a module", self.span(start, end), format!("write `{member}`"));
        }
        let written = self.source(start, end).replace("::", ".");
        let diagnostic = operator(
            "Names of a module are reached by `.`, not by `::`",
            self.bytes(nth, 2),
            format!("write `{written}`"),
        );
        diagnostic.in_place_of(self.span(start, end))
    }

    /// A reference, an anchor, or a conjunction.
    fn ampersand(&self, nth: usize) -> Diagnostic {
        let name = if self.is(nth + 1, "mut") { nth + 2 } else { nth + 1 };
        let text = self.spelled(name);
        if self.after_value(nth) && !self.fresh(nth) {
            let place = self.bytes(nth, 1);
            return operator("`&` is written `and`", place, "write `and`").in_place_of(place);
        }
        let anchored =
            self.is_name(name) && (self.fresh(name + 1) || self.is_open(name + 1, b'{') && !self.touches(name + 1));
        if anchored && matches!(self.before(nth), "=" | ":") {
            let help = format!("remove `&{text}`, and use the name that `let` gives");
            return operator(
                format!("There are no anchors: a value is named by `let`, not by `&{text}`"),
                self.span(nth, name + 1),
                help,
            );
        }
        if text == "self" {
            let help = "remove it, or take a value with its type: `s: State`";
            return habit("Functions belong to no value: there is no `self`", self.span(nth, name + 1), help);
        }
        let place = self.span(nth, name);
        let help =
            if text.is_empty() || !self.is_word(name) { "remove `&`".to_owned() } else { format!("write `{text}`") };
        operator("There are no references", place, help).fix(place, "")
    }

    /// `|x| …` of Rust, and a single `|`.
    fn bar(&self, nth: usize) -> Option<Diagnostic> {
        if self.follows(nth, "|>") || (nth > 0 && self.follows(nth - 1, "||")) {
            return None;
        }
        if matches!(self.spelled(nth + 1), "None" | "null" | "undefined") && self.after_value(nth) {
            let place = self.span(nth, nth + 2);
            return Some(
                habit("A value is simply there", place, format!("remove `{}`", self.source(nth, nth + 2)))
                    .fix(place, ""),
            );
        }
        if self.after_value(nth) && !matches!(self.before(nth), "move" | "return") {
            let (message, right) = if self.is_name(nth + 1) && self.is_open(nth + 2, b'(') {
                ("A pipe is written `|>`", "|>")
            } else {
                ("`|` is written `or`", "or")
            };
            let place = self.bytes(nth, 1);
            return Some(operator(message, place, format!("write `{right}`")).in_place_of(place));
        }
        let close = (nth + 1..self.tokens.len().min(nth + 12)).find(|at| self.is(*at, "|"))?;
        let params = self.names_between(nth + 1, close);
        Some(self.lambda((nth, close + 1), &params, (close + 1, self.value_end(close + 1))))
    }

    /// The parameters of a list: the first word after each comma.
    pub(super) fn names_between(&self, start: usize, end: usize) -> Vec<&str> {
        let first = |nth: &usize| {
            self.is_word(*nth)
                && (*nth == start || matches!(self.before(*nth), "," | "&" | "*") || self.before(*nth) == "mut")
        };
        (start..end).filter(first).map(|nth| self.spelled(nth)).filter(|word| *word != "mut").collect()
    }

    /// `condition ? a : b` of C, `?` of Rust, `?.` and `??` of JavaScript.
    fn question(&self, nth: usize) -> Diagnostic {
        let place = self.bytes(nth, 1);
        if self.follows(nth, "?.") {
            let place = self.bytes(nth, 2);
            return operator("There is no `?.`", place, "write `.`").in_place_of(place);
        }
        if self.follows(nth, "??") {
            let place = self.bytes(nth, 2);
            let help = format!("remove `?? {}`", self.source(nth + 2, self.value_end(nth + 2)));
            let message = "There is no `??`: no value is ever missing";
            return operator(message, place, help).fix(self.span(nth, self.value_end(nth + 2)), "");
        }
        let depth = self.depth(nth);
        let end = self.value_end(nth);
        let colon = (nth + 1..self.tokens.len()).find(|at| self.is(*at, ":") && self.depth(*at) == depth);
        let Some(colon) = colon.filter(|colon| *colon < end || self.fresh(*colon)) else {
            return operator("There is no `?`", place, "remove it: what fails is reported by pdsl, with its place");
        };
        let (start, end) = (self.value_start(nth), self.value_end(colon + 1));
        let condition = self.source(start, nth);
        let then = self.source(nth + 1, colon);
        let otherwise = self.source(colon + 1, end);
        let help = format!("write `if {condition} {{ {then} }} else {{ {otherwise} }}`");
        operator("There is no `? :`", place, help).in_place_of(self.span(start, end))
    }

    /// `runs$top1` of R, `${…}` of shells and templates.
    fn dollar(&self, nth: usize) -> Diagnostic {
        if self.after_value(nth) && self.is_word(nth + 1) {
            let written = self.source(self.value_start(nth).max(nth - 1), nth + 2).replace('$', ".");
            let place = self.bytes(nth, 1);
            return operator("A field is read with `.`", place, format!("write `{written}`")).fix(place, ".");
        }
        let braced = self.is_open(nth + 1, b'{').then(|| self.close(nth + 1)).flatten();
        let (start, end) = braced.map_or((nth + 1, nth + 2), |close| (nth + 2, close));
        let (name, place) = (self.source(start, end), self.span(nth, braced.map_or(end, |close| close + 1)));
        let plain = (start..end).all(|at| self.is_word(at) || matches!(self.spelled(at), "."));
        let environment = !name.chars().any(|c| c.is_ascii_lowercase()) || matches!(self.spelled(start), "oc" | "env");
        if !plain || environment {
            let name = self.spelled(end.saturating_sub(1).max(start)).to_ascii_lowercase();
            let help = format!("write `param {name}: Str = \"…\"`, use `{name}` here, and set it by `--set {name}=…`");
            return operator("A program reads no variables of the environment", place, help);
        }
        operator("A name stands by itself, without `$`", place, format!("write `{name}`")).in_place_of(place)
    }

    /// `a, b` as the value of a block.
    pub(super) fn pair(&self, nth: usize) -> Option<Diagnostic> {
        if !self.is(nth, ",") {
            return None;
        }
        let start = self.value_start(nth);
        let bound =
            start > 0 && self.before(start) == "=" && self.opener(nth).is_none_or(|open| self.is_open(open, b'{'));
        let named =
            (0..start).rev().find(|at| self.fresh(*at) || self.before(*at) == "{").is_some_and(|at| self.is(at, "let"));
        if bound && named {
            let values = format!("({}, {})", self.source(start, nth), self.source(nth + 1, self.value_end(nth + 1)));
            let diagnostic =
                habit("Several values stand in parentheses", self.bytes(nth, 1), format!("write `{values}`"));
            return Some(diagnostic.in_place_of(self.span(start, self.value_end(nth + 1))));
        }
        let open = self.opener(nth).filter(|open| self.is_open(*open, b'{'))?;
        let record = self.is(open + 2, ":");
        let start = (open + 1..nth).rev().find(|at| self.fresh(*at) || *at == open + 1)?;
        (!record && !self.is(start, "let")).then(|| {
            let values = format!("({}, {})", self.source(start, nth), self.source(nth + 1, self.value_end(nth + 1)));
            habit("Several values stand in parentheses", self.bytes(nth, 1), format!("write `{values}`"))
        })
    }

    fn backtick(&self, nth: usize) -> Diagnostic {
        let end = (nth + 1..self.tokens.len()).find(|at| self.is(*at, "`"));
        let place = self.span(nth, end.map_or(nth + 1, |end| end + 1));
        let text = end.map_or("…", |end| self.source(nth + 1, end));
        if text.contains("${") || (nth..end.unwrap_or(nth)).any(|at| self.is(at, "$")) {
            let help = "write one text in double quotes, and give each value a field of its own: `round: s.round`";
            return habit("There are no strings with values in them", place, help);
        }
        habit("A string is written in double quotes", place, format!("write `\"{text}\"`"))
    }

    fn at_sign(&self, nth: usize) -> Diagnostic {
        if matches!(self.spelled(nth + 1), "test" | "assert") && !self.fresh(nth + 2) {
            let place = self.span(nth, nth + 2);
            return habit("A condition is demanded by `expect`", place, "write `expect`").in_place_of(place);
        }
        if self.fresh(nth) {
            return habit("There are no decorators", self.span(nth, nth + 2), "remove the line");
        }
        operator("There is no `@`", self.bytes(nth, 1), "write `*` for numbers; networks are built from layers")
    }

    /// `vec![…]`, `println!(…)`.
    fn macro_call(&self, nth: usize) -> Option<Diagnostic> {
        let name = nth.checked_sub(1).filter(|name| self.is_name(*name) && self.touches(nth))?;
        let close = matches!(self.kind(nth + 1), Some(TokenKind::Open(_))).then(|| self.close(nth + 1)).flatten()?;
        let (word, place) = (self.spelled(name), self.span(name, nth + 1));
        if self.is_open(nth + 1, b'[') {
            let elements = self.source(nth + 2, close);
            let elements = if close == nth + 2 { "" } else { elements };
            let diagnostic = habit("A list is written in brackets", place, format!("write `[{elements}]`"));
            return Some(diagnostic.fix(place, ""));
        }
        if let Some(advice) = foreign::statement(word).or_else(|| foreign::name(word, None)) {
            return Some(habit(advice.message(word), place, advice.help()));
        }
        Some(habit("There are no macros", place, format!("write `{word}({})`", self.source(nth + 2, close))))
    }

    /// `...rest` of JavaScript, `pair.0` of Rust, `1.` of C.
    fn points(&self, nth: usize) -> Option<Diagnostic> {
        if self.follows(nth, "..") && !self.after_value(nth) {
            return Some(self.spread(nth, if self.follows(nth, "...") { 3 } else { 2 }));
        }
        let before = nth.checked_sub(1)?;
        if self.kind(before) == Some(TokenKind::Number)
            && self.touches(nth)
            && !self.is(nth + 1, ".")
            && !self.is_word(nth + 1)
        {
            let number = self.spelled(before);
            let place = self.span(before, nth + 1);
            return Some(habit("A number ends with a digit", place, format!("write `{number}.0`")).in_place_of(place));
        }
        let numbered = self.kind(nth + 1) == Some(TokenKind::Number) && self.touches(nth) && self.touches(nth + 1);
        (numbered && self.after_value(nth)).then(|| {
            let tuple = self.source(before, nth);
            habit(
                "The parts of a tuple get names",
                self.span(nth, nth + 2),
                format!("write `let (a, b) = {tuple}` before it"),
            )
        })
    }

    /// A number and its unit with a blank between.
    pub(super) fn apart(&self, number: usize, unit: &str) -> Diagnostic {
        let digits = self.spelled(number);
        super::found(
            &crate::diag::codes::syntax::UNKNOWN_UNIT,
            "A unit touches its number",
            self.span(number, number + 2),
            "a blank between them",
            format!("write `{digits}{unit}`"),
        )
        .in_place_of(self.span(number, number + 2))
    }
}

/// The head of a lambda with these parameters.
pub(super) fn heads(params: &[&str]) -> String {
    match params {
        [only] => (*only).to_owned(),
        params => format!("({})", params.join(", ")),
    }
}

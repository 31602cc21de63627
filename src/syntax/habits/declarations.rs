//! Heads of declarations as other languages write them: imports, parameters, functions, bindings, loops.

use super::{Passage, found, habit};
use crate::diag::codes::syntax as codes;
use crate::diag::{Diagnostic, foreign};
use crate::syntax::scan::TokenKind;
use crate::syntax::words as keywords;

impl Passage<'_> {
    pub(super) fn declaration(&self, nth: usize) -> Option<Diagnostic> {
        if !self.is_word(nth) {
            return None;
        }
        match self.spelled(nth) {
            "import" if nth == 0 => self.import(),
            "param" if nth == 0 => self.param(),
            "fn" => self.function(nth),
            "let" => self.binding(nth),
            "table" | "plot" | "claim" | "test" if nth == 0 => self.output(),
            "pub" if nth == 0 => self.public(),
            "for" | "sweep" => self.head(nth),
            _ => self.generic_type(nth),
        }
    }

    /// `param rounds = 3`, `param Int rounds = 3`.
    fn param(&self) -> Option<Diagnostic> {
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
        if self.is_name(1) && self.is_word(2) && self.capital(1) && self.is_name(2) {
            let (ty, name) = (self.spelled(1), self.spelled(2));
            return Some(habit("The name comes before the type", self.span(1, 3), format!("write `{name}: {ty}`")));
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
            return Some(habit("A parameter has a type before its value", self.span(3, 4), help));
        }
        if let Some(several) = self.blanks(1, &[":", "="]) {
            return Some(several);
        }
        let comma = self.is(self.failed, ",").then_some(self.failed);
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
            && matches!(self.spelled(4), ">" | "<" | "!" | "if" | "in")
        {
            let (name, ty, condition) = (self.spelled(1), self.spelled(3), self.source(4, self.value_end(4)));
            let condition = condition.trim_start_matches("if ").trim_start_matches(name).trim();
            let help = format!("write `param {name}: {ty} = … where {name} {condition}`");
            return Some(habit("A condition stands after `where`", self.span(4, 5), help));
        }
        if !self.is_name(1) || !self.is(2, "=") {
            return None;
        }
        let (name, value) = (self.spelled(1), self.source(3, self.value_end(3)));
        let ty = self.guess(3);
        Some(found(
            &codes::INCOMPLETE,
            format!("The parameter `{name}` has no type"),
            self.span(1, 2),
            "needs a type",
            format!("write `param {name}: {ty} = {value}`"),
        ))
    }

    /// The type of a literal.
    fn guess(&self, nth: usize) -> &'static str {
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

    fn capital(&self, nth: usize) -> bool {
        self.spelled(nth).starts_with(|c: char| c.is_ascii_uppercase())
    }

    /// A function's head.
    fn function(&self, nth: usize) -> Option<Diagnostic> {
        if self.follows(nth + 2, "<") && self.is_name(nth + 1) {
            let close = (nth + 2..self.tokens.len()).find(|at| self.is(*at, ">"))?;
            let name = self.spelled(nth + 1);
            return Some(habit(
                "Functions have no type parameters",
                self.span(nth + 2, close + 1),
                format!("write the types that it is used with: `fn {name}(x: Int) -> Int`"),
            ));
        }
        let open = (nth + 1..nth + 3).find(|at| self.is_open(*at, b'('))?;
        let close = self.close(open)?;
        if let Some(swapped) = self.formals(open + 1, close) {
            return Some(swapped);
        }
        let after = close + 1;
        let place = self.span(after, after + 1);
        if self.is(after, ":") && self.is_word(after + 1) && !self.fresh(after + 1) {
            return Some(habit(
                "The type of the result stands after `->`",
                place,
                format!("write `-> {}`", self.result(after + 1)),
            ));
        }
        if self.follows(after, "=>") {
            return Some(habit(
                "The body of a function stands in braces",
                self.span(after, after + 2),
                "write `{ … }`",
            ));
        }
        if self.is_name(after) && self.capital(after) {
            return Some(habit(
                "The type of the result stands after `->`",
                place,
                format!("write `-> {}`", self.result(after)),
            ));
        }
        let colon = (after..self.tokens.len().min(self.failed + 1))
            .find(|at| self.is(*at, ":") && self.depth(*at) == self.depth(nth))?;
        (self.fresh(colon + 1) || colon == self.failed)
            .then(|| habit("The body of a function stands in braces", self.span(colon, colon + 1), "write `{ … }`"))
    }

    /// A type as written, in the words of pdsl.
    fn result(&self, nth: usize) -> &str {
        let word = self.spelled(nth);
        foreign::ty(word).unwrap_or(word)
    }

    /// `Seed seed`, `seed Seed`, `seed = Seed`, `*args`.
    fn formals(&self, start: usize, end: usize) -> Option<Diagnostic> {
        (start..end).find_map(|nth| {
            let begins = nth == start || self.before(nth) == ",";
            if !begins || !self.is_name(nth) || !self.is_name(nth + 1) || nth + 1 >= end {
                return None;
            }
            let (first, second) = (self.spelled(nth), self.spelled(nth + 1));
            let typed = |word: &str| word.starts_with(|c: char| c.is_ascii_uppercase()) || foreign::ty(word).is_some();
            let (name, ty) = if typed(first) && !typed(second) { (second, first) } else { (first, second) };
            let ty = foreign::ty(ty).unwrap_or(ty);
            Some(habit(
                "A parameter is written with its name, a colon and its type",
                self.span(nth, nth + 2),
                format!("write `{name}: {ty}`"),
            ))
        })
    }

    /// `let a, b = …`, `let f(x) = …`, `let my var = …`, `let x: 5`.
    fn binding(&self, nth: usize) -> Option<Diagnostic> {
        if !self.is_name(nth + 1) || self.before(nth) == "if" {
            return None;
        }
        let name = self.spelled(nth + 1);
        if self.is(nth + 2, ",") {
            let end = (nth + 2..self.tokens.len()).find(|at| self.is(*at, "=")).unwrap_or(nth + 2);
            let names: Vec<&str> = (nth + 1..end).filter(|at| self.is_name(*at)).map(|at| self.spelled(at)).collect();
            return Some(habit(
                "Several names stand in parentheses",
                self.span(nth + 1, end),
                format!("write `let ({}) = …`", names.join(", ")),
            ));
        }
        if self.is_open(nth + 2, b'(') && self.capital(nth + 1) {
            let inner = self.close(nth + 2).map_or("x", |close| self.source(nth + 3, close)).to_owned();
            let message = format!("There is no `{name}`: a value is simply there");
            return Some(habit(message, self.span(nth + 1, nth + 2), format!("write `let {inner} = …`")));
        }
        if self.is_open(nth + 2, b'(') && self.touches(nth + 2) {
            return Some(habit(
                "A function begins with `fn`",
                self.span(nth, nth + 1),
                format!("write `fn {name}(x: Int) -> Int {{ … }}`"),
            ));
        }
        if self.is(nth + 2, ":") && (self.fresh(nth + 3) || self.plain_value(nth + 3)) && nth + 3 < self.tokens.len() {
            let value = if self.fresh(nth + 3) { "…" } else { self.source(nth + 3, self.value_end(nth + 3)) };
            return Some(habit(
                "A value stands after `=`",
                self.span(nth + 2, nth + 3),
                format!("write `let {name} = {value}`"),
            ));
        }
        if self.follows(nth + 2, "<-") {
            return Some(habit("A value stands after `=`", self.bytes(nth + 2, 2), format!("write `let {name} = …`")));
        }
        if let Some(several) = self.blanks(nth + 1, &["="]) {
            return Some(several);
        }
        let second = (nth + 3..=self.failed).find(|at| {
            self.depth(*at) == self.depth(nth) && self.before(*at) == "," && self.is_name(*at) && self.is(at + 1, "=")
        })?;
        Some(habit(
            "Each name has a `let` of its own",
            self.span(second, second + 1),
            format!("write `let {} = …` on a line of its own", self.spelled(second)),
        ))
    }

    /// Whether something begins that can be a value but no type.
    fn plain_value(&self, nth: usize) -> bool {
        matches!(self.kind(nth), Some(TokenKind::Number | TokenKind::Str | TokenKind::Open(b'[')))
            || matches!(self.spelled(nth), "true" | "false" | "sweep" | "for" | "if")
            || self.is_name(nth) && !self.capital(nth) && self.is_open(nth + 1, b'(')
    }

    /// A name of several words: `my var`, `my-var`.
    fn blanks(&self, start: usize, stops: &[&str]) -> Option<Diagnostic> {
        let joins = |nth: usize| {
            (self.is_name(nth) || self.kind(nth) == Some(TokenKind::Number)) && !self.fresh(nth)
                || self.is(nth, "-") && self.touches(nth) && self.touches(nth + 1)
                || self.is(nth, ".") && self.touches(nth) && self.touches(nth + 1)
        };
        let end = (start + 1..self.tokens.len()).find(|nth| !joins(*nth))?;
        if end == start + 1 || !stops.contains(&self.spelled(end)) || !self.is_name(start) || self.fresh(end) {
            return None;
        }
        let name = (start..end)
            .map(|nth| self.spelled(nth))
            .filter(|part| !matches!(*part, "-" | "."))
            .collect::<Vec<_>>()
            .join("_");
        let sign = (start..end).map(|nth| self.spelled(nth)).find(|part| matches!(*part, "-" | "."));
        let message = match sign {
            Some(sign) => format!("A name has no `{sign}` in it"),
            None => "A name is one word".to_owned(),
        };
        Some(found(&codes::UNEXPECTED, message, self.span(start, end), "meant as one name?", format!("write `{name}`")))
    }

    /// `table: …`, `claim name: "…"`, `plot = …`, texts without quotes.
    fn output(&self) -> Option<Diagnostic> {
        let word = self.spelled(0);
        let quoted = matches!(word, "claim" | "test");
        let form = match word {
            "claim" => "claim name \"what it says\" = …",
            "test" => "test \"what it shows\" { … }",
            "table" => "table name = …",
            _ => "plot name = …",
        };
        let article = match word {
            "claim" => "A claim has a name, a sentence in quotes, and a test after `=`",
            "test" => "A test has a sentence in quotes and a body in braces",
            "table" => "A table has a name and its rows after `=`",
            _ => "A plot has a name and its lines after `=`",
        };
        let say = |start: usize, end: usize, help: String| {
            Some(found(&codes::UNEXPECTED, article, self.span(start, end), "not this", help))
        };
        let colon = (1..=self.failed.min(3)).find(|nth| self.is(*nth, ":") && self.depth(*nth) == 0);
        if let Some(colon) = colon {
            let name = if colon == 1 { "name" } else { self.spelled(1) };
            let text =
                (1..self.tokens.len()).find(|nth| self.kind(*nth) == Some(TokenKind::Str) && self.depth(*nth) == 0);
            let text = text.map_or("\"what it says\"", |nth| self.spelled(nth));
            let value = match word {
                "claim" if (1..self.tokens.len()).any(|nth| self.fresh(nth) && self.is(nth + 1, ":")) => {
                    format!("write `claim {name} {text} = not_worse(…, than: …, margin: 2pp, over: .seed)`")
                }
                "claim" => format!("write `claim {name} {text} = …`"),
                "test" => format!("write `test {text} {{ … }}`"),
                _ => format!("write `{word} {name} = …`"),
            };
            return say(colon, colon + 1, value);
        }
        if self.kind(1) == Some(TokenKind::Str) && !matches!(word, "test") {
            return say(1, 2, format!("write `{}`", form.replace("\"what it says\"", self.spelled(1))));
        }
        if self.is(1, "=") || matches!(self.kind(1), Some(TokenKind::Open(_))) && !quoted {
            return say(1, 2, format!("write `{form}`"));
        }
        if word == "claim" && self.is_name(1) && self.is(2, "=") {
            return say(2, 3, format!("write `claim {} \"what it says\" = …`", self.spelled(1)));
        }
        if word == "claim" && self.is_name(1) && self.is_name(2) || word == "test" && self.is_name(1) {
            let start = if word == "claim" { 2 } else { 1 };
            let end =
                (start..self.tokens.len()).find(|nth| matches!(self.spelled(*nth), "=" | "{") || self.fresh(*nth))?;
            return say(start, end, format!("write `\"{}\"`", self.source(start, end)));
        }
        if quoted { None } else { self.blanks(1, &["="]) }
    }

    /// `pub struct`, `pub mod`, `pub const`.
    fn public(&self) -> Option<Diagnostic> {
        let word = self.spelled(1);
        let advice = foreign::statement(word).filter(|_| !keywords::is_keyword(word))?;
        Some(habit(advice.message(word), self.span(1, 2), advice.help()))
    }

    /// `List<Int>`.
    fn generic_type(&self, nth: usize) -> Option<Diagnostic> {
        if !(self.capital(nth) && self.follows(nth + 1, "<") && self.touches(nth + 1) && self.is_word(nth + 2)) {
            return None;
        }
        let close = (nth + 2..self.tokens.len().min(nth + 12)).find(|at| self.is(*at, ">"))?;
        let outer = match self.spelled(nth) {
            "Vec" | "Array" | "Sequence" => "List",
            other => other,
        };
        let inner = self.source(nth + 2, close);
        let inner = foreign::ty(inner).unwrap_or(inner);
        if matches!(outer, "Result" | "Option" | "Box" | "Rc" | "Arc" | "Promise" | "Optional") {
            let first = inner.split(',').next().unwrap_or(inner).trim();
            return Some(habit("A value is simply there", self.span(nth, close + 1), format!("write `{first}`")));
        }
        Some(habit(
            "The parts of a type stand in brackets",
            self.span(nth + 1, close + 1),
            format!("write `{outer}[{inner}]`"),
        ))
    }
}

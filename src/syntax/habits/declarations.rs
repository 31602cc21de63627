//! Heads of declarations as other languages write them: functions, bindings, outputs, types.

use super::{Passage, found, habit};
use crate::diag::codes::syntax as codes;
use crate::diag::{Diagnostic, foreign};
use crate::syntax::scan::TokenKind;

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

    pub(super) fn capital(&self, nth: usize) -> bool {
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
                format!("remove `{}`, and write the types that `{name}` is used with", self.source(nth + 2, close + 1)),
            ));
        }
        let open = (nth + 1..nth + 3).find(|at| self.is_open(*at, b'('))?;
        let close = self.close(open)?;
        if let Some(swapped) = self.formals(open + 1, close) {
            return Some(swapped);
        }
        let after = close + 1;
        let place = self.span(after, after + 1);
        let typed = self.is(after, ":") && self.is_word(after + 1) && !self.fresh(after + 1);
        if typed || self.is_name(after) && self.capital(after) {
            let ty = if typed { after + 1 } else { after };
            let diagnostic =
                habit("The type of the result stands after `->`", place, format!("write `-> {}`", self.result(ty)));
            return Some(diagnostic.in_place_of(self.span(after, ty + 1)));
        }
        let colon = (after..self.tokens.len().min(self.failed + 1))
            .find(|at| self.is(*at, ":") && self.depth(*at) == self.depth(nth))
            .filter(|colon| self.fresh(colon + 1) || *colon == self.failed);
        let sign = if self.follows(after, "=>") { Some(after) } else { colon }?;
        let width = if self.is(sign, ":") { 1 } else { 2 };
        let message = "The body of a function stands in braces";
        let Some(whole) = self.rewritten(nth).filter(|_| nth == 0) else {
            return Some(habit(message, self.bytes(sign, width), "write `{ … }`"));
        };
        let diagnostic = habit(message, self.bytes(sign, width), whole.help());
        Some(whole.fixing(diagnostic, self.span(nth, self.tokens.len())))
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
            let place = self.span(nth, nth + 2);
            let message = "A parameter is written with its name, a colon and its type";
            Some(habit(message, place, format!("write `{name}: {ty}`")).in_place_of(place))
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
            let (place, tuple) = (self.span(nth + 1, end), format!("({})", names.join(", ")));
            let help = format!("write `let {tuple} = …`");
            return Some(habit("Several names stand in parentheses", place, help).fix(place, tuple));
        }
        if self.is_open(nth + 2, b'(') && self.capital(nth + 1) {
            let inner = self.close(nth + 2).map_or("x", |close| self.source(nth + 3, close)).to_owned();
            let message = format!("There is no `{name}`: a value is simply there");
            return Some(habit(message, self.span(nth + 1, nth + 2), format!("write `let {inner} = …`")));
        }
        if self.is_open(nth + 2, b'(') && self.touches(nth + 2) {
            let help = match self.rewritten(nth) {
                Some(found) if self.depth(nth) == 0 => found.help(),
                _ => format!("write `fn {name}(…) {{ … }}` at the top level of the file, with its parameters' types"),
            };
            return Some(habit("A function begins with `fn`", self.span(nth, nth + 1), help));
        }
        if self.is(nth + 2, ":") && (self.fresh(nth + 3) || self.plain_value(nth + 3)) && nth + 3 < self.tokens.len() {
            let value = if self.fresh(nth + 3) { "…" } else { self.source(nth + 3, self.value_end(nth + 3)) };
            let place = self.span(nth + 2, nth + 3);
            let diagnostic = habit("A value stands after `=`", place, format!("write `let {name} = {value}`"));
            return Some(if self.fresh(nth + 3) { diagnostic } else { diagnostic.fix(place, " =") });
        }
        if self.follows(nth + 2, "<-") {
            let place = self.bytes(nth + 2, 2);
            return Some(habit("A value stands after `=`", place, format!("write `let {name} = …`")).fix(place, "="));
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
    pub(super) fn plain_value(&self, nth: usize) -> bool {
        matches!(self.kind(nth), Some(TokenKind::Number | TokenKind::Str | TokenKind::Open(b'[')))
            || matches!(self.spelled(nth), "true" | "false" | "sweep" | "for" | "if")
            || self.is_name(nth) && !self.capital(nth) && self.is_open(nth + 1, b'(')
    }

    /// A name of several words: `my var`, `my-var`.
    pub(super) fn blanks(&self, start: usize, stops: &[&str]) -> Option<Diagnostic> {
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
        let everywhere = if sign == Some(".") { ", here and wherever it is used" } else { "" };
        let help = format!("write `{name}`{everywhere}");
        Some(found(&codes::UNEXPECTED, message, self.span(start, end), "meant as one name?", help))
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
        let prefixed = (1..self.tokens.len().min(3)).find(|nth| self.prefixes_text(*nth));
        if let Some(prefixed) = prefixed {
            return self.function_value(prefixed);
        }
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
            let place = self.span(nth, close + 1);
            return Some(habit("A value is simply there", place, format!("write `{first}`")).in_place_of(place));
        }
        let mut help = format!("write `{outer}[{inner}]`");
        // The types of the same head that another language has as well.
        let head = (nth..self.tokens.len()).find(|at| self.is_open(*at, b'{')).unwrap_or(self.tokens.len());
        let simple = |at: &usize| matches!(self.before(*at), ":" | ">") && !self.follows(at + 1, "<");
        for at in (0..head).filter(simple).filter(|at| !(nth..=close).contains(at)) {
            if let Some(ty) = foreign::ty(self.spelled(at)).filter(|ty| !ty.contains(['`', '…'])) {
                help += &format!(", and `{ty}` for `{}`", self.spelled(at));
            }
        }
        let diagnostic = habit("The parts of a type stand in brackets", self.span(nth + 1, close + 1), help);
        Some(diagnostic.in_place_of(self.span(nth, close + 1)))
    }
}

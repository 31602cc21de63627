//! Values as other languages write them: functions, texts, records, ranges, conditions.

use super::operators::heads;
use super::{Passage, found, habit, operator};
use crate::diag::Diagnostic;
use crate::diag::codes::syntax as codes;
use crate::syntax::report::{is_unit, near_unit};
use crate::syntax::scan::TokenKind;

impl Passage<'_> {
    pub(super) fn value(&self, nth: usize) -> Option<Diagnostic> {
        match self.kind(nth)? {
            _ if nth == self.failed && self.loop_part(nth).is_some() => self.loop_part(nth),
            TokenKind::Str => self.quoted_key(nth),
            TokenKind::Number => self.after_number(nth),
            TokenKind::Open(b'[') if nth > 0 && self.touches(nth) && self.after_value(nth) => self.slice(nth),
            TokenKind::Open(b'(') => self.typed_parameters(nth),
            TokenKind::Open(b'{') => self.keyed(nth).or_else(|| self.shorthand(nth)).or_else(|| self.named_record(nth)),
            TokenKind::Word => self.function_value(nth).or_else(|| self.conditional(nth)).or_else(|| self.phrase(nth)),
            _ => None,
        }
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
        let diagnostic = habit("A field's name is written without quotes", place, help);
        Some(if plain { diagnostic.fix(place, name) } else { diagnostic })
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
        let help = format!("write `for i in {first}..{last} {{ {list}[i] }}`");
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
    fn keyed(&self, nth: usize) -> Option<Diagnostic> {
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

    /// `f"…"`, `lambda x: …`, `function(x) …`.
    pub(super) fn function_value(&self, nth: usize) -> Option<Diagnostic> {
        let word = self.spelled(nth);
        if self.kind(nth + 1) == Some(TokenKind::Str) && self.touches(nth + 1) && word.len() <= 2 && self.is_name(nth) {
            let values = self.text[self.tokens[nth + 1].start..self.tokens[nth + 1].end].contains('{');
            if !values {
                let place = self.span(nth, nth + 1);
                let help = format!("write `{}`", self.spelled(nth + 1));
                return Some(habit(format!("A string has no `{word}` in front"), place, help).fix(place, ""));
            }
            let message = format!("There are no strings with values in them (`{word}\"…\"`)");
            let help = format!(
                "write one text without the `{word}`, and give each value a field of its own: `round: s.round`"
            );
            return Some(habit(message, self.span(nth, nth + 2), help));
        }
        if word == "lambda" {
            let colon =
                (nth + 1..self.tokens.len()).find(|at| self.is(*at, ":") && self.depth(*at) == self.depth(nth))?;
            let params = self.names_between(nth + 1, colon);
            let body = (colon + 1, self.value_end(colon + 1));
            return self.ordered(nth, &params, body).or_else(|| Some(self.lambda((nth, colon + 1), &params, body)));
        }
        let head = matches!(word, "function" | "func" | "fun" | "fn" | "def" | "proc" | "async");
        if head && nth > 0 && !self.fresh(nth) && self.is_name(nth + 1) {
            return self.bare_function(nth);
        }
        (head && nth > 0 && self.is_open(nth + 1, b'(') && !self.fresh(nth))
            .then(|| self.arrow_function(nth, nth + 1))
            .flatten()
    }

    /// `fun x -> …` of OCaml, `\x -> …` of Haskell.
    pub(super) fn bare_function(&self, start: usize) -> Option<Diagnostic> {
        let arrow = (start + 1..self.tokens.len().min(start + 8))
            .find(|at| self.follows(*at, "->") || self.follows(*at, "=>"))?;
        let params: Vec<&str> = (start + 1..arrow).filter(|at| self.is_word(*at)).map(|at| self.spelled(at)).collect();
        Some(self.lambda((start, arrow + 2), &params, (arrow + 2, self.value_end(arrow + 2))))
    }

    /// A function from the word or sign at `start` and its parameters in the bracket at `open`.
    pub(super) fn arrow_function(&self, start: usize, open: usize) -> Option<Diagnostic> {
        let close = self.close(open)?;
        let params = self.names_between(open + 1, close);
        let body = match self.is_open(close + 1, b'{').then(|| self.close(close + 1)).flatten() {
            Some(end) => (close + 2, end),
            None => (close + 1, self.value_end(close + 1)),
        };
        Some(self.lambda((start, close + 1), &params, body))
    }

    /// `sorted(xs, key=lambda s: …)`, `map(lambda x: …, xs)`: the whole call, as the function is in another place.
    fn ordered(&self, nth: usize, params: &[&str], body: (usize, usize)) -> Option<Diagnostic> {
        let open = self.opener(nth).filter(|open| self.is_open(*open, b'('))?;
        let (name, close) = (open.checked_sub(1).filter(|name| self.is_name(*name))?, self.close(open)?);
        let args = self.arguments(open);
        let function = format!("{} => {}", heads(params), self.source(body.0, body.1));
        let other = args.iter().find(|(start, end)| !(*start..*end).contains(&nth) && !self.is(start + 1, "="));
        let list = other.map(|(start, end)| self.source(*start, *end));
        let text = match (self.spelled(name), list) {
            ("sorted" | "sort", Some(list)) => {
                let sorted = format!("sort_by({list}, {function})");
                let falls = args.iter().any(|(start, _)| self.is(*start, "reverse"));
                if falls { format!("reverse({sorted})") } else { sorted }
            }
            ("sort" | "sort_by", None) if self.before(name) == "." && name > 1 => {
                return Some(habit(
                    "Lists are sorted by `sort_by`",
                    self.span(name, open),
                    format!("write `sort_by({}, {function})`", self.spelled(name - 2)),
                ));
            }
            ("max", Some(list)) => format!("last(sort_by({list}, {function}))"),
            ("min", Some(list)) => format!("first(sort_by({list}, {function}))"),
            ("map", Some(list)) => format!("map({list}, {function})"),
            ("filter", Some(list)) => format!("keep({list}, {function})"),
            ("reduce", Some(list)) => {
                let start = args.get(2).map_or("…", |(start, end)| self.source(*start, *end));
                format!("fold({list}, {start}, {function})")
            }
            _ => return None,
        };
        let message = match self.spelled(name) {
            "map" | "reduce" | "filter" => "The list comes first, and a function is written with `=>`",
            _ => "Lists are sorted by `sort_by`",
        };
        let diagnostic = habit(message, self.span(name, open), format!("write `{text}`"));
        Some(diagnostic.in_place_of(self.span(name, close + 1)))
    }

    /// `match x { … }`, `if let`, `a if c else b`, `if c:`, `if c then a`, and branches without braces.
    fn conditional(&self, nth: usize) -> Option<Diagnostic> {
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

    /// Words between values: `x as f64`, `a is b`, `a in xs`, `imp pruning`, `new Net()`.
    fn phrase(&self, nth: usize) -> Option<Diagnostic> {
        let (word, place) = (self.spelled(nth), self.span(nth, nth + 1));
        let after = self.after_value(nth) && !self.fresh(nth);
        match word {
            "as" if after && !self.is(0, "import") => {
                let value = self.source(self.value_start(nth), nth);
                let to = if matches!(crate::diag::foreign::ty(self.spelled(nth + 1)), Some("Int")) {
                    "floor"
                } else {
                    "float"
                };
                let whole = self.span(self.value_start(nth), nth + 2);
                Some(operator("There are no casts", place, format!("write `{to}({value})`")).in_place_of(whole))
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
            "in" if after && nth + 1 >= self.failed && !self.in_head(nth) => self.membership(nth),
            "not" if after && self.is(nth + 1, "in") && !self.in_axes(nth) => self.membership(nth + 1),
            "for" if after && self.failed == nth && self.opener(nth).is_some() => {
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

    /// `a in xs`, `a not in xs`, in a comparison or a condition; `nth` is the `in`.
    fn membership(&self, nth: usize) -> Option<Diagnostic> {
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
        Some(diagnostic.in_place_of(self.span(start, end)))
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

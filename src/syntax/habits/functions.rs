//! Functions as other languages declare them: the whole is rewritten where it is short.

use super::operators::heads;
use super::{Passage, habit};
use crate::diag::{Diagnostic, foreign};
use crate::source::Span;
use crate::syntax::scan::TokenKind;

/// What stands in front of a function elsewhere, and says nothing here.
const MODIFIERS: [&str; 9] = ["async", "export", "default", "public", "private", "static", "inline", "pub", "override"];

/// A function in the words of pdsl.
pub(super) struct Rewritten {
    /// `fn val(s: …) { … }`.
    pub(super) text: String,
    /// Whether a parameter has no type.
    untyped: bool,
    /// Whether its body is written out.
    whole: bool,
}

/// The type of what goes by a name in nearly every program.
fn usual_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "seed" => "Seed",
        "state" | "dense" | "pruned" => "State",
        "task" => "Task",
        "recipe" => "Recipe",
        "sparsity" => "Ratio",
        _ => return None,
    })
}

impl Rewritten {
    /// The help, which says how the holes are filled.
    pub(super) fn help(&self) -> String {
        let types = if self.untyped { ", with each parameter's type, such as `State`, `Ratio` or `Int`" } else { "" };
        let body = if self.whole { "" } else { "; in the body names get values by `let`, and its value stands last" };
        if self.text.contains('\n') {
            return format!("write this{types}:\n{}", self.text);
        }
        format!("write `{}`{types}{body}", self.text)
    }

    /// Adds the change of the text, if nothing is left open.
    pub(super) fn fixing(&self, diagnostic: Diagnostic, span: Span) -> Diagnostic {
        if self.whole && !self.untyped { diagnostic.fix(span, self.text.clone()) } else { diagnostic }
    }
}

impl Passage<'_> {
    /// `def val(s):`, `function val(s) {`, `async def val(s):` at the beginning.
    pub(super) fn foreign_function(&self) -> Option<Diagnostic> {
        let word = self.leading_word();
        if self.is(word, "def") && self.spelled(word + 1).starts_with("test") {
            let help = format!("write `test {} {{ … }}`, with `expect` for each `assert`", self.sentence(word + 1));
            let message = "A test has a sentence in quotes and a body in braces";
            return Some(habit(message, self.span(word, word + 2), help));
        }
        let named =
            matches!(self.spelled(word), "def" | "func" | "function" | "fun" | "sub" | "proc" | "fn" | "method");
        let found = named.then(|| self.rewritten(word)).flatten()?;
        let message =
            if self.is(word, "fn") { "A function has only `fn` in front" } else { "A function begins with `fn`" };
        let diagnostic = habit(message, self.span(0, word + 1), found.help());
        Some(found.fixing(diagnostic, self.span(0, self.tokens.len())))
    }

    /// The name of a test as a sentence: `"small networks"` of `test_small_networks`.
    pub(super) fn sentence(&self, nth: usize) -> String {
        let name = self.spelled(nth).trim_start_matches("test").trim_start_matches('_').replace('_', " ");
        format!("\"{}\"", if name.is_empty() { "what it shows" } else { &name })
    }

    /// The first word that is no modifier.
    pub(super) fn leading_word(&self) -> usize {
        (0..self.tokens.len()).find(|nth| !MODIFIERS.contains(&self.spelled(*nth))).unwrap_or(0)
    }

    /// Rewrites the function whose keyword stands at `word`.
    pub(super) fn rewritten(&self, word: usize) -> Option<Rewritten> {
        let open = (word + 2..word + 3).find(|at| self.is_name(word + 1) && self.is_open(*at, b'('))?;
        let close = self.close(open)?;
        let mut at = close + 1;
        let mut result = None;
        if self.follows(at, "->") {
            let end = (at + 2..self.tokens.len()).find(|nth| self.ends_head(*nth)).unwrap_or(self.tokens.len());
            result = Some(self.type_text(at + 2, end));
            at = end;
        } else if self.is(at, ":") && self.is_word(at + 1) && !self.fresh(at + 1) && self.is_open(at + 2, b'{') {
            result = Some(self.type_text(at + 1, at + 2));
            at += 2;
        }
        let body = if self.is_open(at, b'{') {
            self.body(at + 1, self.close(at)?)
        } else if self.follows(at, "=>") {
            let brace = self.is_open(at + 2, b'{').then(|| self.close(at + 2)).flatten();
            brace.map_or_else(|| self.body(at + 2, self.tokens.len()), |end| self.body(at + 3, end))
        } else if self.is(at, ":") || self.is(at, "=") {
            self.body(at + 1, self.tokens.len())
        } else {
            self.body(at, self.tokens.len())
        };
        let result = result.filter(|ty| !matches!(ty.as_str(), "None" | "void" | "()"));
        let arrow = result.map(|ty| format!(" -> {ty}")).unwrap_or_default();
        let formals = self.formal_texts(open);
        let untyped = formals.iter().any(|formal| formal.ends_with(": …") || formal.contains(": … ="));
        let public = if self.before(word) == "pub" { "pub " } else { "" };
        let head = format!("{public}fn {}({}){arrow}", self.spelled(word + 1), formals.join(", "));
        let text = match body.as_deref() {
            None => format!("{head} {{ … }}"),
            Some([line]) if line.len() <= 70 => format!("{head} {{ {line} }}"),
            Some(lines) => format!("{head} {{\n  {}\n}}", lines.join("\n  ")),
        };
        Some(Rewritten { text, untyped, whole: body.is_some() })
    }

    fn ends_head(&self, nth: usize) -> bool {
        self.is_open(nth, b'{') || self.is(nth, ":") || self.is(nth, "=")
    }

    /// The parameters between brackets in the words of pdsl, `…` where a type is not given.
    pub(super) fn formal_texts(&self, open: usize) -> Vec<String> {
        let formal = |(start, end): (usize, usize)| {
            let name = (start..end).find(|nth| self.is_word(*nth) && !self.is(*nth, "mut"))?;
            if matches!(self.spelled(name), "self" | "cls" | "this") || self.before(name) == "*" {
                return None;
            }
            let equals = (name..end).find(|nth| self.is(*nth, "=") && self.depth(*nth) == self.depth(name));
            let default = equals.map(|at| self.source(at + 1, end)).filter(|value| *value != "None");
            let stop = equals.unwrap_or(end);
            // `Seed seed` of C, `s State` of Go.
            let pair = name + 1 < stop && self.is_word(name + 1);
            let swapped = pair && self.is_type(name) && !self.is_type(name + 1);
            let (name, ty) = match (pair, self.is(name + 1, ":")) {
                (true, _) if swapped => (name + 1, self.type_text(name, name + 1)),
                (true, _) => (name, self.type_text(name + 1, stop)),
                (_, true) => (name, self.type_text(name + 2, stop)),
                _ => {
                    let guessed = equals.map(|at| self.guess(at + 1)).filter(|ty| *ty != "Type");
                    (name, guessed.or_else(|| usual_type(self.spelled(name))).unwrap_or("…").to_owned())
                }
            };
            let default = default.map(|value| format!(" = {value}")).unwrap_or_default();
            Some(format!("{}: {ty}{default}", self.spelled(name)))
        };
        self.arguments(open).into_iter().filter_map(formal).collect()
    }

    fn is_type(&self, nth: usize) -> bool {
        self.spelled(nth).starts_with(|c: char| c.is_ascii_uppercase()) || foreign::ty(self.spelled(nth)).is_some()
    }

    /// A type as written, in the words of pdsl.
    pub(super) fn type_text(&self, start: usize, end: usize) -> String {
        let word = |nth: usize| match self.spelled(nth) {
            "list" | "Vec" | "Sequence" | "Array" if self.is_open(nth + 1, b'[') => "List",
            word => foreign::ty(word).filter(|ty| !ty.contains(['`', '…'])).unwrap_or(word),
        };
        (start..end).filter(|nth| !matches!(self.spelled(*nth), "&" | "mut")).map(word).collect()
    }

    /// The arguments, elements or parameters between the brackets that open at a token.
    pub(super) fn arguments(&self, open: usize) -> Vec<(usize, usize)> {
        let Some(close) = self.close(open) else { return Vec::new() };
        let inner = self.depth(open) + 1;
        let mut parts = Vec::new();
        let mut start = open + 1;
        for nth in open + 1..=close {
            if nth == close || self.depth(nth) == inner && self.is(nth, ",") {
                if start < nth {
                    parts.push((start, nth));
                }
                start = nth + 1;
            }
        }
        parts
    }

    /// A function without a name: from `start` to the end of its head, then its body. In a `let` of the file it gets a
    /// name and types if it reads a field, as nothing there says of what.
    pub(super) fn lambda(&self, (start, head): (usize, usize), params: &[&str], body: (usize, usize)) -> Diagnostic {
        let text = self.source(body.0, body.1).trim_start_matches("return ").trim_end_matches(';').to_owned();
        let message = "A function is written with `=>`";
        let name = usize::from(self.is(0, "let"));
        let reads = |nth: usize| params.contains(&self.spelled(nth)) && self.is(nth + 1, ".");
        let named = self.depth(start) == 0 && start == name + 2 && self.is_name(name) && self.is(name + 1, "=");
        if named && (body.0..body.1).any(reads) {
            let formals = params.iter().map(|param| format!("{param}: …")).collect::<Vec<_>>().join(", ");
            let text = format!("fn {}({formals}) {{ {text} }}", self.spelled(name));
            let found = Rewritten { text, untyped: !params.is_empty(), whole: true };
            return habit("A function with a name is written with `fn`", self.span(start, head), found.help());
        }
        let front = heads(params);
        let whole = self.whole(body.0, body.1).trim_start_matches("return ").trim_end_matches(';').trim();
        let closing = if self.is_open(head, b'{') && body.0 == head + 1 { body.1 + 1 } else { body.1 };
        let diagnostic = habit(message, self.span(start, head), format!("write `{front} => {text}`"));
        if body.0 >= body.1 || text.is_empty() {
            return diagnostic;
        }
        diagnostic.fix(self.span(start, closing), format!("{front} => {whole}"))
    }

    /// `f"…"`, `lambda x: …`, `function(x) …`.
    pub(super) fn function_value(&self, nth: usize) -> Option<Diagnostic> {
        let word = self.spelled(nth);
        if self.prefixes_text(nth) {
            let values = self.text[self.tokens[nth + 1].start..self.tokens[nth + 1].end].contains('{');
            if !values {
                let place = self.span(nth, nth + 1);
                let help = format!("write `{}`", self.spelled(nth + 1));
                return Some(habit(format!("A string has no `{word}` in front"), place, help).fix(place, ""));
            }
            let message = format!("There are no strings with values in them (`{word}\"…\"`)");
            return Some(habit(message, self.span(nth, nth + 2), self.without_values(nth + 1)));
        }
        if let Some(found) = self.function_type(nth) {
            return Some(found);
        }
        if word == "lambda" {
            let colon =
                (nth + 1..self.tokens.len()).find(|at| self.is(*at, ":") && self.depth(*at) == self.depth(nth))?;
            let params = self.names_between(nth + 1, colon);
            let body = (colon + 1, self.value_end(colon + 1));
            return self.ordered(nth, &params, body).or_else(|| Some(self.lambda((nth, colon + 1), &params, body)));
        }
        let head = matches!(word, "function" | "func" | "fun" | "fn" | "def" | "proc" | "async");
        if head && nth > 0 && !self.fresh(nth) && self.is_name(nth + 1) && self.before(nth) != "pub" {
            return self.bare_function(nth);
        }
        (head && nth > 0 && self.is_open(nth + 1, b'(') && !self.fresh(nth))
            .then(|| self.arrow_function(nth, nth + 1))
            .flatten()
    }

    /// `fn(State) -> State`, `impl Fn(State) -> State` as a type.
    pub(super) fn function_type(&self, nth: usize) -> Option<Diagnostic> {
        if !matches!(self.spelled(nth), "fn" | "func" | "function" | "fun" | "Fn" | "FnMut" | "FnOnce") {
            return None;
        }
        let close = self.is_open(nth + 1, b'(').then(|| self.close(nth + 1)).flatten()?;
        let start = (0..nth).rev().find(|at| !matches!(self.spelled(*at), "impl" | "dyn" | "&")).map_or(0, |at| at + 1);
        let typed = matches!(self.before(start), ":" | ">" | "[");
        if !typed || !self.follows(close + 1, "->") || !self.is_word(close + 3) {
            return None;
        }
        let texts: Vec<String> = self.arguments(nth + 1).iter().map(|(from, to)| self.type_text(*from, *to)).collect();
        let params = if let [only] = texts.as_slice() { only.clone() } else { format!("({})", texts.join(", ")) };
        let (result, end) = if self.is(close + 4, "<") {
            // `Vec<State>`
            let end = (close + 5..self.tokens.len()).find(|at| self.is(*at, ">"))?;
            (format!("List[{}]", self.type_text(close + 5, end)), end + 1)
        } else {
            let bracket = self.is_open(close + 4, b'[').then(|| self.close(close + 4)).flatten();
            let end = bracket.map_or(close + 4, |bracket| bracket + 1);
            (self.type_text(close + 3, end), end)
        };
        let help = format!("write `{params} -> {result}`");
        let diagnostic = habit("The type of a function has an arrow only", self.span(nth, nth + 1), help);
        Some(diagnostic.in_place_of(self.span(start, end)))
    }

    /// Whether a token is the `f` of `f"…"`.
    pub(super) fn prefixes_text(&self, nth: usize) -> bool {
        self.kind(nth + 1) == Some(TokenKind::Str)
            && self.touches(nth + 1)
            && self.spelled(nth).len() <= 2
            && self.is_name(nth)
    }

    /// What to write for a text that has values in braces: the text, and a field or a column for each value.
    fn without_values(&self, nth: usize) -> String {
        let text = self.spelled(nth).trim_matches('"');
        let mut values = Vec::new();
        let mut kept = String::new();
        for (at, piece) in text.split('{').enumerate() {
            let rest = match piece.split_once('}').filter(|_| at > 0) {
                Some((value, rest)) => {
                    values.push(value.split([':', '!']).next().unwrap_or_default().trim());
                    rest
                }
                None => piece,
            };
            kept += rest;
        }
        let kept = kept.split_whitespace().collect::<Vec<_>>().join(" ");
        let kept = kept.trim_matches(|c: char| !c.is_alphanumeric());
        if matches!(self.spelled(0), "claim" | "test") && !values.is_empty() {
            let left_out = values.iter().map(|value| format!("`{{{value}}}`")).collect::<Vec<_>>().join(" and ");
            let word = self.spelled(nth - 1);
            return format!(
                "leave out the `{word}` before the text, and {left_out}: a sentence is the same in every run"
            );
        }
        let kept = if kept.is_empty() { String::new() } else { format!("write `\"{kept}\"`; ") };
        let is_axis = |name: &str| (1..nth).any(|at| self.spelled(at - 1) == name && self.is(at, "in"));
        let (axes, others): (Vec<&str>, Vec<&str>) = values.into_iter().partition(|value| is_axis(value));
        let ticked = |values: &[&str]| values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
        let mut parts = Vec::new();
        if !axes.is_empty() {
            let columns = axes.iter().map(|axis| format!(".{axis}")).collect::<Vec<_>>().join(", ");
            let (is, column) = if axes.len() == 1 { ("is", "a column") } else { ("are", "columns") };
            parts.push(format!("{} {is} {column} of these rows already, for `by: [{columns}]`", ticked(&axes)));
        }
        if !others.is_empty() {
            let field = |value: &&str| format!("`{}: {value}`", value.rsplit('.').next().unwrap_or(value));
            let simple = |value: &&str| value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
            let fields = others.iter().filter(|value| simple(value)).map(field).collect::<Vec<_>>().join(", ");
            let fields = if fields.is_empty() { String::new() } else { format!(": {fields}") };
            parts.push(format!("a value that is no axis gets a field of its own beside the text{fields}"));
        }
        kept + &parts.join("; ")
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
}

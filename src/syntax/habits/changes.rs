//! Lists and values that other languages change in place: a loop that gathers, a loop that goes on, one new value.

use super::{Passage, habit, operator};
use crate::diag::Diagnostic;
use crate::syntax::scan::TokenKind;

/// A loop around a statement.
struct Loop {
    /// Its `for` or `sweep`.
    word: usize,
    /// Where its body begins: `{`, or `:` of Python.
    body: usize,
}

/// Methods that put something into a list.
const PUTS: [&str; 9] = ["append", "push", "push_back", "add", "insert", "extend", "append_row", "concat", "put"];

impl Passage<'_> {
    /// `rows.append(x)`, `rows[key] = x`, `rows = rows + [x]`, `s = s |> prune(…)` as a statement.
    pub(super) fn change(&self, nth: usize) -> Option<Diagnostic> {
        if !self.is_name(nth) {
            return None;
        }
        let name = self.spelled(nth);
        if self.is(nth + 1, ".") && self.is_open(nth + 3, b'(') && PUTS.contains(&self.spelled(nth + 2)) {
            let close = self.close(nth + 3)?;
            let args = self.arguments(nth + 3);
            let last = *args.last()?;
            let whole = matches!(self.spelled(nth + 2), "extend" | "concat");
            let place = (nth, close + 1);
            return Some(self.gathered(nth, place, last, whole));
        }
        if self.is_open(nth + 1, b'[') && self.touches(nth + 1) {
            let close = self.close(nth + 1)?;
            if !self.assigns(close + 1) {
                return None;
            }
            let value = (close + 2, self.value_end(close + 2));
            let (key, shown) = (self.source(nth + 2, close), self.shown(value.0, value.1));
            let text = format!("{{ key: {key}, value: {shown} }}");
            return Some(match self.loop_around(nth, name) {
                Some(around) => self.gathering(&around, name, (nth, close + 2), &text, false),
                None => habit(
                    "Nothing is changed in place",
                    self.span(nth, close + 2),
                    "give the value where the list or the record is made",
                ),
            });
        }
        if !self.assigns(nth + 1) {
            return None;
        }
        let (start, end) = (nth + 2, self.value_end(nth + 2));
        if !self.mentions(name, start, end) {
            return None;
        }
        let joined = self.is(start, name) && (self.is(start + 1, "+") || self.follows(start + 1, "++"));
        let from = if self.follows(start + 1, "++") { start + 3 } else { start + 2 };
        if joined && self.is_open(from, b'[') {
            return Some(self.gathered(nth, (nth, nth + 2), (from, end), true));
        }
        if joined && self.loop_around(nth, name).is_some() {
            return Some(self.totalled(nth, (nth, nth + 2), (from, end), "+"));
        }
        Some(match self.loop_around(nth, name) {
            Some(around) => self.repeated(&around, name, (nth, nth + 2), self.source(start, end)),
            None => self.renewed((nth, nth + 2), name, self.source(start, end)),
        })
    }

    /// `x += 1`, `x++`, `rows += [x]`; `nth` is the sign.
    pub(super) fn augmented(&self, nth: usize) -> Option<Diagnostic> {
        let name = nth.checked_sub(1).filter(|name| self.is_name(*name))?;
        let sign = self.spelled(nth);
        let step = self.follows(nth, "++") || self.follows(nth, "--");
        let assigns = self.is(nth + 1, "=") && self.touches(nth + 1) && !self.is(nth + 2, "=");
        let alone = step && (self.fresh(nth + 2) || nth + 2 >= self.tokens.len());
        if !(assigns || alone) {
            return None;
        }
        let value = (nth + 2, self.value_end(nth + 2));
        let text = if assigns { format!("{sign}=") } else { sign.repeat(2) };
        if assigns && sign == "+" && self.is_open(nth + 2, b'[') {
            return Some(self.gathered(name, (nth, nth + 2), value, true));
        }
        if assigns && self.loop_around(name, self.spelled(name)).is_some() {
            return Some(self.totalled(name, (nth, nth + 2), value, sign));
        }
        let amount = if assigns { self.source(value.0, value.1) } else { "1" };
        let name = self.spelled(name);
        let help =
            format!("name a new value: `let {name}_2 = {name} {sign} {amount}`, and use `{name}_2` from there on");
        Some(operator(format!("Nothing is changed in place: there is no `{text}`"), self.bytes(nth, 2), help))
    }

    /// `for … { x = x |> … }`, which reads like a record or a comparison.
    pub(super) fn changed_in_loop(&self) -> Option<Diagnostic> {
        (1..self.tokens.len()).find_map(|nth| {
            let begins = self.before(nth) == "{" || self.fresh(nth) && self.after_value(nth);
            let open = self.opener(nth).filter(|open| begins && self.is_open(*open, b'{'))?;
            let alone = !self.is(self.value_end(nth), ",");
            let body = self.head_of(open).is_some() || nth != open + 1;
            (alone && body && self.assigns(nth + 1)).then(|| self.change(nth)).flatten()
        })
    }

    /// `s = dense` before a loop with `s = f(s)`: what is said of the loop says it all.
    pub(super) fn changed_later(&self, nth: usize) -> Option<Diagnostic> {
        let name = self.spelled(nth);
        if self.is(nth, "while") {
            return self.until(nth);
        }
        if !(self.is_name(nth) && self.assigns(nth + 1)) {
            return None;
        }
        let later = (nth + 2..self.tokens.len()).find(|at| {
            self.is(*at, name) && self.assigns(at + 1) && self.fresh(*at) && self.loop_around(*at, name).is_some()
        })?;
        self.change(later)
    }

    /// `while c { s = f(s) }`.
    fn until(&self, nth: usize) -> Option<Diagnostic> {
        let body = (nth..self.tokens.len()).find(|at| self.is_open(*at, b'{') || self.is(*at, ":"))?;
        let at = (body + 1..self.tokens.len()).find(|at| self.is_name(*at) && self.assigns(at + 1))?;
        let (name, condition) = (self.spelled(at), self.source(nth + 1, body));
        let value = self.source(at + 2, self.value_end(at + 2));
        let begun = self.begun(name);
        let start = begun.as_deref().unwrap_or(name);
        let list = if name.ends_with('s') { format!("{name}_states") } else { format!("{name}s") };
        let place_of = begun.as_ref().map(|value| format!(", in place of `let {name} = {value}` and the loop"));
        let help = format!(
            "write `let {list} = iterate({start}, times: 100, until: {name} => not ({condition}), ({name}, r) => \
             {value})`{}; `last({list})` is the last of them",
            place_of.unwrap_or_default()
        );
        let message = "There are no loops that repeat a statement: `iterate` makes each value from the one before";
        Some(habit(message, self.span(nth, nth + 1), help))
    }

    /// Elements that are put into a list; `whole` says that the value is a list of them.
    fn gathered(&self, nth: usize, place: (usize, usize), value: (usize, usize), whole: bool) -> Diagnostic {
        let name = self.spelled(nth);
        let inner = if whole && self.is_open(value.0, b'[') && self.close(value.0) == Some(value.1 - 1) {
            (value.0 + 1, value.1 - 1)
        } else {
            value
        };
        let element = inner != value || !whole;
        let around = self.loop_around(nth, name);
        let from_last = around.as_ref().filter(|_| element).and_then(|around| {
            let itself = self.mentions(name, inner.0, inner.1).then(|| self.of_last(around, name, inner));
            itself.or_else(|| self.only_value(around, name, inner, place))
        });
        match (around, from_last) {
            (Some(around), Some(body)) => self.repeated(&around, name, place, &body),
            (Some(around), None) => self.gathering(&around, name, place, &self.shown(inner.0, inner.1), !element),
            (None, _) => {
                let text = if element {
                    format!("[{}]", self.source(inner.0, inner.1))
                } else {
                    self.source(value.0, value.1).to_owned()
                };
                let help =
                    format!("name a new list: `let {name}_2 = {name} ++ {text}`, and use `{name}_2` from there on");
                habit("Nothing is changed in place", self.span(place.0, place.1), help)
            }
        }
    }

    /// A value that reads the last element of a list, as a function of that element.
    fn of_last(&self, around: &Loop, name: &str, value: (usize, usize)) -> String {
        let s = if self.is(around.word + 1, "s") { "before" } else { "s" };
        let ways = [format!("last({name})"), format!("{name}[-1]"), format!("{name}[len({name}) - 1]")];
        ways.iter().fold(self.source(value.0, value.1).to_owned(), |body, last| body.replace(last, s))
    }

    /// The value of the one name that a loop's body defines, `let s = f(last(xs))`, before it puts that into the list.
    fn only_value(&self, around: &Loop, name: &str, put: (usize, usize), place: (usize, usize)) -> Option<String> {
        let first = around.body + 1 + usize::from(self.is(around.body + 1, "let"));
        let bound = put.1 == put.0 + 1 && self.spelled(first) == self.spelled(put.0) && self.assigns(first + 1);
        let value = (first + 2, self.value_end(first + 2));
        (bound && value.1 == place.0 && self.mentions(name, value.0, value.1))
            .then(|| self.of_last(around, name, value))
    }

    /// What a loop gathers is what it gives.
    fn gathering(&self, around: &Loop, name: &str, place: (usize, usize), text: &str, lists: bool) -> Diagnostic {
        let head = self.source(around.word, around.body);
        let start = self.begun(name);
        let branch = self.opener(place.0).filter(|open| *open != around.body);
        let branch = branch.and_then(|open| {
            let word =
                (around.body..open).rev().find(|at| self.is(*at, "if") && self.depth(*at) == self.depth(open))?;
            Some(format!(" if {}", self.source(word + 1, open)))
        });
        let inner = if branch.is_some() { ", without the `if` inside" } else { "" };
        let branch = branch.unwrap_or_default();
        let front = match start.as_deref() {
            None | Some("[]" | "{}" | "…") => String::new(),
            Some(list) => format!("{list} ++ "),
        };
        let removed = start.map(|value| format!(", and remove `let {name} = {value}`")).unwrap_or_default();
        let lists = if lists { "; `flatten` makes one list of several" } else { "" };
        let help = format!(
            "let the body end with `{text}`, write `let {name} = {front}{head}{branch} {{`{inner}{removed}{lists}"
        );
        habit("Nothing is changed in place: a `for` gives the list of its values", self.span(place.0, place.1), help)
    }

    /// Each value from the one before.
    fn repeated(&self, around: &Loop, name: &str, place: (usize, usize), body: &str) -> Diagnostic {
        let (count, variable) = self.rounds(around);
        let begun = self.begun(name);
        let listed = begun.as_deref().is_some_and(|text| text.starts_with('['));
        let start = begun.as_deref().unwrap_or(name).trim_start_matches('[').trim_end_matches(']').to_owned();
        let s = match (listed || begun.is_none() && body.contains("s |>"), self.is(around.word + 1, "s")) {
            (true, true) => "before",
            (true, false) => "s",
            _ => name,
        };
        let list = if listed { name.to_owned() } else { format!("{}s", name.trim_end_matches('s')) };
        let list = if list == name && !listed { format!("{name}_states") } else { list };
        let gives =
            if listed { String::new() } else { format!("; below it, write `last({list})` for the last of them") };
        let place_of =
            begun.map(|value| format!(", in place of `let {name} = {value}` and the loop")).unwrap_or_default();
        let end = if self.is_open(around.body, b'{') { self.close(around.body) } else { Some(self.tokens.len()) };
        let end = end.unwrap_or(self.tokens.len());
        let after = if self.fresh(place.1) { place.1 } else { self.value_end(place.1) };
        let value = self.is_word(after) || matches!(self.kind(after), Some(TokenKind::Open(_) | TokenKind::Str));
        let rest = if after < end && value && self.depth(after) > self.depth(around.word) {
            format!("; what the loop gives becomes `for {s} in {list} {{ {} }}`", self.shown(after, end))
        } else {
            String::new()
        };
        let help = format!(
            "write `let {list} = iterate({start}, times: {count}, ({s}, {variable}) => {body})`{place_of}{gives}{rest}"
        );
        let message = "Nothing is changed in place: `iterate` makes each value from the one before";
        habit(message, self.span(place.0, place.1), help)
    }

    /// A sum, or what else a value comes to in a loop.
    fn totalled(&self, nth: usize, place: (usize, usize), value: (usize, usize), sign: &str) -> Diagnostic {
        let name = self.spelled(nth);
        let message = "Nothing is changed in place: `fold` goes through a list with a value";
        let Some(around) = self.loop_around(nth, name) else {
            return self.renewed(place, name, self.source(value.0, value.1));
        };
        let joint = (around.word..around.body).find(|at| self.is(*at, "in")).unwrap_or(around.word);
        if (joint..around.body).any(|at| self.is(at, ",") && self.depth(at) == self.depth(around.word)) {
            return self.renewed(place, name, &format!("{name} {sign} {}", self.source(value.0, value.1)));
        }
        let (variable, list) = (self.source(around.word + 1, joint), self.source(joint + 1, around.body));
        let start = self.begun(name);
        let first = start.as_deref().unwrap_or("0.0");
        let body = self.source(value.0, value.1);
        let removed = start.as_ref().map(|value| format!(", in place of `let {name} = {value}` and the loop"));
        let help = format!(
            "write `let {name} = fold({list}, {first}, ({name}, {variable}) => {name} {sign} {body})`{}",
            removed.unwrap_or_default()
        );
        habit(message, self.span(place.0, place.1), help)
    }

    /// A new value under a new name.
    fn renewed(&self, place: (usize, usize), name: &str, value: &str) -> Diagnostic {
        let help = format!("name a new value: `let {name}_2 = {value}`, and use `{name}_2` from there on");
        habit("Nothing is changed in place", self.span(place.0, place.1), help)
    }

    /// The innermost loop around a statement, if its body is the statement's block or an `if` in it.
    ///
    /// A name that the loop's own body has given a value is not what the loop gathers.
    fn loop_around(&self, nth: usize, name: &str) -> Option<Loop> {
        let around = self.innermost(nth)?;
        let own = (around.body..nth).any(|at| {
            self.is(at, name)
                && matches!(self.before(at), "let" | "mut")
                && self.depth(at) <= self.depth(around.body) + 1
        });
        (!own).then_some(around)
    }

    fn innermost(&self, nth: usize) -> Option<Loop> {
        // `for x in xs:` of Python, with the statement further to the right.
        let indented = (0..nth).rev().find(|at| {
            matches!(self.spelled(*at), "for" | "sweep")
                && self.fresh(*at)
                && self.depth(*at) == self.depth(nth)
                && self.column(*at) < self.column(nth)
        });
        let colon = |word: usize| (word..nth).find(|at| self.is(*at, ":") && self.depth(*at) == self.depth(word));
        if let Some((word, body)) = indented.and_then(|word| Some((word, colon(word)?))) {
            return Some(Loop { word, body });
        }
        let mut inner = nth;
        while let Some(open) = self.opener(inner) {
            if let Some(word) = self.is_open(open, b'{').then(|| self.head_of(open)).flatten() {
                return Some(Loop { word, body: open });
            }
            inner = open;
        }
        None
    }

    /// How often a loop goes round, and the name of its variable.
    fn rounds(&self, around: &Loop) -> (String, &str) {
        let joint = (around.word..around.body).find(|at| self.is(*at, "in")).unwrap_or(around.word);
        let list = self.source(joint + 1, around.body);
        let variable = if joint == around.word + 2 { self.spelled(around.word + 1) } else { "r" };
        let called = |word: &str| list.strip_prefix(word).and_then(|rest| rest.strip_suffix(')'));
        let less = |end: &str| end.trim().strip_suffix("+ 1").map(|end| end.trim().to_owned());
        let count = if let Some(end) = list.strip_prefix("1..=") {
            end.to_owned()
        } else if let Some(end) = list.strip_prefix("0..=") {
            format!("{end} + 1")
        } else if let Some(end) = list.strip_prefix("0..") {
            end.to_owned()
        } else if let Some(end) = list.strip_prefix("1..") {
            less(end).unwrap_or_else(|| format!("{end} - 1"))
        } else if let Some(end) = called("range(1,") {
            less(end).unwrap_or_else(|| format!("{} - 1", end.trim()))
        } else if let Some(end) = called("range(") {
            end.to_owned()
        } else {
            format!("len({list})")
        };
        (count, variable)
    }

    /// The value that `let name = …` gives before anything is changed.
    fn begun(&self, name: &str) -> Option<String> {
        let at = (1..self.tokens.len()).find(|nth| {
            let declared = self.before(*nth) == "let" || self.before(*nth) == "mut" || self.fresh(*nth) || *nth == 1;
            self.is(*nth, name)
                && declared
                && self.assigns(nth + 1)
                && !self.mentions(name, nth + 2, self.value_end(nth + 2))
        })?;
        Some(self.source(at + 2, self.value_end(at + 2)).to_owned())
    }

    /// Whether a name is used between two tokens.
    fn mentions(&self, name: &str, start: usize, end: usize) -> bool {
        (start..end).any(|nth| self.is(nth, name) && self.before(nth) != "." && !self.is(nth + 1, ":"))
    }

    /// A value as written, or only its brackets if it is long.
    pub(super) fn shown(&self, start: usize, end: usize) -> String {
        match (self.source(start, end), self.kind(start)) {
            ("…", Some(TokenKind::Open(b'{'))) => "{ … }".to_owned(),
            ("…", Some(TokenKind::Open(b'['))) => "[…]".to_owned(),
            (text, _) => text.to_owned(),
        }
    }
}

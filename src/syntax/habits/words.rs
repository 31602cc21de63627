//! Words that begin a statement elsewhere, and statements where a block has room for `let` and one value only.

use super::{Passage, found, habit};
use crate::diag::codes::syntax as codes;
use crate::diag::{Diagnostic, foreign, suggest};
use crate::syntax::scan::TokenKind;
use crate::syntax::words as keywords;

impl Passage<'_> {
    /// A statement on a line of its own inside a block.
    pub(super) fn word(&self, nth: usize) -> Option<Diagnostic> {
        if !self.is_word(nth) || self.depth(nth) == 0 || !self.begins_statement(nth) {
            return None;
        }
        let word = self.spelled(nth);
        if keywords::is_declaration(word) && word != "let" {
            return self.nested_declaration(nth);
        }
        let found = self.assertion(nth).or_else(|| self.change(nth)).or_else(|| self.left_out(nth));
        if let Some(found) = found.or_else(|| self.changed_later(nth)) {
            return Some(found);
        }
        if self.is_name(nth) && self.follows(nth + 1, ":=") {
            let mut found = self.without_let(nth, nth);
            found.fixes.clear();
            return Some(found.fix(self.span(nth, nth + 3), format!("let {word} =")));
        }
        if self.assigns(nth + 1) && self.is_name(nth) {
            return Some(self.without_let(nth, nth));
        }
        if self.is_name(nth) && self.is(nth + 1, ",") {
            let end =
                (nth + 1..self.tokens.len()).find(|at| self.fresh(*at) || !self.is_name(*at) && !self.is(*at, ","))?;
            let names: Vec<&str> = (nth..end).filter(|at| self.is_name(*at)).map(|at| self.spelled(at)).collect();
            return self.assigns(end).then(|| self.several(nth, end, &names));
        }
        if self.is_name(nth) && self.is(nth + 1, ".") && self.is_open(nth + 3, b'(') {
            let (method, name) = (self.spelled(nth + 2), self.spelled(nth));
            let close = self.close(nth + 3)?;
            let changes = [
                "remove",
                "pop",
                "sort",
                "update",
                "step",
                "zero_grad",
                "backward",
                "load_state_dict",
                "eval",
                "train",
                "prune",
                "fit",
                "init",
                "retrain",
                "rewind",
            ];
            return (changes.contains(&method) && close < self.failed).then(|| {
                let help = match method {
                    "train" | "prune" | "fit" | "retrain" | "rewind" | "init" => {
                        let method = if method == "fit" { "train" } else { method };
                        format!("write `let {name}_2 = {name} |> {method}({})`", self.source(nth + 4, close))
                    }
                    _ => {
                        "name a new value: `let … = …`; training and pruning are functions: `s |> train(…)`".to_owned()
                    }
                };
                habit("Nothing is changed in place", self.span(nth, close + 1), help)
            });
        }
        if self.is_name(nth) && self.is_name(nth + 1) && !self.fresh(nth + 1) && self.assigns(nth + 2) {
            return Some(self.without_let(nth, nth + 1));
        }
        // `{ global }`, `global,`: a name of the program.
        let alone = matches!(word, "pass" | "break" | "continue" | "return" | "end" | "done");
        let valued =
            matches!(self.kind(nth + 1), Some(TokenKind::Close(_))) || matches!(self.spelled(nth + 1), "," | ".");
        if !keywords::is_keyword(word)
            && let Some(advice) = foreign::statement(word).filter(|_| alone || !valued)
            && !self.is(nth + 1, ":")
        {
            let target = if self.is_open(nth + 1, b'{') {
                self.close(nth + 1).filter(|close| self.assigns(close + 1)).map(|close| self.source(nth + 1, close + 1))
            } else {
                (self.is_name(nth + 1) && self.assigns(nth + 2)).then(|| self.spelled(nth + 1))
            };
            let help = match target {
                Some(target) if advice.help().contains("let name") => format!("write `let {target} = …`"),
                _ => advice.help(),
            };
            return Some(habit(advice.message(word), self.span(nth, nth + 1), help));
        }
        None
    }

    /// Whether a token comes first in a block, or first on a line after a complete value.
    fn begins_statement(&self, nth: usize) -> bool {
        self.before(nth) == "{" || self.fresh(nth) && (self.after_value(nth) || nth == 0)
    }

    /// Whether `=` stands here, not `==` nor `=>`.
    pub(super) fn assigns(&self, nth: usize) -> bool {
        self.is(nth, "=") && !(self.touches(nth + 1) && matches!(self.spelled(nth + 1), "=" | ">"))
    }

    fn several(&self, start: usize, end: usize, names: &[&str]) -> Diagnostic {
        found(
            &codes::STRAY,
            "Several names get their values with `let`",
            self.span(start, end),
            "no `let` in front",
            format!("write `let ({}) = …`", names.join(", ")),
        )
        .fix(self.span(start, end), format!("let ({})", names.join(", ")))
    }

    fn without_let(&self, start: usize, name: usize) -> Diagnostic {
        let text = self.spelled(name);
        found(
            &codes::STRAY,
            format!("`{text}` gets a value without `let`"),
            self.span(start, name + 1),
            "no `let` in front",
            format!("write `let {text} = …`"),
        )
        .fix(self.span(start, name + 1), format!("let {text}"))
    }

    /// `if c { continue }`, `if c { break }`, `yield value`.
    fn left_out(&self, nth: usize) -> Option<Diagnostic> {
        let (word, place) = (self.spelled(nth), self.span(nth, nth + 1));
        if word == "yield" && !self.fresh(nth + 1) {
            let help = "remove `yield`: the last expression of a block is its value";
            return Some(habit("There is no `yield`", place, help).in_place_of(place));
        }
        let open = self.opener(nth).filter(|_| matches!(word, "continue" | "break"))?;
        let branch = (0..open)
            .rev()
            .take_while(|at| self.depth(*at) >= self.depth(open))
            .find(|at| self.is(*at, "if") && self.depth(*at) == self.depth(open))?;
        let help =
            format!("filter the loop in its head, and remove the `if`: write `{}`", self.filtered(branch, false)?);
        Some(habit(format!("There is no `{word}`: a `for` gives a value for each element"), place, help))
    }

    fn nested_declaration(&self, nth: usize) -> Option<Diagnostic> {
        let word = self.spelled(nth);
        if word == "expect" && self.is(0, "fn") && self.spelled(1).starts_with("test") {
            let brace = (0..nth).find(|at| self.is_open(*at, b'{'))?;
            let help = format!("write `test {} {{ … }}`", self.sentence(1));
            let place = self.span(0, brace);
            return Some(
                habit("A test has a sentence in quotes", place, help).fix(place, format!("test {} ", self.sentence(1))),
            );
        }
        let public = word == "pub";
        if matches!(self.spelled(nth + 1), ":" | "=" | "," | "}") || public && self.is(nth + 1, "let") {
            return None;
        }
        let main = self.is(0, "fn") && self.is(1, "main");
        let help = if main {
            "a program has no `main`: remove `fn main() {` and its `}`".to_owned()
        } else {
            format!(
                "move it out of the braces: a block holds `let` and ends with its value; `{word}` begins in the first column"
            )
        };
        let article = if matches!(word, "import" | "expect") { "An" } else { "A" };
        Some(found(
            &codes::STRAY,
            format!("{article} `{word}` stands at the top level of a file, not in a block"),
            self.span(nth, nth + 1),
            "inside a block",
            help,
        ))
    }

    /// A second value where a block has one.
    pub(super) fn second_value(&self, nth: usize) -> Option<Diagnostic> {
        if !self.fresh(nth)
            || !self.after_value(nth)
            || matches!(self.kind(nth), Some(TokenKind::Symbol | TokenKind::Close(_)))
        {
            return None;
        }
        let open = self.opener(nth).filter(|open| self.is_open(*open, b'{'))?;
        let inner = self.depth(nth);
        if self.before(nth) == "{"
            || self.lacks_else(nth)
            || self.is(nth + 1, ":")
            || (open + 1..nth).any(|at| self.depth(at) == inner && self.is(at, ","))
        {
            return None;
        }
        let record = self.is_word(open + 1) && self.is(open + 2, ":");
        (!record).then(|| {
            found(
                &codes::UNEXPECTED,
                "A block has one value, at its end",
                self.span(nth, nth + 1),
                "a second value begins here",
                "give the value before it a name with `let`, or remove it",
            )
        })
    }

    /// Whether the branch of an `if` ends before a token that is no `else`.
    fn lacks_else(&self, nth: usize) -> bool {
        if self.before(nth) != "}" || self.is(nth, "else") {
            return false;
        }
        let depth = self.depth(nth);
        let mut back = (0..nth - 1).rev().filter(|at| self.depth(*at) == depth);
        let open = back.find(|at| self.is_open(*at, b'{'));
        let mut head = back.take_while(|at| !matches!(self.kind(*at), Some(TokenKind::Close(b'}'))));
        open.is_some()
            && head
                .find(|at| matches!(self.spelled(*at), "if" | "else" | "let" | "{"))
                .is_some_and(|at| self.is(at, "if"))
    }

    /// Text at top level.
    pub(super) fn stray(&self) -> Option<Diagnostic> {
        let (word, place) = (self.spelled(0), self.span(0, 1));
        if let Some(marker) = self.marker(0) {
            return Some(marker);
        }
        if !self.is_word(0) {
            return self.symbol();
        }
        let declared = || self.foreign_function().or_else(|| self.type_declaration(0)).or_else(|| self.stage());
        if let Some(exact) = self.foreign_import().or_else(declared).or_else(|| self.assertion(0)) {
            return Some(exact);
        }
        if self.assigns(1) && self.is(2, "lambda") {
            return self.function_value(2);
        }
        if let Some(change) = (1..3).find_map(|nth| self.operator(nth).filter(|_| !self.fresh(nth))) {
            return Some(change);
        }
        if let Some(grid) = self.grid() {
            return Some(grid);
        }
        let labelled = self.is(1, ":") && !self.follows(1, ":=") && !self.fresh(1);
        let loops = matches!(word, "for" | "sweep" | "if");
        if let Some(advice) = foreign::statement(word).filter(|_| !self.assigns(1))
            && (!labelled || matches!(word, "try" | "else" | "finally" | "except" | "loop" | "do" | "default"))
        {
            let typed = self.is_name(1) && self.is(2, ":");
            let name =
                (1..4).find(|nth| self.is_name(*nth) && (self.assigns(*nth + 1) || typed)).map(|nth| self.spelled(nth));
            return Some(match name.filter(|_| !loops) {
                Some(name) if advice.help().contains("let name") => {
                    let direct = self.is_name(1) && self.assigns(2);
                    let equals = (1..8).find(|nth| self.assigns(*nth));
                    let value = equals.map_or("…", |nth| self.source(nth + 1, self.value_end(nth + 1)));
                    let value = value.trim_end_matches(';').trim_end();
                    let diagnostic = habit(advice.message(word), place, format!("write `let {name} = {value}`"));
                    if direct { diagnostic.fix(place, "let") } else { diagnostic }
                }
                _ if advice.help().contains("fn name") && self.is_name(1) && self.is_open(2, b'(') => {
                    habit(advice.message(word), place, advice.help().replace("name", self.spelled(1)))
                }
                _ if word == "if" && self.is(1, "__name__") => habit(
                    "A program has no `main`",
                    place,
                    "remove the line, and write the declarations at the left edge",
                ),
                _ => habit(advice.message(word), place, advice.help()),
            });
        }
        if labelled && self.is_name(0) {
            return Some(self.plan().unwrap_or_else(|| self.top_level_key()));
        }
        if self.is_open(1, b'[') || self.is(1, ".") {
            let changed = self.change(0);
            if changed.is_some() {
                return changed;
            }
        }
        if self.is_name(0) && self.is(1, ",") {
            let names: Vec<&str> = self
                .first_line()
                .take_while(|nth| !self.is(*nth, "="))
                .filter(|nth| self.is_name(*nth))
                .map(|nth| self.spelled(nth))
                .collect();
            return Some(self.several(0, 2 * names.len() - 1, &names));
        }
        let shows = [
            "to_csv", "save", "savefig", "show", "print", "plot", "dump", "export", "write", "to_excel", "head",
            "describe",
        ];
        if self.is_name(0) && self.first_line().any(|nth| self.before(nth) == "." && shows.contains(&self.spelled(nth)))
        {
            return Some(habit(
                "Results are written by `table` and `plot`",
                place,
                format!("write `table name = {word}`"),
            ));
        }
        let near = suggest::closest(word, keywords::DECLARATIONS).is_some();
        if !near && self.is_name(0) && self.is_name(1) && !self.fresh(1) && self.assigns(2) {
            return Some(self.without_let(0, 1));
        }
        let used =
            matches!(self.kind(1), Some(TokenKind::Open(b'(' | b'['))) || self.is(1, ".") || self.follows(1, "|>");
        (self.is_name(0) && used).then(|| {
            let value = self.source(0, self.value_end(0));
            let help = format!("write `let name = {value}`");
            found(&codes::STRAY, "A value at top level needs a name", place, "no declaration begins so", help)
        })
    }

    /// A sign at top level.
    fn symbol(&self) -> Option<Diagnostic> {
        if self.is(0, "-") && !self.touches(1) {
            return Some(self.listed(0));
        }
        if self.kind(0) == Some(TokenKind::Str) && self.is(1, ":") {
            let name = self.spelled(0).trim_matches('"');
            let value = self.source(2, self.value_end(2));
            return Some(found(
                &codes::STRAY,
                format!("`{name}` gets a value without `let`"),
                self.span(0, 1),
                "no declaration begins so",
                format!("write `let {name} = {value}`"),
            ));
        }
        self.operator(0).or_else(|| {
            matches!(self.kind(0), Some(TokenKind::Str | TokenKind::Number | TokenKind::Open(_))).then(|| {
                let value = self.source(0, self.value_end(0));
                found(
                    &codes::STRAY,
                    "A value at top level needs a name",
                    self.span(0, 1),
                    "no declaration begins so",
                    format!("write `let name = {value}`"),
                )
            })
        })
    }
}

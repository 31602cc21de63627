//! The layout of YAML and Python: blocks by indentation, lists by dashes, document markers.

use super::{Passage, found};
use crate::diag::Diagnostic;
use crate::diag::codes::syntax as codes;
use crate::source::FileId;
use crate::syntax::scan::{Token, TokenKind};

/// Finds what can be read, but was meant otherwise: a list with dashes, which are subtractions, `let a = b = 3`, a list
/// of values for a parameter that has one, `x = x + 1` in a loop.
pub(in super::super) fn misread(file: FileId, text: &str, tokens: &[Token]) -> Option<Diagnostic> {
    let passage = Passage { file, text, tokens, failed: tokens.len() };
    let list = (1..tokens.len()).find(|nth| passage.dashed(*nth)).map(|nth| passage.listed(nth));
    list.or_else(|| passage.chained())
        .or_else(|| passage.scalar_list())
        .or_else(|| passage.expectation())
        .or_else(|| passage.changed_in_loop())
}

impl Passage<'_> {
    pub(super) fn layout(&self, nth: usize) -> Option<Diagnostic> {
        if let Some(marker) = self.marker(nth) {
            return Some(marker);
        }
        if self.is(nth, ":") && nth == self.failed {
            return self.indented(nth);
        }
        if nth == self.failed && self.is(nth, "-") && self.fresh(nth) && !self.touches(nth + 1) {
            return Some(self.listed(nth));
        }
        (self.is(nth, "-") && self.fresh(nth) && matches!(self.before(nth), "=" | ":") && !self.touches(nth + 1))
            .then(|| self.listed(nth))
    }

    /// `---`, `...`, `%YAML`, `!include`.
    pub(super) fn marker(&self, nth: usize) -> Option<Diagnostic> {
        let text = ["---", "...", "%YAML", "```", "==="].into_iter().find(|marker| self.follows(nth, marker))?;
        let line = self.tokens.get(nth)?;
        let alone = self.fresh(nth)
            && (text == "%YAML" || self.text[line.start + text.len()..].lines().next().unwrap_or("").trim().len() < 12);
        (alone && line.flush).then(|| {
            found(
                &codes::FOREIGN_LAYOUT,
                "A program has no document marker",
                self.bytes(nth, text.len()),
                "not part of a program",
                format!("remove `{text}`"),
            )
        })
    }

    /// `let a = b = 3`.
    fn chained(&self) -> Option<Diagnostic> {
        let assigns = |nth: usize| self.is(nth, "=") && !self.follows(nth, "==") && !self.follows(nth, "=>");
        let chained = |nth: &usize| {
            self.is(*nth, "let")
                && self.is_name(nth + 1)
                && assigns(nth + 2)
                && self.is_name(nth + 3)
                && assigns(nth + 4)
        };
        let at = (0..self.tokens.len()).find(chained)?;
        let (first, second) = (self.spelled(at + 1), self.spelled(at + 3));
        let value = self.source(at + 5, self.value_end(at + 5));
        let help = format!("write `let {second} = {value}` and `let {first} = {second}` on two lines");
        Some(super::habit("Each name has a `let` of its own", self.span(at + 3, at + 5), help))
    }

    /// Whether a token is the first dash of a list of at least two.
    fn dashed(&self, nth: usize) -> bool {
        let starts =
            |at: usize| self.is(at, "-") && self.fresh(at) && !self.touches(at + 1) && at + 1 < self.tokens.len();
        let value = matches!(self.before(nth), "=" | ":" | "(" | "{") && self.before(nth.saturating_sub(1)) != "=";
        let depth = self.depth(nth);
        value
            && starts(nth)
            && (nth + 1..self.tokens.len())
                .any(|at| self.depth(at) == depth && starts(at) && self.column(at) == self.column(nth))
    }

    /// The distance of a token from the left edge of its line, in bytes.
    pub(super) fn column(&self, nth: usize) -> usize {
        let Some(token) = self.tokens.get(nth) else { return 0 };
        token.start - self.text[..token.start].rfind('\n').map_or(0, |line| line + 1)
    }

    /// A list with a dash in front of each element.
    pub(super) fn listed(&self, nth: usize) -> Diagnostic {
        let (depth, column) = (self.depth(nth), self.column(nth));
        let dashes: Vec<usize> = (nth..self.tokens.len())
            .take_while(|at| self.depth(*at) >= depth)
            .filter(|at| self.is(*at, "-") && self.fresh(*at) && self.column(*at) == column)
            .collect();
        let end = |at: usize| (at + 1..self.tokens.len()).find(|next| self.fresh(*next)).unwrap_or(self.tokens.len());
        let elements: Vec<&str> = dashes.iter().map(|at| self.source(at + 1, end(*at))).collect();
        let short = elements.iter().map(|element| element.len()).sum::<usize>() < 60
            && elements.iter().all(|element| !element.contains(": "));
        let keyed = elements.first().is_some_and(|element| element.contains(": "));
        let help = match elements.first() {
            _ if short => format!("write `[{}]`", elements.join(", ")),
            Some(first) if keyed => format!("write `[{{ {first}, … }}, …]`"),
            _ => "write `[…, …]`".to_owned(),
        };
        found(
            &codes::FOREIGN_LAYOUT,
            "A list is written in brackets",
            self.span(nth, end(nth)),
            "a list with dashes",
            help,
        )
    }

    /// `key: value` lines without braces; `nth` is the first colon that cannot be read.
    fn indented(&self, nth: usize) -> Option<Diagnostic> {
        if nth + 1 == self.tokens.len() && self.in_head(nth) {
            let message = "The body of a loop stands in braces";
            return Some(found(&codes::FOREIGN_LAYOUT, message, self.span(nth, nth + 1), "not `:`", "write `{ … }`"));
        }
        if let Some(dash) = nth.checked_sub(2).filter(|dash| self.is(*dash, "-") && self.fresh(*dash)) {
            let message = "Arguments and fields have no dashes";
            return Some(found(
                &codes::FOREIGN_LAYOUT,
                message,
                self.span(dash, dash + 1),
                "a dash of YAML",
                "remove the `-`",
            ));
        }
        let key = nth.checked_sub(1).filter(|key| self.is_word(*key))?;
        // `sgd:` with its settings below.
        if self.fresh(nth + 1) && nth + 1 < self.tokens.len() && !self.fresh(key) {
            let heading = self.is_word(nth + 1) && self.is(nth + 2, ":");
            if heading && matches!(self.spelled(key), "sweep" | "for") {
                let (word, name) = (self.spelled(key), self.spelled(nth + 1));
                let values = self.source(nth + 3, self.value_end(nth + 3));
                let help = format!("write `{word} {name} in {values} {{ … }}`");
                return Some(found(
                    &codes::FOREIGN_LAYOUT,
                    "A loop is written on one line, with its body in braces",
                    self.span(nth, nth + 1),
                    "settings by indentation",
                    help,
                ));
            }
            return heading.then(|| self.settings(nth + 1, Some(key), nth));
        }
        if !self.fresh(key) || key == 0 {
            return None;
        }
        if self.fresh(nth + 1)
            && self.is_word(nth + 1)
            && self.is(nth + 2, ":")
            && self.column(nth + 1) > self.column(key)
        {
            return Some(self.settings(nth + 1, Some(key), nth));
        }
        let parent = key.checked_sub(1)?;
        if self.is_name(parent) && parent > 0 && !self.is(parent - 1, "fn") {
            return Some(self.settings(key, Some(parent), nth));
        }
        matches!(self.spelled(parent), "=" | ":" | "{")
            .then(|| self.settings(key, None, nth))
            .filter(|_| self.spelled(parent) != "{")
    }

    /// Lines of settings from the key at `first`, of a function if `parent` names one.
    fn settings(&self, first: usize, parent: Option<usize>, colon: usize) -> Diagnostic {
        let (column, depth) = (self.column(first), self.depth(first));
        let keys: Vec<usize> = (first..self.tokens.len())
            .take_while(|at| self.depth(*at) >= depth)
            .filter(|at| self.is_word(*at) && self.is(at + 1, ":") && self.fresh(*at) && self.column(*at) == column)
            .collect();
        let entry = |key: &usize| {
            let value = if self.fresh(key + 2) { "…" } else { self.source(key + 2, self.value_end(key + 2)) };
            format!("{}: {value}", self.spelled(*key))
        };
        let entries: Vec<String> = keys.iter().map(entry).collect();
        let list = if entries.iter().map(String::len).sum::<usize>() < 80 {
            entries.join(", ")
        } else {
            format!("{}, …", entries[0])
        };
        let place = self.span(colon, colon + 1);
        match parent {
            Some(parent) => {
                let name = self.spelled(parent);
                found(
                    &codes::FOREIGN_LAYOUT,
                    "A call takes its arguments in parentheses",
                    place,
                    "settings by indentation",
                    format!("write `{name}({list})`"),
                )
            }
            None => found(
                &codes::FOREIGN_LAYOUT,
                "A record stands in braces",
                place,
                "settings by indentation",
                format!("write `{{ {list} }}`"),
            ),
        }
    }

    /// `key: value` at top level.
    pub(super) fn top_level_key(&self) -> Diagnostic {
        let name = self.spelled(0);
        if matches!(name, "imports" | "import" | "from" | "use" | "uses" | "modules" | "includes") {
            let help = "write `import std.data.{digits}`, a line for each module";
            return found(
                &codes::STRAY,
                "A module is brought in by `import`",
                self.span(0, 1),
                "no declaration begins so",
                help,
            );
        }
        let typed = self.is_word(2) && self.spelled(2).starts_with(|c: char| c.is_ascii_uppercase())
            || crate::diag::foreign::ty(self.spelled(2)).is_some();
        let assigned = self.first_line().find(|nth| *nth > 2 && self.is(*nth, "=") && self.depth(*nth) == 0);
        let place = self.span(0, 1);
        if let (true, Some(equals)) = (typed, assigned) {
            let (ty, value) = (self.source(2, equals), self.source(equals + 1, self.value_end(equals + 1)));
            let ty = crate::diag::foreign::ty(ty).unwrap_or(ty);
            let help = format!("write `let {name}: {ty} = {value}`");
            return found(
                &codes::STRAY,
                format!("`{name}` gets a value without `let`"),
                place,
                "no declaration begins so",
                help,
            );
        }
        let end = self.value_end(2);
        let value = if self.fresh(2) || end <= 2 { "…" } else { self.source(2, end) };
        let value = if self.kind(2) == Some(TokenKind::Symbol) && self.is(2, "|") { "…" } else { value };
        let help = format!(
            "write `let {name} = {value}`, or `param {name}: {} = {value}` if it is to be set from outside",
            self.guess(2)
        );
        let message = format!("`{name}:` belongs to no declaration");
        let diagnostic = found(&codes::STRAY, message, place, "no declaration begins so", help);
        if value == "…" || !self.plain_value(2) {
            diagnostic
        } else {
            diagnostic.fix(self.span(0, 2), format!("let {name} ="))
        }
    }
}

//! Imports as other languages write them.

use super::{Passage, habit};
use crate::diag::{Diagnostic, foreign};
use crate::syntax::scan::{Token, TokenKind};
use crate::syntax::words as keywords;

impl Passage<'_> {
    pub(super) fn import(&self) -> Option<Diagnostic> {
        if self.is(1, ".") || self.is(1, "/") {
            let end = (1..self.tokens.len())
                .find(|nth| self.is_open(*nth, b'{') || self.fresh(*nth) || self.is(*nth, "as"))
                .unwrap_or(self.tokens.len());
            let path = self.whole(1, end).trim_end_matches('.');
            let path = format!("{}.pd", path.strip_suffix(".pd").unwrap_or(path));
            let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
            let tail = if self.is_open(end, b'{') { "." } else { "" };
            let help = format!("write `import \"{path}\"{tail}{}`", self.whole(end, self.tokens.len()));
            let place = self.span(1, end);
            let diagnostic = habit("A file is imported by its name in quotes", place, help);
            return Some(diagnostic.fix(place, format!("\"{path}\"{tail}")));
        }
        let from = (1..self.tokens.len()).find(|nth| self.is(*nth, "from"));
        if self.is(1, "{") || from.is_some() {
            let module = from.map_or("module".to_owned(), |from| self.path(from + 1));
            let names = self.imported(1, from.unwrap_or(self.tokens.len()));
            let help = format!("write `import {module}.{{{}}}`", names.join(", "));
            let place = self.span(1, 2);
            let text = help.trim_start_matches("write `").trim_end_matches('`').to_owned();
            let diagnostic = habit("An import names the module first", place, help);
            let known = module.starts_with("std.") && !names.is_empty();
            return Some(if known { diagnostic.fix(self.span(0, self.tokens.len()), text) } else { diagnostic });
        }
        if let Some(star) = (1..self.tokens.len()).find(|nth| self.is(*nth, "*")) {
            let module = self.path(1);
            let help = format!("write `import {module}.{{name}}` with the names that are used");
            return Some(habit("Names are imported one by one", self.span(star, star + 1), help));
        }
        if let Some(colons) = (1..self.tokens.len()).find(|nth| self.follows(*nth, "::") || self.is(*nth, "/")) {
            let names = self.imported(colons, self.tokens.len());
            let module = self.path(1);
            let help = match names.as_slice() {
                [] => format!("write `import {module}`"),
                names => format!("write `import {module}.{{{}}}`", names.join(", ")),
            };
            let width = if self.is(colons, "/") { 1 } else { 2 };
            let sign = self.source(colons, colons + width);
            let text = help.trim_start_matches("write `").trim_end_matches('`').to_owned();
            let message = format!("The parts of a module's name are joined by `.`, not by `{sign}`");
            let diagnostic = habit(message, self.span(colons, colons + width), help);
            return Some(diagnostic.fix(self.span(0, self.tokens.len()), text));
        }
        if self.is(1, "std") && self.failed == 4 && !self.fresh(4) && !self.is(4, "as") {
            let names: Vec<&str> =
                (4..self.tokens.len()).filter(|nth| self.is_name(*nth)).map(|nth| self.spelled(nth)).collect();
            let text = format!("import {}.{{{}}}", self.source(1, 4), names.join(", "));
            let diagnostic =
                habit("The names stand in braces behind a point", self.span(4, 5), format!("write `{text}`"));
            return (!names.is_empty()).then(|| diagnostic.fix(self.span(0, self.tokens.len()), text));
        }
        let alias = (2..self.tokens.len()).find(|nth| self.is(*nth, "as") && self.depth(*nth) > 0)?;
        let name = self.before(alias);
        Some(habit(
            "A name keeps its name when it is imported from a list",
            self.span(alias, alias + 2),
            format!("write `{name}`, and `let {} = {name}` below the imports", self.spelled(alias + 1)),
        ))
    }

    /// The words of a module's name from a token on, joined by points: `std.data`.
    pub(super) fn path(&self, start: usize) -> String {
        let mut words = Vec::new();
        for nth in start..self.tokens.len() {
            match self.kind(nth) {
                Some(TokenKind::Word)
                    if self.depth(nth) == self.depth(start) && (nth == start || !self.is_word(nth - 1)) =>
                {
                    words.push(self.spelled(nth));
                }
                Some(TokenKind::Symbol) if matches!(self.spelled(nth), "." | ":" | "/") => {}
                Some(TokenKind::Str) => return self.spelled(nth).trim_matches('"').replace(['/', ':'], "."),
                _ => break,
            }
        }
        // `std.data.digits`: the third word is a name of the module.
        if words.first() == Some(&"std") {
            words.truncate(2);
        }
        words.join(".")
    }

    /// The names of an import: those in brackets, or what follows `import`, or the third word of `std.data.digits`.
    pub(super) fn imported(&self, start: usize, end: usize) -> Vec<&str> {
        names_from(self.text, &self.tokens[start.min(end)..end], &self.tokens[..end], false)
    }

    /// `from std.data import digits`, `use std::data::digits`, `library(std.data)`.
    pub(super) fn foreign_import(&self) -> Option<Diagnostic> {
        let word = self.spelled(0);
        let advice = foreign::statement(word)?;
        if !matches!(word, "from" | "use" | "using" | "include" | "require" | "library") || self.tokens.len() < 2 {
            return None;
        }
        if word == "from" && self.is(1, ".") && self.is_name(2) && self.is(3, "import") {
            let names: Vec<&str> =
                (4..self.tokens.len()).filter(|nth| self.is_name(*nth)).map(|nth| self.spelled(nth)).collect();
            let text = format!("import \"{}.pd\".{{{}}}", self.spelled(2), names.join(", "));
            let diagnostic = habit(advice.message(word), self.span(0, 1), format!("write `{text}`"));
            return Some(diagnostic.fix(self.span(0, self.tokens.len()), text));
        }
        let start = if matches!(self.kind(1), Some(TokenKind::Open(_))) { 2 } else { 1 };
        let module = self.path(start).replace("import", "");
        let second = (start..self.tokens.len()).find(|nth| self.is(*nth, "import")).unwrap_or(start);
        let names = if self.tokens[second..].iter().any(|token| &self.text[token.start..token.end] == "*") {
            Vec::new()
        } else if start == 2 {
            // `library(std.data)`
            let close = self.close(1).unwrap_or(self.tokens.len());
            (start..close).filter(|nth| self.is_name(*nth)).map(|nth| self.spelled(nth)).skip(2).collect()
        } else {
            self.imported(second, self.tokens.len())
        };
        let list = if names.is_empty() { "name".to_owned() } else { names.join(", ") };
        let help = if module.starts_with("std.") {
            format!("write `import {module}.{{{list}}}`")
        } else {
            "write `import module.{name}`; what pdsl has is in `std.data`, `std.models`, `std.prune`, `std.stats` and others".to_owned()
        };
        let exact = module.starts_with("std.") && !names.is_empty();
        let diagnostic = habit(advice.message(word), self.span(0, 1), help);
        let text = format!("import {module}.{{{list}}}");
        Some(if exact { diagnostic.fix(self.span(0, self.tokens.len()), text) } else { diagnostic })
    }
}

/// The names that a foreign import brings in, in the order they are written.
///
/// `tokens` is where they may stand; `before` begins with the head of the declaration; `aliases` are the names after
/// `as`, which are names here, but not in the module.
pub(in super::super) fn names_from<'a>(
    text: &'a str,
    tokens: &[Token],
    before: &[Token],
    aliases: bool,
) -> Vec<&'a str> {
    let word = |token: &Token| &text[token.start..token.end];
    let is_name =
        |token: &&Token| token.kind == TokenKind::Word && !keywords::is_keyword(word(token)) && word(token) != "from";
    let renamed = |token: &&Token| {
        let nth = before.partition_point(|other| other.start < token.start);
        aliases || nth.checked_sub(1).is_none_or(|at| word(&before[at]) != "as")
    };
    let braces: Vec<&str> =
        tokens.iter().filter(|token| token.depth > 0).filter(is_name).filter(renamed).map(word).collect();
    if !braces.is_empty() {
        return braces;
    }
    if let Some(import) = tokens.iter().position(|token| word(token) == "import") {
        return tokens[import + 1..].iter().filter(is_name).filter(renamed).map(word).collect();
    }
    // `std::data::digits`: what follows the module's name.
    let words: Vec<&str> = before.iter().filter(is_name).map(word).collect();
    let std = words.iter().position(|word| *word == "std");
    std.and_then(|std| words.get(std + 2)).into_iter().copied().collect()
}

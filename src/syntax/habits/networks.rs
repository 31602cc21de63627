//! Classes, types and stages, where pdsl has functions, records and calls.

use super::{Passage, habit};
use crate::diag::{Diagnostic, foreign};
use crate::syntax::scan::TokenKind;

/// Words that declare a piece of work elsewhere.
const STAGES: [&str; 17] = [
    "stage",
    "rule",
    "task",
    "job",
    "step",
    "pipeline",
    "workflow",
    "process",
    "node",
    "checkpoint",
    "experiment",
    "block",
    "component",
    "flow",
    "dag",
    "phase",
    "run",
];

/// The same at the head of a list of them.
const PLANS: [&str; 12] = [
    "stages",
    "rules",
    "tasks",
    "jobs",
    "steps",
    "pipeline",
    "pipelines",
    "workflow",
    "processes",
    "nodes",
    "flows",
    "phases",
];

/// Keys of a stage that hold what it does.
const WORK: [&str; 7] = ["cmd", "run", "command", "shell", "script", "exec", "do"];

/// A field's name, type and value as written.
type FieldText = (String, Option<String>, Option<String>);

impl Passage<'_> {
    /// `class Net(nn.Module):`, `struct Arm { … }`, `enum Scope { … }`, `type Rows = …`; `start` is the keyword.
    pub(super) fn type_declaration(&self, start: usize) -> Option<Diagnostic> {
        let word = self.spelled(start);
        let known = ["class", "struct", "enum", "type", "interface", "typedef", "dataclass", "record", "data"];
        if !known.contains(&word) || !self.is_name(start + 1) {
            return None;
        }
        let (name, place) = (self.spelled(start + 1), self.span(start, start + 1));
        if self.is(start + 2, "=") {
            let ty = self.type_text(start + 3, self.tokens.len());
            let help = format!("remove the line, and write `{ty}` where the type is used");
            return Some(habit("A type has no second name", place, help));
        }
        let parts = ["arch", "nn", "Module", "forward", "conv", "Conv2d", "linear", "Linear", "Sequential"];
        if (start..self.tokens.len()).any(|nth| parts.contains(&self.spelled(nth))) {
            return Some(self.network(start));
        }
        if word == "enum" {
            let open = (start..self.tokens.len()).find(|nth| self.is_open(*nth, b'{') || self.is(*nth, ":"))?;
            let variants: Vec<String> = (open + 1..self.tokens.len())
                .filter(|nth| self.is_name(*nth) && (self.fresh(*nth) || matches!(self.before(*nth), "{" | ",")))
                .map(|nth| format!("`\"{}\"`", self.spelled(nth).to_ascii_lowercase()))
                .take(4)
                .collect();
            let help = format!("remove it, and write texts: {}", variants.join(", "));
            return Some(habit("There are no types of one's own", place, help));
        }
        self.fields_of_type(start + 2).map(|help| habit("There are no type declarations", place, help(name)))
    }

    /// A class that is a network.
    fn network(&self, start: usize) -> Diagnostic {
        let name = self.spelled(start + 1);
        let message = "A network is a function that gives an `Arch`";
        let place = self.span(start, start + 1);
        let open = start + 2;
        let typed = self.is_open(open, b'(')
            && self.close(open).is_some_and(|close| {
                close == open + 1 && self.is_open(close + 1, b'{') || (open..close).any(|at| self.is(at, ":"))
            });
        if typed {
            let help = format!("write `fn {name}({}) {{ arch(…) }}`", self.formal_texts(open).join(", "));
            return habit(message, place, help).fix(place, "fn");
        }
        let makes = |nth: usize| {
            matches!(self.spelled(nth), "__init__" | "constructor" | "new" | "init") && self.is_open(nth + 1, b'(')
        };
        let init = (start..self.tokens.len()).find(|nth| makes(*nth));
        let formals = init.map(|nth| self.formal_texts(nth + 1)).unwrap_or_default().join(", ");
        let help = format!(
            "write `fn {name}({formals}) {{ arch([conv(…), …, linear(…)], channels: …, size: …) }}`, with the layers in \
             the order of `forward`"
        );
        habit(message, place, help)
    }

    /// What to write for a type with fields, which begin behind `from`.
    fn fields_of_type(&self, from: usize) -> Option<impl Fn(&str) -> String> {
        let begins = (from.saturating_sub(1)..self.tokens.len())
            .find(|nth| self.is_open(*nth, b'{') || self.is(*nth, ":") && self.fresh(nth + 1))?;
        let depth = self.depth(begins + 1);
        let field = |nth: usize| {
            let first = self.fresh(nth) || matches!(self.before(nth), "{" | "," | "pub");
            (self.depth(nth) == depth && self.is_name(nth) && first && matches!(self.spelled(nth + 1), ":" | "=")).then(
                || {
                    let end = self.value_end(nth + 2);
                    let equals = (nth + 1..end).find(|at| self.is(*at, "=") && self.depth(*at) == depth);
                    let ty = self.is(nth + 1, ":").then(|| self.type_text(nth + 2, equals.unwrap_or(end)));
                    let value = equals.map(|at| self.source(at + 1, end).to_owned());
                    (self.spelled(nth).to_owned(), ty, value)
                },
            )
        };
        let fields: Vec<FieldText> = (begins + 1..self.tokens.len()).filter_map(field).collect();
        if fields.is_empty() {
            return None;
        }
        let listed = |part: &dyn Fn(&FieldText) -> String| {
            let texts: Vec<String> = fields.iter().map(part).collect();
            if texts.len() > 5 { format!("{}, …", texts[..5].join(", ")) } else { texts.join(", ") }
        };
        let hole = "…".to_owned();
        let values = listed(&|(name, _, value)| format!("{name}: {}", value.as_ref().unwrap_or(&hole)));
        let types = listed(&|(name, ty, _)| format!("{name}: {}", ty.as_ref().unwrap_or(&hole)));
        let filled = fields.iter().all(|(.., value)| value.is_some());
        Some(move |name: &str| {
            if filled {
                format!("write one record: `let {name} = {{ {values} }}`")
            } else {
                format!(
                    "remove it: a record needs none; write `{{ {values} }}` for one, and `{{ {types} }}` for its type"
                )
            }
        })
    }

    /// `stage train(width, seed) { … }`, `rule train:`, `process train { … }` at top level.
    pub(super) fn stage(&self) -> Option<Diagnostic> {
        let word = self.spelled(0);
        let quoted = self.kind(1) == Some(TokenKind::Str);
        let opens = |nth: usize| self.is_open(nth, b'{') || self.is(nth, ":") && self.fresh(nth + 1);
        if !STAGES.contains(&word) {
            return None;
        }
        let place = self.span(0, 1);
        if self.is_open(1, b'{') && !self.fresh(1) {
            let help = format!("remove `{word} {{` and its `}}`, and write the declarations at the left edge");
            return Some(habit(format!("A program has no `{word}` around it"), place, help));
        }
        if !(self.is_name(1) && !self.fresh(1) || quoted) || !(opens(2) || self.is_open(2, b'(')) {
            return None;
        }
        let name = self.spelled(1).trim_matches('"').replace(['-', ' ', '.', '/'], "_");
        let formals = if self.is_open(2, b'(') { self.formal_texts(2) } else { vec!["…".to_owned()] };
        let body = (2..self.tokens.len()).find(|nth| opens(*nth)).map_or(2, |nth| nth + 1);
        let keys: Vec<usize> = (body..self.tokens.len())
            .filter(|nth| {
                let begins = self.fresh(*nth) || matches!(self.before(*nth), "{" | ",");
                let key = self.is_word(*nth) && begins && (self.is(nth + 1, ":") || self.is(nth + 1, "="));
                key && self.depth(*nth) == self.depth(body) && self.column(*nth) <= self.column(body)
            })
            .collect();
        let work = keys.iter().find(|nth| WORK.contains(&self.spelled(**nth)));
        let work = work.map(|nth| self.whole(nth + 2, self.value_end(nth + 2)));
        let work = work.filter(|text| !text.starts_with('"') && !text.contains('\n') && text.len() <= 120);
        let left: Vec<String> = keys.iter().map(|nth| format!("`{}`", self.spelled(*nth))).take(4).collect();
        let left = if left.is_empty() { String::new() } else { format!("; {} are left out", left.join(", ")) };
        let types =
            if formals.iter().any(|formal| formal.ends_with('…')) { ", with its parameters' types" } else { "" };
        let text = format!("fn {name}({}) {{ {} }}", formals.join(", "), work.unwrap_or("…"));
        let message = "Stages follow from what a program calls";
        Some(habit(message, place, format!("write `{text}`{types}{left}")))
    }

    /// `stages:` with a stage below.
    pub(super) fn plan(&self) -> Option<Diagnostic> {
        let nested = self.fresh(2) && (self.is_name(2) && self.is(3, ":") || self.is(2, "-"));
        (PLANS.contains(&self.spelled(0)) && nested).then(|| {
            let first = if self.is_name(2) { self.spelled(2) } else { "name" };
            let help = format!(
                "write a function for each, `fn {first}(…) {{ … }}`, and call them where their results are needed"
            );
            habit("Stages follow from what a program calls", self.span(0, 1), help)
        })
    }

    /// `pub struct`, `pub mod`, `pub const`.
    pub(super) fn public(&self) -> Option<Diagnostic> {
        let word = self.spelled(1);
        if word == "fn" || word == "let" {
            return None;
        }
        if let Some(found) = self.type_declaration(1).or_else(|| self.foreign_function()) {
            return Some(found);
        }
        let advice = foreign::statement(word).filter(|_| !crate::syntax::words::is_keyword(word))?;
        Some(habit(advice.message(word), self.span(1, 2), advice.help()))
    }
}

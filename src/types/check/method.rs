//! Methods: what other languages call on a value is a function here.

use super::super::ty::{Plain, Ty};
use super::Checker;
use super::field::{PARAMETER, STATE, TASK};
use crate::diag::{Diagnostic, codes::types as codes, foreign};
use crate::resolve::library;
use crate::source::Span;
use crate::syntax::tree::{Arg, Expr, ExprKind, Name};

/// What makes an iterator of a list elsewhere, or a list of an iterator.
const ITERATORS: [&str; 12] = [
    "iter",
    "into_iter",
    "iter_mut",
    "collect",
    "cloned",
    "copied",
    "to_vec",
    "tolist",
    "stream",
    "unwrap",
    "expect",
    "unwrap_or_default",
];

impl Checker<'_> {
    /// Whether values of a type have a field.
    pub(super) fn has_field(&self, owner: &Ty, field: &str) -> bool {
        match self.solver.shallow(owner) {
            Ty::Error | Ty::Var(_) | Ty::Plain(Plain::Seed) | Ty::Rows(None) => true,
            Ty::Record(fields) => fields.get(field).is_some(),
            Ty::Rows(Some(row)) => row.fields.get(field).is_some(),
            Ty::Plain(Plain::State) => STATE.iter().any(|(name, _)| *name == field),
            Ty::Plain(Plain::Task) => {
                TASK.iter().any(|(name, _)| *name == field) || matches!(field, "train" | "val" | "test")
            }
            Ty::Plain(Plain::Parameter) => PARAMETER.contains(&field),
            _ => false,
        }
    }

    /// Reports a field that is a function, or a method of another language; says whether it is one. `call` are the
    /// arguments, and the whole from the value on.
    pub(super) fn method(&mut self, owner: &Ty, field: &Name, base: Span, call: Option<(&[Arg], Span)>) -> bool {
        let args = call.map(|(args, _)| args);
        let name = &*field.text;
        let value = self.source(base);
        let inner = value.strip_prefix('(').and_then(|value| value.strip_suffix(')'));
        let value = inner.filter(|inner| !inner.contains(['(', ')'])).unwrap_or(value);
        let value = if value.len() <= 48 && !value.contains('\n') { value } else { "…" };
        let here = self.local(name).is_none() && self.linked.lookup(self.module, name).is_some();
        let library = library::providers(name).first().copied().filter(|_| !here);
        let shown = match self.settled(owner) {
            Ty::Plain(Plain::State) => "a state".to_owned(),
            Ty::Plain(Plain::Task) => "a task".to_owned(),
            Ty::Record(_) => "the record".to_owned(),
            Ty::List(_) => "a list".to_owned(),
            Ty::Rows(_) => "the result of a sweep".to_owned(),
            Ty::Column(_) => "a column".to_owned(),
            other => other.described(),
        };
        let alone = call.map(|(_, whole)| whole).filter(|whole| self.stands_alone(*whole));
        let (message, help) = if here || library.is_some() {
            let call = self.as_call(name, value, args, call.is_none() || alone.is_some());
            let help = match library {
                Some(module) => format!("add `import std.{module}.{{{name}}}` and write `{call}`"),
                None => format!("write `{call}`"),
            };
            (format!("{shown} has no `{name}`, but there is a function `{name}`"), help)
        } else if let Some(advice) = foreign::method(name) {
            (format!("{shown} has no `{name}`"), advice.filled(&[value]))
        } else {
            return false;
        };
        let diagnostic = Diagnostic::error(&codes::METHOD, message).label(field.span, "not a field").help(help);
        self.report(match alone {
            Some(whole) => diagnostic.in_place_of(whole),
            None => diagnostic,
        });
        true
    }

    /// Whether any expression may take the place of what stands there, as nothing around it binds it.
    fn stands_alone(&self, span: Span) -> bool {
        let text = &self.linked.sources.get(span.file).text;
        let (Some(before), Some(after)) = (text.get(..span.start as usize), text.get(span.end as usize..)) else {
            return false;
        };
        let (before, next) = (before.trim_end(), after.trim_start());
        let opened = before.ends_with(['=', '(', ',', ':', '{', '[']) && !before.ends_with("==");
        let ended = next.is_empty() || next.starts_with([',', ')', '}', ']']) || next.starts_with("//");
        let fresh = after.trim_start_matches(' ').starts_with('\n') && next.starts_with(|c: char| c.is_alphabetic());
        opened && (ended || fresh)
    }

    /// Reports a chain of iterators, `xs.iter().map(f).collect()`, as what it is here: `xs |> map(f)`.
    pub(super) fn iterators(&mut self, expr: &Expr) -> bool {
        let mut links = Vec::new();
        let mut value = expr;
        while let ExprKind::Call(callee, args) = &*value.kind
            && let ExprKind::Field(base, name) = &*callee.kind
        {
            links.push((name, args));
            value = base;
        }
        links.reverse();
        let Some((first, _)) = links.first() else { return false };
        if !links.iter().any(|(name, _)| ITERATORS.contains(&&*name.text)) {
            return false;
        }
        if links.len() < 2 || !matches!(self.silent(value), Ty::List(_)) {
            return false;
        }
        let mut steps = vec![self.brief(value).to_owned()];
        for (name, args) in &links {
            let function = match &*name.text {
                text if ITERATORS.contains(&text) => continue,
                "filter" => "keep",
                "count" | "length" => "len",
                text if self.linked.lookup(self.module, text).is_some() => text,
                _ => return false,
            };
            let text = match (args.first(), args.last()) {
                (Some(first), Some(last)) => self.source(first.value.span.to(last.value.span)),
                _ => "",
            };
            let text = if text.len() <= 90 && !text.contains('\n') { text } else { "…" };
            steps.push(if text.is_empty() { function.to_owned() } else { format!("{function}({text})") });
        }
        let help = format!("a list is passed on without iterators: write `{}`", steps.join(" |> "));
        let message = format!("a list has no `{}`", first.text);
        self.report(
            Diagnostic::error(&codes::METHOD, message)
                .label(first.span, "not a field")
                .help(help)
                .in_place_of(expr.span),
        );
        true
    }

    /// A function called with a value in front: `len(xs)`, or `xs |> map(f)` where there is more. A pipe binds least, so
    /// it stands only where nothing is around it.
    fn as_call(&self, name: &str, value: &str, args: Option<&[Arg]>, alone: bool) -> String {
        let over = match name {
            "mean" => ", over: .seed",
            _ => "",
        };
        match args {
            Some(args @ [first, ..]) => {
                let last = args.last().unwrap_or(first);
                let start = first.label.as_ref().map_or(first.value.span, |label| label.span);
                let text = self.source(start.to(last.value.span));
                let text = if text.len() <= 60 && !text.contains('\n') { text } else { "…" };
                if alone { format!("{value} |> {name}({text})") } else { format!("{name}({value}, {text})") }
            }
            _ => format!("{name}({value}{over})"),
        }
    }
}

//! Reports about the arguments of a call: missing, doubled, without a label or with an unknown one.

use super::super::signature::{Formal, Signature};
use super::super::ty::{Plain, Ty};
use super::Checker;
use super::call::{Call, Slots};
use super::convert::is_operation;
use super::expr::is_adaptable;
use crate::diag::{Diagnostic, codes::types as codes, foreign, suggest};
use crate::source::Span;
use crate::syntax::tree::{Arg, Expr, ExprKind, Name};

/// What callers of other libraries call the amount to prune.
const AMOUNTS: [&str; 8] = ["amount", "rate", "sparsity", "to", "remove", "p", "fraction", "ratio"];

/// The parameter of a function that is a pruner.
fn takes_pruner(signature: &Signature) -> Option<&Formal> {
    signature.formals.iter().find(|formal| formal.ty.is(Plain::Pruner))
}

impl Checker<'_> {
    /// Reports numbers without their labels beyond the first argument.
    pub(super) fn without_labels(&mut self, signature: &Signature, slots: &Slots<'_>, nameless: &[(usize, &Expr)]) {
        let Some((_, first)) = nameless.first() else { return };
        if let Some(number) = self.decimal_comma(first) {
            self.report(
                Diagnostic::error(&codes::UNNAMED_NUMBER, "a number has a point, not a comma")
                    .label(first.span, "a second argument")
                    .help(format!("write `{number}`")),
            );
            return;
        }
        // A number without a label is more likely meant for a parameter that must be given.
        let mut required = (0..slots.len()).filter(|at| slots[*at].is_none() && !signature.formals[*at].optional);
        let meant = |at: &usize| if signature.formals[*at].optional { required.next().unwrap_or(*at) } else { *at };
        let places: Vec<usize> = nameless.iter().map(|(at, _)| at).map(meant).collect();
        let places = self.places_by_type(signature, slots, nameless).unwrap_or(places);
        let names: Vec<_> = places.iter().map(|at| format!("`{}`", signature.formals[*at].name)).collect();
        let message = match names.as_slice() {
            [only] => format!("the argument {only} of `{}` needs its label", signature.name),
            names => format!("the arguments {} of `{}` need their labels", names.join(", "), signature.name),
        };
        let written: Vec<_> = nameless
            .iter()
            .zip(&places)
            .map(|((_, value), at)| format!("{}: {}", signature.formals[*at].name, self.source(value.span)))
            .collect();
        let diagnostic = Diagnostic::error(&codes::UNNAMED_NUMBER, message)
            .label(first.span, "which one is this?")
            .help(format!("write `{}`", written.join(", ")));
        self.report(if nameless.len() == 1 { diagnostic.in_place_of(first.span) } else { diagnostic });
    }

    /// For each value without a label the parameter whose type it has, if each has its own.
    fn places_by_type(
        &mut self,
        signature: &Signature,
        slots: &Slots<'_>,
        nameless: &[(usize, &Expr)],
    ) -> Option<Vec<usize>> {
        let taken = |at: &usize| nameless.iter().any(|(place, _)| place == at);
        let mut free: Vec<usize> = (0..slots.len()).filter(|at| slots[*at].is_none() || taken(at)).collect();
        free.sort_by_key(|at| signature.formals[*at].optional);
        let mut places = Vec::new();
        for (_, value) in nameless {
            let ty = self.silent(value);
            let fits = |at: &usize| match (&signature.formals[*at].ty, &*value.kind) {
                (Ty::Function(params, _), ExprKind::Lambda(lambda)) => params.len() == lambda.params.len(),
                (wanted, _) => *wanted == ty,
            };
            let adapts = |at: &usize| is_adaptable(value) && signature.formals[*at].ty.is(Plain::Float);
            let nth = free.iter().position(fits).or_else(|| free.iter().position(adapts))?;
            places.push(free.remove(nth));
        }
        Some(places)
    }

    /// `0,9` as a decimal, if the argument is the part behind such a comma.
    pub(super) fn decimal_comma(&self, value: &Expr) -> Option<String> {
        let text = &self.linked.sources.get(value.span.file).text;
        let before = text.get(..value.span.start as usize)?.strip_suffix(',')?;
        let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let follows = self.source(value.span).bytes().all(|byte| byte.is_ascii_digit());
        (digits > 0 && follows).then(|| format!("{}.{}", &before[before.len() - digits..], self.source(value.span)))
    }

    pub(super) fn repeated(&mut self, signature: &Signature, label: &Name, value: &Expr) {
        self.infer(value);
        let message = format!("`{}` is given `{}` twice", signature.name, label.text);
        self.report(
            Diagnostic::error(&codes::REPEATED_ARGUMENT, message)
                .label(label.span, "the same argument again")
                .help("leave one of them out"),
        );
    }

    pub(super) fn unknown_label(&mut self, signature: &Signature, label: &Name, value: &Expr, args: &[Arg]) {
        let criterion = |checker: &mut Self| {
            let mut given = args.iter().filter(|arg| arg.label.is_none());
            given.any(|arg| checker.silent(&arg.value).is(Plain::Criterion))
        };
        if AMOUNTS.contains(&&*label.text) && takes_pruner(signature).is_some() && criterion(self) {
            // That a criterion is no pruner is reported where it stands, with this amount.
            return;
        }
        let message = format!("`{}` has no parameter `{}`", signature.name, label.text);
        let known = signature.formals.iter().map(|formal| &*formal.name);
        let synonym = foreign::synonyms(&label.text)
            .iter()
            .find_map(|name| signature.formals.iter().find(|formal| &*formal.name == *name));
        let near = suggest::question(&label.text, known);
        let misspelt = near.is_some();
        let help = match (near, synonym) {
            (Some(question), _) => question,
            (None, Some(formal)) => self.relabelled(formal, value),
            (None, None) => self
                .by_pruner(signature, label, value)
                .or_else(|| self.elsewhere(signature, label, value))
                .unwrap_or(format!("its signature is `{signature}`")),
        };
        let diagnostic =
            Diagnostic::error(&codes::UNKNOWN_LABEL, message).label(label.span, "not one of its parameters").help(help);
        self.report(if misspelt { diagnostic.in_place_of(label.span) } else { diagnostic });
    }

    /// How much to prune, where a pruner says it.
    pub(super) fn by_pruner(&self, signature: &Signature, label: &Name, value: &Expr) -> Option<String> {
        if !AMOUNTS.contains(&&*label.text) {
            return None;
        }
        let amount = self.source(value.span);
        let to = matches!(&*label.text, "to" | "sparsity");
        if let Some(formal) = takes_pruner(signature) {
            let pruner =
                if to { format!("pruner(magnitude, to: {amount})") } else { format!("global_magnitude({amount})") };
            return Some(format!("a pruner says how much: write `{}: {pruner}`", formal.name));
        }
        (to && signature.result.is(Plain::Pruner)).then(|| {
            let rate = signature.formals.first().map_or("", |formal| &*formal.name);
            format!("`{rate}` is a share of what is left; up to a sparsity, write `pruner(magnitude, to: {amount})`")
        })
    }

    /// Where something is said that this function has no parameter for.
    fn elsewhere(&mut self, signature: &Signature, label: &Name, value: &Expr) -> Option<String> {
        let names = foreign::synonyms(&label.text);
        if &*label.text == "margin" && signature.result.is(Plain::Verdict) {
            let help = "leave it out: any difference counts here; a margin belongs to `not_worse` and `equivalent`";
            return Some(help.to_owned());
        }
        if signature.result.is(Plain::Recipe) && (names.contains(&"until") || &*label.text == "until") {
            let unit = if matches!(*value.kind, ExprKind::Int(_)) { "ep" } else { "" };
            let amount = self.brief(value);
            return Some(format!("how long is said where it is used: write `train(…, until: {amount}{unit})`"));
        }
        if let Some(formal) = signature.formals.iter().find(|formal| formal.ty.is(Plain::Recipe)) {
            let optimiser = self.linked.lookup(self.module, "sgd").and_then(|target| self.signature(target));
            let belongs = |known: &Formal| *known.name == *label.text || names.contains(&&*known.name);
            if let Some(setting) = optimiser.as_ref().and_then(|sgd| sgd.formals.iter().find(|known| belongs(known))) {
                let (name, amount, recipe) = (&setting.name, self.brief(value), &formal.name);
                return Some(format!("it belongs to the recipe: write `{recipe}: sgd({name}: {amount}, …)`"));
            }
        }
        foreign::setting(&label.text).map(foreign::Advice::help)
    }

    /// How much to remove, as it stands behind a value: `, remove: 20%`.
    pub(super) fn amount_after(&self, span: Span) -> Option<String> {
        let text = &self.linked.sources.get(span.file).text;
        let rest = text.get(span.end as usize..)?.strip_prefix(',')?;
        let (label, rest) = rest.split_once(':')?;
        let label = AMOUNTS.iter().find(|known| **known == label.trim())?;
        let value: String = rest.chars().take_while(|c| !matches!(c, ',' | ')' | '(' | '\n')).collect();
        let label = if matches!(*label, "to" | "sparsity") { "to" } else { "remove" };
        rest[value.len()..].starts_with([',', ')']).then(|| format!("{label}: {}", value.trim()))
    }

    /// An argument under the name that it has here.
    pub(super) fn relabelled(&mut self, formal: &Formal, value: &Expr) -> String {
        let text = self.source(value.span);
        let short = if text.len() <= 40 && !text.contains('\n') { text } else { "…" };
        let unit = match (&formal.ty, &*value.kind) {
            (Ty::Plain(Plain::Step), ExprKind::Int(_)) => "ep",
            (Ty::Plain(Plain::Step), ExprKind::Name(_)) if self.silent(value).is(Plain::Int) => " * 1ep",
            _ => "",
        };
        format!("write `{}: {short}{unit}`", formal.name)
    }

    pub(super) fn too_many(&mut self, signature: &Signature, span: Span, first: Option<&Expr>) {
        let takes = match signature.formals.len() {
            0 => "no arguments".to_owned(),
            1 => "one argument".to_owned(),
            n => format!("at most {n} arguments"),
        };
        let help = match (&*signature.name, first) {
            ("round", Some(x)) if matches!(self.silent(x), Ty::Measured(_)) => {
                format!("tables and plots round what they show: write `{}` without `round`", self.brief(x))
            }
            ("round", Some(x)) => {
                let text = self.brief(x);
                let x = if is_operation(x) { format!("({text})") } else { text.to_owned() };
                let places = self.source(span).parse::<usize>().ok().filter(|places| (1..=9).contains(places));
                let power = format!("1{}.0", "0".repeat(places.unwrap_or(2)));
                let words = ["one place is", "two places are", "three places are", "four places are"];
                let places = words.get(places.unwrap_or(2) - 1).copied().unwrap_or("as many places are");
                format!("it gives a whole number; {places} `float(round({x} * {power})) / {power}`")
            }
            _ => format!("its signature is `{signature}`"),
        };
        self.report(
            Diagnostic::error(&codes::EXCESS_ARGUMENT, format!("`{}` takes {takes}", signature.name))
                .label(span, "one too many")
                .help(help),
        );
    }

    pub(super) fn missing(&mut self, signature: &Signature, slots: &Slots<'_>, call: &Call<'_>) {
        let absent: Vec<_> = signature
            .formals
            .iter()
            .zip(slots)
            .filter(|(formal, slot)| slot.is_none() && !formal.optional)
            .map(|(formal, _)| format!("`{}`", formal.name))
            .collect();
        if absent.is_empty() {
            return;
        }
        if matches!(&*signature.name, "min" | "max")
            && let Some(Some(given)) = slots.first()
            && matches!(self.silent(given.value), Ty::List(_) | Ty::Range(_))
        {
            let name = &signature.name;
            let text = self.source(given.value.span);
            let text = if text.len() <= 40 { text } else { "xs" };
            self.report(
                Diagnostic::error(&codes::MISSING_ARGUMENT, format!("`{name}` takes two values, not a list"))
                    .label(given.value.span, "a list")
                    .help(format!("write `fold({text}, first({text}), (a, b) => {name}(a, b))`")),
            );
            return;
        }
        let list = absent.join(", ");
        let examples: Vec<String> = signature
            .formals
            .iter()
            .zip(slots)
            .filter(|(formal, slot)| slot.is_none() && !formal.optional)
            .filter_map(|(formal, _)| Some(format!("`{}: {}`", formal.name, self.example(formal, call.callee)?)))
            .collect();
        let help = if examples.len() == absent.len() {
            format!("add {}; its signature is `{signature}`", examples.join(", "))
        } else {
            format!("its signature is `{signature}`")
        };
        self.report(
            Diagnostic::error(&codes::MISSING_ARGUMENT, format!("`{}` needs {list}", signature.name))
                .label(call.callee, format!("{list} not given"))
                .help(help),
        );
    }
}

/// Whether an argument for a parameter needs its label beyond the first place.
pub(super) fn needs_label(signature: &Signature, at: usize) -> bool {
    let ty = &signature.formals[at].ty;
    (ty.is_number() || ty.is(Plain::Bool)) && !signature.is_mathematics()
}

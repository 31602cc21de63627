//! Calls: which argument goes to which parameter, and what each must be.

use std::sync::Arc;

use super::super::signature::{Formal, Signature};
use super::super::ty::{Plain, Ty};
use super::expr::is_adaptable;
use super::{Checker, ColumnRole};
use crate::diag::{Diagnostic, codes::types as codes, foreign, suggest};
use crate::resolve::Target;
use crate::source::Span;
use crate::syntax::tree::{Arg, Expr, ExprKind, Name};

/// A call as written.
pub(super) struct Call<'e> {
    /// What is called.
    pub(super) callee: Span,
    /// The value that is piped in.
    pub(super) piped: Option<&'e Expr>,
    /// What stands in parentheses.
    pub(super) args: &'e [Arg],
}

/// The argument for a parameter.
#[derive(Clone, Copy)]
pub(super) struct Given<'e> {
    pub(super) value: &'e Expr,
    /// Already reported: typed, but not checked.
    mistaken: bool,
}

/// Arguments by parameter.
pub(super) type Slots<'e> = Vec<Option<Given<'e>>>;

impl Checker<'_> {
    pub(super) fn pipe(&mut self, expr: &Expr, left: &Expr, right: &Expr) -> Ty {
        match &*right.kind {
            ExprKind::Call(callee, args) => self.call(expr, callee, Some(left), args),
            _ => self.call(expr, right, Some(left), &[]),
        }
    }

    pub(super) fn call(&mut self, expr: &Expr, callee: &Expr, piped: Option<&Expr>, args: &[Arg]) -> Ty {
        let call = Call { callee: callee.span, piped, args };
        if let Some(signature) = self.called(callee) {
            return self.call_function(&signature, &call);
        }
        let value = match &*callee.kind {
            ExprKind::Field(base, field) if piped.is_none() && self.module_named(base).is_none() => {
                let owner = self.infer(base);
                if let Some(ty) = self.at(&owner, field, args, expr.span) {
                    return ty;
                }
                if !self.has_field(&owner, &field.text) && self.method(&owner, field, base.span, Some(args)) {
                    let reported = self.diagnostics.len();
                    self.infer_args(args);
                    self.diagnostics.truncate(reported);
                    return Ty::Error;
                }
                self.field_of(&owner, field, base.span)
            }
            _ => self.infer(callee),
        };
        self.call_value(&value, &call)
    }

    /// The signature of a callee that is a function of some module.
    fn called(&mut self, callee: &Expr) -> Option<Arc<Signature>> {
        match &*callee.kind {
            ExprKind::Paren(inner) => self.called(inner),
            ExprKind::Name(name) if self.local(name).is_none() => {
                let target = self.linked.lookup(self.module, name)?;
                self.signature(target)
            }
            ExprKind::Field(base, field) => {
                let module = self.module_named(base)?;
                match self.member(module, &field.text) {
                    Target::Unknown => None,
                    target => self.signature(target),
                }
            }
            _ => None,
        }
    }

    pub(super) fn infer_args(&mut self, args: &[Arg]) {
        for arg in args {
            self.infer(&arg.value);
        }
    }

    fn call_function(&mut self, signature: &Arc<Signature>, call: &Call<'_>) -> Ty {
        let slots = self.assign(signature, call);
        let open: Vec<Ty> = signature.generics.iter().map(|_| self.solver.fresh()).collect();
        let outer = (self.context.clone(), self.role);
        let reported = self.diagnostics.len();
        let types = self.arguments(signature, &slots, &open);
        self.order(signature, &slots, call, reported);
        let result = self.solver.instantiate(&signature.result, &open);
        let result = self.special(signature, &slots, &types, result);
        (self.context, self.role) = outer;
        result
    }

    /// Distributes arguments to parameters: labels first, then the others in order.
    fn assign<'e>(&mut self, signature: &Signature, call: &Call<'e>) -> Slots<'e> {
        let mut slots: Slots<'e> = vec![None; signature.formals.len()];
        let mut excuse = call.args.iter().any(|arg| matches!(*arg.value.kind, ExprKind::Error));
        for arg in call.args {
            let Some(label) = &arg.label else { continue };
            match signature.formals.iter().position(|formal| formal.name == label.text) {
                Some(at) if slots[at].is_some() => self.repeated(signature, label, &arg.value),
                Some(at) => slots[at] = Some(Given { value: &arg.value, mistaken: false }),
                None => {
                    excuse = true;
                    self.infer(&arg.value);
                    self.unknown_label(signature, label, &arg.value);
                }
            }
        }
        let labelled: Vec<bool> = slots.iter().map(Option::is_some).collect();
        let mut free = (0..slots.len()).filter(|&at| !labelled[at]);
        let written = call.args.iter().enumerate().filter(|(_, arg)| arg.label.is_none());
        let positional =
            call.piped.into_iter().map(|piped| (0, piped)).chain(written.map(|(at, arg)| (at, &arg.value)));
        let mut excess: Option<Span> = None;
        let mut nameless = Vec::new();
        for (place, value) in positional {
            if let Some(at) = free.next() {
                let mistaken = place > 0 && needs_label(signature, at);
                if mistaken {
                    nameless.push((at, value));
                }
                slots[at] = Some(Given { value, mistaken });
            } else {
                self.infer(value);
                excess = excess.or(Some(value.span));
            }
        }
        self.without_labels(signature, &nameless);
        if let Some(span) = excess {
            self.too_many(signature, span);
        } else if !excuse {
            self.missing(signature, &slots, call.callee);
        }
        slots
    }

    /// Reports numbers without their labels beyond the first argument.
    fn without_labels(&mut self, signature: &Signature, nameless: &[(usize, &Expr)]) {
        let Some((_, first)) = nameless.first() else { return };
        if let Some(number) = self.decimal_comma(first) {
            self.report(
                Diagnostic::error(&codes::UNNAMED_NUMBER, "a number has a point, not a comma")
                    .label(first.span, "a second argument")
                    .help(format!("write `{number}`")),
            );
            return;
        }
        let names: Vec<_> = nameless.iter().map(|(at, _)| format!("`{}`", signature.formals[*at].name)).collect();
        let message = match names.as_slice() {
            [only] => format!("the argument {only} of `{}` needs its label", signature.name),
            names => format!("the arguments {} of `{}` need their labels", names.join(", "), signature.name),
        };
        let written: Vec<_> = nameless
            .iter()
            .map(|(at, value)| format!("{}: {}", signature.formals[*at].name, self.source(value.span)))
            .collect();
        self.report(
            Diagnostic::error(&codes::UNNAMED_NUMBER, message)
                .label(first.span, "which one is this?")
                .help(format!("write `{}`", written.join(", "))),
        );
    }

    /// `0,9` as a decimal, if the argument is the part behind such a comma.
    fn decimal_comma(&self, value: &Expr) -> Option<String> {
        let text = &self.linked.sources.get(value.span.file).text;
        let before = text[..value.span.start as usize].strip_suffix(',')?;
        let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let follows = self.source(value.span).bytes().all(|byte| byte.is_ascii_digit());
        (digits > 0 && follows).then(|| format!("{}.{}", &before[before.len() - digits..], self.source(value.span)))
    }

    fn repeated(&mut self, signature: &Signature, label: &Name, value: &Expr) {
        self.infer(value);
        let message = format!("`{}` is given `{}` twice", signature.name, label.text);
        self.report(
            Diagnostic::error(&codes::REPEATED_ARGUMENT, message)
                .label(label.span, "the same argument again")
                .help("leave one of them out"),
        );
    }

    fn unknown_label(&mut self, signature: &Signature, label: &Name, value: &Expr) {
        let message = format!("`{}` has no parameter `{}`", signature.name, label.text);
        let known = signature.formals.iter().map(|formal| &*formal.name);
        let synonym = foreign::synonyms(&label.text)
            .iter()
            .find_map(|name| signature.formals.iter().find(|formal| &*formal.name == *name));
        let help = match (suggest::question(&label.text, known), synonym) {
            (Some(question), _) => question,
            (None, Some(formal)) => self.relabelled(formal, value),
            (None, None) => self.by_pruner(signature, label, value).unwrap_or(format!("its signature is `{signature}`")),
        };
        self.report(
            Diagnostic::error(&codes::UNKNOWN_LABEL, message).label(label.span, "not one of its parameters").help(help),
        );
    }

    /// How much to prune, where a pruner says it.
    fn by_pruner(&self, signature: &Signature, label: &Name, value: &Expr) -> Option<String> {
        let formal = signature.formals.iter().find(|formal| formal.ty.is(Plain::Pruner))?;
        let amount = matches!(&*label.text, "amount" | "rate" | "sparsity" | "to" | "remove" | "p" | "fraction" | "ratio");
        amount.then(|| format!("a pruner says how much: write `{}: global_magnitude({})`", formal.name, self.source(value.span)))
    }

    /// An argument under the name that it has here.
    fn relabelled(&self, formal: &Formal, value: &Expr) -> String {
        let text = self.source(value.span);
        let short = if text.len() <= 40 && !text.contains('\n') { text } else { "…" };
        let unit = match (&formal.ty, &*value.kind) {
            (Ty::Plain(Plain::Step), ExprKind::Int(_)) => "ep",
            _ => "",
        };
        format!("write `{}: {short}{unit}`", formal.name)
    }

    fn too_many(&mut self, signature: &Signature, span: Span) {
        let takes = match signature.formals.len() {
            0 => "no arguments".to_owned(),
            1 => "one argument".to_owned(),
            n => format!("at most {n} arguments"),
        };
        self.report(
            Diagnostic::error(&codes::EXCESS_ARGUMENT, format!("`{}` takes {takes}", signature.name))
                .label(span, "one too many")
                .help(if &*signature.name == "round" {
                    "it gives a whole number; two places are `float(round(x * 100.0)) / 100.0`".to_owned()
                } else {
                    format!("its signature is `{signature}`")
                }),
        );
    }

    fn missing(&mut self, signature: &Signature, slots: &Slots<'_>, callee: Span) {
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
            .filter_map(|(formal, _)| Some(format!("`{}: {}`", formal.name, example(formal)?)))
            .collect();
        let help = if examples.len() == absent.len() {
            format!("add {}; its signature is `{signature}`", examples.join(", "))
        } else {
            format!("its signature is `{signature}`")
        };
        self.report(
            Diagnostic::error(&codes::MISSING_ARGUMENT, format!("`{}` needs {list}", signature.name))
                .label(callee, format!("{list} not given"))
                .help(help),
        );
    }

    /// Types the arguments: firm ones first, then literals that follow them, then functions and columns.
    fn arguments(&mut self, signature: &Signature, slots: &Slots<'_>, open: &[Ty]) -> Vec<Ty> {
        let mut types = vec![Ty::Error; slots.len()];
        let mut entered = false;
        for round in 0..3 {
            for (at, slot) in slots.iter().enumerate() {
                let Some(given) = slot else { continue };
                let formal = &signature.formals[at];
                if rank(given.value, &formal.ty) != round {
                    continue;
                }
                if given.mistaken {
                    self.infer(given.value);
                    continue;
                }
                let want = self.solver.instantiate(&formal.ty, open);
                self.role = role(&formal.name, &formal.ty);
                let what = format!("`{}` of `{}`", formal.name, signature.name);
                types[at] = self.check(given.value, &want, &what);
                if !entered && matches!(want, Ty::Rows(_) | Ty::Column(_)) {
                    entered = self.enter_rows(&types[at]);
                }
            }
        }
        types
    }

    /// Calls a value: a lambda, a function that was passed in, a schedule.
    fn call_value(&mut self, value: &Ty, call: &Call<'_>) -> Ty {
        let labelled = call.args.iter().find_map(|arg| arg.label.as_ref());
        let args: Vec<&Expr> = call.piped.into_iter().chain(call.args.iter().map(|arg| &arg.value)).collect();
        match self.solver.shallow(value) {
            Ty::Error => {
                for arg in args {
                    self.infer(arg);
                }
                Ty::Error
            }
            callee @ (Ty::Function(..) | Ty::Plain(Plain::Schedule)) => {
                let (params, result) = self.parts(&callee, call.callee);
                if let Some(label) = labelled {
                    self.label_on_value(label, call.callee);
                }
                if args.len() != params.len() {
                    for arg in args {
                        self.infer(arg);
                    }
                    self.wrong_count(call, &params);
                    return result;
                }
                let name = self.source(call.callee);
                for (arg, param) in args.into_iter().zip(&*params) {
                    self.check(arg, param, &format!("the argument of `{name}`"));
                }
                result
            }
            open @ Ty::Var(_) => {
                let params: Vec<Ty> = args.into_iter().map(|arg| self.infer(arg)).collect();
                let result = self.solver.fresh();
                self.solver.unify(&open, &Ty::Function(params.into(), Arc::new(result.clone())));
                result
            }
            other => {
                for arg in args {
                    self.infer(arg);
                }
                self.not_callable(&other, call);
                Ty::Error
            }
        }
    }

    fn parts(&mut self, callee: &Ty, span: Span) -> (Arc<[Ty]>, Ty) {
        if let Ty::Function(params, result) = callee {
            return (params.clone(), (**result).clone());
        }
        let level = self.solver.fresh();
        self.levels.push((level.clone(), span));
        ([Plain::Step.into()].into(), level)
    }

    fn label_on_value(&mut self, label: &Name, callee: Span) {
        let name = self.source(callee);
        self.report(
            Diagnostic::error(&codes::UNKNOWN_LABEL, format!("`{name}` is a function value, which has no labels"))
                .label(label.span, "a label")
                .help("leave the label out"),
        );
    }

    fn wrong_count(&mut self, call: &Call<'_>, params: &[Ty]) {
        let name = self.source(call.callee);
        let given = call.args.len() + usize::from(call.piped.is_some());
        let takes = if params.len() == 1 { "one argument".to_owned() } else { format!("{} arguments", params.len()) };
        let code = if given > params.len() { &codes::EXCESS_ARGUMENT } else { &codes::MISSING_ARGUMENT };
        let types: Vec<_> = params.iter().map(|param| format!("`{}`", self.settled(param))).collect();
        self.report(
            Diagnostic::error(code, format!("`{name}` takes {takes}, not {given}"))
                .label(call.callee, format!("takes {takes}"))
                .help(format!("give it {}", types.join(", "))),
        );
    }

    fn not_callable(&mut self, found: &Ty, call: &Call<'_>) {
        let shown = self.settled(found).described();
        let name = self.source(call.callee);
        let help = match call.piped {
            Some(_) => "a pipe ends in a function: `x |> f(y)`".to_owned(),
            None if found.is(Plain::AxisScale) => "the natural logarithm is `ln` of `std.math`".to_owned(),
            None => format!("write `{name}` without parentheses"),
        };
        self.report(
            Diagnostic::error(&codes::NOT_CALLABLE, format!("`{name}` is {shown}, not a function"))
                .label(call.callee, "not a function")
                .help(help),
        );
    }
}

/// Whether an argument for a parameter needs its label beyond the first place.
fn needs_label(signature: &Signature, at: usize) -> bool {
    let ty = &signature.formals[at].ty;
    (ty.is_number() || ty.is(Plain::Bool)) && !signature.is_mathematics()
}

/// What a parameter is usually given.
fn example(formal: &Formal) -> Option<&'static str> {
    Some(match (&*formal.name, &formal.ty) {
        ("margin", _) => "2pp",
        ("over", Ty::Column(_)) => ".seed",
        ("x", Ty::Column(_)) => ".sparsity",
        ("y", Ty::Column(_)) => ".top1",
        ("by", Ty::List(_)) => "[.round]",
        ("show", Ty::List(_)) => "[mean, ci95]",
        (_, Ty::Plain(Plain::Step)) => "8ep",
        (_, Ty::Plain(Plain::Seed)) => "seed",
        (_, Ty::Plain(Plain::Task)) => "task",
        (_, Ty::Plain(Plain::Recipe)) => "recipe",
        (_, Ty::Plain(Plain::Ratio)) => "20%",
        (_, Ty::Plain(Plain::Schedule)) => "0.1",
        (_, Ty::Split(_)) => "task.test",
        ("classes", _) => "task.classes",
        ("batch", _) => "64",
        (_, Ty::Plain(Plain::Int)) => "3",
        (_, Ty::Plain(Plain::Float)) => "0.1",
        _ => return None,
    })
}

/// When an argument's turn comes.
fn rank(value: &Expr, formal: &Ty) -> usize {
    if takes_columns(formal) || waits(value) { 2 } else { usize::from(is_adaptable(value)) }
}

/// Whether an argument's types follow from the other arguments.
fn waits(value: &Expr) -> bool {
    match &*value.kind {
        ExprKind::Lambda(_) | ExprKind::Accessor(_) => true,
        ExprKind::Paren(inner) => waits(inner),
        ExprKind::List(elements) => elements.iter().any(waits),
        _ => false,
    }
}

fn takes_columns(formal: &Ty) -> bool {
    match formal {
        Ty::Column(_) | Ty::Plain(Plain::Band | Plain::Statistic) => true,
        Ty::List(element) => takes_columns(element),
        _ => false,
    }
}

fn role(name: &str, formal: &Ty) -> ColumnRole {
    match name {
        _ if !takes_columns(formal) => ColumnRole::Value,
        "over" => ColumnRole::Axis,
        "by" | "color" => ColumnRole::Group,
        _ => ColumnRole::Value,
    }
}

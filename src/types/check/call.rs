//! Calls: which argument goes to which parameter, and what each must be.

use std::sync::Arc;

use super::super::signature::Signature;
use super::super::ty::{Plain, Ty};
use super::expr::is_adaptable;
use super::labels::needs_label;
use super::{Checker, ColumnRole};
use crate::diag::{Diagnostic, codes::types as codes};
use crate::resolve::Target;
use crate::source::Span;
use crate::syntax::tree::{Arg, Expr, ExprKind, Name};

/// A call as written.
pub(super) struct Call<'e> {
    /// From the name to the parenthesis.
    pub(super) whole: Span,
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
        let call = Call { whole: expr.span, callee: callee.span, piped, args };
        if let Some(signature) = self.called(callee) {
            return self.call_function(&signature, &call);
        }
        if piped.is_none() && self.iterators(expr) {
            return Ty::Error;
        }
        let value = match &*callee.kind {
            ExprKind::Field(base, field) if piped.is_none() && self.module_named(base).is_none() => {
                let owner = self.infer(base);
                if let Some(ty) = self.at(&owner, field, args, expr.span) {
                    return ty;
                }
                if !self.has_field(&owner, &field.text)
                    && self.method(&owner, field, base.span, Some((args, expr.span)))
                {
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

    /// Types an expression that belongs to no parameter: what its own parameters are, nothing says.
    fn astray(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Lambda(lambda) => {
                let params = vec![Ty::Error; lambda.params.len()];
                self.lambda_body(lambda, &params, Self::infer);
            }
            ExprKind::Accessor(_) => {}
            ExprKind::Paren(inner) => self.astray(inner),
            ExprKind::List(elements) => elements.iter().for_each(|element| self.astray(element)),
            _ => drop(self.infer(expr)),
        }
    }

    pub(super) fn infer_args(&mut self, args: &[Arg]) {
        for arg in args {
            self.astray(&arg.value);
        }
    }

    fn call_function(&mut self, signature: &Arc<Signature>, call: &Call<'_>) -> Ty {
        if let Some(details) = &mut self.details {
            details.calls.push((call.callee, signature.clone()));
        }
        if self.over_scores(signature, call) {
            return Plain::Score.into();
        }
        let slots = self.assign(signature, call);
        let open: Vec<Ty> = signature.generics.iter().map(|_| self.solver.fresh()).collect();
        let outer = (self.context.clone(), self.role);
        let reported = self.diagnostics.len();
        let types = self.arguments(signature, &slots, &open);
        for (slot, formal) in slots.iter().zip(&signature.formals) {
            if slot.is_none() && !formal.optional {
                let want = self.solver.instantiate(&formal.ty, &open);
                self.solver.give_up(&want);
            }
        }
        self.order(signature, &slots, call, reported);
        let result = self.solver.instantiate(&signature.result, &open);
        let result = self.special(signature, &slots, &types, result);
        (self.context, self.role) = outer;
        result
    }

    /// Distributes arguments to parameters: labels first, then the others in order.
    fn assign<'e>(&mut self, signature: &Signature, call: &Call<'e>) -> Slots<'e> {
        let mut slots: Slots<'e> = vec![None; signature.formals.len()];
        if self.input_given(signature, call) {
            self.infer_args(call.args);
            return slots;
        }
        let mut excuse = call.args.iter().any(|arg| matches!(*arg.value.kind, ExprKind::Error));
        for arg in call.args {
            let Some(label) = &arg.label else { continue };
            match signature.formals.iter().position(|formal| formal.name == label.text) {
                Some(at) if slots[at].is_some() => self.repeated(signature, label, &arg.value),
                Some(at) => slots[at] = Some(Given { value: &arg.value, mistaken: false }),
                None => {
                    excuse = true;
                    self.astray(&arg.value);
                    self.unknown_label(signature, label, &arg.value, call.args);
                }
            }
        }
        let labelled: Vec<bool> = slots.iter().map(Option::is_some).collect();
        let mut free = (0..slots.len()).filter(|&at| !labelled[at]);
        let written = call.args.iter().enumerate().filter(|(_, arg)| arg.label.is_none());
        let positional =
            call.piped.into_iter().map(|piped| (0, piped)).chain(written.map(|(at, arg)| (at, &arg.value)));
        let mut excess: Option<Span> = None;
        let first = call.piped.or(call.args.first().map(|arg| &arg.value));
        let mut nameless = Vec::new();
        for (place, value) in positional {
            if let Some(at) = free.next() {
                let mistaken = place > 0 && needs_label(signature, at);
                if mistaken {
                    nameless.push((at, value));
                }
                slots[at] = Some(Given { value, mistaken });
            } else {
                self.astray(value);
                excess = excess.or(Some(value.span));
            }
        }
        self.without_labels(signature, &slots, &nameless);
        excuse |= !nameless.is_empty();
        if let Some(span) = excess {
            self.too_many(signature, span, first);
            slots.iter_mut().flatten().for_each(|given| given.mistaken = true);
        } else if !excuse {
            self.missing(signature, &slots, call);
        }
        slots
    }

    /// Types the arguments: firm ones first, then literals that follow them, then functions and columns.
    fn arguments(&mut self, signature: &Signature, slots: &Slots<'_>, open: &[Ty]) -> Vec<Ty> {
        if signature.is_mathematics() && signature.formals.len() > 1 && !signature.generics.is_empty() {
            return self.mathematics(signature, slots, open);
        }
        let mut types = vec![Ty::Error; slots.len()];
        let mut entered = false;
        for round in 0..3 {
            for (at, slot) in slots.iter().enumerate() {
                let Some(given) = slot else { continue };
                let formal = &signature.formals[at];
                if rank(given.value, &formal.ty) != round {
                    continue;
                }
                let want = self.solver.instantiate(&formal.ty, open);
                if given.mistaken {
                    self.astray(given.value);
                    self.solver.give_up(&want);
                    continue;
                }
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

    /// Types arguments of which none leads: scores over numbers, measurements over what is known before.
    fn mathematics(&mut self, signature: &Signature, slots: &Slots<'_>, open: &[Ty]) -> Vec<Ty> {
        let mut typed = |given: Given<'_>| {
            let ty = self.infer(given.value);
            self.settled(&ty)
        };
        let mut types: Vec<Ty> = slots.iter().map(|slot| slot.map_or(Ty::Error, &mut typed)).collect();
        let leads = |ty: &Ty| match ty {
            Ty::Measured(_) => 4,
            Ty::Plain(Plain::Score) => 3,
            Ty::Error | Ty::Var(_) => 0,
            Ty::Plain(Plain::Int) => 1,
            _ => 2,
        };
        let leader = (0..types.len()).rev().max_by_key(|at| leads(&types[*at])).map(|at| types[at].clone());
        for (at, slot) in slots.iter().enumerate() {
            let formal = &signature.formals[at];
            let want = self.solver.instantiate(&formal.ty, open);
            if let Some(leader) = leader.as_ref().filter(|leader| **leader != Ty::Error) {
                self.solver.unify(&want, leader);
            }
            let Some(given) = slot else { continue };
            let what = format!("`{}` of `{}`", formal.name, signature.name);
            types[at] = self.fit(given.value, &types[at].clone(), &want, &what);
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
                    self.astray(arg);
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
                        self.astray(arg);
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
                    self.astray(arg);
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

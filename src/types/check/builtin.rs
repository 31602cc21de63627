//! Built-in functions whose rules a signature cannot say.

use std::sync::Arc;

use super::super::operator::{is_ordered, is_summable};
use super::super::signature::Signature;
use super::super::ty::{Fields, Plain, Ty};
use super::Checker;
use super::call::Slots;
use super::convert::rewritten;
use super::expr::is_adaptable;
use crate::diag::{Diagnostic, codes::types as codes};
use crate::resolve::Target;
use crate::source::Span;
use crate::syntax::tree::{Expr, ExprKind};

/// Functions whose result follows from the type of their first argument.
fn takes_type_of_first(name: &str) -> bool {
    matches!(name, "mean" | "abs" | "sqrt" | "sum" | "round" | "floor" | "ceil")
}

/// Functions of the prelude whose bare name stands for a statistic in `show:`.
const STATISTICS: [&str; 7] = ["mean", "sd", "ci95", "median", "min", "max", "count"];

impl Checker<'_> {
    /// Whether a name stands for a statistic.
    pub(super) fn is_statistic(&self, name: &str) -> bool {
        if self.local(name).is_some() || !STATISTICS.contains(&name) {
            return false;
        }
        // The prelude is the first module.
        matches!(self.linked.lookup(self.module, name), Some(Target::Item { module, .. }) if module.0 == 0)
    }

    /// Refines the result of a call, and checks what a signature cannot.
    pub(super) fn special(&mut self, signature: &Signature, slots: &Slots<'_>, types: &[Ty], result: Ty) -> Ty {
        if !signature.builtin {
            return result;
        }
        let args: Vec<(&Expr, Ty)> = slots
            .iter()
            .zip(types)
            .filter_map(|(slot, ty)| slot.map(|given| (given.value, self.solver.shallow(ty))))
            .collect();
        let Some((first, first_ty)) = args.first() else { return result };
        let kept = signature.formals.first().is_some_and(|formal| formal.ty == signature.result);
        match (&*signature.name, first_ty) {
            (_, Ty::Rows(_)) if kept && matches!(signature.result, Ty::List(_)) => first_ty.clone(),
            ("mean", Ty::Column(Some(column))) => self.mean(first, &column.cell.clone()),
            ("not_worse" | "equivalent" | "differs", Ty::Column(_)) => {
                self.comparison(slots, types);
                result
            }
            (_, Ty::Error) if kept || takes_type_of_first(&signature.name) => Ty::Error,
            // Reported with the argument that is missing.
            ("min" | "max", Ty::List(_) | Ty::Range(_)) if slots.iter().any(Option::is_none) => Ty::Error,
            ("abs" | "sqrt" | "min" | "max" | "clamp", _) => self.numeric(signature, first, &result),
            ("sum", _) => self.summed(first, &result),
            ("sort_by", _) => {
                self.sorted(slots, types);
                result
            }
            ("line", _) => {
                self.drawn(slots, types);
                result
            }
            ("select", _) => self.choice(&args),
            _ => result,
        }
    }

    /// What `select` gives: one of two states, one of two numbers, or a record of such.
    fn choice(&mut self, args: &[(&Expr, Ty)]) -> Ty {
        let [_, (then, a), (otherwise, b)] = args else { return Ty::Error };
        if is_adaptable(then) && b.unmeasured().0.is(Plain::Float) {
            self.adapt(then);
        }
        if is_adaptable(otherwise) && a.unmeasured().0.is(Plain::Float) {
            self.adapt(otherwise);
        }
        let float = a.unmeasured().0.is(Plain::Float) || b.unmeasured().0.is(Plain::Float);
        let firm = |expr: &Expr, ty: &Ty| if float && is_adaptable(expr) { Plain::Float.into() } else { ty.clone() };
        if let Some(chosen) = self.either(&firm(then, a), &firm(otherwise, b)) {
            return chosen;
        }
        let (a, b) = (self.settled(a), self.settled(b));
        let message = format!("`select` cannot choose between {} and {}", a.described(), b.described());
        self.report(
            Diagnostic::error(&codes::MISMATCH, message)
                .label(otherwise.span, format!("this is {}", b.described()))
                .label(then.span, format!("this is {}", a.described()))
                .help("choose between two states, two dissections, or two numbers in the same unit"),
        );
        Ty::Error
    }

    fn either(&mut self, a: &Ty, b: &Ty) -> Option<Ty> {
        let (a, b) = (self.solver.shallow(a), self.solver.shallow(b));
        match (&a, &b) {
            (Ty::Error, other) | (other, Ty::Error) => Some(other.clone()),
            (Ty::Plain(Plain::State), Ty::Plain(Plain::State))
            | (Ty::Plain(Plain::Tallies), Ty::Plain(Plain::Tallies)) => Some(a),
            (Ty::Record(left), Ty::Record(right)) if left.0.len() == right.0.len() => {
                let fields = left.0.iter().map(|(name, ty)| Some((name.clone(), self.either(ty, right.get(name)?)?)));
                Some(Ty::Record(Arc::new(Fields(fields.collect::<Option<_>>()?))))
            }
            _ => {
                let (left, right) = (a.unmeasured().0.clone(), b.unmeasured().0.clone());
                let left = self.solver.shallow(&left);
                let number = left.is_number() || left.is(Plain::Bool) || matches!(left, Ty::Var(_));
                (number && self.solver.unify(&left, &right)).then(|| Ty::measured(left))
            }
        }
    }

    fn mean(&mut self, expr: &Expr, cell: &Ty) -> Ty {
        let cell = self.settled(cell);
        match cell.unmeasured().0 {
            Ty::Plain(Plain::Int) => Ty::measured(Plain::Float),
            Ty::Error | Ty::Var(_) => Ty::Error,
            number if number.is_number() => Ty::measured(number.clone()),
            _ => {
                self.needs_numbers(expr.span, "a mean", &cell);
                Ty::Error
            }
        }
    }

    fn needs_numbers(&mut self, span: Span, what: &str, cell: &Ty) {
        self.report(
            Diagnostic::error(&codes::COLUMN_ROLE, format!("{what} needs numbers, not a column of `{cell}`"))
                .label(span, format!("a column of `{cell}`"))
                .help("choose a column of numbers"),
        );
    }

    /// The columns of a line plot hold numbers.
    fn drawn(&mut self, slots: &Slots<'_>, types: &[Ty]) {
        for at in 1..3 {
            let (Some(Some(given)), Some(Ty::Column(Some(column)))) = (slots.get(at), types.get(at)) else { continue };
            let cell = self.settled(&column.cell);
            let inner = cell.unmeasured().0;
            if !inner.is_number() && !matches!(inner, Ty::Error | Ty::Var(_)) {
                self.needs_numbers(given.value.span, "a line", &cell);
            }
        }
    }

    /// Both sides of a statistical comparison hold the same kind of number, and the margin fits them.
    fn comparison(&mut self, slots: &Slots<'_>, types: &[Ty]) {
        let cell = |ty: &Ty| match ty {
            Ty::Column(Some(column)) => Some(column.cell.clone()),
            _ => None,
        };
        let (Some(Some(first)), Some(Some(second))) = (slots.first(), slots.get(1)) else { return };
        let (Some(a), Some(b)) = (types.first().and_then(cell), types.get(1).and_then(cell)) else { return };
        let (a, b) = (self.settled(&a), self.settled(&b));
        let (number, _) = a.unmeasured();
        if matches!(number, Ty::Error | Ty::Var(_)) {
            return;
        }
        if !number.is_number() {
            return self.needs_numbers(first.value.span, "a comparison", &a);
        }
        if !self.solver.unify(number, b.unmeasured().0) {
            self.report(
                Diagnostic::error(&codes::MISMATCH, format!("a column of `{a}` cannot be compared with one of `{b}`"))
                    .label(second.value.span, format!("a column of `{b}`"))
                    .label(first.value.span, format!("a column of `{a}`"))
                    .help("compare the same quantity on both sides"),
            );
            return;
        }
        if let Some(Some(margin)) = slots.get(2) {
            let ty = self.settled(&types[2]);
            self.margin(margin.value, &ty, number);
        }
    }

    fn margin(&mut self, expr: &Expr, margin: &Ty, values: &Ty) {
        let fits = match values {
            Ty::Plain(Plain::Ratio) => matches!(margin, Ty::Plain(Plain::Points | Plain::Ratio)),
            _ => matches!(margin, Ty::Plain(Plain::Float | Plain::Int | Plain::Ratio)),
        };
        if values.is(Plain::Ratio) && margin.is(Plain::Ratio) {
            self.relative(expr);
        }
        if fits || !margin.is_number() {
            return;
        }
        let points = match margin {
            Ty::Plain(Plain::Int | Plain::Float) => {
                let whole = matches!(*expr.kind, ExprKind::Int(_));
                rewritten(expr, if whole { Plain::Int } else { Plain::Float }, Plain::Ratio).pop()
            }
            _ => None,
        };
        let points = points.map(|(percent, _)| format!("write `{}pp`", percent.trim_end_matches('%')));
        let help = if let Some(points) = points.as_deref().filter(|_| values.is(Plain::Ratio)) {
            points
        } else if values.is(Plain::Ratio) {
            "write `2pp` for two percentage points, or `5%` for five per cent of the reference's mean"
        } else {
            "write a number like the values', or `5%` for five per cent of the reference's mean"
        };
        self.report(
            Diagnostic::error(&codes::MARGIN, format!("a margin in `{margin}` does not fit values in `{values}`"))
                .label(expr.span, margin.described())
                .help(help)
                .in_place_of(expr.span),
        );
    }

    /// Warns of `2%` where `2pp` is as likely meant.
    fn relative(&mut self, expr: &Expr) {
        let text = self.source(expr.span);
        let message =
            format!("a margin of `{text}` is relative: a share of the reference's mean, not percentage points");
        let points =
            text.strip_suffix('%').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
        let help = match points {
            Some(points) => format!("write `{points}pp` for percentage points"),
            None => "give percentage points, like `2pp`, if they are meant".to_owned(),
        };
        self.report(Diagnostic::warning(&codes::RELATIVE_MARGIN, message).label(expr.span, "relative").help(help));
    }

    /// `abs`, `min` and their like work on numbers and scores.
    fn numeric(&mut self, signature: &Signature, expr: &Expr, result: &Ty) -> Ty {
        let ty = self.solver.shallow(result);
        let (inner, _) = ty.unmeasured();
        let root = &*signature.name == "sqrt";
        let works = match inner {
            Ty::Error | Ty::Var(_) | Ty::Plain(Plain::Score) => true,
            Ty::Plain(Plain::Int) if root && is_adaptable(expr) => {
                self.adapt(expr);
                return Plain::Float.into();
            }
            _ if root => inner.is(Plain::Float),
            number => is_ordered(number),
        };
        if works {
            return ty;
        }
        let shown = self.settled(&ty).described();
        let help = if root && inner.is(Plain::Int) { "write `float(…)` around it" } else { "give it numbers" };
        self.report(
            Diagnostic::error(&codes::OPERANDS, format!("`{}` does not apply to {shown}", signature.name))
                .label(expr.span, format!("this is {shown}"))
                .help(help),
        );
        Ty::Error
    }

    fn summed(&mut self, expr: &Expr, result: &Ty) -> Ty {
        let ty = self.solver.shallow(result);
        if is_summable(&ty) {
            self.sums.insert(expr.span, ty.clone());
            return ty;
        }
        let shown = self.settled(&ty);
        let help = if shown.is(Plain::Ratio) { "sum `map(fraction)` of them" } else { "sum a list of numbers" };
        self.report(
            Diagnostic::error(&codes::OPERANDS, format!("a list of `{shown}` has no sum"))
                .label(expr.span, format!("a list of `{shown}`"))
                .help(help),
        );
        Ty::Error
    }

    fn sorted(&mut self, slots: &Slots<'_>, types: &[Ty]) {
        let (Some(Some(given)), Some(Ty::Function(_, result))) = (slots.get(1), types.get(1)) else { return };
        let result: Arc<Ty> = result.clone();
        let key = self.settled(&result);
        let known = match &key {
            Ty::Error | Ty::Var(_) | Ty::Plain(Plain::Str) => true,
            other => is_ordered(other),
        };
        if known {
            return;
        }
        let (code, help) = match key {
            Ty::Measured(_) => (&codes::MEASURED, "sort by something that is known before the run"),
            _ => (&codes::OPERANDS, "sort by a number or by text"),
        };
        self.report(
            Diagnostic::error(code, format!("a list cannot be sorted by {}", key.described()))
                .label(given.value.span, format!("gives {}", key.described()))
                .help(help),
        );
    }
}

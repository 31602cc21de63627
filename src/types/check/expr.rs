//! Expressions: types up, types down, and where both meet.

use std::sync::Arc;

use super::super::ty::{Plain, Ty};
use super::Checker;
use super::origin::Local;
use crate::diag::{Diagnostic, codes::types as codes};
use crate::source::Span;
use crate::syntax::tree::{BinaryOp, Block, Expr, ExprKind, UnaryOp, Unit};

impl Checker<'_> {
    /// Returns the type of an expression from its parts.
    pub(super) fn infer(&mut self, expr: &Expr) -> Ty {
        let ty = self.inferred(expr);
        self.note(expr.span, &ty);
        ty
    }

    fn inferred(&mut self, expr: &Expr) -> Ty {
        match &*expr.kind {
            ExprKind::Bool(_) => Plain::Bool.into(),
            ExprKind::Int(_) => Plain::Int.into(),
            ExprKind::Float(_) => Plain::Float.into(),
            ExprKind::Quantity(_, unit) => unit_type(*unit).into(),
            ExprKind::Str(_) => Plain::Str.into(),
            ExprKind::List(elements) => self.list(elements),
            ExprKind::Tuple(parts) => Ty::Tuple(parts.iter().map(|part| self.infer(part)).collect()),
            ExprKind::Record(entries) => self.record(expr, entries),
            ExprKind::Block(block) => self.block(block, Self::infer),
            ExprKind::Paren(inner) => self.infer(inner),
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::Accessor(field) => self.stray_accessor(expr.span, &field.text),
            ExprKind::Field(base, field) => self.field(base, field),
            ExprKind::Index(base, index) => self.index(base, index),
            ExprKind::Call(callee, args) => self.call(expr, callee, None, args),
            ExprKind::Pipe(left, right) => self.pipe(expr, left, right),
            ExprKind::Unary(op, inner) => self.unary(*op, inner),
            ExprKind::Binary { op, left, right, .. } => self.binary(*op, left, right),
            ExprKind::Range { start, end, .. } => self.range(start, end),
            ExprKind::Lambda(lambda) => {
                let params: Vec<Ty> = lambda.params.iter().map(|_| self.solver.fresh()).collect();
                let result = self.lambda_body(lambda, &params, Self::infer);
                Ty::Function(params.into(), Arc::new(result))
            }
            ExprKind::If { condition, then, otherwise } => self.conditional(condition, then, otherwise),
            ExprKind::For { pattern, over, condition, body } => {
                let element = self.for_body(pattern, over, condition.as_ref(), |checker| checker.infer(body));
                Ty::list(element)
            }
            ExprKind::Sweep { axes, condition, body } => self.sweep(axes, condition.as_ref(), body),
            ExprKind::Error => Ty::Error,
        }
    }

    /// Checks that an expression has a type; `what` names the place in a message. Returns the type it has, or
    /// [`Ty::Error`] after a report.
    pub(super) fn check(&mut self, expr: &Expr, want: &Ty, what: &str) -> Ty {
        if let Some(details) = &mut self.details {
            details.wanted.push((expr.span, want.clone()));
        }
        let ty = self.against(expr, want, what);
        self.note(expr.span, &ty);
        ty
    }

    fn against(&mut self, expr: &Expr, want: &Ty, what: &str) -> Ty {
        let want = self.solver.shallow(want);
        match (&*expr.kind, &want) {
            (ExprKind::Error, _) => Ty::Error,
            (ExprKind::Paren(inner), _) => self.check(inner, &want, what),
            (ExprKind::Block(block), _) => self.block(block, |checker, value| checker.check(value, &want, what)),
            (ExprKind::If { condition, then, otherwise }, _) if !matches!(want, Ty::Var(_)) => {
                self.condition(condition, "the condition of `if`");
                let first = self.check(then, &want, what);
                let second = self.check(otherwise, &want, what);
                if first == Ty::Error { second } else { first }
            }
            (ExprKind::Lambda(lambda), Ty::Function(params, result)) => self.lambda(expr, lambda, params, result, what),
            (ExprKind::Lambda(lambda), Ty::Plain(Plain::Schedule)) => self.schedule(expr, lambda, what),
            (ExprKind::Lambda(lambda), Ty::Plain(Plain::Criterion)) => self.bare_criterion(expr, lambda, what),
            (ExprKind::Accessor(field), Ty::Function(params, result)) => {
                self.accessor_function(expr, field, params, result, what)
            }
            (ExprKind::Accessor(field), Ty::Column(_)) => self.accessor_column(field, &want, expr, what),
            (ExprKind::Accessor(field), Ty::List(element)) if matches!(**element, Ty::Column(_)) => {
                self.lone_column(expr, field, what)
            }
            (ExprKind::List(elements), Ty::List(element)) => {
                for part in elements {
                    self.check(part, element, &format!("an element of {what}"));
                }
                want
            }
            (ExprKind::List(elements), Ty::Column(_)) => {
                let types: Vec<Ty> = elements.iter().map(|part| self.check(part, &want, what)).collect();
                types.into_iter().next().unwrap_or(Ty::Error)
            }
            (ExprKind::List(elements), Ty::Plain(Plain::Layers)) => {
                for part in elements {
                    self.check(part, &want, "an element of a list of layers");
                }
                want
            }
            (ExprKind::Record(entries), Ty::Plain(Plain::Layers)) => self.layers(entries),
            (ExprKind::Record(entries), Ty::Record(fields)) => self.record_against(expr, entries, fields, what),
            (ExprKind::Tuple(parts), Ty::Tuple(types)) if parts.len() == types.len() => {
                Ty::Tuple(parts.iter().zip(&**types).map(|(part, ty)| self.check(part, ty, what)).collect())
            }
            (ExprKind::For { pattern, over, condition, body }, Ty::List(element)) => {
                let inner = format!("an element of {what}");
                self.for_body(pattern, over, condition.as_ref(), |checker| checker.check(body, element, &inner));
                want
            }
            (ExprKind::Name(name), Ty::Plain(Plain::Statistic)) if self.is_statistic(name) => want,
            (ExprKind::Str(text), _) if self.quoted(expr, text, &want, what) => Ty::Error,
            (ExprKind::Name(name), Ty::List(element))
                if matches!(**element, Ty::Plain(Plain::Statistic)) && self.is_statistic(name) =>
            {
                self.report(
                    Diagnostic::error(&codes::MISMATCH, format!("{what} must be a list, but this is one statistic"))
                        .label(expr.span, "one statistic")
                        .help(format!("write `[{name}]`"))
                        .in_place_of(expr.span),
                );
                Ty::Error
            }
            _ => {
                let found = self.infer(expr);
                self.fit(expr, &found, &want, what)
            }
        }
    }

    /// Checks a type that was found against the one that is wanted, with the few adaptions that the language has.
    pub(super) fn fit(&mut self, expr: &Expr, found: &Ty, want: &Ty, what: &str) -> Ty {
        let (found, want) = (self.solver.shallow(found), self.solver.shallow(want));
        if found == Ty::Error || want == Ty::Error {
            self.solver.give_up(&want);
            return Ty::Error;
        }
        if found.is(Plain::Int) && is_adaptable(expr) && accepts_float(&want) {
            self.adapt(expr);
            return Plain::Float.into();
        }
        if self.adapts(&found, &want) || self.solver.unify(&found, &want) {
            return found;
        }
        self.mismatch(expr, &found, &want, what);
        self.solver.give_up(&want);
        Ty::Error
    }

    /// Whether a type counts as another without being the same.
    pub(super) fn adapts(&mut self, found: &Ty, want: &Ty) -> bool {
        match (found, want) {
            (Ty::Function(params, result), Ty::Plain(Plain::Schedule)) => {
                params.len() == 1 && self.solver.unify(&params[0], &Plain::Step.into()) && self.is_level(result)
            }
            (Ty::Plain(Plain::Schedule), Ty::Function(params, _)) => {
                params.len() == 1 && self.solver.unify(&params[0], &Plain::Step.into())
            }
            (Ty::Plain(from), Ty::Plain(to)) => counts_as(*from, *to),
            (Ty::List(element), Ty::Plain(Plain::Layers)) => self.are_layers(element),
            (Ty::Record(fields), Ty::Plain(Plain::Layers)) => fields.0.iter().all(|(_, ty)| self.are_layers(ty)),
            (Ty::Range(element), Ty::List(wanted)) => {
                self.solver.shallow(element).is(Plain::Int) && self.solver.unify(element, wanted)
            }
            (Ty::Rows(Some(row)), Ty::List(element)) => self.solver.unify(&Ty::Record(row.fields.clone()), element),
            (Ty::Rows(None), Ty::List(element)) => self.solver.unify(&Ty::Error, element),
            (Ty::List(element), Ty::Column(_)) => {
                let element = self.solver.shallow(element);
                matches!(element, Ty::Column(_)) && self.solver.unify(&element, want)
            }
            (Ty::Plain(Plain::Nothing), Ty::Column(_) | Ty::Function(..)) => true,
            // What is known before the run may stand where a measurement may.
            (Ty::Plain(_), Ty::Measured(inner)) => self.solver.unify(found, inner),
            _ => false,
        }
    }

    fn are_layers(&mut self, ty: &Ty) -> bool {
        let ty = self.solver.shallow(ty);
        self.adapts(&ty, &Plain::Layers.into()) || self.solver.unify(&ty, &Plain::Layers.into())
    }

    /// Whether a schedule may have this value.
    pub(super) fn is_level(&self, ty: &Ty) -> bool {
        matches!(self.solver.shallow(ty), Ty::Plain(Plain::Float | Plain::Ratio) | Ty::Var(_) | Ty::Error)
    }

    /// Marks the literals of an expression as plain numbers.
    pub(super) fn adapt(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Int(_) => {
                self.floats.insert(expr.span);
            }
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => self.adapt(inner),
            ExprKind::Block(block) => self.adapt(&block.value),
            ExprKind::If { then, otherwise, .. } => {
                self.adapt(then);
                self.adapt(otherwise);
            }
            ExprKind::Binary { op: BinaryOp::Power, left, .. } => self.adapt(left),
            ExprKind::Binary { left, right, .. } => {
                self.adapt(left);
                self.adapt(right);
            }
            _ => {}
        }
    }

    fn name(&mut self, name: &Arc<str>, span: Span) -> Ty {
        if let Some(ty) = self.used(name) {
            return ty;
        }
        let found = match self.linked.lookup(self.module, name) {
            Some(target) => self.target(target, name, span),
            None => Ty::Error,
        };
        match found {
            Ty::Function(params, result) if params.is_empty() => {
                self.report(
                    Diagnostic::error(&codes::MISMATCH, format!("`{name}` is a function, and is not called here"))
                        .label(span, "not called")
                        .help(format!("write `{name}()`"))
                        .in_place_of(span),
                );
                (*result).clone()
            }
            found => found,
        }
    }

    /// Elements of a list have one type; whole-number literals follow the others.
    fn list(&mut self, elements: &[Expr]) -> Ty {
        let types: Vec<Ty> = elements.iter().map(|element| self.infer(element)).collect();
        let leader = self.leader(elements, &types);
        let Some(ty) = types.get(leader).cloned() else { return Ty::list(self.solver.fresh()) };
        let what = "every element of this list";
        let mut mistaken = false;
        for (at, (element, found)) in elements.iter().zip(&types).enumerate() {
            mistaken |= at != leader && self.fit(element, found, &ty, what) == Ty::Error;
        }
        if mistaken && ty == Ty::Error { Ty::list(Ty::Error) } else { Ty::list(ty) }
    }

    /// The element whose type the others must have: one of the most frequent type.
    fn leader(&self, elements: &[Expr], types: &[Ty]) -> usize {
        let firm = |at: &usize| types[*at] != Ty::Error && !is_adaptable(&elements[*at]);
        let settled: Vec<Ty> = types.iter().map(|ty| self.settled(ty)).collect();
        let alike = |at: &usize| settled.iter().filter(|ty| **ty == settled[*at]).count();
        let plain = |at: &usize| !holds_function(&settled[*at]);
        let candidates = (0..types.len()).filter(firm);
        candidates.rev().max_by_key(|at| (alike(at), plain(at))).unwrap_or(0)
    }

    pub(super) fn block(&mut self, block: &Block, value: impl FnOnce(&mut Self, &Expr) -> Ty) -> Ty {
        self.within([] as [Local; 0], |checker| {
            for binding in &block.bindings {
                checker.local_binding(binding);
            }
            value(checker, &block.value)
        })
    }

    fn range(&mut self, start: &Expr, end: &Expr) -> Ty {
        let first = self.infer(start);
        let first = self.solver.shallow(&first);
        match first {
            Ty::Plain(Plain::Int | Plain::Step) | Ty::Var(_) => {
                self.check(end, &first, "the end of the range");
                Ty::Range(Arc::new(first))
            }
            Ty::Error => {
                self.infer(end);
                Ty::Range(Arc::new(Ty::Error))
            }
            other => {
                self.infer(end);
                self.mismatch(start, &other, &Plain::Int.into(), "the start of a range");
                Ty::Range(Arc::new(Ty::Error))
            }
        }
    }

    fn unary(&mut self, op: UnaryOp, inner: &Expr) -> Ty {
        let found = self.infer(inner);
        let found = self.solver.shallow(&found);
        let (base, _) = found.unmeasured();
        let fits = match op {
            UnaryOp::Not => self.solver.unify(base, &Plain::Bool.into()),
            UnaryOp::Negate => base.is_number() || base.is(Plain::Score) || matches!(base, Ty::Var(_) | Ty::Error),
        };
        if fits {
            return found;
        }
        let (symbol, takes) = match op {
            UnaryOp::Not => ("not", "a condition"),
            UnaryOp::Negate => ("-", "a number"),
        };
        let shown = self.settled(&found).described();
        self.report(
            Diagnostic::error(&codes::OPERANDS, format!("`{symbol}` does not apply to {shown}"))
                .label(inner.span, format!("this is {shown}"))
                .help(format!("`{symbol}` takes {takes}")),
        );
        Ty::Error
    }
}

/// Returns the type of a number with a unit.
fn unit_type(unit: Unit) -> Plain {
    match unit {
        Unit::Percent => Plain::Ratio,
        Unit::Points => Plain::Points,
        Unit::Epochs | Unit::Iterations | Unit::Images => Plain::Step,
        Unit::Gibibytes | Unit::Mebibytes | Unit::Gigabytes | Unit::Megabytes => Plain::Bytes,
        Unit::Hours | Unit::Minutes | Unit::Seconds => Plain::Time,
    }
}

/// Whether every value of one type is one of another as well.
fn counts_as(from: Plain, to: Plain) -> bool {
    match to {
        Plain::Schedule => matches!(from, Plain::Float | Plain::Ratio),
        Plain::Margin => matches!(from, Plain::Float | Plain::Ratio | Plain::Points),
        Plain::Layers => from == Plain::Layer,
        Plain::Band | Plain::Seed => from == Plain::Nothing,
        // The same score for every weight.
        Plain::Score => from == Plain::Float,
        _ => false,
    }
}

/// Whether a type is a function, or a record that holds one.
fn holds_function(ty: &Ty) -> bool {
    match ty {
        Ty::Function(..) => true,
        Ty::Record(fields) => fields.0.iter().any(|(_, ty)| holds_function(ty)),
        _ => false,
    }
}

fn accepts_float(want: &Ty) -> bool {
    matches!(want.unmeasured().0, Ty::Plain(Plain::Float | Plain::Schedule | Plain::Margin | Plain::Score))
}

/// Whether an expression consists of whole-number literals only, which stand for any plain number.
pub(super) fn is_adaptable(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Int(_) => true,
        ExprKind::Paren(inner) | ExprKind::Unary(UnaryOp::Negate, inner) => is_adaptable(inner),
        ExprKind::Block(block) => is_adaptable(&block.value),
        ExprKind::If { then, otherwise, .. } => is_adaptable(then) && is_adaptable(otherwise),
        ExprKind::Binary {
            op: BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Power,
            left,
            right,
            ..
        } => is_adaptable(left) && is_adaptable(right),
        _ => false,
    }
}

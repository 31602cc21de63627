//! Expressions: what each form of the tree evaluates to.

use std::sync::Arc;

use num_traits::ToPrimitive;

use super::access::element;
use super::choice::no_condition;
use super::interpreter::{Interpreter, Scope, error};
use super::operators::{negate, not};
use crate::diag::codes::evaluation as codes;
use crate::source::Span;
use crate::syntax::tree::{Entry, Exact, Expr, ExprKind, UnaryOp, Unit};
use crate::value::{Closure, Evaluated, Function, Range, Record, Step, Stop, Value, number, repr};

impl Interpreter<'_> {
    /// Evaluates an expression.
    pub(super) fn eval(&mut self, scope: &Scope, expr: &Expr) -> Evaluated {
        self.tick(expr.span)?;
        match &*expr.kind {
            ExprKind::Bool(value) => Ok(Value::Bool(*value)),
            ExprKind::Int(value) if self.is_float(expr.span) => Ok(Value::Float(*value as f64)),
            ExprKind::Int(value) => Ok(Value::Int(*value)),
            ExprKind::Float(value) => Ok(Value::Float(number::to_f64(*value))),
            ExprKind::Quantity(value, unit) => quantity(*value, *unit, expr.span),
            ExprKind::Str(text) => Ok(Value::Str(text.clone())),
            ExprKind::List(items) => Ok(Value::list(self.eval_all(scope, items)?)),
            ExprKind::Tuple(items) => Ok(Value::Tuple(Arc::new(self.eval_all(scope, items)?))),
            ExprKind::Record(entries) => self.record(scope, entries),
            ExprKind::Block(block) => self.block(scope, block),
            ExprKind::Paren(inner) => self.eval(scope, inner),
            ExprKind::Name(name) => match scope.env.get(name) {
                Some(value) => Ok(value.clone()),
                None => self.global(scope.module, name, expr.span),
            },
            ExprKind::Accessor(name) => Ok(Value::Function(Function::Accessor(name.text.clone()))),
            ExprKind::Field(base, name) => self.field_of(scope, base, name),
            ExprKind::Index(base, index) => {
                let value = self.eval(scope, base)?;
                let at = self.eval(scope, index)?;
                element(&value, &at, index.span)
            }
            ExprKind::Call(callee, args) => self.call_expr(scope, callee, args, None, expr.span),
            ExprKind::Pipe(left, right) => self.pipe(scope, left, right),
            ExprKind::Unary(op, inner) => {
                let value = self.eval(scope, inner)?;
                match op {
                    UnaryOp::Negate => negate(&value, expr.span),
                    UnaryOp::Not => not(&value, expr.span),
                }
            }
            ExprKind::Binary { op, op_span, left, right } => self.binary(scope, *op, *op_span, left, right),
            ExprKind::Range { start, end, inclusive } => {
                let (start, end) = (self.eval(scope, start)?, self.eval(scope, end)?);
                Ok(Value::Range(Arc::new(Range { start, end, inclusive: *inclusive })))
            }
            ExprKind::Lambda(lambda) => Ok(Value::Function(Function::Closure(Arc::new(Closure {
                lambda: lambda.clone(),
                env: scope.env.clone(),
                module: scope.module,
            })))),
            ExprKind::If { condition, then, otherwise } => {
                let chosen = if self.condition(scope, condition)? { then } else { otherwise };
                self.eval(scope, chosen)
            }
            ExprKind::For { pattern, over, condition, body } => {
                self.comprehension(scope, pattern, over, condition.as_ref(), body)
            }
            ExprKind::Sweep { axes, condition, body } => self.sweep(scope, axes, condition.as_ref(), body, expr.span),
            ExprKind::Error => Err(Stop::Reported),
        }
    }

    pub(super) fn eval_all(&mut self, scope: &Scope, items: &[Expr]) -> Evaluated<Vec<Value>> {
        items.iter().map(|item| self.eval(scope, item)).collect()
    }

    fn record(&mut self, scope: &Scope, entries: &[Entry]) -> Evaluated {
        let mut record = Record::default();
        let mut recipe = None;
        for entry in entries {
            match entry {
                Entry::Field(name, value) => {
                    let value = self.eval(scope, value)?;
                    record.set(name.text.clone(), value);
                }
                Entry::Spread(base) => match self.eval(scope, base)? {
                    Value::Record(base) => {
                        for (name, value) in base.iter() {
                            record.set(name.clone(), value.clone());
                        }
                    }
                    Value::Recipe(found) if recipe.is_none() => recipe = Some((found, base.span)),
                    other => {
                        let message = format!("{} cannot be spread into a record", repr::kind(&other));
                        return Err(error(&codes::MISMATCH, message, base.span, "not a record").into());
                    }
                },
            }
        }
        match recipe {
            Some((base, span)) => super::builtins::update_recipe(&base, &record, span),
            None => Ok(Value::Record(Arc::new(record))),
        }
    }

    /// Evaluates a condition that must be known now.
    pub(super) fn condition(&mut self, scope: &Scope, condition: &Expr) -> Evaluated<bool> {
        let value = self.eval(scope, condition)?;
        truth(&value, condition.span)
    }
}

/// Reads a truth value that must be known now.
pub(super) fn truth(value: &Value, span: Span) -> Evaluated<bool> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Measured(_) => Err(waits(span).into()),
        other => Err(no_condition(other, span)),
    }
}

/// Reports a value that exists only after the run.
pub(super) fn waits(span: Span) -> crate::diag::Diagnostic {
    error(
        &codes::WAITS_FOR_RUN,
        "the plan cannot depend on a value that exists only after the run",
        span,
        "known after the run",
    )
    .help("use it in a table, plot, claim or `expect`, or decide by something known before, like `.sparsity`")
}

fn quantity(value: Exact, unit: Unit, span: Span) -> Evaluated {
    let scaled = |factor: i128| {
        number::multiply(value, Exact::from_integer(factor))
            .ok_or_else(|| Stop::from(error(&codes::OUT_OF_RANGE, "the number is too large", span, "too large")))
    };
    let step = |step: Step| Ok(Value::Step(Arc::new(step)));
    let hundredth = || number::divide(value, Exact::from_integer(100)).unwrap_or(value);
    match unit {
        Unit::Percent => Ok(Value::Ratio(hundredth())),
        Unit::Points => Ok(Value::Points(hundredth())),
        Unit::Epochs => step(Step { epochs: value, ..Step::zero() }),
        Unit::Iterations => step(Step { iterations: value, ..Step::zero() }),
        Unit::Images => step(Step { images: value, ..Step::zero() }),
        Unit::Gibibytes => scaled(1 << 30).map(Value::Bytes),
        Unit::Mebibytes => scaled(1 << 20).map(Value::Bytes),
        Unit::Gigabytes => scaled(1_000_000_000).map(Value::Bytes),
        Unit::Megabytes => scaled(1_000_000).map(Value::Bytes),
        Unit::Hours => scaled(3600).map(Value::Time),
        Unit::Minutes => scaled(60).map(Value::Time),
        Unit::Seconds => Ok(Value::Time(value)),
    }
}

/// Reads an index or a count.
pub(super) fn index(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        Value::Float(value) if value.fract() == 0.0 => value.to_i64(),
        _ => None,
    }
}

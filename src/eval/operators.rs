//! Operators: exact quantities, floats, waiting numbers, scores.

use std::cmp::Ordering;
use std::sync::Arc;

use super::expr::{truth, waits};
use super::interpreter::{Interpreter, Scope, error};
use crate::diag::codes::evaluation as codes;
use crate::domain::pruning::Score;
use crate::source::Span;
use crate::syntax::tree::{BinaryOp, Exact, Expr};
use crate::value::measured::{Pure, combined};
use crate::value::output::Scale;
use crate::value::{Course, Evaluated, Measured, Stop, Value, number, repr};

impl Interpreter<'_> {
    pub(super) fn binary(
        &mut self,
        scope: &Scope,
        op: BinaryOp,
        op_span: Span,
        left: &Expr,
        right: &Expr,
    ) -> Evaluated {
        let first = self.eval(scope, left)?;
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            if !matches!(first, Value::Measured(_)) && truth(&first, left.span)? == (op == BinaryOp::Or) {
                return Ok(first);
            }
            let second = self.eval(scope, right)?;
            return match (&first, &second) {
                (Value::Bool(_), Value::Bool(_)) => Ok(second),
                _ => lift(op, &first, &second, Scale::Plain).ok_or_else(|| operands(op, &first, &second, op_span)),
            };
        }
        let second = self.eval(scope, right)?;
        self.operate(op, &first, &second, op_span)
    }

    /// Applies an operator other than `and` and `or`.
    pub(super) fn operate(&mut self, op: BinaryOp, left: &Value, right: &Value, span: Span) -> Evaluated {
        use BinaryOp as B;
        if matches!(op, B::Equal | B::NotEqual | B::Less | B::LessEqual | B::Greater | B::GreaterEqual) {
            if let (Some(milestones), Value::Step(a), Value::Step(b)) = (&mut self.milestones, left, right) {
                milestones.note(a, b);
            }
            return compare(op, left, right, self.course.as_ref(), span);
        }
        if op == B::Concat {
            return self.concat(left, right, span);
        }
        match (left, right) {
            (Value::Measured(_), _) | (_, Value::Measured(_)) => {
                let scale = left.lift().zip(right.lift()).and_then(|(a, b)| combined(op, a.scale(), b.scale()));
                scale.and_then(|scale| lift(op, left, right, scale)).ok_or_else(|| operands(op, left, right, span))
            }
            (Value::Score(_), _) | (_, Value::Score(_)) => {
                scores(op, left, right).ok_or_else(|| operands(op, left, right, span))
            }
            _ => arithmetic(op, left, right, self.course.as_ref(), span),
        }
    }

    fn concat(&mut self, left: &Value, right: &Value, span: Span) -> Evaluated {
        match (left, right) {
            (Value::List(_) | Value::Range(_), Value::List(_) | Value::Range(_)) => {
                let (mut all, more) = (self.elements(left, span)?, self.elements(right, span)?);
                all.extend(more);
                Ok(Value::list(all))
            }
            (Value::Str(a), Value::Str(b)) => {
                self.spend((a.len() + b.len()) as u64 / 16, span)?;
                Ok(Value::text(format!("{a}{b}")))
            }
            (Value::Rows(a), Value::Rows(b)) => super::sweep::unite(a, b, span),
            _ => Err(operands(BinaryOp::Concat, left, right, span)),
        }
    }

    /// Orders two values that are known now.
    pub(super) fn order(&self, left: &Value, right: &Value, span: Span) -> Evaluated<Ordering> {
        match left.order(right, self.course.as_ref()) {
            Some(order) => Ok(order),
            None => Err(incomparable(left, right, span)),
        }
    }
}

/// Changes the sign.
pub(super) fn negate(value: &Value, span: Span) -> Evaluated {
    Ok(match value {
        Value::Int(value) => Value::Int(value.checked_neg().ok_or_else(|| overflow(span))?),
        Value::Float(value) => Value::Float(-value),
        Value::Ratio(value) => Value::Ratio(-*value),
        Value::Points(value) => Value::Points(-*value),
        Value::Time(value) => Value::Time(-*value),
        Value::Bytes(value) => Value::Bytes(-*value),
        Value::Step(step) => Value::Step(Arc::new(step.scale(number::whole(-1)).ok_or_else(|| overflow(span))?)),
        Value::Score(score) => Value::Score(Arc::new(Score::Negate(Box::new((**score).clone())))),
        Value::Measured(inner) => apply(Pure::Negate, vec![inner.clone()], inner.scale()),
        other => {
            let message = format!("{} has no negative", repr::kind(other));
            return Err(error(&codes::MISMATCH, message, span, "not a number").into());
        }
    })
}

/// Denies.
pub(super) fn not(value: &Value, span: Span) -> Evaluated {
    match value {
        Value::Measured(inner) if inner.is_bool() => Ok(Value::Measured(Arc::new(Measured::Not(inner.clone())))),
        other => Ok(Value::Bool(!truth(other, span)?)),
    }
}

/// Makes a function of waiting numbers.
pub(super) fn apply(function: Pure, values: Vec<Arc<Measured>>, scale: Scale) -> Value {
    Value::Measured(Arc::new(Measured::Apply { function, values, scale }))
}

fn lift(op: BinaryOp, left: &Value, right: &Value, scale: Scale) -> Option<Value> {
    let (left, right) = (left.lift()?, right.lift()?);
    let logical = matches!(op, BinaryOp::And | BinaryOp::Or);
    if left.is_bool() != logical || right.is_bool() != logical {
        return None;
    }
    Some(Value::Measured(Arc::new(Measured::Binary { op, left, right, scale })))
}

fn compare(op: BinaryOp, left: &Value, right: &Value, course: Option<&Course>, span: Span) -> Evaluated {
    if matches!(left, Value::Measured(_)) || matches!(right, Value::Measured(_)) {
        return lift(op, left, right, Scale::Plain).ok_or_else(|| incomparable(left, right, span));
    }
    let holds = match op {
        BinaryOp::Equal | BinaryOp::NotEqual => {
            left.equals(right, course).map(|equal| equal == (op == BinaryOp::Equal))
        }
        _ if left.number().is_some_and(f64::is_nan) || right.number().is_some_and(f64::is_nan) => Some(false),
        _ => left.order(right, course).map(|order| match op {
            BinaryOp::Less => order == Ordering::Less,
            BinaryOp::LessEqual => order != Ordering::Greater,
            BinaryOp::Greater => order == Ordering::Greater,
            _ => order != Ordering::Less,
        }),
    };
    holds.map(Value::Bool).ok_or_else(|| incomparable(left, right, span))
}

fn incomparable(left: &Value, right: &Value, span: Span) -> Stop {
    match (left, right) {
        (Value::Step(a), Value::Step(b)) => no_common_unit(&format!("`{a}` and `{b}` cannot be compared"), span),
        (Value::Measured(_), _) | (_, Value::Measured(_)) => waits(span).into(),
        _ if holds(left, &|part| matches!(part, Value::Measured(_))) => waits(span).into(),
        _ if holds(left, &|part| matches!(part, Value::Step(_))) => {
            no_common_unit("the steps in these values cannot be compared", span)
        }
        _ => {
            let message = format!("{} and {} cannot be compared", repr::kind(left), repr::kind(right));
            error(&codes::MISMATCH, message, span, "this comparison").into()
        }
    }
}

/// Whether some part of a value is of a kind.
fn holds(value: &Value, kind: &dyn Fn(&Value) -> bool) -> bool {
    kind(value)
        || match value {
            Value::List(items) | Value::Tuple(items) => items.iter().any(|item| holds(item, kind)),
            Value::Record(record) => record.iter().any(|(_, field)| holds(field, kind)),
            _ => false,
        }
}

fn no_common_unit(what: &str, span: Span) -> Stop {
    let message = format!("{what}: how long an epoch is depends on the task and the batch");
    error(&codes::NO_COMMON_UNIT, message, span, "steps in different units").help("write both in the same unit").into()
}

fn operands(op: BinaryOp, left: &Value, right: &Value, span: Span) -> Stop {
    let message = format!("`{}` does not go with {} and {}", op.symbol(), repr::kind(left), repr::kind(right));
    error(&codes::MISMATCH, message, span, "this operator").into()
}

pub(super) fn overflow(span: Span) -> Stop {
    error(&codes::OUT_OF_RANGE, "the result is beyond the range of numbers", span, "too large")
        .help("use a float, like `1.0`, where exactness is not needed")
        .into()
}

fn by_zero(span: Span) -> Stop {
    error(&codes::DIVISION_BY_ZERO, "a division by zero", span, "divides by zero").into()
}

/// A plain number as an exact factor.
fn factor(value: &Value) -> Option<Exact> {
    match value {
        Value::Int(value) => Some(number::whole(*value)),
        Value::Float(value) => number::from_f64(*value),
        Value::Ratio(value) => Some(*value),
        _ => None,
    }
}

fn arithmetic(op: BinaryOp, left: &Value, right: &Value, course: Option<&Course>, span: Span) -> Evaluated {
    use BinaryOp as B;
    use Value as V;
    let too_large = || overflow(span);
    let exact = |result: Option<Exact>| result.ok_or_else(too_large);
    let quotient = |a: Exact, b: Exact| {
        if b == Exact::from_integer(0) { Err(by_zero(span)) } else { number::divide(a, b).ok_or_else(too_large) }
    };
    Ok(match (op, left, right) {
        (_, V::Int(a), V::Int(b)) => integers(op, *a, *b, span)?,
        (_, V::Int(_) | V::Float(_), V::Int(_) | V::Float(_)) => {
            let (a, b) = (left.number().unwrap_or(f64::NAN), right.number().unwrap_or(f64::NAN));
            V::Float(floats(op, a, b).ok_or_else(|| operands(op, left, right, span))?)
        }
        (B::Add, V::Ratio(a), V::Ratio(b) | V::Points(b)) | (B::Add, V::Points(a), V::Ratio(b)) => {
            V::Ratio(exact(number::add(*a, *b))?)
        }
        (B::Subtract, V::Ratio(a), V::Points(b)) => V::Ratio(exact(number::subtract(*a, *b))?),
        (B::Subtract, V::Ratio(a), V::Ratio(b)) | (B::Subtract, V::Points(a), V::Points(b)) => {
            V::Points(exact(number::subtract(*a, *b))?)
        }
        (B::Add, V::Points(a), V::Points(b)) => V::Points(exact(number::add(*a, *b))?),
        (B::Add, V::Time(a), V::Time(b)) => V::Time(exact(number::add(*a, *b))?),
        (B::Subtract, V::Time(a), V::Time(b)) => V::Time(exact(number::subtract(*a, *b))?),
        (B::Add, V::Bytes(a), V::Bytes(b)) => V::Bytes(exact(number::add(*a, *b))?),
        (B::Subtract, V::Bytes(a), V::Bytes(b)) => V::Bytes(exact(number::subtract(*a, *b))?),
        (B::Add, V::Step(a), V::Step(b)) => V::Step(Arc::new(a.add(b).ok_or_else(too_large)?)),
        (B::Subtract, V::Step(a), V::Step(b)) => V::Step(Arc::new(a.subtract(b).ok_or_else(too_large)?)),
        (B::Divide, V::Step(a), V::Step(b)) => {
            if b.is_zero() {
                return Err(by_zero(span));
            }
            let quotient = a.divide(b, course);
            V::Float(quotient.ok_or_else(|| no_common_unit(&format!("`{a}` cannot be divided by `{b}`"), span))?)
        }
        (B::Multiply, V::Step(step), other) | (B::Multiply, other, V::Step(step)) => {
            let factor = factor(other).ok_or_else(|| operands(op, left, right, span))?;
            V::Step(Arc::new(step.scale(factor).ok_or_else(too_large)?))
        }
        (B::Divide, V::Step(step), other) => {
            let divisor = factor(other).ok_or_else(|| operands(op, left, right, span))?;
            let inverse = quotient(Exact::from_integer(1), divisor)?;
            V::Step(Arc::new(step.scale(inverse).ok_or_else(too_large)?))
        }
        (B::Divide, V::Ratio(a), V::Ratio(b))
        | (B::Divide, V::Points(a), V::Points(b))
        | (B::Divide, V::Time(a), V::Time(b))
        | (B::Divide, V::Bytes(a), V::Bytes(b)) => V::Float(number::to_f64(quotient(*a, *b)?)),
        (B::Multiply | B::Divide, quantity, other) | (B::Multiply, other, quantity)
            if unit(quantity).is_some()
                && factor(other).is_some()
                && !matches!((op, other), (B::Divide, V::Ratio(_))) =>
        {
            let (Some((value, rebuild)), Some(factor)) = (unit(quantity), factor(other)) else {
                return Err(operands(op, left, right, span));
            };
            rebuild(if op == B::Multiply { exact(number::multiply(value, factor))? } else { quotient(value, factor)? })
        }
        (B::Multiply, other, quantity) if unit(quantity).is_some() && factor(other).is_some() => {
            let (Some((value, rebuild)), Some(factor)) = (unit(quantity), factor(other)) else {
                return Err(operands(op, left, right, span));
            };
            rebuild(exact(number::multiply(value, factor))?)
        }
        (B::Power, V::Ratio(base), V::Int(exponent)) => V::Ratio(exact(number::power(*base, *exponent))?),
        _ => return Err(operands(op, left, right, span)),
    })
}

/// Makes a quantity of an amount.
type Rebuild = fn(Exact) -> Value;

/// Takes a quantity apart into its amount and what makes an amount of the same kind.
fn unit(value: &Value) -> Option<(Exact, Rebuild)> {
    match value {
        Value::Ratio(value) => Some((*value, Value::Ratio)),
        Value::Points(value) => Some((*value, Value::Points)),
        Value::Time(value) => Some((*value, Value::Time)),
        Value::Bytes(value) => Some((*value, Value::Bytes)),
        _ => None,
    }
}

fn integers(op: BinaryOp, a: i64, b: i64, span: Span) -> Evaluated {
    let result = match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Subtract => a.checked_sub(b),
        BinaryOp::Multiply => a.checked_mul(b),
        BinaryOp::Divide => return Ok(Value::Float(a as f64 / b as f64)),
        BinaryOp::Power if b < 0 => {
            return Err(error(
                &codes::OUT_OF_RANGE,
                "an integer to a negative power is not an integer",
                span,
                "this power",
            )
            .help("write the base as a float, like `2.0`")
            .into());
        }
        BinaryOp::Power => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        _ => None,
    };
    result.map(Value::Int).ok_or_else(|| overflow(span))
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Option<f64> {
    Some(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide => a / b,
        BinaryOp::Power => libm::pow(a, b),
        _ => return None,
    })
}

/// Reads a number or a score as a score.
pub(super) fn as_score(value: &Value) -> Option<Score> {
    match value {
        Value::Score(score) => Some((**score).clone()),
        other => other.number().filter(|number| number.is_finite()).map(|number| Score::Constant(number + 0.0)),
    }
}

/// Combines scores in normal form: the operands of commutative operators are in order.
fn scores(op: BinaryOp, left: &Value, right: &Value) -> Option<Value> {
    let (a, b) = (Box::new(as_score(left)?), Box::new(as_score(right)?));
    let score = match op {
        BinaryOp::Add => commutative(Score::Add, a, b),
        BinaryOp::Multiply => commutative(Score::Multiply, a, b),
        BinaryOp::Subtract => Score::Subtract(a, b),
        BinaryOp::Divide => Score::Divide(a, b),
        BinaryOp::Power => Score::Power(a, b),
        _ => return None,
    };
    Some(Value::Score(Arc::new(score)))
}

/// Applies a commutative operator to its operands in order.
pub(super) fn commutative(make: fn(Box<Score>, Box<Score>) -> Score, a: Box<Score>, b: Box<Score>) -> Score {
    let text = |score: &Score| serde_json::to_string(score).unwrap_or_default();
    if text(&a) <= text(&b) { make(a, b) } else { make(b, a) }
}

//! Numbers. What can reach a key goes through `libm`, which is the same on every machine.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::interpreter::{Interpreter, error};
use super::super::operators::{apply, as_score, commutative, negate, overflow};
use crate::diag::codes::evaluation as codes;
use crate::domain::pruning::Score;
use crate::ops::lowering::Arguments;
use crate::value::measured::Pure;
use crate::value::output::Scale;
use crate::value::{Evaluated, Value, number};

pub(super) fn abs(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let value = &arguments.at(0).value;
    match value {
        Value::Score(score) => Ok(Value::Score(Arc::new(Score::Abs(Box::new((**score).clone()))))),
        Value::Measured(inner) => Ok(apply(Pure::Abs, vec![inner.clone()], inner.scale())),
        Value::Float(value) => Ok(Value::Float(value.abs())),
        Value::Int(value) => value.checked_abs().map(Value::Int).ok_or_else(|| overflow(arguments.call)),
        Value::Ratio(_) | Value::Points(_) | Value::Step(_) | Value::Time(_) | Value::Bytes(_) => {
            let negative = negate(value, arguments.call)?;
            let larger = vm.order(&negative, value, arguments.call)? == Ordering::Greater;
            Ok(if larger { negative } else { value.clone() })
        }
        other => Err(arguments.mismatch(0, "a number", other)),
    }
}

pub(super) fn min(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    extreme(vm, arguments, Ordering::Less, Pure::Min, Score::Min)
}

pub(super) fn max(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    extreme(vm, arguments, Ordering::Greater, Pure::Max, Score::Max)
}

fn extreme(
    vm: &mut Interpreter<'_>,
    arguments: &Arguments,
    wanted: Ordering,
    pure: Pure,
    score: fn(Box<Score>, Box<Score>) -> Score,
) -> Evaluated {
    let (a, b) = (&arguments.at(0).value, &arguments.at(1).value);
    match (a, b) {
        (Value::Score(_), _) | (_, Value::Score(_)) => match (as_score(a), as_score(b)) {
            (Some(a), Some(b)) => Ok(Value::Score(Arc::new(commutative(score, Box::new(a), Box::new(b))))),
            (None, _) => Err(arguments.mismatch(0, "a score or a number", a)),
            (_, None) => Err(arguments.mismatch(1, "a score or a number", b)),
        },
        (Value::Measured(_), _) | (_, Value::Measured(_)) => match (a.lift(), b.lift()) {
            (Some(a), Some(b)) => {
                let scale = if a.scale() == b.scale() { a.scale() } else { Scale::Plain };
                Ok(apply(pure, vec![a, b], scale))
            }
            _ => Err(arguments.mismatch(1, "a number", b)),
        },
        // One result for NaN whatever the order of the arguments.
        _ if a.number().is_some_and(f64::is_nan) || b.number().is_some_and(f64::is_nan) => Ok(Value::Float(f64::NAN)),
        _ => {
            let chosen = if vm.order(b, a, arguments.call)? == wanted { b } else { a };
            let mixed = matches!((a, b), (Value::Float(_), Value::Int(_)) | (Value::Int(_), Value::Float(_)));
            Ok(match (mixed, chosen) {
                (true, Value::Int(value)) => Value::Float(*value as f64),
                _ => chosen.clone(),
            })
        }
    }
}

pub(super) fn clamp(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let pair = |vm: &mut Interpreter<'_>, a: &Value, at: usize, f: super::Builtin| {
        let mut inner = arguments.clone();
        inner.values = vec![
            crate::ops::lowering::Argument { value: a.clone(), span: arguments.span(0), given: true },
            arguments.at(at).clone(),
        ];
        f(vm, &inner)
    };
    let raised = pair(vm, &arguments.at(0).value, 1, max)?;
    pair(vm, &raised, 2, min)
}

pub(super) fn sqrt(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    match &arguments.at(0).value {
        Value::Score(score) => Ok(Value::Score(Arc::new(Score::Sqrt(Box::new((**score).clone()))))),
        Value::Measured(inner) => Ok(apply(Pure::Sqrt, vec![inner.clone()], Scale::Plain)),
        _ => Ok(Value::Float(libm::sqrt(arguments.float(0)?))),
    }
}

pub(super) fn floor(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    whole(libm::floor(arguments.float(0)?), arguments)
}

pub(super) fn round(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    whole(libm::rint(arguments.float(0)?), arguments)
}

fn whole(value: f64, arguments: &Arguments) -> Evaluated {
    // 2⁶³ itself does not fit.
    if value.is_finite() && value >= i64::MIN as f64 && value < i64::MAX as f64 {
        Ok(Value::Int(value as i64))
    } else {
        Err(overflow(arguments.call))
    }
}

pub(super) fn modulo(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let (a, b) = (arguments.int(0)?, arguments.int(1)?);
    if b == 0 {
        return Err(error(
            &codes::DIVISION_BY_ZERO,
            "there is no remainder of a division by zero",
            arguments.span(1),
            "zero",
        )
        .into());
    }
    a.checked_rem_euclid(b).map(Value::Int).ok_or_else(|| overflow(arguments.call))
}

pub(super) fn float(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    arguments.float(0).map(Value::Float)
}

pub(super) fn fraction(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    arguments.ratio(0).map(|ratio| Value::Float(number::to_f64(ratio)))
}

pub(super) fn ratio(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let value = arguments.float(0)?;
    number::from_f64(value).map(Value::Ratio).ok_or_else(|| overflow(arguments.span(0)))
}

pub(super) fn exp(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    Ok(Value::Float(libm::exp(arguments.float(0)?)))
}

pub(super) fn ln(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    Ok(Value::Float(libm::log(arguments.float(0)?)))
}

pub(super) fn cos(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    Ok(Value::Float(libm::cos(arguments.float(0)?)))
}

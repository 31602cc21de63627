//! Means and claims over columns.

use std::sync::Arc;

use super::super::interpreter::Interpreter;
use super::super::operators::apply;
use super::super::outputs::{axes_of, check_replicates, projection, sample};
use crate::ops::lowering::Arguments;
use crate::syntax::tree::Exact;
use crate::value::measured::Pure;
use crate::value::output::{ClaimKind, ClaimSpec, Margin, Scale};
use crate::value::{Evaluated, Measured, Value, number, repr};

pub(super) fn mean(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let column = projection(arguments, 0)?;
    let over = axes_of(&column.rows, arguments, 1)?;
    check_replicates(&column, &over, arguments.span(0))?;
    let values: Vec<Arc<Measured>> = numbers(column.cells(), arguments, 0)?;
    let scale = match values.first().map(|value| value.scale()) {
        Some(Scale::Count) | None => Scale::Plain,
        Some(scale) => scale,
    };
    Ok(apply(Pure::Mean, values, scale))
}

fn numbers(cells: &[Value], arguments: &Arguments, at: usize) -> Evaluated<Vec<Arc<Measured>>> {
    cells
        .iter()
        .map(|cell| {
            let number = cell.lift().filter(|value| !value.is_bool());
            number.ok_or_else(|| arguments.mismatch(at, "a column of numbers", cell))
        })
        .collect()
}

pub(super) fn not_worse(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    claim(arguments, ClaimKind::NotWorse, Some(margin(arguments, 2)?), 3)
}

pub(super) fn equivalent(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    claim(arguments, ClaimKind::Equivalent, Some(margin(arguments, 2)?), 3)
}

pub(super) fn differs(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    claim(arguments, ClaimKind::Differs, None, 2)
}

fn margin(arguments: &Arguments, at: usize) -> Evaluated<Margin> {
    let value = &arguments.at(at).value;
    let margin = match value {
        Value::Points(value) => Margin::Absolute(number::to_f64(*value)),
        Value::Ratio(value) => Margin::Relative(number::to_f64(*value)),
        Value::Int(_) | Value::Float(_) => Margin::Absolute(arguments.float(at)?),
        other => return Err(arguments.mismatch(at, "a margin, like `0.5pp` or `5%`", other)),
    };
    let (Margin::Absolute(size) | Margin::Relative(size)) = margin;
    if size.is_finite() && size > 0.0 {
        return Ok(margin);
    }
    let message = format!("a margin of {} leaves nothing to show", repr::repr(value));
    Err(arguments
        .refuse(at, message, "not above zero")
        .help("give the largest difference that would not matter")
        .into())
}

/// Builds a claim from values, reference, and the axes at argument `at`, which the level follows.
fn claim(arguments: &Arguments, kind: ClaimKind, margin: Option<Margin>, at: usize) -> Evaluated {
    let (values, reference) = (projection(arguments, 0)?, projection(arguments, 1)?);
    numbers(values.cells(), arguments, 0)?;
    numbers(reference.cells(), arguments, 1)?;
    let over = axes_of(&values.rows, arguments, at)?;
    let level = arguments.ratio(at + 1)?;
    if level <= Exact::new(1, 2) || level >= Exact::from_integer(1) {
        let message = format!("the level is {}, but must lie between 50% and 100%", repr::repr(&Value::Ratio(level)));
        return Err(arguments.refuse(at + 1, message, "out of range").help("95% is usual").into());
    }
    Ok(Value::Verdict(Arc::new(ClaimSpec {
        kind,
        sample: sample(&values),
        reference: sample(&reference),
        margin,
        over,
        level: number::to_f64(level),
    })))
}

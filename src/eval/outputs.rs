//! Columns by name, and what claims compare.

use std::sync::Arc;

use super::access::no_column;
use super::interpreter::error;
use crate::diag::codes::evaluation as codes;
use crate::ops::lowering::Arguments;
use crate::source::Span;
use crate::value::output::{AxisScale, Frame, Role, Statistic};
use crate::value::{Evaluated, Function, Projection, Value, repr};

/// Reads accessors as names of columns.
pub(super) fn columns(value: &Value, arguments: &Arguments, at: usize) -> Evaluated<Vec<Arc<str>>> {
    match value {
        Value::Function(Function::Accessor(name)) => Ok(vec![name.clone()]),
        Value::List(items) => {
            let mut names = Vec::new();
            for item in items.iter() {
                names.extend(columns(item, arguments, at)?);
            }
            Ok(names)
        }
        other => Err(arguments.mismatch(at, "a column, like `.seed`", other)),
    }
}

/// Reads accessors as names of columns that rows have.
pub(super) fn columns_of(rows: &Frame<Value>, arguments: &Arguments, at: usize) -> Evaluated<Vec<Arc<str>>> {
    let names = columns(&arguments.at(at).value, arguments, at)?;
    check_columns(rows, &names, arguments.span(at))?;
    Ok(names)
}

/// Reports names that rows do not have.
pub(super) fn check_columns(rows: &Frame<Value>, names: &[Arc<str>], span: Span) -> Evaluated<()> {
    match names.iter().find(|name| rows.column(name).is_none()) {
        Some(name) => Err(no_column(rows, name, span)),
        None => Ok(()),
    }
}

/// Reads axes that rows have.
pub(super) fn axes_of(rows: &Frame<Value>, arguments: &Arguments, at: usize) -> Evaluated<Vec<Arc<str>>> {
    let names = columns_of(rows, arguments, at)?;
    check_axes(rows, &names, arguments.span(at))?;
    Ok(names)
}

/// Reports names that are no axes of rows.
pub(super) fn check_axes(rows: &Frame<Value>, names: &[Arc<str>], span: Span) -> Evaluated<()> {
    check_columns(rows, names, span)?;
    let is_axis = |name: &str| rows.column(name).is_some_and(|column| column.role == Role::Axis);
    match names.iter().find(|name| !is_axis(name)) {
        Some(name) => {
            let axes: Vec<_> = rows
                .columns
                .iter()
                .filter(|column| column.role == Role::Axis)
                .map(|column| format!("`.{}`", column.name))
                .collect();
            Err(error(&codes::UNKNOWN_COLUMN, format!("`{name}` is not an axis of the sweep"), span, "not an axis")
                .help(format!("replicates vary along an axis: {}", axes.join(", ")))
                .into())
        }
        None => Ok(()),
    }
}

/// Reads a statistic, which may be named by the function of the same name.
pub(super) fn statistic(value: &Value, arguments: &Arguments, at: usize) -> Evaluated<Statistic> {
    let named = match value {
        Value::Statistic(statistic) => return Ok(*statistic),
        Value::Function(Function::Native(native)) => &*native.declaration.name.text,
        _ => "",
    };
    match named {
        "mean" => Ok(Statistic::Mean),
        "sd" => Ok(Statistic::Sd),
        "ci95" => Ok(Statistic::Ci95),
        "min" => Ok(Statistic::Min),
        "max" => Ok(Statistic::Max),
        "len" => Ok(Statistic::Count),
        _ => Err(arguments.mismatch(at, "a statistic, like `mean` or `ci95`", value)),
    }
}

/// Reads the scale of an axis.
pub(super) fn axis_scale(arguments: &Arguments, at: usize) -> Evaluated<AxisScale> {
    match &arguments.at(at).value {
        Value::AxisScale(scale) => Ok(*scale),
        other => Err(arguments.mismatch(at, "the scale of an axis, like `logit`", other)),
    }
}

/// Reads a column of values.
pub(super) fn projection(arguments: &Arguments, at: usize) -> Evaluated<Arc<Projection>> {
    match &arguments.at(at).value {
        Value::Column(column) if column.cells().is_empty() => {
            Err(error(&codes::NO_ROWS, "there are no rows to compare", arguments.span(at), "no rows").into())
        }
        Value::Column(column) => Ok(column.clone()),
        other => Err(arguments.mismatch(at, "a column of rows, like `runs.top1`", other)),
    }
}

/// Returns a column as one side of a comparison: axes, fields that are known now, then the values.
pub(super) fn sample(column: &Projection) -> Frame<Value> {
    let is_known = |cells: &[Value]| !cells.iter().any(|cell| matches!(cell, Value::Measured(_)));
    let other = |role| {
        column.rows.columns.iter().filter(move |c| c.role == role && c.name != column.name && is_known(&c.cells))
    };
    let values = column.rows.column(&column.name);
    let columns = other(Role::Axis).chain(other(Role::Field)).chain(values).cloned().collect();
    Frame { columns, presence: column.rows.presence.clone() }
}

/// Checks that the rows of a column differ in the axes `over`.
pub(super) fn check_replicates(column: &Projection, over: &[Arc<str>], span: Span) -> Evaluated<()> {
    let key = |row: usize| -> Vec<String> {
        over.iter().filter_map(|name| column.rows.column(name)).map(|axis| repr::repr(&axis.cells[row])).collect()
    };
    let mut keys: Vec<_> = (0..column.rows.height()).map(key).collect();
    keys.sort();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        let axes: Vec<_> = over.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("several rows have the same {}, so their mean would mix levels", axes.join(", "));
        return Err(error(&codes::MIXED_GROUPS, message, span, "rows of several levels")
            .help("choose one level first: `.at(round: 0)`")
            .into());
    }
    Ok(())
}

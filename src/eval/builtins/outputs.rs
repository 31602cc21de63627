//! Tables, plots, bands, curves.

use std::collections::HashMap;
use std::sync::Arc;

use num_traits::Zero;

use super::super::interpreter::{Interpreter, error};
use super::super::outputs::{axes_of, axis_scale, check_axes, columns, columns_of, statistic};
use super::super::sweep::rows_of;
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::ops::lowering::Arguments;
use crate::value::output::{Column, Frame, PlotSpec, Role, Scale, Statistic, TableSpec};
use crate::value::{Course, Evaluated, Step, Value, number, repr};

/// Points of a curve.
const POINTS: u64 = 2000;
/// Iterations that `monotone` looks at.
const LOOKED_AT: u64 = 1_000_000;

pub(super) fn summary(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let rows = rows_of(&arguments.at(0).value, arguments.span(0))?;
    let by = columns_of(&rows, arguments, 1)?;
    for name in &by {
        let waiting = rows.column(name).is_some_and(|c| c.cells.iter().any(|cell| matches!(cell, Value::Measured(_))));
        if waiting {
            return Err(super::super::expr::waits(arguments.span(1)).into());
        }
    }
    let over = axes_of(&rows, arguments, 2)?;
    let show = match &arguments.at(3).value {
        Value::List(items) => {
            items.iter().map(|item| statistic(item, arguments, 3)).collect::<Evaluated<Vec<Statistic>>>()?
        }
        other => vec![statistic(other, arguments, 3)?],
    };
    if let Some(column) = pooled(&rows, &by, &over) {
        let all = by.iter().chain([&column]).map(|name| format!(".{name}")).collect::<Vec<_>>().join(", ");
        vm.warn(pooling(arguments, &column, &format!("write `by: [{all}]`")));
    }
    Ok(Value::Table(Arc::new(TableSpec::Summary { rows: (*rows).clone(), by, over, show })))
}

/// A column in which rows differ that agree in all of `by` and `over`: what is said of them mixes its values.
fn pooled(rows: &Frame<Value>, by: &[Arc<str>], over: &[Arc<str>]) -> Option<Arc<str>> {
    let (told, others): (Vec<_>, Vec<_>) =
        rows.columns.iter().partition(|column| by.contains(&column.name) || over.contains(&column.name));
    let known = |column: &&&Column<Value>| !column.cells.iter().any(|cell| matches!(cell, Value::Measured(_)));
    let mut others: Vec<&Column<Value>> = others.iter().filter(known).copied().collect();
    others.sort_by_key(|column| column.role != Role::Axis);
    if others.is_empty() {
        return None;
    }
    let mut first: HashMap<Vec<String>, usize> = HashMap::new();
    (0..rows.height()).find_map(|row| {
        let key = told.iter().map(|column| repr::repr(&column.cells[row])).collect();
        let earlier = *first.entry(key).or_insert(row);
        let differs = |column: &&&Column<Value>| repr::repr(&column.cells[earlier]) != repr::repr(&column.cells[row]);
        others.iter().find(differs).map(|column| column.name.clone())
    })
}

fn pooling(arguments: &Arguments, column: &str, apart: &str) -> Diagnostic {
    Diagnostic::warning(&codes::POOLED, format!("rows that differ in `{column}` are taken together"))
        .label(arguments.call, format!("its numbers mix the values of `{column}`"))
        .help(format!("to tell them apart, {apart}; for one of them, `keep(rows, row => row.{column} == …)`"))
}

pub(super) fn line(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let rows = rows_of(&arguments.at(0).value, arguments.span(0))?;
    let x = columns_of(&rows, arguments, 1)?;
    let [x] = x.as_slice() else { return Err(arguments.mismatch(1, "one column", &arguments.at(1).value)) };
    let y = columns_of(&rows, arguments, 2)?;
    let color = match &arguments.at(3).value {
        Value::Nothing => None,
        _ => columns_of(&rows, arguments, 3)?.into_iter().next(),
    };
    let band = match &arguments.at(4).value {
        Value::Nothing => None,
        Value::Band(statistic, over) => {
            check_axes(&rows, over, arguments.span(4))?;
            let told: Vec<Arc<str>> = [x].into_iter().chain(&color).cloned().collect();
            if let Some(column) = pooled(&rows, &told, over) {
                let apart = match &color {
                    None => format!("write `color: .{column}`"),
                    Some(_) => "draw a plot for each".to_owned(),
                };
                vm.warn(pooling(arguments, &column, &apart));
            }
            Some((*statistic, over.to_vec()))
        }
        other => return Err(arguments.mismatch(4, "a band, like `ci95(over: .seed)`", other)),
    };
    let (x_scale, y_scale) = (axis_scale(arguments, 5)?, axis_scale(arguments, 6)?);
    let spec = PlotSpec::Line { rows: (*rows).clone(), x: x.clone(), y, color, band, x_scale, y_scale };
    Ok(Value::Plot(Arc::new(spec)))
}

fn band(arguments: &Arguments, statistic: Statistic) -> Evaluated {
    let over = columns(&arguments.at(0).value, arguments, 0)?;
    Ok(Value::Band(statistic, Arc::new(over)))
}

pub(super) fn ci95(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    band(arguments, Statistic::Ci95)
}

pub(super) fn sd(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    band(arguments, Statistic::Sd)
}

/// A band from the smallest to the largest value goes by the name of its upper end.
pub(super) fn span(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    band(arguments, Statistic::Max)
}

/// Iterations of a range of steps, at most `most` of them, evenly spread, both ends included.
fn iterations(arguments: &Arguments, most: u64) -> Evaluated<(Course, Vec<u64>, bool)> {
    let value = &arguments.at(1).value;
    let Value::Range(range) = value else { return Err(arguments.mismatch(1, "a range of steps", value)) };
    let (Value::Step(start), Value::Step(end)) = (&range.start, &range.end) else {
        return Err(arguments.mismatch(1, "a range of steps, like `0ep..=10ep`", &range.start));
    };
    let course = Course { per_epoch: arguments.count(2, "the number of iterations per epoch", 1)?, batch: None };
    let resolve = |step: &Step| {
        step.whole_iterations(&course).ok_or_else(|| {
            let message = format!("`{step}` has no place on the curve");
            arguments.refuse(1, message, "not a number of epochs or iterations").help("give steps in `ep` or `it`")
        })
    };
    let (first, last) = (resolve(start)?, resolve(end)?);
    let last = if range.inclusive { last } else { last.saturating_sub(1) };
    if last < first {
        return Err(error(&codes::NO_ROWS, "the range of steps is empty", arguments.span(1), "empty").into());
    }
    let stride = (last - first).div_ceil(most).max(1);
    let mut steps: Vec<u64> = (first..=last).step_by(usize::try_from(stride).unwrap_or(usize::MAX)).collect();
    if steps.last() != Some(&last) {
        steps.push(last);
    }
    let epochs = |step: &Step| step.iterations.is_zero() && step.images.is_zero();
    Ok((course, steps, epochs(start) && epochs(end)))
}

pub(super) fn curve(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let (course, steps, epochs) = iterations(arguments, POINTS)?;
    let mut points = Vec::with_capacity(steps.len());
    let mut scale = Scale::Plain;
    for at in steps {
        vm.tick(arguments.call)?;
        let value = vm.sample(&arguments.at(0).value, course, Value::iterations(at), arguments.span(0))?;
        let y = match &value {
            Value::Ratio(value) => {
                scale = Scale::Ratio;
                number::to_f64(*value)
            }
            other => other
                .number()
                .ok_or_else(|| arguments.mismatch(0, "a schedule: a function from the step to a number", other))?,
        };
        let x = if epochs { at as f64 / course.per_epoch as f64 } else { at as f64 };
        points.push((x, y));
    }
    let x_label = if epochs { "epoch" } else { "iteration" }.to_owned();
    Ok(Value::Plot(Arc::new(PlotSpec::Curve { points, scale, x_label })))
}

pub(super) fn monotone(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let (course, steps, _) = iterations(arguments, LOOKED_AT)?;
    let mut before: Option<Value> = None;
    for at in steps {
        vm.tick(arguments.call)?;
        let value = vm.sample(&arguments.at(0).value, course, Value::iterations(at), arguments.span(0))?;
        if let Some(before) = &before
            && vm.order(&value, before, arguments.span(0))? == std::cmp::Ordering::Less
        {
            return Ok(Value::Bool(false));
        }
        before = Some(value);
    }
    Ok(Value::Bool(true))
}

//! Rows by the values of their columns: `runs.at(rate: 20%, round: 3)`.

use std::sync::Arc;

use super::access::{arrange, no_column};
use super::call::Given;
use super::expr::waits;
use super::interpreter::error;
use crate::diag::codes::evaluation as codes;
use crate::source::Span;
use crate::value::output::{Column, Frame};
use crate::value::{Evaluated, Value, number, repr};

/// Keeps the rows that have the given values.
pub(super) fn rows_at(rows: &Arc<Frame<Value>>, given: &[Given], call: Span, text: &str) -> Evaluated {
    let mut wanted = vec![true; rows.height()];
    let mut described = Vec::new();
    for given in given {
        let Some(label) = &given.label else {
            let message = "`.at` of rows takes names and values";
            return Err(error(&codes::MISMATCH, message, given.span, "no column named")
                .help("write `.at(round: 3)`")
                .into());
        };
        let Some(column) = rows.column(label) else {
            return Err(no_column(rows, label, given.span));
        };
        described.push(format!("{label} {}", repr::label(&given.value)));
        for (keep, cell) in wanted.iter_mut().zip(&column.cells) {
            if matches!(cell, Value::Measured(_)) {
                return Err(waits(given.span).into());
            }
            *keep &= cell.equals(&given.value, None).unwrap_or(false);
        }
    }
    if !wanted.contains(&true) {
        let message = format!("no row has {}", described.join(", "));
        let diagnostic = error(&codes::NO_ROWS, message, call, "selects nothing");
        return Err(match nearest(rows, given, text) {
            Some((help, right)) => diagnostic.help(help).fix(call, right),
            None => diagnostic.help(values(rows, given)),
        }
        .into());
    }
    Ok(Value::Rows(Arc::new(select(rows, &wanted))))
}

/// The rows that have all of the given values but one.
fn others(rows: &Frame<Value>, given: &[Given], but: usize) -> Vec<usize> {
    let holds = |row: usize| {
        given.iter().enumerate().filter(|(at, _)| *at != but).all(|(_, given)| {
            let column = given.label.as_deref().and_then(|label| rows.column(label));
            column.is_some_and(|column| column.cells[row].equals(&given.value, None).unwrap_or(false))
        })
    };
    (0..rows.height()).filter(|row| holds(*row)).collect()
}

/// Another column that selects the rows with the value that is closest to the wanted one, where one does: a sparsity
/// follows from whole numbers of weights, so that it is seldom what was asked for.
fn nearest(rows: &Frame<Value>, given: &[Given], text: &str) -> Option<(String, String)> {
    let mut ratios = (0..given.len()).filter(|at| matches!(given[*at].value, Value::Ratio(_)));
    ratios.find_map(|at| nearest_by(rows, given, at, text))
}

fn nearest_by(rows: &Frame<Value>, given: &[Given], at: usize, text: &str) -> Option<(String, String)> {
    let (object, _) = text.rsplit_once(".at(")?;
    let wanted = &given[at];
    let column = rows.column(wanted.label.as_deref()?)?;
    let candidates = others(rows, given, at);
    let share = |value: &Value| if let Value::Ratio(share) = value { Some(number::to_f64(*share)) } else { None };
    let target = share(&wanted.value)?;
    let distance = |row: usize| share(&column.cells[row]).map_or(f64::INFINITY, |found| (found - target).abs());
    let best = candidates.iter().copied().min_by(|a, b| distance(*a).total_cmp(&distance(*b)))?;
    // What rounding to whole weights makes of a sparsity, and less than what two levels differ by.
    let close = |row: usize| distance(row) < 0.01;
    let selects = |other: &Column<Value>| {
        let taken = given.iter().any(|given| given.label.as_deref() == Some(&*other.name));
        let plain = matches!(other.cells[best], Value::Int(_) | Value::Str(_));
        let same = |row: &usize| other.cells[*row].equals(&other.cells[best], None).unwrap_or(false);
        !taken && plain && close(best) && candidates.iter().filter(|row| same(row)).all(|row| close(*row))
    };
    let other = rows.columns.iter().find(|other| selects(other))?;
    let mut args: Vec<String> = given
        .iter()
        .enumerate()
        .filter(|(nth, _)| *nth != at)
        .filter_map(|(_, given)| Some(format!("{}: {}", given.label.as_deref()?, repr::repr(&given.value))))
        .collect();
    args.push(format!("{}: {}", other.name, repr::repr(&other.cells[best])));
    let right = format!("{object}.at({})", args.join(", "));
    let help = format!("the closest `{}` is about {}: write `{right}`", column.name, repr::label(&column.cells[best]));
    Some((help, right))
}

/// Says which values the columns have by which rows were selected: those of rows that fit otherwise.
fn values(rows: &Frame<Value>, given: &[Given]) -> String {
    let mut told: Vec<String> =
        (0..given.len()).filter_map(|at| told(rows, given, at, &others(rows, given, at))).collect();
    if told.is_empty() {
        let all: Vec<usize> = (0..rows.height()).collect();
        told = (0..given.len()).filter_map(|at| self::told(rows, given, at, &all)).collect();
    }
    told.join("; ")
}

fn told(rows: &Frame<Value>, given: &[Given], at: usize, among: &[usize]) -> Option<String> {
    let column = rows.column(given[at].label.as_deref()?)?;
    let mut seen: Vec<String> = Vec::new();
    for row in among {
        let shown = repr::label(&column.cells[*row]);
        if !seen.contains(&shown) {
            seen.push(shown);
        }
    }
    let more = if seen.len() > 8 { ", …" } else { "" };
    seen.truncate(8);
    (!seen.is_empty()).then(|| format!("`{}` is {}{more}", column.name, seen.join(", ")))
}

/// Keeps some rows.
pub(super) fn select(rows: &Frame<Value>, wanted: &[bool]) -> Frame<Value> {
    let order: Vec<usize> = wanted.iter().enumerate().filter(|(_, keep)| **keep).map(|(row, _)| row).collect();
    arrange(rows, &order)
}

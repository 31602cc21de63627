//! Lists, and rows where they can be gone through.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::access::arrange;
use super::super::choice::{bare, choose, last_existing, no_condition, uncover};
use super::super::expr::truth;
use super::super::flow::records;
use super::super::interpreter::{Interpreter, error};
use super::super::select::select;
use crate::diag::codes::evaluation as codes;
use crate::ops::lowering::Arguments;
use crate::syntax::tree::BinaryOp;
use crate::value::{Branch, Evaluated, Measured, Value};

fn elements(vm: &mut Interpreter<'_>, arguments: &Arguments, at: usize) -> Evaluated<Vec<Value>> {
    vm.elements(&arguments.at(at).value, arguments.span(at))
}

fn function(arguments: &Arguments, at: usize) -> &Value {
    &arguments.at(at).value
}

fn holds(vm: &mut Interpreter<'_>, arguments: &Arguments, element: Value) -> Evaluated<bool> {
    let span = arguments.span(1);
    let value = vm.apply(function(arguments, 1), vec![element], span)?;
    truth(&value, span)
}

pub(super) fn map(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let mut results = Vec::new();
    for element in elements(vm, arguments, 0)? {
        let (when, element) = bare(element);
        let value = vm.apply(function(arguments, 1), vec![element], arguments.span(1))?;
        results.push(when.iter().fold(value, Value::only_if));
    }
    Ok(Value::list(results))
}

pub(super) fn keep(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    if let Value::Rows(rows) = &arguments.at(0).value {
        let wanted: Vec<bool> =
            records(rows).into_iter().map(|row| holds(vm, arguments, row)).collect::<Evaluated<_>>()?;
        return Ok(Value::Rows(Arc::new(select(rows, &wanted))));
    }
    let mut kept = Vec::new();
    for element in elements(vm, arguments, 0)? {
        if holds(vm, arguments, element.clone())? {
            kept.push(element);
        }
    }
    Ok(Value::list(kept))
}

pub(super) fn sum(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let list = elements(vm, arguments, 0)?;
    let mut total: Option<Value> = None;
    for element in list {
        // A share plus a share is a share here: the parts of a whole.
        total = Some(match total {
            None => element,
            Some(total) => vm.operate(BinaryOp::Add, &total, &element, arguments.span(0))?,
        });
    }
    Ok(total.unwrap_or_else(|| vm.nothing(arguments.span(0))))
}

pub(super) fn len(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let value = &arguments.at(0).value;
    let count = match value {
        Value::List(items) => items.len(),
        Value::Rows(rows) => rows.height(),
        Value::Column(column) => column.cells().len(),
        Value::Range(range) => match (&range.start, &range.end) {
            (Value::Int(start), Value::Int(end)) => {
                let last = end.saturating_add(i64::from(range.inclusive));
                usize::try_from(last.saturating_sub(*start)).unwrap_or(0)
            }
            _ => return Err(arguments.mismatch(0, "a list", value)),
        },
        other => return Err(arguments.mismatch(0, "a list", other)),
    };
    Ok(Value::Int(count as i64))
}

pub(super) fn fold(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let mut value = arguments.at(1).value.clone();
    for element in elements(vm, arguments, 0)? {
        value = vm.apply(function(arguments, 2), vec![value, element], arguments.span(2))?;
    }
    Ok(value)
}

pub(super) fn scan(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let mut value = arguments.at(1).value.clone();
    let mut results = vec![value.clone()];
    for element in elements(vm, arguments, 0)? {
        value = vm.apply(function(arguments, 2), vec![value, element], arguments.span(2))?;
        results.push(value.clone());
    }
    Ok(Value::list(results))
}

pub(super) fn iterate(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let times = arguments.count(1, "the number of rounds", 0)?;
    let mut value = arguments.at(0).value.clone();
    let mut results = vec![value.clone()];
    // The condition under which there is a next round.
    let mut going: Option<Arc<Measured>> = None;
    for round in 1..=times {
        vm.tick(arguments.call)?;
        match ends(vm, arguments, &value)? {
            Value::Bool(true) => break,
            Value::Measured(ends) => {
                let goes_on = Arc::new(Measured::Not(ends));
                going = Some(going.map_or_else(|| goes_on.clone(), |before| Measured::both(&before, &goes_on)));
            }
            _ => {}
        }
        value = vm.apply(function(arguments, 2), vec![value, Value::Int(round as i64)], arguments.span(2))?;
        results.push(going.iter().fold(value.clone(), Value::only_if));
    }
    Ok(Value::list(results))
}

/// Whether the rounds end with a value.
fn ends(vm: &mut Interpreter<'_>, arguments: &Arguments, value: &Value) -> Evaluated {
    if !arguments.given(3) {
        return Ok(Value::Bool(false));
    }
    let span = arguments.span(3);
    let ends = vm.apply(function(arguments, 3), vec![value.clone()], span)?;
    match &ends {
        Value::Bool(_) => {}
        Value::Measured(condition) if condition.is_bool() => vm.check_selection(condition, span)?,
        other => return Err(no_condition(other, span)),
    }
    Ok(ends)
}

pub(super) fn select_value(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let (then, otherwise) = (&arguments.at(1).value, &arguments.at(2).value);
    match &arguments.at(0).value {
        Value::Bool(true) => Ok(then.clone()),
        Value::Bool(false) => Ok(otherwise.clone()),
        Value::Measured(condition) if condition.is_bool() => {
            vm.check_selection(condition, arguments.span(0))?;
            let fails = Arc::new(Measured::Not(condition.clone()));
            let branches = vec![
                Branch { when: condition.clone(), value: then.clone() },
                Branch { when: fails, value: otherwise.clone() },
            ];
            choose(branches, "the two sides", arguments.call)
        }
        other => Err(no_condition(other, arguments.span(0))),
    }
}

pub(super) fn zip(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let (a, b) = (elements(vm, arguments, 0)?, elements(vm, arguments, 1)?);
    if a.len() != b.len() {
        let message = format!("the lists to pair have {} and {} elements", a.len(), b.len());
        return Err(error(&codes::BAD_ARGUMENT, message, arguments.span(1), format!("{} elements", b.len()))
            .help("give both the same length")
            .into());
    }
    Ok(Value::list(a.into_iter().zip(b).map(|(a, b)| Value::Tuple(Arc::new(vec![a, b]))).collect()))
}

pub(super) fn enumerate(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let list = elements(vm, arguments, 0)?;
    let pairs = list.into_iter().enumerate().map(|(at, x)| Value::Tuple(Arc::new(vec![Value::Int(at as i64), x])));
    Ok(Value::list(pairs.collect()))
}

pub(super) fn sort_by(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let list = elements(vm, arguments, 0)?;
    let mut keys = Vec::with_capacity(list.len());
    for element in &list {
        let key = vm.apply(function(arguments, 1), vec![element.clone()], arguments.span(1))?;
        if let Some(earlier) = keys.last() {
            vm.order(earlier, &key, arguments.span(1))?;
        }
        keys.push(key);
    }
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by(|&a, &b| vm.order(&keys[a], &keys[b], arguments.call).unwrap_or(Ordering::Equal));
    Ok(rearranged(arguments, &list, &order))
}

pub(super) fn reverse(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let list = elements(vm, arguments, 0)?;
    let order: Vec<usize> = (0..list.len()).rev().collect();
    Ok(rearranged(arguments, &list, &order))
}

fn rearranged(arguments: &Arguments, list: &[Value], order: &[usize]) -> Value {
    match &arguments.at(0).value {
        Value::Rows(rows) => Value::Rows(Arc::new(arrange(rows, order))),
        _ => Value::list(order.iter().map(|&at| list[at].clone()).collect()),
    }
}

pub(super) fn first(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let list = elements(vm, arguments, 0)?;
    list.into_iter().next().ok_or_else(|| empty(arguments))
}

pub(super) fn last(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let list = elements(vm, arguments, 0)?;
    match list.last() {
        Some(last) if uncover(last).is_some() => last_existing(&list).ok_or_else(|| empty(arguments)),
        last => last.cloned().ok_or_else(|| empty(arguments)),
    }
}

fn empty(arguments: &Arguments) -> crate::value::Stop {
    let message = format!("an empty list has no {} element", arguments.name);
    error(&codes::NO_ELEMENT, message, arguments.span(0), "empty").into()
}

pub(super) fn flatten(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let mut all = Vec::new();
    for list in elements(vm, arguments, 0)? {
        all.extend(vm.elements(&list, arguments.span(0))?);
    }
    Ok(Value::list(all))
}

pub(super) fn any(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    for element in elements(vm, arguments, 0)? {
        if holds(vm, arguments, element)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn all(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    for element in elements(vm, arguments, 0)? {
        if !holds(vm, arguments, element)? {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

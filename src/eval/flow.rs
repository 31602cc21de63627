//! Blocks, patterns, comprehensions.

use std::sync::Arc;

use super::access::field;
use super::choice::bare;
use super::interpreter::{Interpreter, Scope, error};
use crate::diag::codes::evaluation as codes;
use crate::source::Span;
use crate::syntax::tree::{Block, Expr, Pattern};
use crate::value::{Evaluated, Measured, Range, Record, Value, output::Frame, repr};

impl Interpreter<'_> {
    pub(super) fn block(&mut self, scope: &Scope, block: &Block) -> Evaluated {
        let mut inner = scope.clone();
        for binding in &block.bindings {
            let value = self.eval(&inner, &binding.value)?;
            inner = bind(&inner, &binding.pattern, value)?;
        }
        self.eval(&inner, &block.value)
    }

    pub(super) fn comprehension(
        &mut self,
        scope: &Scope,
        pattern: &Pattern,
        over: &Expr,
        condition: Option<&Expr>,
        body: &Expr,
    ) -> Evaluated {
        let list = self.eval(scope, over)?;
        let mut results = Vec::new();
        for element in self.elements(&list, over.span)? {
            let (when, element) = bare(element);
            let inner = bind(scope, pattern, element)?;
            if let Some(condition) = condition
                && !self.condition(&inner, condition)?
            {
                continue;
            }
            let value = self.eval(&inner, body)?;
            results.push(when.iter().fold(value, Value::only_if));
        }
        Ok(Value::list(results))
    }

    /// Returns the elements of anything that can be gone through.
    pub(super) fn elements(&mut self, list: &Value, span: Span) -> Evaluated<Vec<Value>> {
        match list {
            Value::List(items) => {
                self.spend(items.len() as u64, span)?;
                Ok(items.to_vec())
            }
            Value::Range(range) => self.range_elements(range, span),
            Value::Rows(rows) => {
                self.spend((rows.height() * rows.columns.len()) as u64, span)?;
                Ok(records(rows))
            }
            Value::Column(column) => Ok(column.cells().to_vec()),
            other => {
                let message = format!("a list is needed here, not {}", repr::kind(other));
                Err(error(&codes::MISMATCH, message, span, "not a list").into())
            }
        }
    }

    fn range_elements(&mut self, range: &Range, span: Span) -> Evaluated<Vec<Value>> {
        let (Value::Int(start), Value::Int(end)) = (&range.start, &range.end) else {
            let found = repr::kind(&range.start);
            let message = format!("only a range of integers can be gone through, this one starts with {found}");
            return Err(error(&codes::MISMATCH, message, span, "not a range of integers").into());
        };
        let last = if range.inclusive { end.checked_add(1).unwrap_or(*end) } else { *end };
        let count = u64::try_from(last.saturating_sub(*start)).unwrap_or(0);
        self.spend(count, span)?;
        Ok((*start..last.max(*start)).map(Value::Int).collect())
    }
}

/// Adds the names of a pattern to a scope.
pub(super) fn bind(scope: &Scope, pattern: &Pattern, value: Value) -> Evaluated<Scope> {
    if let Pattern::Name(name) = pattern {
        return Ok(scope.bind(name.text.clone(), value));
    }
    let mut inner = scope.clone();
    for (name, value) in destructure(pattern, value)? {
        inner = inner.bind(name, value);
    }
    Ok(inner)
}

/// Takes a value apart along a pattern.
pub(super) fn destructure(pattern: &Pattern, value: Value) -> Evaluated<Vec<(Arc<str>, Value)>> {
    match pattern {
        Pattern::Name(name) => Ok(vec![(name.text.clone(), value)]),
        Pattern::Record(names, _) => {
            names.iter().map(|name| Ok((name.text.clone(), field(&value, &name.text, name.span)?))).collect()
        }
        Pattern::Tuple(names, span) => match &value {
            Value::Tuple(items) if items.len() == names.len() => {
                Ok(names.iter().map(|name| name.text.clone()).zip(items.iter().cloned()).collect())
            }
            other => {
                let found = match other {
                    Value::Tuple(items) => format!("a tuple of {}", items.len()),
                    other => repr::kind(other).to_owned(),
                };
                let message = format!("a tuple of {} is needed here, not {found}", names.len());
                Err(error(&codes::MISMATCH, message, *span, format!("takes {} values", names.len())).into())
            }
        },
    }
}

/// Returns rows as records, axes first.
pub(super) fn records(rows: &Frame<Value>) -> Vec<Value> {
    (0..rows.height()).map(|row| record_at(rows, row)).collect()
}

/// Returns one row as a record.
pub(super) fn record_at(rows: &Frame<Value>, row: usize) -> Value {
    let fields = rows.columns.iter().map(|column| (column.name.clone(), column.cells[row].clone()));
    let record = Value::Record(Arc::new(fields.collect::<Record>()));
    match rows.presence.get(row).and_then(Value::lift) {
        Some(when) if *when != Measured::Bool(true) => record.only_if(&when),
        _ => record,
    }
}

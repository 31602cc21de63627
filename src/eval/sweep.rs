//! Sweeps: rows from the product of axes.

use std::sync::Arc;

use super::flow::destructure;
use super::interpreter::{Interpreter, Scope, error};
use crate::diag::codes::evaluation as codes;
use crate::source::Span;
use crate::syntax::tree::{Axis, Expr};
use crate::value::output::{Column, Frame, Role};
use crate::value::{Evaluated, Measured, Record, Stop, Value, repr};

/// A row before rows become columns.
struct Row {
    axes: Vec<(Arc<str>, Value)>,
    fields: Arc<Record>,
    /// The condition under which the row is there.
    when: Option<Arc<Measured>>,
}

/// A sweep that is being gone through.
struct Walk<'e> {
    axes: &'e [Axis],
    condition: Option<&'e Expr>,
    body: &'e Expr,
    rows: Vec<Row>,
}

impl Interpreter<'_> {
    pub(super) fn sweep(
        &mut self,
        scope: &Scope,
        axes: &[Axis],
        condition: Option<&Expr>,
        body: &Expr,
        span: Span,
    ) -> Evaluated {
        let mut walk = Walk { axes, condition, body, rows: Vec::new() };
        let outer = self.axes.len();
        let done = self.along(scope, &mut walk, 0);
        self.axes.truncate(outer);
        done?;
        if walk.rows.is_empty() {
            return Err(error(&codes::NO_ROWS, "the sweep has no rows", span, "nothing is left")
                .help("give every axis a value, and let the condition hold somewhere")
                .into());
        }
        frame(&walk.rows, span)
    }

    fn along(&mut self, scope: &Scope, walk: &mut Walk<'_>, at: usize) -> Evaluated<()> {
        let Some(axis) = walk.axes.get(at) else { return self.point(scope, walk) };
        let list = self.eval(scope, &axis.over)?;
        for value in self.elements(&list, axis.over.span)? {
            let outer = self.axes.len();
            let bound = destructure(&axis.pattern, value)?;
            let mut inner = scope.clone();
            for (name, value) in bound {
                self.axes.push((name.clone(), value.clone()));
                inner = inner.bind(name, value);
            }
            self.along(&inner, walk, at + 1)?;
            self.axes.truncate(outer);
        }
        Ok(())
    }

    fn point(&mut self, scope: &Scope, walk: &mut Walk<'_>) -> Evaluated<()> {
        if let Some(condition) = walk.condition
            && !self.condition(scope, condition)?
        {
            return Ok(());
        }
        let value = self.eval(scope, walk.body)?;
        let names: usize = walk.axes.iter().map(|axis| axis.pattern.names().len()).sum();
        let axes = self.axes[self.axes.len().saturating_sub(names)..].to_vec();
        flatten(&value, &axes, None, &mut walk.rows, walk.body.span)
    }
}

fn flatten(
    value: &Value,
    axes: &[(Arc<str>, Value)],
    when: Option<&Arc<Measured>>,
    rows: &mut Vec<Row>,
    span: Span,
) -> Evaluated<()> {
    let also = |inner: &Arc<Measured>| when.map_or_else(|| inner.clone(), |outer| Measured::both(outer, inner));
    match value {
        Value::Record(fields) => {
            rows.push(Row { axes: axes.to_vec(), fields: fields.clone(), when: when.cloned() });
        }
        Value::List(items) => {
            for item in items.iter() {
                flatten(item, axes, when, rows, span)?;
            }
        }
        Value::Choice(choice) => {
            for branch in &choice.branches {
                flatten(&branch.value, axes, Some(&also(&branch.when)), rows, span)?;
            }
        }
        Value::Rows(inner) => {
            for row in 0..inner.height() {
                let mut axes = axes.to_vec();
                let mut fields = Record::default();
                for column in &inner.columns {
                    let cell = column.cells[row].clone();
                    match column.role {
                        Role::Axis => axes.push((column.name.clone(), cell)),
                        Role::Field => fields.set(column.name.clone(), cell),
                    }
                }
                let inner = inner.presence.get(row).and_then(Value::lift);
                let when = inner.map_or_else(|| when.cloned(), |inner| Some(also(&inner)));
                rows.push(Row { axes, fields: Arc::new(fields), when });
            }
        }
        other => {
            let message = format!("a sweep needs records at each of its points, not {}", repr::kind(other));
            return Err(error(&codes::MISMATCH, message, span, "this is no record")
                .help("write a record: `{ top1: evaluate(s, task.val).top1 }`")
                .into());
        }
    }
    Ok(())
}

/// Turns rows into columns.
fn frame(rows: &[Row], span: Span) -> Evaluated {
    let Some(first) = rows.first() else { return Err(Stop::Reported) };
    let axes: Vec<Arc<str>> = first.axes.iter().map(|(name, _)| name.clone()).collect();
    let fields: Vec<Arc<str>> = first.fields.iter().map(|(name, _)| name.clone()).collect();
    if let Some(name) = axes.iter().enumerate().find(|(at, name)| fields.contains(name) || axes[..*at].contains(name)) {
        let message = format!("`{}` is both an axis and another column of the sweep", name.1);
        return Err(error(&codes::UNEVEN_ROWS, message, span, "two columns of one name")
            .help("give the field or the axis another name")
            .into());
    }
    let mut columns: Vec<Column<Value>> = Vec::new();
    for (at, name) in axes.iter().enumerate() {
        let cells = rows.iter().map(|row| match row.axes.get(at) {
            Some((found, value)) if found == name && row.axes.len() == axes.len() => Ok(value.clone()),
            _ => Err(uneven(name, span)),
        });
        columns.push(Column { name: name.clone(), role: Role::Axis, cells: cells.collect::<Evaluated<_>>()? });
    }
    for name in &fields {
        let cells = rows.iter().map(|row| row.fields.get(name).cloned().ok_or_else(|| uneven(name, span)));
        columns.push(Column { name: name.clone(), role: Role::Field, cells: cells.collect::<Evaluated<_>>()? });
    }
    if let Some(extra) =
        rows.iter().flat_map(|row| row.fields.names()).find(|name| !fields.iter().any(|f| &**f == *name))
    {
        return Err(uneven(extra, span));
    }
    let mut presence = Vec::new();
    if rows.iter().any(|row| row.when.is_some()) {
        presence = rows.iter().map(|row| row.when.clone().map_or(Value::Bool(true), Value::Measured)).collect();
    }
    Ok(Value::Rows(Arc::new(Frame { columns, presence })))
}

fn uneven(name: &str, span: Span) -> Stop {
    error(
        &codes::UNEVEN_ROWS,
        format!("only some points of the sweep have a column `{name}`"),
        span,
        "rows that differ",
    )
    .help("give every point the same fields")
    .into()
}

/// Puts the rows of two sweeps under each other.
pub(super) fn unite(a: &Frame<Value>, b: &Frame<Value>, span: Span) -> Evaluated {
    let names = |frame: &Frame<Value>| {
        let mut names: Vec<_> =
            frame.columns.iter().map(|column| (column.name.clone(), column.role == Role::Axis)).collect();
        names.sort();
        names
    };
    if names(a) != names(b) {
        return Err(error(&codes::UNEVEN_ROWS, "the two sweeps have different columns", span, "cannot be united")
            .help("give both the same axes and fields")
            .into());
    }
    let columns = a.columns.iter().map(|column| Column {
        name: column.name.clone(),
        role: column.role,
        cells: column
            .cells
            .iter()
            .chain(b.column(&column.name).into_iter().flat_map(|other| &other.cells))
            .cloned()
            .collect(),
    });
    let columns = columns.collect();
    let mut presence = Vec::new();
    if !a.presence.is_empty() || !b.presence.is_empty() {
        let of = |frame: &Frame<Value>, row: usize| frame.presence.get(row).cloned().unwrap_or(Value::Bool(true));
        presence = (0..a.height()).map(|row| of(a, row)).chain((0..b.height()).map(|row| of(b, row))).collect();
    }
    Ok(Value::Rows(Arc::new(Frame { columns, presence })))
}

/// Reads a list of records as rows without axes.
pub(super) fn rows_of(value: &Value, span: Span) -> Evaluated<Arc<Frame<Value>>> {
    match value {
        Value::Rows(rows) => Ok(rows.clone()),
        Value::List(_) => {
            let mut rows = Vec::new();
            flatten(value, &[], None, &mut rows, span)?;
            if rows.is_empty() {
                return Err(error(&codes::NO_ROWS, "there are no rows", span, "an empty list").into());
            }
            match frame(&rows, span)? {
                Value::Rows(rows) => Ok(rows),
                _ => Err(Stop::Reported),
            }
        }
        other => {
            let message = format!("rows are needed here, not {}", repr::kind(other));
            Err(error(&codes::MISMATCH, message, span, "not rows").into())
        }
    }
}

//! A program's outputs with the numbers that its stages have measured.

use std::sync::Arc;

use super::program::{Claim, Expect, Output, Program};
use crate::syntax::tree::BinaryOp;
use crate::value::measured::Lookup;
use crate::value::output::{Cell, ClaimSpec, Frame, Object, PlotSpec, TableSpec};
use crate::value::{Measured, Value, repr};

/// Outputs over numbers, in the order of [`Program`].
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Tables.
    pub tables: Vec<Output<TableSpec<Cell>>>,
    /// Plots.
    pub plots: Vec<Output<PlotSpec<Cell>>>,
    /// Claims.
    pub claims: Vec<Claim<Cell>>,
    /// For each expectation: whether it holds (nothing if a stage has no result), and both sides in words.
    pub expects: Vec<(Option<bool>, String)>,
}

impl Program {
    /// Fills in what stages have measured.
    pub fn resolve(&self, lookup: &Lookup<'_>) -> Resolved {
        Resolved {
            tables: self.tables.iter().map(|table| table.map(|spec| resolve_table(spec, lookup))).collect(),
            plots: self.plots.iter().map(|plot| plot.map(|spec| resolve_plot(spec, lookup))).collect(),
            claims: self
                .claims
                .iter()
                .map(|claim| Claim {
                    name: claim.name.clone(),
                    text: claim.text.clone(),
                    span: claim.span,
                    spec: resolve_claim(&claim.spec, lookup),
                })
                .collect(),
            expects: self.expects.iter().map(|expect| expect.resolve(lookup)).collect(),
        }
    }
}

impl Resolved {
    /// Fills in what stages have stored for plots; `read` gives the bytes of an object, if there is one.
    pub fn read_objects(&mut self, read: &mut dyn FnMut(&Object) -> Option<Arc<[u8]>>) {
        for object in self.plots.iter_mut().flat_map(|plot| plot.spec.objects_mut()) {
            object.bytes = read(object);
        }
    }
}

impl<T> Output<T> {
    fn map<U>(&self, f: impl FnOnce(&T) -> U) -> Output<U> {
        Output { name: self.name.clone(), docs: self.docs.clone(), span: self.span, spec: f(&self.spec) }
    }
}

fn resolve_frame(frame: &Frame<Value>, lookup: &Lookup<'_>) -> Frame<Cell> {
    let absent = |value: &Value| matches!(value, Value::Measured(expression) if expression.is_absent(lookup));
    let ruled_out = |value: &Value| value.lift().is_some_and(|when| when.decide(lookup) == Some(false));
    let is_there = |row: &usize| {
        !frame.presence.get(*row).is_some_and(ruled_out)
            && !frame.columns.iter().any(|column| absent(&column.cells[*row]))
    };
    let there: Vec<usize> = (0..frame.height()).filter(is_there).collect();
    frame.pick(&there, |value| value.cell(lookup))
}

fn resolve_table(spec: &TableSpec<Value>, lookup: &Lookup<'_>) -> TableSpec<Cell> {
    match spec {
        TableSpec::Rows(rows) => TableSpec::Rows(resolve_frame(rows, lookup)),
        TableSpec::Summary { rows, by, over, show } => TableSpec::Summary {
            rows: resolve_frame(rows, lookup),
            by: by.clone(),
            over: over.clone(),
            show: show.clone(),
        },
    }
}

fn resolve_plot(spec: &PlotSpec<Value>, lookup: &Lookup<'_>) -> PlotSpec<Cell> {
    match spec {
        PlotSpec::Line { rows, x, y, color, band, x_scale, y_scale } => PlotSpec::Line {
            rows: resolve_frame(rows, lookup),
            x: x.clone(),
            y: y.clone(),
            color: color.clone(),
            band: band.clone(),
            x_scale: *x_scale,
            y_scale: *y_scale,
        },
        PlotSpec::Curve { points, scale, x_label } => {
            PlotSpec::Curve { points: points.clone(), scale: *scale, x_label: x_label.clone() }
        }
        PlotSpec::Gallery { portraits } => PlotSpec::Gallery { portraits: portraits.clone() },
        PlotSpec::ConceptBars { summary } => PlotSpec::ConceptBars { summary: summary.clone() },
        PlotSpec::ConceptChanges { from, to } => PlotSpec::ConceptChanges { from: from.clone(), to: to.clone() },
    }
}

fn resolve_claim(spec: &ClaimSpec<Value>, lookup: &Lookup<'_>) -> ClaimSpec<Cell> {
    ClaimSpec {
        kind: spec.kind,
        sample: resolve_frame(&spec.sample, lookup),
        reference: resolve_frame(&spec.reference, lookup),
        margin: spec.margin,
        over: spec.over.clone(),
        level: spec.level,
    }
}

impl Expect {
    pub(super) fn resolve(&self, lookup: &Lookup<'_>) -> (Option<bool>, String) {
        let holds = match self.condition.resolve(lookup) {
            Cell::Bool(value) => Some(value),
            _ => None,
        };
        let detail = match &*self.condition {
            Measured::Binary { op, left, right, .. } if !matches!(op, BinaryOp::And | BinaryOp::Or) => {
                let side = |side: &Measured| shown(&side.resolve(lookup));
                format!("{} {} {}", side(left), op.symbol(), side(right))
            }
            _ => String::new(),
        };
        (holds, detail)
    }
}

fn shown(cell: &Cell) -> String {
    use crate::value::number;
    use crate::value::output::Scale;
    let exact = |value: f64| number::from_f64(value).unwrap_or_default();
    match cell {
        Cell::Number { value, scale: Scale::Ratio } => repr::repr(&Value::Ratio(exact(*value))),
        Cell::Number { value, scale: Scale::Points } => repr::repr(&Value::Points(exact(*value))),
        Cell::Number { value, .. } => number::shown(exact(*value)),
        Cell::Bool(value) => value.to_string(),
        Cell::Text(text) => text.to_string(),
        Cell::Missing => "no result".to_owned(),
    }
}

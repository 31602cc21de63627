//! What a program comes to: stages, and outputs that wait for them.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use super::flow::bind;
use super::interpreter::{Interpreter, Scope, error};
use super::sweep::rows_of;
use crate::diag::codes::evaluation as codes;
use crate::diag::{Checked, Diagnostic};
use crate::graph::{Graph, NodeId};
use crate::resolve::ModuleId;
use crate::source::Span;
use crate::syntax::tree::{self, BinaryOp, Expr, ExprKind, ItemKind, TestItem};
use crate::value::measured::Lookup;
use crate::value::output::{Cell, ClaimSpec, Frame, PlotSpec, TableSpec};
use crate::value::{Evaluated, Measured, Stop, Value, repr};

/// A program, evaluated.
#[derive(Debug)]
pub struct Program {
    /// Its stages.
    pub graph: Graph,
    /// Its parameters, in source order.
    pub params: Vec<Param>,
    /// Its tables, in source order.
    pub tables: Vec<Output<TableSpec<Value>>>,
    /// Its plots, in source order.
    pub plots: Vec<Output<PlotSpec<Value>>>,
    /// Its claims, in source order.
    pub claims: Vec<Claim<Value>>,
    /// Its expectations, in source order.
    pub expects: Vec<Expect>,
    /// Its tests, in source order.
    pub tests: Vec<Test>,
    /// Files of weights that it reads, by digest.
    pub files: BTreeMap<String, PathBuf>,
}

/// A parameter and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type as written.
    pub ty: String,
    /// Its value as the language writes it.
    pub value: String,
    /// Its `///` text.
    pub docs: String,
    /// The value comes from outside.
    pub overridden: bool,
    /// Its name in the file.
    pub span: Span,
}

/// A table or a plot.
#[derive(Clone, Debug)]
pub struct Output<T> {
    /// Its name.
    pub name: String,
    /// Its `///` text.
    pub docs: String,
    /// Its name in the file.
    pub span: Span,
    /// What it shows.
    pub spec: T,
}

/// A claim over cells of type `C`.
#[derive(Clone, Debug)]
pub struct Claim<C> {
    /// Its name.
    pub name: String,
    /// Its sentence.
    pub text: String,
    /// Its name in the file.
    pub span: Span,
    /// The comparison.
    pub spec: ClaimSpec<C>,
}

/// An `expect` at top level.
#[derive(Clone, Debug)]
pub struct Expect {
    /// The condition as written.
    pub text: String,
    /// Its `///` text.
    pub docs: String,
    /// Where it stands.
    pub span: Span,
    condition: Arc<Measured>,
}

/// A `test` and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// What it shows.
    pub name: String,
    /// Where its name stands.
    pub span: Span,
    /// What did not hold, with both sides; empty if it passed.
    pub failures: Vec<Failure>,
}

/// An expectation of a test that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The condition.
    pub span: Span,
    /// The values on both sides, in words.
    pub detail: String,
}

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
    /// Returns the stages that outputs read.
    pub fn wanted(&self) -> BTreeSet<NodeId> {
        let mut nodes = BTreeSet::new();
        let mut frame = |frame: &Frame<Value>| {
            let cells = frame.columns.iter().flat_map(|column| &column.cells);
            cells.for_each(|cell| cell.collect(&mut nodes));
        };
        for table in &self.tables {
            match &table.spec {
                TableSpec::Rows(rows) | TableSpec::Summary { rows, .. } => frame(rows),
            }
        }
        for plot in &self.plots {
            match &plot.spec {
                PlotSpec::Line { rows, .. } => frame(rows),
                PlotSpec::Curve { .. } => {}
            }
        }
        for claim in &self.claims {
            frame(&claim.spec.sample);
            frame(&claim.spec.reference);
        }
        for expect in &self.expects {
            expect.condition.collect(&mut nodes);
        }
        nodes
    }

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

    /// Returns whether every test passed.
    pub fn tests_pass(&self) -> bool {
        self.tests.iter().all(|test| test.failures.is_empty())
    }
}

impl<T> Output<T> {
    fn map<U>(&self, f: impl FnOnce(&T) -> U) -> Output<U> {
        Output { name: self.name.clone(), docs: self.docs.clone(), span: self.span, spec: f(&self.spec) }
    }
}

fn resolve_frame(frame: &Frame<Value>, lookup: &Lookup<'_>) -> Frame<Cell> {
    match frame.try_map(|value| Ok::<_, Infallible>(value.cell(lookup))) {
        Ok(frame) => frame,
    }
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
    fn resolve(&self, lookup: &Lookup<'_>) -> (Option<bool>, String) {
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

impl Interpreter<'_> {
    /// Evaluates the whole program.
    pub(super) fn program(mut self) -> Checked<Program> {
        self.check_settings();
        let root = self.linked.root;
        let mut program = Program {
            graph: Graph::default(),
            params: Vec::new(),
            tables: Vec::new(),
            plots: Vec::new(),
            claims: Vec::new(),
            expects: Vec::new(),
            tests: Vec::new(),
            files: BTreeMap::new(),
        };
        let count = self.linked.module(root).file.items.len();
        for item in 0..count {
            let done = self.output(&mut program, item);
            if let Err(stop) = done {
                self.report(stop);
            }
        }
        let errors = std::mem::take(&mut self.diagnostics);
        if !errors.is_empty() {
            return Err(sorted(errors));
        }
        self.name_stages();
        program.graph = std::mem::take(&mut self.graph);
        program.files = std::mem::take(&mut self.files);
        Ok(program)
    }

    fn output(&mut self, program: &mut Program, item: usize) -> Evaluated<()> {
        let linked = self.linked;
        let root = linked.root;
        let node = linked.item(root, item);
        let docs = node.docs.join("\n").trim().to_owned();
        let scope = Scope::top(root);
        match &node.kind {
            ItemKind::Binding(_) => self.force(root, item),
            ItemKind::Param(param) => {
                let value = self.item(root, item, &param.name.text, param.name.span)?;
                program.params.push(Param {
                    name: param.name.text.to_string(),
                    ty: linked.sources.slice(param.ty.span).to_owned(),
                    value: repr::repr(&value),
                    docs,
                    overridden: self.overrides.get(&param.name.text).is_some(),
                    span: param.name.span,
                });
            }
            ItemKind::Table(output) => {
                let spec = match self.eval(&scope, &output.value)? {
                    Value::Table(spec) => (*spec).clone(),
                    value => TableSpec::Rows((*rows_of(&value, output.value.span)?).clone()),
                };
                program.tables.push(named(output, docs, spec));
            }
            ItemKind::Plot(output) => match self.eval(&scope, &output.value)? {
                Value::Plot(spec) => program.plots.push(named(output, docs, (*spec).clone())),
                other => return Err(wrong(&other, "a plot", &output.value)),
            },
            ItemKind::Claim(claim) => match self.eval(&scope, &claim.value)? {
                Value::Verdict(spec) => program.claims.push(Claim {
                    name: claim.name.text.to_string(),
                    text: claim.text.to_string(),
                    span: claim.name.span,
                    spec: (*spec).clone(),
                }),
                other => return Err(wrong(&other, "a verdict, like `not_worse(…)`", &claim.value)),
            },
            ItemKind::Expect(condition) => {
                let value = self.eval(&scope, condition)?;
                let lifted = value.lift().filter(|value| value.is_bool());
                let condition_value = lifted.ok_or_else(|| wrong(&value, "a condition", condition))?;
                let text = linked.sources.slice(condition.span).split_whitespace().collect::<Vec<_>>().join(" ");
                program.expects.push(Expect { text, docs, span: condition.span, condition: condition_value });
            }
            ItemKind::Test(test) => {
                let failures = self.test(root, test)?;
                program.tests.push(Test { name: test.name.to_string(), span: test.name_span, failures });
            }
            ItemKind::Import(_) | ItemKind::Function(_) => {}
        }
        Ok(())
    }

    /// Runs a test of a module.
    pub(super) fn test(&mut self, module: ModuleId, test: &tree::Test) -> Evaluated<Vec<Failure>> {
        let mut scope = Scope::top(module);
        let mut failures = Vec::new();
        for item in &test.body {
            match item {
                TestItem::Binding(binding) => {
                    let value = self.eval(&scope, &binding.value)?;
                    scope = bind(&scope, &binding.pattern, value)?;
                }
                TestItem::Expect(condition) => failures.extend(self.expectation(&scope, condition)?),
            }
        }
        Ok(failures)
    }

    fn expectation(&mut self, scope: &Scope, condition: &Expr) -> Evaluated<Option<Failure>> {
        let (value, detail) = match &*condition.kind {
            ExprKind::Binary { op, op_span, left, right } if !matches!(op, BinaryOp::And | BinaryOp::Or) => {
                let (left, right) = (self.eval(scope, left)?, self.eval(scope, right)?);
                let detail = format!("{} {} {}", repr::repr(&left), op.symbol(), repr::repr(&right));
                (self.operate(*op, &left, &right, *op_span)?, detail)
            }
            _ => {
                let value = self.eval(scope, condition)?;
                let detail = repr::repr(&value);
                (value, detail)
            }
        };
        match value {
            Value::Bool(true) => Ok(None),
            Value::Bool(false) => Ok(Some(Failure { span: condition.span, detail })),
            Value::Measured(_) => {
                let message = "a test cannot expect something of a value that exists only after the run";
                Err(error(&codes::NOT_PLAIN, message, condition.span, "known after the run")
                    .help("write this `expect` outside of the test")
                    .into())
            }
            other => Err(wrong(&other, "a condition", condition)),
        }
    }
}

fn named<T>(output: &tree::Output, docs: String, spec: T) -> Output<T> {
    Output { name: output.name.text.to_string(), docs, span: output.name.span, spec }
}

fn wrong(found: &Value, wanted: &str, expr: &Expr) -> Stop {
    let message = format!("{wanted} is needed here, not {}", repr::kind(found));
    error(&codes::MISMATCH, message, expr.span, repr::kind(found)).into()
}

fn sorted(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|diagnostic| diagnostic.labels.first().map(|label| label.span));
    diagnostics
}

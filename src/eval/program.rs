//! What a program comes to: stages, and outputs that wait for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::flow::bind;
use super::interpreter::{Interpreter, Scope, error};
use super::sweep::rows_of;
use super::values::Values;
use crate::diag::codes::{evaluation as codes, invocation};
use crate::diag::{Checked, Diagnostic};
use crate::graph::{Graph, NodeId};
use crate::resolve::{self, ModuleId};
use crate::source::Span;
use crate::syntax::tree::{self, BinaryOp, Expr, ExprKind, ItemKind, TestItem};
use crate::value::output::{ClaimSpec, Frame, PlotSpec, TableSpec};
use crate::value::{Demands, Evaluated, Measured, Stop, Value, repr};

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
    /// What is no mistake, but hardly what is meant.
    pub warnings: Vec<Diagnostic>,
    /// Values of the names that it defines at top level, functions apart.
    pub values: Values,
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
    pub(super) condition: Arc<Measured>,
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
    /// Both sides apart, where there are two.
    pub sides: Option<[String; 2]>,
}

/// A test that was run by itself.
#[derive(Clone, Debug)]
pub struct Tested {
    /// What it shows.
    pub name: String,
    /// What does not hold.
    pub failures: Vec<Failure>,
    /// Why it could not be carried out.
    pub errors: Vec<Diagnostic>,
}

impl Program {
    /// Returns what outputs need of a run.
    pub fn demands(&self) -> Demands {
        let mut demands = Demands::default();
        for table in &self.tables {
            match &table.spec {
                TableSpec::Rows(rows) | TableSpec::Summary { rows, .. } => demand_rows(&mut demands, rows),
            }
        }
        for plot in &self.plots {
            if let PlotSpec::Line { rows, .. } = &plot.spec {
                demand_rows(&mut demands, rows);
            }
        }
        for claim in &self.claims {
            demand_rows(&mut demands, &claim.spec.sample);
            demand_rows(&mut demands, &claim.spec.reference);
        }
        self.expects.iter().for_each(|expect| demands.result(&expect.condition));
        let objects = self.plots.iter().flat_map(|plot| plot.spec.objects());
        objects.for_each(|object| demands.stage(object.node));
        demands
    }

    /// Describes the expectations at top level that no stage decides, and that do not hold.
    pub fn unmet(&self) -> Vec<Diagnostic> {
        let decided = |expect: &&Expect| {
            let mut stages = BTreeSet::new();
            expect.condition.collect(&mut stages);
            stages.is_empty()
        };
        let nothing = |_: NodeId, _: &str| None;
        let unmet = self.expects.iter().filter(decided).filter_map(|expect| {
            let (holds, detail) = expect.resolve(&nothing);
            let label = if detail.is_empty() { "does not hold".to_owned() } else { detail };
            let message = format!("`{}` does not hold", expect.text);
            (holds != Some(true))
                .then(|| Diagnostic::error(&invocation::EXPECTATION_FAILED, message).label(expect.span, label))
        });
        unmet.collect()
    }

    /// Describes the tests that do not hold.
    pub fn failed_tests(&self) -> Vec<Diagnostic> {
        let failures = self.tests.iter().flat_map(|test| test.failures.iter().map(move |found| (test, found)));
        failures
            .map(|(test, failure)| {
                let message = format!("the test \"{}\" does not hold", test.name);
                Diagnostic::error(&invocation::TEST_FAILED, message).label(failure.span, failure.detail.clone())
            })
            .collect()
    }

    /// Returns whether every test passed.
    pub fn tests_pass(&self) -> bool {
        self.tests.iter().all(|test| test.failures.is_empty())
    }
}

/// Demands what the cells of rows read, where the rows are there.
fn demand_rows(demands: &mut Demands, rows: &Frame<Value>) {
    for column in &rows.columns {
        for (row, cell) in column.cells.iter().enumerate() {
            let Value::Measured(expression) = cell else { continue };
            match rows.presence.get(row).and_then(Value::lift) {
                Some(when) => demands.result_if(&when, expression),
                None => demands.result(expression),
            }
        }
    }
    // Whether rows without measurements are there has to be known as well.
    for when in rows.presence.iter().filter_map(Value::lift) {
        demands.result_if(&when, &Arc::new(Measured::Bool(true)));
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
            warnings: Vec::new(),
            values: Values::default(),
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
        self.warnings.extend(resolve::without_effect(self.linked));
        program.warnings = sorted(std::mem::take(&mut self.warnings));
        program.files = std::mem::take(&mut self.files);
        program.values = self.values_of(root).into();
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

    /// Runs the tests of a module whose names are wanted.
    pub(super) fn tests(mut self, module: ModuleId, wanted: &dyn Fn(&str) -> bool) -> Vec<Tested> {
        let linked = self.linked;
        let tests = linked.module(module).file.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Test(test) if wanted(&test.name) => Some(test),
            _ => None,
        });
        tests
            .map(|test| {
                let failures = self.test(module, test).unwrap_or_else(|stop| {
                    self.report(stop);
                    Vec::new()
                });
                Tested { name: test.name.to_string(), failures, errors: std::mem::take(&mut self.diagnostics) }
            })
            .collect()
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
        let (value, detail, sides) = match &*condition.kind {
            ExprKind::Binary { op, op_span, left, right } if !matches!(op, BinaryOp::And | BinaryOp::Or) => {
                let (left, right) = (self.eval(scope, left)?, self.eval(scope, right)?);
                let sides = [repr::repr(&left), repr::repr(&right)];
                let detail = format!("{} {} {}", sides[0], op.symbol(), sides[1]);
                (self.operate(*op, &left, &right, *op_span)?, detail, Some(sides))
            }
            _ => {
                let value = self.eval(scope, condition)?;
                let detail = repr::repr(&value);
                (value, detail, None)
            }
        };
        match value {
            Value::Bool(true) => Ok(None),
            Value::Bool(false) => Ok(Some(Failure { span: condition.span, detail, sides })),
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

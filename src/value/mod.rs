//! Values of the language.

pub mod choice;
pub mod demand;
pub mod function;
pub mod measured;
pub mod number;
pub mod output;
pub mod record;
pub mod repr;
pub mod state;
pub mod step;

mod cell;
mod compare;

use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::domain::arch::Layer;
use crate::domain::data::{Augment, Probe, Split, Task};
use crate::domain::dissection::Scoring;
use crate::domain::pruning::{Counting, Pruner, Scope, Score};
use crate::domain::recipe;
use crate::domain::seed::Seed;
use crate::graph::NodeId;
use crate::source::Span;
use crate::syntax::tree::Exact;

pub use choice::{Branch, Choice};
pub use demand::Demands;
pub use function::{Closure, Env, Function, Native, NativeKind};
pub use measured::{Lookup, Measured};
pub use record::Record;
pub use state::{Course, Kept, Network, State, StateFacts, Training};
pub use step::Step;

use output::{AxisScale, ClaimSpec, Frame, PlotSpec, Statistic, TableSpec};

/// A value. Cloning is cheap: everything large is shared.
#[derive(Clone, Debug)]
pub enum Value {
    /// An optional argument that was not given.
    Nothing,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A share: `20%`.
    Ratio(Exact),
    /// A difference of shares, as a fraction: `0.5pp` is 1/200.
    Points(Exact),
    /// A point or span of training.
    Step(Arc<Step>),
    /// Seconds.
    Time(Exact),
    /// Bytes.
    Bytes(Exact),
    /// Text.
    Str(Arc<str>),
    /// Values of one type.
    List(Arc<Vec<Value>>),
    /// Values of several types.
    Tuple(Arc<Vec<Value>>),
    /// Named values.
    Record(Arc<Record>),
    /// Something to call.
    Function(Function),
    /// `a..b`, `a..=b`
    Range(Arc<Range>),
    /// A source of random numbers.
    Seed(Arc<Seed>),
    /// A layer.
    Layer(Arc<Layer>),
    /// A network and what follows from it.
    Arch(Arc<Network>),
    /// A classification task.
    Task(Arc<Task>),
    /// A part of a task.
    Split(Arc<Task>, Split),
    /// Images with labelled pixels.
    Probe(Arc<Probe>),
    /// A random change to images.
    Augment(Augment),
    /// How to train.
    Recipe(Arc<Recipe>),
    /// The parameter that a criterion scores: `p` in `p => abs(p.weight)`.
    Parameter,
    /// An expression over a parameter.
    Score(Arc<Score>),
    /// A score as a criterion.
    Criterion(Arc<Score>),
    /// What a pruning removes.
    Pruner(Arc<Pruner>),
    /// Among which weights scores compete.
    Scope(Scope),
    /// How a pruning counts.
    Counting(Counting),
    /// A network at a point of its life.
    State(State),
    /// Counts of a dissection.
    Tallies(Arc<Tallied>),
    /// A value that exists after the run.
    Measured(Arc<Measured>),
    /// One of several values, or none, as conditions turn out.
    Choice(Arc<Choice>),
    /// Rows of a sweep.
    Rows(Arc<Frame<Value>>),
    /// A column of rows.
    Column(Arc<Projection>),
    /// An interval around a mean.
    Band(Statistic, Arc<Vec<Arc<str>>>),
    /// A statistic in a summary.
    Statistic(Statistic),
    /// Scale of an axis.
    AxisScale(AxisScale),
    /// A table.
    Table(Arc<TableSpec<Value>>),
    /// A plot.
    Plot(Arc<PlotSpec<Value>>),
    /// A comparison to be judged.
    Verdict(Arc<ClaimSpec<Value>>),
}

/// A range of whole numbers or steps.
#[derive(Clone, Debug)]
pub struct Range {
    /// First.
    pub start: Value,
    /// Last, or one past it.
    pub end: Value,
    /// The end belongs to it.
    pub inclusive: bool,
}

/// A column with the rows that it is from.
#[derive(Clone, Debug)]
pub struct Projection {
    /// The rows.
    pub rows: Arc<Frame<Value>>,
    /// The column's name; the rows have it.
    pub name: Arc<str>,
}

impl Projection {
    /// Returns the cells of the column.
    pub fn cells(&self) -> &[Value] {
        self.rows.column(&self.name).map_or(&[], |column| &column.cells)
    }
}

/// What a dissection has counted, and how it is scored.
#[derive(Clone, Debug)]
pub struct Tallied {
    /// The stage that counts.
    pub node: NodeId,
    /// The network.
    pub state: State,
    /// Images and labels.
    pub probe: Arc<Probe>,
    /// The layer.
    pub layer: Arc<str>,
    /// How counts become concepts.
    pub scoring: Scoring,
}

/// A recipe: constants and the learning rate, which may depend on the step.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Everything but the learning rate.
    pub settings: recipe::Recipe,
    /// The learning rate: a `Float`, or a function from the step.
    pub rate: Value,
    /// Where the learning rate is written.
    pub rate_span: Span,
}

/// Why there is no value.
#[derive(Debug)]
pub enum Stop {
    /// A mistake, to be reported.
    Error(Box<Diagnostic>),
    /// A mistake that has been reported elsewhere.
    Reported,
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Error(Box::new(diagnostic))
    }
}

/// The result of an evaluation.
pub type Evaluated<T = Value> = Result<T, Stop>;

impl Value {
    /// Makes a text.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Str(Arc::from(text.as_ref()))
    }

    /// Makes a list.
    pub fn list(values: Vec<Self>) -> Self {
        Self::List(Arc::new(values))
    }

    /// Makes a number of iterations.
    pub fn iterations(count: u64) -> Self {
        Self::Step(Arc::new(Step::iterations(count)))
    }

    /// Returns the number of a plain number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }
}

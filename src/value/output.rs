//! Tables, plots and claims as data: first over cells that may still wait for a measurement, then over numbers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::graph::NodeId;

/// How a number is to be read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// A plain number.
    Plain,
    /// A whole number.
    Count,
    /// A ratio, stored as a fraction and shown in per cent.
    Ratio,
    /// A difference of ratios, stored as a fraction and shown in percentage points.
    Points,
    /// Training steps, in iterations.
    Iterations,
}

/// A resolved cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number and how to show it.
    Number {
        /// The number.
        value: f64,
        /// Its reading.
        scale: Scale,
    },
    /// A truth value.
    Bool(bool),
    /// Text.
    Text(Arc<str>),
    /// The stage it waits for failed or was not run.
    Missing,
}

/// Whether a column is an axis of a sweep or a field of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A named axis: pairing and grouping go by it.
    Axis,
    /// A field of the record.
    Field,
}

/// A column of a [`Frame`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column<C> {
    /// Its name.
    pub name: Arc<str>,
    /// Axis or field.
    pub role: Role,
    /// One cell per row.
    pub cells: Vec<C>,
}

/// Rows of a sweep, by column. `C` is [`Cell`] once everything is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame<C> {
    /// Columns of equal length, axes first.
    pub columns: Vec<Column<C>>,
    /// Whether each row is there, where that depends on conditions; empty if all are.
    pub presence: Vec<C>,
}

impl<C> Frame<C> {
    /// Makes rows that are there whatever happens.
    pub fn new(columns: Vec<Column<C>>) -> Self {
        Self { columns, presence: Vec::new() }
    }

    /// Returns the number of rows.
    pub fn height(&self) -> usize {
        self.columns.first().map_or(0, |column| column.cells.len())
    }

    /// Finds a column.
    pub fn column(&self, name: &str) -> Option<&Column<C>> {
        self.columns.iter().find(|column| &*column.name == name)
    }

    /// Returns the rows at the given places, in their order, every cell mapped. All of them are there.
    pub fn pick<D>(&self, places: &[usize], mut map: impl FnMut(&C) -> D) -> Frame<D> {
        let columns = self.columns.iter().map(|column| Column {
            name: column.name.clone(),
            role: column.role,
            cells: places.iter().map(|&row| map(&column.cells[row])).collect(),
        });
        Frame::new(columns.collect())
    }
}

/// Statistics that a summary can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Arithmetic mean.
    Mean,
    /// Sample standard deviation.
    Sd,
    /// 95 % confidence interval of the mean (Student's t).
    Ci95,
    /// Median.
    Median,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Number of values.
    Count,
}

/// What a `table` shows.
#[derive(Clone, Debug, PartialEq)]
pub enum TableSpec<C> {
    /// The rows as they are.
    Rows(Frame<C>),
    /// Groups and statistics of every other numeric field.
    Summary {
        /// The data.
        rows: Frame<C>,
        /// Group by these columns, in order.
        by: Vec<Arc<str>>,
        /// Replicates vary along these axes.
        over: Vec<Arc<str>>,
        /// What to show of each remaining numeric field.
        show: Vec<Statistic>,
    },
}

/// Axis scales of a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AxisScale {
    /// Proportional.
    Linear,
    /// Logarithmic.
    Log,
    /// log(p / (1 − p)) for ratios: spreads out the values near 0 and 1.
    Logit,
}

/// An object that a stage stores; its bytes are there after the run, unless the stage has no result.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// The stage.
    pub node: NodeId,
    /// Its role among the stage's objects.
    pub role: &'static str,
    /// What is stored.
    pub bytes: Option<Arc<[u8]>>,
}

impl Object {
    /// Names an object.
    pub fn new(node: NodeId, role: &'static str) -> Self {
        Self { node, role, bytes: None }
    }
}

/// What a `plot` shows.
#[derive(Clone, Debug, PartialEq)]
pub enum PlotSpec<C> {
    /// A line per colour through the means over the band's axis.
    Line {
        /// The data.
        rows: Frame<C>,
        /// Column on the horizontal axis.
        x: Arc<str>,
        /// Columns on the vertical axis; several are stacked panels over the same x.
        y: Vec<Arc<str>>,
        /// Column that separates lines.
        color: Option<Arc<str>>,
        /// Replicate axes and the interval drawn around the mean.
        band: Option<(Statistic, Vec<Arc<str>>)>,
        /// Horizontal scale.
        x_scale: AxisScale,
        /// Vertical scale.
        y_scale: AxisScale,
    },
    /// A sampled schedule.
    Curve {
        /// `(iteration, value)`.
        points: Vec<(f64, f64)>,
        /// How to read the values.
        scale: Scale,
        /// Label of the horizontal axis.
        x_label: String,
    },
    /// Images that excite the units of a layer.
    Gallery {
        /// Units with their pictures.
        portraits: Object,
    },
    /// A bar per concept, as high as the number of its units.
    ConceptBars {
        /// Units with their concepts.
        summary: Object,
    },
    /// Which units changed their concept.
    ConceptChanges {
        /// Units with their concepts before.
        from: Object,
        /// Units with their concepts after.
        to: Object,
    },
}

impl<C> PlotSpec<C> {
    /// Returns the stored objects that the plot shows.
    pub fn objects(&self) -> Vec<&Object> {
        match self {
            Self::Line { .. } | Self::Curve { .. } => Vec::new(),
            Self::Gallery { portraits: object } | Self::ConceptBars { summary: object } => vec![object],
            Self::ConceptChanges { from, to } => vec![from, to],
        }
    }

    /// Returns the same objects, to be filled in.
    pub fn objects_mut(&mut self) -> Vec<&mut Object> {
        match self {
            Self::Line { .. } | Self::Curve { .. } => Vec::new(),
            Self::Gallery { portraits: object } | Self::ConceptBars { summary: object } => vec![object],
            Self::ConceptChanges { from, to } => vec![from, to],
        }
    }
}

/// One side of a comparison: a value column with its axes, possibly over several levels.
pub type Sample<C> = Frame<C>;

/// A margin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Margin {
    /// In the units of the column (a fraction for points).
    Absolute(f64),
    /// As a fraction of the reference's mean.
    Relative(f64),
}

/// What a `claim` says. In each sample frame the last column is the value and the axes come first.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimSpec<C> {
    /// Which test.
    pub kind: ClaimKind,
    /// The side the claim is about; rows that differ in an axis outside `over` are separate comparisons.
    pub sample: Sample<C>,
    /// The reference side: one group, or the same groups as `sample`.
    pub reference: Sample<C>,
    /// Margin, for equivalence and non-inferiority.
    pub margin: Option<Margin>,
    /// Replicate axes: pairing and degrees of freedom go by them.
    pub over: Vec<Arc<str>>,
    /// Confidence level, e.g. 0.95.
    pub level: f64,
}

/// Kinds of claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// One-sided non-inferiority test (`protocol`: t = (d̄ + δ)/SE).
    NotWorse,
    /// Two one-sided tests.
    Equivalent,
    /// Two-sided test of a difference.
    Differs,
}

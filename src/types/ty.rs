//! Types, and how messages write them.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use crate::domain::data::Split;

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub enum Ty {
    /// Stands for a mistake that is reported already; agrees with everything.
    Error,
    /// Not known yet.
    Var(Var),
    /// A type variable of a signature, by its index.
    Generic(usize),
    /// A type without parts.
    Plain(Plain),
    /// `List[T]`
    List(Arc<Ty>),
    /// `Range[T]`
    Range(Arc<Ty>),
    /// A value that exists only after the run.
    Measured(Arc<Ty>),
    /// `(A, B)`
    Tuple(Arc<[Ty]>),
    /// `{ a: A, b: B }`
    Record(Arc<Fields>),
    /// `(A, B) -> C`
    Function(Arc<[Ty]>, Arc<Ty>),
    /// `Split[val]`; `Split` is any of them.
    Split(Option<Split>),
    /// Result of a sweep; `None` where the columns are not known.
    Rows(Option<Arc<Row>>),
    /// A column of rows; `None` where its type is not known.
    Column(Option<Arc<ColumnTy>>),
}

/// A type that is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Var(pub u32);

/// Fields of a record, in order.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Fields(pub Vec<(Arc<str>, Ty)>);

impl Fields {
    /// Returns the type of a field.
    pub fn get(&self, name: &str) -> Option<&Ty> {
        self.0.iter().find(|(field, _)| &**field == name).map(|(_, ty)| ty)
    }

    /// Returns the names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }
}

/// Columns of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// All columns, axes first.
    pub fields: Arc<Fields>,
    /// How many of them are axes; `None` where that is not known.
    pub axes: Option<usize>,
}

impl Row {
    /// Returns whether a column is an axis, as far as is known.
    pub fn is_axis(&self, name: &str) -> bool {
        self.axes.is_none_or(|axes| self.fields.names().take(axes).any(|axis| axis == name))
    }

    /// Returns the names of the axes that are known.
    pub fn axis_names(&self) -> impl Iterator<Item = &str> {
        self.fields.names().take(self.axes.unwrap_or(0))
    }
}

/// The type of a column and the rows it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnTy {
    /// What a cell holds.
    pub cell: Ty,
    /// The rows it was taken from.
    pub row: Option<Arc<Row>>,
}

macro_rules! plain {
    ($($name:ident = $doc:literal,)*) => {
        /// Types without parts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Plain {
            $(#[doc = $doc] $name,)*
        }

        impl Plain {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the name in the language.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

plain! {
    Bool = "true or false",
    Int = "a whole number",
    Float = "a number",
    Str = "text",
    Ratio = "a share of something: `20%`",
    Points = "a difference of ratios: `0.5pp`",
    Step = "a point in training, or a distance: `6ep`",
    Time = "a duration",
    Bytes = "an amount of memory",
    Seed = "a source of randomness",
    Layer = "a layer",
    Layers = "a record or list of layers, nested, or one layer",
    Arch = "an architecture",
    Task = "a classification task",
    Augment = "a random change to training images",
    Probe = "images with pixel labels",
    Recipe = "how to train",
    Schedule = "a number for each step",
    Criterion = "which weights go first",
    Score = "a number per weight",
    Parameter = "a parameter of a network, inside a criterion",
    Pruner = "which weights go, and how many",
    Scope = "among which weights they compete",
    Counting = "how counts are rounded",
    State = "a network with its weights and mask",
    Tallies = "counts of a dissection",
    Margin = "points, a ratio or a number",
    Band = "an interval around a mean",
    Statistic = "a number that summarises others",
    AxisScale = "how a plot's axis is divided",
    Table = "a table",
    Plot = "a plot",
    Verdict = "the outcome of a statistical test",
    Nothing = "the absence of an optional argument",
}

impl From<Plain> for Ty {
    fn from(plain: Plain) -> Self {
        Self::Plain(plain)
    }
}

impl Ty {
    /// Makes `List[element]`.
    pub fn list(element: impl Into<Self>) -> Self {
        Self::List(Arc::new(element.into()))
    }

    /// Makes `Measured[inner]`.
    pub fn measured(inner: impl Into<Self>) -> Self {
        Self::Measured(Arc::new(inner.into()))
    }

    /// Makes a record.
    pub fn record<N: Into<Arc<str>>, T: Into<Self>>(fields: impl IntoIterator<Item = (N, T)>) -> Self {
        Self::Record(Arc::new(Fields(fields.into_iter().map(|(name, ty)| (name.into(), ty.into())).collect())))
    }

    /// Returns the type inside `Measured`, or the type itself, and whether it was inside.
    pub fn unmeasured(&self) -> (&Self, bool) {
        match self {
            Self::Measured(inner) => (inner, true),
            other => (other, false),
        }
    }

    /// Returns whether it is this plain type.
    pub fn is(&self, plain: Plain) -> bool {
        matches!(self, Self::Plain(this) if *this == plain)
    }

    /// Returns whether it has no parts.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Returns whether values are numbers, with or without a unit.
    pub fn is_number(&self) -> bool {
        use Plain::{Bytes, Float, Int, Points, Ratio, Step, Time};
        matches!(self, Self::Plain(Int | Float | Ratio | Points | Step | Time | Bytes))
    }

    /// Returns whether a field of a sweep's record may have this type.
    pub fn is_cell(&self) -> bool {
        let (inner, _) = self.unmeasured();
        inner.is_number() || matches!(inner, Self::Plain(Plain::Bool | Plain::Str | Plain::Seed) | Self::Error)
    }

    /// Returns the type with its article: "a `Float`", "an `Int`", "`Points`".
    pub fn described(&self) -> String {
        let text = self.to_string();
        if matches!(self, Self::Rows(_) | Self::Plain(Plain::Points | Plain::Bytes | Plain::Layers)) {
            return format!("`{text}`");
        }
        let article = if text.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
        format!("{article} `{text}`")
    }
}

/// Writes types separated by commas.
fn listed(f: &mut Formatter<'_>, types: &[Ty]) -> fmt::Result {
    for (at, ty) in types.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(f, "{comma}{ty}")?;
    }
    Ok(())
}

impl Display for Fields {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("{}");
        }
        f.write_str("{ ")?;
        // The first fields are enough to recognise a long record.
        let shown = if self.0.len() > 8 { 3 } else { self.0.len() };
        for (at, (name, ty)) in self.0.iter().take(shown).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name}: {ty}")?;
        }
        f.write_str(if shown < self.0.len() { ", … }" } else { " }" })
    }
}

impl Display for Ty {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error | Self::Var(_) => f.write_str("_"),
            Self::Generic(index) => f.write_str(["A", "B", "C", "D"].get(*index).unwrap_or(&"T")),
            Self::Plain(plain) => f.write_str(plain.name()),
            Self::List(element) => write!(f, "List[{element}]"),
            Self::Range(element) => write!(f, "Range[{element}]"),
            Self::Measured(inner) => write!(f, "Measured[{inner}]"),
            Self::Tuple(parts) => {
                f.write_str("(")?;
                listed(f, parts)?;
                f.write_str(")")
            }
            Self::Record(fields) => fields.fmt(f),
            Self::Function(params, result) => {
                match &**params {
                    [only] if !matches!(only, Self::Tuple(_) | Self::Function(..)) => only.fmt(f)?,
                    _ => {
                        f.write_str("(")?;
                        listed(f, params)?;
                        f.write_str(")")?;
                    }
                }
                write!(f, " -> {result}")
            }
            Self::Split(None) => f.write_str("Split"),
            Self::Split(Some(split)) => write!(f, "Split[{}]", split_name(*split)),
            Self::Rows(None) => f.write_str("Rows"),
            Self::Rows(Some(row)) => write!(f, "Rows[{}]", row.fields),
            Self::Column(None) => f.write_str("Column"),
            Self::Column(Some(column)) => write!(f, "Column[{}]", column.cell),
        }
    }
}

/// Returns the word for a split: `val`.
pub fn split_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "val",
        Split::Test => "test",
    }
}

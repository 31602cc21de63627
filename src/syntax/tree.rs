//! The syntax tree: pdsl's own, with a span on every node. No pest type appears here.

use std::sync::Arc;

use num_rational::Ratio;

use crate::source::{FileId, Span};

/// An exact number as it was written: `0.5` is 1/2.
pub type Exact = Ratio<i128>;

/// A whole file.
#[derive(Clone, Debug)]
pub struct File {
    /// Which file.
    pub id: FileId,
    /// Lines of `//!`, without the marker.
    pub docs: Vec<String>,
    /// Items in source order.
    pub items: Vec<Item>,
    /// An import could not be read: names that are defined nowhere may have come from it.
    pub open: bool,
    /// What the parse of a later text may take over.
    pub pieces: super::Pieces,
}

/// A name and where it stands.
#[derive(Clone, Debug)]
pub struct Name {
    /// The identifier.
    pub text: Arc<str>,
    /// Where.
    pub span: Span,
}

/// A definition or an output at top level.
#[derive(Clone, Debug)]
pub struct Item {
    /// Lines of `///`, without the marker.
    pub docs: Vec<String>,
    /// The item without its docs.
    pub span: Span,
    /// What it is.
    pub kind: ItemKind,
}

/// The kinds of items.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `import std.prune.{imp}`
    Import(Import),
    /// `param rounds: Int = 10 where rounds >= 1`
    Param(Param),
    /// `pub let x = …`
    Binding(Binding),
    /// `pub fn f(x: Int) -> Int { … }`
    Function(Arc<Function>),
    /// `table levels = …`
    Table(Output),
    /// `plot curve = …`
    Plot(Output),
    /// `claim name "text" = …`
    Claim(Claim),
    /// `expect condition`
    Expect(Expr),
    /// `test "name" { … }`
    Test(Test),
}

/// An import.
#[derive(Clone, Debug)]
pub struct Import {
    /// The module.
    pub from: ImportSource,
    /// Which of its names, under which name here.
    pub names: ImportNames,
}

/// Where an import comes from.
#[derive(Clone, Debug)]
pub enum ImportSource {
    /// `std.prune`
    Path(Vec<Name>),
    /// `"./lib/recipes.pd"`
    File {
        /// The path as written, relative to the importing file.
        path: Arc<str>,
        /// The string literal.
        span: Span,
    },
}

/// What an import brings in.
#[derive(Clone, Debug)]
pub enum ImportNames {
    /// `.{a, b}`
    Some(Vec<Name>),
    /// `as m`
    Alias(Name),
    /// Nothing follows: the last path segment names the module.
    Whole,
}

/// A parameter of the experiment.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Default.
    pub default: Option<Expr>,
    /// Refinement.
    pub condition: Option<Expr>,
}

/// `let pattern: ty = value`.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Visible to importers.
    pub public: bool,
    /// What is bound.
    pub pattern: Pattern,
    /// Annotation.
    pub ty: Option<Type>,
    /// The value; [`ExprKind::Error`] where `builtin` is set.
    pub value: Expr,
    /// `let x: T` without a value: declared here, implemented in the interpreter.
    pub builtin: bool,
}

impl Binding {
    /// Returns whether the binding stands for a declaration that could not be read.
    pub fn is_salvaged(&self) -> bool {
        !self.builtin && matches!(*self.value.kind, ExprKind::Error)
    }
}

/// A function definition, or the declaration of a built-in one.
#[derive(Clone, Debug)]
pub struct Function {
    /// Visible to importers.
    pub public: bool,
    /// Its name.
    pub name: Name,
    /// Type variables; only declarations of built-in functions have them: `fn map[A, B](…)`.
    pub generics: Vec<Name>,
    /// Formal parameters.
    pub formals: Vec<Formal>,
    /// Result type.
    pub result: Option<Type>,
    /// The body; `None` for a built-in function declared in the prelude.
    pub body: Option<Expr>,
}

/// A formal parameter.
#[derive(Clone, Debug)]
pub struct Formal {
    /// Its name, which is also its label.
    pub name: Name,
    /// Its type; the checker demands one.
    pub ty: Option<Type>,
    /// Default.
    pub default: Option<Expr>,
}

/// A table or a plot.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name, which becomes the file's name.
    pub name: Name,
    /// What to show.
    pub value: Expr,
}

/// A claim.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name.
    pub name: Name,
    /// The sentence in words.
    pub text: Arc<str>,
    /// Where the sentence stands.
    pub text_span: Span,
    /// The verdict.
    pub value: Expr,
}

/// A test.
#[derive(Clone, Debug)]
pub struct Test {
    /// What it shows.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// Bindings and expectations in order.
    pub body: Vec<TestItem>,
}

/// A line of a test.
#[derive(Clone, Debug)]
pub enum TestItem {
    /// `let x = …`
    Binding(Binding),
    /// `expect …`
    Expect(Expr),
}

/// A type as written.
#[derive(Clone, Debug)]
pub struct Type {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: TypeKind,
}

/// The kinds of types.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `List[Int]`, `State`; lower-case arguments such as `Split[val]` are [`TypeKind::Word`].
    Named {
        /// Constructor.
        name: Name,
        /// Arguments in brackets.
        args: Vec<Type>,
    },
    /// A lower-case word as a type argument.
    Word(Name),
    /// `{ a: A, b: B }`
    Record(Vec<(Name, Type)>),
    /// `(A, B)`
    Tuple(Vec<Type>),
    /// `A -> B`, `(A, B) -> C`
    Function {
        /// Parameters.
        params: Vec<Type>,
        /// Result.
        result: Box<Type>,
    },
    /// Could not be read; already reported.
    Error,
}

/// What a `let`, a `for`, an axis or a lambda binds.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// `x`
    Name(Name),
    /// `{ a, b }`
    Record(Vec<Name>, Span),
    /// `(a, b)`
    Tuple(Vec<Name>, Span),
}

impl Pattern {
    /// Returns the names bound, in order.
    pub fn names(&self) -> &[Name] {
        match self {
            Self::Name(name) => std::slice::from_ref(name),
            Self::Record(names, _) | Self::Tuple(names, _) => names,
        }
    }

    /// Returns where the pattern stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Name(name) => name.span,
            Self::Record(_, span) | Self::Tuple(_, span) => *span,
        }
    }
}

/// An expression. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: Arc<ExprKind>,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `true`
    Bool(bool),
    /// `12`
    Int(i64),
    /// `0.1`: the exact decimal as written.
    Float(Exact),
    /// `20%`, `6ep`
    Quantity(Exact, Unit),
    /// `"text"`, escapes resolved
    Str(Arc<str>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `(a, b)`
    Tuple(Vec<Expr>),
    /// `{ a: 1, ..b }`
    Record(Vec<Entry>),
    /// `{ let a = 1 a }`
    Block(Block),
    /// `(a)`: kept so that the formatter can print it
    Paren(Expr),
    /// `x`
    Name(Arc<str>),
    /// `.top1`: the function `row => row.top1`
    Accessor(Name),
    /// `a.b`
    Field(Expr, Name),
    /// `a[i]`
    Index(Expr, Expr),
    /// `f(x, label: y)`
    Call(Expr, Vec<Arg>),
    /// `x |> f(y)`: `x` becomes the first positional argument
    Pipe(Expr, Expr),
    /// `-x`, `not x`
    Unary(UnaryOp, Expr),
    /// `a + b`
    Binary {
        /// Operator.
        op: BinaryOp,
        /// Where the operator stands.
        op_span: Span,
        /// Left operand.
        left: Expr,
        /// Right operand.
        right: Expr,
    },
    /// `a..b`, `a..=b`
    Range {
        /// First.
        start: Expr,
        /// Last, or one past it.
        end: Expr,
        /// `..=`
        inclusive: bool,
    },
    /// `(s, r) => …`
    Lambda(Arc<Lambda>),
    /// `if a { b } else { c }`
    If {
        /// Condition.
        condition: Expr,
        /// Value if it holds.
        then: Expr,
        /// Value if not.
        otherwise: Expr,
    },
    /// `for x in xs if c { … }`
    For {
        /// What each element is called.
        pattern: Pattern,
        /// The list.
        over: Expr,
        /// Filter.
        condition: Option<Expr>,
        /// Value per element.
        body: Expr,
    },
    /// `sweep a in …, (b, c) in zip(…) if c { … }`
    Sweep {
        /// Axes in order; later axes vary faster.
        axes: Vec<Axis>,
        /// Filter.
        condition: Option<Expr>,
        /// Record, list of records, or rows per point.
        body: Expr,
    },
    /// Could not be read; already reported.
    Error,
}

/// Bindings and a value.
#[derive(Clone, Debug)]
pub struct Block {
    /// Sequential bindings.
    pub bindings: Vec<Binding>,
    /// The block's value.
    pub value: Expr,
}

/// An anonymous function.
#[derive(Clone, Debug)]
pub struct Lambda {
    /// Parameters.
    pub params: Vec<Name>,
    /// Body.
    pub body: Expr,
}

/// An axis of a sweep.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What each value is called.
    pub pattern: Pattern,
    /// The values.
    pub over: Expr,
}

/// A part of a record.
#[derive(Clone, Debug)]
pub enum Entry {
    /// `a: 1`
    Field(Name, Expr),
    /// `..b`
    Spread(Expr),
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub struct Arg {
    /// `label:`
    pub label: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// Units a number can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// `%`
    Percent,
    /// `pp`, percentage points
    Points,
    /// `ep`
    Epochs,
    /// `it`
    Iterations,
    /// `img`
    Images,
    /// `GiB`
    Gibibytes,
    /// `MiB`
    Mebibytes,
    /// `GB`
    Gigabytes,
    /// `MB`
    Megabytes,
    /// `h`
    Hours,
    /// `min`
    Minutes,
    /// `s`
    Seconds,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Self; 12] = [
        Self::Percent,
        Self::Points,
        Self::Epochs,
        Self::Iterations,
        Self::Images,
        Self::Gibibytes,
        Self::Mebibytes,
        Self::Gigabytes,
        Self::Megabytes,
        Self::Hours,
        Self::Minutes,
        Self::Seconds,
    ];

    /// Returns what a number with the unit means, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Percent => "a share: 20 % is one fifth",
            Self::Points => "percentage points: the difference of two shares",
            Self::Epochs => "epochs: passes over the training images",
            Self::Iterations => "iterations: steps of the optimiser, one per batch",
            Self::Images => "images seen in training",
            Self::Gibibytes => "gibibytes: 2^30 bytes",
            Self::Mebibytes => "mebibytes: 2^20 bytes",
            Self::Gigabytes => "gigabytes: 10^9 bytes",
            Self::Megabytes => "megabytes: 10^6 bytes",
            Self::Hours => "hours",
            Self::Minutes => "minutes",
            Self::Seconds => "seconds",
        }
    }

    /// Returns the suffix as written.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Percent => "%",
            Self::Points => "pp",
            Self::Epochs => "ep",
            Self::Iterations => "it",
            Self::Images => "img",
            Self::Gibibytes => "GiB",
            Self::Mebibytes => "MiB",
            Self::Gigabytes => "GB",
            Self::Megabytes => "MB",
            Self::Hours => "h",
            Self::Minutes => "min",
            Self::Seconds => "s",
        }
    }
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `not`
    Not,
}

/// Infix operators, except `|>` and ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `^`
    Power,
    /// `++`: concatenates lists, unites sweeps
    Concat,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `and`
    And,
    /// `or`
    Or,
}

impl BinaryOp {
    /// Returns the operator as written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "^",
            Self::Concat => "++",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

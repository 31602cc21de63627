//! Types as written, and signatures of functions.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use super::ty::{ColumnTy, Fields, Plain, Row, Ty};
use crate::diag::{Diagnostic, codes::types as codes, foreign, suggest};
use crate::domain::data::Split;
use crate::domain::dissection::{Figure, MEASURES};
use crate::resolve::ModuleId;
use crate::syntax::tree::{self, Name, TypeKind};

/// Names of types that are made of others.
pub const COMPOUND: [&str; 8] = ["List", "Range", "Measured", "Split", "Rows", "Column", "Dissected", "Rules"];

/// What a call of a function must look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// The function's name.
    pub name: Arc<str>,
    /// Where it is defined.
    pub module: ModuleId,
    /// Names of its type variables.
    pub generics: Vec<Arc<str>>,
    /// Formal parameters in order.
    pub formals: Vec<Formal>,
    /// Result.
    pub result: Ty,
    /// Whether it is built into the interpreter.
    pub builtin: bool,
}

/// A formal parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Formal {
    /// Its name and label.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Ty,
    /// Whether it has a default.
    pub optional: bool,
}

impl Signature {
    /// Returns whether numbers may stand without a label: mathematics, where arguments and result are of one kind.
    pub fn is_mathematics(&self) -> bool {
        self.builtin && self.formals.iter().all(|formal| formal.ty == self.result)
    }

    /// Returns the function as a value: a function of its required parameters.
    pub fn as_type(&self) -> Ty {
        let params = self.formals.iter().filter(|formal| !formal.optional).map(|formal| formal.ty.clone());
        Ty::Function(params.collect(), Arc::new(self.result.clone()))
    }
}

impl Display for Signature {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (at, formal) in self.formals.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let default = if formal.optional { " = …" } else { "" };
            write!(f, "{comma}{}: {}{default}", formal.name, formal.ty)?;
        }
        write!(f, ") -> {}", self.result)
    }
}

/// Reads types as written.
pub(super) struct Reader<'a> {
    /// Type variables in scope.
    pub(super) generics: &'a [Name],
    /// Where reports go.
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Reads a type; what cannot be read is reported and becomes [`Ty::Error`].
    pub(super) fn read(&mut self, ty: &tree::Type) -> Ty {
        match &ty.kind {
            TypeKind::Named { name, args } => self.named(ty, name, args),
            TypeKind::Word(word) => self.unknown(word),
            TypeKind::Record(fields) => Ty::Record(Arc::new(self.fields(fields))),
            TypeKind::Tuple(parts) => Ty::Tuple(parts.iter().map(|part| self.read(part)).collect()),
            TypeKind::Function { params, result } => {
                let params = params.iter().map(|param| self.read(param)).collect();
                Ty::Function(params, Arc::new(self.read(result)))
            }
            TypeKind::Error => Ty::Error,
        }
    }

    fn fields(&mut self, fields: &[(Name, tree::Type)]) -> Fields {
        Fields(fields.iter().map(|(name, ty)| (name.text.clone(), self.read(ty))).collect())
    }

    fn named(&mut self, ty: &tree::Type, name: &Name, args: &[tree::Type]) -> Ty {
        if let Some(index) = self.generics.iter().position(|generic| generic.text == name.text) {
            return Ty::Generic(index);
        }
        if let Some(plain) = Plain::ALL.iter().find(|plain| plain.name() == &*name.text) {
            return if args.is_empty() { (*plain).into() } else { self.arguments(ty, name, "no type in brackets") };
        }
        match (&*name.text, args) {
            ("List", [element]) => Ty::List(Arc::new(self.read(element))),
            ("Range", [element]) => Ty::Range(Arc::new(self.read(element))),
            ("Measured", [inner]) => Ty::Measured(Arc::new(self.read(inner))),
            ("Split", []) => Ty::Split(None),
            ("Split", [word]) => self.split(word),
            ("Rows", []) => Ty::Rows(None),
            ("Rows", [tree::Type { kind: TypeKind::Record(fields), .. }]) => {
                Ty::Rows(Some(Arc::new(Row { fields: Arc::new(self.fields(fields)), axes: None })))
            }
            ("Column", []) => Ty::Column(None),
            ("Column", [cell]) => Ty::Column(Some(Arc::new(ColumnTy { cell: self.read(cell), row: None }))),
            ("Dissected", []) => dissected(),
            ("Rules", []) => rules(),
            ("Rows", _) => self.arguments(ty, name, "a record of its columns in brackets"),
            ("List" | "Range" | "Measured", _) => self.arguments(ty, name, "one type in brackets"),
            ("Split" | "Column" | "Dissected" | "Rules", _) => self.arguments(ty, name, "at most one type in brackets"),
            _ => self.unknown(name),
        }
    }

    fn split(&mut self, word: &tree::Type) -> Ty {
        let (TypeKind::Word(name) | TypeKind::Named { name, .. }) = &word.kind else { return Ty::Error };
        if self.generics.iter().any(|generic| generic.text == name.text) {
            return Ty::Split(None);
        }
        match &*name.text {
            "train" => Ty::Split(Some(Split::Train)),
            "val" => Ty::Split(Some(Split::Val)),
            "test" => Ty::Split(Some(Split::Test)),
            _ => self.unknown(name),
        }
    }

    fn arguments(&mut self, ty: &tree::Type, name: &Name, takes: &str) -> Ty {
        let example = match &*name.text {
            "Rows" => "write `Rows`, or `Rows[{ seed: Seed, top1: Float }]`".to_owned(),
            "Split" => "write `Split`, or `Split[val]`".to_owned(),
            "List" | "Range" | "Measured" => format!("write `{}[Int]`", name.text),
            _ => format!("write `{}`", name.text),
        };
        self.diagnostics.push(
            Diagnostic::error(&codes::TYPE_ARGUMENTS, format!("`{}` takes {takes}", name.text))
                .label(ty.span, "written otherwise here")
                .help(example)
                .in_place_of(ty.span),
        );
        Ty::Error
    }

    fn unknown(&mut self, name: &Name) -> Ty {
        let known = Plain::ALL.iter().map(|plain| plain.name()).chain(COMPOUND);
        let diagnostic = Diagnostic::error(&codes::UNKNOWN_TYPE, format!("there is no type `{}`", name.text))
            .label(name.span, "not a type");
        let familiar = foreign::ty(&name.text).or_else(|| suggest::closest(&name.text, known));
        let other = match &*name.text {
            "Optional" | "Option" | "Maybe" => {
                Some("write the type alone, and give the parameter a default: `x: Int = 0`")
            }
            "Dict" | "dict" | "Map" | "HashMap" | "Record" | "object" | "Object" | "Mapping" => {
                Some("write the fields of the record: `{ lr: Float, batch: Int }`")
            }
            "Tuple" | "tuple" | "Pair" => Some("write the parts in parentheses: `(Int, Float)`"),
            "Callable" | "Function" | "Fn" | "Func" => Some("write an arrow: `Int -> Float`"),
            "Any" | "Union" | "Self" | "self" | "None" | "void" | "Void" | "Unit" => {
                Some("write one type of pdsl: `Int`, `Ratio`, `State`, `List[Step]`")
            }
            _ => None,
        };
        if let Some(other) = other {
            self.diagnostics.push(diagnostic.help(other));
            return Ty::Error;
        }
        self.diagnostics.push(match familiar {
            Some(near) => diagnostic.help(format!("write `{near}`")).in_place_of(name.span),
            None => diagnostic.help("types begin with a capital letter: `Int`, `Ratio`, `State`, `List[Step]`"),
        });
        Ty::Error
    }
}

/// The result of a dissection: what it measures, and the counts that it can be scored from again.
fn dissected() -> Ty {
    let measures = MEASURES.map(|(name, figure)| {
        let reading = match figure {
            Figure::Count => Plain::Int,
            Figure::Share => Plain::Ratio,
            Figure::Plain => Plain::Float,
        };
        (name, Ty::measured(reading))
    });
    Ty::record(measures.into_iter().chain([("tallies", Plain::Tallies.into())]))
}

/// How a dissection measures and scores, step by step.
fn rules() -> Ty {
    let numbers = || Ty::list(Plain::Float);
    Ty::record([
        ("images", Ty::from(Plain::Str)),
        ("first", Plain::Int.into()),
        ("categories", Ty::list(Plain::Str)),
        ("mean", numbers()),
        ("sd", numbers()),
        ("bgr", Plain::Bool.into()),
        ("quantile", Plain::Float.into()),
        ("quantile_on", Plain::Str.into()),
        ("estimate", Plain::Str.into()),
        ("enlarge", Plain::Str.into()),
        ("repeats", Plain::Str.into()),
        ("counted", Plain::Str.into()),
        ("iou", Plain::Float.into()),
        ("above", Plain::Bool.into()),
    ])
}

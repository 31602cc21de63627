//! Fields and methods: `task.classes`, `seed.order`, `dense.at(6ep)`, `nets.resnet20`.

use std::sync::Arc;

use super::super::ty::{ColumnTy, Plain, Row, Ty};
use super::{Checker, ColumnRole};
use crate::diag::{Diagnostic, codes::types as codes, foreign, suggest};
use crate::domain::data::Split;
use crate::resolve::{Member, ModuleId, Target};
use crate::source::Span;
use crate::syntax::tree::{Arg, Expr, ExprKind, Name};

/// Fields and methods of a value, each with its type, for whoever offers them.
pub(in super::super) fn fields_of(ty: &Ty) -> Vec<(String, Ty)> {
    let plain = |list: &[(&str, Plain)]| list.iter().map(|(name, ty)| ((*name).to_owned(), Ty::from(*ty))).collect();
    let step_to_state = Ty::Function([Plain::Step.into()].into(), Arc::new(Plain::State.into()));
    match ty {
        Ty::Record(fields) => fields.0.iter().map(|(name, ty)| (name.to_string(), ty.clone())).collect(),
        Ty::Rows(Some(row)) => {
            let column =
                |cell: &Ty| Ty::Column(Some(Arc::new(ColumnTy { cell: cell.clone(), row: Some(row.clone()) })));
            let columns = row.fields.0.iter().map(|(name, cell)| (name.to_string(), column(cell)));
            columns.chain([("at".to_owned(), ty.clone())]).collect()
        }
        Ty::Plain(Plain::State) => {
            let mut fields: Vec<(String, Ty)> = plain(&STATE);
            fields.push(("at".to_owned(), step_to_state));
            fields
        }
        Ty::Plain(Plain::Task) => {
            let splits = [("train", Split::Train), ("val", Split::Val), ("test", Split::Test)];
            let splits = splits.map(|(name, split)| (name.to_owned(), Ty::Split(Some(split))));
            splits.into_iter().chain::<Vec<_>>(plain(&TASK)).collect()
        }
        Ty::Plain(Plain::Parameter) => PARAMETER.iter().map(|name| ((*name).to_owned(), Plain::Score.into())).collect(),
        _ => Vec::new(),
    }
}

/// Fields of a task, apart from its splits.
pub(super) const TASK: [(&str, Plain); 6] = [
    ("classes", Plain::Int),
    ("channels", Plain::Int),
    ("size", Plain::Int),
    ("train_images", Plain::Int),
    ("val_images", Plain::Int),
    ("test_images", Plain::Int),
];

/// Fields of a state.
pub(super) const STATE: [(&str, Plain); 6] = [
    ("sparsity", Plain::Ratio),
    ("density", Plain::Ratio),
    ("steps", Plain::Step),
    ("round", Plain::Int),
    ("seed", Plain::Seed),
    ("arch", Plain::Arch),
];

/// Fields of an architecture.
const ARCH: [(&str, Plain); 3] = [("parameters", Plain::Int), ("prunable", Plain::Int), ("macs", Plain::Int)];

/// Fields of a parameter inside a criterion, and those that later versions will have.
pub(super) const PARAMETER: [&str; 6] = ["weight", "initial", "grad", "hessian_grad", "flow", "concept"];
const PARAMETER_LATER: [&str; 3] = ["rewound", "momentum", "activation"];

impl Checker<'_> {
    /// Finds the module that an expression names, if it names one.
    pub(super) fn module_named(&self, base: &Expr) -> Option<ModuleId> {
        let ExprKind::Name(name) = &*base.kind else { return None };
        if self.local(name).is_some() {
            return None;
        }
        match self.linked.lookup(self.module, name)? {
            Target::Module(module) => Some(module),
            _ => None,
        }
    }

    /// Finds a public name of a module; what is missing is reported with the names.
    pub(super) fn member(&self, module: ModuleId, name: &str) -> Target {
        match self.linked.member(module, name) {
            Member::Public(definition) => Target::Item { module, item: definition.item },
            _ => Target::Unknown,
        }
    }

    pub(super) fn field(&mut self, base: &Expr, field: &Name) -> Ty {
        if let Some(module) = self.module_named(base) {
            let target = self.member(module, &field.text);
            return self.target(target, &field.text, field.span);
        }
        let owner = self.infer(base);
        self.field_of(&owner, field, base.span)
    }

    /// Returns the type of a field, or reports that there is none.
    pub(super) fn field_of(&mut self, owner: &Ty, field: &Name, base: Span) -> Ty {
        let owner = self.solver.shallow(owner);
        let name = &*field.text;
        match &owner {
            Ty::Error => Ty::Error,
            Ty::Var(_) => self.unknown_owner(field, base),
            Ty::Record(fields) => match fields.get(name) {
                Some(ty) => ty.clone(),
                None => self.missing_field(&owner, field, base, "the record", &fields.names().collect::<Vec<_>>()),
            },
            Ty::Rows(Some(row)) => self.column_of(row, field),
            Ty::Rows(None) => Ty::Column(Some(Arc::new(ColumnTy { cell: Ty::Error, row: None }))),
            Ty::Plain(Plain::Seed) => Plain::Seed.into(),
            Ty::Plain(Plain::State) => self.plain_field(&owner, field, base, "a state", &STATE, &["at"]),
            Ty::Plain(Plain::Task) => match name {
                "train" => Ty::Split(Some(Split::Train)),
                "val" => Ty::Split(Some(Split::Val)),
                "test" => Ty::Split(Some(Split::Test)),
                _ => self.plain_field(&owner, field, base, "a task", &TASK, &["train", "val", "test"]),
            },
            Ty::Plain(Plain::Arch) => self.plain_field(&owner, field, base, "an architecture", &ARCH, &[]),
            Ty::Plain(Plain::Parameter) => self.parameter_field(&owner, field, base),
            Ty::List(element) => self.list_field(&owner, element, field, base),
            other => {
                let shown = self.settled(other).described();
                self.missing_field(&owner, field, base, &shown, &[])
            }
        }
    }

    fn plain_field(
        &mut self,
        owner: &Ty,
        field: &Name,
        base: Span,
        shown: &str,
        known: &[(&'static str, Plain)],
        more: &[&'static str],
    ) -> Ty {
        if let Some((_, plain)) = known.iter().find(|(name, _)| *name == &*field.text) {
            return (*plain).into();
        }
        let names: Vec<_> = known.iter().map(|(name, _)| *name).chain(more.iter().copied()).collect();
        self.missing_field(owner, field, base, shown, &names)
    }

    fn missing_field(&mut self, owner: &Ty, field: &Name, base: Span, shown: &str, known: &[&str]) -> Ty {
        let near = suggest::closest(&field.text, known.iter().copied()).is_some();
        let synonym = foreign::synonyms(&field.text).iter().any(|name| known.contains(name));
        // `.train` alone is a function; there is no text in front of it.
        let written = !self.source(base).starts_with('.');
        if near || synonym || !written || !self.method(owner, field, base, None) {
            self.unknown_field(field, shown, known);
        }
        Ty::Error
    }

    fn parameter_field(&mut self, owner: &Ty, field: &Name, base: Span) -> Ty {
        let name = &*field.text;
        if PARAMETER.contains(&name) {
            return Plain::Score.into();
        }
        if PARAMETER_LATER.contains(&name) {
            self.report(
                Diagnostic::error(&codes::NOT_IN_THIS_VERSION, format!("criteria cannot use `{name}` in this version"))
                    .label(field.span, "not in this version")
                    .help("score by `weight`, `initial`, `grad`, `hessian_grad`, `flow` or `concept`"),
            );
            return Ty::Error;
        }
        self.missing_field(owner, field, base, "a parameter", &PARAMETER)
    }

    fn list_field(&mut self, list: &Ty, element: &Ty, field: &Name, base: Span) -> Ty {
        let has = match self.solver.shallow(element) {
            Ty::Record(fields) => fields.get(&field.text).is_some(),
            Ty::Plain(Plain::State) => STATE.iter().any(|(name, _)| *name == &*field.text),
            Ty::Error | Ty::Var(_) => return Ty::Error,
            _ => false,
        };
        let owner = self.settled(list).described();
        if !has {
            return self.missing_field(list, field, base, &owner, &[]);
        }
        let name = &field.text;
        self.report(
            Diagnostic::error(&codes::UNKNOWN_FIELD, format!("{owner} has no field `{name}`; its elements have"))
                .label(field.span, "a field of each element")
                .help(format!("write `|> map(.{name})`, or make rows with `sweep` instead of `for`")),
        );
        Ty::Error
    }

    fn unknown_owner(&mut self, field: &Name, base: Span) -> Ty {
        let text = self.source(base);
        self.report(
            Diagnostic::error(&codes::CANNOT_INFER, format!("what `{text}` is cannot be told here"))
                .label(base, format!("needed for `.{}`", field.text))
                .help("write a function with types: `fn f(x: State) -> … { … }`"),
        );
        Ty::Error
    }

    /// `rows.top1`: a column.
    pub(super) fn column_of(&mut self, row: &Arc<Row>, field: &Name) -> Ty {
        self.note_rows(field.span, row);
        let Some(cell) = row.fields.get(&field.text) else {
            self.unknown_column(row, field, None);
            return Ty::Error;
        };
        Ty::Column(Some(Arc::new(ColumnTy { cell: cell.clone(), row: Some(row.clone()) })))
    }

    /// Reports a column that is not there; `value` is the type that its cells should have, where that is known.
    pub(super) fn unknown_column(&mut self, row: &Row, field: &Name, value: Option<&Ty>) {
        let message = format!("there is no column `{}`", field.text);
        let list = row.fields.names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let synonym = || {
            let fits = |name: &str| row.fields.get(name).is_some_and(|cell| value.is_none_or(|value| value == cell));
            let same: Vec<&str> = row.fields.names().filter(|name| value.is_some() && fits(name)).collect();
            let known = foreign::synonyms(&field.text).iter().copied().find(|name| fits(name));
            let only = if let [only] = same.as_slice() { Some(*only) } else { None };
            Some(format!("write `{}`", known.or(only)?))
        };
        let help = suggest::question(&field.text, row.fields.names()).or_else(synonym);
        let alike: Vec<_> = row.fields.0.iter().filter(|(_, cell)| value == Some(cell)).collect();
        let help = help.unwrap_or_else(|| match alike.as_slice() {
            [(first, _), (second, _)] => format!("write `{first}` or `{second}`"),
            _ => format!("the columns are {list}"),
        });
        self.report(
            Diagnostic::error(&codes::UNKNOWN_COLUMN, message)
                .label(field.span, "not a column of these rows")
                .help(help)
                .in_place_of(field.span),
        );
    }

    /// `state.at(6ep)` and `rows.at(round: 3)`; `None` if the owner has no such method.
    pub(super) fn at(&mut self, owner: &Ty, field: &Name, args: &[Arg], whole: Span) -> Option<Ty> {
        if &*field.text != "at" {
            return None;
        }
        match self.solver.shallow(owner) {
            Ty::Plain(Plain::State) => Some(self.state_at(field, args, whole)),
            Ty::Rows(row) => Some(self.rows_at(row, field, args)),
            _ => None,
        }
    }

    fn state_at(&mut self, field: &Name, args: &[Arg], whole: Span) -> Ty {
        if let [Arg { label: None, value }] = args {
            self.check(value, &Plain::Step.into(), "the step of `at`");
        } else {
            self.infer_args(args);
            let span = Span { end: whole.end, ..field.span };
            self.report(
                Diagnostic::error(&codes::MISSING_ARGUMENT, "`at` of a state takes one step")
                    .label(span, "takes one step without a label")
                    .help("write `s.at(6ep)`"),
            );
        }
        Plain::State.into()
    }

    fn rows_at(&mut self, row: Option<Arc<Row>>, field: &Name, args: &[Arg]) -> Ty {
        if args.is_empty() {
            self.report(
                Diagnostic::error(&codes::MISSING_ARGUMENT, "`at` needs a column and its value")
                    .label(field.span, "which rows?")
                    .help("write `.at(round: 3)`"),
            );
        }
        for arg in args {
            match (&arg.label, &row) {
                (Some(label), Some(row)) => self.selected(row, label, &arg.value),
                (Some(_), None) => {
                    self.infer(&arg.value);
                }
                (None, _) => {
                    self.infer(&arg.value);
                    let text = self.source(arg.value.span);
                    self.report(
                        Diagnostic::error(&codes::UNNAMED_NUMBER, "`at` needs the name of the column")
                            .label(arg.value.span, "a value of which column?")
                            .help(format!("write `.at(round: {text})`"))
                            .fix(arg.value.span, format!("round: {text}")),
                    );
                }
            }
        }
        Ty::Rows(row)
    }

    fn selected(&mut self, row: &Arc<Row>, label: &Name, value: &Expr) {
        self.note_rows(label.span, row);
        let Some(cell) = row.fields.get(&label.text).cloned() else {
            let ty = self.infer(value);
            let ty = self.settled(&ty);
            self.unknown_column(row, label, Some(&ty));
            return;
        };
        if self.fits_role(row, label, &cell, ColumnRole::Group) {
            self.check(value, &cell, &format!("the value of the column `{}`", label.text));
        } else {
            self.infer(value);
        }
    }
}

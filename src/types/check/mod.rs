//! The checker: every expression gets a type, every mistake one report.
//!
//! Types flow in both directions: down from annotations and parameters into literals, lambdas and accessors, up from
//! everything else. A mistake is reported where it is made and stands for any type from then on.

mod advice;
mod binary;
mod builtin;
mod call;
mod column;
mod convert;
mod example;
mod expr;
mod field;
mod flow;
mod gap;
mod index;
mod items;
mod labels;
mod lambda;
mod layers;
mod method;
mod operands;
mod order;
mod origin;
mod recipe;
mod record;
mod scores;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use field::fields_of;

use self::origin::Local;
use super::details::Details;
use super::signature::Signature;
use super::ty::{Plain, Row, Ty};
use super::unify::Solver;
use crate::diag::{Diagnostic, codes::types as codes};
use crate::resolve::{Linked, ModuleId};
use crate::source::Span;

pub(super) struct Checker<'a> {
    pub(super) linked: &'a Linked,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Literals of whole numbers that stand for other numbers.
    pub(super) floats: BTreeSet<Span>,
    /// Lists that are summed, with the type of their sum.
    pub(super) sums: BTreeMap<Span, Ty>,
    pub(super) items: BTreeMap<(ModuleId, usize), Entry>,
    /// Functions whose bodies are checked.
    pub(super) checked: BTreeSet<(ModuleId, usize)>,
    /// Items whose types were open when they had been looked at.
    pub(super) open: BTreeSet<(ModuleId, usize)>,
    /// Items of a program that is checked already.
    pub(super) known: Option<&'a BTreeMap<(ModuleId, usize), Entry>>,
    /// Where types are noted, if anybody asks for them.
    pub(super) details: Option<Details>,
    solver: Solver,
    /// The module whose text is being checked.
    module: ModuleId,
    /// Names of enclosing scopes, innermost last.
    locals: Vec<Local>,
    /// What `.column` refers to.
    context: Context,
    /// The result of the function whose body is checked: how messages name it, and where its type stands.
    returning: Option<(String, Span)>,
    /// Literals that should be of another type, which those who use them take for granted.
    recast: Vec<(Span, Plain)>,
    /// What a column is used for.
    role: ColumnRole,
    /// Results of schedules: ratios or plain numbers.
    levels: Vec<(Ty, Span)>,
}

/// What is known of an item.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// It is being looked at.
    Busy,
    /// Types of the names it binds.
    Values(Vec<(Arc<str>, Ty)>),
    /// A function.
    Function(Arc<Signature>),
}

impl Entry {
    /// Whether another entry says the same of a name.
    pub(super) fn is_for(&self, name: &str, other: &Self) -> bool {
        match (self, other) {
            (Self::Values(a), Self::Values(b)) => {
                let find =
                    |list: &[(Arc<str>, Ty)]| list.iter().find(|(known, _)| &**known == name).map(|(_, ty)| ty.clone());
                find(a).is_some() && find(a) == find(b)
            }
            (Self::Function(a), Self::Function(b)) => a == b,
            _ => false,
        }
    }
}

/// The rows that accessors refer to.
#[derive(Clone)]
enum Context {
    /// There are none.
    Absent,
    /// Their columns are not known.
    Unknown,
    /// These.
    Rows(Arc<Row>),
}

/// What a column is used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ColumnRole {
    /// Its values are shown or compared.
    Value,
    /// Rows are grouped by it, so it must be known before the run.
    Group,
    /// Replicates vary along it.
    Axis,
}

impl<'a> Checker<'a> {
    pub(super) fn new(linked: &'a Linked) -> Self {
        Self {
            linked,
            diagnostics: Vec::new(),
            floats: BTreeSet::new(),
            sums: BTreeMap::new(),
            items: BTreeMap::new(),
            checked: BTreeSet::new(),
            open: BTreeSet::new(),
            known: None,
            details: None,
            solver: Solver::default(),
            module: ModuleId(0),
            locals: Vec::new(),
            context: Context::Absent,
            returning: None,
            recast: Vec::new(),
            role: ColumnRole::Value,
            levels: Vec::new(),
        }
    }

    /// Replaces open types by what they turned out to be.
    pub(super) fn settled(&self, ty: &Ty) -> Ty {
        self.solver.resolve(ty)
    }

    /// Replaces open types in what is known of an item.
    pub(super) fn settled_entry(&self, entry: &Entry) -> Entry {
        match entry {
            Entry::Values(names) => {
                Entry::Values(names.iter().map(|(name, ty)| (name.clone(), self.closed(ty))).collect())
            }
            Entry::Function(signature) if self.solver.is_open(&signature.result) => {
                Entry::Function(Arc::new(Signature { result: self.closed(&signature.result), ..(**signature).clone() }))
            }
            other => other.clone(),
        }
    }

    /// A type without anything open: what is open at the end agrees with everything.
    fn closed(&self, ty: &Ty) -> Ty {
        let ty = self.settled(ty);
        if self.solver.is_open(&ty) { self.solver.close(&ty) } else { ty }
    }

    fn note(&mut self, span: Span, ty: &Ty) {
        if let Some(details) = &mut self.details {
            details.types.push((span, ty.clone()));
        }
    }

    fn note_rows(&mut self, column: Span, row: &Arc<Row>) {
        if let Some(details) = &mut self.details {
            details.rows.push((column, row.clone()));
        }
    }

    /// Returns the types of sums, where they are known.
    pub(super) fn settled_sums(&self) -> BTreeMap<Span, Plain> {
        let plain = |(span, ty): (&Span, &Ty)| match self.settled(ty) {
            Ty::Plain(plain) => Some((*span, plain)),
            _ => None,
        };
        self.sums.iter().filter_map(plain).collect()
    }

    /// Checks what could only be told at the end: the values of schedules.
    pub(super) fn finish(&mut self) {
        for (level, span) in std::mem::take(&mut self.levels) {
            let ty = self.settled(&level);
            if !self.is_level(&ty) && !ty.is(Plain::Int) {
                let message = format!("a schedule gives a number or a ratio, not {}", ty.described());
                self.report(
                    Diagnostic::error(&codes::MISMATCH, message)
                        .label(span, format!("used as {}", ty.described()))
                        .help("compare it with a number like `0.1` or a ratio like `20%`"),
                );
            }
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Runs `work` with additional locals.
    fn within<T, L: Into<Local>>(
        &mut self,
        names: impl IntoIterator<Item = L>,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let outer = self.locals.len();
        self.locals.extend(names.into_iter().map(Into::into));
        let result = work(self);
        for local in self.locals.split_off(outer) {
            self.leave(local);
        }
        result
    }

    /// Runs `work` at top level of a module.
    fn at_top_of<T>(&mut self, module: ModuleId, work: impl FnOnce(&mut Self) -> T) -> T {
        let module = std::mem::replace(&mut self.module, module);
        let locals = std::mem::take(&mut self.locals);
        let context = std::mem::replace(&mut self.context, Context::Absent);
        let role = std::mem::replace(&mut self.role, ColumnRole::Value);
        let result = work(self);
        (self.module, self.locals, self.context, self.role) = (module, locals, context, role);
        result
    }

    fn local(&self, name: &str) -> Option<Ty> {
        self.locals.iter().rev().find(|local| &*local.name == name).map(|local| local.ty.clone())
    }

    fn source(&self, span: Span) -> &'a str {
        self.linked.sources.slice(span)
    }
}

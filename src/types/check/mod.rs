//! The checker: every expression gets a type, every mistake one report.
//!
//! Types flow in both directions: down from annotations and parameters into literals, lambdas and accessors, up from
//! everything else. A mistake is reported where it is made and stands for any type from then on.

mod advice;
mod binary;
mod builtin;
mod call;
mod column;
mod expr;
mod field;
mod flow;
mod index;
mod items;
mod labels;
mod method;
mod order;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    pub(super) items: BTreeMap<(ModuleId, usize), Entry>,
    /// Functions whose bodies are checked.
    pub(super) checked: BTreeSet<(ModuleId, usize)>,
    solver: Solver,
    /// The module whose text is being checked.
    module: ModuleId,
    /// Names of enclosing scopes, innermost last.
    locals: Vec<(Arc<str>, Ty)>,
    /// What `.column` refers to.
    context: Context,
    /// What a column is used for.
    role: ColumnRole,
    /// Results of schedules: ratios or plain numbers.
    levels: Vec<(Ty, Span)>,
}

/// What is known of an item.
#[derive(Clone)]
pub(super) enum Entry {
    /// It is being looked at.
    Busy,
    /// Types of the names it binds.
    Values(Vec<(Arc<str>, Ty)>),
    /// A function.
    Function(Arc<Signature>),
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
            items: BTreeMap::new(),
            checked: BTreeSet::new(),
            solver: Solver::default(),
            module: ModuleId(0),
            locals: Vec::new(),
            context: Context::Absent,
            role: ColumnRole::Value,
            levels: Vec::new(),
        }
    }

    /// Replaces open types by what they turned out to be.
    pub(super) fn settled(&self, ty: &Ty) -> Ty {
        self.solver.resolve(ty)
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
    fn within<T>(&mut self, names: impl IntoIterator<Item = (Arc<str>, Ty)>, work: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.locals.len();
        self.locals.extend(names);
        let result = work(self);
        self.locals.truncate(outer);
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
        self.locals.iter().rev().find(|(local, _)| &**local == name).map(|(_, ty)| ty.clone())
    }

    fn source(&self, span: Span) -> &'a str {
        self.linked.sources.slice(span)
    }
}

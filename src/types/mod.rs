//! Types: every expression has one before anything is evaluated.
//!
//! [`check()`] reports every mistake once; a value that is mistaken agrees with everything from then on, so that one
//! mistake makes one report.

pub mod signature;
pub mod ty;

mod check;
mod details;
mod operator;
mod recheck;
#[cfg(test)]
mod tests;
mod unify;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use details::Details;
pub use recheck::recheck;
pub use signature::{Formal, Signature};
pub use ty::{Plain, Ty};

use crate::diag::{Diagnostic, codes};
use crate::resolve::{self, Linked, ModuleId};
use crate::source::Span;
use crate::syntax::tree::{Expr, Item};
use check::{Checker, Entry};

/// A program with its types.
#[derive(Debug)]
pub struct Typed {
    /// The program.
    pub linked: Linked,
    /// Everything found so far: syntax, names, types; in order of files and places.
    pub diagnostics: Vec<Diagnostic>,
    /// Types of values at top level, by module and name.
    pub values: BTreeMap<(ModuleId, Arc<str>), Ty>,
    /// Signatures of functions, by module and name.
    pub functions: BTreeMap<(ModuleId, Arc<str>), Arc<Signature>>,
    /// Literals of whole numbers that stand where a `Float` is wanted.
    pub floats: BTreeSet<Span>,
    /// Lists that are summed, by what their sum is: an empty one has it as well.
    pub sums: BTreeMap<Span, Plain>,
    /// What is known of each item.
    items: BTreeMap<(ModuleId, usize), Entry>,
    /// Items whose types were open until others used them.
    open: BTreeSet<(ModuleId, usize)>,
    /// What the checker itself reported, before anything was left out.
    own: Vec<Diagnostic>,
}

impl Typed {
    /// Returns whether the program can be evaluated.
    pub fn is_sound(&self) -> bool {
        self.diagnostics.iter().all(|found| found.severity < crate::diag::Severity::Error)
    }
}

impl Typed {
    /// Checks a value that is given to a parameter of the program from outside, `--set rounds=5`, and returns what is
    /// wrong with it. The text of `value` must be among the program's sources.
    pub fn admit(&mut self, name: &str, value: &Expr) -> Vec<Diagnostic> {
        let root = self.linked.root;
        let mut diagnostics = resolve::names_in(&self.linked, root, value);
        if let Some(ty) = self.values.get(&(root, name.into())) {
            let mut checker = Checker::new(&self.linked);
            checker.value(root, value, ty, &format!("the value of `{name}`"));
            diagnostics.append(&mut checker.diagnostics);
            let (floats, sums) = (std::mem::take(&mut checker.floats), checker.settled_sums());
            self.floats.extend(floats);
            self.sums.extend(sums);
        }
        diagnostics
    }

    /// Types every expression of an item that stands, or could stand, in a module of the program.
    pub fn inspect(&self, module: ModuleId, item: &Item) -> Details {
        let mut checker = Checker::new(&self.linked);
        checker.known = Some(&self.items);
        checker.details = Some(Details::default());
        checker.detached(module, item);
        checker.finish();
        let mut details = checker.details.take().unwrap_or_default();
        details.settle(|ty| checker.settled(ty));
        details
    }
}

/// Checks a program.
pub fn check(linked: Linked) -> Typed {
    let mut checker = Checker::new(&linked);
    for module in linked.module_ids() {
        for item in 0..linked.module(module).file.items.len() {
            checker.item(module, item);
        }
    }
    checker.finish();
    let parts = Parts::of(checker);
    assemble(linked, parts)
}

/// What a checker has found.
struct Parts {
    own: Vec<Diagnostic>,
    items: BTreeMap<(ModuleId, usize), Entry>,
    open: BTreeSet<(ModuleId, usize)>,
    floats: BTreeSet<Span>,
    sums: BTreeMap<Span, Plain>,
}

impl Parts {
    fn of(mut checker: Checker<'_>) -> Self {
        let items = std::mem::take(&mut checker.items);
        let items = items.into_iter().map(|(place, entry)| (place, checker.settled_entry(&entry))).collect();
        let sums = checker.settled_sums();
        Self { own: checker.diagnostics, items, open: checker.open, floats: checker.floats, sums }
    }
}

fn assemble(mut linked: Linked, parts: Parts) -> Typed {
    let Parts { own, items, open, floats, sums } = parts;
    let mut diagnostics = std::mem::take(&mut linked.diagnostics);
    let misread = misread_items(&linked, &diagnostics);
    let read = |found: &&Diagnostic| {
        let place = found.labels.first().map(|label| label.span);
        !place.is_some_and(|place| misread.iter().any(|item| covers(*item, place)))
    };
    diagnostics.extend(own.iter().filter(read).cloned());
    diagnostics.sort_by_key(|found| found.labels.first().map(|label| label.span));
    diagnostics.dedup_by(|a, b| a.code.id == b.code.id && a.message == b.message && a.labels == b.labels);
    let (values, functions) = tables(&items);
    Typed { linked, diagnostics, values, functions, floats, sums, items, open, own }
}

/// Returns the items that hold a syntax error: their types say more about the mistake than about the program.
fn misread_items(linked: &Linked, diagnostics: &[Diagnostic]) -> Vec<Span> {
    let places: Vec<Span> = diagnostics
        .iter()
        .filter(|found| found.severity == crate::diag::Severity::Error)
        .filter(|found| codes::syntax::ALL.iter().any(|code| code.id == found.code.id))
        .filter_map(|found| found.labels.first().map(|label| label.span))
        .collect();
    if places.is_empty() {
        return Vec::new();
    }
    linked
        .module_ids()
        .flat_map(|module| linked.module(module).file.items.iter().map(|item| item.span))
        .filter(|item| places.iter().any(|place| covers(*item, *place)))
        .collect()
}

fn covers(outer: Span, inner: Span) -> bool {
    outer.file == inner.file && outer.start <= inner.start && inner.end <= outer.end
}

type Values = BTreeMap<(ModuleId, Arc<str>), Ty>;
type Functions = BTreeMap<(ModuleId, Arc<str>), Arc<Signature>>;

fn tables(items: &BTreeMap<(ModuleId, usize), Entry>) -> (Values, Functions) {
    let (mut values, mut functions) = (Values::new(), Functions::new());
    for ((module, _), entry) in items {
        match entry {
            Entry::Busy => {}
            Entry::Values(names) => {
                for (name, ty) in names {
                    values.insert((*module, name.clone()), ty.clone());
                }
            }
            Entry::Function(signature) => {
                functions.insert((*module, signature.name.clone()), signature.clone());
            }
        }
    }
    (values, functions)
}

/// Returns the fields and methods of a value of a type, for whoever offers them.
pub fn fields_of(ty: &Ty) -> Vec<(String, Ty)> {
    check::fields_of(ty)
}

//! Modules and names: from a file to everything it refers to.
//!
//! [`link`] loads the file and what it imports, collects every syntax error, and makes sure that each name in an
//! expression means something. Scopes, innermost first: locals, the module's items, its imports, the prelude.

pub mod imports;
pub mod library;

mod cycles;
mod load;
mod scope;
#[cfg(test)]
mod tests;
mod unknown;
mod unused;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::source::{Sources, Span};
use crate::syntax::tree;
use crate::world::World;

/// Identifies a module of [`Linked`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(pub u32);

/// A program: a file and everything it imports.
#[derive(Debug)]
pub struct Linked {
    /// All texts.
    pub sources: Sources,
    /// All modules; the prelude is the first, and each comes after those it imports.
    pub modules: Vec<Module>,
    /// The file that was asked for.
    pub root: ModuleId,
    /// Syntax errors of all files, and everything about names and modules.
    pub diagnostics: Vec<Diagnostic>,
}

/// A file of the program, or a module of the standard library.
#[derive(Debug)]
pub struct Module {
    /// `std.prune`, or the file's name.
    pub name: Arc<str>,
    /// Whether it belongs to the standard library and may declare what is built in.
    pub library: bool,
    /// Its text as a tree. Stages that are declared beside their implementation follow as functions without a body.
    pub file: tree::File,
    /// Names it defines.
    pub definitions: BTreeMap<Arc<str>, Definition>,
    /// Names it imports.
    pub imports: BTreeMap<Arc<str>, Import>,
    /// Items by index, each after those of the same module that it refers to.
    pub order: Vec<usize>,
    /// What each name in it refers to, in order of places.
    pub uses: Vec<Use>,
}

/// A name and what it refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The name where it is used.
    pub span: Span,
    /// What it means.
    pub referent: Referent,
}

/// What a name refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referent {
    /// A local name, by the place where it is bound.
    Local(Span),
    /// A definition or a module. A pattern defines several names; this is the one that is written.
    Global(Target),
    /// Nothing.
    Unknown,
}

/// A name that a module defines.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Index of the item in the file.
    pub item: usize,
    /// The name where it is bound.
    pub span: Span,
    /// Whether other modules see it.
    pub public: bool,
}

/// A name that a module imports.
#[derive(Clone, Copy, Debug)]
pub struct Import {
    /// What it refers to.
    pub target: Target,
    /// The name in the import.
    pub span: Span,
}

/// What a name outside local scopes refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// An item. An imported item is known by the name that its own module gives it.
    Item {
        /// Where it is defined.
        module: ModuleId,
        /// Index in the module's file.
        item: usize,
    },
    /// A module, for `nets.resnet20`.
    Module(ModuleId),
    /// Nothing; already reported.
    Unknown,
}

/// What a module says about one of its names to others.
#[derive(Clone, Copy, Debug)]
pub enum Member {
    /// It is there.
    Public(Definition),
    /// It is there, but not for others.
    Private(Definition),
    /// It is not there.
    Missing,
}

impl Member {
    /// Returns the definition, whether others may use it or not.
    pub fn definition(self) -> Option<Definition> {
        match self {
            Self::Public(found) | Self::Private(found) => Some(found),
            Self::Missing => None,
        }
    }
}

impl Linked {
    /// Returns a module.
    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0 as usize]
    }

    /// Returns an item of a module.
    pub fn item(&self, module: ModuleId, item: usize) -> &tree::Item {
        &self.module(module).file.items[item]
    }

    /// Returns the identifiers of all modules, each after those it imports.
    pub fn module_ids(&self) -> impl Iterator<Item = ModuleId> + use<> {
        (0..self.modules.len() as u32).map(ModuleId)
    }

    /// Finds what a name that is not local means in a module.
    pub fn lookup(&self, module: ModuleId, name: &str) -> Option<Target> {
        let here = self.module(module);
        let defined = here.definitions.get(name).map(|d| Target::Item { module, item: d.item });
        defined.or_else(|| here.imports.get(name).map(|import| import.target)).or_else(|| {
            let prelude = self.modules.first()?;
            let found = prelude.definitions.get(name).filter(|definition| definition.public)?;
            Some(Target::Item { module: ModuleId(0), item: found.item })
        })
    }

    /// Finds a name of a module as seen from outside.
    pub fn member(&self, module: ModuleId, name: &str) -> Member {
        match self.module(module).definitions.get(name) {
            Some(found) if found.public => Member::Public(*found),
            Some(found) => Member::Private(*found),
            None => Member::Missing,
        }
    }

    /// Finds a module by its name, e.g. `std.stats`.
    pub fn find(&self, name: &str) -> Option<ModuleId> {
        self.modules.iter().position(|module| &*module.name == name).map(|at| ModuleId(at as u32))
    }
}

/// Loads the file at `root` and everything it imports.
pub fn link(world: &dyn World, root: &Path) -> Linked {
    finish(load::file(world, root, None))
}

/// Loads a file again that was loaded before: of every text, only what has changed since is parsed.
pub fn link_again(world: &dyn World, root: &Path, previous: &Linked) -> Linked {
    finish(load::file(world, root, Some(previous)))
}

/// Loads an example about the module at `about`: a program that lies beside it and sees all of its names.
pub fn link_example(world: &dyn World, name: &str, about: &Path, text: &str) -> Linked {
    finish(load::example(world, name, about, text))
}

/// Loads a text that goes on where the module at `about` ends: it sees its names and what it imports.
pub fn link_session(world: &dyn World, name: &str, about: &Path, text: &str) -> Linked {
    finish(load::session(world, name, about, text))
}

/// Returns what the names of an item refer to that stands, or could stand, in a module.
pub fn uses_of(linked: &Linked, module: ModuleId, item: &tree::Item) -> Vec<Use> {
    scope::resolve_item(linked, module, item)
}

/// Loads a program from text; its relative imports start in the working directory.
pub fn link_text(world: &dyn World, name: &str, text: &str) -> Linked {
    finish(load::text(world, name, text))
}

/// Reports names that mean nothing in an expression from outside the program, read as if it stood in a module.
pub fn names_in(linked: &Linked, module: ModuleId, expr: &tree::Expr) -> Vec<Diagnostic> {
    scope::resolve_expr(linked, module, expr)
}

/// Warns of what has no effect in a program without mistakes: names that nothing reads, names inside of texts.
pub fn without_effect(linked: &Linked) -> Vec<Diagnostic> {
    let own = linked.module_ids().filter(|id| !linked.module(*id).library);
    own.flat_map(|id| unused::warnings(linked, id)).collect()
}

fn finish(mut linked: Linked) -> Linked {
    for module in linked.module_ids() {
        let outcome = scope::resolve(&linked, module);
        linked.diagnostics.extend(outcome.diagnostics);
        let (order, circles) = cycles::order(&linked.module(module).file.items, &outcome.uses);
        linked.diagnostics.extend(circles);
        let module = &mut linked.modules[module.0 as usize];
        (module.order, module.uses) = (order, outcome.names);
    }
    linked
}

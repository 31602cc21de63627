//! A program as it is checked at one version of its text.

use std::path::Path;
use std::sync::Arc;

use super::facts::Facts;
use crate::resolve::{self, Linked, ModuleId, Referent, Target, Use, library};
use crate::source::{FileId, Span};
use crate::syntax::tree::{File, Item, Name};
use crate::types::{self, Details, Typed};
use crate::world::World;

/// A checked program, and what its evaluation came to if there was one.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The program.
    pub typed: Arc<Typed>,
    /// The module that is asked about: the root, or the module of the library whose text it is.
    pub module: ModuleId,
    /// What the last evaluation came to that succeeded.
    pub facts: Option<Arc<Facts>>,
    /// Whether `facts` are of this very text.
    pub fresh: bool,
}

impl Analysis {
    /// Checks a program; of an earlier version, what has not changed is taken over.
    pub fn of(world: &dyn World, path: &Path, previous: Option<&Self>) -> Self {
        let text = world.read(path).unwrap_or_default();
        if let Some((name, _)) = library::MODULES.iter().find(|(_, known)| *known == text) {
            return Self::of_library(world, name);
        }
        let typed = match previous.filter(|previous| previous.module == previous.typed.linked.root) {
            Some(before) => types::recheck(resolve::link_again(world, path, &before.typed.linked), &before.typed),
            None => types::check(resolve::link(world, path)),
        };
        let facts = previous.and_then(|previous| previous.facts.clone());
        Self { module: typed.linked.root, typed: Arc::new(typed), facts, fresh: false }
    }

    /// Wraps a program that is checked already.
    pub fn with(typed: Typed) -> Self {
        Self { module: typed.linked.root, typed: Arc::new(typed), facts: None, fresh: false }
    }

    fn of_library(world: &dyn World, name: &str) -> Self {
        let import = if name == library::PRELUDE { String::new() } else { format!("import std.{name}\n") };
        let typed = types::check(resolve::link_text(world, name, &import));
        let module = typed.linked.find(&format!("std.{name}")).unwrap_or(ModuleId(0));
        Self { module, typed: Arc::new(typed), facts: None, fresh: false }
    }

    pub(super) fn linked(&self) -> &Linked {
        &self.typed.linked
    }

    pub(super) fn tree(&self) -> &File {
        &self.linked().module(self.module).file
    }

    pub(super) fn file(&self) -> FileId {
        self.tree().id
    }

    /// The text that is asked about.
    pub(super) fn text(&self) -> &Arc<str> {
        &self.linked().sources.get(self.file()).text
    }

    pub(super) fn slice(&self, span: Span) -> &str {
        self.linked().sources.slice(span)
    }

    /// The item around a place; one that ends there counts.
    pub(super) fn item_at(&self, offset: usize) -> Option<&Item> {
        let own = |item: &&Item| item.span.file == self.file();
        self.tree().items.iter().filter(own).find(|item| touches(item.span, offset))
    }

    pub(super) fn details(&self, item: &Item) -> Details {
        self.typed.inspect(self.module, item)
    }

    /// The name that is used at a place.
    pub(super) fn use_at(&self, offset: usize) -> Option<Use> {
        self.linked().module(self.module).uses.iter().copied().find(|used| touches(used.span, offset))
    }

    /// Where a name is bound that is bound at a place.
    pub(super) fn bound_at(&self, offset: usize) -> Option<Binder> {
        let item = self.item_at(offset)?;
        super::spot::binders(item).into_iter().find(|binder| touches(binder.name.span, offset))
    }

    /// What stands for a name, in whatever file: the place where it is bound.
    pub(super) fn home_of(&self, used: Use) -> Option<Span> {
        match used.referent {
            Referent::Local(span) => Some(span),
            Referent::Global(Target::Item { module, .. }) => {
                let name = self.slice(used.span);
                self.linked().module(module).definitions.get(name).map(|definition| definition.span)
            }
            Referent::Global(Target::Module(module)) => Some(Span::new(self.linked().module(module).file.id, 0, 0)),
            Referent::Global(Target::Unknown) | Referent::Unknown => None,
        }
    }
}

/// A name where it is bound.
#[derive(Clone, Debug)]
pub(super) struct Binder {
    /// The name.
    pub(super) name: Name,
    /// It belongs to the module, not to a part of an item.
    pub(super) global: bool,
}

/// Whether a place is in a span or at its end.
pub(super) fn touches(span: Span, offset: usize) -> bool {
    (span.start as usize..=span.end as usize).contains(&offset)
}

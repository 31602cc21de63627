//! Checks a program again after an edit: only what has changed, and what depends on a type that has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::check::Checker;
use super::{Parts, Typed, assemble, check, covers};
use crate::diag::Diagnostic;
use crate::resolve::{Linked, Module, ModuleId, Referent, Target};
use crate::source::Span;
use crate::syntax::Move;
use crate::syntax::tree::{ExprKind, Item, ItemKind, Name};

/// An item of a program.
type Place = (ModuleId, usize);

/// Checks a program of which an earlier text was checked.
pub fn recheck(linked: Linked, previous: &Typed) -> Typed {
    let Some(edit) = Edit::between(previous, &linked) else { return check(linked) };
    let mut dirty = edit.dirty.clone();
    let mut changed = edit.changed.clone();
    let mut checker = edit.check(&dirty);
    changed.extend(edit.retyped(&checker));
    if changed.iter().any(|name| edit.in_prelude(name)) {
        return check(linked);
    }
    if edit.spread(&mut dirty, &changed) {
        checker = edit.check(&dirty);
    }
    edit.take_over(&mut checker, &dirty);
    let parts = Parts::of(checker);
    assemble(linked, parts)
}

/// What an edit has left as it was.
struct Edit<'a> {
    old: &'a Typed,
    new: &'a Linked,
    /// Unchanged items: new place to old place.
    kept: BTreeMap<Place, Place>,
    /// Items to check whatever else is found.
    dirty: BTreeSet<Place>,
    /// Names whose meaning has changed.
    changed: BTreeSet<Arc<str>>,
}

impl<'a> Edit<'a> {
    /// Compares two versions of a program; `None` if they consist of different modules.
    fn between(old: &'a Typed, new: &'a Linked) -> Option<Self> {
        let before = &old.linked.modules;
        let same = |(a, b): (&Module, &Module)| a.name == b.name && a.library == b.library;
        if before.len() != new.modules.len() || !before.iter().zip(&new.modules).all(same) {
            return None;
        }
        let mut edit = Self { old, new, kept: BTreeMap::new(), dirty: BTreeSet::new(), changed: BTreeSet::new() };
        for module in new.module_ids() {
            edit.compare(module);
        }
        for place in &old.open {
            edit.changed.extend(names(old.linked.item(place.0, place.1)));
        }
        Some(edit)
    }

    fn compare(&mut self, module: ModuleId) {
        let (old, new) = (self.old.linked.module(module), self.new.module(module));
        let (before, after) = (&old.file.items, &new.file.items);
        let wanders = self.wandering(module);
        let same = |i: usize, j: usize| {
            let (a, b) = (&before[i], &after[j]);
            self.old.linked.sources.slice(a.span) == self.new.sources.slice(b.span) && is_whole(a) && is_whole(b)
        };
        let most = before.len().min(after.len());
        let head = (0..most).take_while(|&at| same(at, at)).count();
        let from_end = |back: usize| same(before.len() - 1 - back, after.len() - 1 - back);
        let tail = (0..most - head).take_while(|&back| from_end(back)).count();
        for at in 0..after.len() {
            let earlier = if at < head {
                Some(at)
            } else if at >= after.len() - tail {
                Some(at + before.len() - after.len())
            } else {
                None
            };
            match earlier.filter(|at| !self.old.open.contains(&(module, *at)) && !wanders.contains(at)) {
                Some(earlier) => drop(self.kept.insert((module, at), (module, earlier))),
                None => drop(self.dirty.insert((module, at))),
            }
        }
        let gone = before[head..before.len() - tail].iter().flat_map(names);
        let come = after[head..after.len() - tail].iter().flat_map(names);
        let (gone, come): (BTreeSet<_>, BTreeSet<_>) = (gone.collect(), come.collect());
        self.changed.extend(gone.symmetric_difference(&come).cloned());
        for name in gone.intersection(&come) {
            let public = |module: &Module| module.definitions.get(name).map(|found| found.public);
            if public(old) != public(new) {
                self.changed.insert(name.clone());
            }
        }
        self.compare_imports(old, new);
    }

    /// Names that are imported from somewhere else now. Which item has the name there is compared where that is.
    fn compare_imports(&mut self, old: &Module, new: &Module) {
        let home = |module: &Module, name: &str| {
            module.imports.get(name).map(|import| match import.target {
                Target::Item { module, .. } => (0, Some(module)),
                Target::Module(module) => (1, Some(module)),
                Target::Unknown => (2, None),
            })
        };
        let all: BTreeSet<&Arc<str>> = old.imports.keys().chain(new.imports.keys()).collect();
        let differ = all.into_iter().filter(|name| home(old, name) != home(new, name)).cloned();
        self.changed.extend(differ);
    }

    /// Items of the old program about which a message says something that lies elsewhere.
    fn wandering(&self, module: ModuleId) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for diagnostic in &self.old.own {
            let Some(home) = diagnostic.labels.first().and_then(|label| item_at(&self.old.linked, label.span)) else {
                continue;
            };
            let item = self.old.linked.item(home.0, home.1).span;
            let places = diagnostic.labels.iter().map(|label| label.span);
            let mut places = places.chain(diagnostic.fixes.iter().map(|fix| fix.span));
            if home.0 == module && !places.all(|place| covers(item, place)) {
                found.insert(home.1);
            }
        }
        found
    }

    fn check(&self, dirty: &BTreeSet<Place>) -> Checker<'a> {
        let mut checker = Checker::new(self.new);
        for (place, earlier) in self.kept.iter().filter(|(place, _)| !dirty.contains(place)) {
            if let Some(entry) = self.old.items.get(earlier) {
                checker.items.insert(*place, entry.clone());
                checker.checked.insert(*place);
            }
        }
        for (module, item) in dirty {
            checker.item(*module, *item);
        }
        checker.finish();
        checker
    }

    /// Names that items which were checked again define with another type than before.
    fn retyped(&self, checker: &Checker<'_>) -> Vec<Arc<str>> {
        let mut found = Vec::new();
        for (module, item) in &self.dirty {
            for name in names(self.new.item(*module, *item)) {
                let before = self.old.linked.module(*module).definitions.get(&name);
                let before = before.and_then(|definition| self.old.items.get(&(*module, definition.item)));
                let after = checker.items.get(&(*module, *item)).map(|entry| checker.settled_entry(entry));
                let same = before.zip(after).is_some_and(|(before, after)| before.is_for(&name, &after));
                if !same {
                    found.push(name);
                }
            }
        }
        found
    }

    fn in_prelude(&self, name: &str) -> bool {
        self.new.modules.first().is_some_and(|prelude| prelude.definitions.contains_key(name))
    }

    /// Adds what refers to changed names, directly or not; says whether there was any.
    fn spread(&self, dirty: &mut BTreeSet<Place>, changed: &BTreeSet<Arc<str>>) -> bool {
        if changed.is_empty() {
            return false;
        }
        let mut users: BTreeMap<&str, BTreeSet<Place>> = BTreeMap::new();
        for module in self.new.module_ids() {
            for used in &self.new.module(module).uses {
                if !matches!(used.referent, Referent::Local(_))
                    && let Some(place) = item_in(self.new, module, used.span)
                {
                    users.entry(self.new.sources.slice(used.span)).or_default().insert(place);
                }
            }
        }
        let mut open: Vec<Arc<str>> = changed.iter().cloned().collect();
        let mut seen = changed.clone();
        let known = dirty.len();
        while let Some(name) = open.pop() {
            for place in users.get(&*name).into_iter().flatten() {
                if dirty.insert(*place) {
                    open.extend(
                        names(self.new.item(place.0, place.1)).into_iter().filter(|name| seen.insert(name.clone())),
                    );
                }
            }
        }
        dirty.len() > known
    }

    /// Adds what was found earlier about items that were not checked again.
    fn take_over(&self, checker: &mut Checker<'_>, dirty: &BTreeSet<Place>) {
        let back: BTreeMap<Place, Place> = self
            .kept
            .iter()
            .filter(|(place, _)| !dirty.contains(place))
            .map(|(place, earlier)| (*earlier, *place))
            .collect();
        let moved = |span: Span| {
            let earlier = item_at(&self.old.linked, span)?;
            let place = back.get(&earlier)?;
            let from = self.old.linked.item(earlier.0, earlier.1).span;
            let to = self.new.item(place.0, place.1).span;
            Some(Move { file: to.file, by: i64::from(to.start) - i64::from(from.start) })
        };
        let relocated = |found: &Diagnostic| Some(moved(found.labels.first()?.span)?.diagnostic(found));
        checker.diagnostics.extend(self.old.own.iter().filter_map(relocated));
        checker.floats.extend(self.old.floats.iter().filter_map(|span| Some(moved(*span)?.span(*span))));
        let sums = self.old.sums.iter();
        checker.sums.extend(sums.filter_map(|(span, plain)| Some((moved(*span)?.span(*span), (*plain).into()))));
        let open = self.old.open.iter().filter_map(|place| back.get(place));
        checker.open.extend(open);
    }
}

/// The names that an item defines.
fn names(item: &Item) -> Vec<Arc<str>> {
    let names: &[Name] = match &item.kind {
        ItemKind::Param(param) => std::slice::from_ref(&param.name),
        ItemKind::Binding(binding) => binding.pattern.names(),
        ItemKind::Function(function) => std::slice::from_ref(&function.name),
        _ => &[],
    };
    names.iter().map(|name| name.text.clone()).collect()
}

/// Whether the tree of an item says all that its text says.
fn is_whole(item: &Item) -> bool {
    !matches!(&item.kind, ItemKind::Binding(binding) if !binding.builtin && matches!(*binding.value.kind, ExprKind::Error))
}

/// Finds the item that a span lies in.
pub(super) fn item_at(linked: &Linked, span: Span) -> Option<Place> {
    // Stages are declared in texts of their own.
    let module = linked.module_ids().find(|module| {
        let file = &linked.module(*module).file;
        file.id == span.file || file.items.last().is_some_and(|item| item.span.file != file.id && holds(file, span))
    })?;
    item_in(linked, module, span)
}

fn holds(file: &crate::syntax::tree::File, span: Span) -> bool {
    file.items.iter().rev().take_while(|item| item.span.file != file.id).any(|item| item.span.file == span.file)
}

fn item_in(linked: &Linked, module: ModuleId, span: Span) -> Option<Place> {
    let items = &linked.module(module).file.items;
    let own = items.iter().rposition(|item| item.span.file == linked.module(module).file.id).map_or(0, |last| last + 1);
    if span.file != linked.module(module).file.id {
        return items[own..].iter().position(|item| covers(item.span, span)).map(|at| (module, own + at));
    }
    let at = items[..own].partition_point(|item| item.span.start <= span.start).checked_sub(1)?;
    covers(items[at].span, span).then_some((module, at))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::Mutex;
    use std::time::SystemTime;

    use crate::diag::render;
    use crate::resolve::{link, link_again};
    use crate::types::{Typed, check, recheck};
    use crate::world::World;

    /// Files in memory.
    #[derive(Default)]
    struct Memory(Mutex<BTreeMap<PathBuf, String>>);

    impl Memory {
        fn write(&self, path: &str, text: impl Into<String>) {
            self.0.lock().unwrap().insert(path.into(), text.into());
        }
    }

    impl World for Memory {
        fn read(&self, path: &Path) -> io::Result<String> {
            self.0.lock().unwrap().get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
        }

        fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
            self.read(path).map(|_| path.to_path_buf())
        }

        fn variable(&self, _: &str) -> Option<String> {
            None
        }

        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }
    }

    /// Everything that may differ, as text.
    fn all(typed: &Typed) -> String {
        let diagnostics = render::json(&typed.diagnostics, &typed.linked.sources);
        let functions: Vec<String> =
            typed.functions.iter().map(|(at, signature)| format!("{at:?} {signature}")).collect();
        let uses = typed.linked.module(typed.linked.root).uses.clone();
        let items = &typed.linked.module(typed.linked.root).file.items;
        format!(
            "{diagnostics}\n{:?}\n{functions:?}\n{:?}\n{uses:?}\n{items:?}",
            typed.values,
            (&typed.floats, &typed.sums)
        )
    }

    fn root() -> &'static Path {
        Path::new("/a/program.pd")
    }

    /// Checks that each version of a program, checked after the one before it, comes to the same as when checked alone.
    fn agree(world: &Memory, versions: impl IntoIterator<Item = String>) {
        let mut typed: Option<Typed> = None;
        for version in versions {
            world.write("/a/program.pd", version.clone());
            let alone = check(link(world, root()));
            let next = match &typed {
                Some(before) => recheck(link_again(world, root(), &before.linked), before),
                None => check(link(world, root())),
            };
            assert_eq!(all(&next), all(&alone), "after an edit to\n{version}");
            typed = Some(next);
        }
    }

    /// A program with one of its lines changed in a way of its own, and back.
    fn edits(text: &str, every: usize) -> Vec<String> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut versions = vec![text.to_owned()];
        for at in (0..lines.len()).step_by(every) {
            let line = lines[at];
            let changed = match at / every % 7 {
                0 => String::new(),
                1 => format!("{line}{line}"),
                2 => line.replacen('(', "", 1),
                3 => line.replacen(|c: char| c.is_ascii_digit(), "", 1),
                4 => line.replacen("let ", "let x", 1),
                5 => format!("\n\n{line}"),
                _ => line.replacen(':', " \"é", 1),
            };
            let mut next = lines.clone();
            next[at] = &changed;
            versions.push(next.concat());
            versions.push(text.to_owned());
        }
        versions
    }

    const SMALL: &str = r#"//! A program.
import "lib.pd".{shared, helper}
import std.prune.{magnitude}

/// A rate.
param rate: Ratio = 20%
let empty = []
let more = empty ++ [1]
let scaled = shared * 2.0
fn twice(x: Float) { helper(x) * 2 }
fn loop_a(n: Int) -> Int { if n <= 0 { 0 } else { loop_b(n - 1) } }
fn loop_b(n: Int) -> Int { loop_a(n - 1) }
let both = twice(scaled) + twice(1)
let rows = sweep seed in seeds(2), n in 0..3 { { value: float(n) * both, other: rate } }
table shown = rows |> summary(by: [.n], over: .seed, show: [mean])
test "twice" {
  let y = twice(1.5)
  expect y == 3.0
}
"#;

    #[test]
    fn one_changed_line_after_another() {
        let world = Memory::default();
        world.write("/a/lib.pd", "pub let shared = 1.5\npub fn helper(x: Float) -> Float { x }\n");
        agree(&world, edits(SMALL, 1));
    }

    #[test]
    fn the_quickstart_under_edits() {
        agree(&Memory::default(), edits(include_str!("../../experiments/quickstart.pd"), 9));
    }

    #[test]
    fn a_changed_type_reaches_those_who_use_it() {
        let versions = ["let a = 1\n", "let a = \"text\"\n", "let a = 2\n"];
        let rest = "let b = a\nlet c = b + 1\nlet d = 5\n";
        agree(&Memory::default(), versions.map(|first| format!("{first}{rest}")));
    }

    #[test]
    fn an_imported_file_may_change_too() {
        let world = Memory::default();
        world.write("/a/lib.pd", "pub let shared = 1.5\npub fn helper(x: Float) -> Float { x }\n");
        world.write("/a/program.pd", SMALL);
        let before = check(link(&world, root()));
        for text in [
            "pub let shared = 20%\npub fn helper(x: Float) -> Float { x }\n",
            "pub let other = 1\npub let shared = 1.5\npub fn helper(x: Int) -> Float { float(x) }\n",
            "let shared = 1.5\npub fn helper(x: Float) -> Float { x }\n",
        ] {
            world.write("/a/lib.pd", text);
            let after = recheck(link_again(&world, root(), &before.linked), &before);
            assert_eq!(all(&after), all(&check(link(&world, root()))), "{text}");
        }
    }
}

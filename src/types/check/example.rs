//! Calls as examples: a function with the arguments that it needs.

use std::sync::Arc;

use super::super::signature::{Formal, Reader, Signature};
use super::super::ty::{Plain, Ty};
use super::{Checker, Entry};
use crate::resolve::{ModuleId, library};
use crate::source::{FileId, Span};
use crate::syntax::{self, tree::ItemKind};

impl Checker<'_> {
    /// Writes what a name would have to look like to give a type: the name, or a call; with the import it needs.
    pub(super) fn named(&mut self, name: &str, want: &Ty, span: Span) -> Option<String> {
        if let Some(ty) = self.local(name) {
            return (self.settled(&ty) == *want).then(|| format!("write `{name}`"));
        }
        if let Some(target) = self.linked.lookup(self.module, name) {
            if let Some(signature) = self.signature(target) {
                return self.example_call(&signature, want, span).map(|call| format!("write `{call}`"));
            }
            let before = self.diagnostics.len();
            let ty = self.target(target, name, span);
            self.diagnostics.truncate(before);
            return (self.settled(&ty) == *want).then(|| format!("write `{name}`"));
        }
        let module = library::providers(name).first().copied()?;
        let signature = signature_in(module, name)?;
        let call = self.example_call(&signature, want, span)?;
        Some(format!("add `import std.{module}.{{{name}}}` and write `{call}`"))
    }

    /// A call of a function that gives a type, with examples for what it needs, to be written at `span`.
    pub(super) fn example_call(&mut self, signature: &Signature, want: &Ty, span: Span) -> Option<String> {
        let (result, want) = (self.settled(&signature.result), self.settled(want));
        if result != want && !self.adapts(&result, &want) {
            return None;
        }
        let needed = signature.formals.iter().filter(|formal| !formal.optional).enumerate();
        let args: Option<Vec<String>> = needed
            .map(|(at, formal)| {
                let example = self.example(formal, span)?;
                Some(if at == 0 { example } else { format!("{}: {example}", formal.name) })
            })
            .collect();
        let name = &signature.name;
        Some(args.map_or_else(|| format!("{name}(…)"), |args| format!("{name}({})", args.join(", "))))
    }

    /// What a parameter may be given at `span`: a name that stands for such a value, or what is usual.
    pub(super) fn example(&self, formal: &Formal, span: Span) -> Option<String> {
        if let Some(name) = self.in_scope(&formal.ty, span) {
            return Some(name);
        }
        let usual = usual(formal)?;
        let Some(field) = usual.strip_prefix("task.") else { return Some(usual.to_owned()) };
        Some(self.in_scope(&Plain::Task.into(), span).map_or(usual.to_owned(), |task| format!("{task}.{field}")))
    }

    /// A name with a type of which there is usually one: of an enclosing scope, or defined above `span`.
    pub(super) fn in_scope(&self, ty: &Ty, span: Span) -> Option<String> {
        if !matches!(ty, Ty::Plain(Plain::Task | Plain::Recipe | Plain::State | Plain::Seed | Plain::Arch)) {
            return None;
        }
        if let Some(local) = self.locals.iter().rev().find(|local| self.settled(&local.ty) == *ty) {
            return Some(local.name.to_string());
        }
        let items = &self.linked.module(self.module).file.items;
        let above = (0..items.len()).rev().filter(|item| items[*item].span.end <= span.start);
        let entry = |item| self.items.get(&(self.module, item)).or_else(|| self.known?.get(&(self.module, item)));
        above.filter_map(entry).find_map(|entry| match entry {
            Entry::Values(values) => {
                values.iter().find(|(_, known)| self.settled(known) == *ty).map(|(name, _)| name.to_string())
            }
            _ => None,
        })
    }
}

/// The signature of a function in a module of the library that the program does not import.
fn signature_in(module: &str, name: &str) -> Option<Signature> {
    let (file, _) = syntax::parse(FileId(u32::MAX), library::text(module)?);
    let function = file.items.iter().find_map(|item| match &item.kind {
        ItemKind::Function(function) if &*function.name.text == name => Some(function),
        _ => None,
    })?;
    let mut unread = Vec::new();
    let mut reader = Reader { generics: &function.generics, diagnostics: &mut unread };
    let formals = function.formals.iter().map(|formal| Formal {
        name: formal.name.text.clone(),
        ty: formal.ty.as_ref().map_or(Ty::Error, |ty| reader.read(ty)),
        optional: formal.default.is_some(),
    });
    let formals = formals.collect();
    let result = function.result.as_ref().map_or(Ty::Error, |ty| reader.read(ty));
    let name: Arc<str> = function.name.text.clone();
    Some(Signature { name, module: ModuleId(0), generics: Vec::new(), formals, result, builtin: false })
}

/// What a parameter is usually given.
fn usual(formal: &Formal) -> Option<&'static str> {
    Some(match (&*formal.name, &formal.ty) {
        ("margin", _) => "2pp",
        ("over", Ty::Column(_)) => ".seed",
        ("x", Ty::Column(_)) => ".sparsity",
        ("y", Ty::Column(_)) => ".top1",
        ("by", Ty::List(_)) => "[.round]",
        ("show", Ty::List(_)) => "[mean, ci95]",
        ("sparsity" | "to", Ty::Plain(Plain::Ratio)) => "90%",
        (_, Ty::List(element)) if element.is(Plain::Step) => "[4ep]",
        (_, Ty::Plain(Plain::Step)) => "8ep",
        (_, Ty::Plain(Plain::Seed)) => "seed",
        (_, Ty::Plain(Plain::Task)) => "task",
        (_, Ty::Plain(Plain::Recipe)) => "recipe",
        (_, Ty::Plain(Plain::Ratio)) => "20%",
        (_, Ty::Plain(Plain::Schedule)) => "0.1",
        (_, Ty::Split(_)) => "task.test",
        ("classes", _) => "task.classes",
        ("batch", _) => "64",
        (_, Ty::Plain(Plain::Int)) => "3",
        (_, Ty::Plain(Plain::Float)) => "0.1",
        _ => return None,
    })
}

//! What modules offer: every public name with its signature and its words. The same text serves `pdsl doc`, the pages in
//! `docs/`, and editors.

mod examples;
mod find;
mod render;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use crate::resolve::{self, Linked, ModuleId, library};
use crate::source::Sources;
use crate::syntax::tree::{Binding, Formal, Function, Item, ItemKind, Param, Pattern};
use crate::world::World;

pub use examples::{Example, in_comments, in_words};
pub use find::{Found, find};
pub use render::{json, markdown, module_line, module_text, page, section, text};

/// A module and what it offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// `std.prune`, or the name of a file.
    pub name: String,
    /// What it says of itself.
    pub docs: String,
    /// Its public names, in the order in which they are written.
    pub entries: Vec<Entry>,
}

/// A name of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// What kind of thing it is.
    pub kind: Kind,
    /// How it is declared, without its value or body.
    pub signature: String,
    /// What is said of it.
    pub docs: String,
    /// Whether other modules may use it.
    pub public: bool,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A function.
    Function,
    /// A function whose calls are stages of the plan.
    Stage,
    /// A value.
    Value,
    /// A parameter of a program.
    Param,
}

impl Kind {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Stage => "stage",
            Self::Value => "value",
            Self::Param => "parameter",
        }
    }
}

impl Module {
    /// Describes what a module of a program has for others: its public names, and the parameters of a program.
    pub fn of(linked: &Linked, id: ModuleId) -> Self {
        let mut module = Self::all_of(linked, id);
        module.entries.retain(|entry| entry.public || entry.kind == Kind::Param);
        module
    }

    /// Describes a module with all its names.
    pub fn all_of(linked: &Linked, id: ModuleId) -> Self {
        let module = linked.module(id);
        let entries =
            module.file.items.iter().flat_map(|item| entries(&linked.sources, item, module.library)).collect();
        let docs = module.file.docs.join("\n");
        Self { name: shown(&module.name), docs: docs.trim().to_owned(), entries }
    }
}

/// The prelude has no name that an import could mention.
fn shown(name: &Arc<str>) -> String {
    let prelude = format!("std.{}", library::PRELUDE);
    if **name == *prelude || **name == *library::PRELUDE { library::PRELUDE.to_owned() } else { name.to_string() }
}

/// Describes the standard library: the prelude first, then its modules by name.
pub fn library() -> &'static [Module] {
    static LIBRARY: OnceLock<Vec<Module>> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let others = library::MODULES.iter().filter(|(name, _)| *name != library::PRELUDE);
        let imports: String = others.flat_map(|(name, _)| ["import std.", name, "\n"]).collect();
        let linked = resolve::link_text(&Nowhere, "all", &imports);
        let named = |(name, _): &(&str, &str)| linked.find(&format!("std.{name}")).map(|id| Module::of(&linked, id));
        let rest = library::MODULES.iter().filter(|(name, _)| *name != library::PRELUDE).filter_map(named);
        std::iter::once(Module::of(&linked, ModuleId(0))).chain(rest).collect()
    })
}

/// A world without files: the standard library is in the binary.
struct Nowhere;

impl World for Nowhere {
    fn read(&self, _: &Path) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn canonical(&self, _: &Path) -> io::Result<PathBuf> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

/// Describes the names that an item defines.
pub fn entries(sources: &Sources, item: &Item, library: bool) -> Vec<Entry> {
    let docs = item.docs.join("\n").trim().to_owned();
    let make = |name: &str, kind, signature, public| Entry {
        name: name.to_owned(),
        kind,
        signature,
        docs: docs.clone(),
        public,
    };
    match &item.kind {
        ItemKind::Function(function) => {
            let stage = library && crate::ops::stages::find(&function.name.text).is_some() && function.body.is_none();
            let kind = if stage { Kind::Stage } else { Kind::Function };
            vec![make(&function.name.text, kind, function_signature(sources, function), function.public)]
        }
        ItemKind::Binding(binding) => binding
            .pattern
            .names()
            .iter()
            .map(|name| make(&name.text, Kind::Value, value_signature(sources, binding, &name.text), binding.public))
            .collect(),
        ItemKind::Param(param) => {
            vec![make(&param.name.text, Kind::Param, param_signature(sources, param), false)]
        }
        _ => Vec::new(),
    }
}

/// Writes a function without its body: on one line if it fits.
fn function_signature(sources: &Sources, function: &Function) -> String {
    let generics: Vec<&str> = function.generics.iter().map(|name| &*name.text).collect();
    let generics = if generics.is_empty() { String::new() } else { format!("[{}]", generics.join(", ")) };
    let formals: Vec<String> = function.formals.iter().map(|formal| formal_text(sources, formal)).collect();
    let result = function.result.as_ref().map_or_else(String::new, |ty| format!(" -> {}", sources.slice(ty.span)));
    let head = format!("fn {}{generics}(", function.name.text);
    let flat = format!("{head}{}){result}", formals.join(", "));
    if flat.chars().count() <= 100 { flat } else { format!("{head}\n  {},\n){result}", formals.join(",\n  ")) }
}

/// Writes a formal parameter with its type and default.
pub fn formal_text(sources: &Sources, formal: &Formal) -> String {
    let ty = formal.ty.as_ref().map_or_else(String::new, |ty| format!(": {}", sources.slice(ty.span)));
    let default = formal.default.as_ref().map_or_else(String::new, |value| format!(" = {}", sources.slice(value.span)));
    format!("{}{ty}{default}", formal.name.text)
}

fn value_signature(sources: &Sources, binding: &Binding, name: &str) -> String {
    let ty = binding.ty.as_ref().map_or_else(String::new, |ty| format!(": {}", sources.slice(ty.span)));
    let value = sources.slice(binding.value.span);
    let short = value.len() <= 60 && !value.contains('\n') && !binding.builtin && !value.is_empty();
    let simple = matches!(binding.pattern, Pattern::Name(_));
    if short && simple { format!("let {name}{ty} = {value}") } else { format!("let {name}{ty}") }
}

fn param_signature(sources: &Sources, param: &Param) -> String {
    let default = param.default.as_ref().map_or_else(String::new, |value| format!(" = {}", sources.slice(value.span)));
    let condition =
        param.condition.as_ref().map_or_else(String::new, |value| format!(" where {}", sources.slice(value.span)));
    format!("param {}: {}{default}{condition}", param.name.text, sources.slice(param.ty.span))
}

/// Returns the first sentence of a text.
pub fn summary(docs: &str) -> String {
    let paragraph: Vec<&str> = docs.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let text = paragraph.join(" ");
    let mut end = text.len();
    for (at, _) in text.match_indices(". ") {
        // "et al. 2017" does not end a sentence, nor does "e.g. x".
        let next = text[at + 2..].chars().next();
        let word = text[..at].rsplit(' ').next().unwrap_or("");
        if next.is_some_and(char::is_uppercase) && !matches!(word, "al" | "e.g" | "i.e") {
            end = at + 1;
            break;
        }
    }
    text[..end].trim_end_matches(':').to_owned()
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn a_summary_is_the_first_sentence() {
        assert_eq!(summary("One. Two."), "One.");
        assert_eq!(summary("As Li et al. 2017\nsay. More.\n\nMuch more."), "As Li et al. 2017 say.");
        assert_eq!(summary("Only one"), "Only one");
        assert_eq!(summary(""), "");
    }
}

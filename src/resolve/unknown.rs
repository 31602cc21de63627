//! Names and modules that are not there, and what may be meant.

use super::scope::{Place, Walk};
use super::{Linked, Member, ModuleId, Target, library};
use crate::diag::codes::{names, syntax};
use crate::diag::{Diagnostic, foreign, suggest};
use crate::source::Span;
use crate::syntax::tree::{self, Name};

impl Walk<'_> {
    pub(super) fn unknown(&self, name: &str, span: Span, place: Place<'_>) -> Diagnostic {
        let diagnostic = Diagnostic::error(&names::UNKNOWN_NAME, format!("there is no `{name}` here"))
            .label(span, "not defined, not imported");
        if let Place::Column = place {
            return Diagnostic::error(&names::UNKNOWN_NAME, format!("there is no `{name}` here; a column has a dot"))
                .label(span, "a column?")
                .help(format!("write `.{name}`"));
        }
        if let Some(module) = library::providers(name).first() {
            return diagnostic.help(match self.alias(module) {
                Some(alias) => format!("write `{alias}.{name}`"),
                None => format!("add `import std.{module}.{{{name}}}`"),
            });
        }
        let here = self.linked.module(self.module);
        let own = self.locals.iter().chain(here.definitions.keys()).chain(here.imports.keys()).map(|known| &**known);
        let near = suggest::question(name, own.clone()).filter(|_| name.len() > 3);
        if let Some(question) = &near
            && foreign::name(name, None)
                .is_none_or(|_| suggest::closest(name, own.clone()).is_some_and(|n| n.len() > 4))
        {
            return diagnostic.help(question.clone());
        }
        if let Some(found) = self.habit(name, span, place) {
            return found;
        }
        let prelude = self.linked.modules.first().into_iter().flat_map(|prelude| prelude.definitions.keys());
        if let Some(question) = suggest::question(name, own.chain(prelude.map(|known| &**known))) {
            return diagnostic.help(question);
        }
        let library = library::names();
        if let Some(near) = suggest::closest(name, library.iter().map(|(_, known)| known.as_str()))
            && let Some((module, known)) = library.iter().find(|(_, known)| known == near)
        {
            return diagnostic.help(format!("did you mean `{known}`? Add `import std.{module}.{{{known}}}`"));
        }
        diagnostic.help(match place {
            Place::Value => format!("write `\"{name}\"` if it is a text, or define it: `let {name} = …`"),
            Place::Called(_) => format!("define it: `fn {name}(…) -> … {{ … }}`"),
            _ => format!("define it: `let {name} = …`"),
        })
    }

    /// The name under which a whole module of the standard library is imported.
    pub(super) fn alias(&self, module: &str) -> Option<&str> {
        let imports = &self.linked.module(self.module).imports;
        let named = |target: Target| matches!(target, Target::Module(id) if *self.linked.module(id).name == *format!("std.{module}"));
        imports.iter().find(|(_, import)| named(import.target)).map(|(alias, _)| &**alias)
    }

    /// A name that another language or a library of it has.
    pub(super) fn habit(&self, name: &str, span: Span, place: Place<'_>) -> Option<Diagnostic> {
        let args: Vec<String> = match place {
            Place::Called(args) => args
                .iter()
                .map(|arg| {
                    let value = self.linked.sources.slice(arg.value.span);
                    arg.label.as_ref().map_or(value.to_owned(), |label| format!("{}: {value}", label.text))
                })
                .collect(),
            _ => Vec::new(),
        };
        let short = args.iter().map(String::len).sum::<usize>() < 90 && args.iter().all(|arg| !arg.contains('\n'));
        let called = matches!(place, Place::Called(_)).then_some(args.len());
        let advice = foreign::name(name, called)?;
        let help = match place {
            Place::Owner(field) => self.without_owner(name, field).unwrap_or_else(|| advice.help()),
            _ if short => advice.filled(&args.iter().map(String::as_str).collect::<Vec<_>>()),
            _ => advice.help(),
        };
        Some(
            Diagnostic::error(&syntax::FOREIGN_WORD, advice.message(name)).label(span, "not a name of pdsl").help(help),
        )
    }

    /// What `np.abs` or `self.rate` is without its first part.
    pub(super) fn without_owner(&self, owner: &str, field: &Name) -> Option<String> {
        let text = &*field.text;
        if self.locals.iter().any(|local| **local == *text) || self.linked.lookup(self.module, text).is_some() {
            return Some(format!("write `{text}`"));
        }
        if let Some(module) = library::providers(text).first() {
            return Some(format!("add `import std.{module}.{{{text}}}` and write `{text}`"));
        }
        if matches!(owner, "self" | "this" | "me" | "cls") {
            return None;
        }
        foreign::name(text, None).map(foreign::Advice::help)
    }
}

/// Reports a name of a module that cannot be used from outside.
pub(super) fn inaccessible(linked: &Linked, module: ModuleId, name: &Name, member: Member) -> Diagnostic {
    let home = linked.module(module);
    let text = &name.text;
    if let Member::Private(definition) = member {
        let help = if home.library { "use what the module offers instead" } else { "mark its definition `pub`" };
        return Diagnostic::error(&names::PRIVATE_NAME, format!("`{text}` of `{}` is private", home.name))
            .label(name.span, "not visible here")
            .label(definition.span, "defined here without `pub`")
            .help(help);
    }
    let public = || home.definitions.iter().filter(|(_, definition)| definition.public).map(|(name, _)| &**name);
    let message = format!("`{}` has no `{text}`", home.name);
    let diagnostic = Diagnostic::error(&names::UNKNOWN_MEMBER, message).label(name.span, "not defined there");
    match suggest::question(text, public()) {
        Some(question) => diagnostic.help(question),
        None => match library::providers(text).first() {
            Some(other) => diagnostic.help(format!("it is in `std.{other}`")),
            None if public().count() <= 12 && public().next().is_some() => {
                let list = public().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                diagnostic.help(format!("it has {list}"))
            }
            None if public().next().is_some() => {
                let list = public().take(16).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                diagnostic.help(format!("it has {list}, …"))
            }
            None => diagnostic,
        },
    }
}

/// Says that there is no such module, and what is meant if that can be told.
pub(super) fn unknown_module(written: &str, segments: &[Name], names: &tree::ImportNames) -> (String, String) {
    let message = format!("there is no module `{written}`");
    let is_module = |name: &str| name != library::PRELUDE && library::MODULES.iter().any(|(module, _)| *module == name);
    let texts: Vec<&str> = segments.iter().map(|segment| &*segment.text).collect();
    if let ["std", module, name] = texts.as_slice()
        && is_module(module)
    {
        let message = format!("`std.{module}.{name}` is no module, but a name of the module `std.{module}`");
        return (message, format!("write `import std.{module}.{{{name}}}`"));
    }
    let list = match names {
        tree::ImportNames::Some(names) => names.iter().map(|name| &*name.text).collect(),
        _ => Vec::new(),
    };
    let tail = if list.is_empty() { String::new() } else { format!(".{{{}}}", list.join(", ")) };
    if let [module] = texts.as_slice()
        && is_module(module)
    {
        return (message, format!("write `import std.{module}{tail}`"));
    }
    let last = texts.last().copied().unwrap_or_default();
    let modules = library::MODULES.iter().map(|(module, _)| *module).filter(|module| *module != library::PRELUDE);
    if let Some(near) = suggest::closest(last, modules) {
        return (message, format!("did you mean `std.{near}`?"));
    }
    if let Some(module) = list.first().and_then(|name| library::providers(name).first().copied()) {
        return (message, format!("write `import std.{module}{tail}`"));
    }
    if texts.first() != Some(&"std") {
        let help = format!("remove the line: programs import from {}, or a file of their own in quotes", module_list());
        return (message, help);
    }
    (message, format!("modules of the standard library: {}", module_list()))
}

fn module_list() -> String {
    let modules = library::MODULES.iter().map(|(module, _)| *module).filter(|module| *module != library::PRELUDE);
    modules.map(|module| format!("`std.{module}`")).collect::<Vec<_>>().join(", ")
}

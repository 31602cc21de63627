//! Names and modules that are not there, and what may be meant.

use std::path::Path;

use super::scope::{Place, Walk};
use super::{Linked, Member, ModuleId, Target, imports, library};
use crate::diag::codes::{names, syntax};
use crate::diag::{Diagnostic, Fix, foreign, suggest};
use crate::source::Span;
use crate::syntax::tree::{self, Expr, ExprKind, ItemKind, Name};
use crate::world::World;

/// What programs elsewhere keep their options in.
const OPTIONS: [&str; 12] =
    ["params", "param", "cfg", "config", "conf", "args", "opt", "opts", "options", "hparams", "settings", "wandb"];

impl Walk<'_> {
    pub(super) fn unknown(&self, name: &str, span: Span, place: Place<'_>) -> Diagnostic {
        let diagnostic = Diagnostic::error(&names::UNKNOWN_NAME, format!("there is no `{name}` here"))
            .label(span, "not defined, not imported");
        if let Some(found) = self.output(name, span) {
            return found;
        }
        if let Place::Column = place {
            return Diagnostic::error(&names::UNKNOWN_NAME, format!("there is no `{name}` here; a column has a dot"))
                .label(span, "a column?")
                .help(format!("write `.{name}`"))
                .fix(span, format!(".{name}"));
        }
        if let Some(module) = library::providers(name).first() {
            if let Some(alias) = self.alias(module) {
                let right = format!("{alias}.{name}");
                return diagnostic.help(format!("write `{right}`")).fix(span, right);
            }
            let Fix { span, text } = self.addition(module, name);
            return diagnostic.help(format!("add `import std.{module}.{{{name}}}`")).fix(span, text);
        }
        let here = self.linked.module(self.module);
        let own = self
            .locals
            .iter()
            .map(|local| &local.text)
            .chain(here.definitions.keys())
            .chain(here.imports.keys())
            .map(|known| &**known);
        let near = suggest::question(name, own.clone()).filter(|_| name.len() > 3);
        if let Some(question) = &near
            && foreign::name(name, None)
                .is_none_or(|_| suggest::closest(name, own.clone()).is_some_and(|n| n.len() > 4))
        {
            return diagnostic.help(question.clone()).in_place_of(span);
        }
        if let Some(found) = self.habit(name, span, place) {
            return found;
        }
        let prelude = self.linked.modules.first().into_iter().flat_map(|prelude| prelude.definitions.keys());
        if let Some(question) = suggest::question(name, own.chain(prelude.map(|known| &**known))) {
            return diagnostic.help(question).in_place_of(span);
        }
        if let Place::Owner(field) = place
            && OPTIONS.contains(&name)
            && let Some(help) = self.without_owner(name, field)
        {
            return diagnostic.help(help).in_place_of(span.to(field.span));
        }
        if let Some(found) = self.elsewhere(name, span) {
            return found;
        }
        let library = library::exports();
        if let Some(near) = suggest::closest(name, library.iter().map(|(_, known)| known.as_str()))
            && let Some((module, known)) = library.iter().find(|(_, known)| known == near)
        {
            return diagnostic.help(format!("did you mean `{known}`? Add `import std.{module}.{{{known}}}`"));
        }
        diagnostic.help(match place {
            Place::Value => format!("write `\"{name}\"` if it is a text, or define it: `let {name} = …`"),
            Place::Called(..) | Place::Counted(..) => {
                format!("define it: `fn {name}(…) {{ … }}`, with its parameters' types")
            }
            _ => format!("define it: `let {name} = …`"),
        })
    }

    /// The name of a table, a plot or a claim, which is shown and is no value.
    fn output(&self, name: &str, span: Span) -> Option<Diagnostic> {
        let items = &self.linked.module(self.module).file.items;
        let (what, shown, value) = items.iter().find_map(|item| {
            let (what, shown, value) = match &item.kind {
                ItemKind::Table(output) => ("table", &output.name, &output.value),
                ItemKind::Plot(output) => ("plot", &output.name, &output.value),
                ItemKind::Claim(claim) => ("claim", &claim.name, &claim.value),
                _ => return None,
            };
            (*shown.text == *name).then_some((what, shown, value))
        })?;
        let diagnostic = Diagnostic::error(&names::UNKNOWN_NAME, format!("`{name}` is a {what}, which is no value"))
            .label(span, "a value is needed here")
            .label(shown.span, format!("this {what} is shown, and nothing can be made of it"));
        // What it is made from.
        let source = match &*value.kind {
            ExprKind::Pipe(first, _) => Some(first),
            ExprKind::Call(_, args) => args.first().map(|arg| &arg.value),
            _ => None,
        };
        let source = source.filter(|source| matches!(&*source.kind, ExprKind::Name(_)) && what != "claim");
        Some(match source {
            Some(source) => {
                let text = self.linked.sources.slice(source.span);
                diagnostic.help(format!("take what it is made from: write `{text}`")).in_place_of(span)
            }
            None => diagnostic.help(format!("give what is needed twice a name: `let {name}_rows = …`")),
        })
    }

    /// A name that is bound inside of an expression that ends before it, or further down in its own.
    fn elsewhere(&self, name: &str, span: Span) -> Option<Diagnostic> {
        let items = &self.linked.module(self.module).file.items;
        let mut parts: Vec<&Expr> = items.iter().flat_map(tree::Item::expressions).collect();
        let mut bound: Option<Span> = None;
        while let Some(expr) = parts.pop() {
            parts.extend(expr.children());
            for found in expr.bound().into_iter().filter(|found| *found.text == *name) {
                let later = found.span.start > span.start;
                if bound.is_none_or(|known| found.span.start < known.start) && !(later && bound.is_some()) {
                    bound = Some(found.span);
                }
            }
        }
        let bound = bound?;
        let item = |at: u32| items.iter().position(|item| item.span.start <= at && at < item.span.end);
        let down = bound.start > span.start && item(bound.start) == item(span.start);
        let (label, help) = if down {
            ("defined here, further down", format!("move the line that uses `{name}` below its definition"))
        } else {
            let help = format!(
                "define `{name}` at top level; if it depends on names inside, write a function that gives it and call it \
                 here"
            );
            ("known inside of this expression only", help)
        };
        let message = format!("`{name}` is not known here");
        let diagnostic = Diagnostic::error(&names::UNKNOWN_NAME, message).label(span, "there is no such name here");
        Some(diagnostic.label(bound, label).help(help))
    }

    /// What to write where, so that a name of the standard library is imported.
    fn addition(&self, module: &str, name: &str) -> Fix {
        let here = self.linked.module(self.module);
        imports::addition(&here.file, &self.linked.sources.get(here.file.id).text, module, name)
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
            Place::Called(args, _) | Place::Counted(args, ..) => args
                .iter()
                .map(|arg| {
                    let value = self.linked.sources.slice(arg.value.span);
                    arg.label.as_ref().map_or(value.to_owned(), |label| format!("{}: {value}", label.text))
                })
                .collect(),
            _ => Vec::new(),
        };
        let short = args.iter().map(String::len).sum::<usize>() < 90 && args.iter().all(|arg| !arg.contains('\n'));
        let whole = match place {
            Place::Called(_, whole) | Place::Counted(_, whole, _) => Some(whole),
            _ => None,
        };
        let advice = foreign::name(name, whole.map(|_| args.len()))?;
        if let (Place::Counted(_, whole, seeds), [count], "range" | "arange" | "seq" | "xrange" | "seq_len") =
            (place, args.as_slice(), name)
        {
            let (message, right) = if seeds {
                ("Seeds come from `seeds`", format!("seeds({count})"))
            } else {
                ("A number of times is given by itself", count.clone())
            };
            let diagnostic = Diagnostic::error(&syntax::FOREIGN_WORD, message).label(span, "not a name of pdsl");
            return Some(diagnostic.help(format!("write `{right}`")).in_place_of(whole));
        }
        let help = match place {
            Place::Owner(field) => self.without_owner(name, field).unwrap_or_else(|| advice.help()),
            _ if short => advice.filled(&args.iter().map(String::as_str).collect::<Vec<_>>()),
            _ => advice.help(),
        };
        let diagnostic =
            Diagnostic::error(&syntax::FOREIGN_WORD, advice.message(name)).label(span, "not a name of pdsl").help(help);
        Some(match place {
            Place::Owner(field) if diagnostic.help.as_deref() == Some(&format!("write `{}`", field.text)) => {
                diagnostic.in_place_of(span.to(field.span))
            }
            Place::Owner(_) => diagnostic,
            _ if advice.keeps_meaning() => diagnostic.in_place_of(whole.unwrap_or(span)),
            _ => diagnostic,
        })
    }

    /// What `np.abs` or `self.rate` is without its first part.
    pub(super) fn without_owner(&self, owner: &str, field: &Name) -> Option<String> {
        let text = &*field.text;
        if self.locals.iter().any(|local| *local.text == *text) || self.linked.lookup(self.module, text).is_some() {
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
    let everywhere = linked.modules.first().and_then(|prelude| prelude.definitions.get(text));
    if home.library && everywhere.is_some_and(|definition| definition.public) {
        return diagnostic.help(format!("every program knows `{text}`: leave it out of the import"));
    }
    match suggest::question(text, public()) {
        Some(question) => diagnostic.help(question).in_place_of(name.span),
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

/// The file beside an importing one that a name without quotes or without its ending means: `helpers.pd`.
pub(super) fn beside(world: &dyn World, folder: Option<&Path>, name: &str) -> Option<String> {
    let file = format!("{name}.pd");
    world.canonical(&folder?.join(&file)).is_ok().then_some(file)
}

fn module_list() -> String {
    let modules = library::MODULES.iter().map(|(module, _)| *module).filter(|module| *module != library::PRELUDE);
    modules.map(|module| format!("`std.{module}`")).collect::<Vec<_>>().join(", ")
}

//! What has been defined so far, and what a new input comes to.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::show;
use crate::cli::output::Output;
use crate::cli::{figures, program};
use crate::diag::codes::invocation;
use crate::diag::{Diagnostic, Severity};
use crate::eval::{self, Overrides, Program};
use crate::lsp::Analysis;
use crate::reference::{self, Found, Module};
use crate::resolve;
use crate::source::{FileId, Sources};
use crate::syntax::tree::{Import, ImportSource, Item, ItemKind};
use crate::syntax::{self, words};
use crate::types::{self, Typed};
use crate::world::World;

/// The name of an expression's value.
const VALUE: &str = "zz_value";

const HELP: &str = "\
an expression            shows its value: `1 + 2`, `resnet20(classes: 10) |> init(first(seeds(1)))`
let, fn, param, import   define something; a second definition replaces the first
table, plot, claim       are checked and described
test, expect             say whether they hold

:type EXPRESSION         the type of an expression
:stages EXPRESSION       the stages that an expression asks for, and what they cost
:doc NAME                what the library, or a definition of yours, says about a name
:load FILE               takes over the definitions of a file
:names                   what is defined
:reset                   forgets all definitions
:help                    this text
:quit                    leaves
";

/// What an input came to.
pub(super) enum Done {
    /// Something to show.
    Shown(String),
    /// A mistake, which has been reported.
    Wrong,
    /// The user wants to leave.
    Quit,
}

/// A definition, or several that were entered together.
struct Entry {
    names: Vec<String>,
    text: String,
}

/// What has been defined so far.
pub(super) struct Session<'a> {
    world: &'a dyn World,
    output: Output,
    entries: Vec<Entry>,
}

/// The world with the definitions of a session as a file.
struct WithSession<'a> {
    world: &'a dyn World,
    text: String,
}

fn session_path() -> &'static Path {
    Path::new("session")
}

impl World for WithSession<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        if path == session_path() { Ok(self.text.clone()) } else { self.world.read(path) }
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        if path == session_path() { Ok(path.to_path_buf()) } else { self.world.canonical(path) }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.world.variable(name)
    }

    fn now(&self) -> SystemTime {
        self.world.now()
    }
}

impl<'a> Session<'a> {
    pub(super) fn new(world: &'a dyn World, output: Output) -> Self {
        Self { world, output, entries: Vec::new() }
    }

    /// Takes an input: a command, definitions, or an expression.
    pub(super) fn submit(&mut self, input: &str) -> Done {
        let input = input.trim();
        if input.is_empty() || input.lines().all(|line| line.trim_start().starts_with("//")) {
            return Done::Shown(String::new());
        }
        let done = match input.strip_prefix(':') {
            Some(command) => self.command(command),
            None if is_declaration(input) => self.define(input),
            None => self.value(input).map(|(program, typed)| {
                let ty = typed.values.get(&(typed.linked.root, VALUE.into()));
                let value = program.values.get(VALUE);
                value.map_or_else(String::new, |value| show::value(value, ty, &program))
            }),
        };
        match done {
            Ok(text) => Done::Shown(text),
            Err(Stop::Quit) => Done::Quit,
            Err(Stop::Told(diagnostics, sources)) => {
                self.output.diagnostics(&diagnostics, &sources);
                Done::Wrong
            }
        }
    }

    /// Checks a text that sees everything defined so far, as the completion does.
    pub(super) fn analysis(&self, text: &str) -> Analysis {
        Analysis::with(self.typed(text))
    }

    /// The text under which an input is checked, and how far it is shifted by that.
    pub(super) fn wrapped(input: &str) -> (String, usize) {
        if is_declaration(input) {
            return (input.to_owned(), 0);
        }
        let head = format!("let {VALUE} = ");
        (format!("{head}{input}"), head.len())
    }

    fn text(&self) -> String {
        self.entries.iter().flat_map(|entry| [entry.text.as_str(), "\n"]).collect()
    }

    fn typed(&self, text: &str) -> Typed {
        let world = WithSession { world: self.world, text: self.text() };
        types::check(resolve::link_session(&world, "input", session_path(), text))
    }

    fn evaluated(&self, text: &str) -> Result<(Program, Typed), Stop> {
        let typed = self.typed(text);
        if !typed.is_sound() {
            return Err(Stop::of(typed.diagnostics.clone(), &typed));
        }
        if !typed.diagnostics.is_empty() {
            self.output.diagnostics(&typed.diagnostics, &typed.linked.sources);
        }
        let at_hand = program::at_hand(session_path());
        match eval::evaluate(&typed, &Overrides::default(), &*at_hand) {
            Ok(program) => Ok((program, typed)),
            Err(found) => Err(Stop::of(found, &typed)),
        }
    }

    fn value(&self, expression: &str) -> Result<(Program, Typed), Stop> {
        self.evaluated(&Self::wrapped(expression).0)
    }

    // Definitions ---------------------------------------------------------------------------------------------------

    fn define(&mut self, input: &str) -> Result<String, Stop> {
        let (program, typed) = self.evaluated(input)?;
        let failed: Vec<Diagnostic> = program.failed_tests().into_iter().chain(program.unmet()).collect();
        if !failed.is_empty() {
            return Err(Stop::of(failed, &typed));
        }
        let file = &typed.linked.module(typed.linked.root).file;
        let shown: String = file.items.iter().map(|item| show::item(item, &typed, &program)).collect();
        let kept = file.items.iter().filter(|item| is_kept(item));
        let entries = kept.map(|item| Entry {
            names: names(item).into_iter().collect(),
            text: with_docs(item, typed.linked.sources.slice(item.span)),
        });
        self.add(entries.collect())?;
        Ok(shown)
    }

    /// Adds definitions in place of those that have their names; refuses them if others do not go with them.
    fn add(&mut self, new: Vec<Entry>) -> Result<(), Stop> {
        let names: BTreeSet<String> = new.iter().flat_map(|entry| entry.names.clone()).collect();
        let (gone, mut stay): (Vec<Entry>, Vec<Entry>) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|entry| entry.names.iter().any(|name| names.contains(name)));
        let count = stay.len();
        stay.extend(new);
        self.entries = stay;
        let typed = self.typed("");
        if typed.is_sound() {
            return Ok(());
        }
        self.entries.truncate(count);
        self.entries.extend(gone);
        Err(Stop::of(typed.diagnostics.clone(), &typed))
    }

    // Commands ------------------------------------------------------------------------------------------------------

    fn command(&mut self, command: &str) -> Result<String, Stop> {
        let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        match (word, rest) {
            ("help" | "h" | "?", _) => Ok(HELP.to_owned()),
            ("quit" | "q" | "exit", _) => Err(Stop::Quit),
            ("reset", _) => {
                self.entries.clear();
                Ok(String::new())
            }
            ("names", _) => Ok(self.names()),
            ("type" | "t", expression) if !expression.is_empty() => {
                let typed = self.typed(&Self::wrapped(expression).0);
                if !typed.is_sound() {
                    return Err(Stop::of(typed.diagnostics.clone(), &typed));
                }
                let ty = typed.values.get(&(typed.linked.root, VALUE.into()));
                Ok(ty.map_or_else(String::new, |ty| format!("{ty}\n")))
            }
            ("stages" | "plan", expression) if !expression.is_empty() => {
                Ok(show::stages(&self.value(expression)?.0.graph))
            }
            ("doc" | "d", name) if !name.is_empty() => self.doc(name),
            ("load" | "l", path) if !path.is_empty() => self.load(Path::new(path)),
            _ => Err(Stop::outside(
                "there is no such command, or something is missing behind it",
                "list the commands with `:help`",
            )),
        }
    }

    fn names(&self) -> String {
        let typed = self.typed("");
        let session = typed.linked.modules.iter().position(|module| &*module.name == "session");
        let of_session = |at: u32| session == Some(at as usize);
        let values = typed.values.iter().filter(|((module, _), _)| of_session(module.0));
        let mut rows: Vec<Vec<String>> = values.map(|((_, name), ty)| vec![name.to_string(), ty.to_string()]).collect();
        let functions = typed.functions.iter().filter(|((module, _), _)| of_session(module.0));
        rows.extend(functions.map(|((_, name), signature)| vec![name.to_string(), signature.to_string()]));
        figures::columns(&rows, &[])
    }

    fn doc(&self, name: &str) -> Result<String, Stop> {
        let typed = self.typed("");
        let own = typed.linked.module_ids().find(|id| &*typed.linked.module(*id).name == "session");
        let mut modules: Vec<Module> = own.map(|id| Module::all_of(&typed.linked, id)).into_iter().collect();
        modules.extend(reference::library().iter().cloned());
        let plain = |text: &str| self.output.bold(text);
        let mut text = String::new();
        for found in reference::find(&modules, name) {
            match found {
                Found::Module(module) => text += &reference::module_text(module, plain),
                Found::Entries(entries) => {
                    entries.into_iter().for_each(|(module, entry)| text += &reference::text(module, entry, plain));
                }
                Found::Nothing(near) => {
                    let help = near.map_or("list the modules with `pdsl doc`".to_owned(), |near| {
                        format!("did you mean `{near}`?")
                    });
                    return Err(Stop::outside(&format!("there is no `{name}`"), &help));
                }
            }
        }
        Ok(text)
    }

    /// Takes over the definitions of a file. Its outputs, tests and expectations stay behind.
    fn load(&mut self, path: &Path) -> Result<String, Stop> {
        let text = self
            .world
            .read(path)
            .map_err(|error| Stop::Told(vec![crate::cli::place::unreadable(path, &error)], Box::default()))?;
        let typed = types::check(resolve::link(self.world, path));
        if !typed.is_sound() {
            return Err(Stop::of(typed.diagnostics.clone(), &typed));
        }
        let (file, _) = syntax::parse(FileId(0), &text);
        let folder = path.parent().unwrap_or(Path::new(""));
        let entries = file.items.iter().filter(|item| is_kept(item)).map(|item| {
            let written = text.get(item.span.start as usize..item.span.end as usize).unwrap_or_default();
            Entry {
                names: names(item).into_iter().collect(),
                text: with_docs(item, &moved_import(item, written, folder)),
            }
        });
        let entries: Vec<Entry> = entries.collect();
        let names: Vec<String> = entries
            .iter()
            .filter(|entry| !entry.text.starts_with("import"))
            .flat_map(|entry| entry.names.clone())
            .collect();
        self.add(entries)?;
        Ok(format!("{}\n", names.join(", ")))
    }
}

/// Why an input comes to nothing.
enum Stop {
    Quit,
    Told(Vec<Diagnostic>, Box<Sources>),
}

impl Stop {
    fn of(mut diagnostics: Vec<Diagnostic>, typed: &Typed) -> Self {
        diagnostics.retain(|found| found.severity == Severity::Error);
        Self::Told(diagnostics, Box::new(typed.linked.sources.clone()))
    }

    fn outside(message: &str, help: &str) -> Self {
        Self::Told(vec![Diagnostic::error(&invocation::REPL_COMMAND, message).help(help)], Box::default())
    }
}

/// Whether a text begins with the word of a declaration.
fn is_declaration(text: &str) -> bool {
    let text = text.lines().find(|line| !line.trim_start().starts_with("//")).unwrap_or("").trim_start();
    let word: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    words::is_declaration(&word)
}

/// Whether an item stays in the session.
fn is_kept(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Import(_) | ItemKind::Param(_) | ItemKind::Binding(_) | ItemKind::Function(_))
}

/// The names that an item brings in.
fn names(item: &Item) -> Vec<String> {
    use crate::syntax::tree::ImportNames;
    match &item.kind {
        ItemKind::Import(import) => match (&import.names, &import.from) {
            (ImportNames::Some(names), _) => names.iter().map(|name| name.text.to_string()).collect(),
            (ImportNames::Alias(name), _) => vec![name.text.to_string()],
            (ImportNames::Whole, ImportSource::Path(path)) => {
                path.last().map(|name| name.text.to_string()).into_iter().collect()
            }
            (ImportNames::Whole, ImportSource::File { path, .. }) => {
                Path::new(&**path).file_stem().map(|stem| stem.to_string_lossy().into_owned()).into_iter().collect()
            }
        },
        ItemKind::Param(param) => vec![param.name.text.to_string()],
        ItemKind::Binding(binding) => binding.pattern.names().iter().map(|name| name.text.to_string()).collect(),
        ItemKind::Function(function) => vec![function.name.text.to_string()],
        _ => Vec::new(),
    }
}

fn with_docs(item: &Item, text: &str) -> String {
    let docs = item.docs.iter().map(|line| format!("/// {line}").trim_end().to_owned() + "\n");
    docs.collect::<String>() + text
}

/// An import of a file as it must be written from the directory of the session.
fn moved_import(item: &Item, text: &str, folder: &Path) -> String {
    let ItemKind::Import(Import { from: ImportSource::File { path, span }, .. }) = &item.kind else {
        return text.to_owned();
    };
    let at = |offset: u32| (offset - item.span.start) as usize;
    let moved = folder.join(&**path).display().to_string();
    format!("{}{moved:?}{}", &text[..at(span.start)], &text[at(span.end)..])
}

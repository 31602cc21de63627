//! Loading: the root file, its imports, the prelude, and the names each module defines and imports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::unknown::{beside, inaccessible, unknown_module};
use super::{Definition, Import, Linked, Member, Module, ModuleId, Target, library};
use crate::diag::{Diagnostic, codes::names};
use crate::ops;
use crate::source::{FileId, Sources, Span};
use crate::syntax::{self, tree};
use crate::world::World;

/// Loads a program from disk.
pub(super) fn file(world: &dyn World, root: &Path, previous: Option<&Linked>) -> Linked {
    let mut loader = Loader::new(world, previous);
    let path = world.canonical(root).unwrap_or_else(|_| root.to_path_buf());
    let name = root.display().to_string();
    let module = match world.read(root) {
        Ok(text) => loader.load(Identity::File(path), &name, &text),
        Err(error) => {
            let message = format!("`{name}` cannot be read: {}", reason(&error));
            loader.linked.diagnostics.push(
                Diagnostic::error(&names::UNREADABLE_FILE, message).help("check the path and the file's permissions"),
            );
            loader.load(Identity::File(path), &name, "")
        }
    };
    loader.finish(module)
}

/// Loads a program from text.
pub(super) fn text(world: &dyn World, name: &str, text: &str) -> Linked {
    let mut loader = Loader::new(world, None);
    let module = loader.load(Identity::Text, name, text);
    loader.finish(module)
}

/// Loads an example from text. What it neither defines nor imports itself may be a name of the module it is about.
pub(super) fn example(world: &dyn World, name: &str, about: &Path, text: &str) -> Linked {
    continued(world, name, about, text, false)
}

/// Loads a text that goes on where a module ends: the names that it imports are there as well.
pub(super) fn session(world: &dyn World, name: &str, about: &Path, text: &str) -> Linked {
    continued(world, name, about, text, true)
}

fn continued(world: &dyn World, name: &str, about: &Path, text: &str, with_imports: bool) -> Linked {
    let mut loader = Loader::new(world, None);
    let path = world.canonical(about).unwrap_or_else(|_| about.to_path_buf());
    let module = world
        .read(about)
        .ok()
        .map(|text| loader.load(Identity::File(path.clone()), &about.display().to_string(), &text));
    // Its relative imports start where those of the module do.
    let beside = path.with_file_name(name.rsplit('/').next().unwrap_or(name));
    let root = loader.load(Identity::File(beside), name, text);
    if let Some(module) = module {
        let about = loader.linked.module(module);
        let defined = about.definitions.iter().map(|(name, found)| {
            (name.clone(), Import { target: Target::Item { module, item: found.item }, span: found.span })
        });
        let imported = about.imports.iter().filter(|_| with_imports).map(|(name, import)| (name.clone(), *import));
        let offered: Vec<(Arc<str>, Import)> = defined.chain(imported).collect();
        let text = &mut loader.linked.modules[root.0 as usize];
        for (name, import) in offered {
            if !text.definitions.contains_key(&name) {
                text.imports.entry(name).or_insert(import);
            }
        }
    }
    loader.finish(root)
}

/// What makes two imports the same module.
#[derive(Clone, PartialEq, Eq)]
enum Identity {
    Library(&'static str),
    File(PathBuf),
    Text,
}

struct Loader<'a> {
    world: &'a dyn World,
    /// The same program as it was before an edit.
    previous: Option<&'a Linked>,
    linked: Linked,
    loaded: Vec<(Identity, ModuleId)>,
    /// Modules on the way from the root to the one being loaded, with the import that led there.
    open: Vec<Open>,
}

struct Open {
    identity: Identity,
    name: Arc<str>,
    import: Option<Span>,
}

/// What became of the module that an import names.
type Found = Option<ModuleId>;

impl<'a> Loader<'a> {
    fn new(world: &'a dyn World, previous: Option<&'a Linked>) -> Self {
        let linked =
            Linked { sources: Sources::default(), modules: Vec::new(), root: ModuleId(0), diagnostics: Vec::new() };
        let mut loader = Self { world, previous, linked, loaded: Vec::new(), open: Vec::new() };
        loader.library(library::PRELUDE, None);
        loader
    }

    fn finish(mut self, root: ModuleId) -> Linked {
        self.linked.root = root;
        self.linked
    }

    fn load(&mut self, identity: Identity, name: &str, text: &str) -> ModuleId {
        self.load_from(identity, name, text, None)
    }

    fn load_from(&mut self, identity: Identity, name: &str, text: &str, import: Option<Span>) -> ModuleId {
        let (shown, path) = match &identity {
            Identity::Library(module) => (format!("std/{module}.pd"), None),
            Identity::File(path) => (name.to_owned(), Some(path.clone())),
            Identity::Text => (name.to_owned(), None),
        };
        let earlier = self.earlier(&identity, name);
        let id = self.linked.sources.add(shown, path, text);
        let (mut file, errors) = syntax::parse_again(id, text, earlier);
        self.linked.diagnostics.extend(errors);
        if let Identity::Library(module) = identity {
            self.declare_ops(module, &mut file);
        }
        self.open.push(Open { identity: identity.clone(), name: name.into(), import });
        let mut module = Module {
            name: name.into(),
            library: matches!(identity, Identity::Library(_)),
            file,
            definitions: BTreeMap::new(),
            imports: BTreeMap::new(),
            order: Vec::new(),
            uses: Vec::new(),
        };
        self.imports(&mut module);
        self.definitions(&mut module);
        self.open.pop();
        let at = ModuleId(self.linked.modules.len() as u32);
        self.linked.modules.push(module);
        self.loaded.push((identity, at));
        at
    }

    /// The tree of a module as it was before an edit.
    fn earlier(&self, identity: &Identity, name: &str) -> Option<&'a tree::File> {
        let previous = self.previous?;
        let same = |module: &&Module| match identity {
            Identity::Library(_) => module.library && &*module.name == name,
            Identity::File(path) => previous.sources.get(module.file.id).path.as_ref() == Some(path),
            Identity::Text => false,
        };
        previous.modules.iter().find(same).map(|module| &module.file)
    }

    /// Appends the stages that belong to a module as functions without a body.
    fn declare_ops(&mut self, module: &str, file: &mut tree::File) {
        for op in ops::stages::ALL.iter().filter(|op| op.module == module) {
            let id = self.linked.sources.add(format!("std/{module}/{}.pd", op.name), None, op.signature);
            match syntax::parse_signature(id, op.signature) {
                Ok(mut function) => {
                    function.public = true;
                    let span = Span::new(id, 0, op.signature.len());
                    let docs = op.words().lines().map(ToOwned::to_owned).collect();
                    let kind = tree::ItemKind::Function(Arc::new(function));
                    file.items.push(tree::Item { docs, span, kind });
                }
                Err(errors) => self.linked.diagnostics.extend(errors),
            }
        }
    }

    fn definitions(&mut self, module: &mut Module) {
        let salvaged = |item: usize| match &module.file.items[item].kind {
            tree::ItemKind::Binding(binding) => binding.is_salvaged(),
            _ => false,
        };
        for (item, node) in module.file.items.iter().enumerate() {
            let (names, public): (&[tree::Name], bool) = match &node.kind {
                tree::ItemKind::Param(param) => (std::slice::from_ref(&param.name), false),
                tree::ItemKind::Binding(binding) => (binding.pattern.names(), binding.public),
                tree::ItemKind::Function(function) => (std::slice::from_ref(&function.name), function.public),
                _ => continue,
            };
            for name in names {
                let known = module.definitions.get(&name.text);
                if known.is_some_and(|known| known.item == item) {
                    // Twice in one pattern, which is reported with the pattern.
                    continue;
                }
                // What could not be read is reported already, whatever it was meant to be.
                let vague = known.is_some_and(|known| salvaged(known.item));
                if salvaged(item) && (known.is_some() || module.imports.contains_key(&name.text)) {
                    continue;
                }
                let earlier = known.map(|definition| definition.span).filter(|_| !vague);
                let imported = module.imports.get(&name.text).map(|import| import.span);
                if let Some(first) = earlier.or(imported) {
                    let found = duplicate(name, first, earlier.is_none());
                    let again = &module.file.items[item];
                    let renews = matches!(again.kind, tree::ItemKind::Binding(_)) && again.mentions(&name.text);
                    self.linked.diagnostics.push(if renews { renewed(found, &name.text) } else { found });
                } else {
                    module.definitions.insert(name.text.clone(), Definition { item, span: name.span, public });
                }
            }
        }
    }

    fn imports(&mut self, module: &mut Module) {
        let imports: Vec<tree::Import> = module
            .file
            .items
            .iter()
            .filter_map(|item| match &item.kind {
                tree::ItemKind::Import(import) => Some(import.clone()),
                _ => None,
            })
            .collect();
        for import in &imports {
            let found = self.source(import, module.file.id);
            for (name, target) in self.bind(import, found) {
                match module.imports.get(&name.text) {
                    Some(earlier) => self.linked.diagnostics.push(duplicate(&name, earlier.span, true)),
                    None => {
                        module.imports.insert(name.text.clone(), Import { target, span: name.span });
                    }
                }
            }
        }
    }

    fn bind(&mut self, import: &tree::Import, found: Found) -> Vec<(tree::Name, Target)> {
        let whole = found.map_or(Target::Unknown, Target::Module);
        match &import.names {
            tree::ImportNames::Alias(name) => vec![(name.clone(), whole)],
            tree::ImportNames::Some(names) => {
                names.iter().map(|name| (name.clone(), self.imported(found, name))).collect()
            }
            tree::ImportNames::Whole => self.implied_name(&import.from).into_iter().map(|name| (name, whole)).collect(),
        }
    }

    fn imported(&mut self, found: Found, name: &tree::Name) -> Target {
        let Some(module) = found else { return Target::Unknown };
        match self.linked.member(module, &name.text) {
            Member::Public(definition) => Target::Item { module, item: definition.item },
            member => {
                let diagnostic = inaccessible(&self.linked, module, name, member);
                self.linked.diagnostics.push(diagnostic);
                Target::Unknown
            }
        }
    }

    fn implied_name(&mut self, from: &tree::ImportSource) -> Option<tree::Name> {
        match from {
            tree::ImportSource::Path(segments) => segments.last().cloned(),
            tree::ImportSource::File { path, span } => {
                let stem = Path::new(&**path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                if is_identifier(stem) {
                    return Some(tree::Name { text: stem.into(), span: *span });
                }
                let message = format!("`{path}` cannot give the module a name, because `{stem}` is not a name");
                self.linked.diagnostics.push(
                    Diagnostic::error(&names::NAMELESS_IMPORT, message)
                        .label(*span, "a module needs a name here")
                        .help(format!("write `import \"{path}\" as recipes`, or list the names: `.{{a, b}}`")),
                );
                None
            }
        }
    }

    fn source(&mut self, import: &tree::Import, importer: FileId) -> Found {
        match &import.from {
            tree::ImportSource::Path(segments) => self.library_path(segments, &import.names, importer),
            tree::ImportSource::File { path, span } => self.neighbour(path, *span, importer),
        }
    }

    fn library_path(&mut self, segments: &[tree::Name], names: &tree::ImportNames, importer: FileId) -> Found {
        let (first, last) = (segments.first()?, segments.last()?);
        let span = first.span.to(last.span);
        let known = library::MODULES.iter().find(|(module, _)| *module == &*last.text).map(|(module, _)| *module);
        if let (Some(module), [_, _], "std") = (known, segments, &*first.text) {
            return self.library(module, Some(span));
        }
        let written = segments.iter().map(|segment| &*segment.text).collect::<Vec<_>>().join(".");
        let (message, help) = unknown_module(&written, segments, names);
        let parts = segments.iter().map(|segment| &*segment.text).collect::<Vec<_>>().join("/");
        if let Some(file) = beside(self.world, self.folder(importer), &parts) {
            self.linked.diagnostics.push(
                Diagnostic::error(&names::UNKNOWN_MODULE, message)
                    .label(span, "a file stands in quotes")
                    .help(format!("write `\"{file}\"`"))
                    .in_place_of(span),
            );
            return None;
        }
        self.linked.diagnostics.push(
            Diagnostic::error(&names::UNKNOWN_MODULE, message)
                .label(span, "not in the standard library")
                .help(help)
                .in_place_of(span),
        );
        None
    }

    fn library(&mut self, module: &'static str, import: Option<Span>) -> Found {
        let identity = Identity::Library(module);
        let name = format!("std.{module}");
        if let Some(known) = self.known(&identity, &name, import) {
            return known;
        }
        let text = library::text(module)?;
        Some(self.load_from(identity, &name, text, import))
    }

    fn neighbour(&mut self, path: &str, span: Span, importer: FileId) -> Found {
        let written = self.folder(importer).unwrap_or(Path::new("")).join(path);
        let ending = written.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        if let Some(ending @ ("yaml" | "yml" | "json" | "toml" | "ini" | "cfg" | "py" | "csv" | "rs")) =
            ending.as_deref()
        {
            let own = Path::new(path).with_extension("pd");
            let diagnostic = Diagnostic::error(&names::UNREADABLE_FILE, format!("a `.{ending}` file is no program"))
                .label(span, "imports are files of pdsl")
                .help(format!(
                    "write its values as parameters, `param lr: Float = 0.1`, or as `pub let lr = 0.1` in `{}`",
                    own.display()
                ));
            self.linked.diagnostics.push(diagnostic);
            return None;
        }
        let text = self.world.canonical(&written).and_then(|full| Ok((self.world.read(&full)?, full)));
        let (text, full) = match text {
            Ok(found) => found,
            Err(error) => {
                let message = format!("`{path}` cannot be read: {}", reason(&error));
                let diagnostic = Diagnostic::error(&names::UNREADABLE_FILE, message).label(span, "imported here");
                if let Some(file) = beside(self.world, self.folder(importer), path) {
                    let help = format!("write `\"{file}\"`");
                    self.linked.diagnostics.push(diagnostic.help(help).in_place_of(span));
                    return None;
                }
                self.linked.diagnostics.push(diagnostic.help(
                    match path.strip_prefix("std.").or_else(|| path.strip_prefix("std/")) {
                        Some(module) => {
                            format!("modules of the standard library have no quotes: write `std.{module}`")
                        }
                        None => "paths are relative to the file that imports".to_owned(),
                    },
                ));
                return None;
            }
        };
        let name = self.shown(path, importer);
        let identity = Identity::File(full);
        if let Some(known) = self.known(&identity, &name, Some(span)) {
            return known;
        }
        Some(self.load_from(identity, &name, &text, Some(span)))
    }

    /// Where relative imports of a file start.
    fn folder(&self, importer: FileId) -> Option<&Path> {
        self.linked.sources.get(importer).path.as_deref().and_then(Path::parent)
    }

    /// The name of an imported file as seen from where the user is: relative to the importing file's shown name.
    fn shown(&self, path: &str, importer: FileId) -> String {
        let importer = Path::new(&*self.linked.sources.get(importer).name);
        let plain = path.strip_prefix("./").unwrap_or(path);
        importer.parent().map_or_else(|| plain.to_owned(), |folder| folder.join(plain).display().to_string())
    }

    /// Finds a module that is loaded already, or reports that it is being loaded: a circle.
    fn known(&mut self, identity: &Identity, name: &str, import: Option<Span>) -> Option<Found> {
        if let Some((_, module)) = self.loaded.iter().find(|(loaded, _)| loaded == identity) {
            return Some(Some(*module));
        }
        let start = self.open.iter().position(|open| open.identity == *identity)?;
        let circle = &self.open[start..];
        let way: Vec<_> = circle.iter().map(|open| format!("`{}`", open.name)).chain([format!("`{name}`")]).collect();
        let message = if circle.len() == 1 {
            format!("`{name}` imports itself")
        } else {
            format!("`{name}` imports itself by way of others: {}", way.join(" → "))
        };
        let mut diagnostic = Diagnostic::error(&names::IMPORT_CYCLE, message);
        if let Some(span) = import {
            diagnostic = diagnostic.label(span, "this import closes the circle");
        }
        if let Some(span) = circle.get(1).and_then(|open| open.import) {
            diagnostic = diagnostic.label(span, "the circle starts here");
        }
        self.linked.diagnostics.push(diagnostic.help("move what both need into a third file"));
        Some(None)
    }
}

fn duplicate(name: &tree::Name, first: Span, imported: bool) -> Diagnostic {
    let (message, remark) = if imported {
        (format!("`{}` is imported already", name.text), "imported here")
    } else {
        (format!("`{}` is defined twice", name.text), "first defined here")
    };
    Diagnostic::error(&names::DUPLICATE_NAME, message)
        .label(name.span, "the same name again")
        .label(first, remark)
        .help("remove one of them, or give it another name")
}

/// `let runs = runs |> keep(…)`: the name is to stand for something else from here on.
fn renewed(found: Diagnostic, name: &str) -> Diagnostic {
    found.help(format!(
        "nothing is changed in place: give the new value a name of its own, `let {name}_2 = …`, and write `{name}_2` \
         below wherever the new one is meant"
    ))
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

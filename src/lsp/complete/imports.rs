//! Modules and their names in an `import`.

use super::candidates::is_library;
use super::{Kind, Suggestion, suggestion, written};
use crate::lsp::analysis::Analysis;
use crate::reference::{self, Module};
use crate::source::Span;

/// Returns what could be imported at a place; `None` if it is in no import.
pub(super) fn suggest(analysis: &Analysis, offset: usize) -> Option<Vec<Suggestion>> {
    let text = &analysis.text()[..offset];
    let start =
        text.rmatch_indices("import").map(|(at, _)| at).find(|at| *at == 0 || text.as_bytes()[at - 1] == b'\n')?;
    let rest = text[start..].strip_prefix("import")?;
    let (path, names) = match rest.split_once('{') {
        Some((path, names)) => (path, Some(names)),
        None => (rest, None),
    };
    if names.is_some_and(|names| names.contains('}')) || path.trim_end().contains('\n') || !rest.starts_with(' ') {
        return None;
    }
    let replaces = written(analysis, offset);
    match names {
        Some(names) => Some(members(analysis, path.trim().trim_end_matches('.'), names, replaces)),
        None if path.trim_start().starts_with('"') => Some(Vec::new()),
        None => Some(modules(path.trim_start(), replaces)),
    }
}

fn modules(path: &str, replaces: Span) -> Vec<Suggestion> {
    let Some((head, _)) = path.rsplit_once('.') else {
        let as_word = path.contains(' ');
        return if as_word {
            Vec::new()
        } else {
            vec![suggestion(replaces, "std", Kind::Module, "the standard library", 0)]
        };
    };
    if head != "std" {
        return Vec::new();
    }
    let known = reference::library().iter().filter_map(|module| {
        let name = module.name.strip_prefix("std.")?;
        let detail = reference::summary(&module.docs);
        Some(Suggestion { docs: module.docs.clone(), ..suggestion(replaces, name, Kind::Module, detail, 0) })
    });
    known.collect()
}

/// The public names of a module that are not in the list yet.
fn members(analysis: &Analysis, path: &str, names: &str, replaces: Span) -> Vec<Suggestion> {
    let listed: Vec<&str> = names.split(',').map(str::trim).collect();
    // The last one is being written.
    let listed = &listed[..listed.len() - 1];
    let offer = |module: &Module| -> Vec<Suggestion> {
        let open = module.entries.iter().filter(|entry| entry.public && !listed.contains(&entry.name.as_str()));
        open.map(|entry| {
            let kind = if entry.kind == reference::Kind::Value { Kind::Value } else { Kind::Function };
            Suggestion { docs: entry.docs.clone(), ..suggestion(replaces, &*entry.name, kind, &*entry.signature, 0) }
        })
        .collect()
    };
    if let Some(name) = path.strip_prefix("std.").filter(|name| is_library(name)) {
        let full = format!("std.{name}");
        return reference::library().iter().find(|module| module.name == full).map(offer).unwrap_or_default();
    }
    let file = path.trim_matches('"');
    let linked = analysis.linked();
    let here = linked.sources.get(analysis.file()).path.as_deref().and_then(std::path::Path::parent);
    let Some(here) = here else { return Vec::new() };
    let full = here.join(file);
    let full = full.canonicalize().unwrap_or(full);
    let known =
        linked.module_ids().find(|id| linked.sources.get(linked.module(*id).file.id).path.as_deref() == Some(&*full));
    known.map(|id| offer(&Module::of(linked, id))).unwrap_or_default()
}

//! Renaming: everywhere at once, and only if every name still means what it meant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::analysis::Analysis;
use super::documents::{Buffers, Open};
use super::names;
use crate::diag::Severity;
use crate::diag::codes::types as codes;
use crate::resolve::Referent;
use crate::source::{FileId, Span};
use crate::syntax::words;
use crate::world::World;

/// Rounds in which columns and fields that follow from the name are found.
const ROUNDS: usize = 4;

/// Returns the name that can be renamed at a place.
pub(super) fn prepare(analysis: &Analysis, offset: usize) -> Result<Span, String> {
    let (home, uses) = names::everywhere(analysis, offset).ok_or("there is no name here that could be renamed")?;
    let sources = &analysis.linked().sources;
    if sources.get(home.file).path.is_none() {
        return Err(format!("`{}` belongs to the standard library", analysis.slice(home)));
    }
    let here = uses
        .into_iter()
        .chain([home])
        .find(|span| span.file == analysis.file() && super::analysis::touches(*span, offset));
    here.ok_or_else(|| "there is no name here that could be renamed".to_owned())
}

/// Returns the places to change so that the name at a place is called otherwise.
pub(super) fn rename(
    analysis: &Analysis,
    world: &dyn World,
    open: &Open,
    root: &Path,
    offset: usize,
    to: &str,
) -> Result<Vec<Span>, String> {
    prepare(analysis, offset)?;
    check_name(to)?;
    let (home, uses) = names::everywhere(analysis, offset).ok_or("there is no name here that could be renamed")?;
    let from = analysis.slice(home).to_owned();
    let mut places: BTreeSet<Span> = uses.into_iter().chain([home]).collect();
    if from == to {
        return Ok(Vec::new());
    }
    if let Some(stranger) = places.iter().find(|span| analysis.linked().sources.get(span.file).path.is_none()) {
        let file = &analysis.linked().sources.get(stranger.file).name;
        return Err(format!("`{from}` is used in {file}, which cannot be changed"));
    }
    let before = mistakes(analysis);
    for _ in 0..ROUNDS {
        let changed = Changed::new(analysis, &places, to);
        let mut texts = open.clone();
        texts.extend(changed.texts.iter().map(|(path, text)| (path.clone(), text.as_str().into())));
        let after = Analysis::of(&Buffers { world, open: &texts }, root, None);
        let new: Vec<(Span, String, &str)> =
            mistakes(&after).into_iter().filter(|found| !before.iter().any(|old| old.1 == found.1)).collect();
        // A column, a field or a label that has its name from the one that changes.
        let follow: Vec<Span> = new
            .iter()
            .filter(|(span, _, code)| FOLLOWING.contains(code) && after.slice(*span).trim_start_matches('.') == from)
            .filter_map(|(span, ..)| changed.back(analysis, &after, named(&after, *span, &from)))
            .collect();
        match new.first() {
            None => {
                return if same_meaning(analysis, &after, &changed) {
                    Ok(places.into_iter().collect())
                } else {
                    Err(format!("`{to}` already means something where `{from}` is used"))
                };
            }
            Some((_, message, _)) if follow.is_empty() => {
                return Err(format!("`{from}` cannot be called `{to}`: {message}"));
            }
            Some(_) => places.extend(follow),
        }
    }
    Err(format!("`{from}` cannot be renamed: too much depends on it"))
}

/// Codes of what is missing under its old name.
const FOLLOWING: [&str; 3] = [codes::UNKNOWN_COLUMN.id, codes::UNKNOWN_FIELD.id, codes::UNKNOWN_LABEL.id];

/// The name itself in the place of a message.
fn named(analysis: &Analysis, span: Span, name: &str) -> Span {
    let dot = u32::from(analysis.slice(span).starts_with('.') && analysis.slice(span).len() > name.len());
    Span { start: span.start + dot, ..span }
}

fn check_name(name: &str) -> Result<(), String> {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !first || !name.bytes().all(words::is_word_byte) {
        return Err(format!("`{name}` is not a name: use letters from `a` to `z`, digits and `_`"));
    }
    if words::is_keyword(name) { Err(format!("`{name}` is a word of the language")) } else { Ok(()) }
}

/// Place, words and code of every mistake.
fn mistakes(analysis: &Analysis) -> Vec<(Span, String, &'static str)> {
    let errors = analysis.typed.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    errors
        .map(|found| {
            let span = found.labels.first().map_or(Span::new(analysis.file(), 0, 0), |label| label.span);
            (span, found.message.clone(), found.code.id)
        })
        .collect()
}

/// The texts after a change, and the ways between old and new places.
struct Changed {
    texts: BTreeMap<PathBuf, String>,
    edits: BTreeMap<PathBuf, Vec<Span>>,
    grows: i64,
}

impl Changed {
    fn new(analysis: &Analysis, places: &BTreeSet<Span>, to: &str) -> Self {
        let sources = &analysis.linked().sources;
        let mut edits: BTreeMap<PathBuf, Vec<Span>> = BTreeMap::new();
        for span in places {
            if let Some(path) = &sources.get(span.file).path {
                edits.entry(path.clone()).or_default().push(*span);
            }
        }
        let mut texts = BTreeMap::new();
        for (path, spans) in &edits {
            let Some(file) = sources.find(path) else { continue };
            let mut text = sources.get(file).text.to_string();
            for span in spans.iter().rev() {
                text.replace_range(span.start as usize..span.end as usize, to);
            }
            texts.insert(path.clone(), text);
        }
        let length = places.iter().next().map_or(0, |span| i64::from(span.end - span.start));
        Self { texts, edits, grows: to.len() as i64 - length }
    }

    fn edits_of(&self, analysis: &Analysis, file: FileId) -> &[Span] {
        let path = analysis.linked().sources.get(file).path.as_ref();
        path.and_then(|path| self.edits.get(path)).map_or(&[], Vec::as_slice)
    }

    /// Where something old is afterwards.
    fn forth(&self, old: &Analysis, new: &Analysis, span: Span) -> Option<Span> {
        let file = same_file(old, new, span.file)?;
        let edits = self.edits_of(old, span.file);
        let passed =
            |at: u32| edits.iter().filter(|edit| edit.end <= at && edit.start < at).count() as i64 * self.grows;
        let moved = |at: u32| (i64::from(at) + passed(at)) as u32;
        Some(Span { file, start: moved(span.start), end: moved(span.end) })
    }

    /// Where something new was before.
    fn back(&self, old: &Analysis, new: &Analysis, span: Span) -> Option<Span> {
        let file = same_file(new, old, span.file)?;
        let mut shift = 0;
        for edit in self.edits_of(old, file) {
            if i64::from(edit.start) + shift < i64::from(span.start) {
                shift += self.grows;
            }
        }
        let moved = |at: u32| (i64::from(at) - shift) as u32;
        Some(Span { file, start: moved(span.start), end: moved(span.end) })
    }
}

fn same_file(from: &Analysis, to: &Analysis, file: FileId) -> Option<FileId> {
    let source = from.linked().sources.get(file);
    match &source.path {
        Some(path) => to.linked().sources.find(path),
        None => to.linked().sources.iter().find(|(_, other)| other.name == source.name).map(|(id, _)| id),
    }
}

/// Whether every name that was used still refers to what it referred to.
fn same_meaning(old: &Analysis, new: &Analysis, changed: &Changed) -> bool {
    let meanings = |analysis: &Analysis| -> BTreeMap<Span, Option<Span>> {
        let modules = analysis.linked().modules.iter().filter(|module| !module.library);
        let uses = modules.flat_map(|module| module.uses.clone());
        uses.filter(|used| used.referent != Referent::Unknown).map(|used| (used.span, analysis.home_of(used))).collect()
    };
    let after = meanings(new);
    meanings(old).into_iter().all(|(span, home)| {
        let (Some(span), home) = (changed.forth(old, new, span), home.map(|home| changed.forth(old, new, home))) else {
            return false;
        };
        after.get(&span).is_some_and(|found| *found == home.flatten())
    })
}

//! What is known of the thing under the cursor.

use super::analysis::{Analysis, touches};
use super::facts::Facts;
use super::{diagnostics, names, spot};
use crate::reference::{self, Entry, Kind};
use crate::resolve::{ModuleId, Referent, Target};
use crate::source::Span;
use crate::syntax::tree::{Expr, ExprKind, Item, ItemKind, Unit};
use crate::types::{Details, Plain, Ty};

/// Returns words about what is at a place, in Markdown, and the place.
pub(super) fn hover(analysis: &Analysis, offset: usize) -> Option<(String, Span)> {
    code(analysis, offset)
        .or_else(|| name(analysis, offset))
        .or_else(|| label(analysis, offset))
        .or_else(|| expression(analysis, offset))
}

/// A code such as PD0201 in a comment.
fn code(analysis: &Analysis, offset: usize) -> Option<(String, Span)> {
    let text = analysis.text();
    let byte = |c: char| c.is_ascii_alphanumeric();
    let start =
        text[..offset].rfind(|c| !byte(c)).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let end = offset + text[offset..].find(|c| !byte(c)).unwrap_or(text.len() - offset);
    let word = &text[start..end];
    (word.len() == 6 && word.starts_with("PD"))
        .then(|| diagnostics::explained(word))
        .flatten()
        .map(|words| (words, Span::new(analysis.file(), start, end)))
}

/// A name that is used or bound here.
fn name(analysis: &Analysis, offset: usize) -> Option<(String, Span)> {
    if let Some(used) = analysis.use_at(offset) {
        let item = analysis.item_at(offset);
        let words = match used.referent {
            Referent::Local(home) => local(analysis, item?, used.span, home)?,
            Referent::Global(Target::Item { module, item: at }) => {
                let mut words = global(analysis, module, at, analysis.slice(used.span))?;
                words += &call_cost(analysis, item, offset);
                words
            }
            Referent::Global(Target::Module(module)) => module_words(analysis, module),
            Referent::Global(Target::Unknown) | Referent::Unknown => return None,
        };
        return Some((words, used.span));
    }
    if let Some(home) = names::definition(analysis, offset).filter(|home| home.start == 0 && home.end == 0) {
        let module = analysis.linked().module_ids().find(|id| analysis.linked().module(*id).file.id == home.file)?;
        let item = analysis.item_at(offset)?;
        return Some((module_words(analysis, module), item.span));
    }
    let binder = analysis.bound_at(offset)?;
    let item = analysis.item_at(offset)?;
    let words = if binder.global {
        let at = analysis.tree().items.iter().position(|other| other.span == item.span)?;
        global(analysis, analysis.module, at, &binder.name.text)?
    } else {
        local(analysis, item, binder.name.span, binder.name.span)?
    };
    Some((words, binder.name.span))
}

fn local(analysis: &Analysis, item: &Item, used: Span, home: Span) -> Option<String> {
    let details = analysis.details(item);
    let ty = details.type_at(home).or_else(|| details.type_at(used))?;
    let name = analysis.slice(home);
    let formal = match &item.kind {
        ItemKind::Function(function) => function.formals.iter().find(|formal| formal.name.span == home),
        _ => None,
    };
    let sources = &analysis.linked().sources;
    let default = formal.and_then(|formal| formal.default.as_ref());
    let default = default.map_or_else(String::new, |value| format!(" = {}", sources.slice(value.span)));
    Some(block(&format!("{name}: {ty}{default}")))
}

/// A definition with its type, its words and, for values, what evaluation says of it.
pub(super) fn global(analysis: &Analysis, module: ModuleId, at: usize, name: &str) -> Option<String> {
    let linked = analysis.linked();
    let item = linked.item(module, at);
    let entry = reference::entries(&linked.sources, item, linked.module(module).library)
        .into_iter()
        .find(|entry| entry.name == name)?;
    let ty = analysis.typed.values.get(&(module, name.into()));
    let entry = typed(analysis, module, entry, ty);
    let mut words = reference::markdown(&entry);
    if linked.module(module).library && module.0 != 0 {
        words += &format!("\n\n*{}*", linked.module(module).name);
    }
    if module == analysis.module
        && let Some(facts) = fresh(analysis)
        && let Some(described) = facts.describe(name)
    {
        words += &format!("\n\n{described}");
    }
    Some(words)
}

/// Writes the inferred type where none is declared.
fn typed(analysis: &Analysis, module: ModuleId, entry: Entry, ty: Option<&Ty>) -> Entry {
    let signature = match (entry.kind, ty) {
        (Kind::Value, Some(ty)) if !entry.signature.contains(": ") => {
            let value = entry.signature.split_once(" = ").map_or(String::new(), |(_, value)| format!(" = {value}"));
            let literal = value.len() < 40 && !value.contains('(') && !value.contains('{');
            format!("let {}: {ty}{}", entry.name, if literal { value } else { String::new() })
        }
        (Kind::Function, _) if !entry.signature.contains("->") => {
            let known = analysis.typed.functions.get(&(module, entry.name.as_str().into()));
            known.map_or(entry.signature.clone(), |known| format!("{} -> {}", entry.signature, known.result))
        }
        _ => entry.signature.clone(),
    };
    Entry { signature, ..entry }
}

fn module_words(analysis: &Analysis, module: ModuleId) -> String {
    let described = reference::Module::of(analysis.linked(), module);
    let names: Vec<String> = described.entries.iter().map(|entry| format!("`{}`", entry.name)).collect();
    let docs = if described.docs.is_empty() { String::new() } else { format!("\n\n{}", described.docs) };
    format!("**{}**{docs}\n\n{}", described.name, names.join(", "))
}

/// A label of a call: the parameter.
fn label(analysis: &Analysis, offset: usize) -> Option<(String, Span)> {
    let home = names::label(analysis, offset)?;
    let linked = analysis.linked();
    let item = linked
        .modules
        .iter()
        .flat_map(|module| &module.file.items)
        .find(|item| item.span.file == home.file && item.span.start <= home.start && home.end <= item.span.end)?;
    let ItemKind::Function(function) = &item.kind else { return None };
    let formal = function.formals.iter().find(|formal| formal.name.span == home)?;
    let text = reference::formal_text(&linked.sources, formal);
    let words = format!("{}\n\nparameter of `{}`", block(&text), function.name.text);
    let word = word_at(analysis, offset);
    Some((words, word))
}

fn word_at(analysis: &Analysis, offset: usize) -> Span {
    let text = analysis.text();
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let start =
        text[..offset].rfind(|c| !inner(c)).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let end = offset + text[offset..].find(|c| !inner(c)).unwrap_or(text.len() - offset);
    Span::new(analysis.file(), start, end)
}

/// Anything else that has a type: fields, columns, numbers with their units, calls.
fn expression(analysis: &Analysis, offset: usize) -> Option<(String, Span)> {
    let item = analysis.item_at(offset)?;
    let details = analysis.details(item);
    let way = spot::way(item, offset);
    let expr = way.last()?;
    match &*expr.kind {
        ExprKind::Quantity(_, unit) => {
            let ty = details.type_at(expr.span)?;
            let words = format!("{}\n\n`{}`: {}", typed_text(analysis, expr, ty), unit.suffix(), Unit::meaning(*unit));
            Some((words, expr.span))
        }
        ExprKind::Field(_, field) if touches(field.span, offset) => {
            let ty = details.type_at(expr.span)?;
            Some((format!("{}{}", block(&format!(".{}: {ty}", field.text)), field_words(&details, expr)), field.span))
        }
        ExprKind::Accessor(field) => {
            let column = details.rows_at(field.span).and_then(|row| row.fields.get(&field.text).cloned());
            let ty = column.or_else(|| details.type_at(expr.span).cloned())?;
            Some((block(&format!(".{}: {ty}", field.text)), expr.span))
        }
        ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Str(_) | ExprKind::Bool(_) => {
            let ty = details.type_at(expr.span)?;
            Some((typed_text(analysis, expr, ty), expr.span))
        }
        _ => None,
    }
}

fn field_words(details: &Details, expr: &Expr) -> String {
    let ExprKind::Field(base, field) = &*expr.kind else { return String::new() };
    let meaning = match (details.type_at(base.span), &*field.text) {
        (Some(Ty::Plain(Plain::State)), "sparsity") => "the share of prunable weights that are gone",
        (Some(Ty::Plain(Plain::State)), "density") => "the share of prunable weights that are left",
        (Some(Ty::Plain(Plain::State)), "steps") => "how long it was trained",
        (Some(Ty::Plain(Plain::State)), "round") => "how often it was pruned",
        (Some(Ty::Plain(Plain::State)), "seed") => "what it was initialised with",
        (Some(Ty::Plain(Plain::Seed)), _) => "a stream of its own, derived from the seed and this name",
        (Some(Ty::Rows(_)), _) => "a column",
        _ => return String::new(),
    };
    format!("\n\n{meaning}")
}

fn typed_text(analysis: &Analysis, expr: &Expr, ty: &Ty) -> String {
    block(&format!("{}: {ty}", analysis.slice(expr.span)))
}

/// What the stages cost that the call around a name asks for.
fn call_cost(analysis: &Analysis, item: Option<&Item>, offset: usize) -> String {
    let cost = || {
        let facts = fresh(analysis)?;
        let way = spot::way(item?, offset);
        let call = spot::calls(&way).pop()?;
        touches(call.callee.span, offset).then(|| facts.cost(call.whole.span)).flatten()
    };
    cost().map_or_else(String::new, |cost| format!("\n\n{}", cost.text()))
}

fn fresh(analysis: &Analysis) -> Option<&Facts> {
    analysis.facts.as_deref().filter(|_| analysis.fresh)
}

fn block(text: &str) -> String {
    format!("```pd\n{text}\n```")
}

//! Where a name is bound, and where it is used.

use super::analysis::{Analysis, touches};
use crate::resolve::{Referent, Target};
use crate::source::Span;
use crate::syntax::tree::{ExprKind, ImportSource, ItemKind};

/// Returns where the name at a place is bound: a definition, a parameter for its label, a module for its path.
pub(super) fn definition(analysis: &Analysis, offset: usize) -> Option<Span> {
    if let Some(used) = analysis.use_at(offset) {
        return analysis.home_of(used);
    }
    imported(analysis, offset)
        .or_else(|| label(analysis, offset))
        .or_else(|| analysis.bound_at(offset).map(|binder| binder.name.span))
}

/// The module that an import names.
fn imported(analysis: &Analysis, offset: usize) -> Option<Span> {
    let item = analysis.item_at(offset)?;
    let ItemKind::Import(import) = &item.kind else { return None };
    let linked = analysis.linked();
    let module = match &import.from {
        ImportSource::Path(path) => {
            let span = path.first()?.span.to(path.last()?.span);
            let name = path.iter().map(|name| &*name.text).collect::<Vec<_>>().join(".");
            touches(span, offset).then(|| linked.find(&name))?
        }
        ImportSource::File { path, span } => {
            let here = linked.sources.get(analysis.file()).path.as_deref()?.parent()?;
            let full = here.join(&**path);
            let full = full.canonicalize().unwrap_or(full);
            touches(*span, offset).then(|| {
                linked
                    .module_ids()
                    .find(|id| linked.sources.get(linked.module(*id).file.id).path.as_deref() == Some(&*full))
            })?
        }
    };
    Some(Span::new(linked.module(module?).file.id, 0, 0))
}

/// The parameter that a label names.
pub(super) fn label(analysis: &Analysis, offset: usize) -> Option<Span> {
    let item = analysis.item_at(offset)?;
    let way = super::spot::way(item, offset);
    let all = super::spot::calls(&way);
    // A label stands beside its value, inside the call.
    let found = all.iter().rev().find_map(|call| {
        let label = call.args.iter().filter_map(|arg| arg.label.as_ref()).find(|label| touches(label.span, offset))?;
        Some((call, label))
    });
    let (call, label) = found?;
    let details = analysis.details(item);
    let signature = details.call_at(call.callee.span)?;
    let linked = analysis.linked();
    let definition = linked.module(signature.module).definitions.get(&signature.name)?;
    let ItemKind::Function(function) = &linked.item(signature.module, definition.item).kind else { return None };
    function.formals.iter().find(|formal| formal.name.text == label.text).map(|formal| formal.name.span)
}

/// Returns every place where the name at a place stands, in all files of the program; its binding first.
pub(super) fn everywhere(analysis: &Analysis, offset: usize) -> Option<(Span, Vec<Span>)> {
    let home = match analysis.use_at(offset) {
        Some(used) if matches!(used.referent, Referent::Global(Target::Module(_))) => {
            return module(analysis, used.span);
        }
        Some(used) => analysis.home_of(used)?,
        None => label(analysis, offset).or_else(|| analysis.bound_at(offset).map(|binder| binder.name.span))?,
    };
    Some((home, uses_of(analysis, home)))
}

/// Returns where a binding is used.
pub(super) fn uses_of(analysis: &Analysis, home: Span) -> Vec<Span> {
    let linked = analysis.linked();
    let name = analysis.slice(home).to_owned();
    let mut found: Vec<Span> = linked
        .modules
        .iter()
        .flat_map(|module| &module.uses)
        .filter(|used| analysis.slice(used.span) == name && analysis.home_of(**used) == Some(home))
        .map(|used| used.span)
        .collect();
    found.extend(labels_of(analysis, home, &name));
    found.sort();
    found.dedup();
    found
}

/// Labels of calls that name a parameter.
fn labels_of(analysis: &Analysis, home: Span, name: &str) -> Vec<Span> {
    let linked = analysis.linked();
    let mut found = Vec::new();
    for id in linked.module_ids().filter(|id| !linked.module(*id).library) {
        let module = linked.module(id);
        for item in &module.file.items {
            if !analysis.slice(item.span).contains(name) {
                continue;
            }
            let mut labels = Vec::new();
            item.expressions().into_iter().for_each(|expr| collect_labels(expr, name, &mut labels));
            if labels.is_empty() {
                continue;
            }
            let details = analysis.typed.inspect(id, item);
            for (callee, label) in labels {
                let formal = details.call_at(callee).and_then(|signature| {
                    let definition = linked.module(signature.module).definitions.get(&signature.name)?;
                    match &linked.item(signature.module, definition.item).kind {
                        ItemKind::Function(function) => function
                            .formals
                            .iter()
                            .find(|formal| &*formal.name.text == name)
                            .map(|formal| formal.name.span),
                        _ => None,
                    }
                });
                if formal == Some(home) {
                    found.push(label);
                }
            }
        }
    }
    found
}

fn collect_labels(expr: &crate::syntax::tree::Expr, name: &str, found: &mut Vec<(Span, Span)>) {
    if let ExprKind::Call(callee, args) = &*expr.kind {
        let labels = args.iter().filter_map(|arg| arg.label.as_ref()).filter(|label| &*label.text == name);
        found.extend(labels.map(|label| (callee.span, label.span)));
    }
    expr.children().into_iter().for_each(|child| collect_labels(child, name, found));
}

/// Uses of a module's name in one file.
fn module(analysis: &Analysis, used: Span) -> Option<(Span, Vec<Span>)> {
    let module = analysis.linked().modules.iter().find(|module| module.file.id == used.file)?;
    let name = analysis.slice(used);
    let home = module.imports.get(name)?.span;
    let here = module.uses.iter().filter(|other| {
        matches!(other.referent, Referent::Global(Target::Module(_))) && analysis.slice(other.span) == name
    });
    Some((home, here.map(|other| other.span).collect()))
}

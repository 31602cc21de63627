//! Names that can be seen from a place, and those that an import would bring.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Kind, Place, Suggestion};
use crate::lsp::spot;
use crate::reference;
use crate::resolve::{ModuleId, Target, imports, library};
use crate::syntax::tree::{Expr, ExprKind, ItemKind};
use crate::types::{Plain, Ty};

/// Words that begin a value.
const VALUES: [&str; 6] = ["if", "for", "sweep", "not", "true", "false"];

/// What fits at a place.
struct Wanted<'a> {
    /// The type of the value.
    ty: Option<&'a Ty>,
    /// The type of what is piped into it.
    piped: Option<&'a Ty>,
}

impl Wanted<'_> {
    /// How well a value fits: 0 if it does, 2 if it does not, 1 if nobody knows.
    fn misfit(&self, found: &Ty) -> u8 {
        if let Some(piped) = self.piped {
            return match found {
                Ty::Function(params, result) if params.first().is_some_and(|first| goes(piped, first)) => {
                    self.ty.map_or(0, |ty| u8::from(!goes(result, ty)))
                }
                _ => 2,
            };
        }
        let Some(ty) = self.ty else { return 1 };
        if goes(found, ty) {
            return 0;
        }
        match found {
            Ty::Function(_, result) if goes(result, ty) => 0,
            _ => 2,
        }
    }
}

/// Whether a value of one type may well stand where another is wanted.
fn goes(found: &Ty, want: &Ty) -> bool {
    match (found, want) {
        (Ty::Error | Ty::Var(_) | Ty::Generic(_), _)
        | (_, Ty::Error | Ty::Var(_) | Ty::Generic(_))
        | (Ty::Plain(Plain::Float | Plain::Ratio), Ty::Plain(Plain::Schedule))
        | (Ty::Plain(Plain::Float | Plain::Ratio | Plain::Points), Ty::Plain(Plain::Margin))
        | (Ty::Plain(Plain::Layer) | Ty::List(_) | Ty::Record(_), Ty::Plain(Plain::Layers))
        | (Ty::Rows(_), Ty::List(_)) => true,
        (Ty::Function(params, _), Ty::Plain(Plain::Schedule)) => matches!(&**params, [Ty::Plain(Plain::Step)]),
        (Ty::Plain(a), Ty::Plain(b)) => a == b,
        (Ty::List(a), Ty::List(b))
        | (Ty::Range(a), Ty::Range(b) | Ty::List(b))
        | (Ty::Measured(a), Ty::Measured(b)) => goes(a, b),
        (Ty::Function(a, x), Ty::Function(b, y)) => a.len() == b.len() && goes(x, y),
        (Ty::Record(a), Ty::Record(b)) => b.names().all(|name| a.get(name).is_some()),
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b) && !matches!(a, Ty::Plain(_)),
    }
}

/// Names for a value.
pub(super) fn names(place: &Place<'_>, way: &[&Expr], expr: &Expr) -> Vec<Suggestion> {
    let pipe = way.iter().rev().find_map(|around| match &*around.kind {
        ExprKind::Pipe(left, right) if right.span == expr.span => Some((left, around)),
        _ => None,
    });
    let wanted = Wanted {
        ty: place.details.wanted_at(pipe.map_or(expr.span, |(_, whole)| whole.span)),
        piped: pipe.and_then(|(left, _)| place.details.type_at(left.span)),
    };
    let linked = place.analysis.linked();
    let here = linked.module(place.analysis.module);
    let mut found = Vec::new();
    let mut seen: BTreeSet<Arc<str>> = BTreeSet::new();
    for name in spot::locals(place.item, place.offset).into_iter().rev() {
        let ty = place.details.type_at(name.span).cloned().unwrap_or(Ty::Error);
        if seen.insert(name.text.clone()) {
            found.push(place.make(&*name.text, Kind::Local, ty.to_string(), 10 * wanted.misfit(&ty)));
        }
    }
    for (name, definition) in &here.definitions {
        let item = linked.item(place.analysis.module, definition.item);
        // A value cannot be made from itself.
        let own = item.span.start == place.item.span.start && !matches!(item.kind, ItemKind::Function(_));
        if !own && seen.insert(name.clone()) {
            found.extend(global(place, &wanted, place.analysis.module, name, 1));
        }
    }
    for (name, import) in &here.imports {
        match import.target {
            Target::Item { module, .. } if seen.insert(name.clone()) => {
                found.extend(global(place, &wanted, module, name, 2));
            }
            Target::Module(_) if seen.insert(name.clone()) => {
                found.push(place.make(&**name, Kind::Module, "module", 15));
            }
            _ => {}
        }
    }
    let prelude = linked.modules.first().into_iter().flat_map(|prelude| &prelude.definitions);
    for (name, _) in prelude.filter(|(_, definition)| definition.public) {
        if seen.insert(name.clone()) {
            found.extend(global(place, &wanted, ModuleId(0), name, 3));
        }
    }
    if pipe.is_none() {
        found.extend(VALUES.iter().map(|word| place.make(*word, Kind::Keyword, "", 16)));
    }
    found.extend(importable(place, &seen));
    found
}

/// A name of a module with its type.
fn global(
    place: &Place<'_>,
    wanted: &Wanted<'_>,
    module: ModuleId,
    name: &Arc<str>,
    nearness: u8,
) -> Option<Suggestion> {
    let typed = &place.analysis.typed;
    let key = (module, name.clone());
    let definition = typed.linked.module(module).definitions.get(name)?;
    let item = typed.linked.item(module, definition.item);
    let docs = item.docs.join("\n");
    let (kind, detail, misfit) = match (typed.functions.get(&key), typed.values.get(&key)) {
        (Some(signature), _) => {
            let formals = signature.formals.iter().map(|formal| formal.ty.clone()).collect();
            let ty = Ty::Function(formals, Arc::new(signature.result.clone()));
            (Kind::Function, signature.to_string(), wanted.misfit(&ty))
        }
        (None, Some(ty)) => {
            let kind = if matches!(item.kind, ItemKind::Param(_)) { Kind::Param } else { Kind::Value };
            (kind, ty.to_string(), wanted.misfit(ty))
        }
        _ => (Kind::Value, String::new(), 1),
    };
    Some(Suggestion { docs, ..place.make(&**name, kind, detail, 10 * misfit + nearness) })
}

/// Names of the standard library that are not imported.
fn importable(place: &Place<'_>, seen: &BTreeSet<Arc<str>>) -> Vec<Suggestion> {
    let (tree, text) = (place.analysis.tree(), place.analysis.text());
    let mut found = Vec::new();
    for module in reference::library() {
        let Some(short) = module.name.strip_prefix("std.") else { continue };
        for entry in module.entries.iter().filter(|entry| !seen.contains(entry.name.as_str())) {
            let kind = if entry.kind == reference::Kind::Value { Kind::Value } else { Kind::Function };
            found.push(Suggestion {
                docs: entry.docs.clone(),
                import: Some(imports::addition(tree, text, short, &entry.name)),
                ..place.make(&*entry.name, kind, format!("{} (import {})", entry.signature, module.name), 30)
            });
        }
    }
    found
}

/// The names of the module that an expression names.
pub(super) fn members(place: &Place<'_>, base: &Expr) -> Option<Vec<Suggestion>> {
    let ExprKind::Name(name) = &*base.kind else { return None };
    if spot::locals(place.item, place.offset).iter().any(|local| local.text == *name) {
        return None;
    }
    let linked = place.analysis.linked();
    let Some(Target::Module(module)) = linked.lookup(place.analysis.module, name) else { return None };
    let public = linked.module(module).definitions.iter().filter(|(_, definition)| definition.public);
    let wanted = Wanted { ty: None, piped: None };
    Some(public.filter_map(|(name, _)| global(place, &wanted, module, name, 0)).collect())
}

/// Whether a module belongs to the standard library.
pub(super) fn is_library(name: &str) -> bool {
    library::MODULES.iter().any(|(module, _)| *module == name && *module != library::PRELUDE)
}

//! The order of definitions in a module, and values that need themselves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::diag::{Diagnostic, codes::names};
use crate::syntax::tree::{Item, ItemKind, Name};

/// For each item, the items of the same module that it refers to.
pub(super) type Uses = Vec<BTreeSet<usize>>;

/// Returns the items so that each comes after those it refers to, and a report for each circle through a value.
pub(super) fn order(items: &[Item], uses: &Uses) -> (Vec<usize>, Vec<Diagnostic>) {
    let mut sorted = Vec::with_capacity(items.len());
    let mut seen = vec![false; items.len()];
    for item in 0..items.len() {
        visit(item, uses, &mut seen, &mut sorted);
    }
    (sorted, circles(items, uses))
}

fn visit(item: usize, uses: &Uses, seen: &mut [bool], sorted: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[item], true) {
        return;
    }
    for &used in &uses[item] {
        visit(used, uses, seen, sorted);
    }
    sorted.push(item);
}

fn circles(items: &[Item], uses: &Uses) -> Vec<Diagnostic> {
    let mut reported = BTreeSet::new();
    let mut diagnostics = Vec::new();
    for start in 0..items.len() {
        let Some(name) = value_name(&items[start]) else { continue };
        let Some(circle) = circle(start, uses) else { continue };
        if circle.iter().any(|item| reported.contains(item)) {
            continue;
        }
        diagnostics.push(report(items, name, &circle));
        reported.extend(circle);
    }
    diagnostics
}

/// Finds the shortest way from an item back to itself, without the return.
fn circle(start: usize, uses: &Uses) -> Option<Vec<usize>> {
    let mut from = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(item) = queue.pop_front() {
        if uses[item].contains(&start) {
            let mut way = vec![item];
            while let Some(&before) = from.get(&way[way.len() - 1]) {
                way.push(before);
            }
            way.reverse();
            return Some(way);
        }
        for &used in &uses[item] {
            if used != start && !from.contains_key(&used) {
                from.insert(used, item);
                queue.push_back(used);
            }
        }
    }
    None
}

fn report(items: &[Item], name: &Name, circle: &[usize]) -> Diagnostic {
    let others: Vec<_> = circle.iter().skip(1).filter_map(|&item| name_of(&items[item])).collect();
    let way: Vec<_> = others.iter().chain([&name]).map(|n| format!("`{}`", n.text)).collect();
    let message = format!("`{}` is computed from itself", name.text);
    let needs = format!("needs {}", way.join(", which needs "));
    let diagnostic = Diagnostic::error(&names::CYCLIC_DEFINITION, message)
        .label(name.span, needs)
        .help("give one of them a value that does not depend on the others");
    match others.last() {
        Some(last) => diagnostic.label(last.span, format!("needs `{}` again", name.text)),
        None => diagnostic,
    }
}

/// The name of an item that has a value as soon as the file is evaluated.
fn value_name(item: &Item) -> Option<&Name> {
    match &item.kind {
        ItemKind::Function(_) => None,
        _ => name_of(item),
    }
}

fn name_of(item: &Item) -> Option<&Name> {
    match &item.kind {
        ItemKind::Param(param) => Some(&param.name),
        ItemKind::Binding(binding) => binding.pattern.names().first(),
        ItemKind::Function(function) => Some(&function.name),
        _ => None,
    }
}

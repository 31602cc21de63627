//! The order of definitions in a module, and values that need themselves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::diag::{Diagnostic, codes::names};
use crate::syntax::tree::{Item, ItemKind, Name};

/// For each item, the items of the same module that it refers to.
pub(super) type Uses = Vec<BTreeSet<usize>>;

/// Returns the items so that each comes after those it refers to, and a report for each circle through a value.
pub(super) fn order(items: &[Item], uses: &Uses) -> (Vec<usize>, Vec<Diagnostic>) {
    let sorted = sorted(uses);
    let suspects = suspects(uses, &sorted);
    let circles = if suspects.is_empty() { Vec::new() } else { circles(items, uses, &suspects) };
    (sorted, circles)
}

fn sorted(uses: &Uses) -> Vec<usize> {
    let mut sorted = Vec::with_capacity(uses.len());
    let mut seen = vec![false; uses.len()];
    for item in 0..uses.len() {
        if std::mem::replace(&mut seen[item], true) {
            continue;
        }
        // Not by recursion: definitions may form a chain as long as the file.
        let mut open = vec![(item, uses[item].iter())];
        while let Some((at, rest)) = open.last_mut() {
            match rest.next() {
                Some(&used) if !std::mem::replace(&mut seen[used], true) => open.push((used, uses[used].iter())),
                Some(_) => {}
                None => {
                    sorted.push(*at);
                    open.pop();
                }
            }
        }
    }
    sorted
}

/// The items that refer to one behind them in the order: every circle goes through one of them.
fn suspects(uses: &Uses, sorted: &[usize]) -> BTreeSet<usize> {
    let mut places = vec![0; sorted.len()];
    sorted.iter().enumerate().for_each(|(place, &item)| places[item] = place);
    (0..uses.len()).filter(|&item| uses[item].iter().any(|&used| places[used] >= places[item])).collect()
}

/// Reports the circles. An item that is in none costs nothing where there are none at all.
fn circles(items: &[Item], uses: &Uses, suspects: &BTreeSet<usize>) -> Vec<Diagnostic> {
    let mut reported = BTreeSet::new();
    let mut diagnostics = Vec::new();
    for start in within(uses, suspects) {
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

/// The suspects and everything they lead to, in order.
fn within(uses: &Uses, suspects: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut found = suspects.clone();
    let mut open: Vec<usize> = suspects.iter().copied().collect();
    while let Some(item) = open.pop() {
        open.extend(uses[item].iter().copied().filter(|used| found.insert(*used)));
    }
    found
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

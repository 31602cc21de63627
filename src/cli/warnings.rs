//! What speaks against taking a run's numbers as they are: from the notes of its stages and from what they measured.

use std::collections::BTreeMap;

use crate::diag::Diagnostic;
use crate::exec::Report;
use crate::graph::{Graph, Node, NodeId};
use crate::manifest::record::Record;
use crate::ops::run::notes;
use crate::ops::stages::dissect::DissectArgs;
use crate::report::{Warning, number};
use crate::source::{Sources, Span};
use crate::store::Store;
use crate::value::output::Scale;

/// Kinds of stages that remove weights.
const PRUNING: [&str; 2] = ["prune", "gradual"];
/// How far accuracy must have fallen below the dense network's before rising counts are suspicious.
const FALL: f64 = 0.01;

/// Collects the warnings of a run.
pub(super) fn warnings(graph: &Graph, outcome: &Report, store: &Store) -> Vec<Warning> {
    let mut found = rising(graph, outcome);
    found.extend(noted(graph, outcome, store));
    found
}

/// What the program itself gives reason to doubt, with its places.
pub(super) fn stated(found: &[Diagnostic], sources: &Sources) -> Vec<Warning> {
    let warning = |diagnostic: &Diagnostic| {
        let line = |span: Span| {
            let file = sources.get(span.file);
            format!("{}, line {}: {}", file.name, file.line_column(span.start).0, sources.slice(span))
        };
        Warning {
            text: capitalized(&diagnostic.message),
            help: diagnostic.help.as_deref().map_or_else(String::new, capitalized),
            seen: diagnostic.labels.iter().take(1).map(|label| line(label.span)).collect(),
        }
    };
    found.iter().map(warning).collect()
}

/// What prunings have noted, by topic. A stage whose result was not needed again is looked up.
fn noted(graph: &Graph, outcome: &Report, store: &Store) -> Vec<Warning> {
    let mut found: BTreeMap<&str, Warning> = BTreeMap::new();
    for (id, _) in graph.iter().filter(|(_, node)| PRUNING.contains(&node.op)) {
        let known = outcome.records.get(&id).cloned();
        let record: Option<Record> = known.or_else(|| store.record(graph.key(id)).ok().flatten());
        for note in record.iter().flat_map(|record| &record.run.notes) {
            let topic = notes::topic(note);
            let empty =
                || Warning { text: capitalized(topic.code.title), help: topic.help.to_owned(), seen: Vec::new() };
            let seen = format!("{}: {note}", graph.node(id).facts.name);
            found.entry(topic.code.id).or_insert_with(empty).seen.push(seen);
        }
    }
    found.into_values().collect()
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// A dissected network.
struct Level {
    /// Name of the stage that scores it, and its sparsity.
    name: String,
    /// The stage that made the weights it was first initialised with.
    root: NodeId,
    pruned: bool,
    units: f64,
    /// Accuracies by what they were measured on.
    top1: Vec<(NodeId, f64)>,
}

/// Pairs of a dense and a pruned network of one origin where the pruned one has more units and less accuracy.
fn rising(graph: &Graph, outcome: &Report) -> Vec<Warning> {
    let mut groups: BTreeMap<(String, NodeId), Vec<Level>> = BTreeMap::new();
    for (id, node) in graph.iter().filter(|(_, node)| node.op == "score") {
        if let Some((layer, like, level)) = level(graph, outcome, id, node) {
            groups.entry((layer, like)).or_default().push(level);
        }
    }
    let mut warnings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((layer, _), levels) in &groups {
        for pruned in levels.iter().filter(|level| level.pruned) {
            let mut dense = levels.iter().filter(|level| !level.pruned && level.root == pruned.root);
            let worse = dense.find_map(|dense| compare(dense, pruned));
            if let Some(seen) = worse {
                warnings.entry(layer.clone()).or_default().push(seen);
            }
        }
    }
    let warning = |(layer, seen): (String, Vec<String>)| {
        Warning {
        text: format!("In `{layer}`, interpretable units rise while accuracy falls"),
        help: "Activations that shrink or become rarer can look like more concepts. Before it is read as interpretability, \
               ask what is left under the dense network's thresholds (`frozen`), against chance (`null_test`), on other \
               images (`held_out`), and beside a dense network that is no more accurate (`nearest`)."
            .to_owned(),
        seen,
    }
    };
    warnings.into_iter().map(warning).collect()
}

/// Reads a scored dissection by a network's own thresholds and axes: its layer, the first stage that is like it, and what
/// was measured.
fn level(graph: &Graph, outcome: &Report, id: NodeId, node: &Node) -> Option<(String, NodeId, Level)> {
    let units = outcome.measure(id, "units")?;
    let dissection = graph.node(input(node, "tallies")?);
    let args: DissectArgs = dissection.args.parse().ok()?;
    if args.measurement.rotation.is_some() || input(dissection, "thresholds").is_some() {
        return None;
    }
    let state = input(dissection, "state")?;
    let is_like = |other: &Node| {
        other.op == node.op
            && other.args == node.args
            && input(other, "tallies").is_some_and(|tallies| graph.node(tallies).args == dissection.args)
    };
    let like = graph.iter().find(|(_, other)| is_like(other)).map_or(id, |(first, _)| first);
    let (root, pruned) = origin(graph, state);
    let level = Level { name: named(node), root, pruned, units, top1: accuracies(graph, outcome, state) };
    Some((args.measurement.layer, like, level))
}

fn named(node: &Node) -> String {
    let fact = |name: &str| node.facts.more.get(name)?.parse::<f64>().ok();
    let name = &node.facts.name;
    match fact("kept").zip(fact("prunable")) {
        Some((kept, all)) if kept < all => {
            format!("{name} (sparsity {})", number::shown(1.0 - kept / all, Scale::Ratio))
        }
        _ => name.clone(),
    }
}

fn input(node: &Node, role: &str) -> Option<NodeId> {
    node.inputs.iter().find(|(known, _)| &**known == role).map(|(_, id)| *id)
}

/// Follows a state to where its weights were first made; tells whether weights were removed on the way.
fn origin(graph: &Graph, state: NodeId) -> (NodeId, bool) {
    let (mut at, mut pruned) = (state, false);
    loop {
        let node = graph.node(at);
        pruned |= PRUNING.contains(&node.op);
        match input(node, "state") {
            Some(before) => at = before,
            None => return (at, pruned),
        }
    }
}

/// The accuracies of a state, each with the first evaluation that is like it.
fn accuracies(graph: &Graph, outcome: &Report, state: NodeId) -> Vec<(NodeId, f64)> {
    let evaluations = || graph.iter().filter(|(_, node)| node.op == "evaluate");
    let own = evaluations().filter(|(_, node)| input(node, "state") == Some(state));
    own.filter_map(|(id, node)| {
        let like = evaluations().find(|(_, other)| other.args == node.args).map_or(id, |(first, _)| first);
        Some((like, outcome.measure(id, "top1")?))
    })
    .collect()
}

/// Says what rose and what fell, if that is so.
fn compare(dense: &Level, pruned: &Level) -> Option<String> {
    let on = |(like, after): &(NodeId, f64)| {
        let (_, before) = dense.top1.iter().find(|(other, _)| other == like)?;
        Some((*before, *after))
    };
    let (before, after) = pruned.top1.iter().find_map(on)?;
    let top1 = |value: f64| number::shown(value, Scale::Ratio);
    (pruned.units > dense.units && after < before - FALL).then(|| {
        format!(
            "{} against {}: {} units instead of {}, top-1 accuracy {} instead of {}",
            pruned.name,
            dense.name,
            pruned.units,
            dense.units,
            top1(after),
            top1(before)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(name: &str, units: f64, top1: f64) -> Level {
        let pruned = name != "dense";
        Level { name: name.to_owned(), root: NodeId(0), pruned, units, top1: vec![(NodeId(7), top1)] }
    }

    #[test]
    fn more_units_at_less_accuracy_are_suspicious() {
        let dense = level("dense", 12.0, 0.93);
        assert_eq!(
            compare(&dense, &level("pruned", 15.0, 0.9)).unwrap(),
            "pruned against dense: 15 units instead of 12, top-1 accuracy 90 % instead of 93 %"
        );
        assert_eq!(compare(&dense, &level("as accurate", 15.0, 0.925)), None);
        assert_eq!(compare(&dense, &level("fewer", 11.0, 0.5)), None);
        let elsewhere = Level { top1: vec![(NodeId(8), 0.5)], ..level("other images", 15.0, 0.5) };
        assert_eq!(compare(&dense, &elsewhere), None);
    }
}

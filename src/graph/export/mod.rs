//! Pictures of a stage graph: DOT, Mermaid, SVG and JSON.
//!
//! A [`Picture`] is what all of them draw. Large graphs are folded first: stages that come from the same place of the
//! program and whose inputs fold together become one shape with a count, so that the replicates of a sweep are drawn
//! once.

mod layout;
mod svg;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;

use super::Graph;
use super::node::{Node, Origin};

pub use svg::svg;
pub use text::{dot, json, mermaid};

/// A graph to be drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// Stages, or folded groups of them; inputs come before the stages that read them.
    pub shapes: Vec<Shape>,
    /// Who reads what.
    pub arrows: Vec<Arrow>,
}

/// One stage, or several that differ only in their axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Kind of stage.
    pub op: String,
    /// What is written in it.
    pub title: String,
    /// A second line: the axes, the size.
    pub detail: String,
    /// How many stages it stands for.
    pub count: usize,
}

/// `from` is an input of `to`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Arrow {
    /// Index of the shape that is read.
    pub from: usize,
    /// Index of the shape that reads.
    pub to: usize,
    /// The role of the input.
    pub role: String,
}

impl Picture {
    /// Draws every stage by itself.
    pub fn of(graph: &Graph) -> Self {
        let nodes: Vec<&Node> = graph.iter().map(|(_, node)| node).collect();
        Self::grouped(&nodes, &(0..nodes.len()).collect::<Vec<_>>())
    }

    /// Draws stages of the same place whose inputs fold together as one.
    pub fn folded(graph: &Graph) -> Self {
        let nodes: Vec<&Node> = graph.iter().map(|(_, node)| node).collect();
        Self::grouped(&nodes, &fold(&nodes))
    }

    fn grouped(nodes: &[&Node], group: &[usize]) -> Self {
        let mut members: BTreeMap<usize, Vec<&Node>> = BTreeMap::new();
        for (node, group) in nodes.iter().zip(group) {
            members.entry(*group).or_default().push(node);
        }
        let shapes = members.values().map(|members| shape(members)).collect();
        let arrow = |(at, role, from): (usize, &str, usize)| Arrow { from, to: at, role: role.to_owned() };
        let mut arrows: Vec<Arrow> = nodes
            .iter()
            .zip(group)
            .flat_map(|(node, at)| node.inputs.iter().map(move |(role, id)| (*at, &**role, group[id.0 as usize])))
            .map(arrow)
            .collect();
        arrows.sort();
        arrows.dedup();
        Self { shapes, arrows }
    }
}

/// Numbers the groups of stages that may be drawn as one, in the order of their first members.
fn fold(nodes: &[&Node]) -> Vec<usize> {
    type Signature<'a> = (&'a str, Option<&'a Origin>, Vec<(&'a str, usize)>);
    let mut seen: Vec<(Signature<'_>, usize)> = Vec::new();
    let mut by_op: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut group: Vec<usize> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let inputs = node.inputs.iter().map(|(role, id)| (&**role, group[id.0 as usize])).collect();
        let signature: Signature<'_> = (node.op, node.origins.first(), inputs);
        let known = by_op.entry(node.op).or_default();
        let found = known.iter().copied().find(|at| same(&seen[*at].0, &signature));
        group.push(found.unwrap_or_else(|| {
            seen.push((signature, seen.len()));
            known.push(seen.len() - 1);
            seen.len() - 1
        }));
    }
    group
}

/// Equal in everything but the values of the axes.
fn same(a: &(&str, Option<&Origin>, Vec<(&str, usize)>), b: &(&str, Option<&Origin>, Vec<(&str, usize)>)) -> bool {
    let place = |origin: Option<&Origin>| origin.map(|origin| (origin.span, origin.trail.clone()));
    a.0 == b.0 && a.2 == b.2 && place(a.1) == place(b.1)
}

fn shape(members: &[&Node]) -> Shape {
    let first = members[0];
    let bare = |node: &Node| node.facts.name.split(" · ").next().unwrap_or(node.op).to_owned();
    let title = if members.len() == 1 { first.facts.name.clone() } else { bare(first) };
    let title = if title.is_empty() { first.op.to_owned() } else { title };
    let detail = if members.len() == 1 { detail(first) } else { axes(members) };
    Shape { op: first.op.to_owned(), title, detail, count: members.len() }
}

/// Lists the values that the axes take among the members: `seed 1, 2, 3`.
fn axes(members: &[&Node]) -> String {
    let mut values: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, value) in members.iter().filter_map(|node| node.origins.first()).flat_map(|origin| &origin.axes) {
        match values.iter_mut().find(|(known, _)| known == name) {
            Some((_, list)) if list.contains(&value.as_str()) => {}
            Some((_, list)) => list.push(value),
            None => values.push((name, vec![value])),
        }
    }
    let texts: Vec<String> = values
        .iter()
        .map(|(name, list)| match list.as_slice() {
            [first, .., last] if list.len() > 4 => format!("{name} {first} … {last}"),
            list => format!("{name} {}", list.join(", ")),
        })
        .collect();
    texts.join(" · ")
}

fn detail(node: &Node) -> String {
    let mut parts = Vec::new();
    if let Some(epochs) = node.facts.epochs {
        parts.push(format!("{} epochs", (epochs * 100.0).round() / 100.0));
    }
    if let Some(super::canon::Canon::Str(sparsity)) = node.facts.more.get("sparsity") {
        parts.push(sparsity.clone());
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::graph::canon::Canon;
    use crate::graph::node::{Facts, NodeId};
    use crate::source::{FileId, Span};

    fn node(op: &'static str, place: usize, seed: &str, inputs: &[u32]) -> Node {
        let span = Span::new(FileId(0), place, place + 1);
        Node {
            op,
            version: 1,
            args: Canon::Str(seed.to_owned()),
            inputs: inputs.iter().map(|id| ("state".into(), NodeId(*id))).collect(),
            trajectory: None,
            data: BTreeMap::new(),
            facts: Facts { name: format!("{op} · seed {seed}"), ..Facts::default() },
            origins: vec![Origin { span, trail: vec![], axes: vec![("seed".into(), seed.into())] }],
        }
    }

    fn two_chains() -> Graph {
        let mut graph = Graph::default();
        for node in [
            node("init", 0, "1", &[]),
            node("train", 5, "1", &[0]),
            node("init", 0, "2", &[]),
            node("train", 5, "2", &[2]),
            node("prune", 9, "1", &[1]),
        ] {
            let _ = graph.push(node);
        }
        graph
    }

    #[test]
    fn replicates_fold_and_chains_do_not() {
        let picture = Picture::folded(&two_chains());
        let shapes: Vec<_> = picture.shapes.iter().map(|s| (s.title.as_str(), s.detail.as_str(), s.count)).collect();
        assert_eq!(shapes, [("init", "seed 1, 2", 2), ("train", "seed 1, 2", 2), ("prune · seed 1", "", 1)]);
        assert_eq!(picture.arrows.len(), 2);
    }

    #[test]
    fn every_format_names_every_stage() {
        let picture = Picture::of(&two_chains());
        for text in [dot(&picture), mermaid(&picture), svg(&picture), json(&picture)] {
            assert!(text.contains("train · seed 1") && text.contains("train · seed 2"), "{text}");
        }
    }
}

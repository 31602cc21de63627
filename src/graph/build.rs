//! Who waits for whom: the dependency graph over a set of stages.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::graphmap::DiGraphMap;

use super::Graph;
use super::key::Key;
use super::node::NodeId;

/// Why one stage waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    /// Reads its result.
    Input,
    /// Continues its training: same trajectory, later end.
    Continues,
}

/// Dependencies among the stages that some outputs need.
#[derive(Clone, Debug)]
pub struct Dependencies {
    edges: DiGraphMap<NodeId, Edge>,
}

impl Dependencies {
    /// Collects the stages that `wanted` need, directly or not, and what each waits for.
    pub fn of(graph: &Graph, wanted: impl IntoIterator<Item = NodeId>) -> Self {
        let mut edges = DiGraphMap::new();
        let mut open: Vec<NodeId> = wanted.into_iter().collect();
        while let Some(id) = open.pop() {
            if edges.contains_node(id) && edges.neighbors_directed(id, Direction::Incoming).next().is_some() {
                continue;
            }
            edges.add_node(id);
            for (_, input) in &graph.node(id).inputs {
                edges.add_edge(*input, id, Edge::Input);
                open.push(*input);
            }
        }
        let mut dependencies = Self { edges };
        dependencies.add_continuations(graph);
        dependencies
    }

    /// Lets each training wait for the longest earlier part of its trajectory that the program asks for as well.
    fn add_continuations(&mut self, graph: &Graph) {
        let mut trajectories: BTreeMap<Key, Vec<(u64, NodeId)>> = BTreeMap::new();
        for id in self.edges.nodes() {
            if let (Some(base), Some(trajectory)) = (graph.chain_base(id), &graph.node(id).trajectory) {
                trajectories.entry(base).or_default().push((trajectory.until, id));
            }
        }
        for points in trajectories.values_mut() {
            points.sort_unstable();
            for (place, &(_, longer)) in points.iter().enumerate() {
                let earlier = points[..place].iter().rev();
                let prefix =
                    earlier.copied().find(|&(at, shorter)| graph.chain_key(longer, at) == Some(graph.key(shorter)));
                if let Some((_, shorter)) = prefix {
                    self.edges.add_edge(shorter, longer, Edge::Continues);
                }
            }
        }
    }

    /// Returns all stages, each after those it waits for; ties by id.
    pub fn order(&self) -> Vec<NodeId> {
        let mut waiting: BTreeMap<NodeId, usize> =
            self.edges.nodes().map(|id| (id, self.edges.neighbors_directed(id, Direction::Incoming).count())).collect();
        let mut ready: BTreeSet<NodeId> = waiting.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id).collect();
        let mut order = Vec::with_capacity(waiting.len());
        while let Some(id) = ready.pop_first() {
            order.push(id);
            for next in self.successors(id) {
                if let Some(count) = waiting.get_mut(&next) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(next);
                    }
                }
            }
        }
        order
    }

    /// Returns the stages that `id` waits for, by id.
    pub fn predecessors(&self, id: NodeId) -> BTreeSet<NodeId> {
        self.edges.neighbors_directed(id, Direction::Incoming).collect()
    }

    /// Returns the stages that wait for `id`, by id.
    pub fn successors(&self, id: NodeId) -> BTreeSet<NodeId> {
        self.edges.neighbors_directed(id, Direction::Outgoing).collect()
    }

    /// Returns the earlier part of the same training that `id` continues, if the program has one.
    pub fn continued(&self, id: NodeId) -> Option<NodeId> {
        self.edges
            .edges_directed(id, Direction::Incoming)
            .find(|(.., edge)| **edge == Edge::Continues)
            .map(|(from, ..)| from)
    }

    /// Returns everything that waits for `id`, directly or not: what its failure blocks.
    pub fn cone(&self, id: NodeId) -> BTreeSet<NodeId> {
        let mut cone = BTreeSet::new();
        let mut open = vec![id];
        while let Some(at) = open.pop() {
            open.extend(self.successors(at).into_iter().filter(|next| cone.insert(*next)));
        }
        cone
    }

    /// Returns whether a stage is among those collected.
    pub fn contains(&self, id: NodeId) -> bool {
        self.edges.contains_node(id)
    }
}

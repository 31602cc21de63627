//! Steps of a program in small: the same order, a few iterations.

use std::collections::{BTreeMap, BTreeSet};

use super::PER_EPOCH;
use crate::graph::{Graph, NodeId};

/// Prunings on the way of which a trial keeps some.
const PRUNINGS: usize = 6;

/// The iterations of a program that matter, and where they are in a trial: the ends and the beginnings of trainings, and
/// some of the prunings on the way.
pub(super) struct Steps {
    /// By iterations of a whole epoch: from iterations at full scale to iterations in small.
    maps: BTreeMap<u64, BTreeMap<u64, u64>>,
}

impl Steps {
    /// Collects the steps of all trainings. Trainings that go on from each other share their steps.
    pub(super) fn of(graph: &Graph) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for (id, node) in graph.iter() {
            let Some(trajectory) = &node.trajectory else { continue };
            let mut joined = Group::default();
            joined.epochs.insert(trajectory.per_epoch);
            joined.epochs.extend(before(graph, id));
            joined.steps.extend([0, trajectory.start, trajectory.until]);
            joined.prunings.extend(trajectory.prunings.iter().map(|pruning| pruning.at));
            let (same, others) = groups.into_iter().partition(|group| !group.epochs.is_disjoint(&joined.epochs));
            groups = others;
            groups.push(same.into_iter().fold(joined, Group::join));
        }
        let maps = groups.into_iter().flat_map(|group| {
            let map = group.map();
            group.epochs.into_iter().map(move |per_epoch| (per_epoch, map.clone()))
        });
        Self { maps: maps.collect() }
    }

    /// Returns where an iteration is in a trial. One that is not kept has the place of the last kept one before it.
    pub(super) fn small(&self, per_epoch: u64, at: u64) -> u64 {
        self.maps.get(&per_epoch).and_then(|map| map.range(..=at).next_back()).map_or(0, |(_, small)| *small)
    }

    /// Whether an iteration has a place of its own.
    pub(super) fn keeps(&self, per_epoch: u64, at: u64) -> bool {
        self.maps.get(&per_epoch).is_some_and(|map| map.contains_key(&at))
    }

    /// Returns the iteration at full scale that an iteration of a trial stands for.
    pub(super) fn stands_for(&self, per_epoch: u64, small: u64) -> u64 {
        let Some(map) = self.maps.get(&per_epoch) else { return small };
        let mut pairs = map.iter().map(|(full, small)| (*full, *small)).peekable();
        while let Some((full, from)) = pairs.next() {
            match pairs.peek() {
                Some((next, to)) if small < *to => {
                    return full + (next - full) * small.saturating_sub(from) / (to - from).max(1);
                }
                Some(_) => {}
                None => return full,
            }
        }
        0
    }
}

#[derive(Default)]
struct Group {
    epochs: BTreeSet<u64>,
    steps: BTreeSet<u64>,
    prunings: BTreeSet<u64>,
}

impl Group {
    fn join(mut self, other: Self) -> Self {
        self.epochs.extend(other.epochs);
        self.steps.extend(other.steps);
        self.prunings.extend(other.prunings);
        self
    }

    /// Numbers the steps: whole epochs stay whole epochs, every other step is one iteration after the last.
    fn map(&self) -> BTreeMap<u64, u64> {
        let last = self.prunings.len().saturating_sub(1);
        let kept = self.prunings.iter().enumerate().filter(|(at, _)| last < PRUNINGS || is_kept(*at, last));
        let steps: BTreeSet<u64> = self.steps.iter().copied().chain(kept.map(|(_, at)| *at)).collect();
        let mut map = BTreeMap::new();
        let mut next = 0;
        for at in steps {
            let whole = self.epochs.iter().any(|per_epoch| at.is_multiple_of((*per_epoch).max(1)));
            let small = if whole { u64::next_multiple_of(next, PER_EPOCH) } else { next };
            map.insert(at, small);
            next = small + 1;
        }
        map
    }
}

/// Whether the pruning with this number is among the few that are spread evenly from the first to the last.
fn is_kept(at: usize, last: usize) -> bool {
    (0..PRUNINGS).any(|place| place * last / (PRUNINGS - 1) == at)
}

/// Returns what an epoch is in the trainings that a training goes on from, through whatever lies between.
fn before(graph: &Graph, id: NodeId) -> BTreeSet<u64> {
    let start = graph.node(id).trajectory.as_ref().map_or(0, |trajectory| trajectory.start);
    let mut found = BTreeSet::new();
    if start == 0 {
        return found;
    }
    let mut seen = BTreeSet::from([id]);
    let mut open = vec![id];
    while let Some(at) = open.pop() {
        for (_, input) in &graph.node(at).inputs {
            match &graph.node(*input).trajectory {
                Some(earlier) if earlier.until == start => drop(found.insert(earlier.per_epoch)),
                None if seen.insert(*input) => open.push(*input),
                _ => {}
            }
        }
    }
    found
}

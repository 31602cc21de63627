//! Two programs side by side: the stages they share, and where they part.

use std::collections::BTreeSet;

use serde::Serialize;

use super::compare::Difference;
use super::past::Past;
use crate::graph::{Dependencies, Graph, Key, NodeId};
use crate::value::Step;

/// What two programs have in common, and what not.
#[derive(Clone, Debug, Serialize)]
pub struct Diff {
    /// Stages that both have.
    pub shared: usize,
    /// Changes, most upstream first.
    pub changes: Vec<Change>,
    /// Stages of both that differ only in what comes before them.
    pub cascade: usize,
    /// Trainings that begin alike.
    pub beginnings: Vec<Beginning>,
    /// Stages of the first program alone that none of the second's is a changed version of.
    pub only_a: Vec<Lone>,
    /// Stages of the second program alone that are no changed version of the first's.
    pub only_b: Vec<Lone>,
}

/// A change and the stages that it was made in.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// The most upstream stage of the second program.
    #[serde(skip)]
    pub id: NodeId,
    /// Its name in the first program and in the second.
    pub names: [String; 2],
    /// Its keys there.
    pub keys: [Key; 2],
    /// What differs.
    pub differences: Vec<Difference>,
    /// Stages with this change.
    pub stages: usize,
    /// Stages that differ only because they come after one of these.
    pub cascade: usize,
}

/// Two trainings that begin alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Beginning {
    /// Name in the second program.
    pub name: String,
    /// Step up to which they agree, as the language writes it.
    pub until: String,
}

/// A stage without a counterpart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lone {
    /// Its kind.
    pub op: &'static str,
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: Key,
}

impl Diff {
    /// Whether both have the same stages.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.cascade == 0 && self.only_a.is_empty() && self.only_b.is_empty()
    }
}

/// A graph, and the stages of it that count.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The stages.
    pub graph: &'a Graph,
    /// Those whose results are wanted.
    pub wanted: &'a BTreeSet<NodeId>,
}

impl Side<'_> {
    fn stages(&self) -> (Dependencies, Vec<NodeId>) {
        let dependencies = Dependencies::of(self.graph, self.wanted.iter().copied());
        let order = dependencies.order();
        (dependencies, order)
    }
}

/// Compares two programs, stage by stage.
pub fn diff(a: Side<'_>, b: Side<'_>) -> Diff {
    let (_, old) = a.stages();
    let (dependencies, new) = b.stages();
    let keys = |side: Side<'_>, ids: &[NodeId]| ids.iter().map(|id| side.graph.key(*id)).collect::<BTreeSet<Key>>();
    let (old_keys, new_keys) = (keys(a, &old), keys(b, &new));
    let past = Past::program(b.graph, a.graph, old.iter().copied());
    let mut free: BTreeSet<Key> = old_keys.difference(&new_keys).copied().collect();
    let mut found = Diff {
        shared: old_keys.intersection(&new_keys).count(),
        changes: Vec::new(),
        cascade: 0,
        beginnings: Vec::new(),
        only_a: Vec::new(),
        only_b: Vec::new(),
    };
    let mut follow = BTreeSet::new();
    for id in new.into_iter().filter(|id| !old_keys.contains(&b.graph.key(*id))) {
        let node = b.graph.node(id);
        let nearest = past.nearest(id, |key| free.contains(&key));
        let own = nearest
            .as_ref()
            .and_then(|near| near.pairs.iter().find(|pair| pair.id == id && pair.before == near.before));
        let (Some(nearest), Some(own)) = (&nearest, own) else {
            found.only_b.push(lone(b.graph, id));
            continue;
        };
        free.remove(&nearest.before);
        let start = node.trajectory.as_ref().map(|trajectory| (trajectory.start, trajectory.per_epoch));
        if let (Some(agree), Some((start, per_epoch)), 1) = (own.comparison.agree, start, nearest.pairs.len())
            && agree > start
        {
            found.beginnings.push(Beginning { name: node.facts.name.clone(), until: Step::written(agree, per_epoch) });
        }
        if own.comparison.differences.is_empty() {
            follow.insert(id);
            continue;
        }
        let differences = own.comparison.differences.clone();
        match found.changes.iter_mut().find(|change| change.differences == differences) {
            Some(change) => change.stages += 1,
            None => found.changes.push(Change {
                id,
                names: [past.get(nearest.before).map(|known| known.name.clone()), Some(node.facts.name.clone())]
                    .map(Option::unwrap_or_default),
                keys: [nearest.before, b.graph.key(id)],
                differences,
                stages: 1,
                cascade: 0,
            }),
        }
    }
    for change in &mut found.changes {
        change.cascade = dependencies.cone(change.id).intersection(&follow).count();
    }
    found.cascade = follow.len();
    let left = old.into_iter().filter(|id| free.contains(&a.graph.key(*id)));
    found.only_a = left.map(|id| lone(a.graph, id)).collect();
    found
}

fn lone(graph: &Graph, id: NodeId) -> Lone {
    let node = graph.node(id);
    Lone { op: node.op, name: node.facts.name.clone(), key: graph.key(id) }
}

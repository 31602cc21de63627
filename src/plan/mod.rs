//! The plan: what the store already has of a graph, what has to run, and what that costs.

pub mod compare;
pub mod diff;
pub mod explain;
pub mod past;
pub mod predict;
mod totals;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Serialize, Serializer};

use crate::graph::{Dependencies, Facts, Graph, Key, NodeId};
use crate::manifest::record::Record;
use crate::store::{Point, PointKind, Root, RootEntry, Store, StoreError};
use crate::value::Demands;

pub use totals::Totals;

/// What becomes of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its result is stored.
    Cached,
    /// It runs from its beginning.
    Run,
    /// It is training that goes on from a stored point.
    Resume {
        /// Iterations that need not be done again.
        from: u64,
    },
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Cached => "cached",
            Self::Run => "run",
            Self::Resume { .. } => "resume",
        })
    }
}

/// A stage in a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// Its place in the graph.
    #[serde(skip)]
    pub id: NodeId,
    /// Its key.
    pub key: Key,
    /// Kind of stage.
    pub op: &'static str,
    /// Readable name.
    pub name: String,
    /// What becomes of it.
    pub status: Status,
    /// Whether it runs only if a condition holds that is not measured yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub conditional: bool,
    /// Iteration that training goes on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// What is known before it runs.
    pub facts: Facts,
}

/// What a run of a program will do.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// Every stage that the wanted outputs need, in an order in which they can run. A stage that is neither stored nor
    /// needed, because what it leads to is stored, is not listed.
    pub stages: Vec<Stage>,
    /// Cost of everything listed.
    pub totals: Totals,
    /// Cost of what is still to run.
    pub remaining: Totals,
    /// What is wanted.
    #[serde(skip)]
    pub demands: Demands,
    /// Records of needed stages that are stored.
    #[serde(skip)]
    pub records: BTreeMap<NodeId, Record>,
    /// What the store had to set aside.
    #[serde(skip)]
    pub complaints: Vec<StoreError>,
}

impl Plan {
    /// Finds a stage.
    pub fn stage(&self, id: NodeId) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    /// Returns what this plan protects from collection.
    pub fn root(&self, graph: &Graph, experiment: &str, time: String) -> Root {
        let entry = |stage: &Stage| RootEntry { key: stage.key, base: graph.chain_base(stage.id) };
        Root { experiment: experiment.to_owned(), time, stages: self.stages.iter().map(entry).collect() }
    }
}

/// Compares a graph with a store. Without a store everything has to run. Conditions that stored results decide are
/// decided: what they rule out is no part of the plan.
pub fn against(graph: &Graph, demands: &Demands, store: Option<&Store>) -> Plan {
    let mut survey = Survey::default();
    let mut wanted = BTreeSet::new();
    loop {
        let now = demands.now(&survey.lookup());
        if now.is_subset(&wanted) {
            break;
        }
        survey.look(graph, &now, store);
        wanted.extend(now);
    }
    let certain: BTreeSet<NodeId> = survey.needed.keys().copied().collect();
    let possible = demands.possible(&survey.lookup());
    survey.look(graph, &possible, store);
    wanted.extend(possible);
    let dependencies = Dependencies::of(graph, wanted.iter().copied());
    let order = dependencies.order();
    let stored: BTreeSet<NodeId> = match store {
        Some(store) => order
            .par_iter()
            .copied()
            .filter(|id| !survey.needed.contains_key(id) && store.has_record(graph.key(*id)))
            .collect(),
        None => BTreeSet::new(),
    };
    let stages: Vec<Stage> = order
        .into_iter()
        .filter_map(|id| {
            let cached = stored.contains(&id).then_some(Status::Cached);
            let status = survey.needed.get(&id).copied().or(cached)?;
            let conditional = status != Status::Cached && !certain.contains(&id);
            Some(Stage { conditional, ..Stage::new(graph, id, status) })
        })
        .collect();
    let totals = Totals::of(graph, &dependencies, &stages);
    let remaining = Totals::remaining(graph, &dependencies, &stages);
    let Survey { records, complaints, .. } = survey;
    Plan { stages, totals, remaining, demands: demands.clone(), records, complaints }
}

impl Stage {
    fn new(graph: &Graph, id: NodeId, status: Status) -> Self {
        let node = graph.node(id);
        let from = if let Status::Resume { from } = status { Some(from) } else { None };
        let (name, facts) = (node.facts.name.clone(), node.facts.clone());
        Self { id, key: graph.key(id), op: node.op, name, status, conditional: false, from, facts }
    }
}

/// Returns the longest stored part of a training stage's trajectory that lies at or before its end.
fn longest_prefix(graph: &Graph, id: NodeId, store: &Store) -> Option<Point> {
    let until = graph.node(id).trajectory.as_ref()?.until;
    let base = graph.chain_base(id)?;
    store.points(base).into_iter().filter(|point| point.step <= until).find(|point| {
        graph.chain_key(id, point.step) == Some(point.key)
            && (point.kind == PointKind::Rolling || matches!(store.lookup(point.key), Ok(Some(_))))
    })
}

/// The stages that have to be stored or run so that the wanted ones are there.
#[derive(Default)]
struct Survey {
    needed: BTreeMap<NodeId, Status>,
    records: BTreeMap<NodeId, Record>,
    complaints: Vec<StoreError>,
}

impl Survey {
    /// Gives the measures of what is stored.
    fn lookup(&self) -> impl Fn(NodeId, &str) -> Option<f64> {
        |id, name| self.records.get(&id)?.outcome.measures.get(name).copied()
    }

    /// Walks from the wanted stages towards their inputs, layer by layer, and stops where a result is stored.
    fn look(&mut self, graph: &Graph, wanted: &BTreeSet<NodeId>, store: Option<&Store>) {
        let mut front: BTreeSet<NodeId> = wanted.iter().copied().filter(|id| !self.needed.contains_key(id)).collect();
        while !front.is_empty() {
            let found: Vec<_> = front.par_iter().map(|&id| (id, inspect(graph, id, store))).collect();
            front.clear();
            for (id, (status, record)) in found {
                self.needed.insert(id, status);
                match record {
                    Ok(Some(record)) => drop(self.records.insert(id, record)),
                    Ok(None) => {}
                    Err(error) => self.complaints.push(error),
                }
                if status != Status::Cached {
                    front.extend(graph.node(id).inputs.iter().map(|(_, input)| *input));
                }
            }
            front.retain(|id| !self.needed.contains_key(id));
        }
    }
}

fn inspect(graph: &Graph, id: NodeId, store: Option<&Store>) -> (Status, Result<Option<Record>, StoreError>) {
    let Some(store) = store else { return (Status::Run, Ok(None)) };
    match store.lookup(graph.key(id)) {
        Ok(Some(record)) => (Status::Cached, Ok(Some(record))),
        other => match longest_prefix(graph, id, store) {
            Some(point) => (Status::Resume { from: point.step }, other),
            None => (Status::Run, other),
        },
    }
}

#[cfg(test)]
mod tests;

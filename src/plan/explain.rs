//! Why a stage runs again: the cause apart from what follows from it.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::compare::Difference;
use super::past::{Nearest, Pair, Past};
use super::{Plan, Stage, Status, longest_prefix};
use crate::graph::{Dependencies, Graph, Key, NodeId};
use crate::store::{PointKind, Store, StoreError};
use crate::value::Step;

/// What is to be said about a stage.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The stage.
    #[serde(skip)]
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: Key,
    /// Its kind.
    pub op: &'static str,
    /// Why it runs, or that it does not.
    pub reason: Reason,
    /// What was changed, most upstream first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// The stage known from earlier that it was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<Earlier>,
    /// What an earlier training spares this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reuse: Option<Reuse>,
}

/// Why a stage runs, or that it does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// It does not run: its result is stored.
    Cached {
        /// Since when.
        since: String,
        /// Where it was computed.
        host: String,
        /// By which version of pdsl.
        pdsl: String,
        /// Experiments whose last run used it.
        experiments: Vec<String>,
    },
    /// It does not run: what it leads to is stored.
    Unneeded,
    /// It was never computed, and nothing that it could be a changed version of is stored.
    New,
    /// It, or something that leads to it, is a changed version of what is stored.
    Changed,
    /// Its record is there, but objects of it are not.
    Lost {
        /// What is not there.
        objects: Vec<LostObject>,
    },
    /// Its record was damaged and set aside.
    Damaged,
    /// It was stored, since something was computed from it, but its record is gone.
    Collected {
        /// What was computed from it.
        reader: String,
    },
    /// Its training was stopped and goes on from there.
    Interrupted {
        /// Iterations done.
        from: u64,
    },
    /// An earlier run planned it, but did not finish it.
    Unfinished {
        /// The experiment.
        experiment: String,
        /// When that run began.
        time: String,
    },
}

/// An object that is not where its record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LostObject {
    /// What it is: `weights`, `mask`, ….
    pub role: String,
    /// Its digest.
    pub digest: String,
    /// Whether it was damaged and set aside, and not removed.
    pub set_aside: bool,
}

/// A change by which stages run again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cause {
    /// The most upstream stage that was changed so.
    #[serde(skip)]
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: Key,
    /// What was changed there.
    pub changes: Vec<Difference>,
    /// Stages on the way that were changed in the same way, this one included.
    #[serde(serialize_with = "count")]
    pub stages: BTreeSet<NodeId>,
    /// Stages that run again only because they come after one of these.
    #[serde(serialize_with = "count")]
    pub cascade: BTreeSet<NodeId>,
}

impl Cause {
    /// Adds what the same change did elsewhere.
    pub fn join(&mut self, other: &Self) {
        self.stages.extend(&other.stages);
        self.cascade.extend(&other.cascade);
    }
}

fn count<S: Serializer>(stages: &BTreeSet<NodeId>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(stages.len() as u64)
}

/// A stage known from earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Earlier {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: Key,
    /// When it was finished.
    pub finished: String,
    /// Whether it is a stage of this program too, so that nothing was changed but something added.
    pub in_program: bool,
}

/// What an earlier training spares a stage. Steps are as the language writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reuse {
    /// Up to where it agrees with the nearest earlier one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agrees_until: Option<String>,
    /// Where it goes on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goes_on_from: Option<String>,
}

/// Explains the stages of one plan.
pub struct Explainer<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    store: Option<&'a Store>,
    past: Option<Past<'a>>,
    dependencies: Dependencies,
    /// Stages that run and are by themselves like no stage of the past.
    changed: BTreeSet<NodeId>,
}

impl<'a> Explainer<'a> {
    /// Prepares to explain. Without a store everything is new.
    pub fn new(graph: &'a Graph, plan: &'a Plan, store: Option<&'a Store>) -> Self {
        let past = store.map(|store| Past::stored(graph, store));
        let due = plan.stages.iter().filter(|stage| stage.status != Status::Cached).map(|stage| stage.id);
        let changed = match &past {
            Some(past) => due.filter(|id| !past.knows_alike(*id)).collect(),
            None => due.collect(),
        };
        let dependencies = Dependencies::of(graph, plan.demands.all());
        Self { graph, plan, store, past, dependencies, changed }
    }

    /// Says why a stage runs, or that it does not.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn explain(&self, id: NodeId) -> Result<Explanation, StoreError> {
        let node = self.graph.node(id);
        let stage = self.plan.stage(id);
        let reason = self.reason(id, stage)?;
        let mut explanation = Explanation {
            id,
            name: node.facts.name.clone(),
            key: self.graph.key(id),
            op: node.op,
            reason,
            causes: Vec::new(),
            nearest: None,
            reuse: None,
        };
        if !matches!(explanation.reason, Reason::New | Reason::Unfinished { .. } | Reason::Interrupted { .. }) {
            return Ok(explanation);
        }
        let nearest = self.past.as_ref().and_then(|past| past.nearest(id, |key| self.is_alike_in_scale(key)));
        let earlier = nearest.as_ref().and_then(|nearest| self.earlier(nearest));
        explanation.reuse = self.reuse(id, stage, nearest.as_ref());
        if let (Some(nearest), Some(earlier)) = (nearest, earlier) {
            if explanation.reason == Reason::New {
                explanation.causes = self.causes(&nearest.pairs);
                if !earlier.in_program && !explanation.causes.is_empty() {
                    explanation.reason = Reason::Changed;
                }
            }
            explanation.nearest = Some(earlier);
        }
        Ok(explanation)
    }

    /// A trial in small is no version of what it tries out.
    fn is_alike_in_scale(&self, key: Key) -> bool {
        let known = self.past.as_ref().and_then(|past| past.get(key));
        known.is_none_or(|known| known.smoke == self.graph.is_smoke())
    }

    fn reason(&self, id: NodeId, stage: Option<&Stage>) -> Result<Reason, StoreError> {
        let key = self.graph.key(id);
        let Some(store) = self.store else { return Ok(Reason::New) };
        let status = match stage {
            None => return Ok(if store.lookup(key)?.is_some() { cached(store, key)? } else { Reason::Unneeded }),
            Some(stage) => stage.status,
        };
        if status == Status::Cached {
            return cached(store, key);
        }
        if let Some(record) = store.record(key)? {
            let objects = record.outcome.objects.iter().filter(|(_, digest)| !store.contains(digest));
            let objects = objects
                .map(|(role, digest)| LostObject {
                    role: role.clone(),
                    digest: digest.clone(),
                    set_aside: store.is_set_aside(digest),
                })
                .collect();
            return Ok(Reason::Lost { objects });
        }
        if store.is_set_aside(&format!("{key}.yaml")) {
            return Ok(Reason::Damaged);
        }
        if let Some(point) = longest_prefix(self.graph, id, store).filter(|point| point.kind == PointKind::Rolling) {
            return Ok(Reason::Interrupted { from: point.step });
        }
        if let Some(reader) = self.past.as_ref().and_then(|past| past.reader(key)) {
            return Ok(Reason::Collected { reader: reader.name.clone() });
        }
        let roots = store.roots()?;
        let planned = roots.into_iter().find(|root| root.stages.iter().any(|entry| entry.key == key));
        Ok(planned.map_or(Reason::New, |root| Reason::Unfinished { experiment: root.experiment, time: root.time }))
    }

    fn earlier(&self, nearest: &Nearest) -> Option<Earlier> {
        let known = self.past.as_ref()?.get(nearest.before)?;
        Some(Earlier {
            name: known.name.clone(),
            key: nearest.before,
            finished: known.finished.clone(),
            in_program: self.graph.find(nearest.before).is_some(),
        })
    }

    fn reuse(&self, id: NodeId, stage: Option<&Stage>, nearest: Option<&Nearest>) -> Option<Reuse> {
        let trajectory = self.graph.node(id).trajectory.as_ref()?;
        let shown = |at: u64| Step::written(at, trajectory.per_epoch);
        let own = nearest.and_then(|nearest| nearest.pairs.iter().find(|pair| pair.id == id));
        // What the inputs bring along must agree as well.
        let agree = own.filter(|_| nearest.is_some_and(|nearest| nearest.pairs.len() == 1));
        let agree = agree.and_then(|pair| pair.comparison.agree).filter(|at| *at > trajectory.start);
        let from = stage.and_then(|stage| stage.from);
        let reuse = Reuse { agrees_until: agree.map(shown), goes_on_from: from.map(shown) };
        (reuse.agrees_until.is_some() || reuse.goes_on_from.is_some()).then_some(reuse)
    }

    /// Collects the changes among pairs of stages, each with the most upstream stage that has it.
    fn causes(&self, pairs: &[Pair]) -> Vec<Cause> {
        let mut causes: Vec<Cause> = Vec::new();
        for (id, changes) in changed(pairs) {
            match causes.iter_mut().find(|cause| cause.changes == changes) {
                Some(cause) => _ = cause.stages.insert(id),
                None => causes.push(Cause {
                    id,
                    name: self.graph.node(id).facts.name.clone(),
                    key: self.graph.key(id),
                    changes,
                    stages: BTreeSet::from([id]),
                    cascade: self.cascade(id),
                }),
            }
        }
        causes
    }

    /// Collects the stages that run after a changed one and are not changed themselves.
    fn cascade(&self, id: NodeId) -> BTreeSet<NodeId> {
        let runs = |id: &NodeId| self.plan.stage(*id).is_some_and(|stage| stage.status != Status::Cached);
        self.dependencies.cone(id).into_iter().filter(|id| runs(id) && !self.changed.contains(id)).collect()
    }
}

/// Says since when a stage is stored.
fn cached(store: &Store, key: Key) -> Result<Reason, StoreError> {
    let record = store.record(key)?;
    let roots = store.roots()?;
    let used = roots.into_iter().filter(|root| root.stages.iter().any(|entry| entry.key == key));
    let experiments = used.map(|root| root.experiment).collect();
    let run = record.map(|record| record.run).unwrap_or_default();
    Ok(Reason::Cached { since: run.finished, host: run.host, pdsl: run.pdsl, experiments })
}

/// Returns the changes of each stage that has some, most upstream first.
pub(super) fn changed(pairs: &[Pair]) -> impl Iterator<Item = (NodeId, Vec<Difference>)> {
    let found = pairs.iter().filter(|pair| !pair.comparison.differences.is_empty());
    found.map(|pair| (pair.id, pair.comparison.differences.clone()))
}

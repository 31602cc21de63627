//! Sums over a plan.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Stage, Status};
use crate::graph::{Dependencies, Graph, NodeId, Trajectory};

/// What a set of stages amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Stages.
    pub stages: usize,
    /// Stages whose results are stored.
    pub cached: usize,
    /// Stages that run, or go on from a stored point.
    pub run: usize,
    /// Stages that do so only if a condition holds. What is summed up below includes them: it is the most there can be.
    #[serde(skip_serializing_if = "is_zero")]
    pub conditional: usize,
    /// Trainings: a point on the way to a longer one is not counted.
    pub trainings: usize,
    /// Epochs of training; what two stages share is counted once.
    pub epochs: f64,
    /// Multiply-accumulate operations, as far as known; large experiments need more than 64 bits.
    pub macs: f64,
    /// Bytes in the store.
    pub bytes: u64,
}

impl Totals {
    /// Sums up all stages, stored or not.
    pub(super) fn of(graph: &Graph, dependencies: &Dependencies, stages: &[Stage]) -> Self {
        Self::sum(graph, dependencies, stages, |_| true, |_| None)
    }

    /// Sums up what is left to do of the stages that are not cached.
    pub(super) fn remaining(graph: &Graph, dependencies: &Dependencies, stages: &[Stage]) -> Self {
        Self::sum(graph, dependencies, stages, |stage| stage.status != Status::Cached, |stage| stage.from)
    }

    fn sum(
        graph: &Graph,
        dependencies: &Dependencies,
        stages: &[Stage],
        take: impl Fn(&Stage) -> bool,
        done: impl Fn(&Stage) -> Option<u64>,
    ) -> Self {
        let ids: BTreeSet<NodeId> = stages.iter().filter(|stage| take(stage)).map(|stage| stage.id).collect();
        let mut totals = Self::default();
        for stage in stages.iter().filter(|stage| take(stage)) {
            let cached = stage.status == Status::Cached;
            totals.stages += 1;
            totals.cached += usize::from(cached);
            totals.run += usize::from(!cached && !stage.conditional);
            totals.conditional += usize::from(stage.conditional);
            totals.bytes += stage.facts.bytes;
            let macs = stage.facts.macs.unwrap_or(0) as f64;
            let Some(trajectory) = &graph.node(stage.id).trajectory else {
                totals.macs += macs;
                continue;
            };
            let continues = |next: &NodeId| ids.contains(next) && dependencies.continued(*next) == Some(stage.id);
            totals.trainings += usize::from(!dependencies.successors(stage.id).iter().any(continues));
            let (left, whole) = left(graph, dependencies, &ids, stage, trajectory, done(stage));
            totals.epochs += left / trajectory.per_epoch.max(1) as f64;
            totals.macs += macs * left / whole;
        }
        totals
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Returns the iterations that a training has to do itself, after those of a shorter one among `ids` and those `done`,
/// and all of its iterations.
fn left(
    graph: &Graph,
    dependencies: &Dependencies,
    ids: &BTreeSet<NodeId>,
    stage: &Stage,
    trajectory: &Trajectory,
    done: Option<u64>,
) -> (f64, f64) {
    let shorter = dependencies.continued(stage.id).filter(|shorter| ids.contains(shorter));
    let shared = shorter.and_then(|id| graph.node(id).trajectory.as_ref()).map(|shorter| shorter.until);
    let start = trajectory.start.max(shared.unwrap_or(0)).max(done.unwrap_or(0));
    let whole = trajectory.until.saturating_sub(trajectory.start).max(1);
    (trajectory.until.saturating_sub(start) as f64, whole as f64)
}

/// Returns the share of a stage's work that it has to do itself, among those that run.
pub(super) fn share(graph: &Graph, dependencies: &Dependencies, due: &BTreeSet<NodeId>, stage: &Stage) -> f64 {
    graph.node(stage.id).trajectory.as_ref().map_or(1.0, |trajectory| {
        let (left, whole) = left(graph, dependencies, due, stage, trajectory, stage.from);
        left / whole
    })
}

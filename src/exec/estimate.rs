//! How long the rest of a run will take, from the throughput measured so far.

use std::collections::BTreeMap;
use std::time::Duration;

use super::event::Event;
use crate::graph::NodeId;
use crate::ops::run::Progress;
use crate::plan::{Plan, Status};

/// Work of a stage of which nothing is known, in multiply-accumulates.
const UNKNOWN: f64 = 1e7;

/// An estimate of the remaining time; feed it every event.
#[derive(Clone, Debug)]
pub struct Estimate {
    stages: BTreeMap<NodeId, Expected>,
    /// Seconds and work of each kind of stage, as far as finished.
    pace: BTreeMap<&'static str, Pace>,
}

#[derive(Clone, Debug)]
struct Expected {
    op: &'static str,
    work: f64,
    /// Iteration that training went on from.
    from: Option<u64>,
    /// Share that was done before.
    skipped: f64,
    /// Share that is done.
    fraction: f64,
    began: Option<f64>,
    over: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    seconds: f64,
    work: f64,
}

impl Estimate {
    /// Starts with what a plan leaves to do.
    pub fn new(plan: &Plan) -> Self {
        let left = plan.stages.iter().filter(|stage| stage.status != Status::Cached);
        let expected = left.map(|stage| {
            let work = stage.facts.macs.map_or(UNKNOWN, |macs| (macs as f64).max(UNKNOWN));
            (
                stage.id,
                Expected { op: stage.op, work, from: None, skipped: 0.0, fraction: 0.0, began: None, over: false },
            )
        });
        Self { stages: expected.collect(), pace: BTreeMap::new() }
    }

    /// Takes note of an event, `elapsed` after the run began.
    pub fn observe(&mut self, event: &Event, elapsed: Duration) {
        let now = elapsed.as_secs_f64();
        match event {
            Event::Started { stage, .. } => self.with(stage.id, |expected| expected.began = Some(now)),
            Event::Resumed { stage, from } => self.with(stage.id, |expected| expected.from = Some(*from)),
            Event::Progress { stage, progress } => self.with(stage.id, |expected| {
                let begin = Progress { step: expected.from.unwrap_or(progress.first), ..*progress };
                expected.skipped = begin.fraction();
                expected.fraction = progress.fraction();
            }),
            Event::Finished { stage, .. } => {
                if let Some(expected) = self.stages.get_mut(&stage.id) {
                    let pace = self.pace.entry(expected.op).or_default();
                    pace.seconds += expected.began.map_or(0.0, |began| now - began);
                    pace.work += expected.work * (1.0 - expected.skipped);
                    expected.over = true;
                }
            }
            Event::Failed { stage, .. }
            | Event::Blocked { stage, .. }
            | Event::Interrupted { stage, .. }
            | Event::Unneeded { stage } => {
                self.with(stage.id, |expected| expected.over = true);
            }
            _ => {}
        }
    }

    /// Returns the time that is left, once at least half of the remaining work is of kinds that have been measured.
    pub fn remaining(&self, elapsed: Duration) -> Option<Duration> {
        let now = elapsed.as_secs_f64();
        let mut pace = self.pace.clone();
        for expected in self.stages.values().filter(|expected| !expected.over) {
            if let Some(began) = expected.began.filter(|_| expected.fraction > expected.skipped) {
                let entry = pace.entry(expected.op).or_default();
                entry.seconds += now - began;
                entry.work += expected.work * (expected.fraction - expected.skipped);
            }
        }
        let (seconds, work) = pace.values().fold((0.0, 0.0), |sum, pace| (sum.0 + pace.seconds, sum.1 + pace.work));
        if work <= 0.0 || now <= 0.0 {
            return None;
        }
        let (mut left, mut known, mut unknown) = (0.0, 0.0, 0.0);
        for expected in self.stages.values().filter(|expected| !expected.over) {
            let share = expected.work * (1.0 - expected.fraction.max(expected.skipped));
            if let Some(pace) = pace.get(expected.op).filter(|pace| pace.work > 0.0) {
                left += share * pace.seconds / pace.work;
                known += share;
            } else {
                left += share * seconds / work;
                unknown += share;
            }
        }
        let parallel = (seconds / now).max(1.0);
        if unknown > known { None } else { Duration::try_from_secs_f64(left / parallel).ok() }
    }

    fn with(&mut self, id: NodeId, change: impl FnOnce(&mut Expected)) {
        if let Some(expected) = self.stages.get_mut(&id) {
            change(expected);
        }
    }
}

//! Execution: a plan becomes records in the store.
//!
//! [`run`] walks the dependency graph with a ready set. Heavy stages run in worker processes of their own
//! ([`worker`]), light ones on threads. A failure blocks only what depends on it.

mod assignment;
mod estimate;
mod event;
mod failure;
mod local;
mod perform;
mod schedule;
pub mod worker;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use estimate::Estimate;
pub use event::{Event, Log, StageRef};
pub use failure::{describe, diagnose, store_diagnostic};
pub use schedule::{Report, run};

use crate::domain::data::Place;
pub use crate::ops::run::{Cadence, Problem, Progress};

/// How a plan is to be executed; changes no result.
#[derive(Clone, Debug)]
pub struct Options {
    /// Stages that run at the same time; `None` means one per core.
    pub jobs: Option<usize>,
    /// Threads to divide among running stages; `None` means one per core.
    pub threads: Option<usize>,
    /// Numbers of the GPUs that share the work of every stage that computes a network; none for the processor.
    pub gpus: Vec<usize>,
    /// Whether trainings compute activations again instead of keeping them.
    pub recompute: bool,
    /// Stops after the first failure.
    pub fail_fast: bool,
    /// When training saves resume points.
    pub cadence: Cadence,
    /// Where named data sets are.
    pub data_roots: BTreeMap<String, Place>,
    /// Directory for generated data sets.
    pub data_cache: PathBuf,
    /// The pdsl program, for worker processes.
    pub program: PathBuf,
}

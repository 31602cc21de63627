//! A stage as a node: what is hashed, and what only explains it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::canon::Canon;
use crate::source::Span;

/// Identifies a node in its graph; inputs have smaller ids than the nodes that read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// One stage.
#[derive(Clone, Debug)]
pub struct Node {
    /// Name of the stage kind, an entry of `ops::stages`.
    pub op: &'static str,
    /// Version of the stage kind; raised when its results change.
    pub version: u32,
    /// Canonical arguments, defaults written out.
    pub args: Canon,
    /// Inputs by role, sorted by role.
    pub inputs: Vec<(Arc<str>, NodeId)>,
    /// Present on training: the per-iteration part of the key.
    pub trajectory: Option<Trajectory>,
    /// Digests of the external data that the stage reads, by data set name; `None` where it is not at hand.
    pub data: BTreeMap<String, Option<String>>,
    /// What is known before running; never hashed.
    pub facts: Facts,
    /// Where the program asks for this stage; never hashed. Two equal nodes merge and keep both.
    pub origins: Vec<Origin>,
}

/// The per-iteration settings of a training stage, from iteration `start` to `until`.
///
/// Keys: `h₀` hashes the stage's static part and `start`; each epoch extends the chain by its samples, so that two
/// runs that agree up to iteration t have equal keys there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trajectory {
    /// First iteration (0, or the rewinding point).
    pub start: u64,
    /// One past the last iteration.
    pub until: u64,
    /// Iterations per epoch.
    pub per_epoch: u64,
    /// Learning rate of iteration `start + i`; at least `until - start` values, shared between prefixes.
    pub rates: Arc<[f64]>,
    /// Prunings on the way, ascending.
    #[serde(default)]
    pub prunings: Arc<[Pruning]>,
}

/// A pruning before an iteration of a training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruning {
    /// The iteration.
    pub at: u64,
    /// The sparsity that it leaves, as an exact ratio `p/q`.
    pub sparsity: String,
}

impl Trajectory {
    /// Returns the prunings before iterations `from..to`.
    pub fn prunings_in(&self, from: u64, to: u64) -> &[Pruning] {
        let place = |at: u64| self.prunings.partition_point(|pruning| pruning.at < at);
        self.prunings.get(place(from)..place(to)).unwrap_or_default()
    }
}

/// Static facts for plan, progress and report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Readable name: `train`, `prune 3`, … with the axes it belongs to, e.g. `train round 3 · seed 2`.
    pub name: String,
    /// Work in multiply-accumulate operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macs: Option<u64>,
    /// Epochs of training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<f64>,
    /// Bytes it adds to the store.
    pub bytes: u64,
    /// Anything else worth showing, by name (`parameters`, `prunable`, `kept`, `sparsity`, `images`, …).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub more: BTreeMap<String, Canon>,
}

impl Node {
    /// Returns the axis values that the stage belongs to: those that all its origins share.
    pub fn axes(&self) -> impl Iterator<Item = &(String, String)> {
        let (first, others) =
            self.origins.split_first().map_or((None, &[][..]), |(first, others)| (Some(first), others));
        let shared = move |axis: &&(String, String)| others.iter().all(|origin| origin.axes.contains(axis));
        first.into_iter().flat_map(|origin| &origin.axes).filter(shared)
    }
}

/// Where a stage comes from in the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The innermost call in one of the user's own files.
    pub span: Span,
    /// The calls around it, innermost first.
    pub trail: Vec<Span>,
    /// Axis values in force, in order: `("seed", "2")`, `("round", "3")`.
    pub axes: Vec<(String, String)>,
}

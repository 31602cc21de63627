//! Stages: the one door between the language and the numerical core.
//!
//! Each file of `stages/` holds one [`Op`]: `lower` is the language's side (facts, node), [`Worker`] the side of the
//! process that computes.

mod counting;
pub mod lowering;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a running stage takes time and reads files"))]
pub mod run;
pub mod smoke;
pub mod stages;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use crate::domain::data::Place;
use crate::graph::{Canon, Node};
pub use crate::manifest::record::Outcome;
use crate::value::{Evaluated, Value};
pub use lowering::{Arguments, Lowering};
use run::{Demand, Job, RunError};
use smoke::Small;

/// A kind of stage.
pub struct Op {
    /// Its name in the language and in keys.
    pub name: &'static str,
    /// Module of the standard library that declares it, without `std.`: `prelude`, `prune`, ….
    pub module: &'static str,
    /// Raised when the results change for equal arguments.
    pub version: u32,
    /// Signature in pdsl syntax, without a body.
    pub signature: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// A program that uses it.
    pub example: &'static str,
    /// The language's side: checks the arguments and adds the stage to the graph.
    pub lower: fn(&mut dyn Lowering, &Arguments) -> Evaluated<Value>,
    /// The worker's side; `None` if the language's side adds stages of other kinds only.
    pub worker: Option<Worker>,
}

/// What becomes of the stages of a kind that are in the graph.
pub struct Worker {
    /// Whether it computes a network: on the device chosen, in a worker process of its own.
    pub heavy: bool,
    /// What it needs memory for, by its arguments; `None` if it needs little.
    pub demand: Option<fn(&Canon) -> Option<Demand>>,
    /// Puts a small trial in the place of a stage, unless each is small; `None` if its arguments are not understood, which
    /// a test excludes.
    pub shrink: Option<fn(&Small, &mut Node) -> Option<()>>,
    /// Computes a stage: from canonical arguments and stored inputs to stored objects and measures.
    pub run: fn(&mut Job<'_>) -> Result<Outcome, RunError>,
}

impl Op {
    /// Returns what it does with its example, in Markdown.
    pub fn words(&self) -> String {
        format!("{}\n\n```pd\n{}```", self.doc, self.example)
    }
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Op").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Surroundings of a running stage that change no result.
pub struct Surroundings<'a> {
    /// Threads it may use.
    pub threads: usize,
    /// Numbers of the GPUs that it may use.
    pub gpus: Vec<usize>,
    /// Whether training computes activations again instead of keeping them.
    pub recompute: bool,
    /// Where named data sets are.
    pub data_roots: BTreeMap<String, Place>,
    /// Directory for generated data sets.
    pub data_cache: PathBuf,
    /// Set when the user asked to stop: save and return.
    pub stop: &'a AtomicBool,
}

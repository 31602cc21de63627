//! Stages: the one door between the language and the numerical core.
//!
//! Each file holds one [`Op`]; `list.rs` names them all. `lower` is the language's side (facts, node), `run` the
//! worker's side.

pub mod ablate;
pub mod bootstrap;
mod counting;
pub mod dissect;
pub mod drift;
pub mod evaluate;
pub mod footprint;
pub mod gallery;
pub mod gradual;
pub mod init;
pub mod list;
pub mod load;
pub mod lowering;
pub mod nearest;
pub mod null_test;
pub mod prune;
pub mod reinit;
pub mod restart;
pub mod retrain;
pub mod rewind;
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a running stage takes time and reads files"))]
pub mod run;
pub mod score;
pub mod shuffle_mask;
pub mod smoke;
pub mod train;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use crate::domain::data::Place;
pub use crate::manifest::record::Outcome;
use crate::value::{Evaluated, Value};
pub use lowering::{Arguments, Lowering};

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
    /// Whether it computes a network: on the device chosen, in a worker process of its own.
    pub heavy: bool,
    /// The language's side: checks the arguments and adds the stage to the graph.
    pub lower: fn(&mut dyn Lowering, &Arguments) -> Evaluated<Value>,
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

//! Every stage, each in a file of its own: what it is called, what it does to the graph, and what its worker does.
//!
//! A new stage is a file and its line here: `build.rs` makes [`ALL`] of these lines.

use super::Op;

// States that nobody trains.
pub mod init;
pub mod load;

// Training.
pub mod gradual;
pub mod retrain;
pub mod train;

// What is done to trained states.
pub mod prune;
pub mod reinit;
pub mod restart;
pub mod rewind;
pub mod shuffle_mask;

// Measures.
pub mod evaluate;
pub mod footprint;
pub mod nearest;

// Dissection.
pub mod ablate;
pub mod bootstrap;
pub mod dissect;
pub mod drift;
pub mod gallery;
pub mod null_test;
pub mod score;

// `ALL`: every stage, in the order of the lines above, in which they are documented.
include!(concat!(env!("OUT_DIR"), "/stages.rs"));

/// Finds a stage by its name.
pub fn find(name: &str) -> Option<&'static Op> {
    ALL.iter().find(|op| op.name == name).copied()
}

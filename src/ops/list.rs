//! Every stage.

use super::{Op, dissect, evaluate, footprint, gradual, init, load, prune, reinit, retrain, rewind, score, train};

/// Every stage, in the order in which they are documented.
pub static ALL: &[&Op] = &[
    &init::OP,
    &load::OP,
    &train::OP,
    &retrain::OP,
    &gradual::OP,
    &prune::OP,
    &rewind::OP,
    &reinit::OP,
    &evaluate::OP,
    &footprint::OP,
    &dissect::OP,
    &score::OP,
];

/// Finds a stage by its name.
pub fn find(name: &str) -> Option<&'static Op> {
    ALL.iter().find(|op| op.name == name).copied()
}

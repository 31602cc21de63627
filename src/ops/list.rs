//! Every stage.

use super::{Op, dissect, evaluate, init, load, prune, reinit, retrain, rewind, train};

/// Every stage, in the order in which they are documented.
pub static ALL: &[&Op] = &[
    &init::OP,
    &load::OP,
    &train::OP,
    &retrain::OP,
    &prune::OP,
    &rewind::OP,
    &reinit::OP,
    &evaluate::OP,
    &dissect::OP,
];

/// Finds a stage by its name.
pub fn find(name: &str) -> Option<&'static Op> {
    ALL.iter().find(|op| op.name == name).copied()
}

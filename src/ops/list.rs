//! Every stage.

use super::{
    Op, ablate, bootstrap, dissect, drift, evaluate, footprint, gallery, gradual, init, load, nearest, null_test,
    prune, reinit, restart, retrain, rewind, score, shuffle_mask, train,
};

/// Every stage, in the order in which they are documented.
pub static ALL: &[&Op] = &[
    &init::OP,
    &load::OP,
    &train::OP,
    &retrain::OP,
    &gradual::OP,
    &prune::OP,
    &rewind::OP,
    &restart::OP,
    &reinit::OP,
    &shuffle_mask::OP,
    &nearest::OP,
    &evaluate::OP,
    &footprint::OP,
    &dissect::OP,
    &score::OP,
    &null_test::OP,
    &drift::OP,
    &bootstrap::OP,
    &ablate::OP,
    &gallery::OP,
];

/// Finds a stage by its name.
pub fn find(name: &str) -> Option<&'static Op> {
    ALL.iter().find(|op| op.name == name).copied()
}

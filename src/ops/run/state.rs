//! States in the store: objects `weights` and `mask`, after training also `optimizer`.

use std::collections::BTreeMap;

use super::{Job, Outcome, RunError};
use crate::domain::arch::Arch;
use crate::domain::data::{Split, Task};
use crate::manifest::record::Record;
use crate::nn::data::{self, Images};
use crate::nn::mask::Mask;
use crate::nn::{Weights, checkpoint, mask};

/// Object role of parameters and buffers.
pub(in crate::ops) const WEIGHTS: &str = "weights";
/// Object role of the mask; absent where every weight is left.
pub(in crate::ops) const MASK: &str = "mask";
/// Object role of weights that are gone for now, where masks change on the way.
pub(in crate::ops) const DORMANT: &str = "dormant";
/// Object role of the momentum.
pub(in crate::ops) const OPTIMIZER: &str = "optimizer";

/// Floats of images that are worked on together outside training.
const BATCH_VALUES: usize = 1 << 22;

/// A state, read.
pub(in crate::ops) struct State {
    /// Parameters and buffers.
    pub weights: Weights,
    /// Which weights are left, if not all.
    pub mask: Option<Mask>,
}

impl Job<'_> {
    /// Opens the images of a part of a task.
    pub(in crate::ops) fn images(&self, task: &Task, part: Split) -> Result<Box<dyn Images>, RunError> {
        let surroundings = &self.surroundings;
        Ok(data::open_task(task, part, &surroundings.data_roots, Some(&surroundings.data_cache))?)
    }

    /// Tells of damaged images that were left out.
    pub(in crate::ops) fn note_skipped(&mut self, images: &dyn Images) {
        let names = images.skipped();
        if !names.is_empty() {
            self.note(format!("damaged images are left out, first {}", names.join("; ")));
        }
    }

    /// Reads the state in a role.
    pub(in crate::ops) fn state(&self, role: &str) -> Result<State, RunError> {
        let record = self.input(role)?;
        Ok(State { weights: self.weights(record)?, mask: self.mask(record)? })
    }

    /// Reads a state's weights.
    pub(in crate::ops) fn weights(&self, record: &Record) -> Result<Weights, RunError> {
        let bytes = self.object(record, WEIGHTS)?.unwrap_or_default();
        Ok(checkpoint::decode(&bytes)?)
    }

    /// Reads a state's mask.
    pub(in crate::ops) fn mask(&self, record: &Record) -> Result<Option<Mask>, RunError> {
        Ok(self.object(record, MASK)?.map(|bytes| mask::decode(&bytes)).transpose()?)
    }

    /// Stores weights that nothing has been removed from.
    pub(in crate::ops) fn put_weights(&self, weights: &Weights) -> Result<String, RunError> {
        self.put(&checkpoint::encode(weights, &BTreeMap::new())?)
    }
}

/// Refers to an object of an earlier state, without copying it.
pub(in crate::ops) fn refer(outcome: &mut Outcome, from: &Record, role: &str) {
    if let Some(digest) = from.outcome.objects.get(role) {
        outcome.objects.insert(role.to_owned(), digest.clone());
    }
}

/// Returns how many images go through a network together where that changes no result.
pub(in crate::ops) fn batch(arch: &Arch) -> usize {
    let shape = arch.input;
    (BATCH_VALUES / (shape.channels * shape.height * shape.width).max(1)).clamp(1, 256)
}

//! Networks in the store: weights under their mask, and the architecture they belong to.

use super::place::refused;
use super::{Exit, Failure};
use crate::diag::Diagnostic;
use crate::diag::codes::invocation;
use crate::domain::arch::Arch;
use crate::graph::Key;
use crate::manifest::record::Record;
use crate::nn::{Weights, checkpoint, mask};
use crate::store::{Digest, Store, StoreError};

/// Stages that an architecture may lie behind: `rewind` has none of its own.
const LONGEST_CHAIN: usize = 1 << 12;

/// Reads what a stage has left of a network: its weights, pruned ones set to zero. `None` if it is no network.
pub(super) fn weights(store: &Store, record: &Record) -> Result<Option<Weights>, Failure> {
    let Some(weights) = object(store, record, "weights")? else { return Ok(None) };
    let mask = object(store, record, "mask")?;
    masked(&weights, mask.as_deref()).map(Some).map_err(|error| unusable(record, &error.to_string()))
}

fn masked(weights: &[u8], mask: Option<&[u8]>) -> Result<Weights, crate::nn::Error> {
    let weights = checkpoint::decode(weights)?;
    match mask {
        Some(mask) => mask::decode(mask)?.apply(&weights),
        None => Ok(weights),
    }
}

/// Finds the architecture of a stage: its own argument, or that of the state it was made from.
pub(super) fn architecture(store: &Store, record: &Record) -> Result<Arch, Failure> {
    #[derive(serde::Deserialize)]
    struct WithArch {
        arch: Arch,
    }
    let mut key: Key = record.key;
    for _ in 0..LONGEST_CHAIN {
        let Some(preimage) = store.preimage(key).map_err(refused)? else { break };
        if let Ok(WithArch { arch }) = preimage.args.parse() {
            return Ok(arch);
        }
        let Some(before) = preimage.inputs.get("state") else { break };
        key = *before;
    }
    Err(unusable(record, "the stage that says its architecture is no longer in the store"))
}

/// Reads an object of a stage. `None` if it has none in this role.
pub(super) fn object(store: &Store, record: &Record, role: &str) -> Result<Option<Vec<u8>>, Failure> {
    let Some(text) = record.outcome.objects.get(role) else { return Ok(None) };
    let missing = || StoreError::Missing { digest: text.clone(), name: format!("{role} of {}", record.name) };
    let digest: Digest = text.parse().map_err(|_| refused(missing()))?;
    store.get(&digest).map(Some).map_err(refused)
}

/// Says that a stage is no network.
pub(super) fn without(record: &Record) -> Failure {
    let message = format!("`{}` is a stage of the kind `{}` and holds no network", record.name, record.op);
    let help = "name a stage that makes a network: `train`, `prune`, `rewind`, …";
    Failure::outside(Diagnostic::error(&invocation::NO_OBJECT, message).help(help), Exit::Invalid)
}

/// Says why a stage's network is of no use.
pub(super) fn unusable(record: &Record, reason: &str) -> Failure {
    let message = format!("the network of `{}` cannot be read: {reason}", record.name);
    let help = "check the store with `pdsl store verify`, or run the program again";
    Failure::outside(Diagnostic::error(&invocation::NO_OBJECT, message).help(help), Exit::Failed)
}

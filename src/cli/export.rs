//! `pdsl export STAGE -o FILE.safetensors`: takes a network out for other tools.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::output;
use super::place::{self, StoreAlone, refused};
use super::show::find;
use super::{Ended, Exit, Failure, figures};
use crate::diag::Diagnostic;
use crate::diag::codes::invocation;
use crate::manifest::record::Record;
use crate::nn::{checkpoint, mask};
use crate::store::{Digest, Store, StoreError};
use crate::world::World;

/// Write a stored network as safetensors: torchvision's names, pruned weights set to zero.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// The stage's key, the beginning of it, or its name.
    stage: String,
    /// File to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    place: StoreAlone,
}

impl Export {
    pub(super) fn run(&self, world: &dyn World) -> Ended {
        let store = self.place.open(world)?;
        let record = find(&store, &self.stage)?;
        let weights = object(&store, &record, "weights")?.ok_or_else(|| without(&record))?;
        let mask = object(&store, &record, "mask")?;
        let bytes = masked(&record, &weights, mask.as_deref()).map_err(|reason| unusable(&record, &reason))?;
        place::write(&self.output, &bytes)?;
        output::note(&format!(
            "wrote {}: `{}`, {}",
            self.output.display(),
            record.name,
            figures::bytes(bytes.len() as u64)
        ));
        Ok(Exit::Done)
    }
}

/// Applies the mask and says in the file's metadata where it comes from.
fn masked(record: &Record, weights: &[u8], mask: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let mut weights = checkpoint::decode(weights).map_err(|error| error.to_string())?;
    if let Some(bytes) = mask {
        let mask = mask::decode(bytes).map_err(|error| error.to_string())?;
        weights = mask.apply(&weights).map_err(|error| error.to_string())?;
    }
    let metadata = BTreeMap::from([
        ("format".to_owned(), "pt".to_owned()),
        ("pdsl.stage".to_owned(), record.name.clone()),
        ("pdsl.key".to_owned(), record.key.to_string()),
    ]);
    checkpoint::encode(&weights, &metadata).map_err(|error| error.to_string())
}

fn object(store: &Store, record: &Record, role: &str) -> Result<Option<Vec<u8>>, Failure> {
    let Some(text) = record.outcome.objects.get(role) else { return Ok(None) };
    let missing = || StoreError::Missing { digest: text.clone(), name: format!("{role} of {}", record.name) };
    let digest: Digest = text.parse().map_err(|_| refused(missing()))?;
    store.get(&digest).map(Some).map_err(refused)
}

fn without(record: &Record) -> Failure {
    let message = format!("`{}` is a stage of the kind `{}` and holds no network", record.name, record.op);
    let help = "name a stage that makes a network: `train`, `prune`, `rewind`, …";
    Failure::outside(Diagnostic::error(&invocation::NO_OBJECT, message).help(help), Exit::Invalid)
}

fn unusable(record: &Record, reason: &str) -> Failure {
    let message = format!("the network of `{}` cannot be read: {reason}", record.name);
    let help = "check the store with `pdsl store verify`";
    Failure::outside(Diagnostic::error(&invocation::NO_OBJECT, message).help(help), Exit::Failed)
}

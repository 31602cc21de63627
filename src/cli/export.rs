//! `pdsl export STAGE -o FILE`: takes a network out for other tools.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::place::{self, StoreAlone};
use super::show::find;
use super::{Ended, Exit, Failure, figures, network, output};
use crate::diag::Diagnostic;
use crate::diag::codes::invocation;
use crate::manifest::record::Record;
use crate::nn::weights::npz;
use crate::nn::weights::onnx::{self, Norms};
use crate::nn::{self, Weights, checkpoint};
use crate::store::Store;
use crate::world::World;

/// Write a stored network for other tools: torchvision's names, pruned weights set to zero.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// The stage's key, the beginning of it, or its name.
    stage: String,
    /// File to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Format of the file (default: by its ending).
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// In ONNX, make batch normalisations part of the layers before them.
    #[arg(long)]
    fold_batch_norm: bool,
    #[command(flatten)]
    place: StoreAlone,
}

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A state dict, for PyTorch and others.
    Safetensors,
    /// A state dict as NumPy arrays.
    Npz,
    /// The network itself, as a graph that computes logits of images.
    Onnx,
}

impl Export {
    pub(super) fn run(&self, world: &dyn World) -> Ended {
        let format = self.format()?;
        let store = self.place.open(world)?;
        let record = find(&store, &self.stage)?;
        let weights = network::weights(&store, &record)?.ok_or_else(|| network::without(&record))?;
        let bytes = self.encode(format, &store, &record, &weights)?;
        place::write(&self.output, &bytes)?;
        output::note(&format!(
            "wrote {}: `{}`, {}",
            self.output.display(),
            record.name,
            figures::bytes(bytes.len() as u64)
        ));
        Ok(Exit::Done)
    }

    fn format(&self) -> Result<Format, Failure> {
        let format = self.format.or_else(|| by_ending(&self.output)).ok_or_else(|| unknown(&self.output))?;
        if self.fold_batch_norm && format != Format::Onnx {
            let message = "batch normalisations can be folded in ONNX only: a state dict keeps the names of all layers";
            let help = "leave `--fold-batch-norm` out, or add `--format onnx`";
            return Err(Failure::outside(
                Diagnostic::error(&invocation::EXPORT_FORMAT, message).help(help),
                Exit::Invalid,
            ));
        }
        Ok(format)
    }

    fn encode(&self, format: Format, store: &Store, record: &Record, weights: &Weights) -> Result<Vec<u8>, Failure> {
        let origin = origin(record);
        let encoded: Result<Vec<u8>, nn::Error> = match format {
            Format::Safetensors => {
                let format = ("format".to_owned(), "pt".to_owned());
                checkpoint::encode(weights, &origin.into_iter().chain([format]).collect())
            }
            Format::Npz => npz::encode(weights),
            Format::Onnx => {
                let norms = if self.fold_batch_norm { Norms::Fold } else { Norms::Keep };
                onnx::encode(&network::architecture(store, record)?, weights, norms, &origin)
            }
        };
        encoded.map_err(|error| network::unusable(record, &error.to_string()))
    }
}

/// Says in the file's metadata where it comes from.
fn origin(record: &Record) -> BTreeMap<String, String> {
    BTreeMap::from([("pdsl.stage".to_owned(), record.name.clone()), ("pdsl.key".to_owned(), record.key.to_string())])
}

fn by_ending(path: &Path) -> Option<Format> {
    let ending = path.extension()?.to_str()?;
    <Format as clap::ValueEnum>::from_str(ending, true).ok()
}

fn unknown(path: &Path) -> Failure {
    let message = format!("the ending of `{}` names no format", path.display());
    let help = "end the name in `.safetensors`, `.npz` or `.onnx`, or give `--format`";
    Failure::outside(Diagnostic::error(&invocation::EXPORT_FORMAT, message).help(help), Exit::Invalid)
}

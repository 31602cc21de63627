//! `pdsl export STAGE -o FILE`: takes a network, or another object, out for other tools.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::place::{self, StoreAlone};
use super::show::find;
use super::{Ended, Exit, Failure, figures, network, output};
use crate::diag::codes::invocation;
use crate::diag::{Diagnostic, suggest};
use crate::manifest::record::Record;
use crate::nn::weights::npz;
use crate::nn::weights::onnx::{self, Norms};
use crate::nn::{self, Weights, checkpoint};
use crate::store::Store;
use crate::world::World;

/// Write a stored network for other tools: torchvision's names, pruned weights set to zero. Or, with `--object`, any
/// object of a stage, such as the table `units` of a dissection.
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
    /// Write this object of the stage as it is stored; `pdsl show` lists them.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["format", "fold_batch_norm"])]
    object: Option<String>,
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
        let format = if self.object.is_none() { Some(self.format()?) } else { None };
        let store = self.place.open(world)?;
        let record = find(&store, &self.stage)?;
        let bytes = if let Some(format) = format {
            let weights = network::weights(&store, &record)?.ok_or_else(|| network::without(&record))?;
            self.encode(format, &store, &record, &weights)?
        } else {
            let role = self.object.as_deref().unwrap_or_default();
            network::object(&store, &record, role)?.ok_or_else(|| no_object(&record, role))?
        };
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

/// Says which objects a stage has instead.
fn no_object(record: &Record, role: &str) -> Failure {
    let message = format!("`{}` has no object `{role}`", record.name);
    let known: Vec<&str> = record.outcome.objects.keys().map(String::as_str).collect();
    let help = match suggest::question(role, known.iter().copied()) {
        Some(question) => question,
        None if known.is_empty() => "it has stored none; `pdsl store ls` lists all stages".to_owned(),
        None => format!("it has `{}`", known.join("`, `")),
    };
    Failure::outside(Diagnostic::error(&invocation::NO_OBJECT, message).help(help), Exit::Invalid)
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

//! `prune`: the same weights under a smaller mask.

use serde::Serialize;

use super::state::{MASK, WEIGHTS, refer};
use super::{Job, Outcome, Problem, RunError, notes, tallies};
use crate::diag::codes::execution;
use crate::domain::arch::Arch;
use crate::domain::data::Split;
use crate::nn::dissect;
use crate::nn::mask::{self, Mask};
use crate::nn::prune::{self, Sources};
use crate::ops::prune::{Concepts, PruneArgs};

/// Object role of what is left in each layer.
const LAYERS: &str = "layers";

/// What is left in one parameter.
#[derive(Serialize)]
struct Layer<'a> {
    name: &'a str,
    kept: u64,
    total: u64,
}

/// Removes weights.
pub(super) fn prune(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: PruneArgs = job.args()?;
    let state = job.state("state")?;
    let initial = match job.inputs.get("initial") {
        Some(record) => Some(job.weights(record)?),
        None => None,
    };
    let images = match args.pruner.samples.as_ref().filter(|_| args.pruner.reads_loss()) {
        Some(samples) => Some(job.images(&samples.task, Split::Train)?),
        None => None,
    };
    let concepts = match &args.concepts {
        Some(concepts) => Some(by_parameter(job, &args.arch, concepts)?),
        None => None,
    };
    let sources = Sources {
        initial: initial.as_ref(),
        images: images.as_deref(),
        concepts: concepts.as_ref(),
        threads: job.surroundings.threads,
    };
    let survey = args.arch.survey().map_err(crate::nn::Error::from)?;
    let pruned = match prune::prune(&args.arch, &state.weights, state.mask.as_ref(), &args.pruner, sources) {
        // Among few weights, rounding can leave one less than a sparsity asks for that was reached before.
        Err(error) if error.leaves_too_few() && job.preimage.smoke.is_some() => {
            state.mask.clone().unwrap_or_else(|| Mask::ones(&survey))
        }
        other => other?,
    };
    if state.mask.is_none() {
        notes::on_unlike_layers(job, &survey, &args.pruner, &state.weights);
    }
    notes::on_collapse(job, &survey, state.mask.as_ref(), &pruned);
    let layers: Vec<Layer<'_>> = pruned.counts().map(|(name, kept, total)| Layer { name, kept, total }).collect();
    let layers = serde_json::to_vec(&layers)
        .map_err(|error| Problem::new(&execution::STAGE_FAILED, format!("the layers cannot be listed: {error}")))?;
    let mut outcome = Outcome::default();
    refer(&mut outcome, job.input("state")?, WEIGHTS);
    outcome.objects.insert(MASK.to_owned(), job.put(&mask::encode(&pruned))?);
    outcome.objects.insert(LAYERS.to_owned(), job.put(&layers)?);
    outcome.measures.insert("kept".to_owned(), pruned.kept() as f64);
    outcome.measures.insert("total".to_owned(), pruned.total() as f64);
    Ok(outcome)
}

/// Gives every filter whose output is a dissected unit the unit's best IoU.
fn by_parameter(job: &Job<'_>, arch: &Arch, concepts: &Concepts) -> Result<prune::Concepts, RunError> {
    let tallies = tallies::read(job, "concepts")?;
    let units = dissect::score(&tallies, &concepts.scoring).units;
    let values: Vec<f32> = units.iter().map(|unit| unit.score() as f32).collect();
    Ok(arch.writers(&concepts.layer).into_iter().map(|name| (name, values.clone())).collect())
}

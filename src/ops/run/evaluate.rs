//! `evaluate`: accuracy and loss.

use std::collections::BTreeMap;

use super::state::batch;
use super::{Job, Outcome, RunError};
use crate::nn::{data, evaluate};
use crate::ops::evaluate::EvaluateArgs;

/// Classifies a part of a task.
pub(super) fn evaluate(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: EvaluateArgs = job.args()?;
    let state = job.state("state")?;
    let images = data::open_task(&args.task, args.split, &job.surroundings.data_roots)?;
    let threads = job.surroundings.threads;
    let size = batch(&args.arch);
    let found =
        evaluate::evaluate(&args.arch, &state.weights, state.mask.as_ref(), &*images, size, threads, &job.device())?;
    let measures = [
        ("top1", found.top1),
        ("top5", found.top5),
        ("loss", found.loss),
        ("images", found.images as f64),
        ("sparse_layers", found.sparse_layers as f64),
    ];
    let measures = measures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Outcome { objects: BTreeMap::new(), measures })
}

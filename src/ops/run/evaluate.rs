//! `evaluate`: accuracy and loss.

use std::collections::BTreeMap;

use super::state::batch;
use super::{Job, Outcome, RunError};
use crate::domain::data::Damaged;
use crate::nn::evaluate;
use crate::ops::evaluate::EvaluateArgs;

/// Classifies a part of a task.
pub(super) fn evaluate(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: EvaluateArgs = job.args()?;
    let state = job.state("state")?;
    let images = job.images(&args.task, args.split)?;
    let threads = job.surroundings.threads;
    let size = batch(&args.arch);
    let found =
        evaluate::evaluate(&args.arch, &state.weights, state.mask.as_ref(), &*images, size, threads, &job.device())?;
    job.note_skipped(&*images);
    let measures = [
        ("top1", found.top1),
        ("top5", found.top5),
        ("loss", found.loss),
        ("images", found.images as f64),
        ("sparse_layers", found.sparse_layers as f64),
    ];
    let mut measures: BTreeMap<_, _> = measures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    if images.damaged() == Damaged::Skip {
        measures.insert("skipped".to_owned(), found.skipped as f64);
    }
    Ok(Outcome { objects: BTreeMap::new(), measures })
}

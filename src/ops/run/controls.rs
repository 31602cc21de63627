//! `shuffle_mask` and `nearest`: states to compare with.

use super::state::{MASK, WEIGHTS, refer};
use super::{Job, Outcome, Problem, RunError};
use crate::diag::codes::execution;
use crate::nn::mask;
use crate::ops::shuffle_mask::ShuffleMaskArgs;

/// Puts the mask of every layer in random order.
pub(super) fn shuffle_mask(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: ShuffleMaskArgs = job.args()?;
    let input = job.input("state")?;
    let mut outcome = Outcome::default();
    refer(&mut outcome, input, WEIGHTS);
    if let Some(bytes) = job.object(input, MASK)? {
        let shuffled = mask::decode(&bytes).map_err(crate::nn::Error::from)?.shuffled(&args.seed);
        outcome.objects.insert(MASK.to_owned(), job.put(&mask::encode(&shuffled))?);
    }
    Ok(outcome)
}

/// Chooses the state with the accuracy nearest to another's.
pub(super) fn nearest(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let accuracy = |role: &str| -> Result<f64, RunError> {
        let record = job.input(role)?;
        record.outcome.measures.get("top1").copied().ok_or_else(|| {
            let message = format!("`{}` has measured no accuracy", record.name);
            Problem::new(&execution::INPUT_LOST, message).help("run again to make it anew").into()
        })
    };
    let target = accuracy("target")?;
    let mut best: Option<(usize, f64)> = None;
    for place in (0..).take_while(|place| job.inputs.contains_key(&format!("state_{place}"))) {
        let distance = (accuracy(&format!("measure_{place}"))? - target).abs();
        if best.is_none_or(|(_, least)| distance < least) {
            best = Some((place, distance));
        }
    }
    let (place, distance) = best.unwrap_or_default();
    let mut outcome = Outcome::default();
    let chosen = job.input(&format!("state_{place}"))?;
    refer(&mut outcome, chosen, WEIGHTS);
    refer(&mut outcome, chosen, MASK);
    outcome.measures.insert("chosen".to_owned(), place as f64);
    outcome.measures.insert("distance".to_owned(), distance);
    Ok(outcome)
}

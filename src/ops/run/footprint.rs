//! `footprint`: counts what is not 0.

use std::collections::BTreeMap;

use super::{Job, Outcome, RunError};
use crate::nn::footprint;
use crate::ops::footprint::FootprintArgs;

/// Counts the weights of a network and the work of an image.
pub(super) fn footprint(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: FootprintArgs = job.args()?;
    let state = job.state("state")?;
    let found = footprint::footprint(&args.arch, &state.weights, state.mask.as_ref())?;
    let measures = [
        ("parameters", found.parameters as f64),
        ("compression", found.compression),
        ("macs", found.macs),
        ("speedup", found.speedup),
    ];
    let measures = measures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Outcome { objects: BTreeMap::new(), measures })
}

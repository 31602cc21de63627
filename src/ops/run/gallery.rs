//! `gallery`: pictures of units.

use super::tallies::{object, read, unreadable};
use super::validity::Watcher;
use super::{Job, Outcome, RunError};
use crate::nn::data;
use crate::nn::dissect::{self, DissectError, Layout, Masks};
use crate::ops::gallery::{GalleryArgs, PORTRAITS};

/// Draws the units of a dissection.
pub(super) fn gallery(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: GalleryArgs = job.args()?;
    let tallies = read(job, "tallies")?;
    let masks = object(job, "tallies", "masks")?;
    let masks = Masks::open(&masks).map_err(unreadable)?;
    let (roots, cache) = (&job.surroundings.data_roots, &job.surroundings.data_cache);
    let probe = data::open_probe(&args.probe, None, roots, cache)?;
    let mut picture = |row: usize| probe.picture(row).map_err(DissectError::from);
    let layout = Layout { top: args.top, side: args.side };
    let mut watcher = Watcher { tell: &mut *job.tell, stop: job.surroundings.stop };
    let found = dissect::portraits(&tallies, masks, &mut picture, &args.scoring, layout, &mut watcher)?;
    let bytes = found.encode().map_err(|error| unreadable(std::io::Error::other(error)))?;
    let mut outcome = Outcome::default();
    outcome.objects.insert(PORTRAITS.to_owned(), job.put(&bytes)?);
    Ok(outcome)
}

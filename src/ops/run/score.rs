//! `score`: concepts from counts.

use super::{Job, Outcome, RunError, tallies};
use crate::nn::dissect;
use crate::ops::score::{SUMMARY, ScoreArgs};

/// Scores what a dissection has counted.
pub(super) fn score(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: ScoreArgs = job.args()?;
    let tallies = tallies::read(job, "tallies")?;
    let scored = dissect::score(&tallies, &args.scoring);
    let files = dissect::files(&tallies, &scored.units, &args.scoring).map_err(tallies::unreadable)?;
    let mut outcome = Outcome { measures: scored.measures, ..Outcome::default() };
    outcome.objects.insert("units".to_owned(), job.put(&files.table)?);
    outcome.objects.insert(SUMMARY.to_owned(), job.put(&files.summary)?);
    Ok(outcome)
}

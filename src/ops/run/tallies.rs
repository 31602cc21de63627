//! What dissections have stored, for the stages that read it.

use super::{Job, Problem, RunError};
use crate::diag::codes::execution;
use crate::nn::dissect::Tallies;

/// Reads the counts of an input.
pub(in crate::ops) fn read(job: &Job<'_>, role: &str) -> Result<Tallies, RunError> {
    let bytes = object(job, role, "tallies")?;
    Tallies::decode(&bytes).map_err(|error| unreadable(error).into())
}

/// Reads an object that an input must have.
pub(in crate::ops) fn object(job: &Job<'_>, role: &str, kind: &str) -> Result<Vec<u8>, RunError> {
    let input = job.input(role)?;
    job.object(input, kind)?.ok_or_else(|| {
        let message = format!("`{}` has stored no {kind}", input.name);
        Problem::new(&execution::INPUT_LOST, message).help("run again to make it anew").into()
    })
}

/// Explains counts that cannot be read or written.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(in crate::ops) fn unreadable(error: std::io::Error) -> Problem {
    Problem::new(&execution::STAGE_FAILED, format!("what the dissection has counted cannot be used: {error}"))
        .help("check the store with `pdsl store verify`, and run again")
}

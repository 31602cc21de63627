//! `init`, `load`, `reinit` and `rewind`: states that nobody trained just now.

use super::state::{MASK, WEIGHTS, refer};
use super::{Job, Outcome, Problem, RunError};
use crate::diag::codes::data as codes;
use crate::nn::{checkpoint, init, weights};
use crate::ops::init::InitArgs;
use crate::ops::load::LoadArgs;
use crate::ops::reinit::ReinitArgs;
use crate::store::Digest;

/// Draws fresh weights.
pub(super) fn init(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: InitArgs = job.args()?;
    let weights = init::initialize(&args.arch, &args.seed)?;
    let mut outcome = Outcome::default();
    outcome.objects.insert(WEIGHTS.to_owned(), job.put_weights(&weights)?);
    Ok(outcome)
}

/// Draws fresh weights under the mask of the input.
pub(super) fn reinit(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: ReinitArgs = job.args()?;
    let weights = init::initialize(&args.arch, &args.seed)?;
    let mut outcome = Outcome::default();
    outcome.objects.insert(WEIGHTS.to_owned(), job.put_weights(&weights)?);
    refer(&mut outcome, job.input("state")?, MASK);
    Ok(outcome)
}

/// Puts the weights of `to` under the mask of `state`. Nothing is stored: both exist.
pub(super) fn rewind(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let mut outcome = Outcome::default();
    refer(&mut outcome, job.input("to")?, WEIGHTS);
    refer(&mut outcome, job.input("state")?, MASK);
    Ok(outcome)
}

/// Reads published weights.
pub(super) fn load(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: LoadArgs = job.args()?;
    let unreadable = |message: String| {
        Problem::new(&codes::WEIGHTS_UNREADABLE, message).help("check the path that the program gives, and run again")
    };
    let place = job.surroundings.data_roots.get(&args.file).ok_or_else(|| {
        unreadable(format!("no file with the digest {} is known", args.file.get(..12).unwrap_or(&args.file)))
    })?;
    let path = &place.root;
    let bytes =
        std::fs::read(path).map_err(|error| unreadable(format!("`{}` cannot be read: {error}", path.display())))?;
    if Digest::of(&bytes).to_string() != args.file {
        return Err(unreadable(format!("`{}` has changed since the program was checked", path.display())).into());
    }
    let survey = args.arch.survey().map_err(crate::nn::Error::from)?;
    let adopted = weights::read_state_dict(&bytes).and_then(|tensors| checkpoint::adopt(&survey, tensors));
    let weights = adopted.map_err(|error| {
        let problem = Problem::from(error);
        Problem { message: format!("`{}`: {}", path.display(), problem.message), ..problem }
    })?;
    let mut outcome = Outcome::default();
    outcome.objects.insert(WEIGHTS.to_owned(), job.put_weights(&weights)?);
    Ok(outcome)
}

//! `dissect`: which units of a layer answer to which concepts.

use super::state::batch;
use super::validity::Watcher;
use super::{Job, Outcome, RunError, tallies};
use crate::nn::data;
use crate::nn::dissect::{self, Bench, Failure, Maps};
use crate::nn::net::{Network, Setup};
use crate::ops::dissect::DissectArgs;

/// Dissects a layer.
pub(super) fn dissect(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: DissectArgs = job.args()?;
    let state = job.state("state")?;
    let mut measurement = args.measurement;
    let (roots, cache) = (&job.surroundings.data_roots, &job.surroundings.data_cache);
    let probe = data::open_probe(&args.probe, measurement.pixels, roots, cache)?;
    let frozen: Option<Vec<f32>> = if job.inputs.contains_key("thresholds") {
        let other = tallies::read(job, "thresholds")?;
        Some(other.heading.units.iter().map(|unit| unit.threshold).collect())
    } else {
        None
    };
    let threads = job.surroundings.threads;
    measurement.batch = batch(&args.arch);
    let setup = Setup { input: Some(probe.shape()), ..Setup::evaluate(measurement.batch, threads).on(&job.device()) };
    let mut network = Network::new(&args.arch, &setup.observing(&measurement.layer))?;
    network.load(&state.weights, state.mask.as_ref())?;
    let layer = measurement.layer.clone();
    let mut maps = |pixels: &[f32], images: usize| -> Result<Maps, Failure> {
        network.forward(pixels, images)?;
        let (shape, values) = network.activation(&layer)?;
        Ok(Maps { units: shape.channels, height: shape.height, width: shape.width, values })
    };
    let bench =
        Bench { field: args.arch.field(&measurement.layer), frozen: frozen.as_deref(), ..Bench::new(&probe, threads) };
    let mut watcher = Watcher { tell: &mut *job.tell, stop: job.surroundings.stop };
    let found = dissect::dissect(&mut maps, &bench, &measurement, &mut watcher)?;
    let mut outcome = Outcome { measures: found.measures, ..Outcome::default() };
    if let Some((_, first)) = probe.damaged().first() {
        let count = probe.damaged().len();
        outcome.measures.insert("skipped".to_owned(), count as f64);
        job.note(format!("damaged images are left out, {count} in all, first {first}"));
    }
    outcome.objects.insert("tallies".to_owned(), job.put(&found.tallies)?);
    outcome.objects.insert("masks".to_owned(), job.put(&found.masks)?);
    Ok(outcome)
}

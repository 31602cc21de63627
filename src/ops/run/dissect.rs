//! `dissect`: which units of a layer answer to which concepts.

use std::sync::atomic::{AtomicBool, Ordering};

use super::state::batch;
use super::{Job, Outcome, Progress, RunError, Telling};
use crate::nn::data;
use crate::nn::dissect::{self, Failure, Maps, Watch};
use crate::nn::net::{Network, Setup};
use crate::ops::dissect::DissectArgs;

/// Passes on how far the dissection is, and the wish to stop.
struct Watcher<'a> {
    tell: &'a mut dyn FnMut(Telling),
    stop: &'a AtomicBool,
}

impl Watch for Watcher<'_> {
    fn progress(&mut self, done: usize, total: usize) {
        let progress = Progress { step: done as u64, total: total as u64, ..Progress::default() };
        (self.tell)(Telling::Progress(progress));
    }

    fn stop(&mut self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Dissects a layer.
pub(super) fn dissect(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: DissectArgs = job.args()?;
    let state = job.state("state")?;
    let probe = data::open_probe(&args.probe, &job.surroundings.data_roots, &job.surroundings.data_cache)?;
    let threads = job.surroundings.threads;
    let mut dissection = args.dissection;
    dissection.batch = batch(&args.arch);
    let setup = Setup { input: Some(probe.shape()), ..Setup::evaluate(dissection.batch, threads).on(&job.device()) };
    let mut network = Network::new(&args.arch, &setup.observing(&dissection.layer))?;
    network.load(&state.weights, state.mask.as_ref())?;
    let layer = dissection.layer.clone();
    let mut maps = |pixels: &[f32], images: usize| -> Result<Maps, Failure> {
        network.forward(pixels, images)?;
        let (shape, values) = network.activation(&layer)?;
        Ok(Maps { units: shape.channels, height: shape.height, width: shape.width, values })
    };
    let mut watcher = Watcher { tell: &mut *job.tell, stop: job.surroundings.stop };
    let found = dissect::dissect(&mut maps, &probe, &dissection, threads, &mut watcher)?;
    let mut outcome = Outcome { measures: found.measures, ..Outcome::default() };
    if let Some((_, first)) = probe.damaged().first() {
        let count = probe.damaged().len();
        outcome.measures.insert("skipped".to_owned(), count as f64);
        job.note(format!("damaged images are left out, {count} in all, first {first}"));
    }
    outcome.objects.insert("units".to_owned(), job.put(&found.table)?);
    outcome.objects.insert("tallies".to_owned(), job.put(&found.tallies)?);
    Ok(outcome)
}

//! `null_test`, `drift`, `bootstrap`: what the counts of a dissection are worth.

use std::sync::atomic::{AtomicBool, Ordering};

use super::tallies::{object, read, unreadable};
use super::{Job, Outcome, Progress, RunError, Telling};
use crate::nn::data;
use crate::nn::data::broden::Selection;
use crate::nn::dissect::{self, DissectError, Masks, Watch};
use crate::ops::bootstrap::BootstrapArgs;
use crate::ops::drift::DriftArgs;
use crate::ops::null_test::NullTestArgs;

/// Passes on how far a stage on a dissection is, and the wish to stop.
pub(super) struct Watcher<'a> {
    pub(super) tell: &'a mut dyn FnMut(Telling),
    pub(super) stop: &'a AtomicBool,
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

/// Tests units against chance.
pub(super) fn null_test(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: NullTestArgs = job.args()?;
    let tallies = read(job, "tallies")?;
    let masks = object(job, "tallies", "masks")?;
    let (roots, cache) = (&job.surroundings.data_roots, &job.surroundings.data_cache);
    let probe = data::open_probe(&args.probe, None, roots, cache)?;
    let selection: Selection = probe.select(&tallies.heading.measurement.categories)?;
    let mut labels = |row: usize| probe.segmentation(row, &selection).map_err(DissectError::from);
    let mut watcher = Watcher { tell: &mut *job.tell, stop: job.surroundings.stop };
    let masks = Masks::open(&masks).map_err(unreadable)?;
    let threads = job.surroundings.threads;
    let chance = dissect::null_test(&tallies, masks, &mut labels, &args.scoring, &args.test, threads, &mut watcher)?;
    let mut table = "unit,p,adjusted,chance_iou\n".to_owned();
    for (unit, p) in chance.p_values.iter().enumerate() {
        table += &format!("{},{p},{},{}\n", unit + 1, chance.adjusted[unit], chance.expected[unit]);
    }
    let mut counts: Vec<f64> = chance.units.iter().map(|&count| count as f64).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let expected = mean(&counts);
    let significant = chance.adjusted.iter().filter(|&&q| q <= args.level).count();
    let mut outcome = outcome([
        ("significant", significant as f64),
        ("chance_units", expected),
        ("chance_units_high", quantile(&mut counts, 0.95)),
        ("chance_iou", mean(&chance.expected)),
        ("least_p", chance.p_values.iter().copied().fold(1.0, f64::min)),
    ]);
    outcome.objects.insert("chance".to_owned(), job.put(table.as_bytes())?);
    Ok(outcome)
}

/// Compares two dissections.
pub(super) fn drift(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: DriftArgs = job.args()?;
    let found = dissect::drift(&read(job, "tallies")?, &read(job, "from")?, &args.scoring);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut rows = vec![["unit", "label_from", "iou_from", "label", "iou"].map(str::to_owned)];
    rows.extend(found.units.into_iter().enumerate().map(|(unit, [(was, before), (is, now)])| {
        [(unit + 1).to_string(), was, before.to_string(), is, now.to_string()]
    }));
    let odd = |error: csv::Error| unreadable(std::io::Error::other(error));
    rows.iter().try_for_each(|row| writer.write_record(row)).map_err(odd)?;
    let table = writer.into_inner().map_err(|error| unreadable(std::io::Error::other(error.to_string())))?;
    let mut outcome = Outcome { measures: found.measures, ..Outcome::default() };
    outcome.objects.insert("units".to_owned(), job.put(&table)?);
    Ok(outcome)
}

/// Draws images again.
pub(super) fn bootstrap(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: BootstrapArgs = job.args()?;
    let tallies = read(job, "tallies")?;
    let mut watcher = Watcher { tell: &mut *job.tell, stop: job.surroundings.stop };
    let threads = job.surroundings.threads;
    let found = dissect::bootstrap(&tallies, &args.scoring, &args.resampling, threads, &mut watcher)?;
    let mut table = "units,concepts\n".to_owned();
    found.iter().for_each(|round| table += &format!("{},{}\n", round.units, round.concepts));
    let [mut units, mut concepts] = [0, 1].map(|which| {
        let of = |round: &dissect::Resampled| if which == 0 { round.units } else { round.concepts };
        found.iter().map(|round| of(round) as f64).collect::<Vec<f64>>()
    });
    let mut outcome = outcome([
        ("units_sd", deviation(&units)),
        ("units_low", quantile(&mut units, 0.025)),
        ("units_high", quantile(&mut units, 0.975)),
        ("concepts_sd", deviation(&concepts)),
        ("concepts_low", quantile(&mut concepts, 0.025)),
        ("concepts_high", quantile(&mut concepts, 0.975)),
    ]);
    outcome.objects.insert("replicates".to_owned(), job.put(table.as_bytes())?);
    Ok(outcome)
}

fn outcome<const N: usize>(measures: [(&str, f64); N]) -> Outcome {
    let measures = measures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Outcome { measures, ..Outcome::default() }
}

/// The quantile of values, linear between them; sorts them.
fn quantile(values: &mut [f64], level: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let place = level * last as f64;
    let (low, high) = (values[place as usize], values[(place as usize + 1).min(last)]);
    low + place.fract() * (high - low)
}

/// The standard deviation of a sample.
fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
}

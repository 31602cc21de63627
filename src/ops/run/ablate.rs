//! `ablate`: accuracy with some units silent.

use super::state::batch;
use super::{Job, Outcome, Progress, RunError, Telling, tallies};
use crate::nn::ablate::{ClassHits, Subject, class_hits};
use crate::nn::dissect;
use crate::nn::rng::Stream;
use crate::ops::ablate::{AblateArgs, Order};

/// Classifies twice: with all units, and without some.
pub(super) fn ablate(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: AblateArgs = job.args()?;
    let state = job.state("state")?;
    let silent = chosen(job, &args)?;
    let images = job.images(&args.task, args.split)?;
    let device = job.device();
    let subject = Subject {
        arch: &args.arch,
        weights: &state.weights,
        mask: state.mask.as_ref(),
        images: &*images,
        batch: batch(&args.arch),
        threads: job.surroundings.threads,
        device: &device,
    };
    let mut both = Vec::new();
    for (done, silent) in [Vec::new(), silent.clone()].into_iter().enumerate() {
        let hits = class_hits(subject, &args.layer, &silent, &|| job.stopped())?;
        both.push(hits.ok_or(RunError::Interrupted { step: None })?);
        let progress = Progress { step: done as u64 + 1, total: 2, ..Progress::default() };
        (job.tell)(Telling::Progress(progress));
    }
    job.note_skipped(&*images);
    let (intact, left) = (&both[0], &both[1]);
    let mut table = "class,images,intact,left\n".to_owned();
    let mut falls = Vec::new();
    for (class, (before, after)) in intact.iter().zip(left).enumerate() {
        table += &format!("{class},{},{},{}\n", before.images, before.correct, after.correct);
        if before.images > 0 {
            falls.push((before.correct as f64 - after.correct as f64) / before.images as f64);
        }
    }
    let silent = silent.iter().fold("unit\n".to_owned(), |table, unit| table + &format!("{}\n", unit + 1));
    let measures = [
        ("top1", share(left)),
        ("intact", share(intact)),
        ("fall", falls.iter().sum::<f64>() / falls.len().max(1) as f64),
        ("worst_fall", falls.iter().copied().fold(0.0, f64::max)),
        ("classes_hurt", falls.iter().filter(|&&fall| fall > 0.1).count() as f64),
    ];
    let mut outcome = Outcome::default();
    outcome.measures.extend(measures.map(|(name, value)| (name.to_owned(), value)));
    outcome.objects.insert("classes".to_owned(), job.put(table.as_bytes())?);
    outcome.objects.insert("silent".to_owned(), job.put(silent.as_bytes())?);
    Ok(outcome)
}

/// The units that fall silent.
fn chosen(job: &Job<'_>, args: &AblateArgs) -> Result<Vec<usize>, RunError> {
    let tallies = tallies::read(job, "tallies")?;
    let units = dissect::score(&tallies, &args.scoring).units;
    let mut order: Vec<usize> = match &args.by {
        Order::Random(seed) => Stream::new(seed, "ablate").at(0, 0).permutation(units.len()),
        Order::Strongest | Order::Weakest => (0..units.len()).collect(),
    };
    let by_score = |a: &usize, b: &usize| units[*a].score().total_cmp(&units[*b].score());
    match args.by {
        Order::Strongest => order.sort_by(|a, b| by_score(b, a)),
        Order::Weakest => order.sort_by(by_score),
        Order::Random(_) => {}
    }
    order.truncate(args.units as usize);
    order.sort_unstable();
    Ok(order)
}

/// Share of images that are classified rightly.
fn share(hits: &[ClassHits]) -> f64 {
    let [correct, images] = [0, 1].map(|which| {
        hits.iter().map(|class| if which == 0 { class.correct } else { class.images }).sum::<u64>() as f64
    });
    correct / images.max(1.0)
}

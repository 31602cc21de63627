//! `train`: from any stored point of the trajectory to its end, with resume points on the way.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::diag::codes::{data as data_codes, execution};
use crate::domain::data::{Damaged, Split};
use crate::domain::pruning::Gradual;
use crate::nn::data::Images;
use crate::nn::train::{Pruned, Snapshot, StepStats, Task, Trainer};
use crate::nn::{checkpoint, mask};
use crate::ops::run::state::{DORMANT, MASK, OPTIMIZER, WEIGHTS, refer};
use crate::ops::run::{Cadence, Course, Job, Outcome, Problem, Progress, RunError, Telling};
use crate::ops::stages::train::TrainArgs;
use crate::store::{Digest, Point, PointKind};

/// Resume points that are kept.
const KEPT: usize = 2;
/// Share of the time that saving may take.
const SHARE: u32 = 50;

/// Sums over the iterations of the epoch at hand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    loss: f64,
    correct: u64,
    images: u64,
    skipped: u64,
}

impl Sums {
    fn add(&mut self, stats: StepStats) {
        self.loss += stats.loss * stats.images as f64;
        self.correct += stats.correct;
        self.images += stats.images;
        self.skipped += stats.skipped;
    }

    fn mean_loss(&self) -> f64 {
        self.loss / self.images as f64
    }

    fn top1(&self) -> f64 {
        self.correct as f64 / self.images as f64
    }

    /// Writes the sums with all their bits.
    fn write(&self, iteration: u64) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("iteration".to_owned(), iteration.to_string()),
            ("epoch_loss".to_owned(), format!("{:016x}", self.loss.to_bits())),
            ("epoch_correct".to_owned(), self.correct.to_string()),
            ("epoch_images".to_owned(), self.images.to_string()),
            ("epoch_skipped".to_owned(), self.skipped.to_string()),
        ])
    }

    fn read(from: &BTreeMap<String, String>) -> Option<(u64, Self)> {
        let loss = f64::from_bits(u64::from_str_radix(from.get("epoch_loss")?, 16).ok()?);
        let number = |name: &str| from.get(name)?.parse().ok();
        let [correct, images, skipped] = ["epoch_correct", "epoch_images", "epoch_skipped"].map(number);
        // Points of earlier versions know of no damaged images.
        let skipped = skipped.unwrap_or(0);
        Some((number("iteration")?, Self { loss, correct: correct?, images: images?, skipped }))
    }
}

/// A point to go on from.
struct Start {
    snapshot: Snapshot,
    sums: Sums,
    seconds: f64,
}

/// Trains.
pub(super) fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: TrainArgs = job.args()?;
    let course = job.course.ok_or_else(|| Problem::new(&execution::STAGE_FAILED, "the stage has no trajectory"))?;
    let images = job.images(&args.task, Split::Train)?;
    let device = job.device();
    let task = Task {
        arch: &args.arch,
        recipe: &args.recipe,
        images: &*images,
        augment: &args.task.augment,
        order: &args.order,
        threads: job.surroundings.threads,
        device: &device,
        recompute: job.surroundings.recompute,
    };
    let per_epoch = args.recipe.iterations_per_epoch(images.len() as u64);
    if per_epoch != course.trajectory.per_epoch {
        let message = format!(
            "the data have {per_epoch} iterations per epoch, the program counts {}",
            course.trajectory.per_epoch
        );
        return Err(Problem::new(&data_codes::DATA_MISMATCH, message).into());
    }
    let input = job.input("state")?;
    let given = job.mask(input)?;
    let gradual = args.gradual.as_ref();
    let (trainer, sums) = if let Some(start) = find_start(job, course, gradual.is_some()) {
        job.earlier_seconds = start.seconds;
        (job.tell)(Telling::Resumed { from: start.snapshot.iteration });
        (Trainer::from_snapshot(task, &start.snapshot, given.as_ref())?, start.sums)
    } else {
        let weights = job.weights(input)?;
        (Trainer::new(task, &weights, given.as_ref(), course.trajectory.start)?, Sums::default())
    };
    let mut session = Session {
        trainer,
        sums,
        course,
        gradual,
        saved: Instant::now(),
        cost: Duration::ZERO,
        unsaved: 0,
        lately: Lately::default(),
    };
    let ended = session.run(job);
    job.note_skipped(&*images);
    ended?;
    session.finish(job, &*images)
}

/// Finds the longest stored beginning of the trajectory. A point that turns out to be damaged is passed over.
fn find_start(job: &Job<'_>, course: &Course, pruned: bool) -> Option<Start> {
    let fits = |point: &&Point| course.chain.key_at(&course.trajectory, point.step) == Some(point.key);
    job.store.points(course.base).iter().filter(fits).find_map(|point| load(job, course, point, pruned))
}

fn load(job: &Job<'_>, course: &Course, point: &Point, pruned: bool) -> Option<Start> {
    let (files, seconds) = match point.kind {
        PointKind::Rolling => job.store.load_point(course.base, point).ok()?,
        PointKind::Named => {
            let record = job.store.lookup(point.key).ok()??;
            let read = |role: &str| {
                let digest: Digest = record.outcome.objects.get(role)?.parse().ok()?;
                Some((role.to_owned(), job.store.get(&digest).ok()?))
            };
            let mut files = BTreeMap::from([read(WEIGHTS)?, read(OPTIMIZER)?]);
            if pruned && record.outcome.objects.contains_key(DORMANT) {
                files.extend([read(MASK)?, read(DORMANT)?]);
            }
            (files, record.run.seconds)
        }
    };
    let optimizer = files.get(OPTIMIZER)?;
    let (iteration, sums) = Sums::read(&checkpoint::metadata(optimizer).ok()?)?;
    let weights = checkpoint::decode(files.get(WEIGHTS)?).ok()?;
    let momentum = checkpoint::decode(optimizer).ok()?;
    let pruned = match (pruned, files.get(MASK), files.get(DORMANT)) {
        (true, Some(mask), Some(dormant)) => {
            Some(Pruned { mask: mask::decode(mask).ok()?, dormant: checkpoint::decode(dormant).ok()? })
        }
        // Nothing was pruned on the way yet.
        _ => None,
    };
    let snapshot = Snapshot { iteration, weights, momentum, pruned };
    (iteration == point.step).then_some(Start { snapshot, sums, seconds })
}

/// What the progress display shows: an average that forgets.
#[derive(Default)]
struct Lately {
    loss: Option<f64>,
    top1: Option<f64>,
    /// Images since the session began.
    images: u64,
}

impl Lately {
    fn add(&mut self, stats: StepStats) {
        let blend = |old: Option<f64>, new: f64| Some(old.map_or(new, |old| old + 0.05 * (new - old)));
        self.loss = blend(self.loss, stats.loss);
        self.top1 = blend(self.top1, stats.correct as f64 / stats.images.max(1) as f64);
        self.images += stats.images;
    }
}

/// One uninterrupted stretch of training.
struct Session<'a> {
    trainer: Trainer<'a>,
    sums: Sums,
    course: &'a Course,
    gradual: Option<&'a Gradual>,
    /// When the last point was saved, and what that took.
    saved: Instant,
    cost: Duration,
    /// Iterations since.
    unsaved: u64,
    lately: Lately,
}

impl Session<'_> {
    fn run(&mut self, job: &mut Job<'_>) -> Result<(), RunError> {
        let trajectory = &self.course.trajectory;
        let began = Instant::now();
        while self.trainer.at() < trajectory.until {
            if job.stopped() {
                self.save(job)?;
                return Err(RunError::Interrupted { step: Some(self.trainer.at()) });
            }
            let at = self.trainer.at();
            if at.is_multiple_of(trajectory.per_epoch.max(1)) {
                self.sums = Sums::default();
            }
            let rate = trajectory.rates.get((at - trajectory.start) as usize).copied().ok_or_else(|| {
                Problem::new(&execution::STAGE_FAILED, format!("the schedule has no rate for iteration {at}"))
            })?;
            if let (Some(gradual), [pruning]) = (self.gradual, trajectory.prunings_in(at, at + 1)) {
                match self.trainer.prune(gradual, &pruning.sparsity) {
                    // As in `prune`.
                    Err(error) if error.leaves_too_few() && job.preimage.smoke.is_some() => {}
                    other => other?,
                }
            }
            let stats = self.trainer.step(rate)?;
            self.sums.add(stats);
            if stats.images > 0 {
                self.lately.add(stats);
            }
            self.unsaved += 1;
            (job.tell)(Telling::Progress(Progress {
                first: trajectory.start,
                step: self.trainer.at(),
                total: trajectory.until,
                loss: self.lately.loss,
                top1: self.lately.top1,
                images_per_second: Some(self.lately.images as f64 / began.elapsed().as_secs_f64().max(1e-9)),
            }));
            if self.is_due() && self.trainer.at() < trajectory.until {
                self.save(job)?;
            }
        }
        Ok(())
    }

    fn is_due(&self) -> bool {
        match self.course.cadence {
            Cadence::Iterations(every) => self.unsaved >= every.max(1),
            Cadence::Seconds(seconds) => {
                let seconds = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                self.saved.elapsed() >= seconds.max(self.cost * SHARE)
            }
        }
    }

    /// Saves a resume point and lets older ones go.
    fn save(&mut self, job: &Job<'_>) -> Result<(), RunError> {
        let began = Instant::now();
        let step = self.trainer.at();
        let Some(key) = self.course.chain.key_at(&self.course.trajectory, step) else { return Ok(()) };
        let snapshot = self.trainer.snapshot()?;
        if self.unsaved == 0 || !is_finite(&snapshot) {
            return Ok(());
        }
        let seconds = job.earlier_seconds + job.began.elapsed().as_secs_f64();
        job.store.save_point(self.course.base, step, key, &self.files(&snapshot)?, seconds)?;
        let mine = |point: &Point| {
            let on_the_way = self.course.chain.key_at(&self.course.trajectory, point.step) == Some(point.key);
            point.kind == PointKind::Rolling && point.step <= step && on_the_way
        };
        for old in job.store.points(self.course.base).iter().filter(|point| mine(point)).skip(KEPT) {
            // A point that cannot be removed only takes space.
            let _ = job.store.drop_point(self.course.base, old);
        }
        self.unsaved = 0;
        self.saved = Instant::now();
        self.cost = self.saved.duration_since(began);
        Ok(())
    }

    /// Writes everything that going on needs, besides a mask that does not change.
    fn files(&self, snapshot: &Snapshot) -> Result<BTreeMap<String, Vec<u8>>, RunError> {
        let weights = checkpoint::encode(&snapshot.weights, &BTreeMap::new())?;
        let optimizer = checkpoint::encode(&snapshot.momentum, &self.sums.write(snapshot.iteration))?;
        let mut files = BTreeMap::from([(WEIGHTS.to_owned(), weights), (OPTIMIZER.to_owned(), optimizer)]);
        if let Some(Pruned { mask, dormant }) = &snapshot.pruned {
            files.insert(MASK.to_owned(), mask::encode(mask));
            files.insert(DORMANT.to_owned(), checkpoint::encode(dormant, &BTreeMap::new())?);
        }
        Ok(files)
    }

    fn finish(&self, job: &Job<'_>, images: &dyn Images) -> Result<Outcome, RunError> {
        let mut outcome = Outcome::default();
        for (role, bytes) in self.files(&self.trainer.snapshot()?)? {
            outcome.objects.insert(role, job.put(&bytes)?);
        }
        if let Some(mask) = self.trainer.mask().filter(|_| self.gradual.is_some()) {
            outcome.measures.insert("kept".to_owned(), mask.kept() as f64);
            outcome.measures.insert("total".to_owned(), mask.total() as f64);
        }
        if !outcome.objects.contains_key(MASK) {
            refer(&mut outcome, job.input("state")?, MASK);
        }
        if self.sums.images > 0 {
            outcome.measures.insert("loss".to_owned(), self.sums.mean_loss());
            outcome.measures.insert("top1".to_owned(), self.sums.top1());
        }
        if images.damaged() == Damaged::Skip {
            outcome.measures.insert("skipped".to_owned(), self.sums.skipped as f64);
        }
        Ok(outcome)
    }
}

/// Tells whether a snapshot is worth going on from: weights that overflowed have no future.
fn is_finite(snapshot: &Snapshot) -> bool {
    snapshot.weights.values().all(|tensor| {
        let values = tensor.flatten_all().and_then(|flat| flat.to_vec1::<f32>());
        // What holds no floats counts something.
        values.is_ok_and(|values| values.iter().all(|value| value.is_finite())) || tensor.elem_count() == 1
    })
}

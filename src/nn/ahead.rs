//! Batches of images, read in parallel and, where that takes long, ahead of the computation.
//!
//! What is in a batch does not depend on how it is read: images are changed by random numbers that belong to them and
//! to the epoch. A failure comes up with the batch that it belongs to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::data::{DataError, Images};
use super::kernels::Threads;
use super::rng::Stream;
use crate::domain::data::{Augment, Damaged};
use crate::domain::seed::Seed;

/// Bytes of values that are read ahead at most, unless a single batch is larger.
const BUDGET: usize = 256 << 20;
/// Batches that are read ahead at most.
const BATCHES: usize = 16;

/// Images and their classes.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Values, image by image; those after the last image mean nothing.
    pub pixels: Vec<f32>,
    /// Classes.
    pub labels: Vec<usize>,
    /// Damaged images that were left out.
    pub skipped: u64,
}

/// Which images are read.
#[derive(Debug)]
pub(super) struct Request {
    /// Their places in the data.
    pub indices: Vec<usize>,
    /// Random changes, with the stream and the epoch that they draw from.
    pub changes: Option<(Arc<[Augment]>, Stream, u32)>,
}

impl Request {
    /// Reads images as they are.
    pub(super) fn plain(indices: Vec<usize>) -> Self {
        Self { indices, changes: None }
    }

    fn fill(&self, images: &dyn Images, at: usize, pixels: &mut [f32]) -> Result<(), DataError> {
        let index = self.indices[at];
        match &self.changes {
            Some((changes, stream, epoch)) if !changes.is_empty() => {
                images.fill_changed(index, changes, &mut stream.at(*epoch, index as u64), pixels)
            }
            _ => images.fill(index, pixels),
        }
    }
}

/// The batches of training, epoch after epoch.
pub(super) struct Epochs {
    order: Stream,
    augment: Stream,
    changes: Arc<[Augment]>,
    images: usize,
    batch: usize,
    per_epoch: u64,
    iteration: u64,
    current: Option<(u64, Vec<usize>)>,
}

impl Epochs {
    /// Begins at an iteration. Every epoch has its own order of `images`, drawn from `seed`.
    pub(super) fn new(seed: &Seed, changes: &[Augment], images: usize, batch: usize, per_epoch: u64, at: u64) -> Self {
        let (order, augment) = (Stream::new(seed, "order"), Stream::new(seed, "augment"));
        let changes = Arc::from(changes);
        Self { order, augment, changes, images, batch, per_epoch, iteration: at, current: None }
    }

    /// Returns what the next iteration reads.
    pub(super) fn next(&mut self) -> Request {
        let (epoch, within) = (self.iteration / self.per_epoch, (self.iteration % self.per_epoch) as usize);
        self.iteration += 1;
        let stale = self.current.as_ref().is_none_or(|(current, _)| *current != epoch);
        if stale {
            self.current = Some((epoch, self.order.at(epoch as u32, 0).permutation(self.images)));
        }
        let order = self.current.as_ref().map_or(&[][..], |(_, order)| order);
        let indices = order.chunks(self.batch.max(1)).nth(within).unwrap_or_default().to_vec();
        Request { indices, changes: Some((self.changes.clone(), self.augment, epoch as u32)) }
    }
}

/// Reads a batch; of several failures the first in order is returned. Damaged images that may be left out are, and the
/// others move up.
pub(super) fn read(
    threads: &Threads,
    images: &dyn Images,
    request: &Request,
    batch: &mut Batch,
) -> Result<(), DataError> {
    read_unless(threads, images, request, batch, &AtomicBool::new(false))
}

fn read_unless(
    threads: &Threads,
    images: &dyn Images,
    request: &Request,
    batch: &mut Batch,
    stop: &AtomicBool,
) -> Result<(), DataError> {
    let failures: Mutex<BTreeMap<usize, DataError>> = Mutex::default();
    let (size, count) = (images.shape().values(), request.indices.len());
    if batch.pixels.len() < count * size {
        batch.pixels.resize(count * size, 0.0);
    }
    threads.pieces(&mut batch.pixels[..count * size], size, |at, pixels| {
        if !stop.load(Ordering::Relaxed)
            && let Err(error) = request.fill(images, at, pixels)
            && let Ok(mut failures) = failures.lock()
        {
            failures.insert(at, error);
        }
    });
    let mut failures = failures.into_inner().unwrap_or_default();
    let may_skip = images.damaged() == Damaged::Skip;
    if let Some(first) = failures.iter().find(|(_, error)| !(may_skip && error.is_damage())).map(|(at, _)| *at)
        && let Some(error) = failures.remove(&first)
    {
        return Err(error);
    }
    batch.labels.clear();
    batch.skipped = failures.len() as u64;
    for (at, index) in request.indices.iter().enumerate().filter(|(at, _)| !failures.contains_key(at)) {
        let place = batch.labels.len();
        if place < at {
            batch.pixels.copy_within(at * size..(at + 1) * size, place * size);
        }
        batch.labels.push(images.label(*index));
    }
    Ok(())
}

/// A thread that reads the next batches. The memory that it takes is bounded: batches are used again and again.
pub(super) struct Ahead {
    batches: Option<Receiver<Result<Batch, DataError>>>,
    spare: Option<Sender<Batch>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Begins to read what `next` asks for, until it asks for nothing. `largest` is the size of a batch in images.
    pub(super) fn start(
        images: Arc<dyn Images>,
        threads: usize,
        largest: usize,
        mut next: impl FnMut() -> Option<Request> + Send + 'static,
    ) -> Self {
        let bytes = largest * images.shape().values() * size_of::<f32>();
        let count = (BUDGET / bytes.max(1)).clamp(1, BATCHES);
        // The batch at work is one more.
        let (spare, empty) = bounded(count + 1);
        let (full, batches) = bounded(count);
        for _ in 0..count {
            let _ = spare.send(Batch::default());
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let threads = Threads::new(threads);
            for mut batch in &empty {
                let Some(request) = next() else { return };
                let read = read_unless(&threads, &*images, &request, &mut batch, &stopped).map(|()| batch);
                let failed = read.is_err();
                if stopped.load(Ordering::Relaxed) || full.send(read).is_err() || failed {
                    return;
                }
            }
        });
        Self { batches: Some(batches), spare: Some(spare), stop, thread: Some(thread) }
    }

    /// Exchanges a batch that is done with for the next one; nothing if there is none.
    ///
    /// # Errors
    /// If an image of the next batch cannot be read.
    pub(super) fn exchange(&self, done: Batch) -> Option<Result<Batch, DataError>> {
        if let Some(spare) = &self.spare {
            // If the reader has ended, what it read last is still to come.
            let _ = spare.send(done);
        }
        self.batches.as_ref()?.recv().ok()
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        (self.batches, self.spare) = (None, None);
        self.thread.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}

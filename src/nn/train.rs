//! Training: batches in a fixed random order, one optimiser step each. Every iteration is a point to stop and go on at.

use candle_core::Tensor;

use crate::domain::arch::Arch;
use crate::domain::data::Augment;
use crate::domain::device::Device;
use crate::domain::pruning::Gradual;
use crate::domain::recipe::Recipe;
use crate::domain::seed::Seed;

use super::ahead::{Ahead, Batch, Epochs, read};
use super::data::Images;
use super::mask::Mask;
use super::net::{Network, Setup};
use super::prune::{Sources, prune};
use super::{Error, Weights};

/// What is trained on what, and how.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The network.
    pub arch: &'a Arch,
    /// Optimiser, batch and loss.
    pub recipe: &'a Recipe,
    /// Training images.
    pub images: &'a dyn Images,
    /// Random changes to them.
    pub augment: &'a [Augment],
    /// Source of the order of images and of their changes.
    pub order: &'a Seed,
    /// Threads; they change no bit of a result.
    pub threads: usize,
    /// What computes the network.
    pub device: &'a Device,
    /// Whether most values are computed again for the backward pass instead of kept; it changes no bit of a result.
    pub recompute: bool,
}

/// Where training stands: enough to go on with the same bits.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Iterations done since step 0 of the schedule.
    pub iteration: u64,
    /// Parameters and buffers.
    pub weights: Weights,
    /// What the optimiser remembers of every learned parameter.
    pub momentum: Weights,
    /// Where masks change on the way: which weights are left, and what the others were.
    pub pruned: Option<Pruned>,
}

/// A mask that was made on the way.
#[derive(Clone, Debug)]
pub struct Pruned {
    /// Which weights are left.
    pub mask: Mask,
    /// The prunable weights that are gone, as they were when they went; 0 for those that are left.
    pub dormant: Weights,
}

/// What happened in one iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepStats {
    /// Mean loss of the batch, before the step.
    pub loss: f64,
    /// Images classified correctly, before the step.
    pub correct: u64,
    /// Images in the batch.
    pub images: u64,
    /// Damaged images that were left out of it.
    pub skipped: u64,
}

/// A network in training.
pub struct Trainer<'a> {
    task: Task<'a>,
    /// Weights that never come back are those that this leaves out.
    given: Option<&'a Mask>,
    pruned: Option<Pruned>,
    network: Network,
    iteration: u64,
    /// What is read next, unless that is done ahead.
    epochs: Option<Epochs>,
    ahead: Option<Ahead>,
    batch: Batch,
}

impl<'a> Trainer<'a> {
    /// Starts training at `iteration` with zero momentum.
    ///
    /// # Errors
    /// If weights, mask or images do not fit the architecture.
    pub fn new(task: Task<'a>, weights: &Weights, mask: Option<&'a Mask>, iteration: u64) -> Result<Self, Error> {
        if task.images.is_empty() {
            return Err(Error::Empty);
        }
        let found = task.images.shape();
        if found.channels != task.arch.input.channels {
            return Err(Error::Images { expected: task.arch.input, found });
        }
        let batch = task.recipe.batch.clamp(1, task.images.len());
        let setup = Setup {
            input: Some(found),
            recompute: task.recompute,
            ..Setup::train(batch, task.threads).on(task.device)
        };
        let mut network = Network::new(task.arch, &setup)?;
        network.load(weights, mask)?;
        network.optimize(&task.recipe.optimizer)?;
        let batch = Batch::default();
        Ok(Self { task, given: mask, pruned: None, network, iteration, epochs: None, ahead: None, batch })
    }

    /// Goes on where a snapshot was taken.
    ///
    /// # Errors
    /// If the snapshot, the mask or the images do not fit the architecture.
    pub fn from_snapshot(task: Task<'a>, snapshot: &Snapshot, mask: Option<&'a Mask>) -> Result<Self, Error> {
        let mut trainer = Self::new(task, &snapshot.weights, mask, snapshot.iteration)?;
        if let Some(pruned) = &snapshot.pruned {
            trainer.network.load(&snapshot.weights, Some(&pruned.mask))?;
            trainer.pruned = Some(pruned.clone());
        }
        trainer.network.resume(&task.recipe.optimizer, &snapshot.momentum)?;
        Ok(trainer)
    }

    /// Returns the iterations done since step 0 of the schedule.
    pub fn at(&self) -> u64 {
        self.iteration
    }

    /// Returns the iterations of one epoch.
    pub fn per_epoch(&self) -> u64 {
        self.task.recipe.iterations_per_epoch(self.task.images.len() as u64)
    }

    /// Returns the network, e.g. to ask for its buffers' size.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Learns from the next batch with the learning rate `rate`.
    ///
    /// # Errors
    /// If an image cannot be read, the loss is not finite, or (after an epoch) a pruned weight is not 0.
    pub fn step(&mut self, rate: f64) -> Result<StepStats, Error> {
        let (epoch, within) = (self.iteration / self.per_epoch(), self.iteration % self.per_epoch());
        self.read_batch()?;
        let (count, skipped) = (self.batch.labels.len(), self.batch.skipped);
        if count == 0 {
            // Every image was damaged; the iteration counts, so that epochs keep their length.
            self.iteration += 1;
            return Ok(StepStats { loss: 0.0, correct: 0, images: 0, skipped });
        }
        let values = count * self.task.images.shape().values();
        self.network.forward(&self.batch.pixels[..values], count)?;
        let sums = self.network.learn(&self.batch.labels, self.task.recipe.label_smoothing)?;
        let loss = sums.loss / count as f64;
        if !loss.is_finite() {
            return Err(Error::Diverged { loss, epoch, iteration: self.iteration });
        }
        self.network.update(rate)?;
        self.iteration += 1;
        if within + 1 == self.per_epoch()
            && let Some(mask) = self.mask()
            && let Some(name) = self.network.unmasked(mask)?
        {
            return Err(Error::Unmasked { name, epoch });
        }
        Ok(StepStats { loss, correct: sums.correct, images: count as u64, skipped })
    }

    /// Copies the state of training.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        let momentum = self.network.optimizer_state()?;
        let (weights, pruned) = (self.network.weights()?, self.pruned.clone());
        Ok(Snapshot { iteration: self.iteration, weights, momentum, pruned })
    }

    /// Returns the mask in force.
    pub fn mask(&self) -> Option<&Mask> {
        self.pruned.as_ref().map(|pruned| &pruned.mask).or(self.given)
    }

    /// Prunes to a sparsity before the next step. All weights that were left in the beginning compete: those that are
    /// gone by the values that they had when they went, which they take up again if they return.
    ///
    /// # Errors
    /// If the sparsity cannot be reached.
    pub fn prune(&mut self, gradual: &Gradual, sparsity: &str) -> Result<(), Error> {
        let mut weights = self.network.weights()?;
        if let Some(Pruned { mask, dormant }) = &self.pruned {
            for (name, dormant) in dormant {
                let kept = mask.bits(name).unwrap_or_default();
                let restored = chosen(&weights[name], dormant, kept)?;
                weights.insert(name.clone(), restored);
            }
        }
        let sources = Sources { threads: self.task.threads, ..Sources::default() };
        let mask = prune(self.task.arch, &weights, self.given, &gradual.to(sparsity), sources)?;
        let mut dormant = Weights::new();
        for entry in self.network.survey().prunable() {
            let (tensor, kept) = (&weights[&entry.name], mask.bits(&entry.name).unwrap_or_default());
            dormant.insert(entry.name.clone(), chosen(&tensor.zeros_like()?, tensor, kept)?);
        }
        self.network.load(&weights, Some(&mask))?;
        self.pruned = Some(Pruned { mask, dormant });
        Ok(())
    }

    /// Reads the next batch.
    fn read_batch(&mut self) -> Result<(), Error> {
        if self.epochs.is_none() && self.ahead.is_none() {
            self.begin_to_read();
        }
        if let Some(ahead) = &self.ahead {
            self.batch = ahead.exchange(std::mem::take(&mut self.batch)).ok_or(Error::Reader)??;
        } else if let Some(epochs) = &mut self.epochs {
            read(self.network.threads(), self.task.images, &epochs.next(), &mut self.batch)?;
        }
        Ok(())
    }

    fn begin_to_read(&mut self) {
        let Task { order, augment, images, recipe, threads, .. } = self.task;
        let mut epochs = Epochs::new(order, augment, images.len(), recipe.batch, self.per_epoch(), self.iteration);
        match images.shared() {
            Some(shared) => {
                self.ahead = Some(Ahead::start(shared, threads, recipe.batch, move || Some(epochs.next())));
            }
            None => self.epochs = Some(epochs),
        }
    }
}

/// Takes the elements of `left` that are kept and those of `gone` that are not.
fn chosen(left: &Tensor, gone: &Tensor, kept: &[bool]) -> Result<Tensor, Error> {
    let [of_left, of_gone] = [left, gone].map(|tensor| tensor.flatten_all()?.to_vec1::<f32>());
    let values = of_left?.into_iter().zip(of_gone?).zip(kept);
    let values: Vec<f32> = values.map(|((left, gone), kept)| if *kept { left } else { gone }).collect();
    Ok(Tensor::from_vec(values, left.dims(), left.device())?)
}

#[cfg(test)]
mod on_disk;
#[cfg(test)]
mod tests;

//! Evaluation of a trained network on a split. The batch size changes no bit of the result.

use crate::domain::arch::Arch;
use crate::domain::device::Device;

use super::ahead::{Ahead, Batch, Request, read};
use super::data::Images;
use super::kernels::loss::Sums;
use super::mask::Mask;
use super::net::{Network, Setup};
use super::{Error, Weights};

/// How well a network classifies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share of images whose class has the largest output.
    pub top1: f64,
    /// Share of images whose class is among the five largest outputs.
    pub top5: f64,
    /// Number of images that were classified.
    pub images: u64,
    /// Damaged images that were left out.
    pub skipped: u64,
    /// Layers that multiplied only the weights that are left.
    pub sparse_layers: u64,
}

/// Classifies all images with running statistics.
///
/// # Errors
/// If weights, mask or images do not fit the architecture, or an image cannot be read.
pub fn evaluate(
    arch: &Arch,
    weights: &Weights,
    mask: Option<&Mask>,
    images: &dyn Images,
    batch: usize,
    threads: usize,
    device: &Device,
) -> Result<Evaluation, Error> {
    if images.is_empty() {
        return Err(Error::Empty);
    }
    let shape = images.shape();
    if shape.channels != arch.input.channels {
        return Err(Error::Images { expected: arch.input, found: shape });
    }
    let batch = batch.clamp(1, images.len());
    let mut network = Network::new(arch, &Setup { input: Some(shape), ..Setup::evaluate(batch, threads).on(device) })?;
    network.load(weights, mask)?;
    let (mut batches, mut sums, mut good) = (Batches::new(images, batch, threads), Sums::default(), 0_u64);
    while let Some(batch) = batches.next(&network)? {
        let count = batch.labels.len();
        if count > 0 {
            network.forward(&batch.pixels[..count * shape.values()], count)?;
            network.score(&batch.labels, 0.0, &mut sums)?;
            good += count as u64;
        }
    }
    if good == 0 {
        return Err(Error::Empty);
    }
    let count = good as f64;
    Ok(Evaluation {
        loss: sums.loss / count,
        top1: sums.correct as f64 / count,
        top5: sums.correct5 as f64 / count,
        images: good,
        skipped: images.len() as u64 - good,
        sparse_layers: network.sparse_layers() as u64,
    })
}

/// All images in order.
pub(super) struct Batches<'a> {
    images: &'a dyn Images,
    size: usize,
    next: usize,
    ahead: Option<Ahead>,
    batch: Batch,
}

impl<'a> Batches<'a> {
    /// Begins with the first images, in batches of `size`.
    pub(super) fn new(images: &'a dyn Images, size: usize, threads: usize) -> Self {
        let ahead = images.shared().map(|shared| {
            let (mut next, len) = (0, images.len());
            Ahead::start(shared, threads, size, move || request(&mut next, size, len))
        });
        Self { images, size, next: 0, ahead, batch: Batch::default() }
    }

    /// Returns the next batch, read with the threads of the network if it was not read ahead.
    pub(super) fn next(&mut self, network: &Network) -> Result<Option<&Batch>, Error> {
        let Some(request) = request(&mut self.next, self.size, self.images.len()) else { return Ok(None) };
        match &self.ahead {
            Some(ahead) => {
                self.batch = ahead.exchange(std::mem::take(&mut self.batch)).ok_or(Error::Reader)??;
            }
            None => read(network.threads(), self.images, &request, &mut self.batch)?,
        }
        Ok(Some(&self.batch))
    }
}

fn request(next: &mut usize, size: usize, len: usize) -> Option<Request> {
    let first = *next;
    *next = (first + size).min(len);
    (first < len).then(|| Request::plain((first..*next).collect()))
}

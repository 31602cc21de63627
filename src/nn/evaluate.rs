//! Evaluation of a trained network on a split. The batch size changes no bit of the result.

use crate::domain::arch::Arch;
use crate::domain::device::Device;

use super::data::Images;
use super::kernels::loss::Sums;
use super::mask::Mask;
use super::net::{Network, Setup};
use super::train::read;
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
    /// Number of images.
    pub images: u64,
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
    let mut pixels = vec![0.0; batch * shape.values()];
    let mut sums = Sums::default();
    let all: Vec<usize> = (0..images.len()).collect();
    for batch in all.chunks(batch) {
        read(network.threads(), &mut pixels, images, batch, |index, pixels| images.fill(index, pixels))?;
        let labels: Vec<usize> = batch.iter().map(|index| images.label(*index)).collect();
        network.forward(&pixels[..batch.len() * shape.values()], batch.len())?;
        network.score(&labels, 0.0, &mut sums)?;
    }
    let count = images.len() as f64;
    Ok(Evaluation {
        loss: sums.loss / count,
        top1: sums.correct as f64 / count,
        top5: sums.correct5 as f64 / count,
        images: images.len() as u64,
        sparse_layers: network.sparse_layers() as u64,
    })
}

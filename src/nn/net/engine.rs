//! What runs a program on a device.

use std::borrow::Cow;
use std::sync::Arc;

use crate::nn::Error;
use crate::nn::kernels::loss::Sums;
use crate::nn::kernels::update::Rule;

use super::program::Value;

/// How a forward pass treats a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// By its own statistics, which move the running ones.
    Learning,
    /// By the statistics of the pass before: values that were given up are made again.
    Again,
    /// By the running statistics.
    Fixed,
}

/// A device at work on a program. Values and parameters go by their numbers in the program and the survey; all lists of
/// numbers that go in and out lie in the memory of the host.
pub(super) trait Engine {
    /// Writes a parameter, in its own layout.
    fn set_parameter(&mut self, at: usize, values: &[f32]) -> Result<(), Error>;

    /// Reads a parameter.
    fn parameter(&self, at: usize) -> Result<Cow<'_, [f32]>, Error>;

    /// Reads the gradient of a learned parameter.
    fn gradient(&self, at: usize) -> Result<Cow<'_, [f32]>, Error>;

    /// Writes one of the things that the optimiser remembers of a parameter.
    fn set_memory(&mut self, which: usize, at: usize, values: &[f32]) -> Result<(), Error>;

    /// Reads one of the things that the optimiser remembers of a parameter.
    fn memory(&self, which: usize, at: usize) -> Result<Cow<'_, [f32]>, Error>;

    /// Says which elements of each parameter stay 0 in updates from now on: those that are not kept.
    fn set_mask(&mut self, kept: Vec<Option<Arc<[bool]>>>) -> Result<(), Error>;

    /// Runs `n` images, `[n][channel][row][column]`, through all steps.
    fn forward(&mut self, images: &[f32], n: usize) -> Result<(), Error>;

    /// Reads a value for the first `n` images, `[n][row][column][channel]`.
    fn value(&self, value: Value, n: usize) -> Result<Cow<'_, [f32]>, Error>;

    /// Reads the gradient of a value for the first `n` images, `[n][row][column][channel]`.
    fn value_gradient(&self, value: Value, n: usize) -> Result<Cow<'_, [f32]>, Error>;

    /// Adds the losses and hits of the last images to sums.
    fn score(&self, labels: &[usize], smoothing: f64, sums: &mut Sums) -> Result<(), Error>;

    /// Sums losses and hits of the last images and computes the gradients of the mean loss.
    fn learn(&mut self, labels: &[usize], smoothing: f64) -> Result<Sums, Error>;

    /// Computes gradients for `n` images from the gradient of the output, `[n][row][column][channel]`.
    fn backward(&mut self, output_gradient: &[f32], n: usize) -> Result<(), Error>;

    /// Moves a parameter along its gradient.
    fn update(&mut self, at: usize, rule: Rule) -> Result<(), Error>;

    /// Counts the layers that multiplied only weights that are not 0 in the last pass.
    fn sparse_layers(&self) -> usize;

    /// Returns the bytes of memory that it holds.
    fn held_bytes(&self) -> u64;
}

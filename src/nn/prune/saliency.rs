//! Gradients of the loss at a network that is to be pruned.

use std::collections::BTreeMap;

use crate::domain::arch::{Arch, Parameter};
use crate::domain::pruning::Samples;
use crate::nn::ahead::{self, Batch, Request};
use crate::nn::data::Images;
use crate::nn::kernels::loss::{Sums, cross_entropy};
use crate::nn::mask::Mask;
use crate::nn::net::{Double, Network, Setup};
use crate::nn::rng::Stream;
use crate::nn::{Error, Weights};

/// One value per weight, by parameter.
pub(super) type Values = BTreeMap<String, Vec<f32>>;

/// Gradients of the loss by prunable weights.
#[derive(Default)]
pub(super) struct Slopes {
    /// g
    pub gradient: Values,
    /// Hg; empty if it was not asked for.
    pub hessian_gradient: Values,
}

/// How far weights are moved for a difference of gradients, as a share of their norm: far enough for 53 bits, and too
/// little for rectifiers to change their minds, which would show as curvature that the derivative does not have.
const STEP: f64 = 1.0 / (1 << 27) as f64;

/// Computes the gradient of the mean loss over the samples, with statistics of the batch in normalisations, and if asked
/// to its product with the Hessian. Only prunable weights that are left count.
///
/// # Errors
/// If images cannot be read or do not fit.
pub(super) fn slopes(
    arch: &Arch,
    weights: &Weights,
    mask: Option<&Mask>,
    samples: &Samples,
    images: &dyn Images,
    threads: usize,
    second: bool,
) -> Result<Slopes, Error> {
    let batch = samples.batch.clamp(1, images.len().max(1));
    let setup = Setup { input: Some(images.shape()), ..Setup::train(batch, threads) };
    let mut network = Network::new(arch, &setup)?;
    let batches = draw(&network, samples, images, batch)?;
    let classes = network.survey().output.values();
    if let Some(label) = batches.iter().flat_map(|batch| &batch.labels).find(|label| **label >= classes) {
        return Err(Error::Labels { output: network.survey().output, label: Some(*label) });
    }
    network.load(weights, mask)?;
    let gradient = mean_gradient(&mut network, &batches, samples.temperature, mask)?;
    let mut slopes = Slopes { gradient, hessian_gradient: Values::new() };
    if second {
        let network = Double::new(arch, &setup, weights, mask)?;
        slopes.hessian_gradient = hessian_gradient(network, &batches, samples.temperature, mask);
    }
    Ok(slopes)
}

/// Returns Hg for the gradient g by the prunable weights that are left, by central differences along it:
/// Hg ≈ (∇L(w + εg) − ∇L(w − εg)) / 2ε (Wang et al. 2020, "Picking Winning Tickets Before Training by Preserving Gradient
/// Flow", algorithm 2). In double precision, the difference is as good as the derivative.
fn hessian_gradient(mut network: Double, batches: &[Batch], temperature: f64, mask: Option<&Mask>) -> Values {
    let entries = || network.survey().parameters.iter().enumerate().filter(|(_, entry)| entry.prunable());
    let prunable: Vec<(usize, String)> = entries().map(|(at, entry)| (at, entry.name.clone())).collect();
    let clear = |gradients: &mut [Vec<f64>]| {
        for (at, name) in &prunable {
            let Some(kept) = mask.and_then(|mask| mask.bits(name)) else { continue };
            gradients[*at].iter_mut().zip(kept).filter(|(_, kept)| !**kept).for_each(|(slope, _)| *slope = 0.0);
        }
    };
    let mut gradient = double_gradient(&mut network, batches, temperature);
    clear(&mut gradient);
    let norm = |values: &[Vec<f64>]| {
        let squares = prunable.iter().flat_map(|(at, _)| &values[*at]).map(|value| value * value);
        squares.sum::<f64>().sqrt().max(f64::MIN_POSITIVE)
    };
    let step = STEP * norm(&network.parameters) / norm(&gradient);
    let start = network.parameters.clone();
    let mut at = |by: f64| {
        for (at, _) in &prunable {
            let moved = start[*at].iter().zip(&gradient[*at]).map(|(weight, slope)| weight + by * slope);
            network.parameters[*at] = moved.collect();
        }
        double_gradient(&mut network, batches, temperature)
    };
    let (mut up, down) = (at(step), at(-step));
    clear(&mut up);
    let difference = |(at, name): (usize, String)| {
        let kept = mask.and_then(|mask| mask.bits(&name));
        let pairs = up[at].iter().zip(&down[at]).enumerate();
        let left = |at: usize| kept.is_none_or(|kept| kept[at]);
        let slope = |(at, (up, down)): (usize, (&f64, &f64))| {
            if left(at) { ((up - down) / (2.0 * step)) as f32 } else { 0.0 }
        };
        (name, pairs.map(slope).collect())
    };
    prunable.clone().into_iter().map(difference).collect()
}

/// As [`mean_gradient`], in double precision, in the order of parameters.
fn double_gradient(network: &mut Double, batches: &[Batch], temperature: f64) -> Vec<Vec<f64>> {
    let classes = network.survey().output.values();
    let mut sums: Vec<Vec<f64>> = vec![Vec::new(); network.parameters.len()];
    for batch in batches {
        let n = batch.labels.len();
        let images = batch.pixels.iter().copied().map(f64::from).collect();
        let mut slope = network.forward(images, n).to_vec();
        for (row, label) in slope.chunks_exact_mut(classes).zip(&batch.labels) {
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row.iter_mut().for_each(|z| *z = libm::exp((*z - largest) / temperature));
            let total: f64 = row.iter().sum();
            row.iter_mut().for_each(|z| *z /= total);
            row[*label] -= 1.0;
            row.iter_mut().for_each(|z| *z /= temperature * (n * batches.len()) as f64);
        }
        for (sum, gradient) in sums.iter_mut().zip(network.backward(slope)) {
            if sum.is_empty() {
                *sum = gradient;
            } else {
                sum.iter_mut().zip(gradient).for_each(|(sum, value)| *sum += value);
            }
        }
    }
    sums
}

/// Returns ∂R / ∂|w| / R for every prunable parameter, R the sum of the outputs for an image of ones, all parameters
/// standing for their magnitudes; 0 for pruned weights.
///
/// # Errors
/// If weights or mask do not fit.
pub(super) fn synaptic_flow(
    arch: &Arch,
    weights: &Weights,
    mask: Option<&Mask>,
    threads: usize,
) -> Result<Values, Error> {
    let setup = Setup { frozen: true, ..Setup::train(1, threads) };
    let mut network = Double::new(arch, &setup, weights, mask)?;
    network.parameters.iter_mut().flatten().for_each(|value| *value = value.abs());
    let ones = vec![1.0; arch.input.values()];
    let (sum, outputs) = {
        let output = network.forward(ones, 1);
        (output.iter().sum::<f64>(), output.len())
    };
    let share = if sum > 0.0 { 1.0 / sum } else { 0.0 };
    let gradients = network.backward(vec![share; outputs]);
    let flow = |(entry, gradient): (&Parameter, Vec<f64>)| {
        let kept = mask.and_then(|mask| mask.bits(&entry.name));
        let left = |at: usize| kept.is_none_or(|kept| kept[at]);
        let one = |(at, value): (usize, f64)| if left(at) { value as f32 } else { 0.0 };
        (entry.name.clone(), gradient.into_iter().enumerate().map(one).collect())
    };
    let entries = network.survey().parameters.iter().zip(gradients);
    Ok(entries.filter(|(entry, _)| entry.prunable()).map(flow).collect())
}

/// Draws the batches: a random order of all images, of which balanced samples take as many of each class.
fn draw(network: &Network, samples: &Samples, images: &dyn Images, batch: usize) -> Result<Vec<Batch>, Error> {
    if images.is_empty() {
        return Err(Error::Empty);
    }
    let wanted = (samples.batch * samples.batches).clamp(1, images.len());
    let order = Stream::new(&samples.seed, "samples").at(0, 0).permutation(images.len());
    let chosen: Vec<usize> = if samples.balanced {
        let share = wanted.div_ceil(images.classes().max(1));
        let mut taken = vec![0; images.classes()];
        let fits = |index: &usize| {
            let count = &mut taken[images.label(*index)];
            *count += 1;
            *count <= share
        };
        order.into_iter().filter(fits).take(wanted).collect()
    } else {
        order.into_iter().take(wanted).collect()
    };
    let size = images.shape().values();
    let read = |chosen: &[usize]| {
        let mut batch = Batch::default();
        ahead::read(network.threads(), images, &Request::plain(chosen.to_vec()), &mut batch)?;
        batch.pixels.truncate(batch.labels.len() * size);
        Ok(batch)
    };
    let batches: Vec<Batch> = chosen.chunks(batch).map(read).collect::<Result<_, Error>>()?;
    let batches: Vec<Batch> = batches.into_iter().filter(|batch| !batch.labels.is_empty()).collect();
    if batches.is_empty() { Err(Error::Empty) } else { Ok(batches) }
}

/// Returns the gradient of the mean over batches of the mean cross-entropy of logits over `temperature`, by prunable
/// weights; 0 for pruned ones.
fn mean_gradient(
    network: &mut Network,
    batches: &[Batch],
    temperature: f64,
    mask: Option<&Mask>,
) -> Result<Values, Error> {
    let prunable: Vec<String> = network.survey().prunable().map(|entry| entry.name.clone()).collect();
    let classes = network.survey().output.values();
    let mut sums: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for batch in batches {
        network.forward(&batch.pixels, batch.labels.len())?;
        let logits: Vec<f32> = network.logits()?.iter().map(|logit| (f64::from(*logit) / temperature) as f32).collect();
        if logits.len() != batch.labels.len() * classes {
            return Err(Error::Labels { output: network.survey().output, label: None });
        }
        let mut slope = vec![0.0; logits.len()];
        cross_entropy(&logits, &batch.labels, classes, 0.0, &mut Sums::default(), Some(&mut slope));
        slope.iter_mut().for_each(|slope| *slope = (f64::from(*slope) / temperature) as f32);
        network.backward(&slope)?;
        for name in &prunable {
            let gradient = network.gradient(name)?.unwrap_or_default();
            let sum = sums.entry(name.clone()).or_insert_with(|| vec![0.0; gradient.len()]);
            sum.iter_mut().zip(gradient.iter()).for_each(|(sum, value)| *sum += f64::from(*value));
        }
    }
    let mean = |(name, sum): (String, Vec<f64>)| {
        let kept = mask.and_then(|mask| mask.bits(&name));
        let left = |at: usize| kept.is_none_or(|kept| kept[at]);
        let one = |(at, sum): (usize, f64)| if left(at) { (sum / batches.len() as f64) as f32 } else { 0.0 };
        let values = sum.into_iter().enumerate().map(one).collect();
        (name, values)
    };
    Ok(sums.into_iter().map(mean).collect())
}

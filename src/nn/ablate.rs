//! What units are good for: accuracy class by class with some of a layer's units silent.

use std::collections::BTreeMap;

use candle_core::{Device as Place, Tensor};

use crate::domain::arch::{Arch, Layer, Role};
use crate::domain::device::Device;

use super::data::Images;
use super::evaluate::Batches;
use super::mask::Mask;
use super::net::{Network, Setup};
use super::{Error, Weights};

/// Name of the layer that silences units.
const GATE: &str = "pdsl_gate";
/// What normalisations add to a variance.
const EPSILON: f64 = 1e-5;

/// How a network classifies the images of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassHits {
    /// Images of the class.
    pub images: u64,
    /// Those that are classified rightly.
    pub correct: u64,
}

/// A network and the images that it classifies.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The network.
    pub arch: &'a Arch,
    /// Its parameters and buffers.
    pub weights: &'a Weights,
    /// Which weights are left.
    pub mask: Option<&'a Mask>,
    /// Images.
    pub images: &'a dyn Images,
    /// Images per forward pass.
    pub batch: usize,
    /// Threads.
    pub threads: usize,
    /// What computes the network.
    pub device: &'a Device,
}

/// Classifies all images, class by class, with the units `silent` of `layer` set to 0 wherever they go on from there.
/// Returns nothing if `stop`, which is asked after every batch, says so.
///
/// # Errors
/// If the layer does not exist, the parts do not fit, or an image cannot be read.
pub fn class_hits(
    subject: Subject<'_>,
    layer: &str,
    silent: &[usize],
    stop: &dyn Fn() -> bool,
) -> Result<Option<Vec<ClassHits>>, Error> {
    let missing = || Error::NoLayer { path: layer.to_owned(), layers: Vec::new() };
    let gated;
    let (arch, weights) = if silent.is_empty() {
        (subject.arch, subject.weights.clone())
    } else {
        let norm = Layer::BatchNorm { zero_scale: false };
        gated = subject.arch.with_after(layer, GATE, &norm).ok_or_else(missing)?;
        let weights = with_gate(&gated, subject.weights, silent)?;
        (&gated, weights)
    };
    let images = subject.images;
    let batch = subject.batch.clamp(1, images.len().max(1));
    let setup = Setup { input: Some(images.shape()), ..Setup::evaluate(batch, subject.threads).on(subject.device) };
    let mut network = Network::new(arch, &setup)?;
    network.load(&weights, subject.mask)?;
    let classes = network.survey().output.values();
    let mut hits = vec![ClassHits::default(); classes];
    let mut batches = Batches::new(images, batch, subject.threads);
    while let Some(batch) = batches.next(&network)? {
        let count = batch.labels.len();
        network.forward(&batch.pixels[..count * images.shape().values()], count)?;
        let logits = network.logits()?;
        for (&label, logits) in batch.labels.iter().zip(logits.chunks_exact(classes)) {
            let class =
                hits.get_mut(label).ok_or(Error::Labels { output: network.survey().output, label: Some(label) })?;
            class.images += 1;
            class.correct += u64::from(largest(logits) == Some(label));
        }
        if stop() {
            return Ok(None);
        }
    }
    Ok(Some(hits))
}

/// The first place of the largest number.
fn largest(logits: &[f32]) -> Option<usize> {
    let best = logits.iter().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(place, _)| place)
}

/// Adds the parameters of the gate: a normalisation that passes every unit on as it is, but the silent ones, which it
/// multiplies by 0.
fn with_gate(gated: &Arch, weights: &Weights, silent: &[usize]) -> Result<Weights, Error> {
    let mut all: BTreeMap<String, Tensor> = weights.clone();
    for entry in gated.survey()?.parameters.into_iter().filter(|entry| !weights.contains_key(&entry.name)) {
        let count = entry.elements();
        let values: Vec<f32> = match entry.role {
            Role::NormScale | Role::NormScaleZero => (0..count)
                .map(|unit| if silent.contains(&unit) { 0.0 } else { (1.0_f64 + EPSILON).sqrt() as f32 })
                .collect(),
            Role::RunningVar => vec![1.0; count],
            _ => vec![0.0; count],
        };
        let tensor = if entry.role == Role::BatchCount {
            Tensor::new(0_i64, &Place::Cpu)?
        } else {
            Tensor::from_vec(values, entry.shape.as_slice(), &Place::Cpu)?
        };
        all.insert(entry.name, tensor);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::arch::samples::cifar_resnet;
    use crate::domain::data::{Split, Task};
    use crate::domain::seed::Seed;
    use crate::nn::data::{Roots, open_task};
    use crate::nn::init::initialize;

    fn sums(hits: &[ClassHits]) -> (u64, u64) {
        (hits.iter().map(|class| class.images).sum(), hits.iter().map(|class| class.correct).sum())
    }

    #[test]
    fn silent_units_are_as_if_nothing_read_them() {
        let arch = cifar_resnet(1, 8, 10, 1, 8);
        let weights = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
        let images = open_task(&Task::digits(), Split::Val, &Roots::new(), None).unwrap();
        let run = |weights: &Weights, layer: &str, silent: &[usize]| {
            let subject = Subject {
                arch: &arch,
                weights,
                mask: None,
                images: &*images,
                batch: 32,
                threads: 2,
                device: &Device::Cpu,
            };
            class_hits(subject, layer, silent, &|| false).unwrap().unwrap()
        };
        let whole = run(&weights, "layer3", &[]);
        assert_eq!(sums(&whole).0, 270);
        assert_ne!(run(&weights, "layer3", &[0, 1, 2, 3]), whole);
        // The last layer's outputs are means over its positions: without the columns of fc that read a unit it is silent.
        let silent: Vec<usize> = (0..12).collect();
        let mut deaf = weights.clone();
        let mut columns = deaf["fc.weight"].to_vec2::<f32>().unwrap();
        columns.iter_mut().for_each(|row| row[..12].fill(0.0));
        deaf.insert("fc.weight".to_owned(), Tensor::new(columns, &Place::Cpu).unwrap());
        assert_eq!(run(&weights, "layer3", &silent), run(&deaf, "layer3", &[]));
        // Without any unit the same class is always named.
        let none = run(&weights, "layer3", &(0..32).collect::<Vec<_>>());
        assert_eq!(none.iter().filter(|class| class.correct > 0).count(), 1);
    }
}

//! torchvision's own residual networks against those of `std.models`: logits and training. The fixture is written by
//! `tests/reference/networks/resnets.py`, which says why the training is not chaotic.

#![expect(clippy::print_stdout, reason = "measured differences are worth a look")]

use std::collections::BTreeMap;

use candle_core::Tensor;
use pdsl::domain::arch::{Arch, Shape};
use pdsl::domain::device::Device as Place;
use pdsl::domain::recipe::{Decay, Optimizer, Recipe};
use pdsl::domain::seed::Seed;
use pdsl::nn::Weights;
use pdsl::nn::net::{Network, Setup};
use pdsl::nn::train::{Task, Trainer};
use serde::Deserialize;

use super::networks::network;
use super::values::fill;
use super::{Ordered, assert_close, devices, fixture, picture};

const CLASSES: usize = 1000;
/// Classes that occur.
const PATTERNS: usize = 10;

#[derive(Deserialize)]
struct Fixture {
    logits: Vec<Classified>,
    batch: usize,
    size: usize,
    damping: f64,
    training: Training,
}

#[derive(Deserialize)]
struct Classified {
    network: String,
    size: usize,
    logits: Vec<f32>,
}

#[derive(Deserialize)]
struct Training {
    rate: f64,
    momentum: f64,
    weight_decay: f64,
    losses: Vec<f64>,
    logits: Vec<f32>,
}

fn read() -> Fixture {
    serde_json::from_slice(&fixture("resnets.json")).unwrap()
}

/// The reference's weights: the last scale of every block is small.
fn damped(name: &str, arch: &Arch, damping: f64) -> Weights {
    let last = if name == "resnet18" { "bn2.weight" } else { "bn3.weight" };
    let mut weights = fill(arch, 10);
    for (_, tensor) in weights.iter_mut().filter(|(name, _)| name.ends_with(last)) {
        *tensor = (&*tensor * damping).unwrap();
    }
    weights
}

fn logits(device: &Place, name: &str, weights: &Weights, count: usize, size: usize) -> Vec<f32> {
    let arch = network(name, CLASSES, size);
    let mut images = vec![0.0; count * arch.input.values()];
    images.chunks_mut(arch.input.values()).enumerate().for_each(|(i, pixels)| picture(i, PATTERNS, pixels));
    let mut network = Network::new(&arch, &Setup::evaluate(count, 2).on(device)).unwrap();
    network.load(weights, None).unwrap();
    network.forward(&images, count).unwrap();
    network.logits().unwrap().into_owned()
}

/// The largest difference.
fn apart(found: &[f32], expected: &[f32]) -> f32 {
    found.iter().zip(expected).fold(0.0, |largest, (found, expected)| (found - expected).abs().max(largest))
}

#[test]
fn logits_are_torchvisions() {
    let Fixture { logits: cases, damping, .. } = read();
    let devices = devices();
    for (case, (device, slack)) in cases.iter().flat_map(|case| devices.iter().map(move |device| (case, device))) {
        let Classified { network: name, size, logits: expected } = case;
        let found = logits(device, name, &damped(name, &network(name, CLASSES, *size), damping), 1, *size);
        println!("{device}: {name} at {size} px: logits up to {:.0e} apart", apart(&found, expected));
        assert!(apart(&found, expected) < 1e-4 * slack, "{device}: {name} at {size}");
        assert_close(&format!("{device}: {name} at {size}"), &found, expected, 1e-5 * slack);
    }
}

#[test]
fn twenty_steps_of_resnet50_are_torchvisions() {
    devices().iter().for_each(|(device, slack)| twenty_steps(device, *slack));
}

fn twenty_steps(device: &Place, slack: f32) {
    let Fixture { batch, size, damping, training, .. } = read();
    let arch = network("resnet50", CLASSES, size);
    let weights = damped("resnet50", &arch, damping);
    let order = Seed { root: 1, stream: Vec::new() };
    let shape = Shape { channels: 3, height: size, width: size };
    let images = Ordered::new(batch * training.losses.len(), PATTERNS, shape, &order);
    let Training { rate, momentum, weight_decay, .. } = training;
    let optimizer = Optimizer::Sgd { momentum, nesterov: false, weight_decay, decay: Decay::All };
    let recipe = Recipe { optimizer, batch, label_smoothing: 0.0 };
    let task = Task {
        arch: &arch,
        recipe: &recipe,
        images: &images,
        augment: &[],
        order: &order,
        threads: 2,
        device,
        recompute: false,
    };
    let mut trainer = Trainer::new(task, &weights, None, 0).unwrap();
    let mut errors = Vec::new();
    for expected in &training.losses {
        errors.push((trainer.step(rate).unwrap().loss / expected - 1.0).abs());
    }
    // Seen with `cargo test -- --nocapture`.
    let shown: Vec<String> = errors.iter().map(|error| format!("{error:.0e}")).collect();
    println!("relative differences of the losses: {}", shown.join(" "));
    assert!(errors.iter().all(|error| *error < 1e-4 * f64::from(slack)), "{device}: {}", shown.join(" "));

    // The weights and the running statistics that the steps have left.
    let after: BTreeMap<String, Tensor> = trainer.snapshot().unwrap().weights;
    let found = logits(device, "resnet50", &after, 2, size);
    println!("logits after them: up to {:.0e} apart", apart(&found, &training.logits));
    assert_close(&format!("{device}: logits after training"), &found, &training.logits, 1e-3 * slack);
}

//! The numerical core against PyTorch: fixtures written by `tests/reference/networks/*.py`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot read its fixture has failed")]
#![expect(clippy::print_stdout, reason = "the devices are named where `--nocapture` asks for it")]

mod autograd;
mod gpus;
#[path = "../../benches/networks/mod.rs"]
mod networks;
mod resnets;
mod saliency;
mod torchvision;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::{Device, Tensor};
use pdsl::domain::arch::{Arch, Layer, Shape};
use pdsl::domain::data::Augment;
use pdsl::domain::device::Device as Place;
use pdsl::domain::pruning::{Amount, Counting, Pruner, Rule, Scope, Score, Unit};
use pdsl::domain::recipe::{Decay, Optimizer, Recipe};
use pdsl::domain::seed::Seed;
use pdsl::nn::checkpoint::decode;
use pdsl::nn::data::{DataError, Images};
use pdsl::nn::device;
use pdsl::nn::mask::Mask;
use pdsl::nn::net::{Network, Setup};
use pdsl::nn::prune::{Sources, prune};
use pdsl::nn::rng::{Rng, Stream};
use pdsl::nn::train::{Task, Trainer};
use serde::Deserialize;
use values::{fill, value, values};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// Every device here, and how much further from PyTorch its results may be: a GPU adds in another order.
fn devices() -> Vec<(Place, f32)> {
    let found = device::devices();
    let names: Vec<String> = found.iter().map(Place::to_string).collect();
    println!("on {}", names.join(", "));
    found.into_iter().map(|device| if device == Place::Cpu { (device, 1.0) } else { (device, 5.0) }).collect()
}

/// Asserts that numbers agree to `tolerance` of the largest.
fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1e-3f32, |scale, value| scale.max(value.abs()));
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs() / scale;
        assert!(error <= tolerance, "{what}[{at}]: {found} instead of {expected}");
    }
}

#[derive(Deserialize)]
struct Operation {
    layer: Layer,
    input: Shape,
    images: usize,
}

#[test]
fn single_layers_agree_with_pytorch() {
    let cases: Vec<Operation> = serde_json::from_slice(&fixture("operations.json")).unwrap();
    let expected: BTreeMap<String, Vec<f32>> = decode(&fixture("operations.safetensors"))
        .unwrap()
        .into_iter()
        .map(|(name, tensor)| (name, tensor.flatten_all().unwrap().to_vec1().unwrap()))
        .collect();
    assert!(cases.len() > 40);
    let devices = devices();
    for (at, case) in cases.into_iter().enumerate() {
        let stream = 1000 * (at as u32 + 1);
        let arch = Arch { root: case.layer, input: case.input };
        let weights = fill(&arch, stream);
        let x = values(stream + 900, case.images * case.input.values());
        for ((device, slack), threads) in devices.iter().flat_map(|device| [(device, 1), (device, 2)]) {
            let what = |part: &str| format!("{device}: case {at}, {part} of {:?}", arch.root);
            let setup = Setup::evaluate(case.images, threads).on(device).observing("op");
            let mut network = Network::new(&arch, &setup).unwrap();
            network.load(&weights, None).unwrap();
            network.forward(&x, case.images).unwrap();
            let evaluated = network.activation("op").unwrap().1;
            assert_close(&what("evaluation"), &evaluated, &expected[&format!("{at}/evaluated")], 2e-6 * slack);

            let setup =
                Setup { differentiate_input: true, ..Setup::train(case.images, threads).on(device).observing("op") };
            let mut network = Network::new(&arch, &setup).unwrap();
            network.load(&weights, None).unwrap();
            network.forward(&x, case.images).unwrap();
            let y = network.activation("op").unwrap().1;
            assert_close(&what("output"), &y, &expected[&format!("{at}/output")], 2e-6 * slack);
            network.backward(&values(stream + 901, y.len())).unwrap();
            let input = network.input_gradient().unwrap().unwrap();
            assert_close(&what("input gradient"), &input, &expected[&format!("{at}/input")], 1e-5 * slack);
            let after = network.weights().unwrap();
            for entry in &network.survey().parameters {
                if let Some(expected) = expected.get(&format!("{at}/gradient/{}", entry.name)) {
                    assert_close(
                        &what(&entry.name),
                        &network.gradient(&entry.name).unwrap().unwrap(),
                        expected,
                        1e-5 * slack,
                    );
                }
                if let Some(expected) = expected.get(&format!("{at}/buffer/{}", entry.name)) {
                    let found = after[&entry.name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
                    assert_close(&what(&entry.name), &found, expected, 2e-6 * slack);
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Training {
    runs: Vec<Run>,
    resnet50: Logits,
}

#[derive(Clone, Deserialize)]
struct Run {
    layers: Layer,
    input: Shape,
    classes: usize,
    batch: usize,
    rates: Vec<f64>,
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
    decay: Decay,
    label_smoothing: f64,
    masked: bool,
    betas: Option<[f64; 2]>,
    losses: Vec<f64>,
    exact: Vec<f64>,
}

#[derive(Deserialize)]
struct Logits {
    layers: Layer,
    logits: Vec<f32>,
}

/// Writes image `i` of the reference: noise plus the pattern of its class.
fn picture(i: usize, classes: usize, pixels: &mut [f32]) {
    for (at, pixel) in pixels.iter_mut().enumerate() {
        let pattern = value(50_000 + (i % classes) as u32, at as u32);
        *pixel = value(100_000 + i as u32, at as u32) + pattern * 0.5;
    }
}

/// The reference's images, placed so that the trainer's random order brings them back into theirs.
struct Ordered {
    places: Vec<usize>,
    classes: usize,
    shape: Shape,
}

impl Ordered {
    fn new(count: usize, classes: usize, shape: Shape, order: &Seed) -> Self {
        let mut places = vec![0; count];
        for (at, index) in Stream::new(order, "order").at(0, 0).permutation(count).into_iter().enumerate() {
            places[index] = at;
        }
        Self { places, classes, shape }
    }
}

impl Images for Ordered {
    fn len(&self) -> usize {
        self.places.len()
    }
    fn classes(&self) -> usize {
        self.classes
    }
    fn shape(&self) -> Shape {
        self.shape
    }
    fn label(&self, index: usize) -> usize {
        self.places[index] % self.classes
    }
    fn fill(&self, index: usize, pixels: &mut [f32]) -> Result<(), DataError> {
        picture(self.places[index], self.classes, pixels);
        Ok(())
    }
    fn fill_changed(&self, index: usize, _: &[Augment], _: &mut Rng, pixels: &mut [f32]) -> Result<(), DataError> {
        self.fill(index, pixels)
    }
}

fn random_half(arch: &Arch) -> Mask {
    let survey = arch.survey().unwrap();
    let mut mask = Mask::ones(&survey);
    let learned = survey.parameters.iter().filter(|entry| entry.role.is_learned());
    for (at, entry) in learned.enumerate().filter(|(_, entry)| entry.prunable()) {
        let numbers = values(5000 + at as u32, entry.elements());
        for (kept, number) in mask.bits_mut(&entry.name).unwrap().iter_mut().zip(numbers) {
            *kept = number >= 0.0;
        }
    }
    mask
}

#[test]
fn losses_of_twenty_steps_are_pytorchs() {
    let training: Training = serde_json::from_slice(&fixture("training.json")).unwrap();
    let devices = devices();
    for (run, (device, slack)) in training.runs.iter().flat_map(|run| devices.iter().map(move |device| (run, device))) {
        let arch = Arch { root: run.layers.clone(), input: run.input };
        let (weights, order) = (fill(&arch, 10), Seed { root: 1, stream: Vec::new() });
        let images = Ordered::new(run.batch * run.rates.len(), run.classes, run.input, &order);
        let (weight_decay, decay) = (run.weight_decay, run.decay);
        let optimizer = match run.betas {
            Some([beta1, beta2]) => Optimizer::AdamW { beta1, beta2, epsilon: 1e-8, weight_decay, decay },
            None => Optimizer::Sgd { momentum: run.momentum, nesterov: run.nesterov, weight_decay, decay },
        };
        let recipe = Recipe { optimizer, batch: run.batch, label_smoothing: run.label_smoothing };
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
        let mask = run.masked.then(|| random_half(&arch));
        let mut trainer = Trainer::new(task, &weights, mask.as_ref(), 0).unwrap();
        // PyTorch's own single precision parts from double precision, and so may this; never by a different order.
        let mut tolerance = 5e-5 * f64::from(*slack);
        for (step, (rate, (single, exact))) in run.rates.iter().zip(run.losses.iter().zip(&run.exact)).enumerate() {
            let found = trainer.step(*rate).unwrap().loss;
            tolerance = tolerance.max(f64::from(10.0 * slack) * (single / exact - 1.0).abs());
            let error = (found / exact - 1.0).abs();
            assert!(error < tolerance, "{device}: {} classes, step {step}: {found} instead of {exact}", run.classes);
        }
    }
}

/// Whole networks, differentiated by candle itself; PyTorch had no part in this one.
#[test]
fn gradients_of_networks_are_those_of_candles_autograd() {
    let training: Training = serde_json::from_slice(&fixture("training.json")).unwrap();
    let squares = training.runs.into_iter().filter(|run| run.input.height == run.input.width);
    let mut compared = 0;
    let devices = devices();
    for (run, (device, _)) in squares.flat_map(|run| devices.iter().map(move |device| (run.clone(), device))) {
        let arch = Arch { root: run.layers, input: run.input };
        let weights = fill(&arch, 10);
        let mut images = vec![0.0; run.batch * arch.input.values()];
        images.chunks_mut(arch.input.values()).enumerate().for_each(|(i, pixels)| picture(i, run.classes, pixels));
        let mut network = Network::new(&arch, &Setup::train(run.batch, 2).on(device)).unwrap();
        network.load(&weights, None).unwrap();
        network.forward(&images, run.batch).unwrap();
        let labels: Vec<u32> = (0..run.batch).map(|i| (i % run.classes) as u32).collect();
        let (_, direction) = autograd::cross_entropy(&network.logits().unwrap(), run.classes, &labels).unwrap();
        let reference = autograd::Reference::new(&weights).unwrap();
        let (logits, gradients) = reference.differentiate(&arch, &images, &direction).unwrap();
        assert_close("logits", &network.logits().unwrap(), &logits, 1e-4);
        network.backward(&direction).unwrap();
        for entry in network.survey().parameters.iter().filter(|entry| entry.role.is_learned()) {
            assert_close(&entry.name, &network.gradient(&entry.name).unwrap().unwrap(), &gradients[&entry.name], 2e-3);
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared} parameters");
}

#[test]
fn logits_of_resnet50_are_pytorchs() {
    let training: Training = serde_json::from_slice(&fixture("training.json")).unwrap();
    let arch = Arch { root: training.resnet50.layers, input: Shape { channels: 3, height: 64, width: 64 } };
    let size = arch.input.values();
    let mut images = vec![0.0; 2 * size];
    images.chunks_mut(size).enumerate().for_each(|(i, pixels)| picture(i, 10, pixels));
    for (device, slack) in devices() {
        let mut network = Network::new(&arch, &Setup::evaluate(2, 2).on(&device)).unwrap();
        network.load(&fill(&arch, 10), None).unwrap();
        network.forward(&images, 2).unwrap();
        assert_close(&format!("{device}: logits"), &network.logits().unwrap(), &training.resnet50.logits, 1e-4 * slack);
    }
}

#[derive(Deserialize)]
struct Pruning {
    layers: Layer,
    input: Shape,
    cases: Vec<PruningCase>,
}

#[derive(Deserialize)]
struct PruningCase {
    scope: Scope,
    rates: Vec<String>,
    gone: BTreeMap<String, Vec<usize>>,
}

#[test]
fn masks_are_those_of_torch_prune() {
    let pruning: Pruning = serde_json::from_slice(&fixture("pruning.json")).unwrap();
    let arch = Arch { root: pruning.layers, input: pruning.input };
    let weights = fill(&arch, 20);
    for case in pruning.cases {
        let mut mask: Option<Mask> = None;
        for rate in &case.rates {
            let pruner = Pruner {
                by: Rule::Score { score: Score::Abs(Box::new(Score::Weight)) },
                remove: Amount::Rate(rate.clone()),
                scope: case.scope,
                keep: Vec::new(),
                counting: Counting::Torch,
                unit: Unit::Weight,
                samples: None,
            };
            mask = Some(prune(&arch, &weights, mask.as_ref(), &pruner, Sources::default()).unwrap());
        }
        let mask = mask.unwrap();
        for (name, gone) in case.gone {
            let kept = mask.bits(&name).unwrap();
            let found: Vec<usize> = (0..kept.len()).filter(|at| !kept[*at]).collect();
            assert_eq!(found, gone, "{name} after {:?}, {:?}", case.rates, case.scope);
        }
    }
}

/// open_lth's inner product, w = 0 … 9 on ones towards 40 with rate 0.01: one step moves 45 to 44, or, with every other
/// weight pruned, 20 to 22.
#[test]
fn pruned_weights_do_not_move() {
    let arch = Arch { root: Layer::Linear { out: 1 }, input: Shape { channels: 10, height: 1, width: 1 } };
    let survey = arch.survey().unwrap();
    let mut weights = fill(&arch, 1);
    let numbers: Vec<f32> = (0..10u8).map(f32::from).collect();
    weights.insert("weight".into(), Tensor::from_vec(numbers.clone(), (1, 10), &Device::Cpu).unwrap());
    weights.insert("bias".into(), Tensor::zeros(1, candle_core::DType::F32, &Device::Cpu).unwrap());
    let mut mask = Mask::ones(&survey);
    mask.bits_mut("weight").unwrap().iter_mut().enumerate().for_each(|(at, kept)| *kept = at % 2 == 0);
    let cases = [(None, 45.0, 44.0), (Some(&mask), 20.0, 22.0)];
    for ((device, _), (mask, before, after)) in devices().iter().flat_map(|device| cases.map(|case| (device, case))) {
        let mut network = Network::new(&arch, &Setup::train(1, 1).on(device)).unwrap();
        network.load(&weights, mask).unwrap();
        network.forward(&[1.0; 10], 1).unwrap();
        let y = network.logits().unwrap()[0];
        assert_close("before", &[y], &[before], 1e-6);
        network.backward(&[2.0 * (y - 40.0)]).unwrap();
        let gradient = network.gradient("weight").unwrap().unwrap().to_vec();
        let kept = |at: usize| mask.is_none_or(|mask| mask.bits("weight").unwrap()[at]);
        let moved = (0..10).map(|at| if kept(at) { numbers[at] - 0.01 * gradient[at] } else { 0.0 });
        let mut next = weights.clone();
        next.insert("weight".into(), Tensor::from_vec(moved.collect::<Vec<f32>>(), (1, 10), &Device::Cpu).unwrap());
        network.load(&next, mask).unwrap();
        network.forward(&[1.0; 10], 1).unwrap();
        assert_close("after", &network.logits().unwrap(), &[after], 1e-6);
    }
}

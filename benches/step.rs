//! Times whole training steps and whole forward passes of one network; `benches/vs_pytorch.py` runs it beside PyTorch.
//!
//! `cargo bench --bench step -- train resnet50 --size 224 --batch 8 --threads 2 --steps 8` prints one line of JSON:
//! milliseconds of every step after the first, and the process's peak memory.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark talks to a terminal, and may stop at once"
)]

mod networks;

use std::time::Instant;

use pdsl::domain::arch::Shape;
use pdsl::domain::data::Augment;
use pdsl::domain::device::Device;
use pdsl::domain::pruning::{Amount, Counting, Pruner, Rule, Scope, Unit};
use pdsl::domain::recipe::{Decay, Optimizer, Recipe};
use pdsl::domain::seed::Seed;
use pdsl::nn::data::{DataError, Images};
use pdsl::nn::init::initialize;
use pdsl::nn::net::{Network, Setup};
use pdsl::nn::prune::{Sources, prune};
use pdsl::nn::rng::{Rng, Stream};
use pdsl::nn::train::{Task, Trainer};

/// Random images in memory.
struct Noise {
    shape: Shape,
    classes: usize,
    pixels: Vec<f32>,
}

impl Images for Noise {
    fn len(&self) -> usize {
        self.pixels.len() / self.shape.values()
    }
    fn classes(&self) -> usize {
        self.classes
    }
    fn shape(&self) -> Shape {
        self.shape
    }
    fn label(&self, index: usize) -> usize {
        (index * 7) % self.classes
    }
    fn fill(&self, index: usize, pixels: &mut [f32]) -> Result<(), DataError> {
        let size = self.shape.values();
        pixels.copy_from_slice(&self.pixels[index * size..(index + 1) * size]);
        Ok(())
    }
    fn fill_changed(&self, index: usize, _: &[Augment], _: &mut Rng, pixels: &mut [f32]) -> Result<(), DataError> {
        self.fill(index, pixels)
    }
}

/// What is timed.
struct Options {
    mode: String,
    network: String,
    classes: usize,
    size: usize,
    batch: usize,
    threads: usize,
    steps: usize,
    /// Percent of the weights that are pruned away at random before.
    sparsity: usize,
}

impl Options {
    fn from_arguments() -> Option<Self> {
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
        let (mode, network) = (words.next()?, words.next()?);
        let mut options = Self { mode, network, classes: 1000, size: 224, batch: 8, threads: 2, steps: 8, sparsity: 0 };
        while let Some(word) = words.next() {
            let value = words.next()?.parse().ok()?;
            match word.as_str() {
                "--classes" => options.classes = value,
                "--size" => options.size = value,
                "--batch" => options.batch = value,
                "--threads" => options.threads = value,
                "--steps" => options.steps = value,
                "--sparsity" => options.sparsity = value,
                _ => return None,
            }
        }
        Some(options)
    }
}

fn main() {
    let Some(options) = Options::from_arguments() else {
        println!(
            "usage: step train|infer NETWORK [--classes N] [--size N] [--batch N] [--threads N] [--steps N] [--sparsity PERCENT]"
        );
        return;
    };
    let arch = networks::network(&options.network, options.classes, options.size);
    let seed = Seed { root: 1, stream: Vec::new() };
    let mut rng = Stream::new(&seed, "pixels").at(0, 0);
    let pixels = (0..options.batch * arch.input.values()).map(|_| rng.normal() as f32).collect();
    let images = Noise { shape: arch.input, classes: options.classes, pixels };
    let weights = initialize(&arch, &seed).expect("weights");
    let mask = (options.sparsity > 0).then(|| {
        let pruner = Pruner {
            by: Rule::Random { seed: seed.clone() },
            remove: Amount::Sparsity(format!("{}/100", options.sparsity)),
            scope: Scope::PerLayer,
            keep: Vec::new(),
            counting: Counting::OpenLth,
            unit: Unit::Weight,
            samples: None,
        };
        prune(&arch, &weights, None, &pruner, Sources::default()).expect("a mask")
    });
    let mut times = Vec::new();
    let mut time = |step: &mut dyn FnMut()| {
        for _ in 0..=options.steps {
            let began = Instant::now();
            step();
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
    };
    if options.mode == "train" {
        let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 1e-4, decay: Decay::All };
        let recipe = Recipe { batch: options.batch, label_smoothing: 0.0, optimizer };
        let task = Task {
            arch: &arch,
            recipe: &recipe,
            images: &images,
            augment: &[],
            order: &seed,
            threads: options.threads,
            device: &Device::Cpu,
            recompute: false,
        };
        let mut trainer = Trainer::new(task, &weights, mask.as_ref(), 0).expect("a trainer");
        time(&mut || {
            trainer.step(0.01).expect("a step");
        });
    } else {
        let mut network = Network::new(&arch, &Setup::evaluate(options.batch, options.threads)).expect("a network");
        network.load(&weights, mask.as_ref()).expect("weights that fit");
        time(&mut || network.forward(&images.pixels, options.batch).expect("a pass"));
        eprintln!("{} layers skip zeros", network.sparse_layers());
    }
    let times: Vec<String> = times[1..].iter().map(|time| format!("{time:.2}")).collect();
    println!("{{\"ms\": [{}], \"peak_mib\": {}}}", times.join(", "), peak());
}

/// Peak resident memory of this process in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) / 1024
}

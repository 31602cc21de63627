//! The numerical core piece by piece: `cargo bench --bench kernels`, or a group of it: `cargo bench --bench kernels -- sparse`.
//!
//! Groups: `convolution` (every distinct convolution of ResNet-50, both directions), `sparse` (what zeros save),
//! `selection` (global magnitude pruning of ResNet-50), `optimiser` (masked steps over the weights of ResNet-50 beside a
//! plain copy of as many bytes), `step` (training ResNet-20), `loader` (reading batches).

#![expect(clippy::expect_used, reason = "a benchmark may stop at once")]

mod networks;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pdsl::domain::arch::{Arch, Layer, Shape};
use pdsl::domain::data::{DataSet, Split, Task as DataTask};
use pdsl::domain::device::Device;
use pdsl::domain::pruning::{Amount, Counting, Pruner, Rule, Scope, Score, Unit};
use pdsl::domain::recipe::{Decay, Optimizer, Recipe};
use pdsl::domain::seed::Seed;
use pdsl::nn::data::{Roots, open_task};
use pdsl::nn::init::initialize;
use pdsl::nn::net::{Network, Setup};
use pdsl::nn::prune::{Sources, prune};
use pdsl::nn::train::{Task, Trainer};
use rayon::prelude::*;

const BATCH: usize = 4;

fn seed() -> Seed {
    Seed { root: 1, stream: Vec::new() }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Values that are neither all alike nor zero.
fn values(count: usize) -> Vec<f32> {
    (0..count).map(|at| ((at * 7919) % 1013) as f32 / 506.5 - 1.0).collect()
}

/// Every distinct convolution of a network: its name, layer and input.
fn convolutions(arch: &Arch) -> Vec<(String, Layer, Shape)> {
    fn walk(layer: &Layer, at: Shape, found: &mut Vec<(String, Layer, Shape)>) -> Shape {
        match layer {
            Layer::Sequence { members } => members.iter().fold(at, |at, (_, layer)| walk(layer, at, found)),
            Layer::Residual { body, shortcut, .. } => {
                walk(shortcut, at, found);
                walk(body, at, found)
            }
            _ => {
                let out = layer.output("", at).expect("layers that fit");
                if let Layer::Conv { out: width, kernel: [rows, columns], stride, .. } = layer {
                    let name = format!("{}→{width} {rows}×{columns} /{stride} at {}", at.channels, at.height);
                    if found.iter().all(|(known, ..)| *known != name) {
                        found.push((name, layer.clone(), at));
                    }
                }
                out
            }
        }
    }
    let mut found = Vec::new();
    walk(&arch.root, arch.input, &mut found);
    found
}

fn single(layer: &Layer, input: Shape) -> Arch {
    Arch { root: Layer::Sequence { members: vec![("op".to_owned(), layer.clone())] }, input }
}

fn convolution(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("convolution");
    group.sample_size(10);
    for (name, layer, input) in convolutions(&networks::network("resnet50", 1000, 224)) {
        let arch = single(&layer, input);
        let macs = arch.survey().expect("a layer that fits").macs() * BATCH as u64;
        let weights = initialize(&arch, &seed()).expect("weights");
        let images = values(BATCH * input.values());
        let setup = Setup { differentiate_input: true, ..Setup::train(BATCH, threads()) };
        let mut network = Network::new(&arch, &setup).expect("a network");
        network.load(&weights, None).expect("weights that fit");
        group.throughput(Throughput::Elements(macs));
        group.bench_function(BenchmarkId::new("forward", &name), |bencher| {
            bencher.iter(|| network.forward(&images, BATCH).expect("a pass"));
        });
        let gradient = values(network.logits().map_or(0, |logits| logits.len()));
        group.throughput(Throughput::Elements(2 * macs));
        group.bench_function(BenchmarkId::new("backward", &name), |bencher| {
            bencher.iter(|| network.backward(&gradient).expect("a pass"));
        });
    }
}

fn random_pruner(percent: usize) -> Pruner {
    Pruner {
        by: Rule::Random { seed: seed() },
        remove: Amount::Sparsity(format!("{percent}/100")),
        scope: Scope::PerLayer,
        keep: Vec::new(),
        counting: Counting::OpenLth,
        unit: Unit::Weight,
        samples: None,
    }
}

fn sparse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sparse");
    group.sample_size(10);
    let chosen = ["64→64 3×3 /1 at 56", "128→512 1×1 /1 at 28", "256→256 3×3 /1 at 14", "1024→256 1×1 /1 at 14"];
    for (name, layer, input) in convolutions(&networks::network("resnet50", 1000, 224)) {
        if !chosen.contains(&name.as_str()) {
            continue;
        }
        let arch = single(&layer, input);
        let weights = initialize(&arch, &seed()).expect("weights");
        let images = values(BATCH * input.values());
        group.throughput(Throughput::Elements(arch.survey().expect("a layer that fits").macs() * BATCH as u64));
        for percent in [0, 50, 70, 80, 90, 95] {
            let mask = prune(&arch, &weights, None, &random_pruner(percent), Sources::default()).expect("a mask");
            let mut network = Network::new(&arch, &Setup::evaluate(BATCH, threads())).expect("a network");
            network.load(&weights, (percent > 0).then_some(&mask)).expect("weights that fit");
            network.forward(&images, BATCH).expect("a pass");
            let way = if network.sparse_layers() > 0 { "skipping zeros" } else { "dense" };
            group.bench_function(format!("{name}/{percent} % zeros, {way}"), |bencher| {
                bencher.iter(|| network.forward(&images, BATCH).expect("a pass"));
            });
        }
    }
}

fn selection(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("selection");
    group.sample_size(10);
    let arch = networks::network("resnet50", 1000, 224);
    let weights = initialize(&arch, &seed()).expect("weights");
    let pruner = Pruner {
        by: Rule::Score { score: Score::Abs(Box::new(Score::Weight)) },
        remove: Amount::Rate("1/5".into()),
        scope: Scope::Global,
        ..random_pruner(0)
    };
    group.throughput(Throughput::Elements(arch.survey().expect("a network that fits").prunable_count()));
    group.bench_function("global magnitude, ResNet-50", |bencher| {
        bencher.iter(|| prune(&arch, &weights, None, &pruner, Sources::default()).expect("a mask"));
    });
}

/// Copies in pieces, as the optimisers work. Memory moves half as much again as it is counted for: what is overwritten is
/// read before, where steps in place have read it anyway.
fn copy(from: &[f32], to: &mut [f32]) {
    const PIECE: usize = 64 * 1024;
    from.par_chunks(PIECE).zip(to.par_chunks_mut(PIECE)).for_each(|(from, to)| to.copy_from_slice(from));
}

fn optimiser(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("optimiser");
    group.sample_size(20);
    let arch = networks::network("resnet50", 1000, 64);
    let weights = initialize(&arch, &seed()).expect("weights");
    let mask = prune(&arch, &weights, None, &random_pruner(50), Sources::default()).expect("a mask");
    let survey = arch.survey().expect("a network that fits");
    let learned = survey.parameters.iter().filter(|entry| entry.role.is_learned());
    let (count, masked) = (learned.map(|entry| entry.elements() as u64).sum::<u64>(), survey.prunable_count());
    let decay = Decay::All;
    let sgd = Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 1e-4, decay };
    let adamw = Optimizer::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 1e-2, decay };
    // Floats that a step reads and writes once per weight; the mask is a byte.
    for (name, optimizer, floats) in [("SGD with momentum", sgd, 5), ("AdamW", adamw, 7)] {
        let mut network = Network::new(&arch, &Setup::train(2, threads())).expect("a network");
        network.load(&weights, Some(&mask)).expect("weights that fit");
        network.optimize(&optimizer).expect("an optimiser");
        network.forward(&values(2 * arch.input.values()), 2).expect("a pass");
        network.backward(&values(2 * 1000)).expect("a pass");
        let traffic = 4 * floats * count + masked;
        group.throughput(Throughput::Bytes(traffic));
        group.bench_function(format!("{name}, masked"), |bencher| {
            bencher.iter(|| network.update(1e-6).expect("a step"));
        });
        let from = values(traffic as usize / 8);
        let mut to = vec![0.0; from.len()];
        group.bench_function(format!("{name}: a copy of as many bytes"), |bencher| {
            bencher.iter(|| copy(&from, &mut to));
        });
    }
}

fn digits() -> DataTask {
    let text = "import std.data.{digits}\nimport std.models.{tiny_resnet}\nlet s = tiny_resnet(classes: 10) |> \
                init(first(seeds(1)))\nlet e = evaluate(s, digits().val).top1\n";
    networks::argument(text, "evaluate", "task")
}

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    group.sample_size(10);
    let task = digits();
    let images = open_task(&task, Split::Train, &Roots::new(), None).expect("digits");
    let arch = Arch { input: images.shape(), ..networks::network("resnet20", 10, 32) };
    let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 1e-4, decay: Decay::All };
    let recipe = Recipe { batch: 64, label_smoothing: 0.0, optimizer };
    let seed = seed();
    let weights = initialize(&arch, &seed).expect("weights");
    let task = Task {
        arch: &arch,
        recipe: &recipe,
        images: &*images,
        augment: &[],
        order: &seed,
        threads: threads(),
        device: &Device::Cpu,
        recompute: false,
    };
    let mut trainer = Trainer::new(task, &weights, None, 0).expect("a trainer");
    group.throughput(Throughput::Elements(64));
    group.bench_function("ResNet-20 on digits, batch 64", |bencher| {
        bencher.iter(|| trainer.step(0.01).expect("a step"));
    });
}

fn loader(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("loader");
    let shapes = "import std.data.{shapes}\nimport std.models.{tiny_resnet}\nlet t = shapes(size: 64, images: 256)\nlet s = \
                  tiny_resnet(classes: t.classes, channels: 3, size: 64) |> init(first(seeds(1)))\nlet e = evaluate(s, \
                  t.val).top1\n";
    let tasks = [("digits", digits()), ("shapes 64 px", networks::argument(shapes, "evaluate", "task"))];
    for (name, task) in tasks {
        assert!(matches!(task.data, DataSet::Digits | DataSet::Shapes(_)));
        let images = open_task(&task, Split::Train, &Roots::new(), None).expect("images");
        let mut pixels = vec![0.0; images.shape().values()];
        let mut at = 0;
        group.throughput(Throughput::Elements(1));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                at = (at + 1) % images.len();
                images.fill(at, &mut pixels).expect("an image");
            });
        });
    }
}

criterion_group!(benches, convolution, sparse, selection, optimiser, step, loader);
criterion_main!(benches);

use super::*;
use crate::domain::arch::Layer;
use crate::domain::arch::samples::{cifar_resnet, norm, resnet50, sequence};
use crate::domain::recipe::{Decay, Optimizer};
use crate::domain::seed::Seed;
use crate::nn::device::devices;
use crate::nn::init::initialize;
use crate::nn::rng::{Rng, Stream};

fn seed() -> Seed {
    Seed { root: 5, stream: Vec::new() }
}

fn random(rng: &mut Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| rng.normal() as f32).collect()
}

fn conv(out: usize, kernel: [usize; 2], stride: usize, pad: usize, dilation: usize, groups: usize) -> Layer {
    Layer::Conv { out, kernel, stride, pad, dilation, groups, bias: true }
}

/// Compares every gradient with central differences of L = Σ r · y for a random r: by the batch's statistics, by constant
/// ones, and with values computed again.
fn differences_agree(layer: Layer, input: Shape, n: usize) {
    let arch = Arch { root: layer, input };
    for device in devices() {
        let setup = Setup { differentiate_input: true, ..Setup::train(n, 1).on(&device) };
        differences_agree_in(&arch, &setup);
        differences_agree_in(&arch, &Setup { recompute: true, ..setup.clone() });
        differences_agree_in(&arch, &Setup { frozen: true, ..setup });
    }
}

fn differences_agree_in(arch: &Arch, setup: &Setup) {
    let (n, input) = (setup.batch, arch.input);
    let mut network = Network::new(arch, setup).unwrap();
    let mut weights = initialize(arch, &seed()).unwrap();
    let mut rng = Stream::new(&seed(), "test").at(0, 0);
    for parameter in arch.survey().unwrap().parameters.iter().filter(|entry| entry.role.is_learned()) {
        let values = random(&mut rng, parameter.elements());
        weights
            .insert(parameter.name.clone(), Tensor::from_vec(values, parameter.shape.clone(), &Device::Cpu).unwrap());
    }
    let images = random(&mut rng, n * input.values());
    let direction = random(&mut rng, n * arch.survey().unwrap().output.values());
    let loss = |network: &mut Network, weights: &Weights, images: &[f32]| {
        network.load(weights, None).unwrap();
        network.forward(images, n).unwrap();
        let (_, output) = network.channels_first(network.program.output, &network.logits().unwrap());
        output.iter().zip(&direction).map(|(y, r)| f64::from(*y) * f64::from(*r)).sum::<f64>()
    };
    loss(&mut network, &weights, &images);
    network.backward(&direction).unwrap();
    let check = |name: &str, at: usize, analytic: f32, numeric: f64, scale: f64| {
        let error = (f64::from(analytic) - numeric).abs();
        assert!(error < 2e-2 * scale.max(1.0), "{arch:?} {name}[{at}]: {analytic} against {numeric}");
    };
    let step = 4e-3f32;
    let gradients: Vec<(String, Vec<f32>)> = arch
        .survey()
        .unwrap()
        .parameters
        .iter()
        .filter_map(|entry| Some((entry.name.clone(), network.gradient(&entry.name).unwrap()?.to_vec())))
        .collect();
    let of_input = network.input_gradient().unwrap().unwrap();
    for (name, gradient) in gradients {
        let values = weights[&name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for at in (0..values.len()).step_by(values.len().div_ceil(12)) {
            let moved = |by: f32| {
                let mut values = values.clone();
                values[at] += by;
                let mut weights = weights.clone();
                let shape = weights[&name].dims().to_vec();
                weights.insert(name.clone(), Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
                weights
            };
            let (up, down) = (moved(step), moved(-step));
            let difference = loss(&mut network, &up, &images) - loss(&mut network, &down, &images);
            let numeric = difference / (2.0 * f64::from(step));
            check(&name, at, gradient[at], numeric, numeric.abs());
        }
    }
    for at in (0..images.len()).step_by(images.len().div_ceil(24)) {
        let moved = |by: f32| {
            let mut images = images.clone();
            images[at] += by;
            images
        };
        let difference = loss(&mut network, &weights, &moved(step)) - loss(&mut network, &weights, &moved(-step));
        let numeric = difference / (2.0 * f64::from(step));
        check("input", at, of_input[at], numeric, numeric.abs());
    }
}

fn shape(channels: usize, height: usize, width: usize) -> Shape {
    Shape { channels, height, width }
}

#[test]
fn convolution_gradients_agree_with_differences() {
    let cases = [
        (conv(3, [3, 3], 1, 1, 1, 1), shape(2, 5, 6), 2),
        (conv(20, [3, 3], 2, 1, 1, 1), shape(3, 7, 5), 3),
        (conv(4, [2, 3], 2, 0, 1, 1), shape(5, 6, 9), 1),
        (conv(6, [3, 3], 1, 2, 2, 2), shape(4, 6, 7), 2),
        (conv(4, [3, 3], 1, 1, 1, 4), shape(4, 5, 5), 2),
        (conv(36, [1, 1], 3, 0, 1, 1), shape(9, 7, 8), 2),
        (conv(2, [1, 1], 1, 1, 1, 1), shape(3, 3, 3), 2),
        (conv(5, [4, 4], 2, 1, 1, 1), shape(1, 8, 9), 2),
    ];
    for (layer, input, n) in cases {
        differences_agree(layer, input, n);
    }
}

#[test]
fn other_gradients_agree_with_differences() {
    let max = Layer::MaxPool { kernel: 3, stride: 2, pad: 1 };
    let mean = Layer::AvgPool { kernel: 3, stride: 2, pad: 1 };
    let block = |shortcut| Layer::Residual {
        before: None,
        body: Box::new(sequence(vec![("relu", Layer::Relu), ("conv", conv(4, [3, 3], 1, 1, 1, 1)), ("bn", norm())])),
        shortcut: Box::new(shortcut),
        after: Box::new(Layer::Identity),
    };
    let double = Layer::Residual {
        before: None,
        body: Box::new(Layer::Identity),
        shortcut: Box::new(Layer::Identity),
        after: Box::new(Layer::Identity),
    };
    let shared_start = |shortcut| Layer::Residual {
        before: Some(Box::new(sequence(vec![("bn1", norm()), ("relu1", Layer::Relu)]))),
        body: Box::new(sequence(vec![("conv1", conv(4, [3, 3], 1, 1, 1, 1)), ("bn2", norm())])),
        shortcut: Box::new(shortcut),
        after: Box::new(Layer::Identity),
    };
    let cases = [
        (Layer::Linear { out: 5 }, shape(3, 2, 2), 4),
        (norm(), shape(3, 4, 3), 3),
        (norm(), shape(20, 2, 2), 5),
        (max, shape(3, 6, 7), 2),
        (mean, shape(3, 6, 7), 2),
        (Layer::GlobalAvgPool, shape(3, 4, 5), 2),
        (
            sequence(vec![("a", conv(4, [3, 3], 1, 1, 1, 1)), ("b", block(Layer::Identity)), ("c", double)]),
            shape(2, 4, 4),
            2,
        ),
        (
            sequence(vec![("b", block(conv(4, [1, 1], 1, 0, 1, 1))), ("fc", Layer::Linear { out: 3 })]),
            shape(4, 3, 3),
            3,
        ),
        (shared_start(Layer::Identity), shape(4, 3, 3), 3),
        (
            sequence(vec![
                ("a", conv(3, [3, 3], 1, 1, 1, 1)),
                ("b", shared_start(sequence(vec![("shortcut", conv(4, [1, 1], 1, 0, 1, 1))]))),
                ("bn", norm()),
            ]),
            shape(2, 4, 4),
            2,
        ),
    ];
    for (layer, input, n) in cases {
        differences_agree(layer, input, n);
    }
}

#[test]
fn the_derivative_of_a_rectifier_at_zero_is_zero() {
    devices().iter().for_each(a_rectifier_is_flat_at_zero);
}

fn a_rectifier_is_flat_at_zero(device: &domain::device::Device) {
    let arch = Arch { root: Layer::Relu, input: shape(1, 1, 4) };
    let setup = Setup { differentiate_input: true, ..Setup::train(1, 1).on(device) };
    let mut network = Network::new(&arch, &setup).unwrap();
    network.forward(&[-1.0, 0.0, -0.0, 2.0], 1).unwrap();
    network.backward(&[1.0; 4]).unwrap();
    assert_eq!(network.input_gradient().unwrap().unwrap(), [0.0, 0.0, 0.0, 1.0]);
}

/// Sets all but every `nth` weight to 0.
fn thinned(weights: &Weights, nth: usize) -> Weights {
    let thin = |(name, tensor): (&String, &Tensor)| {
        if tensor.dims().len() < 2 {
            return (name.clone(), tensor.clone());
        }
        let mut values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        values.iter_mut().enumerate().filter(|(at, _)| at % nth != 0).for_each(|(_, value)| *value = 0.0);
        (name.clone(), Tensor::from_vec(values, tensor.dims(), &Device::Cpu).unwrap())
    };
    weights.iter().map(thin).collect()
}

#[test]
fn skipping_zeros_gives_what_the_dense_way_gives() {
    let cases = [
        (conv(24, [1, 1], 1, 0, 1, 1), shape(40, 5, 7), 3),
        (conv(48, [1, 1], 2, 0, 1, 1), shape(200, 5, 7), 2),
        (conv(32, [3, 3], 1, 1, 1, 1), shape(16, 7, 9), 2),
        (conv(32, [3, 3], 1, 1, 1, 1), shape(48, 33, 40), 1),
        (conv(17, [3, 3], 1, 0, 1, 1), shape(20, 14, 14), 2),
        (conv(32, [3, 3], 2, 1, 1, 1), shape(16, 9, 8), 2),
        (conv(64, [5, 5], 1, 2, 1, 1), shape(30, 6, 31), 2),
        (conv(64, [2, 3], 1, 1, 2, 1), shape(30, 6, 9), 2),
        (Layer::Linear { out: 64 }, shape(300, 1, 1), 70),
    ];
    for (layer, input, n) in cases {
        let arch = Arch { root: sequence(vec![("op", layer)]), input };
        let weights = thinned(&initialize(&arch, &seed()).unwrap(), 37);
        let images = random(&mut Stream::new(&seed(), "images").at(0, 0), n * input.values());
        let run = |setup: &Setup| {
            let mut network = Network::new(&arch, setup).unwrap();
            network.load(&weights, None).unwrap();
            network.forward(&images, n).unwrap();
            (network.logits().unwrap().to_vec(), network.sparse_layers())
        };
        let planned = evaluation_work(&arch, |_, elements| elements as u64 / 37).unwrap();
        assert_eq!(planned.sparse_layers, 1, "{arch:?}");
        let (dense, none) = run(&Setup::train(n, 1));
        let (sparse, all) = run(&Setup::evaluate(n, 2));
        assert_eq!((none, all), (0, 1), "{arch:?}");
        let scale = dense.iter().fold(1e-3f32, |scale, value| scale.max(value.abs()));
        for (at, (dense, sparse)) in dense.iter().zip(&sparse).enumerate() {
            assert!((dense - sparse).abs() < 2e-6 * scale, "{arch:?} [{at}]: {sparse} instead of {dense}");
        }
        assert_eq!(sparse, run(&Setup::evaluate(n, 1)).0);
    }
}

#[test]
fn threads_and_batches_change_no_bit() {
    for (width, nth) in [(8, 1), (16, 1), (48, 1), (48, 20)] {
        no_bit_changes(width, nth);
    }
}

fn no_bit_changes(width: usize, nth: usize) {
    let arch = cifar_resnet(1, width, 10, 3, 16);
    let weights = thinned(&initialize(&arch, &seed()).unwrap(), nth);
    let mut rng = Stream::new(&seed(), "images").at(0, 0);
    let n = 50;
    let images = random(&mut rng, n * arch.input.values());
    let labels: Vec<usize> = (0..n).map(|i| i % 10).collect();
    let run = |threads, recompute| {
        let mut network = Network::new(&arch, &Setup { recompute, ..Setup::train(n, threads) }).unwrap();
        network.load(&weights, None).unwrap();
        network.forward(&images, n).unwrap();
        network.learn(&labels, 0.1).unwrap();
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let gradients: Vec<Option<Vec<u32>>> =
            weights.keys().map(|name| network.gradient(name).unwrap().map(|values| bits(&values))).collect();
        (bits(&network.logits().unwrap()), gradients)
    };
    let one = run(1, false);
    assert!(one == run(2, false) && one == run(3, true) && one == run(8, false));

    let logits = |batch: usize| {
        let mut network = Network::new(&arch, &Setup::evaluate(batch, 2)).unwrap();
        network.load(&weights, None).unwrap();
        let mut all = Vec::new();
        for images in images.chunks(batch * arch.input.values()) {
            network.forward(images, images.len() / arch.input.values()).unwrap();
            all.extend_from_slice(&network.logits().unwrap());
        }
        assert_eq!(network.sparse_layers() > 0, nth > 1);
        all
    };
    assert_eq!(logits(50), logits(7));
}

#[test]
fn layers_are_observed_by_path() {
    devices().iter().for_each(layers_are_observed);
}

fn layers_are_observed(device: &domain::device::Device) {
    let arch = cifar_resnet(1, 8, 10, 3, 16);
    let weights = initialize(&arch, &seed()).unwrap();
    let mut setup = Setup::evaluate(3, 1).on(device);
    for path in ["bn1", "relu", "layer2.0.relu1", "layer2.0", "layer2", "fc"] {
        setup = setup.observing(path);
    }
    let mut network = Network::new(&arch, &setup).unwrap();
    network.load(&weights, None).unwrap();
    let images = random(&mut Stream::new(&seed(), "images").at(0, 0), 2 * arch.input.values());
    network.forward(&images, 2).unwrap();
    let (size, before) = network.activation("bn1").unwrap();
    let (_, after) = network.activation("relu").unwrap();
    assert_eq!((size, before.len()), (shape(8, 16, 16), 2 * 8 * 256));
    assert!(before.iter().any(|value| *value < 0.0));
    assert_eq!(after, before.iter().map(|value| value.max(0.0)).collect::<Vec<_>>());
    assert_eq!(network.activation("layer2").unwrap(), network.activation("layer2.0").unwrap());
    assert_eq!(network.activation("fc").unwrap().1, &*network.logits().unwrap());
    assert!(matches!(network.activation("layer3"), Err(Error::NoLayer { .. })));
    assert!(matches!(Network::new(&arch, &Setup::evaluate(1, 1).observing("layer9")), Err(Error::NoLayer { .. })));
}

#[test]
fn computing_values_again_saves_memory() {
    let arch = resnet50(1000, 64);
    let bytes = |recompute| Network::new(&arch, &Setup { recompute, ..Setup::train(32, 1) }).unwrap().held_bytes();
    let (all, again) = (bytes(false), bytes(true));
    assert!(again * 4 < all * 3, "{again} of {all}");
}

/// What `plan` says is what is there after a step: layers of every kind, wide and narrow, trained and evaluated.
#[test]
fn memory_is_known_before() {
    let odd = sequence(vec![
        ("grouped", conv(12, [3, 3], 2, 1, 1, 3)),
        ("bn", norm()),
        ("relu", Layer::Relu),
        ("wide", conv(48, [5, 5], 1, 2, 1, 1)),
        ("pool", Layer::MaxPool { kernel: 3, stride: 2, pad: 1 }),
        ("fc", Layer::Linear { out: 10 }),
    ]);
    let archs = [
        cifar_resnet(1, 8, 10, 3, 16),
        cifar_resnet(2, 16, 10, 3, 15),
        resnet50(10, 64),
        Arch { root: odd, input: shape(9, 21, 18) },
    ];
    for arch in archs {
        let weights = initialize(&arch, &seed()).unwrap();
        let n = 5;
        let images = random(&mut Stream::new(&seed(), "images").at(0, 0), n * arch.input.values());
        let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0, decay: Decay::All };
        for recompute in [false, true] {
            let setup = Setup { recompute, ..Setup::train(n, 1) };
            let mut network = Network::new(&arch, &setup).unwrap();
            network.load(&weights, None).unwrap();
            network.optimize(&optimizer).unwrap();
            network.forward(&images, n).unwrap();
            network.learn(&[0, 1, 2, 3, 4], 0.0).unwrap();
            network.update(0.1).unwrap();
            assert_eq!(network.held_bytes(), needed_bytes(&arch, &setup, 1).unwrap(), "{arch:?}");
        }
        let setup = Setup::evaluate(n, 1);
        let mut network = Network::new(&arch, &setup).unwrap();
        network.load(&weights, None).unwrap();
        network.forward(&images, n).unwrap();
        assert_eq!(network.held_bytes(), needed_bytes(&arch, &setup, 0).unwrap(), "{arch:?}");
    }
}

//! What only GPUs do: bf16, several at a time, too little memory. Without a GPU, these tests have nothing to try.

use pdsl::domain::arch::{Arch, Layer, Shape};
use pdsl::domain::device::{Cuda, Device, Policy, Precision};
use pdsl::domain::recipe::{Decay, Optimizer, Recipe};
use pdsl::domain::seed::Seed;
use pdsl::nn::Error;
use pdsl::nn::device::{DeviceError, cuda_devices};
use pdsl::nn::mask::Mask;
use pdsl::nn::net::{Network, Setup};
use pdsl::nn::train::{Snapshot, Task, Trainer};

use crate::{Ordered, Training, fill, fixture, random_half};

const STEPS: usize = 8;

fn gpus() -> Vec<usize> {
    (0..cuda_devices().unwrap_or(0)).collect()
}

fn device(indices: &[usize], precision: Precision, fast: bool) -> Device {
    Device::Cuda(Cuda { indices: indices.to_vec(), policy: Policy { precision, fast } })
}

/// A residual network with convolutions, normalisations and a mask.
fn network() -> Arch {
    let training: Training = serde_json::from_slice(&fixture("training.json")).unwrap();
    let run = training.runs.into_iter().find(|run| run.input.height <= 32 && run.batch >= 8).unwrap();
    Arch { root: run.layers, input: run.input }
}

/// Trains on a device and returns the losses and the end.
fn train(arch: &Arch, mask: Option<&Mask>, device: &Device) -> (Vec<f64>, Snapshot) {
    let (weights, order) = (fill(arch, 10), Seed { root: 1, stream: Vec::new() });
    let classes = arch.survey().unwrap().output.channels;
    let images = Ordered::new(8 * STEPS, classes, arch.input, &order);
    let optimizer = Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 1e-4, decay: Decay::All };
    let recipe = Recipe { optimizer, batch: 8, label_smoothing: 0.0 };
    let task = Task {
        arch,
        recipe: &recipe,
        images: &images,
        augment: &[],
        order: &order,
        threads: 1,
        device,
        recompute: false,
    };
    let mut trainer = Trainer::new(task, &weights, mask, 0).unwrap();
    let losses = (0..STEPS).map(|_| trainer.step(0.01).unwrap().loss).collect();
    (losses, trainer.snapshot().unwrap())
}

fn bits(snapshot: &Snapshot) -> Vec<u32> {
    let floats = snapshot.weights.values().filter(|tensor| tensor.dtype().is_float());
    floats.flat_map(|tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap()).map(f32::to_bits).collect()
}

#[test]
fn every_policy_trains_close_to_the_processor_with_exact_masks() {
    let arch = network();
    let mask = random_half(&arch);
    let (expected, _) = train(&arch, Some(&mask), &Device::Cpu);
    for index in gpus().into_iter().take(1) {
        for (precision, tolerance) in [(Precision::Float32, 1e-3), (Precision::Tf32, 2e-2), (Precision::Bf16, 5e-2)] {
            for fast in [false, true] {
                let device = device(&[index], precision, fast);
                println!("on {device}");
                let (losses, end) = train(&arch, Some(&mask), &device);
                for (step, (loss, expected)) in losses.iter().zip(&expected).enumerate() {
                    let error = (loss / expected - 1.0).abs();
                    assert!(error < tolerance, "{device}, step {step}: {loss} instead of {expected}");
                }
                for (name, tensor) in end.weights.iter().chain(&end.momentum) {
                    let Some(kept) = mask.bits(name) else { continue };
                    let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                    assert!(values.iter().zip(kept).all(|(value, kept)| *kept || *value == 0.0), "{device}, {name}");
                }
                if !fast {
                    assert!(bits(&end) == bits(&train(&arch, Some(&mask), &device).1), "{device}: not the same bits");
                }
            }
        }
    }
}

/// Without normalisation, two GPUs compute what one does: a batch is a sum over its images.
#[test]
fn several_gpus_compute_what_one_does() {
    let gpus = gpus();
    if gpus.len() < 2 {
        return;
    }
    let conv = |out| Layer::Conv { out, kernel: [3, 3], stride: 1, pad: 1, dilation: 1, groups: 1, bias: true };
    let members = [
        ("a", conv(8)),
        ("relu", Layer::Relu),
        ("pool", Layer::MaxPool { kernel: 3, stride: 2, pad: 1 }),
        ("b", conv(12)),
        ("mean", Layer::GlobalAvgPool),
        ("fc", Layer::Linear { out: 10 }),
    ];
    let members = members.into_iter().map(|(name, layer)| (name.to_owned(), layer)).collect();
    let arch = Arch { root: Layer::Sequence { members }, input: Shape { channels: 3, height: 12, width: 10 } };
    let (one, _) = train(&arch, None, &device(&gpus[..1], Precision::Float32, false));
    for count in 2..=gpus.len() {
        let device = device(&gpus[..count], Precision::Float32, false);
        println!("on {device}");
        let (several, end) = train(&arch, None, &device);
        for (step, (several, one)) in several.iter().zip(&one).enumerate() {
            assert!((several / one - 1.0).abs() < 1e-4, "{device}, step {step}: {several} instead of {one}");
        }
        assert!(bits(&end) == bits(&train(&arch, None, &device).1), "{device}: not the same bits");
        let (losses, _) = train(&network(), None, &device);
        assert!(losses.iter().all(|loss| loss.is_finite()) && losses[STEPS - 1] < losses[0], "{losses:?}");
    }
}

#[test]
fn too_large_a_batch_is_an_error_that_names_one_that_fits() {
    for index in gpus() {
        let device = device(&[index], Precision::Float32, false);
        let error = Network::new(&network(), &Setup::train(1 << 24, 1).on(&device)).err().unwrap();
        let Error::Device(DeviceError::OutOfMemory { fits: Some(fits), batch, .. }) = error else { panic!("{error}") };
        assert!(fits > 0 && fits < batch && batch == 1 << 24, "{fits} of {batch}");
    }
}

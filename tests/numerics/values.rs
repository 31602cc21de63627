//! Numbers that Python and Rust make alike; `tests/reference/networks/values.py` is the same in Python.

use candle_core::{Device, Tensor};
use pdsl::domain::arch::{Arch, Role};
use pdsl::nn::Weights;

fn mixed(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7FEB_352D);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846C_A68B);
    x ^ (x >> 16)
}

/// Hashes (stream, place) to a number in [−1, 1).
pub(crate) fn value(stream: u32, place: u32) -> f32 {
    let bits = mixed(mixed(place).wrapping_add(stream.wrapping_mul(0x9E37_79B9)));
    (bits >> 8) as f32 * (1.0 / 8_388_608.0) - 1.0
}

/// Returns the first `count` values of a stream.
pub(crate) fn values(stream: u32, count: usize) -> Vec<f32> {
    (0..count as u32).map(|place| value(stream, place)).collect()
}

/// Fills a state dict as `fill` does in Python.
pub(crate) fn fill(arch: &Arch, stream: u32) -> Weights {
    let survey = arch.survey().unwrap();
    let entries = survey.parameters.iter().enumerate().map(|(at, entry)| {
        if entry.role == Role::BatchCount {
            return (entry.name.clone(), Tensor::new(0i64, &Device::Cpu).unwrap());
        }
        let scale = |value: f32| match entry.role {
            Role::ConvWeight | Role::LinearWeight => {
                let fan_in: usize = entry.shape[1..].iter().product();
                value * (6.0 / fan_in as f64).sqrt() as f32
            }
            Role::NormScale | Role::NormScaleZero | Role::RunningVar => value * 0.5 + 1.0,
            _ => value * 0.125,
        };
        let numbers: Vec<f32> = values(stream + at as u32, entry.elements()).into_iter().map(scale).collect();
        (entry.name.clone(), Tensor::from_vec(numbers, entry.shape.clone(), &Device::Cpu).unwrap())
    });
    entries.collect()
}

//! Initial weights. Each parameter draws from a stream named after it, so its values depend on no other parameter.

use candle_core::{Device, Tensor};

use crate::domain::arch::{Arch, Parameter, Role};
use crate::domain::seed::Seed;

use super::rng::Stream;
use super::{Error, Weights};

/// Draws the initial state dict: convolution and linear weights from N(0, 2 / fan-in) (He et al. 2015, as open_lth's
/// `kaiming_normal`), scales 1 (0 where the architecture asks for it), every bias and shift 0, running mean 0 and
/// variance 1.
///
/// # Errors
/// If the architecture does not fit together.
pub fn initialize(arch: &Arch, seed: &Seed) -> Result<Weights, Error> {
    arch.survey()?.parameters.iter().map(|entry| Ok((entry.name.clone(), initial(entry, seed)?))).collect()
}

fn initial(entry: &Parameter, seed: &Seed) -> candle_core::Result<Tensor> {
    let fill = |value: f32| Tensor::full(value, entry.shape.clone(), &Device::Cpu);
    match entry.role {
        Role::ConvWeight | Role::LinearWeight => {
            let mut rng = Stream::new(seed, &format!("init/{}", entry.name)).at(0, 0);
            let fan_in: usize = entry.shape[1..].iter().product();
            let deviation = (2.0 / fan_in as f64).sqrt();
            let values = (0..entry.elements()).map(|_| (rng.normal() * deviation) as f32).collect();
            Tensor::from_vec(values, entry.shape.clone(), &Device::Cpu)
        }
        Role::NormScale | Role::RunningVar => fill(1.0),
        Role::Bias | Role::NormShift | Role::NormScaleZero | Role::RunningMean => fill(0.0),
        Role::BatchCount => Tensor::new(0i64, &Device::Cpu),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::arch::samples::cifar_resnet;

    fn seed(root: u64) -> Seed {
        Seed { root, stream: vec!["init".to_owned()] }
    }

    #[test]
    fn values_depend_on_name_and_seed_only() {
        let small = cifar_resnet(1, 8, 10, 1, 8);
        let large = cifar_resnet(2, 8, 10, 1, 8);
        let flat = |weights: &Weights, name: &str| weights[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let (a, b) = (initialize(&small, &seed(1)).unwrap(), initialize(&large, &seed(1)).unwrap());
        assert_eq!(flat(&a, "fc.weight"), flat(&b, "fc.weight"));
        assert_ne!(flat(&a, "fc.weight"), flat(&initialize(&small, &seed(2)).unwrap(), "fc.weight"));
        assert_eq!(a.len(), small.survey().unwrap().parameters.len());
    }

    #[test]
    fn deviation_is_that_of_kaiming_normal() {
        let network = cifar_resnet(3, 16, 10, 3, 32);
        let weights = initialize(&network, &seed(1)).unwrap();
        let values = weights["layer3.1.conv1.weight"].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let variance = values.iter().map(|x| f64::from(x * x)).sum::<f64>() / values.len() as f64;
        assert!((variance / (2.0 / 576.0) - 1.0).abs() < 0.03, "{variance}");
    }
}

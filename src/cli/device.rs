//! What computes networks: the wish of the user, and what the machine has.

use std::str::FromStr;

use super::output;
use super::{Exit, Failure};
use crate::diag::Diagnostic;
use crate::diag::codes::invocation;
use crate::domain::device::{Cuda, Device, Policy, Precision};
use crate::nn::device::{self, DeviceError};
use crate::world::World;

/// Options that choose the device.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct DeviceOptions {
    /// What computes networks: `cpu`, `cuda` (the first GPU), `cuda:1`, `cuda:0,1` (which share every batch), or `auto`,
    /// a GPU if there is one (default: PDSL_DEVICE, then `auto`).
    #[arg(long, value_name = "DEVICE")]
    device: Option<Wish>,
    /// Arithmetic on GPUs: `float32`, `tf32` or `bf16` (default: `float32`).
    #[arg(long, value_name = "PRECISION", value_parser = precision)]
    precision: Option<Precision>,
    /// Let GPUs use the fastest algorithms, although results then differ in the last bits from run to run.
    #[arg(long)]
    fast: bool,
    /// Compute most activations of a training again instead of keeping them: less memory, about a third more time, the
    /// same bits.
    #[arg(long)]
    pub(super) recompute: bool,
}

/// A device as the user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wish {
    Auto,
    Cpu,
    Cuda(Vec<usize>),
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is none of `auto`, `cpu`, `cuda`, `cuda:0`, `cuda:0,1`");
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(vec![0])),
            other => {
                let numbers = other.strip_prefix("cuda:").ok_or_else(wrong)?.split(',').map(str::parse);
                let mut indices = numbers.collect::<Result<Vec<usize>, _>>().map_err(|_| wrong())?;
                indices.sort_unstable();
                indices.dedup();
                Ok(Self::Cuda(indices))
            }
        }
    }
}

fn precision(text: &str) -> Result<Precision, String> {
    let known = [Precision::Float32, Precision::Tf32, Precision::Bf16];
    let found = known.into_iter().find(|precision| precision.to_string() == text);
    found.ok_or_else(|| format!("`{text}` is none of `float32`, `tf32`, `bf16`"))
}

impl DeviceOptions {
    /// Finds the device that is asked for.
    pub(super) fn choose(&self, world: &dyn World) -> Result<Device, Failure> {
        let wish = match &self.device {
            Some(wish) => wish.clone(),
            None => match world.variable("PDSL_DEVICE").filter(|text| !text.is_empty()) {
                Some(text) => text.parse().map_err(|wrong| unavailable(format!("PDSL_DEVICE: {wrong}"), CHOOSE))?,
                None => Wish::Auto,
            },
        };
        let precision = self.precision.unwrap_or_default();
        let cuda = |indices| Device::Cuda(Cuda { indices, policy: Policy { precision, fast: self.fast } });
        let chosen = match wish {
            Wish::Cpu => Device::Cpu,
            Wish::Cuda(indices) => {
                let found = device::cuda_devices().map_err(|error| refused(&error))?;
                if let Some(index) = indices.iter().copied().find(|index| *index >= found) {
                    return Err(refused(&DeviceError::NoDevice { index, found }));
                }
                cuda(indices)
            }
            Wish::Auto => match device::cuda_devices() {
                Ok(_) => cuda(vec![0]),
                Err(error) => {
                    if error != DeviceError::NotBuilt {
                        output::note(&format!("CUDA is not used: {error}"));
                    }
                    Device::Cpu
                }
            },
        };
        if chosen == Device::Cpu && precision != Precision::Float32 {
            let message = format!("the processor computes in float32, not in {precision}");
            return Err(unavailable(message, "leave out `--precision`, or name a GPU with `--device cuda`"));
        }
        Ok(chosen)
    }
}

const CHOOSE: &str = "use `--device cpu`, or `--device auto` to take a GPU where there is one";

fn refused(error: &DeviceError) -> Failure {
    let help = match error {
        DeviceError::NotBuilt => "build pdsl with `tools/cuda/build` (see docs/cuda.md), or use `--device cpu`",
        DeviceError::Library { .. } => {
            "install NVIDIA's driver, cuDNN 9 and (for several GPUs) NCCL, put them on LD_LIBRARY_PATH, or use \
             `--device cpu`"
        }
        DeviceError::NoDevice { found: 1.., .. } => "name GPUs that are there, e.g. `--device cuda`",
        _ => CHOOSE,
    };
    unavailable(format!("CUDA cannot be used: {error}"), help)
}

fn unavailable(message: String, help: &str) -> Failure {
    Failure::outside(Diagnostic::error(&invocation::NO_DEVICE, message).help(help), Exit::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named() {
        let parsed = |text: &str| text.parse::<Wish>();
        assert_eq!(parsed("auto"), Ok(Wish::Auto));
        assert_eq!(parsed("cpu"), Ok(Wish::Cpu));
        assert_eq!(parsed("cuda"), Ok(Wish::Cuda(vec![0])));
        assert_eq!(parsed("cuda:3"), Ok(Wish::Cuda(vec![3])));
        assert_eq!(parsed("cuda:2,0,2"), Ok(Wish::Cuda(vec![0, 2])));
        for wrong in ["", "gpu", "cuda:", "cuda:-1", "cuda:0,", "CUDA"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}

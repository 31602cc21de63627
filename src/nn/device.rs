//! Devices that networks run on, and why one cannot be used.

use thiserror::Error;

use crate::domain::device::{Cuda, Device, Policy};

/// Why a device cannot be used, or stopped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeviceError {
    /// The program has no CUDA in it.
    #[error("this pdsl was built without CUDA")]
    NotBuilt,
    /// A library is not there.
    #[error("{name} cannot be opened")]
    Library {
        /// File name of the library.
        name: &'static str,
    },
    /// No GPU, or not as many as asked for.
    #[error("there is no CUDA device {index}: {}", devices_message(*.found))]
    NoDevice {
        /// The device asked for, from 0.
        index: usize,
        /// Devices found.
        found: usize,
    },
    /// The GPU is older than the kernels.
    #[error("{name} has compute capability {}.{}, and pdsl needs 8.0 (Ampere) or newer", .capability.0, .capability.1)]
    TooOld {
        /// Name of the GPU.
        name: String,
        /// Its compute capability.
        capability: (i32, i32),
    },
    /// The memory of the device does not suffice.
    #[error("{batch} images at a time need {} of GPU memory, and {} are free", gibibytes(*.needed), gibibytes(*.free))]
    OutOfMemory {
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
        /// Images worked on together.
        batch: usize,
        /// Images that would fit, if any number does.
        fits: Option<usize>,
    },
    /// cuDNN has no algorithm for a layer under the policy asked for.
    #[error("cuDNN has no {pass} for {layer} with {policy}")]
    Refused {
        /// Forward pass or a gradient.
        pass: &'static str,
        /// What the layer is.
        layer: String,
        /// Precision and determinism.
        policy: String,
    },
    /// A call failed.
    #[error("{call} answered {status}")]
    Failed {
        /// The function that was called.
        call: &'static str,
        /// What it answered.
        status: String,
    },
}

fn devices_message(found: usize) -> String {
    match found {
        0 => "none was found".to_owned(),
        1 => "there is one, `cuda:0`".to_owned(),
        found => format!("there are {found}, from `cuda:0` to `cuda:{}`", found - 1),
    }
}

fn gibibytes(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / f64::from(1u32 << 30))
}

/// Counts the CUDA devices that can be used.
///
/// # Errors
/// Says why there are none.
pub fn cuda_devices() -> Result<usize, DeviceError> {
    #[cfg(feature = "cuda")]
    {
        super::net::cuda::devices()
    }
    #[cfg(not(feature = "cuda"))]
    {
        Err(DeviceError::NotBuilt)
    }
}

/// Lists what networks can run on here, in single precision: the processor, and every GPU by itself.
pub fn devices() -> Vec<Device> {
    let alone = |index| Device::Cuda(Cuda { indices: vec![index], policy: Policy::default() });
    let gpus = (0..cuda_devices().unwrap_or(0)).map(alone);
    [Device::Cpu].into_iter().chain(gpus).collect()
}

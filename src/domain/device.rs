//! Where networks run, and how exactly: the part of a result's key that the machine decides.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Arithmetic of networks on a GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision throughout.
    #[default]
    Float32,
    /// Single precision, with the operands of convolutions rounded to 10 bits: what PyTorch does by default.
    Tf32,
    /// Activations and the operands of convolutions in bf16; weights, statistics and updates in single precision.
    Bf16,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float32 => "float32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        })
    }
}

/// What computes a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The processor, in single precision, the same bits on any number of threads.
    #[default]
    Cpu,
    /// NVIDIA GPUs.
    Cuda(Cuda),
}

/// GPUs that share the work, and how they work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cuda {
    /// Numbers of the GPUs, from 0. Batches are divided among them.
    pub indices: Vec<usize>,
    /// Their arithmetic.
    pub policy: Policy,
}

/// What decides the bits of a network's results beside the program: part of the keys of stages that ran on GPUs. The
/// processor's results have no such part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numerics {
    /// GPUs that share a batch: normalisations see the share of one GPU.
    pub gpus: usize,
    /// How they compute.
    #[serde(flatten)]
    pub policy: Policy,
}

/// How a GPU computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Policy {
    /// Arithmetic.
    pub precision: Precision,
    /// Whether the fastest algorithms may be used although their results vary in the last bits from run to run.
    pub fast: bool,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.precision, if self.fast { "fast" } else { "deterministic" })
    }
}

impl fmt::Display for Numerics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × cuda {}", self.gpus, self.policy)
    }
}

impl Device {
    /// Returns what the device adds to keys.
    pub fn numerics(&self) -> Option<Numerics> {
        match self {
            Self::Cpu => None,
            Self::Cuda(Cuda { indices, policy }) => Some(Numerics { gpus: indices.len(), policy: *policy }),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(Cuda { indices, policy }) => {
                let numbers: Vec<String> = indices.iter().map(usize::to_string).collect();
                write!(f, "cuda:{} {policy}", numbers.join(","))
            }
        }
    }
}

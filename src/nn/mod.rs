//! The numerical core: networks on the CPU, their training, pruning and dissection.
//!
//! It knows `domain` and nothing of the language. Results have the same bits for any number of threads.

pub mod ablate;
mod ahead;
pub mod checkpoint;
pub mod data;
pub mod device;
pub mod dissect;
pub mod evaluate;
pub mod footprint;
pub mod init;
mod kernels;
pub mod mask;
pub mod net;
mod optim;
pub mod prune;
pub mod rng;
mod score;
pub mod train;
pub mod weights;

use std::collections::BTreeMap;

use candle_core::Tensor;
use thiserror::Error;

use crate::domain::arch::{ArchError, Shape};

/// The state dict of a network: learned parameters and buffers by torchvision's names, float32 on the CPU
/// (`num_batches_tracked` is a 64-bit integer).
pub type Weights = BTreeMap<String, Tensor>;

/// Why a computation on networks stopped.
#[derive(Debug, Error)]
pub enum Error {
    /// The architecture does not fit together.
    #[error(transparent)]
    Arch(#[from] ArchError),
    /// A tensor operation failed.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// An image could not be read.
    #[error(transparent)]
    Image(#[from] data::DataError),
    /// A state dict does not fit an architecture.
    #[error(transparent)]
    Weights(#[from] checkpoint::Mismatch),
    /// A file of weights cannot be read.
    #[error("the weights cannot be read: {0}")]
    Checkpoint(String),
    /// A file from elsewhere holds no weights that can be used.
    #[error(transparent)]
    File(#[from] weights::FileError),
    /// A mask does not fit or cannot be read.
    #[error(transparent)]
    Mask(#[from] mask::MaskError),
    /// A pruner cannot do what it is asked to.
    #[error(transparent)]
    Prune(#[from] prune::PruneError),
    /// A layer path names nothing.
    #[error("there is no layer `{path}`")]
    NoLayer {
        /// The path asked for.
        path: String,
        /// Paths that exist, for a suggestion.
        layers: Vec<String>,
    },
    /// More images than the network was built for, or values of another size.
    #[error("{images} images with {values} values do not fit a network for {batch}")]
    Batch {
        /// Number of images.
        images: usize,
        /// Images the network was built for.
        batch: usize,
        /// Values given.
        values: usize,
    },
    /// Labels do not fit the output.
    #[error("{}", labels_message(.output, *.label))]
    Labels {
        /// Size of the network's output.
        output: Shape,
        /// A label that is no class, if one is at fault.
        label: Option<usize>,
    },
    /// Gradients were asked of a network built for evaluation.
    #[error("the network was built for evaluation and has no gradients")]
    Evaluating,
    /// The loss is not a finite number.
    #[error("the loss is {loss} at epoch {epoch}, iteration {iteration}")]
    Diverged {
        /// The loss.
        loss: f64,
        /// Epoch, from 0.
        epoch: u64,
        /// Iteration since the start of training, from 0.
        iteration: u64,
    },
    /// A device cannot be used, or stopped.
    #[error(transparent)]
    Device(#[from] device::DeviceError),
    /// The thread that reads images ended too early.
    #[error("the reader of images stopped")]
    Reader,
    /// A data set has no images.
    #[error("there are no images to work on")]
    Empty,
    /// Images have another size than the network expects.
    #[error("images of {found} reach a network for {expected}")]
    Images {
        /// What the network expects.
        expected: Shape,
        /// What the data set has.
        found: Shape,
    },
    /// A pruned weight came back.
    #[error("pruned weights of `{name}` are not zero after epoch {epoch}: this is a bug")]
    Unmasked {
        /// The parameter.
        name: String,
        /// Epoch, from 0.
        epoch: u64,
    },
}

impl Error {
    /// Whether a pruner would have to leave more weights than there are.
    pub fn leaves_too_few(&self) -> bool {
        matches!(self, Self::Prune(prune::PruneError::TooFew { .. }))
    }
}

fn labels_message(output: &Shape, label: Option<usize>) -> String {
    match label {
        Some(label) => format!("class {label} does not exist in a network with {} classes", output.channels),
        None => format!("a network with output {output} cannot classify"),
    }
}

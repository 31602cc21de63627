//! Architectures as data: layer records, the parameters they hold, and what can be counted without running them.
//!
//! A record of layers runs in order and its field names are the
//! parameter path, so torchvision's names come out by themselves.

mod field;
mod narrow;
mod paths;
#[cfg(test)]
pub(crate) mod samples;
mod survey;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use field::Field;
pub(crate) use survey::join;
pub use survey::{ArchError, LayerOutput, Parameter, Role, Survey};

/// A layer, or a composition of layers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "snake_case")]
pub enum Layer {
    /// 2-d convolution; input channels are inferred.
    Conv {
        /// Output channels.
        out: usize,
        /// Height and width of the filter.
        kernel: [usize; 2],
        /// Step in both directions.
        stride: usize,
        /// Zeros on each side.
        pad: usize,
        /// Distance between taps.
        dilation: usize,
        /// Groups of channels that do not mix.
        groups: usize,
        /// Adds a learned constant per output channel.
        bias: bool,
    },
    /// Batch normalisation over channels (eps 1e-5, momentum 0.1 in PyTorch's sense).
    BatchNorm {
        /// Starts the scale at 0 instead of 1 (last norm of a residual block).
        zero_scale: bool,
    },
    /// max(x, 0), with derivative 0 at 0.
    Relu,
    /// Maximum over windows; padding never wins.
    MaxPool {
        /// Window side.
        kernel: usize,
        /// Step.
        stride: usize,
        /// Border.
        pad: usize,
    },
    /// Mean over windows; padding counts as zeros (PyTorch's default).
    AvgPool {
        /// Window side.
        kernel: usize,
        /// Step.
        stride: usize,
        /// Border.
        pad: usize,
    },
    /// Mean over all positions, to 1×1.
    GlobalAvgPool,
    /// Fully connected layer with bias; flattens its input.
    Linear {
        /// Outputs.
        out: usize,
    },
    /// Passes its input on.
    Identity,
    /// Members run in order; each name is a step of the parameter path.
    Sequence {
        /// `(name, layer)`; a list in the language names its members `0`, `1`, ….
        members: Vec<(String, Layer)>,
    },
    /// `after(body(x) + shortcut(x))` with x = `before(input)`. The members of the parts (sequences) share the block's path.
    Residual {
        /// Applied to the input, ahead of both branches: the shared start of a pre-activation block. Absent from keys where
        /// there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Box<Layer>>,
        /// Main branch, a sequence.
        body: Box<Layer>,
        /// Other branch: a sequence or identity.
        shortcut: Box<Layer>,
        /// Applied to the sum.
        after: Box<Layer>,
    },
}

/// A network: its layers and the input they are counted for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Arch {
    /// The root, usually a sequence.
    pub root: Layer,
    /// Channels that the first layer expects, and the image size for which multiply-accumulates are counted.
    pub input: Shape,
}

/// Size of one image-like tensor, without the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Shape {
    /// Returns the number of values in one image.
    pub fn values(self) -> usize {
        self.channels * self.height * self.width
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}

//! Counting: what parameters an architecture has, how large every layer's output is, what one image costs.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{Arch, Layer, Shape};

/// Everything about an architecture that follows from its layers and an input size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The image size it was counted for.
    pub input: Shape,
    /// Entries of the state dict, buffers included, in torchvision's order.
    pub parameters: Vec<Parameter>,
    /// Layers that can be addressed by a path, in the order in which their outputs are ready.
    pub layers: Vec<LayerOutput>,
    /// Size of the last output.
    pub output: Shape,
}

/// One entry of the state dict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// torchvision's name, e.g. `layer1.0.conv1.weight`.
    pub name: String,
    /// Extents in PyTorch's order; empty for a counter.
    pub shape: Vec<usize>,
    /// What it does.
    pub role: Role,
    /// Multiply-accumulates of one image in which its elements take part; 0 outside convolution and linear weights.
    pub macs: u64,
}

/// What an entry of the state dict does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Filters of a convolution, `[out, in / groups, height, width]`.
    ConvWeight,
    /// Matrix of a fully connected layer, `[out, in]`.
    LinearWeight,
    /// Constant per output.
    Bias,
    /// Scale of a batch normalisation.
    NormScale,
    /// Shift of a batch normalisation.
    NormShift,
    /// Scale of a batch normalisation that starts at 0.
    NormScaleZero,
    /// Running mean: a buffer.
    RunningMean,
    /// Running variance: a buffer.
    RunningVar,
    /// `num_batches_tracked`, a 64-bit integer without extents: a buffer.
    BatchCount,
}

impl Role {
    /// Whether the entry is learned; buffers are not.
    pub fn is_learned(self) -> bool {
        !matches!(self, Self::RunningMean | Self::RunningVar | Self::BatchCount)
    }

    /// Whether the entry belongs to a batch normalisation.
    pub fn is_norm(self) -> bool {
        !matches!(self, Self::ConvWeight | Self::LinearWeight | Self::Bias)
    }

    /// Whether pruners may touch it: weights of convolutions and fully connected layers.
    pub fn is_prunable(self) -> bool {
        matches!(self, Self::ConvWeight | Self::LinearWeight)
    }
}

impl Parameter {
    /// Returns the number of elements; 1 for a counter.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether pruners may touch it.
    pub fn prunable(&self) -> bool {
        self.role.is_prunable()
    }
}

/// The output of an addressable layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerOutput {
    /// Field path, e.g. `layer4` or `layer4.2.conv3`.
    pub path: String,
    /// Size for one image.
    pub shape: Shape,
}

impl Survey {
    /// Counts learned parameters (no buffers).
    pub fn parameter_count(&self) -> u64 {
        self.parameters.iter().filter(|entry| entry.role.is_learned()).map(|entry| entry.elements() as u64).sum()
    }

    /// Counts the weights that pruners may touch.
    pub fn prunable_count(&self) -> u64 {
        self.prunable().map(|entry| entry.elements() as u64).sum()
    }

    /// Counts the multiply-accumulates of convolutions and fully connected layers for one image.
    pub fn macs(&self) -> u64 {
        self.parameters.iter().map(|entry| entry.macs).sum()
    }

    /// Lists the entries that pruners may touch, in order.
    pub fn prunable(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|entry| entry.prunable())
    }

    /// Finds an entry of the state dict.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|entry| entry.name == name)
    }

    /// Finds an addressable layer.
    pub fn layer(&self, path: &str) -> Option<&LayerOutput> {
        self.layers.iter().find(|layer| layer.path == path)
    }
}

/// Why an architecture cannot be built. Paths are field paths; the root's is empty and shown as `network`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ArchError {
    /// A window is larger than what it slides over.
    #[error("`{}` slides a {}×{} window over an input of {input}, which is {}×{} with its border",
        shown(.path), .window[0], .window[1], .padded[0], .padded[1])]
    Window {
        /// The layer.
        path: String,
        /// Extent of the window, dilation included.
        window: [usize; 2],
        /// What reaches the layer.
        input: Shape,
        /// Height and width with padding.
        padded: [usize; 2],
    },
    /// Channels do not divide into groups.
    #[error("`{}` has {groups} groups, but {input} input and {output} output channels", shown(.path))]
    Groups {
        /// The layer.
        path: String,
        /// Groups.
        groups: usize,
        /// Input channels.
        input: usize,
        /// Output channels.
        output: usize,
    },
    /// A number that must be at least 1 is 0.
    #[error("the {what} of `{}` is 0", shown(.path))]
    Zero {
        /// The layer.
        path: String,
        /// Which number.
        what: &'static str,
    },
    /// A pooling border is wider than half its window.
    #[error("`{}` has a border of {pad}, more than half of its {kernel}×{kernel} window", shown(.path))]
    Border {
        /// The layer.
        path: String,
        /// Border.
        pad: usize,
        /// Window side.
        kernel: usize,
    },
    /// The branches of a block cannot be added.
    #[error("the branches of `{}` do not fit: the body gives {body}, the shortcut {shortcut}", shown(.path))]
    Branches {
        /// The block.
        path: String,
        /// Output of the body.
        body: Shape,
        /// Output of the shortcut.
        shortcut: Shape,
    },
    /// Two entries have the same name.
    #[error("two layers are called `{name}`")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A step of a path is empty or holds a dot.
    #[error("`{name}` is not a layer name: names are not empty and hold no dots")]
    Name {
        /// The name.
        name: String,
    },
    /// A count does not fit into 63 bits.
    #[error("`{}` is too large to count", shown(.path))]
    TooLarge {
        /// The layer.
        path: String,
    },
}

impl ArchError {
    /// Returns the field path of the layer at fault, empty for the root.
    pub fn path(&self) -> &str {
        match self {
            Self::Window { path, .. }
            | Self::Groups { path, .. }
            | Self::Zero { path, .. }
            | Self::Border { path, .. }
            | Self::Branches { path, .. }
            | Self::TooLarge { path } => path,
            Self::Duplicate { name } | Self::Name { name } => name,
        }
    }
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "network" } else { path }
}

impl Arch {
    /// Surveys the architecture for its own input size.
    ///
    /// # Errors
    /// If a layer does not fit its input or names collide.
    pub fn survey(&self) -> Result<Survey, ArchError> {
        self.survey_at(self.input)
    }

    /// Surveys the architecture for another input size.
    ///
    /// # Errors
    /// If a layer does not fit its input or names collide.
    pub fn survey_at(&self, input: Shape) -> Result<Survey, ArchError> {
        let zero = [input.channels, input.height, input.width].contains(&0);
        if zero {
            return Err(ArchError::Zero { path: String::new(), what: "input size" });
        }
        let mut surveyor = Surveyor::default();
        let output = surveyor.layer("", &self.root, input)?;
        Ok(Survey { input, parameters: surveyor.parameters, layers: surveyor.layers, output })
    }
}

impl Layer {
    /// Returns what the layer gives for one image of the size `input`, with `path` for errors.
    ///
    /// # Errors
    /// If the layer does not fit.
    pub fn output(&self, path: &str, input: Shape) -> Result<Shape, ArchError> {
        Surveyor::default().layer(path, self, input)
    }
}

#[derive(Default)]
struct Surveyor {
    parameters: Vec<Parameter>,
    names: BTreeSet<String>,
    layers: Vec<LayerOutput>,
    paths: BTreeSet<String>,
}

/// Joins a field path and a name.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl Surveyor {
    fn layer(&mut self, path: &str, layer: &Layer, input: Shape) -> Result<Shape, ArchError> {
        let output = match layer {
            Layer::Conv { .. } => self.conv(path, layer, input)?,
            Layer::BatchNorm { zero_scale } => self.batch_norm(path, *zero_scale, input)?,
            Layer::Linear { out } => self.linear(path, *out, input)?,
            Layer::Relu | Layer::Identity => input,
            Layer::MaxPool { kernel, stride, pad } | Layer::AvgPool { kernel, stride, pad } => {
                if *pad > kernel / 2 {
                    return Err(ArchError::Border { path: path.to_owned(), pad: *pad, kernel: *kernel });
                }
                let [height, width] = slide(path, input, [*kernel; 2], *stride, *pad, 1)?;
                Shape { channels: input.channels, height, width }
            }
            Layer::GlobalAvgPool => Shape { channels: input.channels, height: 1, width: 1 },
            Layer::Sequence { members } => members.iter().try_fold(input, |shape, (name, member)| {
                if name.is_empty() || name.contains('.') {
                    return Err(ArchError::Name { name: name.clone() });
                }
                self.layer(&join(path, name), member, shape)
            })?,
            Layer::Residual { before, body, shortcut, after } => {
                let input = before.as_ref().map_or(Ok(input), |before| self.branch(path, before, input))?;
                let main = self.branch(path, body, input)?;
                let other = self.branch(path, shortcut, input)?;
                if main != other {
                    return Err(ArchError::Branches { path: path.to_owned(), body: main, shortcut: other });
                }
                self.branch(path, after, main)?
            }
        };
        if !path.is_empty() {
            if !self.paths.insert(path.to_owned()) {
                return Err(ArchError::Duplicate { name: path.to_owned() });
            }
            self.layers.push(LayerOutput { path: path.to_owned(), shape: output });
        }
        Ok(output)
    }

    /// Surveys a part of a block: it shares the block's path, which stands for the whole block's output.
    fn branch(&mut self, path: &str, layer: &Layer, input: Shape) -> Result<Shape, ArchError> {
        let output = self.layer(path, layer, input)?;
        if !path.is_empty() {
            self.paths.remove(path);
            self.layers.pop();
        }
        Ok(output)
    }

    fn conv(&mut self, path: &str, layer: &Layer, input: Shape) -> Result<Shape, ArchError> {
        let Layer::Conv { out, kernel, stride, pad, dilation, groups, bias } = layer else {
            return Ok(input);
        };
        for (value, what) in [(*out, "number of channels"), (*dilation, "dilation"), (*groups, "number of groups")] {
            positive(path, value, what)?;
        }
        if !input.channels.is_multiple_of(*groups) || !out.is_multiple_of(*groups) {
            let (groups, input, output) = (*groups, input.channels, *out);
            return Err(ArchError::Groups { path: path.to_owned(), groups, input, output });
        }
        let [height, width] = slide(path, input, *kernel, *stride, *pad, *dilation)?;
        let shape = vec![*out, input.channels / groups, kernel[0], kernel[1]];
        let macs = product(path, &[shape[0], shape[1], shape[2], shape[3], height, width])?;
        self.parameter(path, "weight", shape, Role::ConvWeight, macs)?;
        if *bias {
            self.parameter(path, "bias", vec![*out], Role::Bias, 0)?;
        }
        let output = Shape { channels: *out, height, width };
        product(path, &[output.channels, height, width])?;
        Ok(output)
    }

    fn batch_norm(&mut self, path: &str, zero_scale: bool, input: Shape) -> Result<Shape, ArchError> {
        let scale = if zero_scale { Role::NormScaleZero } else { Role::NormScale };
        let entries = [
            ("weight", scale),
            ("bias", Role::NormShift),
            ("running_mean", Role::RunningMean),
            ("running_var", Role::RunningVar),
        ];
        for (name, role) in entries {
            self.parameter(path, name, vec![input.channels], role, 0)?;
        }
        self.parameter(path, "num_batches_tracked", Vec::new(), Role::BatchCount, 0)?;
        Ok(input)
    }

    fn linear(&mut self, path: &str, out: usize, input: Shape) -> Result<Shape, ArchError> {
        positive(path, out, "number of outputs")?;
        let inputs = product(path, &[input.channels, input.height, input.width])?;
        let shape = vec![out, usize::try_from(inputs).map_err(|_| ArchError::TooLarge { path: path.to_owned() })?];
        let macs = product(path, &shape)?;
        self.parameter(path, "weight", shape, Role::LinearWeight, macs)?;
        self.parameter(path, "bias", vec![out], Role::Bias, 0)?;
        Ok(Shape { channels: out, height: 1, width: 1 })
    }

    fn parameter(&mut self, path: &str, name: &str, shape: Vec<usize>, role: Role, macs: u64) -> Result<(), ArchError> {
        product(path, &shape)?;
        let name = join(path, name);
        if !self.names.insert(name.clone()) {
            return Err(ArchError::Duplicate { name });
        }
        self.parameters.push(Parameter { name, shape, role, macs });
        Ok(())
    }
}

fn positive(path: &str, value: usize, what: &'static str) -> Result<(), ArchError> {
    if value == 0 { Err(ArchError::Zero { path: path.to_owned(), what }) } else { Ok(()) }
}

/// Multiplies extents. Counts stay below 2⁴⁸, so that sums over layers cannot overflow either.
fn product(path: &str, extents: &[usize]) -> Result<u64, ArchError> {
    extents
        .iter()
        .try_fold(1u64, |product, extent| product.checked_mul(*extent as u64).filter(|value| *value < 1 << 48))
        .ok_or_else(|| ArchError::TooLarge { path: path.to_owned() })
}

/// Computes the height and width of a sliding window's output: ⌊(h + 2p − d(k − 1) − 1) / s⌋ + 1.
fn slide(
    path: &str,
    input: Shape,
    kernel: [usize; 2],
    stride: usize,
    pad: usize,
    dilation: usize,
) -> Result<[usize; 2], ArchError> {
    for (value, what) in [(kernel[0], "window height"), (kernel[1], "window width"), (stride, "stride")] {
        positive(path, value, what)?;
    }
    let too_large = || ArchError::TooLarge { path: path.to_owned() };
    if [kernel[0], kernel[1], pad, dilation].iter().any(|value| *value > 1 << 24) {
        return Err(too_large());
    }
    let window = kernel.map(|kernel| dilation * (kernel - 1) + 1);
    let padded = [input.height + 2 * pad, input.width + 2 * pad];
    if window[0] > padded[0] || window[1] > padded[1] {
        return Err(ArchError::Window { path: path.to_owned(), window, input, padded });
    }
    Ok([(padded[0] - window[0]) / stride + 1, (padded[1] - window[1]) / stride + 1])
}

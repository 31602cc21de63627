//! From a tree of layers to a list of steps over numbered values.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::arch::{Layer, Shape, join};
use crate::nn::Error;
use crate::nn::kernels::conv::{Conv, Geometry};
use crate::nn::kernels::norm::Norm;
use crate::nn::kernels::pool::Pool;

/// A value that flows between steps; 0 is the images.
pub(super) type Value = usize;

/// One operation. Parameters are indices into the survey's list.
pub(super) struct Step {
    pub x: Value,
    pub y: Value,
    pub work: Work,
    /// Whether the gradient of `x` (and of the second summand) is added to what is there.
    pub add: [bool; 2],
}

/// What a step does.
pub(super) enum Work {
    /// Convolution or fully connected layer.
    Conv { conv: Box<Conv>, weight: usize, bias: Option<usize> },
    /// Batch normalisation; scale, shift, running mean and variance and the counter lie at `first` and behind it.
    Norm { norm: Norm, first: usize, rectify: bool },
    /// max(x, 0)
    Relu,
    /// Largest value of windows.
    Maximum(Pool),
    /// Mean of windows.
    Mean(Pool),
    /// Mean over all places.
    GlobalMean,
    /// Puts channels first, as a fully connected layer over an image expects them.
    Flatten { channels: usize },
    /// x + other, rectified or not.
    Add { other: Value, rectify: bool },
}

/// The steps of a network and the values they pass.
pub(super) struct Program {
    pub steps: Vec<Step>,
    pub shapes: Vec<Shape>,
    pub output: Value,
    /// Values that callers want to see, by path.
    pub observed: BTreeMap<String, Value>,
}

struct Builder<'a> {
    steps: Vec<Step>,
    shapes: Vec<Shape>,
    parameter: usize,
    differentiate_input: bool,
    wanted: &'a BTreeSet<String>,
    observed: BTreeMap<String, Value>,
    /// Values that another branch still reads.
    pinned: Vec<Value>,
}

/// Lists the steps of a network. Rectifiers are joined with the normalisation or sum before them, unless that is `wanted`.
pub(super) fn build(
    root: &Layer,
    input: Shape,
    wanted: &BTreeSet<String>,
    differentiate_input: bool,
) -> Result<Program, Error> {
    let mut builder = Builder {
        steps: Vec::new(),
        shapes: vec![input],
        parameter: 0,
        differentiate_input,
        wanted,
        observed: BTreeMap::new(),
        pinned: vec![0],
    };
    let output = builder.layer("", root, 0)?;
    let Builder { mut steps, shapes, observed, .. } = builder;
    let mut written = vec![false; shapes.len()];
    for step in steps.iter_mut().rev() {
        step.add[0] = std::mem::replace(&mut written[step.x], true);
        if let Work::Add { other, .. } = step.work {
            step.add[1] = std::mem::replace(&mut written[other], true);
        }
    }
    Ok(Program { steps, shapes, output, observed })
}

impl Builder<'_> {
    fn push(&mut self, x: Value, shape: Shape, work: Work) -> Value {
        self.shapes.push(shape);
        let y = self.shapes.len() - 1;
        self.steps.push(Step { x, y, work, add: [false; 2] });
        y
    }

    fn take(&mut self, count: usize) -> usize {
        self.parameter += count;
        self.parameter - count
    }

    fn layer(&mut self, path: &str, layer: &Layer, x: Value) -> Result<Value, Error> {
        let from = self.shapes[x];
        let y = match layer {
            Layer::Identity => x,
            Layer::Sequence { members } => {
                members.iter().try_fold(x, |x, (name, member)| self.layer(&join(path, name), member, x))?
            }
            Layer::Residual { body, shortcut, after } => {
                self.pinned.push(x);
                let main = self.layer(path, body, x)?;
                self.pinned.push(main);
                let other = self.layer(path, shortcut, x)?;
                self.pinned.truncate(self.pinned.len() - 2);
                let sum = self.push(main, self.shapes[main], Work::Add { other, rectify: false });
                self.layer(path, after, sum)?
            }
            Layer::Relu => self.relu(x),
            Layer::GlobalAvgPool => {
                self.push(x, Shape { channels: from.channels, height: 1, width: 1 }, Work::GlobalMean)
            }
            Layer::Linear { out } => self.linear(x, *out),
            Layer::Conv { .. } | Layer::BatchNorm { .. } | Layer::MaxPool { .. } | Layer::AvgPool { .. } => {
                let shape = layer.output(path, from)?;
                let work = self.windowed(layer, from, x);
                self.push(x, shape, work)
            }
        };
        if self.wanted.contains(path) {
            self.observed.insert(path.to_owned(), y);
        }
        Ok(y)
    }

    fn windowed(&mut self, layer: &Layer, from: Shape, x: Value) -> Work {
        let size = [from.height, from.width];
        let pool = |kernel, stride, pad| Pool { channels: from.channels, size, kernel, stride, pad };
        match *layer {
            Layer::MaxPool { kernel, stride, pad } => Work::Maximum(pool(kernel, stride, pad)),
            Layer::AvgPool { kernel, stride, pad } => Work::Mean(pool(kernel, stride, pad)),
            Layer::Conv { out, kernel, stride, pad, dilation, groups, bias } => {
                let geometry =
                    Geometry { inputs: from.channels, size, outputs: out, kernel, stride, pad, dilation, groups };
                let conv = Box::new(Conv::new(geometry, x != 0 || self.differentiate_input));
                Work::Conv { conv, weight: self.take(1), bias: bias.then(|| self.take(1)) }
            }
            _ => Work::Norm { norm: Norm::new(from.channels), first: self.take(5), rectify: false },
        }
    }

    fn linear(&mut self, x: Value, out: usize) -> Value {
        let from = self.shapes[x];
        let inputs = from.values();
        let flat = Shape { channels: inputs, height: 1, width: 1 };
        let x = if from.channels == inputs { x } else { self.push(x, flat, Work::Flatten { channels: from.channels }) };
        let geometry =
            Geometry { inputs, size: [1, 1], outputs: out, kernel: [1, 1], stride: 1, pad: 0, dilation: 1, groups: 1 };
        let conv = Box::new(Conv::new(geometry, x != 0 || self.differentiate_input));
        let work = Work::Conv { conv, weight: self.take(1), bias: Some(self.take(1)) };
        self.push(x, Shape { channels: out, height: 1, width: 1 }, work)
    }

    fn relu(&mut self, x: Value) -> Value {
        let free = !self.pinned.contains(&x) && !self.observed.values().any(|value| *value == x);
        if let Some(Step { y, work: Work::Norm { rectify, .. } | Work::Add { rectify, .. }, .. }) =
            self.steps.last_mut()
            && *y == x
            && free
            && !*rectify
        {
            *rectify = true;
            return x;
        }
        self.push(x, self.shapes[x], Work::Relu)
    }
}

//! From a tree of layers to a list of steps over numbered values: what is to be computed, on whatever device.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::domain::arch::{Layer, Shape, join};
use crate::nn::Error;
use crate::nn::kernels::conv::Geometry;
use crate::nn::kernels::pool::Pool;

use super::Mode;

/// A value that flows between steps; 0 is the images.
pub(super) type Value = usize;

/// One operation, with a sum and a rectifier behind it. Parameters are indices into the survey's list.
pub(super) struct Step {
    pub x: Value,
    pub y: Value,
    pub work: Work,
    /// A value that is added to the result.
    pub other: Option<Value>,
    /// Whether negative results become 0.
    pub rectify: bool,
    /// Whether the gradient of `x` (and of `other`) is added to what is there.
    pub add: [bool; 2],
}

/// What a step does.
pub(super) enum Work {
    /// Convolution or fully connected layer. For evaluation, the normalisation behind it (parameters from `norm` on) is
    /// part of its weights. `moments` are those that the normalisation behind it will need.
    Conv { geometry: Geometry, weight: usize, bias: Option<usize>, norm: Option<usize>, moments: Option<usize> },
    /// Batch normalisation; scale, shift, running mean and variance and the counter lie at `first` and behind it.
    /// `taken` says that the convolution before it took the moments.
    Norm { channels: usize, first: usize, moments: usize, taken: bool },
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
    /// x + other
    Add,
}

/// The steps of a network and the values they pass.
pub(super) struct Program {
    pub steps: Vec<Step>,
    pub shapes: Vec<Shape>,
    pub output: Value,
    /// Number of normalisations that take the moments of a batch.
    pub moments: usize,
    /// Values that callers want to see, by path.
    pub observed: BTreeMap<String, Value>,
}

struct Builder<'a> {
    steps: Vec<Step>,
    shapes: Vec<Shape>,
    parameter: usize,
    moments: usize,
    mode: Mode,
    wanted: &'a BTreeSet<String>,
    observed: BTreeMap<String, Value>,
    /// Values that another branch still reads.
    pinned: Vec<Value>,
}

/// Lists the steps of a network. Sums and rectifiers are joined with what is before them, for evaluation normalisations
/// with their convolution, unless a value between is `wanted`.
pub(super) fn build(root: &Layer, input: Shape, mode: Mode, wanted: &BTreeSet<String>) -> Result<Program, Error> {
    let mut builder = Builder {
        steps: Vec::new(),
        shapes: vec![input],
        parameter: 0,
        moments: 0,
        mode,
        wanted,
        observed: BTreeMap::new(),
        pinned: vec![0],
    };
    let output = builder.layer("", root, 0)?;
    let Builder { mut steps, shapes, observed, moments, .. } = builder;
    let mut written = vec![false; shapes.len()];
    for step in steps.iter_mut().rev() {
        step.add[0] = std::mem::replace(&mut written[step.x], true);
        if let Some(other) = step.other {
            step.add[1] = std::mem::replace(&mut written[other], true);
        }
    }
    Ok(Program { steps, shapes, output, moments, observed })
}

impl Program {
    /// Whether nothing outside a segment of steps reads the value of one of them.
    pub(super) fn is_inner(&self, step: usize, segment: &Range<usize>) -> bool {
        let y = self.steps[step].y;
        let outside = self.steps.iter().enumerate().filter(|(at, _)| !segment.contains(at));
        let read = outside.map(|(_, step)| step).any(|step| step.x == y || step.other == Some(y));
        !read && y != self.output && !self.observed.values().any(|value| *value == y)
    }
}

impl Builder<'_> {
    fn push(&mut self, x: Value, shape: Shape, work: Work) -> Value {
        self.shapes.push(shape);
        let y = self.shapes.len() - 1;
        self.steps.push(Step { x, y, work, other: None, rectify: false, add: [false; 2] });
        y
    }

    /// Whether nobody but the next step reads a value.
    fn free(&self, value: Value) -> bool {
        !self.pinned.contains(&value) && !self.observed.values().any(|seen| *seen == value)
    }

    /// Adds `other` to `main`: the step that made it does so, if it can and nobody else reads `main`.
    fn add(&mut self, main: Value, other: Value) -> Value {
        let nth = self.steps.iter().position(|step| step.y == main);
        if let Some(nth) = nth
            && self.free(main)
            && main != other
            && self.steps[nth].x != other
            && self.steps[nth].takes_more(self.mode)
        {
            // `other` may be made later than `main`.
            let step = self.steps.remove(nth);
            self.steps.push(Step { other: Some(other), ..step });
            return main;
        }
        let sum = self.push(main, self.shapes[main], Work::Add);
        if let Some(step) = self.steps.last_mut() {
            step.other = Some(other);
        }
        sum
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
            Layer::Residual { before, body, shortcut, after } => {
                let x = before.as_ref().map_or(Ok(x), |before| self.layer(path, before, x))?;
                self.pinned.push(x);
                let main = self.layer(path, body, x)?;
                self.pinned.push(main);
                let other = self.layer(path, shortcut, x)?;
                self.pinned.truncate(self.pinned.len() - 2);
                let sum = self.add(main, other);
                self.layer(path, after, sum)?
            }
            Layer::Relu => self.relu(x),
            Layer::GlobalAvgPool => {
                self.push(x, Shape { channels: from.channels, height: 1, width: 1 }, Work::GlobalMean)
            }
            Layer::Linear { out } => self.linear(x, *out),
            Layer::BatchNorm { .. } => self.norm(x),
            Layer::Conv { .. } | Layer::MaxPool { .. } | Layer::AvgPool { .. } => {
                let shape = layer.output(path, from)?;
                let work = self.windowed(layer, from);
                self.push(x, shape, work)
            }
        };
        if self.wanted.contains(path) {
            self.observed.insert(path.to_owned(), y);
        }
        Ok(y)
    }

    fn windowed(&mut self, layer: &Layer, from: Shape) -> Work {
        let size = [from.height, from.width];
        let pool = |kernel, stride, pad| Pool { channels: from.channels, size, kernel, stride, pad };
        match *layer {
            Layer::MaxPool { kernel, stride, pad } => Work::Maximum(pool(kernel, stride, pad)),
            Layer::AvgPool { kernel, stride, pad } => Work::Mean(pool(kernel, stride, pad)),
            Layer::Conv { out, kernel, stride, pad, dilation, groups, bias } => {
                let geometry =
                    Geometry { inputs: from.channels, size, outputs: out, kernel, stride, pad, dilation, groups };
                self.conv(geometry, bias)
            }
            _ => Work::Relu,
        }
    }

    fn conv(&mut self, geometry: Geometry, bias: bool) -> Work {
        Work::Conv { geometry, weight: self.take(1), bias: bias.then(|| self.take(1)), norm: None, moments: None }
    }

    fn norm(&mut self, x: Value) -> Value {
        let (shape, mode, free) = (self.shapes[x], self.mode, self.free(x));
        let first = self.take(5);
        let before = self.steps.last_mut().filter(|step| step.y == x && step.other.is_none() && !step.rectify);
        let mut taken = false;
        match before.map(|step| &mut step.work) {
            Some(Work::Conv { norm: norm @ None, .. }) if mode == Mode::Evaluate && free => {
                *norm = Some(first);
                return x;
            }
            Some(Work::Conv { moments, .. }) if mode == Mode::Train => {
                *moments = Some(self.moments);
                taken = true;
            }
            _ => {}
        }
        self.moments += 1;
        let work = Work::Norm { channels: shape.channels, first, moments: self.moments - 1, taken };
        self.push(x, shape, work)
    }

    fn linear(&mut self, x: Value, out: usize) -> Value {
        let from = self.shapes[x];
        let inputs = from.values();
        let flat = Shape { channels: inputs, height: 1, width: 1 };
        let x = if from.channels == inputs { x } else { self.push(x, flat, Work::Flatten { channels: from.channels }) };
        let geometry =
            Geometry { inputs, size: [1, 1], outputs: out, kernel: [1, 1], stride: 1, pad: 0, dilation: 1, groups: 1 };
        let work = self.conv(geometry, true);
        self.push(x, Shape { channels: out, height: 1, width: 1 }, work)
    }

    fn relu(&mut self, x: Value) -> Value {
        let (mode, free) = (self.mode, self.free(x));
        if let Some(step) = self.steps.last_mut()
            && step.y == x
            && free
            && (matches!(step.work, Work::Add) && !step.rectify || step.rectifies(mode))
        {
            step.rectify = true;
            return x;
        }
        self.push(x, self.shapes[x], Work::Relu)
    }
}

impl Step {
    /// Whether the step can add another value to its result.
    fn takes_more(&self, mode: Mode) -> bool {
        self.other.is_none() && self.rectifies(mode)
    }

    /// Whether the step can rectify its result. A convolution that is trained cannot: its output is what moments and
    /// gradients are taken of.
    fn rectifies(&self, mode: Mode) -> bool {
        let able = match self.work {
            Work::Norm { .. } => true,
            Work::Conv { .. } => mode == Mode::Evaluate,
            _ => false,
        };
        able && !self.rectify
    }
}

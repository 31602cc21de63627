//! One step forward, one step back, on one GPU.

use crate::nn::device::DeviceError;
use crate::nn::kernels::conv::Geometry;
use crate::nn::kernels::norm::{EPSILON, MOMENTUM};

use super::super::engine::Pass;
use super::super::program::{Step, Work};
use super::convolution::{Convolution, Wanted};
use super::device::View;
use super::kernels::{Normal, Rows};
use super::launch::Format;
use super::normalisation::Normalisation;
use super::replica::{Folded, Replica};

type Done = Result<(), DeviceError>;

impl Replica {
    /// Computes the value of a step.
    pub(super) fn compute(&mut self, nth: usize, pass: Pass) -> Done {
        let plan = self.plan.clone();
        let step = &plan.program.steps[nth];
        let n = self.images;
        let [x, y] = [step.x, step.y].map(|value| self.buffer(value));
        let other = step.other.map(|other| self.buffer(other));
        match &step.work {
            Work::Conv { geometry, weight, bias, norm, .. } => {
                let bias = bias.map(|bias| self.parameter(bias));
                let (weights, bias) = match norm {
                    Some(first) => self.fold(nth, geometry, *weight, bias, *first)?,
                    None => (self.operand(*weight), bias),
                };
                let workspace = self.plan_convolution(nth, geometry)?;
                self.convolution(nth)?.forward(&self.dnn, [x, weights, y], workspace)?;
                if bias.is_some() || other.is_some() || step.rectify {
                    self.kernels.finish(y, bias, other, step.rectify, plan.rows(step.y, n))?;
                }
                Ok(())
            }
            Work::Norm { first, .. } => self.normalise(nth, step, *first, pass),
            Work::Relu => self.kernels.sum(x, None, y, true, n * plan.size(step.y)),
            Work::Add => self.kernels.sum(x, other, y, step.rectify, n * plan.size(step.y)),
            Work::Maximum(pool) => self.kernels.pool("maximum", x, y, pool, n),
            Work::Mean(pool) => self.kernels.pool("mean", x, y, pool, n),
            Work::GlobalMean => self.kernels.global_mean(x, y, self.places_channels(step.x), n),
            Work::Flatten { .. } => self.kernels.turn(x, y, self.places_channels(step.x), false, n),
        }
    }

    /// Computes the gradients of a step's parameters and inputs from the gradient of its value.
    pub(super) fn differentiate(&mut self, nth: usize) -> Done {
        let plan = self.plan.clone();
        let step = &plan.program.steps[nth];
        let n = self.images;
        let [x, y] = [step.x, step.y].map(|value| self.buffer(value));
        let dy = self.buffer(plan.gradient(step.y));
        // Of images that nobody differentiates by, a convolution has no gradient, and it has no place.
        let dx = || self.buffer(plan.gradient(step.x));
        let add = step.add;
        let rectified = step.rectify.then_some(y);
        match &step.work {
            Work::Conv { geometry, weight, bias, .. } => {
                self.differentiate_convolution(nth, geometry, *weight)?;
                if let Some(bias) = bias {
                    let gradient = self.gradient(*bias)?;
                    self.kernels.column_sums(dy, gradient, plan.rows(step.y, n), self.scratch.view())?;
                }
                Ok(())
            }
            Work::Norm { first, .. } => {
                // Nobody reads the gradient of `y` after this step: it is rectified where it lies.
                if rectified.is_some() {
                    self.kernels.pass(rectified, dy, dy, false, n * plan.size(step.y))?;
                }
                if let Some(other) = step.other {
                    let dother = self.buffer(plan.gradient(other));
                    self.kernels.pass(None, dy, dother, add[1], n * plan.size(step.y))?;
                }
                self.differentiate_normalisation(nth, step, *first)
            }
            Work::Add => {
                let into = [Some(step.x), step.other].into_iter().flatten();
                for (value, add) in into.zip(add) {
                    let into = self.buffer(plan.gradient(value));
                    self.kernels.pass(rectified, dy, into, add, n * plan.size(step.y))?;
                }
                Ok(())
            }
            Work::Relu => self.kernels.pass(Some(y), dy, dx(), add[0], n * plan.size(step.y)),
            Work::Maximum(pool) => self.kernels.maximum_gradient(x, dy, dx(), pool, add[0], n),
            Work::Mean(pool) => self.kernels.mean_gradient(dy, dx(), pool, add[0], n),
            Work::GlobalMean => self.kernels.global_mean_gradient(dy, dx(), self.places_channels(step.x), add[0], n),
            Work::Flatten { .. } => {
                let [places, channels] = self.places_channels(step.x);
                self.kernels.turn(dy, dx(), [channels, places], add[0], n)
            }
        }
    }

    fn places_channels(&self, value: usize) -> [usize; 2] {
        let shape = self.plan.program.shapes[value];
        [shape.height * shape.width, shape.channels]
    }

    /// Plans a convolution for as many images as there are, and returns a workspace for it.
    fn plan_convolution(&mut self, nth: usize, geometry: &Geometry) -> Result<View, DeviceError> {
        let key = (nth, self.images);
        if !self.convolutions.contains_key(&key) {
            let plan = &self.plan;
            let data = plan.train && (plan.program.steps[nth].x != 0 || plan.differentiate_input);
            let wanted = Wanted { data, weights: plan.train };
            let planned = Convolution::new(&self.dnn, geometry, self.images, plan.format(), plan.policy, wanted)?;
            self.convolutions.insert(key, planned);
        }
        let bytes = self.convolution(nth)?.workspace();
        self.workspace(bytes)
    }

    fn convolution(&self, nth: usize) -> Result<&Convolution, DeviceError> {
        self.convolutions.get(&(nth, self.images)).ok_or_else(unplanned)
    }

    fn differentiate_convolution(&mut self, nth: usize, geometry: &Geometry, weight: usize) -> Done {
        let plan = self.plan.clone();
        let step = &plan.program.steps[nth];
        let [x, dy] = [step.x, plan.gradient(step.y)].map(|value| self.buffer(value));
        let workspace = self.plan_convolution(nth, geometry)?;
        let gradient = self.gradient(weight)?;
        let convolution = self.convolution(nth)?;
        if plan.format() == Format::Float32 {
            convolution.weight_gradient(&self.dnn, [x, dy, gradient], workspace)?;
        } else {
            let narrow = self.scratch.view();
            convolution.weight_gradient(&self.dnn, [x, dy, narrow], workspace)?;
            self.kernels.widen(narrow, gradient, plan.places[weight].count)?;
        }
        if step.x != 0 || plan.differentiate_input {
            let dx = self.buffer(plan.gradient(step.x));
            convolution.data_gradient(&self.dnn, [self.operand(weight), dy, dx], step.add[0], workspace)?;
        }
        Ok(())
    }

    /// Returns the weights and constants of a convolution with a normalisation in them.
    fn fold(
        &mut self,
        nth: usize,
        geometry: &Geometry,
        weight: usize,
        bias: Option<View>,
        first: usize,
    ) -> Result<(View, Option<View>), DeviceError> {
        let (count, format, channels) = (self.plan.places[weight].count, self.plan.format(), geometry.outputs);
        if !self.folded.contains_key(&nth) {
            let weights = self.gpu.allocate(count * format.bytes())?;
            let constants = self.gpu.allocate(4 * channels)?;
            self.folded.insert(nth, Folded { weights, constants, fresh: false });
        }
        let entries = std::array::from_fn(|at| self.parameter(first + at));
        let from = self.parameter(weight);
        let folded = self.folded.get_mut(&nth).ok_or_else(unplanned)?;
        let (weights, constants) = (folded.weights.view(), folded.constants.view());
        if !std::mem::replace(&mut folded.fresh, true) {
            let extents = [channels, count / channels];
            self.kernels.fold([from, weights, constants], bias, entries, EPSILON, extents)?;
        }
        Ok((weights, Some(constants)))
    }

    /// Returns what a normalisation reads per channel; its statistics are those of the last pass.
    fn normal(&mut self, nth: usize, first: usize, channels: usize) -> Result<Normal, DeviceError> {
        if !self.statistics.contains_key(&nth) {
            let statistics = [self.gpu.allocate(4 * channels)?, self.gpu.allocate(4 * channels)?];
            self.statistics.insert(nth, statistics);
        }
        let [mean, inverse] = self.statistics.get(&nth).ok_or_else(unplanned)?;
        let [scale, shift] = [first, first + 1].map(|at| self.parameter(at));
        Ok(Normal { mean: mean.view(), inverse: inverse.view(), scale, shift })
    }

    /// Whether cuDNN normalises. Its interface for single calls knows float32; bf16 is done by pdsl's own kernels.
    fn by_cudnn(&self) -> bool {
        self.plan.format() == Format::Float32
    }

    fn plan_normalisation(&mut self, nth: usize, step: &Step) -> Result<View, DeviceError> {
        let key = (nth, self.images);
        if !self.normalisations.contains_key(&key) {
            let shape = self.plan.program.shapes[step.x];
            let shape = [self.images, shape.channels, shape.height, shape.width];
            let planned = Normalisation::new(&self.gpu, &self.dnn, shape, self.plan.format(), self.plan.policy)?;
            self.normalisations.insert(key, planned);
        }
        let bytes = self.normalisation(nth)?.workspace();
        self.workspace(bytes)
    }

    fn normalisation(&self, nth: usize) -> Result<&Normalisation, DeviceError> {
        self.normalisations.get(&(nth, self.images)).ok_or_else(unplanned)
    }

    fn normalise(&mut self, nth: usize, step: &Step, first: usize, pass: Pass) -> Done {
        let n = self.images;
        let [x, y] = [step.x, step.y].map(|value| self.buffer(value));
        let other = step.other.map(|other| self.buffer(other));
        let rows = self.plan.rows(step.x, n);
        let running = [first + 2, first + 3].map(|at| self.parameter(at));
        let normal = self.normal(nth, first, rows.channels)?;
        match pass {
            // Values that are made again go the same way, for the same bits; only the running statistics stay.
            Pass::Learning | Pass::Again if self.by_cudnn() => {
                let running = (pass == Pass::Learning).then_some(running);
                let workspace = self.plan_normalisation(nth, step)?;
                self.normalisation(nth)?.forward(&self.dnn, [x, y], normal, running, workspace)?;
                if other.is_some() || step.rectify {
                    self.kernels.finish(y, None, other, step.rectify, rows)?;
                }
                return Ok(());
            }
            Pass::Learning => {
                let statistics = [normal.mean, normal.inverse];
                self.kernels.moments(x, rows, self.scratch.view(), (EPSILON, MOMENTUM), statistics, running)?;
            }
            Pass::Again => {}
            Pass::Fixed => {
                self.gpu.copy(running[0], normal.mean)?;
                self.kernels.inverse_roots(running[1], EPSILON, normal.inverse, rows.channels)?;
            }
        }
        self.kernels.normalise(x, other, y, normal, step.rectify, rows)
    }

    fn differentiate_normalisation(&mut self, nth: usize, step: &Step, first: usize) -> Done {
        let plan = self.plan.clone();
        let rows: Rows = plan.rows(step.x, self.images);
        let operands = [step.x, plan.gradient(step.y), plan.gradient(step.x)].map(|value| self.buffer(value));
        let affine = [self.gradient(first)?, self.gradient(first + 1)?];
        let normal = self.normal(nth, first, rows.channels)?;
        if self.by_cudnn() && !plan.frozen {
            let workspace = self.plan_normalisation(nth, step)?;
            let normalisation = self.normalisation(nth)?;
            return normalisation.backward(&self.dnn, operands, normal, affine, step.add[0], workspace);
        }
        let scratch = self.scratch.view();
        self.kernels.normalise_gradient(operands, normal, affine, (plan.frozen, step.add[0]), rows, scratch)
    }
}

fn unplanned() -> DeviceError {
    DeviceError::Failed { call: "pdsl", status: "a step was run before it was planned".to_owned() }
}

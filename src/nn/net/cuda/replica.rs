//! A program on one GPU: its memory, and what goes in and out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::nn::device::DeviceError;
use crate::nn::kernels::loss::Sums;
use crate::nn::kernels::update::Rule;

use super::convolution::Convolution;
use super::device::{Gpu, Memory, View};
use super::dnn::Dnn;
use super::launch::{Format, Kernels};
use super::normalisation::Normalisation;
use super::plan::Plan;

/// One GPU at work.
pub(super) struct Replica {
    pub plan: Arc<Plan>,
    pub dnn: Dnn,
    pub kernels: Kernels,
    /// Plans of convolutions and normalisations, by step and number of images.
    pub convolutions: BTreeMap<(usize, usize), Convolution>,
    pub normalisations: BTreeMap<(usize, usize), Normalisation>,
    /// Convolutions that have taken up the normalisation behind them, by step.
    pub folded: BTreeMap<usize, Folded>,
    pub workspace: Memory,
    /// Partial sums, and gradients of weights before they are widened.
    pub scratch: Memory,
    /// Means and inverse deviations of normalisations, by step.
    pub statistics: BTreeMap<usize, [Memory; 2]>,
    buffers: Vec<Memory>,
    values: Memory,
    /// The weights as convolutions read them, in bf16.
    copies: Option<Memory>,
    gradients: Option<Memory>,
    /// What the optimiser remembers.
    memories: Vec<Memory>,
    kept: Vec<Option<Memory>>,
    /// Floats on their way in or out.
    staging: Memory,
    labels: Memory,
    losses: Memory,
    hits: Memory,
    /// Images of the last pass.
    pub images: usize,
    pub gpu: Gpu,
}

/// Weights and constants of a convolution that has taken up a normalisation.
pub(super) struct Folded {
    pub weights: Memory,
    pub constants: Memory,
    pub fresh: bool,
}

impl Replica {
    /// Makes room for a program on GPU `index`.
    pub(super) fn new(plan: Arc<Plan>, index: usize) -> Result<Self, DeviceError> {
        let gpu = Gpu::open(index)?;
        let free = gpu.free_bytes()?;
        if plan.bytes(plan.batch) > free {
            return Err(plan.shortage(free));
        }
        let (format, batch, numbers) = (plan.format(), plan.batch, plan.numbers);
        let dnn = Dnn::open(&gpu)?;
        let kernels = Kernels::load(&gpu, format)?;
        let buffers = plan.sizes.iter().map(|size| gpu.allocate(size * batch * format.bytes()));
        let optional = |wanted: bool, bytes: usize| wanted.then(|| gpu.allocate(bytes)).transpose();
        Ok(Self {
            dnn,
            kernels,
            convolutions: BTreeMap::new(),
            normalisations: BTreeMap::new(),
            folded: BTreeMap::new(),
            workspace: gpu.allocate(0)?,
            scratch: gpu.allocate(plan.scratch_bytes())?,
            statistics: BTreeMap::new(),
            buffers: buffers.collect::<Result<_, _>>()?,
            values: gpu.allocate(4 * numbers)?,
            copies: optional(format == Format::Bfloat16, 2 * numbers)?,
            gradients: optional(plan.train, 4 * numbers)?,
            memories: Vec::new(),
            kept: plan.places.iter().map(|_| None).collect(),
            staging: gpu.allocate(4 * batch * plan.passing())?,
            labels: gpu.allocate(4 * batch)?,
            losses: gpu.allocate(8 * batch)?,
            hits: gpu.allocate(4 * batch)?,
            images: 0,
            plan,
            gpu,
        })
    }

    /// Returns where a value or gradient of the last images lies.
    pub(super) fn buffer(&self, value: usize) -> View {
        let bytes = self.images * self.plan.size(value) * self.plan.format().bytes();
        self.buffers[self.plan.slots[value]].view().part(0, bytes)
    }

    /// Returns where a parameter lies.
    pub(super) fn parameter(&self, at: usize) -> View {
        self.part(&self.values, at, 4)
    }

    /// Returns where the weights lie that a convolution reads.
    pub(super) fn operand(&self, at: usize) -> View {
        self.copies.as_ref().map_or_else(|| self.parameter(at), |copies| self.part(copies, at, 2))
    }

    /// Returns where the gradient of a parameter lies.
    pub(super) fn gradient(&self, at: usize) -> Result<View, DeviceError> {
        let gradients = self.gradients.as_ref().ok_or_else(no_gradients)?;
        Ok(self.part(gradients, at, 4))
    }

    /// Returns where all gradients of parameters lie, one after the other.
    pub(super) fn gradients(&self) -> Result<View, DeviceError> {
        self.gradients.as_ref().map(Memory::view).ok_or_else(no_gradients)
    }

    fn part(&self, memory: &Memory, at: usize, bytes: usize) -> View {
        let place = self.plan.places[at];
        memory.view().part(bytes * place.first, bytes * place.count)
    }

    /// Makes sure that the workspace has `bytes` bytes, and returns it.
    pub(super) fn workspace(&mut self, bytes: usize) -> Result<View, DeviceError> {
        if self.workspace.view().bytes < bytes {
            // The old one is given back first: both may not fit.
            self.workspace = self.gpu.allocate(0)?;
            self.workspace = self.gpu.allocate(bytes)?;
        }
        Ok(self.workspace.view())
    }

    /// Writes a parameter, in its order on the GPU.
    pub(super) fn set_parameter(&mut self, at: usize, values: &[f32]) -> Result<(), DeviceError> {
        self.folded.values_mut().for_each(|folded| folded.fresh = false);
        self.gpu.write(self.parameter(at), values)?;
        if let Some(copies) = &self.copies {
            self.kernels.narrow(self.parameter(at), self.part(copies, at, 2), values.len())?;
        }
        Ok(())
    }

    /// Writes one of the optimiser's memories of a parameter.
    pub(super) fn set_memory(&mut self, which: usize, at: usize, values: &[f32]) -> Result<(), DeviceError> {
        while self.memories.len() <= which {
            self.memories.push(self.gpu.allocate(4 * self.plan.numbers)?);
        }
        self.gpu.write(self.part(&self.memories[which], at, 4), values)
    }

    /// Reads one of the optimiser's memories of a parameter.
    pub(super) fn memory(&self, which: usize, at: usize) -> Result<Vec<f32>, DeviceError> {
        let count = self.plan.places[at].count;
        match self.memories.get(which) {
            Some(memory) => self.gpu.read(self.part(memory, at, 4), count),
            None => Ok(vec![0.0; count]),
        }
    }

    /// Says which elements of a parameter stay 0.
    pub(super) fn set_kept(&mut self, at: usize, kept: Option<&[u8]>) -> Result<(), DeviceError> {
        self.kept[at] = None;
        if let Some(kept) = kept {
            let memory = self.gpu.allocate(kept.len())?;
            self.gpu.write(memory.view(), kept)?;
            self.kept[at] = Some(memory);
        }
        Ok(())
    }

    /// Writes images of floats, `[n][channel][row][column]`, as value 0.
    pub(super) fn set_images(&mut self, images: &[f32], n: usize) -> Result<(), DeviceError> {
        self.images = n;
        let shape = self.plan.program.shapes[0];
        self.gpu.write(self.staging.view(), images)?;
        self.kernels.images(self.staging.view(), self.buffer(0), shape.channels, shape.height * shape.width, n)
    }

    /// Reads a value or gradient of the first `n` images of the last ones.
    pub(super) fn read(&self, value: usize, n: usize) -> Result<Vec<f32>, DeviceError> {
        let count = n * self.plan.size(value);
        if self.plan.format() == Format::Float32 {
            return self.gpu.read(self.buffer(value), count);
        }
        self.gpu.bind()?;
        self.kernels.widen(self.buffer(value), self.staging.view(), count)?;
        self.gpu.read(self.staging.view(), count)
    }

    /// Writes the gradient of the output.
    pub(super) fn set_output_gradient(&mut self, gradient: &[f32]) -> Result<(), DeviceError> {
        let to = self.buffer(self.plan.gradient(self.plan.program.output));
        if self.plan.format() == Format::Float32 {
            return self.gpu.write(to, gradient);
        }
        self.gpu.write(self.staging.view(), gradient)?;
        self.kernels.narrow(self.staging.view(), to, gradient.len())
    }

    /// Computes losses and hits of the last images; and the gradient of the output, of the mean over `of` images.
    pub(super) fn judge(&self, labels: &[usize], smoothing: f64, of: Option<usize>) -> Result<(), DeviceError> {
        let numbers: Vec<i32> = labels.iter().map(|label| *label as i32).collect();
        self.gpu.write(self.labels.view(), &numbers)?;
        let output = self.plan.program.output;
        let gradient = of.map(|_| self.buffer(self.plan.gradient(output)));
        let records = [self.labels.view(), self.losses.view(), self.hits.view()];
        let shape = [labels.len(), self.plan.size(output)];
        self.kernels.cross_entropy(self.buffer(output), records, gradient, (smoothing, of.unwrap_or(1)), shape)
    }

    /// Adds losses and hits to sums, image by image.
    pub(super) fn collect(&self, sums: &mut Sums) -> Result<(), DeviceError> {
        let losses: Vec<f64> = self.gpu.read(self.losses.view(), self.images)?;
        let hits: Vec<i32> = self.gpu.read(self.hits.view(), self.images)?;
        for (loss, hit) in losses.into_iter().zip(hits) {
            sums.loss += loss;
            sums.correct += u64::from(hit & 1 != 0);
            sums.correct5 += u64::from(hit & 2 != 0);
        }
        Ok(())
    }

    /// Moves a parameter along its gradient.
    pub(super) fn update(&mut self, at: usize, rule: Rule) -> Result<(), DeviceError> {
        let count = self.plan.places[at].count;
        let needed = match rule {
            Rule::Descend(_) => 1,
            Rule::Adapt(_) => 2,
        };
        while self.memories.len() < needed {
            self.memories.push(self.gpu.allocate(4 * self.plan.numbers)?);
        }
        self.folded.values_mut().for_each(|folded| folded.fresh = false);
        let (values, gradient) = (self.parameter(at), self.gradient(at)?);
        let kept = self.kept[at].as_ref().map(Memory::view);
        let copy = self.copies.as_ref().map(|copies| self.part(copies, at, 2));
        let memory = |which: usize| self.part(&self.memories[which], at, 4);
        self.gpu.bind()?;
        match rule {
            Rule::Descend(update) => self.kernels.descend(update, [values, gradient, memory(0)], kept, copy, count),
            Rule::Adapt(update) => {
                self.kernels.adapt(update, [values, gradient, memory(0), memory(1)], kept, copy, count)
            }
        }
    }
}

fn no_gradients() -> DeviceError {
    DeviceError::Failed { call: "pdsl", status: "gradients were asked of a network built for evaluation".to_owned() }
}

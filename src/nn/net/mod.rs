//! Networks that run: the layers of an architecture as a list of steps (`program`) over buffers that are assigned
//! ahead and reused (`lives`), at work on a device (`engine`).

#[cfg(feature = "cuda")]
pub(in crate::nn) mod cuda;
mod double;
mod engine;
mod host;
mod learn;
mod lives;
mod program;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use crate::domain;
use crate::domain::arch::{Arch, Parameter, Role, Shape, Survey};

#[cfg(not(feature = "cuda"))]
use super::device::DeviceError;
use super::kernels::loss::Sums;
use super::kernels::{Threads, layout};
use super::mask::Mask;
use super::optim::Descent;
use super::{Error, Weights, checkpoint};
pub(super) use double::Double;
use engine::Engine;
use host::Host;
use lives::lay_out;
use program::{Program, Value};

/// What a network is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Batch statistics, gradients.
    Train,
    /// Running statistics, no gradients, less memory.
    Evaluate,
}

/// How a network is built.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Size of the images; the architecture's own if absent.
    pub input: Option<Shape>,
    /// Images that are worked on together at most.
    pub batch: usize,
    /// Training or evaluation.
    pub mode: Mode,
    /// Threads; they change no bit of a result.
    pub threads: usize,
    /// Layers whose outputs the caller wants to read.
    pub observe: Vec<String>,
    /// Whether the gradient of the images is wanted.
    pub differentiate_input: bool,
    /// Whether training takes the running statistics of normalisations as constants.
    pub frozen: bool,
    /// Whether most values are given up in training and computed again for the backward pass: less memory, more time,
    /// the same bits.
    pub recompute: bool,
    /// What computes the network.
    pub device: domain::device::Device,
}

impl Setup {
    /// A training network.
    pub fn train(batch: usize, threads: usize) -> Self {
        Self {
            input: None,
            batch: batch.max(1),
            mode: Mode::Train,
            threads,
            observe: Vec::new(),
            differentiate_input: false,
            frozen: false,
            recompute: false,
            device: domain::device::Device::Cpu,
        }
    }

    /// An evaluation network.
    pub fn evaluate(batch: usize, threads: usize) -> Self {
        Self { mode: Mode::Evaluate, ..Self::train(batch, threads) }
    }

    /// Chooses the device.
    #[must_use]
    pub fn on(self, device: &domain::device::Device) -> Self {
        Self { device: device.clone(), ..self }
    }

    /// Asks for the output of a layer.
    #[must_use]
    pub fn observing(mut self, path: &str) -> Self {
        self.observe.push(path.to_owned());
        self
    }
}

/// A network with its parameters and buffers.
pub struct Network {
    survey: Survey,
    setup: Setup,
    threads: Arc<Threads>,
    program: Arc<Program>,
    engine: Box<dyn Engine>,
    /// Batches that each normalisation has learned from, by parameter.
    counts: Vec<i64>,
    descent: Option<Descent>,
    images: usize,
}

impl Network {
    /// Plans a network; its parameters are zero until [`Network::load`].
    ///
    /// # Errors
    /// If a layer does not fit, a layer to observe does not exist, or the device cannot be used.
    pub fn new(arch: &Arch, setup: &Setup) -> Result<Self, Error> {
        let survey = arch.survey_at(setup.input.unwrap_or(arch.input))?;
        let program = program(arch, &survey, setup)?;
        let layout = lay_out(&program, setup);
        let threads = Arc::new(Threads::new(setup.threads));
        let program = Arc::new(program);
        let engine: Box<dyn Engine> = match &setup.device {
            domain::device::Device::Cpu => {
                Box::new(Host::new(program.clone(), &survey, setup, layout, threads.clone()))
            }
            #[cfg(feature = "cuda")]
            domain::device::Device::Cuda(device) => {
                Box::new(cuda::Cuda::new(program.clone(), &survey, setup, layout, device)?)
            }
            #[cfg(not(feature = "cuda"))]
            domain::device::Device::Cuda(_) => return Err(DeviceError::NotBuilt.into()),
        };
        let counts = vec![0; survey.parameters.len()];
        Ok(Self { survey, setup: setup.clone(), threads, program, engine, counts, descent: None, images: 0 })
    }

    /// Returns what is known about the architecture at this input size.
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Returns how many convolutions and fully connected layers multiplied only weights that are not 0 in the last pass.
    pub fn sparse_layers(&self) -> usize {
        self.engine.sparse_layers()
    }

    /// Returns the bytes of memory that it holds on its device.
    pub fn held_bytes(&self) -> u64 {
        self.engine.held_bytes()
    }

    /// Loads a state dict, pruned weights as zeros, which they stay.
    ///
    /// # Errors
    /// If names or shapes differ from the architecture's.
    pub fn load(&mut self, weights: &Weights, mask: Option<&Mask>) -> Result<(), Error> {
        checkpoint::check(&self.survey, weights)?;
        if let Some(mask) = mask {
            mask.check(&self.survey)?;
        }
        for (at, entry) in self.survey.parameters.iter().enumerate() {
            let tensor = &weights[&entry.name];
            if entry.role == Role::BatchCount {
                self.counts[at] = tensor.to_scalar::<i64>()?;
                continue;
            }
            let mut values = tensor.flatten_all()?.to_vec1::<f32>()?;
            if let Some(kept) = mask.and_then(|mask| mask.bits(&entry.name)) {
                clear_pruned(&mut values, kept);
            }
            self.engine.set_parameter(at, &values)?;
        }
        let kept = |entry: &Parameter| mask.and_then(|mask| mask.shared(&entry.name));
        self.engine.set_mask(self.survey.parameters.iter().map(kept).collect())
    }

    /// Returns the state dict.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub fn weights(&self) -> Result<Weights, Error> {
        let entry = |(at, entry): (usize, &Parameter)| {
            let tensor = if entry.role == Role::BatchCount {
                Tensor::new(self.counts[at], &Device::Cpu)?
            } else {
                Tensor::from_vec(self.engine.parameter(at)?.into_owned(), entry.shape.clone(), &Device::Cpu)?
            };
            Ok((entry.name.clone(), tensor))
        };
        self.survey.parameters.iter().enumerate().map(entry).collect()
    }

    /// Runs `n` images (`[n][channel][row][column]`) through the network.
    ///
    /// # Errors
    /// If there are more images than the batch the network was built for, or values of another size.
    pub fn forward(&mut self, images: &[f32], n: usize) -> Result<(), Error> {
        let batch = self.setup.batch;
        if n > batch || images.len() != n * self.survey.input.values() {
            return Err(Error::Batch { images: n, batch, values: images.len() });
        }
        self.images = n;
        if n == 0 {
            return Ok(());
        }
        self.engine.forward(images, n)?;
        if self.setup.mode == Mode::Train && !self.setup.frozen {
            for step in &self.program.steps {
                if let program::Work::Norm { first, .. } = step.work {
                    self.counts[first + 4] += 1;
                }
            }
        }
        Ok(())
    }

    /// Returns the output of the last images, `[n][class]`; `[n][place][channel]` if it is an image.
    ///
    /// # Errors
    /// If the device fails.
    pub fn logits(&self) -> Result<Cow<'_, [f32]>, Error> {
        self.engine.value(self.program.output, self.images)
    }

    /// Returns the output of an observed layer for the last images, `[n][channel][row][column]`, and its size.
    ///
    /// # Errors
    /// If the layer is not observed.
    pub fn activation(&self, path: &str) -> Result<(Shape, Vec<f32>), Error> {
        let Some(value) = self.program.observed.get(path) else {
            let layers = self.program.observed.keys().cloned().collect();
            return Err(Error::NoLayer { path: path.to_owned(), layers });
        };
        Ok(self.channels_first(*value, &self.engine.value(*value, self.images)?))
    }

    /// Adds losses and hits of the last images to sums.
    ///
    /// # Errors
    /// If the output is not one number per class, or labels do not fit.
    pub(super) fn score(&self, labels: &[usize], smoothing: f64, sums: &mut Sums) -> Result<(), Error> {
        self.check_labels(labels)?;
        self.engine.score(labels, smoothing, sums)
    }

    pub(super) fn threads(&self) -> &Threads {
        &self.threads
    }

    fn channels_first(&self, value: Value, from: &[f32]) -> (Shape, Vec<f32>) {
        let shape = self.program.shapes[value];
        let mut to = vec![0.0; from.len()];
        layout::channels_first(&self.threads, from, shape.channels, shape.height * shape.width, &mut to);
        (shape, to)
    }

    fn check_labels(&self, labels: &[usize]) -> Result<(), Error> {
        let shape = self.survey.output;
        let out_of_range = labels.iter().copied().find(|label| *label >= shape.channels);
        if shape.height * shape.width != 1 || labels.len() != self.images || out_of_range.is_some() {
            return Err(Error::Labels { output: shape, label: out_of_range });
        }
        Ok(())
    }
}

/// Returns the bytes that a network takes on its device (on each, if there are several), with `memories` numbers
/// remembered of each weight: exactly on the processor, at most on GPUs.
///
/// # Errors
/// As [`Network::new`].
pub fn needed_bytes(arch: &Arch, setup: &Setup, memories: usize) -> Result<u64, Error> {
    let survey = arch.survey_at(setup.input.unwrap_or(arch.input))?;
    let program = program(arch, &survey, setup)?;
    let layout = lay_out(&program, setup);
    match &setup.device {
        domain::device::Device::Cpu => Ok(Host::needed_bytes(&program, &survey, setup, &layout, memories)),
        #[cfg(feature = "cuda")]
        domain::device::Device::Cuda(device) => {
            Ok(cuda::needed_bytes(Arc::new(program), &survey, setup, layout, device))
        }
        #[cfg(not(feature = "cuda"))]
        domain::device::Device::Cuda(_) => Err(DeviceError::NotBuilt.into()),
    }
}

/// What one image costs in evaluation on the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Multiply-accumulates; where zeros are skipped, of the weights that are left.
    pub macs: u64,
    /// Layers that skip zeros.
    pub sparse_layers: u64,
}

/// Returns what an image will cost; `kept` says how many weights will be left of a prunable parameter, by its place among
/// them and its size.
///
/// # Errors
/// If a layer does not fit.
pub fn evaluation_work(arch: &Arch, kept: impl Fn(usize, usize) -> u64) -> Result<Work, Error> {
    let survey = arch.survey()?;
    let program = program(arch, &survey, &Setup::evaluate(1, 1))?;
    let mut work = Work { macs: 0, sparse_layers: 0 };
    for step in &program.steps {
        let program::Work::Conv { geometry, weight, .. } = step.work else { continue };
        let entry = &survey.parameters[weight];
        let place = survey.parameters[..weight].iter().filter(|entry| entry.prunable()).count();
        let left = kept(place, entry.elements());
        let skips = geometry.is_better_sparse(left as usize);
        work.sparse_layers += u64::from(skips);
        let elements = entry.elements().max(1) as u64;
        work.macs += if skips { entry.macs / elements * left } else { entry.macs };
    }
    Ok(work)
}

fn program(arch: &Arch, survey: &Survey, setup: &Setup) -> Result<Program, Error> {
    for path in &setup.observe {
        if survey.layer(path).is_none() {
            let layers = survey.layers.iter().map(|layer| layer.path.clone()).collect();
            return Err(Error::NoLayer { path: path.clone(), layers });
        }
    }
    let wanted: BTreeSet<String> = setup.observe.iter().cloned().collect();
    program::build(&arch.root, survey.input, setup.mode, &wanted)
}

fn clear_pruned(values: &mut [f32], kept: &[bool]) {
    for (value, kept) in values.iter_mut().zip(kept) {
        *value = if *kept { *value } else { 0.0 };
    }
}

#[cfg(test)]
mod tests;

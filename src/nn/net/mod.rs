//! Networks that run: the layers of an architecture as a list of steps over buffers that are assigned ahead and reused.

mod build;
mod slots;
mod step;

use std::collections::BTreeSet;

use candle_core::{Device, Tensor};

use crate::domain::arch::{Arch, Role, Shape, Survey};

use super::kernels::loss::{Sums, cross_entropy};
use super::kernels::norm::Moments;
use super::kernels::{Threads, layout};
use super::mask::Mask;
use super::optim::Descent;
use super::{Error, Weights, checkpoint};
use build::Program;
use slots::{Life, assign};
use step::{Buffers, Parameters};

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
}

impl Setup {
    /// A training network.
    pub fn train(batch: usize, threads: usize) -> Self {
        Self { input: None, batch, mode: Mode::Train, threads, observe: Vec::new(), differentiate_input: false }
    }

    /// An evaluation network.
    pub fn evaluate(batch: usize, threads: usize) -> Self {
        Self { mode: Mode::Evaluate, ..Self::train(batch, threads) }
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
    mode: Mode,
    batch: usize,
    threads: Threads,
    program: Program,
    parameters: Parameters,
    values: Buffers,
    gradients: Buffers,
    moments: Vec<Moments>,
    differentiate_input: bool,
    images: usize,
}

impl Network {
    /// Plans a network; its parameters are zero until [`Network::load`].
    ///
    /// # Errors
    /// If a layer does not fit, or a layer to observe does not exist.
    pub fn new(arch: &Arch, setup: &Setup) -> Result<Self, Error> {
        let survey = arch.survey_at(setup.input.unwrap_or(arch.input))?;
        for path in &setup.observe {
            if survey.layer(path).is_none() {
                let layers = survey.layers.iter().map(|layer| layer.path.clone()).collect();
                return Err(Error::NoLayer { path: path.clone(), layers });
            }
        }
        let wanted: BTreeSet<String> = setup.observe.iter().cloned().collect();
        let program = build::build(&arch.root, survey.input, setup.mode, &wanted, setup.differentiate_input)?;
        let train = setup.mode == Mode::Train;
        let batch = setup.batch.max(1);
        let buffers = |(slots, sizes): (Vec<usize>, Vec<usize>)| Buffers {
            slots,
            sizes: program.shapes.iter().map(|shape| shape.values()).collect(),
            memory: sizes.into_iter().map(|size| vec![0.0; size * batch]).collect(),
        };
        let values = buffers(assign(&value_lives(&program, train)));
        let gradients = if train {
            buffers(assign(&gradient_lives(&program)))
        } else {
            Buffers { slots: Vec::new(), sizes: Vec::new(), memory: Vec::new() }
        };
        let zeros = |role: Role, count: usize| vec![0.0; if role == Role::BatchCount { 0 } else { count }];
        let parameters = Parameters {
            values: survey.parameters.iter().map(|entry| zeros(entry.role, entry.elements())).collect(),
            gradients: survey
                .parameters
                .iter()
                .map(|entry| if train && entry.role.is_learned() { vec![0.0; entry.elements()] } else { Vec::new() })
                .collect(),
            counts: vec![0; survey.parameters.len()],
        };
        let threads = Threads::new(setup.threads);
        let moments = (0..program.moments).map(|_| Moments::default()).collect();
        let (mode, differentiate_input) = (setup.mode, setup.differentiate_input);
        Ok(Self {
            survey,
            mode,
            batch,
            threads,
            program,
            parameters,
            values,
            gradients,
            moments,
            differentiate_input,
            images: 0,
        })
    }

    /// Returns what is known about the architecture at this input size.
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Returns how many convolutions and fully connected layers multiplied only weights that are not 0 in the last pass.
    pub fn sparse_layers(&self) -> usize {
        let sparse = |step: &&build::Step| matches!(&step.work, build::Work::Conv { conv, .. } if conv.is_sparse());
        self.program.steps.iter().filter(sparse).count()
    }

    /// Returns the bytes of all activation and gradient buffers.
    pub fn buffer_bytes(&self) -> usize {
        let floats = |buffers: &Buffers| buffers.memory.iter().map(Vec::len).sum::<usize>();
        (floats(&self.values) + floats(&self.gradients)) * size_of::<f32>()
    }

    /// Loads a state dict, pruned weights as zeros.
    ///
    /// # Errors
    /// If names or shapes differ from the architecture's.
    pub fn load(&mut self, weights: &Weights, mask: Option<&Mask>) -> Result<(), Error> {
        checkpoint::check(&self.survey, weights)?;
        if let Some(mask) = mask {
            mask.check(&self.survey)?;
        }
        self.forget();
        for (at, entry) in self.survey.parameters.iter().enumerate() {
            let tensor = &weights[&entry.name];
            if entry.role == Role::BatchCount {
                self.parameters.counts[at] = tensor.to_scalar::<i64>()?;
                continue;
            }
            self.parameters.values[at] = tensor.flatten_all()?.to_vec1::<f32>()?;
            if let Some(kept) = mask.and_then(|mask| mask.bits(&entry.name)) {
                clear_pruned(&mut self.parameters.values[at], kept);
            }
        }
        Ok(())
    }

    /// Returns the state dict.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub fn weights(&self) -> Result<Weights, Error> {
        let entry = |(at, entry): (usize, &crate::domain::arch::Parameter)| {
            let tensor = if entry.role == Role::BatchCount {
                Tensor::new(self.parameters.counts[at], &Device::Cpu)?
            } else {
                Tensor::from_vec(self.parameters.values[at].clone(), entry.shape.clone(), &Device::Cpu)?
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
        if n > self.batch || images.len() != n * self.survey.input.values() {
            return Err(Error::Batch { images: n, batch: self.batch, values: images.len() });
        }
        self.images = n;
        if n == 0 {
            return Ok(());
        }
        let input = self.survey.input;
        let threads = &self.threads;
        self.values.with(0, n, |_, to| {
            layout::channels_last(threads, images, input.channels, input.height * input.width, to);
        });
        for step in &mut self.program.steps {
            let train = self.mode == Mode::Train;
            step.forward(threads, n, train, &mut self.parameters, &mut self.moments, &mut self.values);
        }
        Ok(())
    }

    /// Returns the output of the last images, `[n][class]`; `[n][place][channel]` if it is an image.
    pub fn logits(&self) -> &[f32] {
        self.values.get(self.program.output, self.images)
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
        Ok(self.channels_first(&self.values, *value))
    }

    /// Adds losses and hits of the last images to sums.
    ///
    /// # Errors
    /// If the output is not one number per class, or labels do not fit.
    pub(super) fn score(&self, labels: &[usize], smoothing: f64, sums: &mut Sums) -> Result<(), Error> {
        let classes = self.classes(labels)?;
        cross_entropy(self.logits(), labels, classes, smoothing, sums, None);
        Ok(())
    }

    /// Sums losses and hits of the last images and computes the gradients of the mean loss.
    ///
    /// # Errors
    /// As [`Network::score`]; or if the network was built for evaluation.
    pub(super) fn learn(&mut self, labels: &[usize], smoothing: f64) -> Result<Sums, Error> {
        let classes = self.classes(labels)?;
        let (n, output) = (self.images, self.program.output);
        self.must_train()?;
        let logits = self.values.get(output, n);
        let mut sums = Sums::default();
        self.gradients.with(output, n, |_, dy| cross_entropy(logits, labels, classes, smoothing, &mut sums, Some(dy)));
        self.differentiate();
        Ok(sums)
    }

    /// Computes gradients from the gradient of the output, `[n][channel][row][column]`.
    ///
    /// # Errors
    /// If the network was built for evaluation or the sizes differ.
    pub fn backward(&mut self, output_gradient: &[f32]) -> Result<(), Error> {
        self.must_train()?;
        let (n, output) = (self.images, self.program.output);
        let shape = self.program.shapes[output];
        if output_gradient.len() != n * shape.values() {
            return Err(Error::Batch { images: n, batch: self.batch, values: output_gradient.len() });
        }
        let threads = &self.threads;
        self.gradients.with(output, n, |_, dy| {
            layout::channels_last(threads, output_gradient, shape.channels, shape.height * shape.width, dy);
        });
        self.differentiate();
        Ok(())
    }

    /// Returns the gradient of a learned parameter, in its own layout.
    pub fn gradient(&self, name: &str) -> Option<&[f32]> {
        let at = self.survey.parameters.iter().position(|entry| entry.name == name)?;
        Some(self.parameters.gradients[at].as_slice()).filter(|gradient| !gradient.is_empty())
    }

    /// Returns the gradient of the images, if it was asked for.
    pub fn input_gradient(&self) -> Option<Vec<f32>> {
        (self.differentiate_input && self.mode == Mode::Train).then(|| self.channels_first(&self.gradients, 0).1)
    }

    /// Moves the parameters along their gradients.
    pub(super) fn update(&mut self, optimizer: &mut Descent, rate: f64, mask: Option<&Mask>) {
        self.forget();
        let Parameters { values, gradients, .. } = &mut self.parameters;
        optimizer.step(&self.threads, &self.survey, rate, values, gradients, mask);
    }

    /// Returns a parameter with a pruned weight that is not 0, if there is one.
    pub(super) fn unmasked(&self, mask: &Mask) -> Option<String> {
        let broken =
            |values: &[f32], kept: &[bool]| values.iter().zip(kept).any(|(value, kept)| !kept && *value != 0.0);
        let entries = self.survey.parameters.iter().zip(&self.parameters.values);
        let mut masked = entries.filter_map(|(entry, values)| Some((entry, values, mask.bits(&entry.name)?)));
        masked.find(|(_, values, kept)| broken(values, kept)).map(|(entry, ..)| entry.name.clone())
    }

    pub(super) fn threads(&self) -> &Threads {
        &self.threads
    }

    fn channels_first(&self, buffers: &Buffers, value: usize) -> (Shape, Vec<f32>) {
        let shape = self.program.shapes[value];
        let from = buffers.get(value, self.images);
        let mut to = vec![0.0; from.len()];
        layout::channels_first(&self.threads, from, shape.channels, shape.height * shape.width, &mut to);
        (shape, to)
    }

    fn forget(&mut self) {
        self.program.steps.iter_mut().for_each(build::Step::forget);
    }

    fn must_train(&self) -> Result<(), Error> {
        if self.mode == Mode::Train { Ok(()) } else { Err(Error::Evaluating) }
    }

    fn classes(&self, labels: &[usize]) -> Result<usize, Error> {
        let shape = self.survey.output;
        let out_of_range = labels.iter().copied().find(|label| *label >= shape.channels);
        if shape.height * shape.width != 1 || labels.len() != self.images || out_of_range.is_some() {
            return Err(Error::Labels { output: shape, label: out_of_range });
        }
        Ok(shape.channels)
    }

    fn differentiate(&mut self) {
        for step in self.program.steps.iter_mut().rev() {
            let into_x = step.x != 0 || self.differentiate_input;
            step.backward(&self.threads, self.images, into_x, &mut self.parameters, &self.values, &mut self.gradients);
        }
    }
}

fn clear_pruned(values: &mut [f32], kept: &[bool]) {
    for (value, kept) in values.iter_mut().zip(kept) {
        *value = if *kept { *value } else { 0.0 };
    }
}

/// When each value is needed: until its last reader, or for ever if it is trained on, observed or the output.
fn value_lives(program: &Program, train: bool) -> Vec<Life> {
    let end = program.steps.len() + 1;
    let mut lives: Vec<Life> =
        program.shapes.iter().map(|shape| Life { first: 0, last: 0, size: shape.values() }).collect();
    for (at, step) in program.steps.iter().enumerate() {
        lives[step.y].first = at + 1;
        lives[step.y].last = lives[step.y].last.max(at + 1);
        lives[step.x].last = at + 1;
        if let Some(other) = step.other {
            lives[other].last = at + 1;
        }
    }
    let kept: Vec<usize> = program.observed.values().copied().chain([program.output]).collect();
    for (value, life) in lives.iter_mut().enumerate() {
        if train || kept.contains(&value) {
            life.last = end;
        }
    }
    lives
}

/// When each gradient is needed: from the last reader of the value back to the step that made it.
fn gradient_lives(program: &Program) -> Vec<Life> {
    let steps = program.steps.len();
    let mut lives: Vec<Life> =
        program.shapes.iter().map(|shape| Life { first: usize::MAX, last: 0, size: shape.values() }).collect();
    lives[program.output].first = 0;
    for (at, step) in program.steps.iter().enumerate().rev() {
        let time = steps - at;
        lives[step.y].last = time;
        for value in [step.x].into_iter().chain(step.other) {
            lives[value].first = lives[value].first.min(time);
        }
    }
    lives[0].last = steps + 1;
    lives
}

#[cfg(test)]
mod tests;

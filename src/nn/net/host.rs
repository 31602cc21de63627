//! The engine of the CPU.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::arch::{Parameter, Role, Survey};
use crate::nn::Error;
use crate::nn::kernels::conv::{Conv, Finish, Workspace};
use crate::nn::kernels::loss::{Sums, cross_entropy};
use crate::nn::kernels::norm::{After, Moments, Norm, Passed, fold};
use crate::nn::kernels::update::{Rule, update};
use crate::nn::kernels::{Threads, elementwise, layout, pool};

use super::engine::{Engine, Pass};
use super::lives::Layout;
use super::program::{Program, Step, Value, Work};
use super::{Mode, Setup};

/// A program on the CPU.
pub(super) struct Host {
    program: Arc<Program>,
    threads: Arc<Threads>,
    kernels: Vec<Kernel>,
    parameters: Parameters,
    /// What the optimiser remembers, by what and parameter.
    memories: Vec<Vec<Vec<f32>>>,
    kept: Vec<Option<Arc<[bool]>>>,
    buffers: Buffers,
    /// Of what each normalisation reads.
    moments: Vec<Moments>,
    /// Lent to the gradient of one normalisation after the other.
    partial: Moments,
    workspace: Workspace,
    segments: Vec<Range<usize>>,
    mode: Mode,
    frozen: bool,
    differentiate_input: bool,
    images: usize,
}

/// What a step keeps between passes.
enum Kernel {
    Conv(Box<Conv>),
    Norm(Norm),
    Plain,
}

/// Buffers of values and of their gradients, which come behind them.
struct Buffers {
    slots: Vec<usize>,
    sizes: Vec<usize>,
    memory: Vec<Vec<f32>>,
}

impl Buffers {
    /// Returns a value for `n` images.
    fn get(&self, value: Value, n: usize) -> &[f32] {
        &self.memory[self.slots[value]][..n * self.sizes[value]]
    }

    /// Returns the number of the gradient of a value.
    fn gradient(&self, value: Value) -> Value {
        self.sizes.len() / 2 + value
    }

    /// Lends a value's buffer to `work`, beside all others.
    fn with<R>(&mut self, value: Value, n: usize, work: impl FnOnce(&Self, &mut [f32]) -> R) -> R {
        let slot = self.slots[value];
        let mut memory = std::mem::take(&mut self.memory[slot]);
        let result = work(self, &mut memory[..n * self.sizes[value]]);
        self.memory[slot] = memory;
        result
    }

    /// Lends the buffers of two values that are needed at the same time.
    fn with_both<R>(
        &mut self,
        values: [Value; 2],
        n: usize,
        work: impl FnOnce(&Self, &mut [f32], &mut [f32]) -> R,
    ) -> R {
        let [first, second] = values;
        let slot = self.slots[first];
        let mut memory = std::mem::take(&mut self.memory[slot]);
        let length = n * self.sizes[first];
        let result = self.with(second, n, |buffers, second| work(buffers, &mut memory[..length], second));
        self.memory[slot] = memory;
        result
    }
}

/// Parameters and their gradients, in the survey's order.
struct Parameters {
    values: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
}

impl Host {
    /// Makes room for a program; parameters are 0.
    pub(super) fn new(
        program: Arc<Program>,
        survey: &Survey,
        setup: &Setup,
        layout: Layout,
        threads: Arc<Threads>,
    ) -> Self {
        let train = setup.mode == Mode::Train;
        let Layout { slots, sizes, segments } = layout;
        let kernel = |step: &Step| match step.work {
            Work::Conv { geometry, .. } => {
                let mut conv = Box::new(Conv::new(geometry, train && (step.x != 0 || setup.differentiate_input)));
                if !train {
                    conv.keep_weights();
                }
                Kernel::Conv(conv)
            }
            Work::Norm { channels, .. } => Kernel::Norm(Norm::new(channels)),
            _ => Kernel::Plain,
        };
        let stored = |role: Role, count: usize| vec![0.0; if role == Role::BatchCount { 0 } else { count }];
        let learned = |role: Role, count: usize| vec![0.0; if train && role.is_learned() { count } else { 0 }];
        Self {
            kernels: program.steps.iter().map(kernel).collect(),
            parameters: Parameters {
                values: survey.parameters.iter().map(|entry| stored(entry.role, entry.elements())).collect(),
                gradients: survey.parameters.iter().map(|entry| learned(entry.role, entry.elements())).collect(),
            },
            memories: Vec::new(),
            kept: vec![None; survey.parameters.len()],
            buffers: Buffers {
                sizes: (0..slots.len()).map(|at| program.shapes[at % program.shapes.len()].values()).collect(),
                slots,
                memory: sizes.into_iter().map(|size| vec![0.0; size * setup.batch.max(1)]).collect(),
            },
            moments: (0..program.moments).map(|_| Moments::default()).collect(),
            partial: Moments::default(),
            workspace: Workspace::default(),
            segments,
            mode: setup.mode,
            frozen: setup.frozen,
            differentiate_input: setup.differentiate_input,
            images: 0,
            program,
            threads,
        }
    }

    /// Returns the bytes that a program will hold once it has learned from (or evaluated) a whole batch, with `memories`
    /// numbers remembered per weight. What lists of weights that are not 0 take is not more than what dense ones take.
    pub(super) fn needed_bytes(
        program: &Program,
        survey: &Survey,
        setup: &Setup,
        layout: &Layout,
        memories: usize,
    ) -> u64 {
        let (n, train) = (setup.batch.max(1), setup.mode == Mode::Train);
        let stored = survey.parameters.iter().filter(|entry| entry.role != Role::BatchCount);
        let learned = survey.parameters.iter().filter(|entry| entry.role.is_learned()).map(Parameter::elements);
        let learned = if train { (1 + memories) * learned.sum::<usize>() } else { 0 };
        let (mut kept, mut packed, mut sums, mut partial) = (0, 0, 0, 0);
        for step in &program.steps {
            match step.work {
                Work::Conv { geometry, moments: taken, .. } => {
                    let conv = Conv::new(geometry, train && (step.x != 0 || setup.differentiate_input));
                    let needs = conv.needs(n);
                    if train {
                        packed = packed.max(needs.packed).max(needs.swapped);
                        sums = sums.max(needs.sums);
                        kept += if taken.is_some() && !setup.frozen { needs.moments } else { 0 };
                    } else {
                        kept += needs.packed;
                    }
                }
                Work::Norm { channels, taken, .. } => {
                    let needs = Norm::needs(channels, n * program.shapes[step.x].values() / channels);
                    kept += Norm::new(channels).len();
                    if train {
                        kept += if taken || setup.frozen { 0 } else { needs };
                        partial = partial.max(needs);
                    }
                }
                _ => {}
            }
        }
        let buffers = layout.sizes.iter().sum::<usize>() * n;
        let numbers = stored.map(Parameter::elements).sum::<usize>() + learned + buffers;
        ((numbers + kept + packed + sums + partial) * size_of::<f32>()) as u64
    }

    /// Computes the value of a step.
    fn compute(&mut self, nth: usize, pass: Pass) {
        let n = self.images;
        let Self { program, threads, parameters, moments, workspace, .. } = self;
        let step = &program.steps[nth];
        let (x, rectify, other) = (step.x, step.rectify, step.other);
        let kernel = &mut self.kernels[nth];
        let channels_places = |buffers: &Buffers, channels: usize| (channels, buffers.sizes[x] / channels);
        self.buffers.with(step.y, n, |buffers, y| {
            let other = other.map(|other| buffers.get(other, n));
            let x = buffers.get(x, n);
            match (&step.work, kernel) {
                (Work::Conv { weight, bias, norm, moments: taken, .. }, Kernel::Conv(conv)) => {
                    let weights = parameters.values[*weight].as_slice();
                    let bias = bias.map(|bias| parameters.values[bias].as_slice());
                    let taken = taken.filter(|_| pass == Pass::Learning).map(|taken| &mut moments[taken]);
                    let Some(first) = *norm else {
                        let finish = Finish { bias, other, rectify, moments: taken };
                        return conv.forward(threads, n, x, weights, finish, workspace, y);
                    };
                    let entries = &parameters.values[first..first + 4];
                    let (weights, bias) = fold(weights, bias, entries, conv.is_fresh());
                    let finish = Finish { bias: Some(&bias), other, rectify, moments: None };
                    conv.forward(threads, n, x, &weights, finish, workspace, y);
                }
                (Work::Norm { first, moments: of_x, taken, .. }, Kernel::Norm(norm)) => {
                    let (affine, running) = parameters.values[*first..].split_at_mut(2);
                    let affine = (affine[0].as_slice(), affine[1].as_slice());
                    let after = After { other, rectify };
                    match pass {
                        Pass::Learning => {
                            norm.train(threads, x, &mut moments[*of_x], *taken, affine, running, after, y);
                        }
                        Pass::Again => norm.apply(threads, x, affine, after, y),
                        Pass::Fixed => norm.evaluate(threads, x, affine, (&running[0], &running[1]), after, y),
                    }
                }
                (Work::Maximum(pool), _) => pool.maximum(threads, x, y),
                (Work::Mean(pool), _) => pool.mean(threads, x, y),
                (Work::GlobalMean, _) => {
                    let (channels, places) = channels_places(buffers, y.len() / n);
                    pool::global_mean(threads, x, places, channels, y);
                }
                (Work::Flatten { channels }, _) => {
                    let (channels, places) = channels_places(buffers, *channels);
                    layout::channels_first(threads, x, channels, places, y);
                }
                (Work::Add, _) => elementwise::add(threads, x, other.unwrap_or_default(), rectify, y),
                _ => elementwise::relu(threads, x, y),
            }
        });
    }

    /// Computes the gradients of a step's parameters and inputs from the gradient of its value.
    fn differentiate(&mut self, nth: usize) {
        let n = self.images;
        let Self { program, threads, parameters, workspace, partial, .. } = self;
        let step = &program.steps[nth];
        let (x, y, add) = (step.x, step.y, step.add);
        let [dx, dy] = [x, y].map(|value| self.buffers.gradient(value));
        let dother = step.other.map(|other| self.buffers.gradient(other));
        match (&step.work, &mut self.kernels[nth]) {
            (Work::Conv { weight, bias, .. }, Kernel::Conv(conv)) => {
                let gradients = &mut parameters.gradients;
                let of_y = self.buffers.get(dy, n);
                let of_x = self.buffers.get(x, n);
                conv.weight_gradient(threads, n, of_x, of_y, workspace, &mut gradients[*weight]);
                if let Some(bias) = bias {
                    elementwise::column_sums(of_y, &mut gradients[*bias]);
                }
                if x != 0 || self.differentiate_input {
                    self.buffers.with(dx, n, |buffers, dx| {
                        let weights = &parameters.values[*weight];
                        conv.input_gradient(threads, n, buffers.get(dy, n), weights, add[0], workspace, dx);
                    });
                }
            }
            (Work::Norm { first, .. }, Kernel::Norm(norm)) => {
                let scale = &parameters.values[*first];
                let (left, right) = parameters.gradients.split_at_mut(*first + 1);
                let affine = (left[*first].as_mut_slice(), right[0].as_mut_slice());
                let work = |buffers: &Buffers, dx: &mut [f32], dother: Option<&mut [f32]>| {
                    let passed = match (step.rectify, step.other) {
                        (false, _) => Passed::All,
                        (true, None) => Passed::Computed,
                        (true, Some(_)) => Passed::Stored(buffers.get(y, n)),
                    };
                    let (of_x, dy) = (buffers.get(x, n), buffers.get(dy, n));
                    let dother = dother.map(|dother| (dother, add[1]));
                    norm.gradient(threads, of_x, passed, dy, scale, affine, add[0], dx, dother, partial);
                };
                match dother {
                    None => self.buffers.with(dx, n, |buffers, dx| work(buffers, dx, None)),
                    Some(dother) => {
                        let work =
                            |buffers: &Buffers, dx: &mut [f32], dother: &mut [f32]| work(buffers, dx, Some(dother));
                        self.buffers.with_both([dx, dother], n, work);
                    }
                }
            }
            (Work::Add, _) => {
                for (into, add) in [Some(dx), dother].into_iter().flatten().zip(add) {
                    self.buffers.with(into, n, |buffers, dx| {
                        let of_y = buffers.get(dy, n);
                        if step.rectify {
                            elementwise::relu_gradient(threads, buffers.get(y, n), of_y, add, dx);
                        } else {
                            elementwise::pass(threads, of_y, add, dx);
                        }
                    });
                }
            }
            (work, _) => {
                let size = self.buffers.sizes[x];
                self.buffers.with(dx, n, |buffers, dx| {
                    let dy = buffers.get(dy, n);
                    match work {
                        Work::Maximum(pool) => {
                            clear(dx, add[0]);
                            pool.maximum_gradient(threads, buffers.get(x, n), dy, dx);
                        }
                        Work::Mean(pool) => {
                            clear(dx, add[0]);
                            pool.mean_gradient(threads, dy, dx);
                        }
                        Work::GlobalMean => {
                            let channels = dy.len() / n;
                            pool::global_mean_gradient(threads, dy, size / channels, channels, add[0], dx);
                        }
                        Work::Flatten { channels } => {
                            let mut spread = vec![0.0; dx.len()];
                            layout::channels_last(threads, dy, *channels, size / *channels, &mut spread);
                            elementwise::pass(threads, &spread, add[0], dx);
                        }
                        _ => elementwise::relu_gradient(threads, buffers.get(y, n), dy, add[0], dx),
                    }
                });
            }
        }
    }

    /// Goes back from the gradient of the output, segment by segment.
    fn go_back(&mut self) {
        let again = if self.frozen { Pass::Fixed } else { Pass::Again };
        let segments = std::mem::take(&mut self.segments);
        for (nth, segment) in segments.iter().enumerate().rev() {
            if nth + 1 < segments.len() {
                let program = self.program.clone();
                let inner = segment.clone().filter(|step| program.is_inner(*step, segment));
                inner.for_each(|step| self.compute(step, again));
            }
            segment.clone().rev().for_each(|step| self.differentiate(step));
        }
        self.segments = segments;
    }

    fn forget(&mut self) {
        for kernel in &mut self.kernels {
            if let Kernel::Conv(conv) = kernel {
                conv.forget();
            }
        }
    }
}

impl Engine for Host {
    fn set_parameter(&mut self, at: usize, values: &[f32]) -> Result<(), Error> {
        self.forget();
        self.parameters.values[at].copy_from_slice(values);
        Ok(())
    }

    fn parameter(&self, at: usize) -> Result<Cow<'_, [f32]>, Error> {
        Ok(Cow::Borrowed(&self.parameters.values[at]))
    }

    fn gradient(&self, at: usize) -> Result<Cow<'_, [f32]>, Error> {
        Ok(Cow::Borrowed(&self.parameters.gradients[at]))
    }

    fn set_memory(&mut self, which: usize, at: usize, values: &[f32]) -> Result<(), Error> {
        while self.memories.len() <= which {
            self.memories.push(vec![Vec::new(); self.parameters.values.len()]);
        }
        values.clone_into(&mut self.memories[which][at]);
        Ok(())
    }

    fn memory(&self, which: usize, at: usize) -> Result<Cow<'_, [f32]>, Error> {
        Ok(Cow::Borrowed(&self.memories[which][at]))
    }

    fn set_mask(&mut self, kept: Vec<Option<Arc<[bool]>>>) -> Result<(), Error> {
        self.kept = kept;
        Ok(())
    }

    fn forward(&mut self, images: &[f32], n: usize) -> Result<(), Error> {
        self.images = n;
        let input = self.program.shapes[0];
        let threads = &self.threads;
        self.buffers.with(0, n, |_, to| {
            layout::channels_last(threads, images, input.channels, input.height * input.width, to);
        });
        let learning = self.mode == Mode::Train && !self.frozen;
        let pass = if learning { Pass::Learning } else { Pass::Fixed };
        (0..self.kernels.len()).for_each(|step| self.compute(step, pass));
        Ok(())
    }

    fn value(&self, value: Value, n: usize) -> Result<Cow<'_, [f32]>, Error> {
        Ok(Cow::Borrowed(self.buffers.get(value, n)))
    }

    fn value_gradient(&self, value: Value, n: usize) -> Result<Cow<'_, [f32]>, Error> {
        Ok(Cow::Borrowed(self.buffers.get(self.buffers.gradient(value), n)))
    }

    fn score(&self, labels: &[usize], smoothing: f64, sums: &mut Sums) -> Result<(), Error> {
        let output = self.program.output;
        let logits = self.buffers.get(output, self.images);
        cross_entropy(logits, labels, self.program.shapes[output].values(), smoothing, sums, None);
        Ok(())
    }

    fn learn(&mut self, labels: &[usize], smoothing: f64) -> Result<Sums, Error> {
        let (n, output) = (self.images, self.program.output);
        let classes = self.program.shapes[output].values();
        let mut sums = Sums::default();
        self.buffers.with(self.buffers.gradient(output), n, |buffers, dy| {
            cross_entropy(buffers.get(output, n), labels, classes, smoothing, &mut sums, Some(dy));
        });
        self.go_back();
        Ok(sums)
    }

    fn backward(&mut self, output_gradient: &[f32], n: usize) -> Result<(), Error> {
        self.buffers.with(self.buffers.gradient(self.program.output), n, |_, dy| dy.copy_from_slice(output_gradient));
        self.go_back();
        Ok(())
    }

    fn update(&mut self, at: usize, rule: Rule) -> Result<(), Error> {
        let mut memories = self.memories.iter_mut().map(|memory| memory[at].as_mut_slice());
        let memories = [memories.next().unwrap_or_default(), memories.next().unwrap_or_default()];
        let Parameters { values, gradients } = &mut self.parameters;
        update(&self.threads, rule, &mut values[at], &gradients[at], memories, self.kept[at].as_deref());
        Ok(())
    }

    fn sparse_layers(&self) -> usize {
        self.kernels.iter().filter(|kernel| matches!(kernel, Kernel::Conv(conv) if conv.is_sparse())).count()
    }

    fn held_bytes(&self) -> u64 {
        let all = |lists: &[Vec<f32>]| lists.iter().map(Vec::len).sum::<usize>();
        let Parameters { values, gradients } = &self.parameters;
        let of_kernel = |kernel: &Kernel| match kernel {
            Kernel::Conv(conv) => conv.packed_len(),
            Kernel::Norm(norm) => norm.len(),
            Kernel::Plain => 0,
        };
        let numbers = all(values)
            + all(gradients)
            + self.memories.iter().map(|memory| all(memory)).sum::<usize>()
            + all(&self.buffers.memory)
            + self.kernels.iter().map(of_kernel).sum::<usize>()
            + self.workspace.room()
            + self.partial.room()
            + self.moments.iter().map(Moments::room).sum::<usize>();
        (numbers * size_of::<f32>()) as u64
    }
}

fn clear(dx: &mut [f32], add: bool) {
    if !add {
        dx.fill(0.0);
    }
}

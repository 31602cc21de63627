//! One step forward, one step back.

use crate::nn::kernels::conv::Finish;
use crate::nn::kernels::norm::{After, Moments, Passed, fold};
use crate::nn::kernels::{Threads, elementwise, layout, pool};

use super::build::{Step, Value, Work};

/// Buffers of values, by slot.
pub(super) struct Buffers {
    pub slots: Vec<usize>,
    pub sizes: Vec<usize>,
    pub memory: Vec<Vec<f32>>,
}

impl Buffers {
    /// Returns a value for `n` images.
    pub(super) fn get(&self, value: Value, n: usize) -> &[f32] {
        &self.memory[self.slots[value]][..n * self.sizes[value]]
    }

    /// Lends a value's buffer to `work`, beside all others.
    pub(super) fn with<R>(&mut self, value: Value, n: usize, work: impl FnOnce(&Self, &mut [f32]) -> R) -> R {
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

/// Parameters and their gradients, in the survey's order, and the counters of batches.
pub(super) struct Parameters {
    pub values: Vec<Vec<f32>>,
    pub gradients: Vec<Vec<f32>>,
    pub counts: Vec<i64>,
}

impl Step {
    /// Computes `y`. Batch normalisation uses the batch's statistics if `train` is set, else the running ones.
    pub(super) fn forward(
        &mut self,
        threads: &Threads,
        n: usize,
        train: bool,
        parameters: &mut Parameters,
        moments: &mut [Moments],
        buffers: &mut Buffers,
    ) {
        let (x, rectify, other) = (self.x, self.rectify, self.other);
        let work = &mut self.work;
        let channels_places = |buffers: &Buffers, channels: usize| (channels, buffers.sizes[x] / channels);
        buffers.with(self.y, n, |buffers, y| {
            let other = other.map(|other| buffers.get(other, n));
            let x = buffers.get(x, n);
            match work {
                Work::Conv { conv, weight, bias, norm, moments: taken } => {
                    let weights = parameters.values[*weight].as_slice();
                    let bias = bias.map(|bias| parameters.values[bias].as_slice());
                    let moments = taken.map(|taken| &mut moments[taken]);
                    let Some(first) = *norm else {
                        return conv.forward(threads, n, x, weights, Finish { bias, other, rectify, moments }, y);
                    };
                    let entries = &parameters.values[first..first + 4];
                    let (weights, bias) = fold(weights, bias, entries, conv.is_fresh());
                    let finish = Finish { bias: Some(&bias), other, rectify, moments };
                    conv.forward(threads, n, x, &weights, finish, y);
                }
                Work::Norm { norm, first, moments: of_x, taken } => {
                    let (affine, running) = parameters.values[*first..].split_at_mut(2);
                    let affine = (affine[0].as_slice(), affine[1].as_slice());
                    let after = After { other, rectify };
                    if train {
                        norm.train(threads, x, &mut moments[*of_x], *taken, affine, running, after, y);
                        parameters.counts[*first + 4] += 1;
                    } else {
                        norm.evaluate(threads, x, affine, (&running[0], &running[1]), after, y);
                    }
                }
                Work::Relu => elementwise::relu(threads, x, y),
                Work::Maximum(pool) => pool.maximum(threads, x, y),
                Work::Mean(pool) => pool.mean(threads, x, y),
                Work::GlobalMean => {
                    let (channels, places) = channels_places(buffers, y.len() / n);
                    pool::global_mean(threads, x, places, channels, y);
                }
                Work::Flatten { channels } => {
                    let (channels, places) = channels_places(buffers, *channels);
                    layout::channels_first(threads, x, channels, places, y);
                }
                Work::Add => elementwise::add(threads, x, other.unwrap_or_default(), rectify, y),
            }
        });
    }

    /// Computes the gradients of parameters and inputs from the gradient of `y`; `into_x` is off for images nobody
    /// differentiates by.
    pub(super) fn backward(
        &mut self,
        threads: &Threads,
        n: usize,
        into_x: bool,
        parameters: &mut Parameters,
        buffers: &Buffers,
        gradients: &mut Buffers,
    ) {
        let (x, y, add) = (self.x, self.y, self.add);
        let rectified = self.rectify.then(|| buffers.get(y, n));
        match &mut self.work {
            Work::Conv { conv, weight, bias, .. } => {
                let dy = gradients.get(y, n);
                conv.weight_gradient(threads, n, buffers.get(x, n), dy, &mut parameters.gradients[*weight]);
                if let Some(bias) = bias {
                    elementwise::column_sums(dy, &mut parameters.gradients[*bias]);
                }
                if into_x {
                    gradients.with(x, n, |gradients, dx| {
                        conv.input_gradient(threads, n, gradients.get(y, n), &parameters.values[*weight], add[0], dx);
                    });
                }
            }
            Work::Norm { norm, first, .. } => {
                let passed = match (rectified, self.other) {
                    (None, _) => Passed::All,
                    (Some(_), None) => Passed::Computed,
                    (Some(y), Some(_)) => Passed::Stored(y),
                };
                let scale = &parameters.values[*first];
                let (left, right) = parameters.gradients.split_at_mut(*first + 1);
                let affine = (left[*first].as_mut_slice(), right[0].as_mut_slice());
                let of_x = buffers.get(x, n);
                match self.other {
                    None => gradients.with(x, n, |gradients, dx| {
                        norm.gradient(threads, of_x, passed, gradients.get(y, n), scale, affine, add[0], dx, None);
                    }),
                    Some(other) => gradients.with_both([x, other], n, |gradients, dx, dother| {
                        let dy = gradients.get(y, n);
                        norm.gradient(threads, of_x, passed, dy, scale, affine, add[0], dx, Some((dother, add[1])));
                    }),
                }
            }
            Work::Add => {
                for (into, add) in [Some(x), self.other].into_iter().flatten().zip(add) {
                    gradients.with(into, n, |gradients, dx| match rectified {
                        Some(rectified) => elementwise::relu_gradient(threads, rectified, gradients.get(y, n), add, dx),
                        None => elementwise::pass(threads, gradients.get(y, n), add, dx),
                    });
                }
            }
            work => {
                let size = buffers.sizes[x];
                gradients.with(x, n, |gradients, dx| {
                    let dy = gradients.get(y, n);
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

    /// Says that parameters have changed.
    pub(super) fn forget(&mut self) {
        if let Work::Conv { conv, .. } = &mut self.work {
            conv.forget();
        }
    }
}

fn clear(dx: &mut [f32], add: bool) {
    if !add {
        dx.fill(0.0);
    }
}

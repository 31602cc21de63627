//! One step forward, one step back.

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

    /// Returns a value with the slack behind it.
    fn whole(&self, value: Value) -> &[f32] {
        &self.memory[self.slots[value]]
    }

    /// Lends a value's buffer to `work`, beside all others.
    pub(super) fn with<R>(&mut self, value: Value, n: usize, work: impl FnOnce(&Self, &mut [f32]) -> R) -> R {
        let slot = self.slots[value];
        let mut memory = std::mem::take(&mut self.memory[slot]);
        let result = work(self, &mut memory[..n * self.sizes[value]]);
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
        buffers: &mut Buffers,
    ) {
        let (x, work) = (self.x, &mut self.work);
        let channels_places = |buffers: &Buffers, channels: usize| (channels, buffers.sizes[x] / channels);
        buffers.with(self.y, n, |buffers, y| match work {
            Work::Conv { conv, weight, bias } => {
                let bias = bias.map(|bias| parameters.values[bias].as_slice());
                conv.forward(threads, n, buffers.get(x, n), &parameters.values[*weight], bias, y);
            }
            Work::Norm { norm, first, rectify } => {
                let x = buffers.get(x, n);
                let (affine, running) = parameters.values[*first..].split_at_mut(2);
                let (scale, shift) = (&affine[0], &affine[1]);
                if train {
                    norm.train(threads, x, scale, shift, running, *rectify, y);
                    parameters.counts[*first + 4] += 1;
                } else {
                    norm.evaluate(threads, x, (scale, shift), (&running[0], &running[1]), *rectify, y);
                }
            }
            Work::Relu => elementwise::relu(threads, buffers.get(x, n), y),
            Work::Maximum(pool) => pool.maximum(threads, buffers.get(x, n), y),
            Work::Mean(pool) => pool.mean(threads, buffers.get(x, n), y),
            Work::GlobalMean => {
                let (channels, places) = channels_places(buffers, y.len() / n);
                pool::global_mean(threads, buffers.get(x, n), places, channels, y);
            }
            Work::Flatten { channels } => {
                let (channels, places) = channels_places(buffers, *channels);
                layout::channels_first(threads, buffers.get(x, n), channels, places, y);
            }
            Work::Add { other, rectify } => {
                elementwise::add(threads, buffers.get(x, n), buffers.get(*other, n), *rectify, y);
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
        match &mut self.work {
            Work::Conv { conv, weight, bias } => {
                let dy = gradients.whole(y);
                conv.weight_gradient(threads, n, buffers.get(x, n), dy, &mut parameters.gradients[*weight]);
                if let Some(bias) = bias {
                    elementwise::column_sums(gradients.get(y, n), &mut parameters.gradients[*bias]);
                }
                if into_x {
                    gradients.with(x, n, |gradients, dx| {
                        conv.input_gradient(threads, n, gradients.get(y, n), &parameters.values[*weight], add[0], dx);
                    });
                }
            }
            Work::Norm { norm, first, rectify } => {
                let rectified = rectify.then(|| buffers.get(y, n));
                let scale = &parameters.values[*first];
                let (left, right) = parameters.gradients.split_at_mut(*first + 1);
                gradients.with(x, n, |gradients, dx| {
                    let affine = (left[*first].as_mut_slice(), right[0].as_mut_slice());
                    norm.gradient(
                        threads,
                        buffers.get(x, n),
                        rectified,
                        gradients.get(y, n),
                        scale,
                        affine,
                        add[0],
                        dx,
                    );
                });
            }
            Work::Add { other, rectify } => {
                let (other, rectified) = (*other, rectify.then(|| buffers.get(y, n)));
                for (into, add) in [(x, add[0]), (other, add[1])] {
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
}

fn clear(dx: &mut [f32], add: bool) {
    if !add {
        dx.fill(0.0);
    }
}

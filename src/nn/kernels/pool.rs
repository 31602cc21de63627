//! Pooling: maximum, mean and global mean, with exact gradients.

use super::Threads;

/// Sizes of a pooling layer.
#[derive(Clone, Copy, Debug)]
pub(in crate::nn) struct Pool {
    /// Channels.
    pub channels: usize,
    /// Input height and width.
    pub size: [usize; 2],
    /// Window side.
    pub kernel: usize,
    /// Step.
    pub stride: usize,
    /// Border: never wins a maximum, counts as zeros in a mean.
    pub pad: usize,
}

impl Pool {
    /// Returns the height and width of the output.
    pub(in crate::nn) fn output(&self) -> [usize; 2] {
        self.size.map(|extent| (extent + 2 * self.pad - self.kernel) / self.stride + 1)
    }

    fn window(&self, axis: usize, at: usize) -> std::ops::Range<usize> {
        let start = at * self.stride;
        start.saturating_sub(self.pad)..(start + self.kernel - self.pad).min(self.size[axis])
    }

    /// Calls `visit` with the place of every output and the places that its window covers, in row order.
    fn each_window(&self, mut visit: impl FnMut(usize, &mut dyn Iterator<Item = usize>)) {
        let [height, width] = self.output();
        for y in 0..height {
            for x in 0..width {
                let columns = self.window(1, x);
                let mut covered = self.window(0, y).flat_map(|row| columns.clone().map(move |column| (row, column)));
                visit(y * width + x, &mut covered.by_ref().map(|(row, column)| row * self.size[1] + column));
            }
        }
    }

    fn input(&self) -> usize {
        self.size[0] * self.size[1] * self.channels
    }

    fn outputs(&self) -> usize {
        self.output()[0] * self.output()[1] * self.channels
    }

    /// y = the largest value of every window.
    pub(in crate::nn) fn maximum(&self, threads: &Threads, x: &[f32], y: &mut [f32]) {
        let c = self.channels;
        threads.pieces(y, self.outputs(), |image, y| {
            let x = &x[image * self.input()..][..self.input()];
            self.each_window(|at, covered| {
                let y = &mut y[at * c..(at + 1) * c];
                y.fill(f32::NEG_INFINITY);
                for place in covered {
                    for (y, x) in y.iter_mut().zip(&x[place * c..(place + 1) * c]) {
                        *y = if *x > *y || x.is_nan() { *x } else { *y };
                    }
                }
            });
        });
    }

    /// Adds the gradient of the maximum to dx: it goes to the first largest value of each window.
    pub(in crate::nn) fn maximum_gradient(&self, threads: &Threads, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        let c = self.channels;
        threads.pieces(dx, self.input(), |image, dx| {
            let x = &x[image * self.input()..][..self.input()];
            let dy = &dy[image * self.outputs()..][..self.outputs()];
            let mut best = vec![0.0f32; c];
            let mut winner = vec![0usize; c];
            self.each_window(|at, covered| {
                best.fill(f32::NEG_INFINITY);
                for place in covered {
                    let candidates = &x[place * c..(place + 1) * c];
                    for ((best, winner), x) in best.iter_mut().zip(&mut winner).zip(candidates) {
                        if *x > *best || x.is_nan() || *best == f32::NEG_INFINITY {
                            (*best, *winner) = (*x, place);
                        }
                    }
                }
                for (channel, (winner, dy)) in winner.iter().zip(&dy[at * c..(at + 1) * c]).enumerate() {
                    dx[winner * c + channel] += dy;
                }
            });
        });
    }

    /// y = the mean of every window; the border counts.
    pub(in crate::nn) fn mean(&self, threads: &Threads, x: &[f32], y: &mut [f32]) {
        let c = self.channels;
        let share = 1.0 / (self.kernel * self.kernel) as f32;
        threads.pieces(y, self.outputs(), |image, y| {
            let x = &x[image * self.input()..][..self.input()];
            self.each_window(|at, covered| {
                let y = &mut y[at * c..(at + 1) * c];
                y.fill(0.0);
                for place in covered {
                    for (y, x) in y.iter_mut().zip(&x[place * c..(place + 1) * c]) {
                        *y += x;
                    }
                }
                y.iter_mut().for_each(|y| *y *= share);
            });
        });
    }

    /// Adds the gradient of the mean to dx.
    pub(in crate::nn) fn mean_gradient(&self, threads: &Threads, dy: &[f32], dx: &mut [f32]) {
        let c = self.channels;
        let share = 1.0 / (self.kernel * self.kernel) as f32;
        threads.pieces(dx, self.input(), |image, dx| {
            let dy = &dy[image * self.outputs()..][..self.outputs()];
            self.each_window(|at, covered| {
                let dy = &dy[at * c..(at + 1) * c];
                for place in covered {
                    for (dx, dy) in dx[place * c..(place + 1) * c].iter_mut().zip(dy) {
                        *dx += dy * share;
                    }
                }
            });
        });
    }
}

/// y = the mean over all places, per channel.
pub(in crate::nn) fn global_mean(threads: &Threads, x: &[f32], places: usize, channels: usize, y: &mut [f32]) {
    threads.pieces(y, channels, |image, y| {
        y.fill(0.0);
        for row in x[image * places * channels..][..places * channels].chunks_exact(channels) {
            for (y, x) in y.iter_mut().zip(row) {
                *y += x;
            }
        }
        y.iter_mut().for_each(|y| *y /= places as f32);
    });
}

/// dx = (or +=) the gradient of the global mean.
pub(in crate::nn) fn global_mean_gradient(
    threads: &Threads,
    dy: &[f32],
    places: usize,
    channels: usize,
    add: bool,
    dx: &mut [f32],
) {
    threads.pieces(dx, places * channels, |image, dx| {
        let dy = &dy[image * channels..(image + 1) * channels];
        for row in dx.chunks_exact_mut(channels) {
            for (dx, dy) in row.iter_mut().zip(dy) {
                let share = dy / places as f32;
                *dx = if add { *dx + share } else { share };
            }
        }
    });
}

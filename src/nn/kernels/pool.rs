//! Pooling: maximum, mean and global mean, with exact gradients.

use std::ops::Range;

use super::Threads;
use super::simd::vectorised;

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

    fn window(&self, axis: usize, at: usize) -> Range<usize> {
        let start = at * self.stride;
        start.saturating_sub(self.pad)..(start + self.kernel - self.pad).min(self.size[axis])
    }

    /// Calls `visit` with the place of every output, the rows and the columns that its window covers.
    pub(in crate::nn) fn each_window(&self, mut visit: impl FnMut(usize, Range<usize>, Range<usize>)) {
        let [height, width] = self.output();
        for y in 0..height {
            for x in 0..width {
                visit(y * width + x, self.window(0, y), self.window(1, x));
            }
        }
    }

    /// Lists the places that a window covers, row by row.
    fn covered(&self, rows: Range<usize>, columns: Range<usize>) -> impl Iterator<Item = usize> {
        let width = self.size[1];
        rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
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
            self.each_window(|at, rows, columns| {
                let y = &mut y[at * c..(at + 1) * c];
                y.fill(f32::NEG_INFINITY);
                for place in self.covered(rows, columns) {
                    largest(&x[place * c..(place + 1) * c], y);
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
            let mut winner = vec![0u32; c];
            self.each_window(|at, rows, columns| {
                best.fill(f32::NEG_INFINITY);
                for place in self.covered(rows, columns) {
                    challenge(&x[place * c..(place + 1) * c], place as u32, &mut best, &mut winner);
                }
                for (channel, (winner, dy)) in winner.iter().zip(&dy[at * c..(at + 1) * c]).enumerate() {
                    dx[*winner as usize * c + channel] += dy;
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
            self.each_window(|at, rows, columns| {
                let y = &mut y[at * c..(at + 1) * c];
                y.fill(0.0);
                for place in self.covered(rows, columns) {
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
            self.each_window(|at, rows, columns| {
                let dy = &dy[at * c..(at + 1) * c];
                for place in self.covered(rows, columns) {
                    for (dx, dy) in dx[place * c..(place + 1) * c].iter_mut().zip(dy) {
                        *dx += dy * share;
                    }
                }
            });
        });
    }
}

vectorised! {
    fn largest(x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = if *x > *y || x.is_nan() { *x } else { *y };
        }
    }
}

vectorised! {
    /// Where `x` is larger than the best so far, it is the best, and `place` the winner.
    fn challenge(x: &[f32], place: u32, best: &mut [f32], winner: &mut [u32]) {
        for ((best, winner), x) in best.iter_mut().zip(winner).zip(x) {
            let wins = *x > *best || x.is_nan() || *best == f32::NEG_INFINITY;
            *best = if wins { *x } else { *best };
            *winner = if wins { place } else { *winner };
        }
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

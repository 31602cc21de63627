//! Batch normalisation over channels, with or without a rectifier behind it.

use super::simd::vectorised;
use super::{Shared, Threads};

/// Rows whose sums are formed by one task, in f32; the tasks' sums are added in f64, in order.
const ROWS: usize = 512;
/// Added to variances, as PyTorch does by default.
const EPSILON: f64 = 1e-5;
/// Share of a new batch in running statistics, as PyTorch does by default.
const MOMENTUM: f32 = 0.1;

/// A batch normalisation and what its backward pass needs from the forward pass.
pub(in crate::nn) struct Norm {
    channels: usize,
    mean: Vec<f32>,
    inverse: Vec<f32>,
    factor: Vec<f32>,
    offset: Vec<f32>,
    partial: Vec<f32>,
}

impl Norm {
    /// Prepares a normalisation of `channels` channels.
    pub(in crate::nn) fn new(channels: usize) -> Self {
        let zeros = || vec![0.0; channels];
        let (mean, inverse, factor, offset) = (zeros(), zeros(), zeros(), zeros());
        Self { channels, mean, inverse, factor, offset, partial: Vec::new() }
    }

    /// Normalises by the batch's own statistics and updates the running mean and variance (unbiased).
    #[expect(clippy::too_many_arguments, reason = "batch normalisation has this many operands")]
    pub(in crate::nn) fn train(
        &mut self,
        threads: &Threads,
        x: &[f32],
        scale: &[f32],
        shift: &[f32],
        running: &mut [Vec<f32>],
        rectify: bool,
        y: &mut [f32],
    ) {
        let count = (x.len() / self.channels) as f64;
        let sums = self.sums(threads, x.len(), 1, |range, sums| moments(&x[range], None, sums));
        for (mean, sum) in self.mean.iter_mut().zip(&sums) {
            *mean = (sum / count) as f32;
        }
        let mean = std::mem::take(&mut self.mean);
        let squares = self.sums(threads, x.len(), 1, |range, sums| moments(&x[range], Some(&mean), sums));
        self.mean = mean;
        for (c, square) in squares.into_iter().enumerate() {
            let variance = square / count;
            self.inverse[c] = (1.0 / (variance + EPSILON).sqrt()) as f32;
            let unbiased = if count > 1.0 { (square / (count - 1.0)) as f32 } else { variance as f32 };
            running[0][c] = (1.0 - MOMENTUM) * running[0][c] + MOMENTUM * self.mean[c];
            running[1][c] = (1.0 - MOMENTUM) * running[1][c] + MOMENTUM * unbiased;
        }
        self.apply(threads, x, scale, shift, rectify, y);
    }

    /// Normalises by running statistics.
    pub(in crate::nn) fn evaluate(
        &mut self,
        threads: &Threads,
        x: &[f32],
        affine: (&[f32], &[f32]),
        running: (&[f32], &[f32]),
        rectify: bool,
        y: &mut [f32],
    ) {
        self.mean.copy_from_slice(running.0);
        for (inverse, variance) in self.inverse.iter_mut().zip(running.1) {
            *inverse = (1.0 / (f64::from(*variance) + EPSILON).sqrt()) as f32;
        }
        self.apply(threads, x, affine.0, affine.1, rectify, y);
    }

    fn apply(&mut self, threads: &Threads, x: &[f32], scale: &[f32], shift: &[f32], rectify: bool, y: &mut [f32]) {
        for c in 0..self.channels {
            self.factor[c] = scale[c] * self.inverse[c];
            self.offset[c] = shift[c] - self.mean[c] * self.factor[c];
        }
        let piece = ROWS * self.channels;
        threads.pieces(y, piece, |i, y| {
            affine(&x[i * piece..i * piece + y.len()], &self.factor, &self.offset, rectify, y);
        });
    }

    /// dx = (or +=) the gradient of the input; also the gradients of scale and shift. `y` is the rectified output if a
    /// rectifier follows.
    #[expect(clippy::too_many_arguments, reason = "batch normalisation has this many operands")]
    pub(in crate::nn) fn gradient(
        &mut self,
        threads: &Threads,
        x: &[f32],
        y: Option<&[f32]>,
        dy: &[f32],
        scale: &[f32],
        (dscale, dshift): (&mut [f32], &mut [f32]),
        add: bool,
        dx: &mut [f32],
    ) {
        let channels = self.channels;
        let count = (x.len() / channels) as f64;
        let mean = std::mem::take(&mut self.mean);
        let sums = self.sums(threads, x.len(), 2, |range, sums| {
            products(&x[range.clone()], y.map(|y| &y[range.clone()]), &dy[range], &mean, sums);
        });
        self.mean = mean;
        for c in 0..channels {
            dshift[c] = sums[c] as f32;
            dscale[c] = (sums[channels + c] * f64::from(self.inverse[c])) as f32;
        }
        // dx = γσ⁻¹ (g − mean(g) − x̂ mean(g x̂)), written as factor · g + slope · (x − mean) + offset.
        let (mut slope, mut offset) = (vec![0.0f32; channels], vec![0.0f32; channels]);
        for c in 0..channels {
            let inverse = f64::from(self.inverse[c]);
            let factor = f64::from(scale[c]) * inverse;
            self.factor[c] = factor as f32;
            offset[c] = (-factor * sums[c] / count) as f32;
            slope[c] = (-factor * sums[channels + c] * inverse * inverse / count) as f32;
        }
        let piece = ROWS * channels;
        let (mean, factor) = (&self.mean, &self.factor);
        threads.pieces(dx, piece, |i, dx| {
            let range = i * piece..i * piece + dx.len();
            let y = y.map(|y| &y[range.clone()]);
            input_gradient(&x[range.clone()], y, &dy[range], [mean, factor, &slope, &offset], add, dx);
        });
    }

    /// Adds up `kinds` sums per channel over pieces of the rows, in a fixed order.
    fn sums(
        &mut self,
        threads: &Threads,
        len: usize,
        kinds: usize,
        work: impl Fn(std::ops::Range<usize>, &mut [f32]) + Sync,
    ) -> Vec<f64> {
        let (piece, width) = (ROWS * self.channels, kinds * self.channels);
        let pieces = len.div_ceil(piece);
        self.partial.clear();
        self.partial.resize(pieces * width, 0.0);
        let partial = Shared(self.partial.as_mut_ptr());
        threads.each(pieces, |i| {
            // SAFETY: every piece has its own sums.
            let sums = unsafe { partial.part(i * width, width) };
            work(i * piece..((i + 1) * piece).min(len), sums);
        });
        let mut totals = vec![0.0f64; width];
        for sums in self.partial.chunks_exact(width) {
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total += f64::from(*sum);
            }
        }
        totals
    }
}

/// Lanes that column sums run over.
const LANES: usize = 16;

/// Adds `term(values, mean)` of every element to the sums of its channel, one accumulator per lane: wide rows are cut
/// into vectors, narrow ones that divide a vector are joined (`mean` is then as wide as a vector).
#[inline(always)]
#[expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]
fn columns<const K: usize, const S: usize>(
    operands: [&[f32]; K],
    mean: &[f32],
    sums: &mut [f32],
    term: impl Fn([f32; K], f32) -> [f32; S],
) {
    let channels = sums.len() / S;
    let len = operands[0].len();
    let width = if LANES.is_multiple_of(channels) { LANES } else { channels };
    let rows = len / width;
    let mut first = 0;
    while first < width {
        let lanes = (width - first).min(LANES);
        let mut totals = [[[0.0f32; LANES]; S]; 2];
        if lanes == LANES {
            let mut center = [0.0f32; LANES];
            center.copy_from_slice(&mean[first..first + LANES]);
            for row in 0..rows {
                let start = row * width + first;
                let mut blocks = [[0.0f32; LANES]; K];
                for (block, operand) in blocks.iter_mut().zip(operands) {
                    block.copy_from_slice(&operand[start..start + LANES]);
                }
                let total = &mut totals[row & 1];
                for lane in 0..LANES {
                    let value = term(std::array::from_fn(|k| blocks[k][lane]), center[lane]);
                    for kind in 0..S {
                        total[kind][lane] += value[kind];
                    }
                }
            }
        } else {
            for start in (0..rows).map(|row| row * width + first) {
                for lane in 0..lanes {
                    let value = term(operands.map(|operand| operand[start + lane]), mean[first + lane]);
                    for kind in 0..S {
                        totals[0][kind][lane] += value[kind];
                    }
                }
            }
        }
        for lane in 0..lanes {
            for kind in 0..S {
                sums[kind * channels + (first + lane) % channels] += totals[0][kind][lane] + totals[1][kind][lane];
            }
        }
        first += lanes;
    }
    for at in rows * width..len {
        let channel = at % channels;
        let value = term(operands.map(|operand| operand[at]), mean[channel]);
        for kind in 0..S {
            sums[kind * channels + channel] += value[kind];
        }
    }
}

/// Repeats a row of per-channel values so that it covers a joined vector.
fn tiled(row: &[f32]) -> Vec<f32> {
    if LANES.is_multiple_of(row.len()) { row.repeat(LANES / row.len()) } else { row.to_vec() }
}

fn moments(x: &[f32], mean: Option<&[f32]>, sums: &mut [f32]) {
    match mean {
        None => plain_sums(x, &tiled(&vec![0.0; sums.len()]), sums),
        Some(mean) => squared_sums(x, &tiled(mean), sums),
    }
}

fn products(x: &[f32], y: Option<&[f32]>, dy: &[f32], mean: &[f32], sums: &mut [f32]) {
    let mean = tiled(mean);
    match y {
        None => gradient_sums(x, dy, &mean, sums),
        Some(y) => rectified_sums(x, y, dy, &mean, sums),
    }
}

vectorised! {
    fn plain_sums(x: &[f32], zero: &[f32], sums: &mut [f32]) {
        columns([x], zero, sums, #[inline(always)] |[x], _| [x]);
    }
}

vectorised! {
    fn squared_sums(x: &[f32], mean: &[f32], sums: &mut [f32]) {
        columns([x], mean, sums, #[inline(always)] |[x], mean| [(x - mean) * (x - mean)]);
    }
}

vectorised! {
    fn gradient_sums(x: &[f32], dy: &[f32], mean: &[f32], sums: &mut [f32]) {
        columns([x, dy], mean, sums, #[inline(always)] |[x, dy], mean| [dy, dy * (x - mean)]);
    }
}

vectorised! {
    fn rectified_sums(x: &[f32], y: &[f32], dy: &[f32], mean: &[f32], sums: &mut [f32]) {
        columns([x, y, dy], mean, sums, #[inline(always)] |[x, y, dy], mean| {
            let gradient = if y > 0.0 { dy } else { 0.0 };
            [gradient, gradient * (x - mean)]
        });
    }
}

vectorised! {
    fn affine(x: &[f32], factor: &[f32], offset: &[f32], rectify: bool, y: &mut [f32]) {
        let channels = factor.len();
        for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for ((y, x), (factor, offset)) in y.iter_mut().zip(x).zip(factor.iter().zip(offset)) {
                let value = x * factor + offset;
                *y = if rectify && value <= 0.0 { 0.0 } else { value };
            }
        }
    }
}

vectorised! {
    fn input_gradient(x: &[f32], y: Option<&[f32]>, dy: &[f32], terms: [&[f32]; 4], add: bool, dx: &mut [f32]) {
        let channels = terms[0].len();
        let rectified = y.is_some();
        let y = y.unwrap_or(dy);
        for (row, dx) in dx.chunks_exact_mut(channels).enumerate() {
            let range = row * channels..(row + 1) * channels;
            let (x, y, dy) = (&x[range.clone()], &y[range.clone()], &dy[range]);
            let [mean, factor, slope, offset] = terms.map(|term| &term[..channels]);
            let (x, y, dy, dx) = (&x[..channels], &y[..channels], &dy[..channels], &mut dx[..channels]);
            if add {
                for c in 0..channels {
                    let gradient = if !rectified || y[c] > 0.0 { dy[c] } else { 0.0 };
                    dx[c] += factor[c] * gradient + slope[c] * (x[c] - mean[c]) + offset[c];
                }
            } else {
                for c in 0..channels {
                    let gradient = if !rectified || y[c] > 0.0 { dy[c] } else { 0.0 };
                    dx[c] = factor[c] * gradient + slope[c] * (x[c] - mean[c]) + offset[c];
                }
            }
        }
    }
}

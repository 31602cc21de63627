//! Batch normalisation over channels, with or without a summand and a rectifier behind it.

use std::ops::Range;

use super::simd::vectorised;
use super::{Shared, Threads, clear};

/// Added to variances, as PyTorch does by default.
pub(in crate::nn) const EPSILON: f64 = 1e-5;
/// Share of a new batch in running statistics, as PyTorch does by default.
pub(in crate::nn) const MOMENTUM: f32 = 0.1;
/// Values that one task works on.
const PIECE: usize = 32 * 1024;
/// Lanes that sums over columns run over: several vectors at a time, then one.
const WIDE: usize = 64;
const LANES: usize = 16;

/// Mean and sum of squared differences of every channel in blocks of rows. Blocks are joined in order, in f64.
#[derive(Default)]
pub(in crate::nn) struct Moments {
    channels: usize,
    block: usize,
    rows: usize,
    values: Vec<f32>,
}

/// The moments of all blocks, of which every task writes its own.
#[derive(Clone, Copy)]
pub(super) struct Partial {
    channels: usize,
    values: Shared,
}

impl Moments {
    /// Makes room for `rows` rows in blocks of `block`.
    pub(super) fn begin(&mut self, channels: usize, block: usize, rows: usize) -> Partial {
        (self.channels, self.block, self.rows) = (channels, block, rows);
        clear(&mut self.values, rows.div_ceil(block) * 2 * channels);
        Partial { channels, values: Shared(self.values.as_mut_ptr()) }
    }

    /// Returns the numbers that it has room for.
    pub(in crate::nn) fn room(&self) -> usize {
        self.values.capacity()
    }

    /// Takes the moments of `x`.
    pub(super) fn take(&mut self, threads: &Threads, x: &[f32], channels: usize) {
        let block = rows_of(channels);
        let rows = x.len() / channels;
        let partial = self.begin(channels, block, rows);
        threads.each(rows.div_ceil(block), |nth| {
            let first = nth * block;
            let places: Vec<usize> = (first..rows.min(first + block)).map(|row| row * channels).collect();
            // SAFETY: `x` is only read; every block has its own moments.
            unsafe { moments(partial, nth, Shared(x.as_ptr().cast_mut()), &places, 0..channels) };
        });
    }

    /// Joins the blocks: mean and sum of squared differences of every channel.
    fn join(&self) -> (Vec<f64>, Vec<f64>) {
        let count = |nth: usize| self.block.min(self.rows - nth * self.block) as f64;
        let (mut means, mut squares) = (vec![0.0f64; self.channels], vec![0.0f64; self.channels]);
        for (nth, block) in self.values.chunks_exact(2 * self.channels).enumerate() {
            for (mean, of_block) in means.iter_mut().zip(block) {
                *mean += count(nth) * f64::from(*of_block);
            }
        }
        means.iter_mut().for_each(|mean| *mean /= self.rows as f64);
        for (nth, block) in self.values.chunks_exact(2 * self.channels).enumerate() {
            let (of_block, spread) = block.split_at(self.channels);
            for (((square, mean), of_block), spread) in squares.iter_mut().zip(&means).zip(of_block).zip(spread) {
                let apart = f64::from(*of_block) - mean;
                *square += f64::from(*spread) + count(nth) * apart * apart;
            }
        }
        (means, squares)
    }
}

/// Takes the moments of channels `range` over the rows at `places` of `y`.
///
/// # Safety
/// The places and channels lie inside `y`, nobody writes them now, and block `nth` and these channels are the caller's.
pub(super) unsafe fn moments(partial: Partial, nth: usize, y: Shared, places: &[usize], range: Range<usize>) {
    let start = nth * 2 * partial.channels;
    // SAFETY: promised by the caller.
    let (means, spreads) = unsafe {
        (
            partial.values.part(start + range.start, range.len()),
            partial.values.part(start + partial.channels + range.start, range.len()),
        )
    };
    // SAFETY: promised by the caller.
    let row = |place: usize| unsafe { &*y.part(place + range.start, range.len()) };
    let rows: Vec<&[f32]> = places.iter().map(|place| row(*place)).collect();
    block_moments(&rows, means, spreads);
}

vectorised! {
    fn block_moments(rows: &[&[f32]], means: &mut [f32], spreads: &mut [f32]) {
        let mut first = 0;
        while first < means.len() {
            let left = means.len() - first;
            first += if left >= WIDE {
                lane_moments::<WIDE>(rows, first, means, spreads)
            } else if left >= LANES {
                lane_moments::<LANES>(rows, first, means, spreads)
            } else {
                lane_moments::<1>(rows, first, means, spreads)
            };
        }
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]
fn lane_moments<const L: usize>(rows: &[&[f32]], first: usize, means: &mut [f32], spreads: &mut [f32]) -> usize {
    let share = 1.0 / rows.len() as f32;
    let mut sums = [0.0f32; L];
    for row in rows {
        for (sum, x) in sums.iter_mut().zip(&row[first..first + L]) {
            *sum += x;
        }
    }
    let mean = sums.map(|sum| sum * share);
    let mut squares = [0.0f32; L];
    for row in rows {
        for ((square, x), mean) in squares.iter_mut().zip(&row[first..first + L]).zip(&mean) {
            *square += (x - mean) * (x - mean);
        }
    }
    means[first..first + L].copy_from_slice(&mean);
    spreads[first..first + L].copy_from_slice(&squares);
    L
}

/// Weights and constants of a convolution with a normalisation by running statistics behind it; `entries` are its scale,
/// shift, running mean and running variance. Where the weights are known already, only the constants are made.
pub(in crate::nn) fn fold(
    weights: &[f32],
    bias: Option<&[f32]>,
    entries: &[Vec<f32>],
    known: bool,
) -> (Vec<f32>, Vec<f32>) {
    let channels = entries[0].len();
    let factor = |c: usize| f64::from(entries[0][c]) / (f64::from(entries[3][c]) + EPSILON).sqrt();
    let constant = |c: usize| {
        let before = bias.map_or(0.0, |bias| f64::from(bias[c]));
        ((before - f64::from(entries[2][c])) * factor(c) + f64::from(entries[1][c])) as f32
    };
    let constants = (0..channels).map(constant).collect();
    if known {
        return (Vec::new(), constants);
    }
    let each = weights.len() / channels;
    let scaled = |(at, weight): (usize, &f32)| (f64::from(*weight) * factor(at / each)) as f32;
    (weights.iter().enumerate().map(scaled).collect(), constants)
}

/// Rows that one task works on.
pub(super) fn rows_of(channels: usize) -> usize {
    (PIECE / channels).clamp(8, 512)
}

/// A batch normalisation and what its backward pass needs from the forward pass.
pub(in crate::nn) struct Norm {
    channels: usize,
    /// Whether the statistics of the last pass were constants: gradients do not flow through them.
    constant: bool,
    mean: Vec<f32>,
    inverse: Vec<f32>,
    factor: Vec<f32>,
    offset: Vec<f32>,
}

/// What follows a normalisation.
#[derive(Clone, Copy)]
pub(in crate::nn) struct After<'a> {
    /// A value of the same shape, added.
    pub other: Option<&'a [f32]>,
    /// Whether negative outputs become 0.
    pub rectify: bool,
}

/// Which outputs a rectifier let through.
#[derive(Clone, Copy)]
pub(in crate::nn) enum Passed<'a> {
    /// All.
    All,
    /// Those that are computed to be above 0 from the input.
    Computed,
    /// Those that are above 0 in this output.
    Stored(&'a [f32]),
}

impl Norm {
    /// Prepares a normalisation of `channels` channels.
    pub(in crate::nn) fn new(channels: usize) -> Self {
        let zeros = || vec![0.0; channels];
        let (mean, inverse, factor, offset) = (zeros(), zeros(), zeros(), zeros());
        Self { channels, constant: false, mean, inverse, factor, offset }
    }

    /// Returns the numbers that it holds.
    pub(in crate::nn) fn len(&self) -> usize {
        4 * self.channels
    }

    /// Returns what passes over `rows` rows need in partial moments of the input, and in partial sums of gradients.
    pub(in crate::nn) fn needs(channels: usize, rows: usize) -> usize {
        rows.div_ceil(rows_of(channels)) * 2 * channels
    }

    /// Normalises by the batch's own statistics and updates the running mean and variance (unbiased). The moments of
    /// `x` are taken here unless `taken` says that its maker has done so.
    #[expect(clippy::too_many_arguments, reason = "batch normalisation has this many operands")]
    pub(in crate::nn) fn train(
        &mut self,
        threads: &Threads,
        x: &[f32],
        moments: &mut Moments,
        taken: bool,
        affine: (&[f32], &[f32]),
        running: &mut [Vec<f32>],
        after: After<'_>,
        y: &mut [f32],
    ) {
        if !taken {
            moments.take(threads, x, self.channels);
        }
        self.constant = false;
        let count = (x.len() / self.channels) as f64;
        let (means, squares) = moments.join();
        for (c, (mean, square)) in means.into_iter().zip(squares).enumerate() {
            let variance = square / count;
            self.mean[c] = mean as f32;
            self.inverse[c] = (1.0 / (variance + EPSILON).sqrt()) as f32;
            let unbiased = if count > 1.0 { (square / (count - 1.0)) as f32 } else { variance as f32 };
            running[0][c] = (1.0 - MOMENTUM) * running[0][c] + MOMENTUM * self.mean[c];
            running[1][c] = (1.0 - MOMENTUM) * running[1][c] + MOMENTUM * unbiased;
        }
        self.apply(threads, x, affine, after, y);
    }

    /// Normalises by running statistics.
    pub(in crate::nn) fn evaluate(
        &mut self,
        threads: &Threads,
        x: &[f32],
        affine: (&[f32], &[f32]),
        running: (&[f32], &[f32]),
        after: After<'_>,
        y: &mut [f32],
    ) {
        self.constant = true;
        self.mean.copy_from_slice(running.0);
        for (inverse, variance) in self.inverse.iter_mut().zip(running.1) {
            *inverse = (1.0 / (f64::from(*variance) + EPSILON).sqrt()) as f32;
        }
        self.apply(threads, x, affine, after, y);
    }

    /// Normalises by the statistics of the last pass, again.
    pub(in crate::nn) fn apply(
        &mut self,
        threads: &Threads,
        x: &[f32],
        affine: (&[f32], &[f32]),
        after: After<'_>,
        y: &mut [f32],
    ) {
        for c in 0..self.channels {
            self.factor[c] = affine.0[c] * self.inverse[c];
            self.offset[c] = affine.1[c] - self.mean[c] * self.factor[c];
        }
        let piece = rows_of(self.channels) * self.channels;
        let [factor, offset] = [&self.factor, &self.offset].map(|row| tiled(row));
        threads.pieces(y, piece, |i, y| {
            let range = i * piece..i * piece + y.len();
            let x = &x[range.clone()];
            match after.other {
                Some(other) => affine_sum(x, &other[range], &factor, &offset, after.rectify, y),
                None => affine_map(x, &factor, &offset, after.rectify, y),
            }
        });
    }

    /// dx = (or +=) the gradient of the input; also the gradients of scale and shift. `other` takes (or adds) the
    /// gradient of the summand; `partial` lends its memory.
    #[expect(clippy::too_many_arguments, reason = "batch normalisation has this many operands")]
    pub(in crate::nn) fn gradient(
        &self,
        threads: &Threads,
        x: &[f32],
        passed: Passed<'_>,
        dy: &[f32],
        scale: &[f32],
        (dscale, dshift): (&mut [f32], &mut [f32]),
        add: bool,
        dx: &mut [f32],
        other: Option<(&mut [f32], bool)>,
        partial: &mut Moments,
    ) {
        let channels = self.channels;
        let count = (x.len() / channels) as f64;
        let sums = self.sums(threads, x, passed, dy, &mut partial.values);
        for c in 0..channels {
            dshift[c] = sums[c] as f32;
            dscale[c] = (sums[channels + c] * f64::from(self.inverse[c])) as f32;
        }
        // dx = γσ⁻¹ (g − mean(g) − x̂ mean(g x̂)), written as gain · g + slope · (x − mean) + base. With constant statistics
        // only the first term is there.
        let zeros = || vec![0.0f32; channels];
        let (mut gain, mut slope, mut base) = (zeros(), zeros(), zeros());
        for c in 0..channels {
            let inverse = f64::from(self.inverse[c]);
            let factor = f64::from(scale[c]) * inverse;
            gain[c] = factor as f32;
            if !self.constant {
                base[c] = (-factor * sums[c] / count) as f32;
                slope[c] = (-factor * sums[channels + c] * inverse * inverse / count) as f32;
            }
        }
        let terms = [&self.mean, &gain, &slope, &base, &self.factor, &self.offset].map(|row| tiled(row));
        let terms = [0, 1, 2, 3, 4, 5].map(|at| terms[at].as_slice());
        let piece = rows_of(channels) * channels;
        let (other, add_other) = match other {
            Some((other, add)) => (Some(Shared(other.as_mut_ptr())), add),
            None => (None, false),
        };
        threads.pieces(dx, piece, |i, dx| {
            let range = i * piece..i * piece + dx.len();
            // SAFETY: every piece has its own part of the summand's gradient, which is as long as `dx`.
            let other = other.map(|other| unsafe { other.part(range.start, range.len()) });
            let (x, dy) = (&x[range.clone()], &dy[range.clone()]);
            match passed {
                Passed::All => gradient_of_all(x, dy, terms, add, dx),
                Passed::Computed => gradient_of_computed(x, dy, terms, add, dx),
                Passed::Stored(y) => gradient_of_stored(x, &y[range.clone()], dy, terms, add, dx),
            }
            match (other, passed) {
                (Some(other), Passed::Stored(y)) => pass_rectified(&y[range], dy, add_other, other),
                (Some(other), _) => pass_on(dy, add_other, other),
                (None, _) => {}
            }
        });
    }

    /// Σ g and Σ g (x − mean) of every channel, over pieces of the rows in a fixed order.
    fn sums(&self, threads: &Threads, x: &[f32], passed: Passed<'_>, dy: &[f32], values: &mut Vec<f32>) -> Vec<f64> {
        let channels = self.channels;
        let (piece, width) = (rows_of(channels) * channels, 2 * channels);
        let pieces = x.len().div_ceil(piece);
        clear(values, pieces * width);
        let partial = Shared(values.as_mut_ptr());
        let [mean, factor, offset] = [&self.mean, &self.factor, &self.offset].map(|row| tiled(row));
        threads.each(pieces, |i| {
            // SAFETY: every piece has its own sums.
            let sums = unsafe { partial.part(i * width, width) };
            let range = i * piece..((i + 1) * piece).min(x.len());
            let (x, dy) = (&x[range.clone()], &dy[range.clone()]);
            match passed {
                Passed::All => sums_of_all(x, dy, &mean, sums),
                Passed::Computed => sums_of_computed(x, dy, [&mean, &factor, &offset], sums),
                Passed::Stored(y) => sums_of_stored(x, &y[range], dy, &mean, sums),
            }
        });
        let mut totals = vec![0.0f64; width];
        for sums in values.chunks_exact(width) {
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total += f64::from(*sum);
            }
        }
        totals
    }
}

/// Adds `term(values, constants)` of every element to the two sums of its channel, one accumulator per lane. Rows are
/// as wide as the constants, see [`tiled`].
#[inline(always)]
#[expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]
#[expect(clippy::needless_range_loop, reason = "several operands are read at a place")]
fn columns<const K: usize, const M: usize>(
    operands: [&[f32]; K],
    constants: [&[f32]; M],
    sums: &mut [f32],
    term: impl Fn([f32; K], [f32; M]) -> [f32; 2] + Copy,
) {
    let channels = sums.len() / 2;
    let (len, width) = (operands[0].len(), constants[0].len());
    let rows = len / width;
    let mut first = 0;
    while first < width {
        let left = width - first;
        first += if left >= WIDE {
            lane_sums::<K, M, WIDE>(operands, constants, rows, first, sums, term)
        } else if left >= LANES {
            lane_sums::<K, M, LANES>(operands, constants, rows, first, sums, term)
        } else {
            lane_sums::<K, M, 1>(operands, constants, rows, first, sums, term)
        };
    }
    for at in rows * width..len {
        let channel = at % channels;
        let value = term(std::array::from_fn(|k| operands[k][at]), std::array::from_fn(|m| constants[m][channel]));
        sums[channel] += value[0];
        sums[channels + channel] += value[1];
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]
fn lane_sums<const K: usize, const M: usize, const L: usize>(
    operands: [&[f32]; K],
    constants: [&[f32]; M],
    rows: usize,
    first: usize,
    sums: &mut [f32],
    term: impl Fn([f32; K], [f32; M]) -> [f32; 2] + Copy,
) -> usize {
    let (channels, width) = (sums.len() / 2, constants[0].len());
    let mut totals = [[0.0f32; L]; 2];
    let mut fixed = [[0.0f32; L]; M];
    for m in 0..M {
        fixed[m].copy_from_slice(&constants[m][first..first + L]);
    }
    for row in 0..rows {
        let start = row * width + first;
        let mut blocks = [[0.0f32; L]; K];
        for k in 0..K {
            blocks[k].copy_from_slice(&operands[k][start..start + L]);
        }
        for lane in 0..L {
            let value = term(std::array::from_fn(|k| blocks[k][lane]), std::array::from_fn(|m| fixed[m][lane]));
            totals[0][lane] += value[0];
            totals[1][lane] += value[1];
        }
    }
    for lane in 0..L {
        sums[(first + lane) % channels] += totals[0][lane];
        sums[channels + (first + lane) % channels] += totals[1][lane];
    }
    L
}

/// Repeats a row of per-channel values until it is at least [`WIDE`]: narrow rows are worked on several at a time.
fn tiled(row: &[f32]) -> Vec<f32> {
    row.repeat(WIDE.div_ceil(row.len()))
}

vectorised! {
    fn sums_of_all(x: &[f32], dy: &[f32], mean: &[f32], sums: &mut [f32]) {
        columns([x, dy], [mean], sums, #[inline(always)] |[x, dy], [mean]| [dy, dy * (x - mean)]);
    }
}

vectorised! {
    fn sums_of_computed(x: &[f32], dy: &[f32], constants: [&[f32]; 3], sums: &mut [f32]) {
        columns([x, dy], constants, sums, #[inline(always)] |[x, dy], [mean, factor, offset]| {
            let gradient = if x * factor + offset > 0.0 { dy } else { 0.0 };
            [gradient, gradient * (x - mean)]
        });
    }
}

vectorised! {
    fn sums_of_stored(x: &[f32], y: &[f32], dy: &[f32], mean: &[f32], sums: &mut [f32]) {
        columns([x, y, dy], [mean], sums, #[inline(always)] |[x, y, dy], [mean]| {
            let gradient = if y > 0.0 { dy } else { 0.0 };
            [gradient, gradient * (x - mean)]
        });
    }
}

vectorised! {
    fn affine_map(x: &[f32], factor: &[f32], offset: &[f32], rectify: bool, y: &mut [f32]) {
        for (y, x) in y.chunks_mut(factor.len()).zip(x.chunks(factor.len())) {
            for ((y, x), (factor, offset)) in y.iter_mut().zip(x).zip(factor.iter().zip(offset)) {
                let value = x * factor + offset;
                *y = if rectify && value <= 0.0 { 0.0 } else { value };
            }
        }
    }
}

vectorised! {
    fn affine_sum(x: &[f32], other: &[f32], factor: &[f32], offset: &[f32], rectify: bool, y: &mut [f32]) {
        let width = factor.len();
        for ((y, x), other) in y.chunks_mut(width).zip(x.chunks(width)).zip(other.chunks(width)) {
            for (((y, x), other), (factor, offset)) in y.iter_mut().zip(x).zip(other).zip(factor.iter().zip(offset)) {
                let value = x * factor + offset + other;
                *y = if rectify && value <= 0.0 { 0.0 } else { value };
            }
        }
    }
}

/// One row of the input's gradient; `gradient(at)` is the output's.
#[inline(always)]
#[expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]
fn gradient_row(x: &[f32], terms: [&[f32]; 6], add: bool, dx: &mut [f32], gradient: impl Fn(usize) -> f32) {
    let width = dx.len();
    let [mean, gain, slope, base, ..] = terms;
    let (x, mean, gain, slope, base) = (&x[..width], &mean[..width], &gain[..width], &slope[..width], &base[..width]);
    if add {
        for c in 0..width {
            dx[c] += gain[c] * gradient(c) + slope[c] * (x[c] - mean[c]) + base[c];
        }
    } else {
        for c in 0..width {
            dx[c] = gain[c] * gradient(c) + slope[c] * (x[c] - mean[c]) + base[c];
        }
    }
}

vectorised! {
    fn gradient_of_all(x: &[f32], dy: &[f32], terms: [&[f32]; 6], add: bool, dx: &mut [f32]) {
        let width = terms[0].len();
        for ((x, dy), dx) in x.chunks(width).zip(dy.chunks(width)).zip(dx.chunks_mut(width)) {
            let dy = &dy[..dx.len()];
            gradient_row(x, terms, add, dx, #[inline(always)] |c| dy[c]);
        }
    }
}

vectorised! {
    fn gradient_of_computed(x: &[f32], dy: &[f32], terms: [&[f32]; 6], add: bool, dx: &mut [f32]) {
        let width = terms[0].len();
        for ((x, dy), dx) in x.chunks(width).zip(dy.chunks(width)).zip(dx.chunks_mut(width)) {
            let (x, dy) = (&x[..dx.len()], &dy[..dx.len()]);
            let (factor, offset) = (&terms[4][..dx.len()], &terms[5][..dx.len()]);
            gradient_row(x, terms, add, dx, #[inline(always)] |c| {
                if x[c] * factor[c] + offset[c] > 0.0 { dy[c] } else { 0.0 }
            });
        }
    }
}

vectorised! {
    fn gradient_of_stored(x: &[f32], y: &[f32], dy: &[f32], terms: [&[f32]; 6], add: bool, dx: &mut [f32]) {
        let width = terms[0].len();
        let operands = x.chunks(width).zip(y.chunks(width)).zip(dy.chunks(width));
        for (((x, y), dy), dx) in operands.zip(dx.chunks_mut(width)) {
            let (y, dy) = (&y[..dx.len()], &dy[..dx.len()]);
            gradient_row(x, terms, add, dx, #[inline(always)] |c| if y[c] > 0.0 { dy[c] } else { 0.0 });
        }
    }
}

vectorised! {
    fn pass_rectified(y: &[f32], dy: &[f32], add: bool, to: &mut [f32]) {
        for (to, (y, dy)) in to.iter_mut().zip(y.iter().zip(dy)) {
            let gradient = if *y > 0.0 { *dy } else { 0.0 };
            *to = if add { *to + gradient } else { gradient };
        }
    }
}

vectorised! {
    fn pass_on(dy: &[f32], add: bool, to: &mut [f32]) {
        for (to, dy) in to.iter_mut().zip(dy) {
            *to = if add { *to + dy } else { *dy };
        }
    }
}

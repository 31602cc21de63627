//! The two inner loops of every convolution and fully connected layer.
//!
//! `multiply` forms outputs: a tile of pixels × vectors of output channels stays in registers while runs of inputs
//! stream by. `correlate` forms weight gradients: a tile of input places × output channels stays in registers while
//! pixels stream by.

#![expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]
#![expect(clippy::needless_range_loop, reason = "loops over registers unroll by index")]

use super::simd::{Lanes, Level, Vector, level};

/// What the pixels of one call read and write.
pub(super) struct Pixels<'a> {
    /// Input values.
    pub x: &'a [f32],
    /// Offset in `x` of every pixel's first tap.
    pub bases: &'a [u32],
    /// Offsets from a pixel's first tap to each run of taps.
    pub runs: &'a [u32],
    /// Contiguous inputs per run.
    pub run: usize,
}

impl Pixels<'_> {
    fn check(&self) {
        let last = |offsets: &[u32]| offsets.iter().copied().max().unwrap_or(0) as usize;
        assert!(last(self.bases) + last(self.runs) + self.run <= self.x.len(), "taps lie inside the input");
    }
}

/// How outputs start.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    /// From 0.
    Zero,
    /// From a constant per channel, padded to whole vectors.
    Bias(&'a [f32]),
    /// From what is there.
    Existing,
}

/// Width of the packed vectors for a number of output channels: 8 up to 8 channels, else 16.
pub(super) fn lanes(channels: usize) -> usize {
    if channels <= 8 { 8 } else { 16 }
}

/// Adds Σ x · w to `channels` outputs of every pixel. `w` is packed as `[block][run][place][lane]`; the outputs of pixel
/// p start at `y[p * stride]`.
pub(super) fn multiply(
    pixels: &Pixels<'_>,
    w: &[f32],
    start: Start<'_>,
    y: &mut [f32],
    stride: usize,
    channels: usize,
) {
    multiply_at(level(), pixels, w, start, y, stride, channels);
}

/// [`multiply`] with the instructions of `level`, which the processor has.
fn multiply_at(
    level: Level,
    pixels: &Pixels<'_>,
    w: &[f32],
    start: Start<'_>,
    y: &mut [f32],
    stride: usize,
    channels: usize,
) {
    pixels.check();
    let lanes = lanes(channels);
    assert!(w.len() >= channels.div_ceil(lanes) * lanes * pixels.runs.len() * pixels.run, "weights are complete");
    assert!(pixels.bases.is_empty() || y.len() >= (pixels.bases.len() - 1) * stride + channels, "outputs fit");
    if let Start::Bias(bias) = start {
        assert!(bias.len() >= channels.div_ceil(lanes) * lanes, "constants fill whole vectors");
    }
    // SAFETY: sizes are checked above, instructions by the caller.
    unsafe {
        match (level, lanes) {
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512, 16) => x86::multiply_16(pixels, w, start, y, stride, channels),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512 | Level::Avx2, 8) => x86::multiply_8(pixels, w, start, y, stride, channels),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx2, _) => x86::multiply_8_of_16(pixels, w, start, y, stride, channels),
            (_, 8) => multiply_with::<Lanes<8>, 4, 1, 8>(pixels, w, start, y, stride, channels),
            _ => multiply_with::<Lanes<16>, 2, 1, 16>(pixels, w, start, y, stride, channels),
        }
    }
}

/// Adds Σ over pixels of `x[place] · dy[channel]` to `dw`, one block of output channels and one run: `dw` is
/// `[place][lane]`. The gradients of pixel p start at `dy[p * stride]`; whole vectors are read, up to
/// [`SLACK`](super::SLACK) values past the last channel.
pub(super) fn correlate(pixels: &Pixels<'_>, run: usize, dy: &[f32], stride: usize, lanes: usize, dw: &mut [f32]) {
    correlate_at(level(), pixels, run, dy, stride, lanes, dw);
}

/// [`correlate`] with the instructions of `level`, which the processor has.
fn correlate_at(
    level: Level,
    pixels: &Pixels<'_>,
    run: usize,
    dy: &[f32],
    stride: usize,
    lanes: usize,
    dw: &mut [f32],
) {
    pixels.check();
    assert!(run < pixels.runs.len() && dw.len() >= pixels.run * lanes, "gradients are complete");
    assert!(pixels.bases.is_empty() || dy.len() >= (pixels.bases.len() - 1) * stride + lanes, "outputs fit");
    // SAFETY: sizes are checked above, instructions by the caller.
    unsafe {
        match (level, lanes) {
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512, 16) => x86::correlate_16(pixels, run, dy, stride, dw),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512 | Level::Avx2, 8) => x86::correlate_8(pixels, run, dy, stride, dw),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx2, _) => x86::correlate_8_of_16(pixels, run, dy, stride, dw),
            (_, 8) => correlate_with::<Lanes<8>, 1>(pixels, run, dy, stride, dw),
            _ => correlate_with::<Lanes<16>, 1>(pixels, run, dy, stride, dw),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::simd::{Eight, Sixteen};
    use super::{Pixels, Start, correlate_with, multiply_with};

    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
    pub(super) unsafe fn multiply_16(p: &Pixels<'_>, w: &[f32], s: Start<'_>, y: &mut [f32], stride: usize, n: usize) {
        // SAFETY: the caller checked sizes and instructions.
        unsafe { multiply_with::<Sixteen, 8, 1, 16>(p, w, s, y, stride, n) }
    }
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn multiply_8(p: &Pixels<'_>, w: &[f32], s: Start<'_>, y: &mut [f32], stride: usize, n: usize) {
        // SAFETY: the caller checked sizes and instructions.
        unsafe { multiply_with::<Eight, 8, 1, 8>(p, w, s, y, stride, n) }
    }
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn multiply_8_of_16(
        p: &Pixels<'_>,
        w: &[f32],
        s: Start<'_>,
        y: &mut [f32],
        stride: usize,
        n: usize,
    ) {
        // SAFETY: the caller checked sizes and instructions.
        unsafe { multiply_with::<Eight, 6, 2, 16>(p, w, s, y, stride, n) }
    }
    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
    pub(super) unsafe fn correlate_16(p: &Pixels<'_>, run: usize, dy: &[f32], stride: usize, dw: &mut [f32]) {
        // SAFETY: the caller checked sizes and instructions.
        unsafe { correlate_with::<Sixteen, 1>(p, run, dy, stride, dw) }
    }
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn correlate_8(p: &Pixels<'_>, run: usize, dy: &[f32], stride: usize, dw: &mut [f32]) {
        // SAFETY: the caller checked sizes and instructions.
        unsafe { correlate_with::<Eight, 1>(p, run, dy, stride, dw) }
    }
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn correlate_8_of_16(p: &Pixels<'_>, run: usize, dy: &[f32], stride: usize, dw: &mut [f32]) {
        // SAFETY: the caller checked sizes and instructions.
        unsafe { correlate_with::<Eight, 2>(p, run, dy, stride, dw) }
    }
}

/// `U` pixels × `N` vectors at a time; `W` = `N` vectors of lanes = one packed block.
#[inline(always)]
unsafe fn multiply_with<V: Vector, const U: usize, const N: usize, const W: usize>(
    pixels: &Pixels<'_>,
    w: &[f32],
    start: Start<'_>,
    y: &mut [f32],
    stride: usize,
    channels: usize,
) {
    let taps = pixels.runs.len() * pixels.run;
    let count = pixels.bases.len();
    for block in 0..channels.div_ceil(W) {
        let w = w[block * taps * W..].as_ptr();
        let inside = (channels - block * W).min(W);
        let mut first = 0;
        while first < count {
            let here = (count - first).min(U);
            // Pixels past the end repeat the last one and are not stored.
            let base: [usize; U] = std::array::from_fn(|u| pixels.bases[first + u.min(here - 1)] as usize);
            let place = |u: usize| (first + u.min(here - 1)) * stride + block * W;
            // SAFETY: the caller checked that bases, runs, weights and outputs fit.
            unsafe {
                let mut sums = [[V::splat(0.0); N]; U];
                match start {
                    Start::Zero => {}
                    Start::Bias(bias) => {
                        for n in 0..N {
                            let value = V::load(bias[block * W + n * V::LANES..].as_ptr());
                            for sum in &mut sums {
                                sum[n] = value;
                            }
                        }
                    }
                    Start::Existing => {
                        for (u, sum) in sums.iter_mut().enumerate() {
                            let mut row = [0.0; W];
                            row[..inside].copy_from_slice(&y[place(u)..place(u) + inside]);
                            for n in 0..N {
                                sum[n] = V::load(row.as_ptr().add(n * V::LANES));
                            }
                        }
                    }
                }
                accumulate::<V, U, N>(pixels, &base, w, &mut sums);
                for (u, sum) in sums.iter().enumerate().take(here) {
                    let to = place(u);
                    if inside == W {
                        for n in 0..N {
                            sum[n].store(y.as_mut_ptr().add(to + n * V::LANES));
                        }
                    } else {
                        let mut row = [0.0; W];
                        for n in 0..N {
                            sum[n].store(row.as_mut_ptr().add(n * V::LANES));
                        }
                        y[to..to + inside].copy_from_slice(&row[..inside]);
                    }
                }
            }
            first += here;
        }
    }
}

#[inline(always)]
unsafe fn accumulate<V: Vector, const U: usize, const N: usize>(
    pixels: &Pixels<'_>,
    base: &[usize; U],
    w: *const f32,
    sums: &mut [[V; N]; U],
) {
    let mut totals = *sums;
    let mut w = w;
    // SAFETY: the caller checked that bases, runs and weights fit.
    unsafe {
        let x = pixels.x.as_ptr();
        for delta in pixels.runs {
            let from: [*const f32; U] = std::array::from_fn(|u| x.add(base[u] + *delta as usize));
            for k in 0..pixels.run {
                let weights: [V; N] = std::array::from_fn(|n| V::load(w.add(n * V::LANES)));
                for u in 0..U {
                    let value = V::splat(*from[u].add(k));
                    for n in 0..N {
                        totals[u][n] = totals[u][n].multiply_add(value, weights[n]);
                    }
                }
                w = w.add(N * V::LANES);
            }
        }
    }
    *sums = totals;
}

#[inline(always)]
unsafe fn correlate_with<V: Vector, const N: usize>(
    pixels: &Pixels<'_>,
    run: usize,
    dy: &[f32],
    stride: usize,
    dw: &mut [f32],
) {
    let delta = pixels.runs[run] as usize;
    let mut k = 0;
    // SAFETY: the caller checked that bases, runs, gradients and outputs fit; `k` stays inside the run.
    unsafe {
        while k < pixels.run {
            let to = dw.as_mut_ptr().add(k * N * V::LANES);
            let left = pixels.run - k;
            k += if N == 1 && left >= 12 {
                reduce::<V, 12, N>(pixels, delta + k, dy, stride, to)
            } else if N == 1 && left >= 8 {
                reduce::<V, 8, N>(pixels, delta + k, dy, stride, to)
            } else if left >= 4 {
                reduce::<V, 4, N>(pixels, delta + k, dy, stride, to)
            } else if left >= 2 {
                reduce::<V, 2, N>(pixels, delta + k, dy, stride, to)
            } else {
                reduce::<V, 1, N>(pixels, delta + k, dy, stride, to)
            };
        }
    }
}

/// `T` input places × `N` vectors, summed over all pixels and added to `to`. Returns `T`.
#[inline(always)]
unsafe fn reduce<V: Vector, const T: usize, const N: usize>(
    pixels: &Pixels<'_>,
    delta: usize,
    dy: &[f32],
    stride: usize,
    to: *mut f32,
) -> usize {
    // SAFETY: as in `correlate_with`.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; T];
        let mut from = dy.as_ptr();
        let x = pixels.x.as_ptr().add(delta);
        for base in pixels.bases {
            let gradients: [V; N] = std::array::from_fn(|n| V::load(from.add(n * V::LANES)));
            let place = x.add(*base as usize);
            for t in 0..T {
                let value = V::splat(*place.add(t));
                for n in 0..N {
                    sums[t][n] = sums[t][n].multiply_add(value, gradients[n]);
                }
            }
            from = from.wrapping_add(stride);
        }
        let one = V::splat(1.0);
        for (t, sum) in sums.iter().enumerate() {
            for n in 0..N {
                let at = to.add((t * N + n) * V::LANES);
                V::load(at).multiply_add(*sum.get_unchecked(n), one).store(at);
            }
        }
    }
    T
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::simd::levels;
    use super::*;

    fn numbers(stream: u32, count: usize) -> Vec<f32> {
        let mixed =
            |at: u32| (stream.wrapping_mul(0x9E37_79B9) ^ at.wrapping_mul(0x85EB_CA6B)).wrapping_mul(0xC2B2_AE35);
        (0..count as u32).map(|at| (mixed(at) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
    }

    proptest! {
        /// Every level against the plain sum in its order, to the last bit.
        #[test]
        fn all_instruction_sets_give_the_same_bits(
            channels in 1usize..40, count in 1usize..20, runs in 1usize..4, run in 1usize..30, step in 1u32..9,
            slack in 0usize..5, start in 0u8..3, seed in any::<u32>(),
        ) {
            let lanes = lanes(channels);
            let blocks = channels.div_ceil(lanes);
            let bases: Vec<u32> = (0..count as u32).map(|at| at * step).collect();
            let offsets: Vec<u32> = (0..runs as u32).map(|at| at * 37).collect();
            let x = numbers(seed, bases[count - 1] as usize + 37 * (runs - 1) + run);
            let pixels = Pixels { x: &x, bases: &bases, runs: &offsets, run };
            let w = numbers(seed ^ 1, blocks * lanes * runs * run);
            let bias = numbers(seed ^ 2, blocks * lanes);
            let stride = channels + slack;
            let before = numbers(seed ^ 3, count * stride);

            let mut expected = before.clone();
            for (p, base) in bases.iter().enumerate() {
                for c in 0..channels {
                    let y = &mut expected[p * stride + c];
                    *y = match start { 0 => 0.0, 1 => bias[c], _ => *y };
                    for (r, offset) in offsets.iter().enumerate() {
                        for k in 0..run {
                            let weight = w[((c / lanes * runs + r) * run + k) * lanes + c % lanes];
                            *y = x[(base + offset) as usize + k].mul_add(weight, *y);
                        }
                    }
                }
            }
            let start = match start { 0 => Start::Zero, 1 => Start::Bias(&bias), _ => Start::Existing };
            for level in levels() {
                let mut y = before.clone();
                multiply_at(level, &pixels, &w, start, &mut y, stride, channels);
                let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&y), bits(&expected), "{:?}", level);
            }

            let dy = numbers(seed ^ 4, count * stride + super::super::SLACK);
            let run_at = runs - 1;
            let before = numbers(seed ^ 5, run * lanes);
            let mut expected = before.clone();
            for k in 0..run {
                for lane in 0..lanes {
                    let mut sum = 0.0f32;
                    for (p, base) in bases.iter().enumerate() {
                        sum = x[(base + offsets[run_at]) as usize + k].mul_add(dy[p * stride + lane], sum);
                    }
                    expected[k * lanes + lane] += sum;
                }
            }
            for level in levels() {
                let mut dw = before.clone();
                correlate_at(level, &pixels, run_at, &dy, stride, lanes, &mut dw);
                let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&dw), bits(&expected), "{:?}", level);
            }
        }
    }
}

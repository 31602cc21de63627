//! The two inner loops of every convolution and fully connected layer.
//!
//! [`multiply`] forms outputs: a tile of rows × one panel of output channels stays in registers while inputs stream by.
//! [`correlate`] forms weight gradients: a tile of inputs × one panel stays in registers while rows stream by. Each
//! output is one chain of fused multiply-adds in the order of its terms, so all instruction sets give the same bits.

#![expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]
#![expect(clippy::needless_range_loop, reason = "loops over registers unroll by index")]

use super::Shared;
use super::simd::{Lanes, Level, Vector, level};

/// Output channels that are worked on together, for `channels` of them: 8, 16 or 32.
pub(super) fn panel(channels: usize) -> usize {
    panel_at(level(), channels)
}

fn panel_at(level: Level, channels: usize) -> usize {
    match level {
        _ if channels <= 8 => 8,
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 if channels > 16 => 32,
        _ => 16,
    }
}

/// Rows that [`multiply`] keeps in registers; blocks of rows are best a multiple of it.
pub(super) const TILE: usize = 14;

/// Rows of inputs, one after another at a fixed distance.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// Input values, from the first row's first.
    pub values: &'a [f32],
    /// Distance of rows.
    pub stride: usize,
    /// Number of rows.
    pub count: usize,
    /// Inputs per row.
    pub depth: usize,
}

impl Rows<'_> {
    fn check(&self) {
        let end = if self.count == 0 { 0 } else { (self.count - 1) * self.stride + self.depth };
        assert!(end <= self.values.len(), "rows lie inside the input");
    }
}

/// Where one panel of outputs goes.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// The buffer, from the panel's first channel.
    pub values: Shared,
    /// Offset of every row.
    pub places: &'a [usize],
    /// Channels of the panel that exist.
    pub channels: usize,
    /// Whether to add to what is there.
    pub add: bool,
}

/// Sets (or adds to) outputs: Σ over inputs of `rows` · `weights`; `weights` is `[input][lane]`, one panel wide.
///
/// # Safety
/// Every place and the channels behind it lie inside the target's buffer, and nobody else touches them.
pub(super) unsafe fn multiply(rows: &Rows<'_>, weights: &[f32], width: usize, target: &Target<'_>) {
    // SAFETY: promised by the caller; the level is this processor's.
    unsafe { multiply_at(level(), rows, weights, width, target) }
}

/// [`multiply`] with the instructions of `level`.
///
/// # Safety
/// As [`multiply`]; the processor has the instructions.
unsafe fn multiply_at(level: Level, rows: &Rows<'_>, weights: &[f32], width: usize, target: &Target<'_>) {
    rows.check();
    assert!(weights.len() >= rows.depth * width, "weights are complete");
    assert!(target.places.len() >= rows.count && target.channels <= width, "outputs fit");
    // SAFETY: sizes are checked above, instructions by the caller.
    unsafe {
        match (level, width) {
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512, 32) => x86::multiply_2_of_16(rows, weights, target),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512, 16) => x86::multiply_16(rows, weights, target),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512 | Level::Avx2, 8) => x86::multiply_8(rows, weights, target),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx2, _) => x86::multiply_2_of_8(rows, weights, target),
            (_, 8) => multiply_rows::<Lanes<8>, 1, 4>(rows, weights, target),
            _ => multiply_rows::<Lanes<16>, 1, 2>(rows, weights, target),
        }
    }
}

/// Adds Σ over rows of `rows[input] · gradients[lane]` to `sums`, `[input][lane]`; `gradients` is `[row][lane]`.
pub(super) fn correlate(rows: &Rows<'_>, gradients: &[f32], width: usize, sums: &mut [f32]) {
    correlate_at(level(), rows, gradients, width, sums);
}

/// [`correlate`] with the instructions of `level`, which the processor has.
fn correlate_at(level: Level, rows: &Rows<'_>, gradients: &[f32], width: usize, sums: &mut [f32]) {
    rows.check();
    assert!(gradients.len() >= rows.count * width, "gradients are complete");
    assert!(sums.len() >= rows.depth * width, "sums fit");
    // SAFETY: sizes are checked above, instructions by the caller.
    unsafe {
        match (level, width) {
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512, 32) => x86::correlate_2_of_16(rows, gradients, sums),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512, 16) => x86::correlate_16(rows, gradients, sums),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx512 | Level::Avx2, 8) => x86::correlate_8(rows, gradients, sums),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx2, _) => x86::correlate_2_of_8(rows, gradients, sums),
            (_, 8) => correlate_rows::<Lanes<8>, 1, 4>(rows, gradients, sums),
            _ => correlate_rows::<Lanes<16>, 1, 2>(rows, gradients, sums),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::simd::{Eight, Sixteen};
    use super::{Rows, Target, correlate_rows, multiply_rows};

    macro_rules! compiled {
        ($features:literal, $vector:ty, $vectors:literal, $tile:literal, $multiply:ident, $correlate:ident) => {
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $multiply(rows: &Rows<'_>, weights: &[f32], target: &Target<'_>) {
                // SAFETY: the caller checked sizes and instructions.
                unsafe { multiply_rows::<$vector, $vectors, $tile>(rows, weights, target) }
            }
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $correlate(rows: &Rows<'_>, gradients: &[f32], sums: &mut [f32]) {
                // SAFETY: the caller checked sizes and instructions.
                unsafe { correlate_rows::<$vector, $vectors, $tile>(rows, gradients, sums) }
            }
        };
    }

    compiled!("avx512f,avx512vl,avx2,fma", Sixteen, 2, 14, multiply_2_of_16, correlate_2_of_16);
    compiled!("avx512f,avx512vl,avx2,fma", Sixteen, 1, 14, multiply_16, correlate_16);
    compiled!("avx2,fma", Eight, 2, 6, multiply_2_of_8, correlate_2_of_8);
    compiled!("avx2,fma", Eight, 1, 12, multiply_8, correlate_8);
}

/// Cuts `count` into tiles of `$tile` and smaller ones and calls `$work::<V, N, size>(first)` for each.
macro_rules! tiles {
    ($count:expr, $tile:ident, $first:ident => $work:ident($($arg:expr),*)) => {
        let mut $first = 0;
        while $first < $count {
            let left = $count - $first;
            $first += if left >= $tile {
                $work::<V, N, $tile>($($arg),*)
            } else if left >= 8 && $tile > 8 {
                $work::<V, N, 8>($($arg),*)
            } else if left >= 4 && $tile > 4 {
                $work::<V, N, 4>($($arg),*)
            } else if left >= 2 {
                $work::<V, N, 2>($($arg),*)
            } else {
                $work::<V, N, 1>($($arg),*)
            };
        }
    };
}

#[inline(always)]
unsafe fn multiply_rows<V: Vector, const N: usize, const U: usize>(
    rows: &Rows<'_>,
    weights: &[f32],
    target: &Target<'_>,
) {
    // SAFETY: the caller checked that rows, weights and outputs fit.
    unsafe {
        tiles!(rows.count, U, first => multiply_tile(rows, weights.as_ptr(), target, first));
    }
}

/// Multiplies `U` rows with a panel of `N` vectors. Returns `U`.
#[inline(always)]
unsafe fn multiply_tile<V: Vector, const N: usize, const U: usize>(
    rows: &Rows<'_>,
    weights: *const f32,
    target: &Target<'_>,
    first: usize,
) -> usize {
    let whole = target.channels == N * V::LANES;
    // SAFETY: as in `multiply_rows`; `first + U` rows exist.
    unsafe {
        let base = rows.values.as_ptr().add(first * rows.stride);
        let from: [*const f32; U] = std::array::from_fn(|u| base.add(u * rows.stride));
        let to: [*mut f32; U] = std::array::from_fn(|u| target.values.0.add(*target.places.get_unchecked(first + u)));
        let mut sums = [[V::splat(0.0); N]; U];
        if target.add {
            for u in 0..U {
                if whole {
                    for n in 0..N {
                        sums[u][n] = V::load(to[u].add(n * V::LANES));
                    }
                } else {
                    let mut row = [0.0f32; 32];
                    std::ptr::copy_nonoverlapping(to[u], row.as_mut_ptr(), target.channels);
                    for n in 0..N {
                        sums[u][n] = V::load(row.as_ptr().add(n * V::LANES));
                    }
                }
            }
        }
        let mut w = weights;
        for k in 0..rows.depth {
            let vectors: [V; N] = std::array::from_fn(|n| V::load(w.add(n * V::LANES)));
            for u in 0..U {
                let value = V::splat(*from[u].add(k));
                for n in 0..N {
                    sums[u][n] = sums[u][n].multiply_add(value, vectors[n]);
                }
            }
            w = w.add(N * V::LANES);
        }
        for u in 0..U {
            if whole {
                for n in 0..N {
                    sums[u][n].store(to[u].add(n * V::LANES));
                }
            } else {
                let mut row = [0.0f32; 32];
                for n in 0..N {
                    sums[u][n].store(row.as_mut_ptr().add(n * V::LANES));
                }
                std::ptr::copy_nonoverlapping(row.as_ptr(), to[u], target.channels);
            }
        }
    }
    U
}

#[inline(always)]
unsafe fn correlate_rows<V: Vector, const N: usize, const T: usize>(
    rows: &Rows<'_>,
    gradients: &[f32],
    sums: &mut [f32],
) {
    // SAFETY: the caller checked that rows, gradients and sums fit.
    unsafe {
        tiles!(rows.depth, T, first => correlate_tile(rows, gradients.as_ptr(), sums.as_mut_ptr(), first));
    }
}

/// Sums `T` inputs × a panel of `N` vectors over all rows. Returns `T`.
#[inline(always)]
unsafe fn correlate_tile<V: Vector, const N: usize, const T: usize>(
    rows: &Rows<'_>,
    gradients: *const f32,
    sums: *mut f32,
    first: usize,
) -> usize {
    // SAFETY: as in `correlate_rows`; `first + T` inputs exist.
    unsafe {
        let to = sums.add(first * N * V::LANES);
        let mut totals: [[V; N]; T] =
            std::array::from_fn(|t| std::array::from_fn(|n| V::load(to.add((t * N + n) * V::LANES))));
        let mut from = rows.values.as_ptr().add(first);
        let mut dy = gradients;
        for _ in 0..rows.count {
            let vectors: [V; N] = std::array::from_fn(|n| V::load(dy.add(n * V::LANES)));
            for t in 0..T {
                let value = V::splat(*from.add(t));
                for n in 0..N {
                    totals[t][n] = totals[t][n].multiply_add(value, vectors[n]);
                }
            }
            from = from.wrapping_add(rows.stride);
            dy = dy.add(N * V::LANES);
        }
        for t in 0..T {
            for n in 0..N {
                totals[t][n].store(to.add((t * N + n) * V::LANES));
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

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    proptest! {
        /// Every level against the plain sum in its order, to the last bit.
        #[test]
        fn all_instruction_sets_give_the_same_bits(
            channels in 1usize..33, count in 1usize..40, depth in 1usize..60, slack in 0usize..5, gap in 0usize..5,
            add: bool, seed in any::<u32>(),
        ) {
            let stride = depth + slack;
            let values = numbers(seed, count * stride);
            let rows = Rows { values: &values, stride, count, depth };
            let places: Vec<usize> = (0..count).rev().map(|at| at * (channels + gap)).collect();
            let before = numbers(seed ^ 1, count * (channels + gap));
            let weights = numbers(seed ^ 2, depth * 32);
            let gradients = numbers(seed ^ 3, count * 32);
            let sums = numbers(seed ^ 4, depth * 32);

            for level in levels() {
                let width = panel_at(level, channels);
                let channels = channels.min(width);
                let mut expected = before.clone();
                for (row, place) in places.iter().enumerate() {
                    for lane in 0..channels {
                        let y = &mut expected[place + lane];
                        let start = if add { *y } else { 0.0 };
                        *y = (0..depth).fold(start, |sum, k| values[row * stride + k].mul_add(weights[k * width + lane], sum));
                    }
                }
                let mut y = before.clone();
                let target = Target { values: Shared(y.as_mut_ptr()), places: &places, channels, add };
                // SAFETY: places are inside `y`, which nobody else touches.
                unsafe { multiply_at(level, &rows, &weights, width, &target) };
                prop_assert_eq!(bits(&y), bits(&expected), "{:?}", level);

                let mut expected = sums.clone();
                for k in 0..depth {
                    for lane in 0..width {
                        let sum = &mut expected[k * width + lane];
                        *sum = (0..count).fold(*sum, |sum, row| values[row * stride + k].mul_add(gradients[row * width + lane], sum));
                    }
                }
                let mut found = sums.clone();
                correlate_at(level, &rows, &gradients, width, &mut found);
                prop_assert_eq!(bits(&found), bits(&expected), "{:?}", level);
            }
        }
    }
}

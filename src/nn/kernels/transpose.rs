//! Transposition of matrices in blocks of 8 × 8.

use super::simd::{Level, level};

/// A matrix in memory: rows lie `stride` values apart.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// Number of rows.
    pub rows: usize,
    /// Values per row.
    pub columns: usize,
    /// Distance of rows.
    pub stride: usize,
}

/// Writes row i of `from` to column i of `to`, whose rows lie `stride` values apart.
pub(super) fn transpose(from: &[f32], extent: Extent, to: &mut [f32], stride: usize) {
    let Extent { rows, columns, stride: apart } = extent;
    if rows == 0 || columns == 0 {
        return;
    }
    assert!((rows - 1) * apart + columns <= from.len(), "the matrix is complete");
    assert!((columns - 1) * stride + rows <= to.len(), "the transposed matrix fits");
    let whole = match level() {
        Level::Portable => [0, 0],
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::Avx512 => {
            let whole = [rows / 8 * 8, columns / 8 * 8];
            for row in (0..whole[0]).step_by(8) {
                for column in (0..whole[1]).step_by(8) {
                    // SAFETY: the processor has the instructions; the block lies inside both matrices.
                    unsafe {
                        let from = from.as_ptr().add(row * apart + column);
                        x86::block(from, apart, to.as_mut_ptr().add(column * stride + row), stride);
                    }
                }
            }
            whole
        }
    };
    for row in 0..rows {
        let first = if row < whole[0] { whole[1] } else { 0 };
        for column in first..columns {
            to[column * stride + row] = from[row * apart + column];
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_storeu_ps,
        _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };

    /// Transposes 8 × 8 values.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn block(from: *const f32, apart: usize, to: *mut f32, stride: usize) {
        // SAFETY: the caller's pointers cover 8 rows each.
        unsafe {
            let mut rows = [_mm256_setzero_ps(); 8];
            for (nth, row) in rows.iter_mut().enumerate() {
                *row = _mm256_loadu_ps(from.add(nth * apart));
            }
            let mut pairs = [_mm256_setzero_ps(); 8];
            for at in (0..8).step_by(2) {
                pairs[at] = _mm256_unpacklo_ps(rows[at], rows[at + 1]);
                pairs[at + 1] = _mm256_unpackhi_ps(rows[at], rows[at + 1]);
            }
            let fours = |low: __m256, high: __m256| {
                (_mm256_shuffle_ps::<0x44>(low, high), _mm256_shuffle_ps::<0xEE>(low, high))
            };
            let mut quads = [_mm256_setzero_ps(); 8];
            for half in [0, 4] {
                (quads[half], quads[half + 1]) = fours(pairs[half], pairs[half + 2]);
                (quads[half + 2], quads[half + 3]) = fours(pairs[half + 1], pairs[half + 3]);
            }
            for at in 0..4 {
                _mm256_storeu_ps(to.add(at * stride), _mm256_permute2f128_ps::<0x20>(quads[at], quads[at + 4]));
                _mm256_storeu_ps(to.add((at + 4) * stride), _mm256_permute2f128_ps::<0x31>(quads[at], quads[at + 4]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn columns_become_rows(rows in 1usize..30, columns in 1usize..30, slack in 0usize..4, gap in 0usize..4) {
            let (apart, stride) = (columns + slack, rows + gap);
            let from: Vec<f32> = (0..rows * apart).map(|at| at as f32).collect();
            let mut to = vec![-1.0; columns * stride];
            transpose(&from, Extent { rows, columns, stride: apart }, &mut to, stride);
            for column in 0..columns {
                for row in 0..stride {
                    let expected = if row < rows { from[row * apart + column] } else { -1.0f32 };
                    prop_assert_eq!(to[column * stride + row].to_bits(), expected.to_bits());
                }
            }
        }
    }
}

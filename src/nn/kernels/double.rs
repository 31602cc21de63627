//! Products of matrices in double precision, for what runs out of the range of single precision.

use super::Threads;
use super::simd::vectorised;

/// Rows and columns of results that are summed together.
const ROWS: usize = 4;
const COLUMNS: usize = 32;

/// Returns A · B for A of `rows` × `depth` and B of `depth` × `columns`, both row by row.
pub(in crate::nn) fn product(threads: &Threads, [rows, depth, columns]: [usize; 3], a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut c = vec![0.0; rows * columns];
    if depth > 0 && columns > 0 {
        let bands = a.chunks(ROWS * depth).collect::<Vec<_>>();
        threads.pieces(&mut c, ROWS * columns, |band, c| multiply(bands[band], b, depth, columns, c));
    }
    c
}

vectorised! {
    fn multiply(a: &[f64], b: &[f64], depth: usize, columns: usize, c: &mut [f64]) {
        let rows = c.len() / columns;
        let mut first = 0;
        while first < columns {
            let width = (columns - first).min(COLUMNS);
            let mut sums = [[0.0f64; COLUMNS]; ROWS];
            for k in 0..depth {
                let mut of_b = [0.0f64; COLUMNS];
                of_b[..width].copy_from_slice(&b[k * columns + first..k * columns + first + width]);
                for row in 0..rows {
                    let factor = a[row * depth + k];
                    for column in 0..COLUMNS {
                        sums[row][column] += factor * of_b[column];
                    }
                }
            }
            for row in 0..rows {
                c[row * columns + first..row * columns + first + width].copy_from_slice(&sums[row][..width]);
            }
            first += width;
        }
    }
}

/// Returns the transposed of a matrix of `rows` rows.
pub(in crate::nn) fn transposed(rows: usize, a: &[f64]) -> Vec<f64> {
    let columns = a.len() / rows.max(1);
    (0..a.len()).map(|at| a[at % rows * columns + at / rows]).collect()
}

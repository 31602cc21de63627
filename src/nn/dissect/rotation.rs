//! Rotations of the space of a layer's units: random ones, and powers of them (Bau et al. 2017, section 3.2).

use nalgebra::{DMatrix, SymmetricEigen};

use crate::domain::dissection::Rotation;
use crate::nn::rng::Stream;

/// An orthogonal matrix with determinant 1, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Turn {
    units: usize,
    rows: Vec<f32>,
    rectify: bool,
}

impl Turn {
    /// Makes the rotation of `units` dimensions that a description asks for.
    pub(super) fn new(rotation: &Rotation, units: usize) -> Self {
        let whole = draw(rotation, units);
        let turned = if rotation.power < 1.0 { power(&whole, rotation.power) } else { whole };
        // nalgebra's matrices run down columns.
        let rows = turned.transpose().iter().map(|&value| value as f32).collect();
        Self { units, rows, rectify: rotation.rectify }
    }

    /// Turns the maps of an image, unit by unit, each of `plane` values.
    pub(super) fn apply(&self, maps: &mut [f32], plane: usize) {
        let units = self.units;
        let source = maps.to_vec();
        let [row, column] = [units as isize, 1];
        // SAFETY: all three matrices are as large as their extents and strides say: `rows` is units × units, `source` and
        // `maps` are units × plane; `maps` is not read, and does not overlap the others.
        #[expect(unsafe_code, reason = "the library takes pointers and strides")]
        unsafe {
            gemm::gemm(
                units,
                plane,
                units,
                maps.as_mut_ptr(),
                1,
                plane as isize,
                false,
                self.rows.as_ptr(),
                column,
                row,
                source.as_ptr(),
                1,
                plane as isize,
                0.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
        if self.rectify {
            maps.iter_mut().for_each(|value| *value = value.max(0.0));
        }
    }
}

/// Draws a rotation uniformly (by Haar's measure): the orthogonal factor of a matrix of normal numbers, with the signs that
/// make the other factor's diagonal positive (Mezzadri 2007); a reflection has its first row negated.
fn draw(rotation: &Rotation, units: usize) -> DMatrix<f64> {
    let stream = Stream::new(&rotation.seed, "rotation");
    let mut numbers = stream.at(0, 0);
    let normal = DMatrix::from_fn(units, units, |_, _| numbers.normal());
    let (mut turned, triangle) = normal.qr().unpack();
    for (mut column, &diagonal) in turned.column_iter_mut().zip(triangle.diagonal().iter()) {
        if diagonal < 0.0 {
            column.neg_mut();
        }
    }
    if turned.determinant() < 0.0 {
        turned.row_mut(0).neg_mut();
    }
    turned
}

/// Raises a rotation to a power: every plane that it turns is turned by that share of its angle.
///
/// The planes are spanned by pairs of eigenvectors of the symmetric part, whose eigenvalues are the cosines of the angles.
fn power(whole: &DMatrix<f64>, power: f64) -> DMatrix<f64> {
    let units = whole.nrows();
    let eigen = SymmetricEigen::new((whole + whole.transpose()) * 0.5);
    let mut order: Vec<usize> = (0..units).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    // Of an odd number of dimensions one is not turned; its eigenvalue is 1, the first.
    let (fixed, pairs) = order.split_at(units % 2);
    let mut vectors = DMatrix::zeros(units, units);
    let mut turned = DMatrix::zeros(units, units);
    let mut take = |at: usize, column: usize| vectors.set_column(at, &eigen.eigenvectors.column(column));
    for (at, &column) in fixed.iter().chain(pairs).enumerate() {
        take(at, column);
    }
    for at in fixed.iter().enumerate().map(|(at, _)| at) {
        turned.set_column(at, &vectors.column(at));
    }
    for at in (fixed.len()..units).step_by(2) {
        let (first, second) = (vectors.column(at), vectors.column(at + 1));
        let image = whole * first;
        let angle = power * second.dot(&image).atan2(first.dot(&image));
        let (sine, cosine) = angle.sin_cos();
        turned.set_column(at, &(first * cosine + second * sine));
        turned.set_column(at + 1, &(second * cosine - first * sine));
    }
    turned * vectors.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seed::Seed;

    fn rotation(power: f64, rectify: bool) -> Rotation {
        Rotation { seed: Seed { root: 7, stream: Vec::new() }, power, rectify }
    }

    fn close(a: &DMatrix<f64>, b: &DMatrix<f64>) -> bool {
        (a - b).abs().max() < 1e-9
    }

    #[test]
    fn rotations_are_orthogonal_and_their_powers_add() {
        for units in [1, 2, 5, 48] {
            let whole = draw(&rotation(1.0, false), units);
            let one = DMatrix::identity(units, units);
            assert!(close(&(&whole * whole.transpose()), &one), "{units}");
            assert!((whole.determinant() - 1.0).abs() < 1e-9);
            assert!(close(&power(&whole, 0.0), &one));
            assert!(close(&power(&whole, 1.0), &whole), "{units}");
            let [a, b, sum] = [0.3, 0.45, 0.75].map(|share| power(&whole, share));
            assert!(close(&(a * b), &sum), "{units}");
        }
    }

    #[test]
    fn maps_are_turned_and_rectified() {
        let units = 6;
        let whole = draw(&rotation(1.0, false), units);
        let maps: Vec<f32> = (0..units * 4).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
        let mut turned = maps.clone();
        Turn::new(&rotation(1.0, false), units).apply(&mut turned, 4);
        let mut rectified = maps.clone();
        Turn::new(&rotation(1.0, true), units).apply(&mut rectified, 4);
        for (unit, position) in (0..units).flat_map(|unit| (0..4).map(move |position| (unit, position))) {
            let sum: f64 = (0..units).map(|k| whole[(unit, k)] * f64::from(maps[k * 4 + position])).sum();
            let found = turned[unit * 4 + position];
            assert!((f64::from(found) - sum).abs() < 1e-5, "{unit} {position}");
            assert_eq!(rectified[unit * 4 + position].to_bits(), found.max(0.0).to_bits());
        }
    }
}

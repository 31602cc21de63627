//! Element by element: rectification, sums, gradients of both; sums over columns.

use super::Threads;
use super::simd::vectorised;

/// Elements per task.
const PIECE: usize = 16 * 1024;

/// y = max(x, 0)
pub(in crate::nn) fn relu(threads: &Threads, x: &[f32], y: &mut [f32]) {
    threads.pieces(y, PIECE, |i, y| relu_piece(&x[i * PIECE..i * PIECE + y.len()], y));
}

/// y = a + b, or max(a + b, 0).
pub(in crate::nn) fn add(threads: &Threads, a: &[f32], b: &[f32], rectify: bool, y: &mut [f32]) {
    threads.pieces(y, PIECE, |i, y| {
        let range = i * PIECE..i * PIECE + y.len();
        add_piece(&a[range.clone()], &b[range], rectify, y);
    });
}

/// dx = (or +=) dy where y > 0, else 0: the derivative at 0 is 0.
pub(in crate::nn) fn relu_gradient(threads: &Threads, y: &[f32], dy: &[f32], add: bool, dx: &mut [f32]) {
    threads.pieces(dx, PIECE, |i, dx| {
        let range = i * PIECE..i * PIECE + dx.len();
        relu_gradient_piece(&y[range.clone()], &dy[range], add, dx);
    });
}

/// to = (or +=) from
pub(in crate::nn) fn pass(threads: &Threads, from: &[f32], add: bool, to: &mut [f32]) {
    threads.pieces(to, PIECE, |i, to| {
        let from = &from[i * PIECE..i * PIECE + to.len()];
        if add { add_to(from, to) } else { to.copy_from_slice(from) }
    });
}

/// Sums each of `sums.len()` columns over all rows.
pub(in crate::nn) fn column_sums(rows: &[f32], sums: &mut [f32]) {
    let mut totals = vec![0.0f64; sums.len()];
    for row in rows.chunks_exact(sums.len()) {
        for (total, value) in totals.iter_mut().zip(row) {
            *total += f64::from(*value);
        }
    }
    for (sum, total) in sums.iter_mut().zip(totals) {
        *sum = total as f32;
    }
}

vectorised! {
    fn relu_piece(x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = if *x > 0.0 || x.is_nan() { *x } else { 0.0 };
        }
    }
}

vectorised! {
    fn add_piece(a: &[f32], b: &[f32], rectify: bool, y: &mut [f32]) {
        if rectify {
            for (y, (a, b)) in y.iter_mut().zip(a.iter().zip(b)) {
                let sum = a + b;
                *y = if sum > 0.0 || sum.is_nan() { sum } else { 0.0 };
            }
        } else {
            for (y, (a, b)) in y.iter_mut().zip(a.iter().zip(b)) {
                *y = a + b;
            }
        }
    }
}

vectorised! {
    fn relu_gradient_piece(y: &[f32], dy: &[f32], add: bool, dx: &mut [f32]) {
        if add {
            for (dx, (y, dy)) in dx.iter_mut().zip(y.iter().zip(dy)) {
                *dx += if *y > 0.0 { *dy } else { 0.0 };
            }
        } else {
            for (dx, (y, dy)) in dx.iter_mut().zip(y.iter().zip(dy)) {
                *dx = if *y > 0.0 { *dy } else { 0.0 };
            }
        }
    }
}

vectorised! {
    fn add_to(from: &[f32], to: &mut [f32]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to += from;
        }
    }
}

//! Between channels-first images, as files and PyTorch have them, and channels-last activations.

use super::Threads;

/// Copies `[n][c][place]` to `[n][place][c]`.
pub(in crate::nn) fn channels_last(threads: &Threads, from: &[f32], channels: usize, places: usize, to: &mut [f32]) {
    transpose(threads, from, channels, places, to);
}

/// Copies `[n][place][c]` to `[n][c][place]`.
pub(in crate::nn) fn channels_first(threads: &Threads, from: &[f32], channels: usize, places: usize, to: &mut [f32]) {
    transpose(threads, from, places, channels, to);
}

fn transpose(threads: &Threads, from: &[f32], rows: usize, columns: usize, to: &mut [f32]) {
    let size = rows * columns;
    threads.pieces(&mut to[..from.len()], size, |image, to| {
        let from = &from[image * size..(image + 1) * size];
        if rows == 1 || columns == 1 {
            to.copy_from_slice(from);
            return;
        }
        for (column, to) in to.chunks_exact_mut(rows).enumerate() {
            for (row, value) in to.iter_mut().enumerate() {
                *value = from[row * columns + column];
            }
        }
    });
}

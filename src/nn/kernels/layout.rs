//! Between channels-first images, as files and PyTorch have them, and channels-last activations.

use super::Threads;
use super::transpose::{Extent, transpose};

/// Copies `[n][c][place]` to `[n][place][c]`.
pub(in crate::nn) fn channels_last(threads: &Threads, from: &[f32], channels: usize, places: usize, to: &mut [f32]) {
    turn(threads, from, channels, places, to);
}

/// Copies `[n][place][c]` to `[n][c][place]`.
pub(in crate::nn) fn channels_first(threads: &Threads, from: &[f32], channels: usize, places: usize, to: &mut [f32]) {
    turn(threads, from, places, channels, to);
}

fn turn(threads: &Threads, from: &[f32], rows: usize, columns: usize, to: &mut [f32]) {
    let size = rows * columns;
    threads.pieces(&mut to[..from.len()], size, |image, to| {
        let from = &from[image * size..(image + 1) * size];
        transpose(from, Extent { rows, columns, stride: columns }, to, rows);
    });
}

//! The optimiser's pass over one parameter.

use super::simd::vectorised;
use super::{Shared, Threads};

/// Elements per task.
const PIECE: usize = 64 * 1024;

/// Settings of one step of stochastic gradient descent.
#[derive(Clone, Copy)]
pub(in crate::nn) struct Update {
    /// Learning rate.
    pub rate: f32,
    /// Share of the velocity that stays.
    pub momentum: f32,
    /// Whether the step looks ahead.
    pub nesterov: bool,
    /// Weight decay.
    pub decay: f32,
}

/// v ← μv + g + λw, w ← w − ηv (with Nesterov − η(g + λw + μv)); both 0 where an element is not `kept`.
pub(in crate::nn) fn descend(
    threads: &Threads,
    update: Update,
    values: &mut [f32],
    gradient: &[f32],
    velocities: &mut [f32],
    kept: Option<&[bool]>,
) {
    assert!(values.len() == gradient.len() && values.len() == velocities.len(), "operands are equally long");
    let velocities = Shared(velocities.as_mut_ptr());
    threads.pieces(values, PIECE, |i, value| {
        let range = i * PIECE..i * PIECE + value.len();
        // SAFETY: every piece has its own part of the velocities, which are as long as the values.
        let velocity = unsafe { velocities.part(range.start, range.len()) };
        move_piece(update, value, &gradient[range.clone()], velocity);
        if let Some(kept) = kept {
            clear(&kept[range], value, velocity);
        }
    });
}

vectorised! {
    fn move_piece(update: Update, value: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
        let Update { rate, momentum, nesterov, decay } = update;
        for ((w, g), v) in value.iter_mut().zip(gradient).zip(velocity) {
            let g = g + decay * *w;
            *v = momentum * *v + g;
            *w -= rate * if nesterov { g + momentum * *v } else { *v };
        }
    }
}

vectorised! {
    fn clear(kept: &[bool], value: &mut [f32], velocity: &mut [f32]) {
        for ((kept, w), v) in kept.iter().zip(value).zip(velocity) {
            *w = if *kept { *w } else { 0.0 };
            *v = if *kept { *v } else { 0.0 };
        }
    }
}

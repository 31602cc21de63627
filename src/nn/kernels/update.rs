//! The optimisers' passes over one parameter.

use super::simd::vectorised;
use super::{Shared, Threads};

/// Elements per task.
const PIECE: usize = 64 * 1024;

/// One step of an optimiser, for one parameter.
#[derive(Clone, Copy)]
pub(in crate::nn) enum Rule {
    /// Stochastic gradient descent.
    Descend(Update),
    /// AdamW.
    Adapt(Adapt),
}

/// Moves a parameter along its gradient; `memories` are the velocity, or the first and second moments. Weights that are
/// not `kept` and what is remembered of them become 0.
pub(in crate::nn) fn update(
    threads: &Threads,
    rule: Rule,
    values: &mut [f32],
    gradient: &[f32],
    memories: [&mut [f32]; 2],
    kept: Option<&[bool]>,
) {
    match rule {
        Rule::Descend(update) => {
            let [velocities, _] = memories;
            descend(threads, update, values, gradient, velocities, kept);
        }
        Rule::Adapt(update) => adapt(threads, update, values, gradient, memories, kept),
    }
}

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
fn descend(
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

/// Settings of one step of AdamW.
#[derive(Clone, Copy)]
pub(in crate::nn) struct Adapt {
    /// What weight decay leaves of a weight: 1 − ηλ.
    pub keep: f32,
    /// Share of the first moment that stays.
    pub beta1: f32,
    /// Share of the second moment that stays.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Learning rate over the correction of the first moment: η / (1 − β₁ᵗ).
    pub rate: f32,
    /// Correction of the root of the second moment: 1 / √(1 − β₂ᵗ).
    pub spread: f32,
}

/// m ← β₁m + (1 − β₁) g, v ← β₂v + (1 − β₂) g², w ← keep · w − rate · m / (spread · √v + ε); all 0 where an element is not
/// `kept`. `moments` are m and v.
fn adapt(
    threads: &Threads,
    update: Adapt,
    values: &mut [f32],
    gradient: &[f32],
    moments: [&mut [f32]; 2],
    kept: Option<&[bool]>,
) {
    let fits = moments.iter().all(|moments| moments.len() == values.len());
    assert!(values.len() == gradient.len() && fits, "operands are equally long");
    let moments = moments.map(|moments| Shared(moments.as_mut_ptr()));
    threads.pieces(values, PIECE, |i, value| {
        let range = i * PIECE..i * PIECE + value.len();
        // SAFETY: every piece has its own part of the moments, which are as long as the values.
        let [first, second] = moments.map(|moments| unsafe { moments.part(range.start, range.len()) });
        adapt_piece(update, value, &gradient[range.clone()], first, second);
        if let Some(kept) = kept {
            clear(&kept[range.clone()], value, first);
            clear(&kept[range], value, second);
        }
    });
}

vectorised! {
    fn adapt_piece(update: Adapt, value: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let Adapt { keep, beta1, beta2, epsilon, rate, spread } = update;
        for (((w, g), m), v) in value.iter_mut().zip(gradient).zip(first).zip(second) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *w = keep * *w - rate * *m / (spread * v.sqrt() + epsilon);
        }
    }
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

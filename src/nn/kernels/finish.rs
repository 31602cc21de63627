//! What is done to a block of outputs while it is still in the cache.

use std::ops::Range;

use super::Shared;
use super::conv::Finish;
use super::norm::{Partial, moments};
use super::simd::vectorised;

/// Adds constants and another value, rectifies, takes moments: channels `range` of the pixels at `places`.
///
/// # Safety
/// The places and channels lie inside `y`, and nobody else touches them.
pub(super) unsafe fn block(
    finish: &Finish<'_>,
    partial: Option<Partial>,
    nth: usize,
    y: Shared,
    places: &[usize],
    range: Range<usize>,
) {
    if finish.bias.is_some() || finish.other.is_some() || finish.rectify {
        for place in places {
            // SAFETY: promised by the caller.
            let y = unsafe { y.part(place + range.start, range.len()) };
            let bias = finish.bias.map(|bias| &bias[range.clone()]);
            let other = finish.other.map(|other| &other[place + range.start..place + range.end]);
            row(bias, other, finish.rectify, y);
        }
    }
    if let Some(partial) = partial {
        // SAFETY: promised by the caller; every block has its own moments.
        unsafe { moments(partial, nth, y, places, range) };
    }
}

vectorised! {
    fn row(bias: Option<&[f32]>, other: Option<&[f32]>, rectify: bool, y: &mut [f32]) {
        match (bias, other) {
            (Some(bias), Some(other)) => {
                for (y, (bias, other)) in y.iter_mut().zip(bias.iter().zip(other)) {
                    *y = rectified(*y + bias + other, rectify);
                }
            }
            (Some(bias), None) => {
                for (y, bias) in y.iter_mut().zip(bias) {
                    *y = rectified(*y + bias, rectify);
                }
            }
            (None, Some(other)) => {
                for (y, other) in y.iter_mut().zip(other) {
                    *y = rectified(*y + other, rectify);
                }
            }
            (None, None) => {
                for y in y.iter_mut() {
                    *y = rectified(*y, rectify);
                }
            }
        }
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]
fn rectified(value: f32, rectify: bool) -> f32 {
    if rectify && value <= 0.0 { 0.0 } else { value }
}

//! Scores: element-wise expressions over a parameter's values, in single precision as PyTorch computes them.

use crate::domain::pruning::Score;

/// What a score can read, one value per weight. Lists that it does not read may be empty.
#[derive(Clone, Copy, Default)]
pub(super) struct Readings<'a> {
    pub weight: &'a [f32],
    pub initial: &'a [f32],
    pub gradient: &'a [f32],
    pub hessian_gradient: &'a [f32],
    pub flow: &'a [f32],
    pub concept: &'a [f32],
}

/// Evaluates a score for every element.
pub(super) fn evaluate(score: &Score, readings: Readings<'_>) -> Vec<f32> {
    let one = |x: &Score, f: fn(f32) -> f32| {
        let mut values = evaluate(x, readings);
        values.iter_mut().for_each(|value| *value = f(*value));
        values
    };
    let two = |x: &Score, y: &Score, f: fn(f32, f32) -> f32| {
        let mut values = evaluate(x, readings);
        if let Score::Constant(number) = y {
            values.iter_mut().for_each(|value| *value = f(*value, *number as f32));
        } else {
            let others = evaluate(y, readings);
            values.iter_mut().zip(others).for_each(|(value, other)| *value = f(*value, other));
        }
        values
    };
    match score {
        Score::Weight => readings.weight.to_vec(),
        Score::Initial => readings.initial.to_vec(),
        Score::Gradient => readings.gradient.to_vec(),
        Score::HessianGradient => readings.hessian_gradient.to_vec(),
        Score::Flow => readings.flow.to_vec(),
        Score::Concept => readings.concept.to_vec(),
        Score::Constant(number) => vec![*number as f32; readings.weight.len()],
        Score::Abs(x) => one(x, f32::abs),
        Score::Negate(x) => one(x, |x| -x),
        Score::Sqrt(x) => one(x, f32::sqrt),
        Score::Add(x, y) => two(x, y, |x, y| x + y),
        Score::Subtract(x, y) => two(x, y, |x, y| x - y),
        Score::Multiply(x, y) => two(x, y, |x, y| x * y),
        Score::Divide(x, y) => two(x, y, |x, y| x / y),
        Score::Power(x, y) => two(x, y, libm::powf),
        Score::Min(x, y) => two(x, y, f32::min),
        Score::Max(x, y) => two(x, y, f32::max),
    }
}

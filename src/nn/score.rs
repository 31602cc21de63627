//! Scores: element-wise expressions over a parameter's values, in single precision as PyTorch computes them.

use crate::domain::pruning::Score;

/// Evaluates a score for every element. `initial` may be empty if the score does not read it.
pub(super) fn evaluate(score: &Score, weight: &[f32], initial: &[f32]) -> Vec<f32> {
    let one = |x: &Score, f: fn(f32) -> f32| {
        let mut values = evaluate(x, weight, initial);
        values.iter_mut().for_each(|value| *value = f(*value));
        values
    };
    let two = |x: &Score, y: &Score, f: fn(f32, f32) -> f32| {
        let mut values = evaluate(x, weight, initial);
        if let Score::Constant(number) = y {
            values.iter_mut().for_each(|value| *value = f(*value, *number as f32));
        } else {
            let others = evaluate(y, weight, initial);
            values.iter_mut().zip(others).for_each(|(value, other)| *value = f(*value, other));
        }
        values
    };
    match score {
        Score::Weight => weight.to_vec(),
        Score::Initial => initial.to_vec(),
        Score::Constant(number) => vec![*number as f32; weight.len()],
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

/// Whether a score reads the weights at initialisation.
pub(super) fn reads_initial(score: &Score) -> bool {
    match score {
        Score::Initial => true,
        Score::Weight | Score::Constant(_) => false,
        Score::Abs(x) | Score::Negate(x) | Score::Sqrt(x) => reads_initial(x),
        Score::Add(x, y)
        | Score::Subtract(x, y)
        | Score::Multiply(x, y)
        | Score::Divide(x, y)
        | Score::Power(x, y)
        | Score::Min(x, y)
        | Score::Max(x, y) => reads_initial(x) || reads_initial(y),
    }
}

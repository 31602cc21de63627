//! Scores: element-wise expressions over a parameter's values, in single precision as PyTorch computes them.

use crate::domain::pruning::{Group, Reduction, Score};

/// What a score can read, one value per weight. Lists that it does not read may be empty.
#[derive(Clone, Copy, Default)]
pub(super) struct Readings<'a> {
    pub weight: &'a [f32],
    pub initial: &'a [f32],
    pub gradient: &'a [f32],
    pub hessian_gradient: &'a [f32],
    pub flow: &'a [f32],
    pub concept: &'a [f32],
    /// Whether each weight is left.
    pub kept: &'a [bool],
    /// Weights of a filter.
    pub filter: usize,
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
        Score::Reduce { over, by, of } => {
            let mut values = evaluate(of, readings);
            let each = if *over == Group::Filter { readings.filter } else { values.len() }.max(1);
            for (values, kept) in values.chunks_mut(each).zip(readings.kept.chunks(each)) {
                reduce(*by, values, kept);
            }
            values
        }
    }
}

/// Replaces the values of a group by what they have in common; pruned weights do not count. Sums are in double precision.
fn reduce(by: Reduction, values: &mut [f32], kept: &[bool]) {
    let left = || values.iter().zip(kept).filter(|(_, kept)| **kept).map(|(value, _)| *value);
    let sum = || left().map(f64::from).sum::<f64>();
    let common = match by {
        Reduction::Sum => sum() as f32,
        Reduction::Mean => (sum() / left().count().max(1) as f64) as f32,
        Reduction::Max => left().reduce(f32::max).unwrap_or(0.0),
        Reduction::UpperSum => return upper_sums(values, kept),
    };
    values.fill(common);
}

fn upper_sums(values: &mut [f32], kept: &[bool]) {
    let mut order: Vec<usize> = (0..values.len()).filter(|at| kept.get(*at) == Some(&true)).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut sum = 0.0;
    for at in order.into_iter().rev() {
        sum += f64::from(values[at]);
        values[at] = sum as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHT: [f32; 8] = [0.5, -1.0, 2.0, 0.25, -3.0, 1.0, 1.0, 4.0];
    const KEPT: [bool; 8] = [true, true, false, true, true, true, true, true];

    /// Two filters of four weights, of which one is pruned.
    fn reduced(over: Group, by: Reduction) -> Vec<f32> {
        let of = Box::new(Score::Abs(Box::new(Score::Weight)));
        let readings = Readings { weight: &WEIGHT, kept: &KEPT, filter: 4, ..Readings::default() };
        evaluate(&Score::Reduce { over, by, of }, readings)
    }

    #[test]
    fn weights_of_a_filter_share_their_norms() {
        assert_eq!(reduced(Group::Filter, Reduction::Sum), [1.75, 1.75, 1.75, 1.75, 9.0, 9.0, 9.0, 9.0]);
        assert_eq!(reduced(Group::Filter, Reduction::Max), [1.0, 1.0, 1.0, 1.0, 4.0, 4.0, 4.0, 4.0]);
        assert_eq!(reduced(Group::Layer, Reduction::Mean), [10.75 / 7.0; 8]);
    }

    /// The definition of LAMP's denominator, by its double loop.
    #[test]
    fn upper_sums_add_what_is_not_smaller() {
        let found = reduced(Group::Layer, Reduction::UpperSum);
        for at in (0..8).filter(|at| KEPT[*at]) {
            let behind = |other: usize| {
                let (a, b) = (WEIGHT[other].abs(), WEIGHT[at].abs());
                KEPT[other] && (a > b || a.to_bits() == b.to_bits() && other >= at)
            };
            let wanted: f32 = (0..8).filter(|other| behind(*other)).map(|other| WEIGHT[other].abs()).sum();
            assert_eq!(found[at].to_bits(), wanted.to_bits(), "{at}: {found:?}");
        }
    }
}

//! Descriptions of one sample.

use super::student;

/// A closed interval.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Returns half its length.
    pub fn half_width(self) -> f64 {
        0.5 * (self.high - self.low)
    }
}

/// Returns the arithmetic mean; NaN for no values. Equal values have exactly that mean.
pub fn mean(values: &[f64]) -> f64 {
    match values {
        [] => f64::NAN,
        [first, rest @ ..] if rest.iter().all(|value| value.to_bits() == first.to_bits()) => *first,
        _ => {
            let rough = values.iter().sum::<f64>() / values.len() as f64;
            rough + values.iter().map(|value| value - rough).sum::<f64>() / values.len() as f64
        }
    }
}

/// Returns the sample variance (divisor n − 1); NaN for fewer than two values, exactly 0 for equal values.
pub fn variance(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let centre = mean(values);
    values.iter().map(|value| (value - centre) * (value - centre)).sum::<f64>() / (values.len() - 1) as f64
}

/// Returns the sample standard deviation (divisor n − 1); NaN for fewer than two values.
pub fn sd(values: &[f64]) -> f64 {
    variance(values).sqrt()
}

/// Returns Student's t confidence interval of the mean; `None` for fewer than two values or a level outside (0, 1).
pub fn mean_interval(values: &[f64], level: f64) -> Option<Interval> {
    if values.len() < 2 || !(level > 0.0 && level < 1.0) {
        return None;
    }
    let n = values.len() as f64;
    let half = student::critical(0.5 * (1.0 - level), n - 1.0) * sd(values) / n.sqrt();
    let centre = mean(values);
    half.is_finite().then_some(Interval { low: centre - half, high: centre + half })
}

/// Returns the median; NaN for no values.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// Returns the `q` quantile by linear interpolation between order statistics (numpy's default, Hyndman–Fan type 7);
/// NaN for no values or `q` outside [0, 1].
pub fn quantile(values: &[f64], q: f64) -> f64 {
    if values.is_empty() || !(0.0..=1.0).contains(&q) {
        return f64::NAN;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = q * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_samples() {
        assert!(mean(&[]).is_nan() && sd(&[1.0]).is_nan() && median(&[]).is_nan());
        assert_eq!(mean_interval(&[1.0], 0.95), None);
        assert_eq!(mean_interval(&[1.0, 2.0], 1.0), None);
    }

    #[test]
    fn equal_values_have_no_spread() {
        let values = [0.1; 7];
        assert_eq!(mean(&values).to_bits(), 0.1_f64.to_bits());
        assert_eq!(mean_interval(&values, 0.95), Some(Interval { low: 0.1, high: 0.1 }));
    }

    #[test]
    fn quantiles_interpolate() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert!((quantile(&values, 0.25) - 1.75).abs() < 1e-15);
        assert!((median(&values) - 2.5).abs() < 1e-15);
        assert!((quantile(&values, 1.0) - 4.0).abs() < 1e-15);
    }
}

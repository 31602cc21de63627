//! Comparisons of two means: t tests of a difference, of non-inferiority, of equivalence.
//!
//! A [`Difference`] is estimated once, paired or not; every test and interval is read off it.
//! With zero standard error (all differences identical) the statistic is ±∞ and p is 0 or 1: a difference strictly
//! inside the alternative gives 0, one on or beyond the boundary of the null hypothesis gives 1.

use super::describe::{Interval, mean, variance};
use super::student;

/// Why a comparison has no standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Degenerate {
    /// A side has fewer than two replicates.
    #[error("{n} replicate(s) where a test needs at least 2")]
    TooFew {
        /// Size of the smaller side.
        n: usize,
    },
    /// Paired samples differ in length.
    #[error("{left} and {right} values cannot be paired")]
    Unpaired {
        /// Values on the left.
        left: usize,
        /// Values on the right.
        right: usize,
    },
    /// A value is NaN or infinite.
    #[error("a value is not finite")]
    NotFinite,
}

/// An estimated difference of means, `x − y`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error; 0 if all differences are identical.
    pub error: f64,
    /// Degrees of freedom.
    pub df: f64,
}

/// A t test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// The statistic.
    pub t: f64,
    /// Degrees of freedom.
    pub df: f64,
    /// The p value.
    pub p: f64,
}

/// Two one-sided tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Equivalence {
    /// Against a difference of at most the lower bound.
    pub lower: Test,
    /// Against a difference of at least the upper bound.
    pub upper: Test,
}

impl Equivalence {
    /// Returns the p value of the whole: the larger of the two.
    pub fn p(&self) -> f64 {
        self.lower.p.max(self.upper.p)
    }
}

impl Difference {
    /// Estimates the mean of the paired differences `x[i] − y[i]`.
    ///
    /// # Errors
    /// Fewer than two pairs, unequal lengths, a value that is not finite.
    pub fn paired(x: &[f64], y: &[f64]) -> Result<Self, Degenerate> {
        if x.len() != y.len() {
            return Err(Degenerate::Unpaired { left: x.len(), right: y.len() });
        }
        let n = sizes(x, y)?.0;
        let differences: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
        // Differences that agree up to rounding of the subtraction are identical: a standard error of a few units in
        // the last place would make a certainty out of noise.
        let rounding = 8.0 * f64::EPSILON * x.iter().chain(y).fold(0.0, |most: f64, value| most.max(value.abs()));
        let (low, high) = range(&differences);
        if high - low <= rounding {
            let estimate = if low.abs().max(high.abs()) <= rounding { 0.0 } else { mean(&differences) };
            return Ok(Self { estimate, error: 0.0, df: n - 1.0 });
        }
        Ok(Self { estimate: mean(&differences), error: (variance(&differences) / n).sqrt(), df: n - 1.0 })
    }

    /// Estimates the difference of two independent means with one common variance.
    ///
    /// # Errors
    /// A side with fewer than two values, a value that is not finite.
    pub fn pooled(x: &[f64], y: &[f64]) -> Result<Self, Degenerate> {
        let (n, m) = sizes(x, y)?;
        let df = n + m - 2.0;
        let common = ((n - 1.0) * variance(x) + (m - 1.0) * variance(y)) / df;
        Ok(Self { estimate: mean(x) - mean(y), error: (common * (1.0 / n + 1.0 / m)).sqrt(), df })
    }

    /// Estimates the difference of two independent means with their own variances (Welch–Satterthwaite).
    ///
    /// # Errors
    /// A side with fewer than two values, a value that is not finite.
    pub fn welch(x: &[f64], y: &[f64]) -> Result<Self, Degenerate> {
        let (n, m) = sizes(x, y)?;
        let (a, b) = (variance(x) / n, variance(y) / m);
        let df = if a + b > 0.0 {
            let (share_a, share_b) = (a / (a + b), b / (a + b));
            1.0 / (share_a * share_a / (n - 1.0) + share_b * share_b / (m - 1.0))
        } else {
            n + m - 2.0
        };
        Ok(Self { estimate: mean(x) - mean(y), error: (a + b).sqrt(), df })
    }

    /// Returns the confidence interval at `level`, e.g. 0.95. TOST at α corresponds to level 1 − 2α.
    pub fn interval(&self, level: f64) -> Interval {
        let half = if self.error == 0.0 { 0.0 } else { student::critical(0.5 * (1.0 - level), self.df) * self.error };
        Interval { low: self.estimate - half, high: self.estimate + half }
    }

    /// Tests that the difference is greater than `bound`.
    pub fn above(&self, bound: f64) -> Test {
        let t = self.statistic(bound);
        Test { t, df: self.df, p: student::upper_tail(t, self.df) }
    }

    /// Tests that the difference is less than `bound`.
    pub fn below(&self, bound: f64) -> Test {
        let t = -self.mirrored().statistic(-bound);
        Test { t, df: self.df, p: student::upper_tail(-t, self.df) }
    }

    /// Tests that the difference lies strictly between `low` and `high` (TOST).
    pub fn within(&self, low: f64, high: f64) -> Equivalence {
        Equivalence { lower: self.above(low), upper: self.below(high) }
    }

    /// Tests, two-sided, that the difference is not zero.
    pub fn nonzero(&self) -> Test {
        if self.error == 0.0 && self.estimate == 0.0 {
            return Test { t: 0.0, df: self.df, p: 1.0 };
        }
        let t = self.statistic(0.0);
        Test { t, df: self.df, p: (2.0 * student::upper_tail(t.abs(), self.df)).min(1.0) }
    }

    fn mirrored(&self) -> Self {
        Self { estimate: -self.estimate, ..*self }
    }

    fn statistic(&self, bound: f64) -> f64 {
        let distance = self.estimate - bound;
        if self.error > 0.0 {
            distance / self.error
        } else if distance > 0.0 {
            f64::INFINITY
        } else {
            f64::NEG_INFINITY
        }
    }
}

fn sizes(x: &[f64], y: &[f64]) -> Result<(f64, f64), Degenerate> {
    let n = x.len().min(y.len());
    if n < 2 {
        return Err(Degenerate::TooFew { n });
    }
    if x.iter().chain(y).any(|value| !value.is_finite()) {
        return Err(Degenerate::NotFinite);
    }
    Ok((x.len() as f64, y.len() as f64))
}

fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "certainty is exactly 0 or 1")]

    use super::*;

    const UNITS: [f64; 3] = [1349.0, 1361.0, 1355.0];
    const DENSE: [f64; 3] = [1340.0, 1358.0, 1352.0];

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 2e-5 * expected.abs(), "{found} is not {expected}");
    }

    /// Known answers of statsmodels' `ttost_ind` and `ttost_paired`.
    #[test]
    fn equivalence_of_unit_counts() {
        let independent = Difference::pooled(&UNITS, &DENSE).unwrap().within(-68.0, 68.0);
        close(independent.lower.t, 11.542_313);
        close(independent.upper.t, -9.961_174);
        close(independent.lower.p, 1.608_9e-4);
        close(independent.upper.p, 2.852_7e-4);
        close(independent.p(), 2.852_7e-4);
        let paired = Difference::paired(&UNITS, &DENSE).unwrap().within(-68.0, 68.0);
        close(paired.lower.t, 36.5);
        close(paired.upper.t, -31.5);
        close(paired.lower.p, 3.748_8e-4);
        close(paired.upper.p, 5.031_4e-4);
    }

    #[test]
    fn too_few_or_broken_values() {
        assert_eq!(Difference::paired(&[1.0], &[2.0]), Err(Degenerate::TooFew { n: 1 }));
        assert_eq!(Difference::paired(&[1.0, 2.0], &[2.0]), Err(Degenerate::Unpaired { left: 2, right: 1 }));
        assert_eq!(Difference::welch(&[1.0, f64::NAN], &[2.0, 3.0]), Err(Degenerate::NotFinite));
    }

    #[test]
    fn identical_differences_are_certain() {
        let shifted = Difference::paired(&[0.3, 0.7, 0.9], &[0.2, 0.6, 0.8]).unwrap();
        assert!(shifted.error == 0.0 && (shifted.estimate - 0.1).abs() < 1e-12);
        assert!(shifted.nonzero().p == 0.0 && shifted.nonzero().t.is_infinite());
        assert!(shifted.above(0.0).p == 0.0 && shifted.below(0.0).p == 1.0);
        assert_eq!(shifted.interval(0.9), Interval { low: shifted.estimate, high: shifted.estimate });
        let same = Difference::paired(&[0.3, 0.7], &[0.3, 0.7]).unwrap();
        assert!(same.nonzero().p == 1.0);
        assert!(same.within(-0.1, 0.1).p() == 0.0);
        assert!(same.within(0.0, 0.1).p() == 1.0, "on the boundary nothing is shown");
        assert!(same.within(-0.1, 0.0).p() == 1.0);
    }

    #[test]
    fn interval_and_equivalence_agree() {
        let difference = Difference::paired(&[0.71, 0.74, 0.69, 0.72], &[0.72, 0.73, 0.70, 0.725]).unwrap();
        let interval = difference.interval(0.9);
        let bound = interval.low.abs().max(interval.high.abs());
        assert!((difference.within(-bound, bound).p() - 0.05).abs() < 1e-9);
    }
}

//! Exact upper quantiles in bounded memory.

/// Collects the largest of a stream of values, of which it knows in advance how many matter.
#[derive(Debug)]
pub(super) struct Largest {
    /// How many of the largest values matter.
    keep: usize,
    /// Capacity at which the surplus is dropped.
    limit: usize,
    /// At least `keep` values seen so far are this large; no smaller one matters any more.
    floor: f32,
    values: Vec<f32>,
    /// The largest value seen.
    peak: f32,
}

impl Largest {
    /// Prepares to find the `keep`-th largest value.
    pub(super) fn new(keep: usize) -> Self {
        let limit = keep + (keep / 4).max(256);
        Self { keep, limit, floor: f32::NEG_INFINITY, values: Vec::new(), peak: f32::NEG_INFINITY }
    }

    /// Takes in finite values; says whether they were.
    pub(super) fn add(&mut self, values: &[f32]) -> bool {
        for &value in values {
            if !value.is_finite() {
                return false;
            }
            self.peak = self.peak.max(value);
            if value > self.floor {
                // Adding 0 turns −0 into 0, so that the result does not depend on which zero came first.
                self.values.push(value + 0.0);
                if self.values.len() == self.limit {
                    self.floor = self.cut();
                }
            }
        }
        true
    }

    /// Drops all but the `keep` largest values and returns the smallest of these.
    fn cut(&mut self) -> f32 {
        let (_, &mut last, _) = self.values.select_nth_unstable_by(self.keep - 1, |a, b| b.total_cmp(a));
        self.values.truncate(self.keep);
        last
    }

    /// Returns the `keep`-th largest of all values seen; there must have been as many.
    pub(super) fn finish(mut self) -> Threshold {
        Threshold { value: self.cut(), peak: self.peak }
    }
}

/// What is known of a unit after a pass over all images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Masks are where the enlarged map is above this.
    pub value: f32,
    /// The largest activation.
    pub peak: f32,
}

/// Which of `count` values, by falling size from 1, is the threshold for the top share `quantile`: at most
/// `quantile · count` values are larger, and it is the smallest such value. (A millionth of a value is forgiven, since
/// 0.005 has no exact binary form.)
pub(super) fn rank(quantile: f64, count: u64) -> usize {
    (quantile * count as f64 + 1e-6) as usize + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudo-random values with many ties.
    fn values(count: u64, kinds: u64) -> Vec<f32> {
        (0..count).map(|i| (i.wrapping_mul(6_364_136_223_846_793_005) >> 33) % kinds).map(|v| v as f32 - 3.0).collect()
    }

    #[test]
    fn the_result_is_the_order_statistic_whatever_the_portions() {
        for (count, kinds) in [(1, 1), (1000, 7), (5000, 100_000), (20_000, 50)] {
            let values = values(count, kinds);
            let mut sorted = values.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            for quantile in [0.0005, 0.005, 0.3, 0.99] {
                let rank = rank(quantile, count);
                for portion in [1, 17, 4096] {
                    let mut largest = Largest::new(rank);
                    assert!(values.chunks(portion).all(|part| largest.add(part)));
                    assert!(largest.values.len() <= rank + rank.max(1024));
                    let found = largest.finish();
                    assert_eq!((found.value, found.peak), (sorted[rank - 1], sorted[0]), "{count} {quantile}");
                }
            }
        }
    }

    #[test]
    fn at_most_the_share_lies_above() {
        assert_eq!(rank(0.005, 1000), 6);
        assert_eq!(rank(0.005, 999), 5);
        assert_eq!(rank(0.005, 100), 1);
        assert_eq!(rank(0.005, 63_305 * 49), 15_510);
    }

    #[test]
    fn zeros_are_alike_and_infinities_are_noticed() {
        let mut largest = Largest::new(1);
        assert!(largest.add(&[-0.0, -1.0]));
        assert_eq!(largest.finish().value.to_bits(), 0);
        assert!(!Largest::new(1).add(&[f32::NAN]));
        assert!(!Largest::new(1).add(&[1.0, f32::INFINITY]));
    }
}

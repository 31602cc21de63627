//! Thresholds of units: exact upper quantiles in bounded memory, or a sketch where even the upper part is too much.

use super::sketch::Sketch;
use crate::domain::dissection::Estimate;

/// Memory for the upper parts of all units, in values (1 GiB); beyond it quantiles are estimated.
pub(super) const EXACT: usize = 1 << 28;
/// Values that a sketch keeps at its lowest level.
const RESOLUTION: usize = 8192;

/// Collects the largest of a stream of values, of which it knows in advance how many matter.
#[derive(Debug)]
struct Largest {
    /// How many of the largest values matter.
    keep: usize,
    /// Capacity at which the surplus is dropped.
    limit: usize,
    /// At least `keep` values seen so far are this large; no smaller one matters any more.
    floor: f32,
    values: Vec<f32>,
}

impl Largest {
    fn new(keep: usize) -> Self {
        let limit = keep + (keep / 4).max(256);
        Self { keep, limit, floor: f32::NEG_INFINITY, values: Vec::new() }
    }

    fn add(&mut self, value: f32) {
        if value > self.floor {
            self.values.push(value);
            if self.values.len() == self.limit {
                self.floor = self.cut();
            }
        }
    }

    /// Drops all but the `keep` largest values and returns the smallest of these.
    fn cut(&mut self) -> f32 {
        let (_, &mut last, _) = self.values.select_nth_unstable_by(self.keep - 1, |a, b| b.total_cmp(a));
        self.values.truncate(self.keep);
        last
    }

    /// Returns the `rank`-th largest of all values seen, from 1; there must have been as many.
    fn ranked(&mut self, rank: usize) -> f32 {
        *self.values.select_nth_unstable_by(rank - 1, |a, b| b.total_cmp(a)).1
    }
}

/// Which order statistics a threshold lies between: `low` and `low − 1` by falling size from 1, the part `share` of the
/// way from the first to the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    low: usize,
    share: f64,
    /// Between two numbers of 32 bits the threshold is the lower one: nothing of 32 bits lies between, so masks are the
    /// same as above the number of 64 bits that the tools compare with.
    down: bool,
}

impl Place {
    /// Finds the place of a threshold among `count` values.
    pub(super) fn new(estimate: Estimate, quantile: f64, count: u64) -> Self {
        let n = count as f64;
        let (level, total, down) = match estimate {
            // A millionth of a value is forgiven, since 0.005 has no exact binary form.
            Estimate::Share => return Self { low: (quantile * n + 1e-6) as usize + 1, share: 0.0, down: false },
            Estimate::Table => ((999.0 - (1000.0 * quantile).round()) / 999.0, n - 0.5, true),
            Estimate::Midpoint => (f64::from((1.0 - quantile) as f32), n, false),
        };
        let last = count.saturating_sub(1);
        let mut place = ((level * total - 0.5).max(0.0) as u64).min(last);
        // Where order statistics stand is rounded, so a level can be on the other side of the nearest one.
        if place > 0 && standing(place, total) > level {
            place -= 1;
        } else if place < last && standing(place + 1, total) <= level {
            place += 1;
        }
        let [left, right] = [place, place + 1].map(|place| standing(place, total));
        let share = if place < last { ((level - left) / (right - left)).clamp(0.0, 1.0) } else { 0.0 };
        Self { low: (count - place) as usize, share, down }
    }

    /// Reads the threshold off two neighbours.
    fn read(self, low: f32, high: f32) -> f32 {
        let exact = f64::from(low) + self.share * (f64::from(high) - f64::from(low));
        let near = exact as f32;
        if self.down && f64::from(near) > exact { near.next_down() } else { near }
    }
}

/// Where an order statistic stands, as a share of all. The tools keep this in 32 bits, which is part of what they compute as
/// long as these tell the ranks apart.
fn standing(place: u64, total: f64) -> f64 {
    let middle = place as f64 + 0.5;
    if total < f64::from(1 << 22) { f64::from(middle as f32 / total as f32) } else { middle / total }
}

/// Finds the threshold of a unit in a stream of activations.
#[derive(Debug)]
pub(super) struct Finder {
    place: Place,
    count: u64,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Exact(Largest),
    Sketched(Sketch),
}

impl Finder {
    /// Prepares for `count` values; quantiles are exact if `exact` values can be kept.
    pub(super) fn new(place: Place, count: u64, exact: usize) -> Self {
        let values = if place.low <= exact {
            Values::Exact(Largest::new(place.low))
        } else {
            Values::Sketched(Sketch::new(RESOLUTION))
        };
        Self { place, count, values }
    }

    /// Takes in a finite value. Adding 0 turns −0 into 0, so that no result depends on which zero came first.
    pub(super) fn add(&mut self, value: f32) {
        match &mut self.values {
            Values::Exact(largest) => largest.add(value + 0.0),
            Values::Sketched(sketch) => sketch.add(value + 0.0),
        }
    }

    /// Returns the threshold; as many values as announced must have come.
    pub(super) fn finish(self) -> f32 {
        let Place { low, share, .. } = self.place;
        let next = if share > 0.0 { low - 1 } else { low };
        match self.values {
            Values::Exact(mut largest) => {
                let bottom = largest.ranked(low);
                self.place.read(bottom, largest.ranked(next.max(1)))
            }
            Values::Sketched(sketch) => {
                let at = |rank: usize| sketch.quantile((self.count - rank as u64) as f64 + 0.5, self.count);
                self.place.read(at(low), at(next.max(1)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudo-random values with many ties.
    fn values(count: u64, kinds: u64) -> Vec<f32> {
        (0..count).map(|i| (i.wrapping_mul(6_364_136_223_846_793_005) >> 33) % kinds).map(|v| v as f32 - 3.0).collect()
    }

    fn found(place: Place, values: &[f32], exact: usize) -> f32 {
        let mut finder = Finder::new(place, values.len() as u64, exact);
        values.iter().for_each(|&value| finder.add(value));
        finder.finish()
    }

    #[test]
    fn the_share_is_an_order_statistic() {
        for (count, kinds) in [(1, 1), (1000, 7), (5000, 100_000), (20_000, 50)] {
            let values = values(count, kinds);
            let mut sorted = values.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            for quantile in [0.0005, 0.005, 0.3, 0.99] {
                let place = Place::new(Estimate::Share, quantile, count);
                let threshold = found(place, &values, usize::MAX);
                assert_eq!(threshold.to_bits(), sorted[place.low - 1].to_bits(), "{count} {quantile}");
            }
        }
    }

    #[test]
    fn at_most_the_share_lies_above() {
        let rank = |quantile, count| Place::new(Estimate::Share, quantile, count).low;
        assert_eq!(rank(0.005, 1000), 6);
        assert_eq!(rank(0.005, 999), 5);
        assert_eq!(rank(0.005, 100), 1);
        assert_eq!(rank(0.005, 63_305 * 49), 15_510);
    }

    #[test]
    fn tables_and_midpoints_lie_between_order_statistics() {
        // 0, 1, …, 999: the table's level is 994/999 of 999.5, less a half; the midpoint's 0.995 of 1000, less a half.
        let values: Vec<f32> = (0..1000_u16).map(f32::from).collect();
        let table = f64::from(found(Place::new(Estimate::Table, 0.005, 1000), &values, usize::MAX));
        assert!((table - (994.0 / 999.0 * 999.5 - 0.5)).abs() < 1e-4, "{table}");
        let midpoint = f64::from(found(Place::new(Estimate::Midpoint, 0.005, 1000), &values, usize::MAX));
        assert!((midpoint - 994.5).abs() < 1e-4, "{midpoint}");
        for estimate in [Estimate::Share, Estimate::Table, Estimate::Midpoint] {
            for count in [1, 2, 3, 50] {
                let all = &values[..count as usize];
                let threshold = found(Place::new(estimate, 0.005, count), all, usize::MAX);
                assert!(threshold >= all[0] && threshold <= all[all.len() - 1], "{estimate:?} {count}");
            }
        }
    }

    #[test]
    fn a_sketch_stands_in_where_memory_is_short() {
        let values: Vec<f32> = (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32).collect();
        for estimate in [Estimate::Share, Estimate::Midpoint] {
            let place = Place::new(estimate, 0.01, values.len() as u64);
            let (exact, sketched) = (found(place, &values, usize::MAX), found(place, &values, 100));
            let above = |threshold: f32| values.iter().filter(|&&value| value > threshold).count() as f64;
            assert!((above(exact) - above(sketched)).abs() < 0.0005 * values.len() as f64, "{exact} {sketched}");
        }
    }

    #[test]
    fn zeros_are_alike() {
        let place = Place::new(Estimate::Share, 0.5, 2);
        assert_eq!(found(place, &[-0.0, -1.0], usize::MAX).to_bits(), (-1.0_f32).to_bits());
        assert_eq!(found(Place::new(Estimate::Share, 0.005, 2), &[-0.0, -1.0], usize::MAX).to_bits(), 0);
    }
}

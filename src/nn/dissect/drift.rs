//! How far the units of one dissection are from those of another.

use std::collections::{BTreeMap, BTreeSet};

use super::record::Tallies;
use super::score::{Match, Unit, reaches, score};
use crate::domain::dissection::Scoring;

/// Two dissections side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// Figures by name, see [`drift`].
    pub measures: BTreeMap<String, f64>,
    /// For each unit that both have: label and IoU there, label and IoU here. Labels are those of a unit's best IoU.
    pub units: Vec<[(String, f64); 2]>,
}

/// Compares a dissection (`here`) with another (`there`), usually the dense network's with the same seed:
///
/// - `wasserstein`, `ks`: distance between the distributions of units' IoU (mean absolute difference of quantiles; largest
///   difference of distribution functions); `delta_median`: of the medians, here minus there;
/// - `matched`: mean difference of IoU unit by unit, which means something under rewinding of one seed; `matched_share`:
///   share of units whose IoU has fallen;
/// - `jaccard`: concepts that both have, of those that either has; `retention`: of the units interpretable there, the share
///   that is so here with the same label; `lost`, `gained`: units interpretable only there, only here;
/// - `entropy`: of units over concepts here, in bits;
/// - `area`: mean number of units at IoU thresholds from 0.01 to 0.2, here over there, as a ratio.
pub fn drift(here: &Tallies, there: &Tallies, scoring: &Scoring) -> Drift {
    let [now, then] = [here, there].map(|tallies| score(tallies, scoring).units);
    let scores = |units: &[Unit]| {
        let mut scores: Vec<f64> = units.iter().map(Unit::score).collect();
        scores.sort_by(f64::total_cmp);
        scores
    };
    let [sorted, before] = [scores(&now), scores(&then)];
    let mut measures = BTreeMap::new();
    let mut put = |name: &str, value: f64| measures.insert(name.to_owned(), value);
    let (wasserstein, ks) = distances(&sorted, &before);
    put("wasserstein", wasserstein);
    put("ks", ks);
    put("delta_median", median(&sorted) - median(&before));
    let pairs = now.len().min(then.len());
    let differences: Vec<f64> = now.iter().zip(&then).map(|(a, b)| a.score() - b.score()).collect();
    put("matched", mean(&differences));
    put("matched_share", differences.iter().filter(|&&d| d < 0.0).count() as f64 / pairs.max(1) as f64);
    // Labels are compared by name: the two may have been measured with different probes.
    let name = |tallies: &Tallies, found: &Match| tallies.heading.labels[found.label as usize].clone();
    let concept = |tallies: &Tallies, unit: &Unit| {
        unit.best().filter(|best| reaches(scoring, best.iou)).map(|best| name(tallies, best))
    };
    let [ours, theirs]: [Vec<Option<String>>; 2] = [(here, &now), (there, &then)]
        .map(|(tallies, units)| units.iter().map(|unit| concept(tallies, unit)).collect());
    let set = |labels: &[Option<String>]| labels.iter().flatten().cloned().collect::<BTreeSet<_>>();
    let (a, b) = (set(&ours), set(&theirs));
    put("jaccard", ratio(a.intersection(&b).count(), a.union(&b).count()));
    let kept = ours.iter().zip(&theirs).filter(|(our, their)| their.is_some() && our == their).count();
    put("retention", ratio(kept, theirs.iter().flatten().count()));
    put("lost", ours.iter().zip(&theirs).filter(|(our, their)| our.is_none() && their.is_some()).count() as f64);
    put("gained", ours.iter().zip(&theirs).filter(|(our, their)| our.is_some() && their.is_none()).count() as f64);
    put("entropy", entropy(&ours));
    put("area", survival(&sorted) / survival(&before).max(f64::MIN_POSITIVE));
    let row = |tallies: &Tallies, unit: &Unit| {
        (unit.best().map(|best| name(tallies, best)).unwrap_or_default(), unit.score())
    };
    let units = now.iter().zip(&then).map(|(unit, other)| [row(there, other), row(here, unit)]).collect();
    Drift { measures, units }
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// A share; of nothing, everything.
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

/// The area between two distribution functions, and the largest distance between them.
fn distances(a: &[f64], b: &[f64]) -> (f64, f64) {
    let mut all: Vec<f64> = a.iter().chain(b).copied().collect();
    all.sort_by(f64::total_cmp);
    let share = |sorted: &[f64], at: f64| ratio(sorted.partition_point(|&value| value <= at), sorted.len().max(1));
    let gaps = all.iter().map(|&at| (share(a, at) - share(b, at)).abs());
    let largest = gaps.clone().fold(0.0, f64::max);
    let area = gaps.zip(all.windows(2)).map(|(gap, pair)| gap * (pair[1] - pair[0])).sum();
    (area, largest)
}

/// Entropy of units over concepts, in bits.
fn entropy(labels: &[Option<String>]) -> f64 {
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    labels.iter().flatten().for_each(|label| *counts.entry(label).or_default() += 1.0);
    let total: f64 = counts.values().sum();
    -counts.values().map(|count| count / total * (count / total).log2()).sum::<f64>() + 0.0
}

/// Mean number of units that reach thresholds spread evenly from 0.01 to 0.2.
fn survival(sorted: &[f64]) -> f64 {
    let counts = (1..=20).map(|step| {
        let threshold = 0.01 * f64::from(step);
        (sorted.len() - sorted.partition_point(|&value| value < threshold)) as f64
    });
    counts.sum::<f64>() / 20.0
}

#[cfg(test)]
mod tests {
    use super::super::record::{Heading, UnitSummary};
    use super::super::tally::{ImageTally, UnitTally};
    use super::*;
    use crate::domain::dissection::{Counted, Measurement, Portion};

    /// One image of 100 pixels, half of it label 1, half label 2; every unit has a mask of so many pixels under a label.
    fn tallies(units: &[(u32, u32)]) -> Tallies {
        let unit = |(number, &(label, pixels)): (usize, &(u32, u32))| UnitTally {
            unit: number as u32,
            pixels,
            overlaps: vec![(label, pixels)],
        };
        Tallies {
            heading: Heading {
                measurement: Measurement::lite("layer"),
                categories: vec!["object".to_owned()],
                labels: ["", "a", "b"].map(str::to_owned).to_vec(),
                primary: vec![0; 3],
                units: vec![UnitSummary::default(); units.len()],
            },
            images: vec![ImageTally {
                area: 100,
                labels: vec![(1, 50), (2, 50)],
                units: units.iter().enumerate().map(unit).collect(),
                ..ImageTally::default()
            }],
        }
    }

    #[test]
    fn measures_follow_their_definitions() {
        let scoring = Scoring { counted: Counted::All, iou: 0.3, above: false, choose: Portion::All, on: Portion::All };
        // IoUs there: 0.2, 0.4, 0.6, 0.8; here: 0.4, 0.4, 0.6, 0.1.
        let there = tallies(&[(1, 10), (1, 20), (2, 30), (2, 40)]);
        let here = tallies(&[(1, 20), (2, 20), (2, 30), (2, 5)]);
        let found = drift(&here, &there, &scoring).measures;
        let close = |name: &str, value: f64| assert!((found[name] - value).abs() < 1e-9, "{name}: {}", found[name]);
        // Sorted: 0.1, 0.4, 0.4, 0.6 against 0.2, 0.4, 0.6, 0.8.
        close("wasserstein", (0.1 + 0.0 + 0.2 + 0.2) / 4.0);
        close("ks", 0.25);
        close("delta_median", 0.4 - 0.5);
        close("matched", (0.2 + 0.0 + 0.0 - 0.7) / 4.0);
        close("matched_share", 0.25);
        close("jaccard", 1.0);
        // Of units 1, 2 and 3 only unit 2 is left with its label.
        close("retention", 1.0 / 3.0);
        close("lost", 1.0);
        close("gained", 1.0);
        close("entropy", (1.0_f64 / 3.0 * 3.0_f64.log2()) + (2.0 / 3.0 * 1.5_f64.log2()));
        let same = drift(&there, &there, &scoring).measures;
        assert_eq!((same["wasserstein"], same["ks"], same["jaccard"], same["area"]), (0.0, 0.0, 1.0, 1.0));
    }
}

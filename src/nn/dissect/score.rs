//! From counts to the concepts that units detect.

use std::collections::{BTreeMap, BTreeSet};

use super::tally::ImageTally;
use super::threshold::Threshold;

/// Sums over images, by NetDissect-Lite's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    /// Number of categories.
    categories: usize,
    /// Pixels of each label.
    truth: Vec<u64>,
    /// For each unit and category, mask pixels over the images in which the mask overlaps a label whose primary
    /// category it is.
    activation: Vec<u64>,
    /// For each unit and label, pixels of both.
    both: Vec<u64>,
}

impl Sums {
    pub(super) fn new(units: usize, labels: usize, categories: usize) -> Self {
        Self {
            categories,
            truth: vec![0; labels],
            activation: vec![0; units * categories],
            both: vec![0; units * labels],
        }
    }

    /// Adds an image. `primary` is the primary category of each label.
    pub(super) fn add(&mut self, image: &ImageTally, primary: &[usize]) {
        for &(label, pixels) in &image.labels {
            self.truth[label as usize] += u64::from(pixels);
        }
        let labels = self.truth.len();
        let mut touched = vec![false; self.categories];
        for unit in &image.units {
            touched.fill(false);
            for &(label, pixels) in &unit.overlaps {
                self.both[unit.unit as usize * labels + label as usize] += u64::from(pixels);
                touched[primary[label as usize]] = true;
            }
            let sums = &mut self.activation[unit.unit as usize * self.categories..][..self.categories];
            for (sum, _) in sums.iter_mut().zip(&touched).filter(|(_, touched)| **touched) {
                *sum += u64::from(unit.pixels);
            }
        }
    }

    /// Compares a unit with a label.
    fn compare(&self, unit: usize, label: usize, category: usize) -> Match {
        let truth = self.truth[label];
        let activation = self.activation[unit * self.categories + category];
        let intersect = self.both[unit * self.truth.len() + label];
        // Every shared pixel is a pixel of the label, so this is not below zero.
        let union = activation + truth - intersect;
        let iou = if union == 0 { 0.0 } else { intersect as f64 / union as f64 };
        Match { label: label as u32, category, truth, activation, intersect, iou }
    }

    /// Finds the best label of a unit in every category, if any overlaps; of equal ones the lowest number.
    pub(super) fn unit(&self, unit: usize, primary: &[usize], threshold: Threshold) -> Unit {
        let mut best: Vec<Option<Match>> = vec![None; self.categories];
        for (label, &category) in primary.iter().enumerate().skip(1) {
            let found = self.compare(unit, label, category);
            if found.iou > best[category].as_ref().map_or(0.0, |best| best.iou) {
                best[category] = Some(found);
            }
        }
        Unit { unit, threshold, by_category: best }
    }
}

/// How well a unit's masks and a label agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Number of the label.
    pub label: u32,
    /// Its primary category, as an index into the chosen ones.
    pub category: usize,
    /// Pixels of the label.
    pub truth: u64,
    /// Pixels of the unit's masks over the images in which a mask overlaps the category.
    pub activation: u64,
    /// Pixels of both.
    pub intersect: u64,
    /// intersect / (activation + truth − intersect).
    pub iou: f64,
}

/// What a unit detects.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// Number from 0.
    pub unit: usize,
    /// Its threshold.
    pub threshold: Threshold,
    /// Best label of each category; nothing where no label overlaps.
    pub by_category: Vec<Option<Match>>,
}

impl Unit {
    /// Returns the unit's label: the best one of all; of equal ones the lowest number.
    pub fn best(&self) -> Option<&Match> {
        let matches = self.by_category.iter().flatten();
        matches.min_by(|a, b| b.iou.total_cmp(&a.iou).then(a.label.cmp(&b.label)))
    }

    /// Returns the IoU of the unit's label; 0 without one.
    pub fn score(&self) -> f64 {
        self.best().map_or(0.0, |best| best.iou)
    }
}

/// Counts what the units of a layer detect at the IoU threshold `iou`:
///
/// - `units`: interpretable units, those whose label reaches `iou`; `share`: of all units;
/// - `concepts`: distinct labels of these units;
/// - `units_<category>`, `concepts_<category>`: the same by the label's category;
/// - `unique_detectors`: distinct best labels within each category with IoU above `iou`, added over categories, so that
///   one unit may count in several (Bau et al. 2017);
/// - `mean_iou`: mean score of all units; `total`: number of units;
/// - `dead`: units that are above zero nowhere; `zero_thresholds`: units whose threshold is exactly 0, which a
///   rectified unit has when it is above zero too rarely.
pub(super) fn measures(units: &[Unit], categories: &[String], iou: f64) -> BTreeMap<String, f64> {
    let count = |which: &dyn Fn(&Unit) -> bool| units.iter().filter(|unit| which(unit)).count() as f64;
    let labels: Vec<&Match> = units.iter().filter_map(Unit::best).filter(|best| best.iou >= iou).collect();
    let distinct = |labels: &mut dyn Iterator<Item = u32>| labels.collect::<BTreeSet<_>>().len() as f64;
    let total = units.len() as f64;
    let mut measures = BTreeMap::new();
    let mut put = |name: &str, value: f64| measures.insert(name.to_owned(), value);
    put("total", total);
    put("units", labels.len() as f64);
    put("share", labels.len() as f64 / total);
    put("concepts", distinct(&mut labels.iter().map(|best| best.label)));
    put("mean_iou", units.iter().map(Unit::score).sum::<f64>() / total);
    put("dead", count(&|unit| unit.threshold.peak <= 0.0));
    put("zero_thresholds", count(&|unit| unit.threshold.value == 0.0));
    let mut unique = 0.0;
    for (category, name) in categories.iter().enumerate() {
        let members = || labels.iter().filter(move |best| best.category == category);
        put(&format!("units_{name}"), members().count() as f64);
        put(&format!("concepts_{name}"), distinct(&mut members().map(|best| best.label)));
        let within = units.iter().filter_map(|unit| unit.by_category[category].as_ref());
        unique += distinct(&mut within.filter(|best| best.iou > iou).map(|best| best.label));
    }
    put("unique_detectors", unique);
    measures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "units hold an option per category")]
    fn found(label: u32, category: usize, iou: f64) -> Option<Match> {
        Some(Match { label, category, truth: 1, activation: 1, intersect: 1, iou })
    }

    fn unit(number: usize, value: f32, peak: f32, by_category: Vec<Option<Match>>) -> Unit {
        Unit { unit: number, threshold: Threshold { value, peak }, by_category }
    }

    #[test]
    fn measures_follow_their_definitions() {
        let units = [
            unit(0, 1.0, 2.0, vec![found(1, 0, 0.10), found(4, 1, 0.04)]),
            unit(1, 1.0, 2.0, vec![found(1, 0, 0.05), found(5, 1, 0.06)]),
            unit(2, 0.0, 1.0, vec![found(2, 0, 0.04), None]),
            unit(3, 0.0, 0.0, vec![None, None]),
            unit(4, -2.0, -1.0, vec![None, found(4, 1, 0.0399)]),
        ];
        let found = measures(&units, &["object".to_owned(), "part".to_owned()], 0.04);
        let expected = [
            ("concepts", 3.0),
            ("concepts_object", 2.0),
            ("concepts_part", 1.0),
            ("dead", 2.0),
            ("mean_iou", (0.10 + 0.06 + 0.04 + 0.0399) / 5.0),
            ("share", 0.6),
            ("total", 5.0),
            // Label 1 in the first category, label 5 in the second: exactly 0.04 is not above.
            ("unique_detectors", 2.0),
            ("units", 3.0),
            ("units_object", 2.0),
            ("units_part", 1.0),
            ("zero_thresholds", 2.0),
        ];
        assert_eq!(found.len(), expected.len());
        for (name, value) in expected {
            assert!((found[name] - value).abs() < 1e-12, "{name}: {}", found[name]);
        }
    }

    #[test]
    fn of_equal_labels_the_lowest_number_wins() {
        let tied = unit(0, 1.0, 2.0, vec![found(9, 0, 0.5), found(3, 1, 0.5), found(4, 2, 0.1)]);
        assert_eq!(tied.best().map(|best| best.label), Some(3));
    }
}

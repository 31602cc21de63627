//! From counts to the concepts that units detect.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{Heading, Tallies, UnitSummary};
use super::tally::ImageTally;
use crate::domain::dissection::{Counted, Portion, Scoring};

/// Sums over images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    counted: Counted,
    /// Number of categories.
    categories: usize,
    /// Pixels of each label.
    pub(super) truth: Vec<u64>,
    /// For each unit and category, the mask pixels that count against labels of the category.
    activation: Vec<u64>,
    /// For each unit and label, pixels of both.
    both: Vec<u64>,
    /// For each unit, all pixels of its masks.
    pub(super) masks: Vec<u64>,
    /// All pixels of images.
    pub(super) area: u64,
}

impl Sums {
    /// Prepares for the units, labels and categories of a heading.
    pub(super) fn new(counted: Counted, heading: &Heading) -> Self {
        let [units, labels, categories] = [heading.units.len(), heading.labels.len(), heading.categories.len()];
        Self {
            counted,
            categories,
            truth: vec![0; labels],
            activation: vec![0; units * categories],
            both: vec![0; units * labels],
            masks: vec![0; units],
            area: 0,
        }
    }

    /// Adds `times` copies of an image. `primary` is the primary category of each label.
    pub(super) fn add(&mut self, image: &ImageTally, primary: &[usize], times: u64) {
        let mut present = vec![self.counted == Counted::All; self.categories];
        for &(label, pixels) in &image.labels {
            self.truth[label as usize] += times * u64::from(pixels);
            present[primary[label as usize]] |= self.counted == Counted::Category;
        }
        self.area += times * u64::from(image.area);
        let labels = self.truth.len();
        for unit in &image.units {
            let mut touched = present.clone();
            for &(label, pixels) in &unit.overlaps {
                self.both[unit.unit as usize * labels + label as usize] += times * u64::from(pixels);
                touched[primary[label as usize]] |= self.counted == Counted::Overlap;
            }
            let mask = times * u64::from(unit.pixels);
            self.masks[unit.unit as usize] += mask;
            let sums = &mut self.activation[unit.unit as usize * self.categories..][..self.categories];
            for (sum, _) in sums.iter_mut().zip(&touched).filter(|(_, touched)| **touched) {
                *sum += mask;
            }
        }
    }

    /// Adds all images of a portion.
    pub(super) fn gather(counted: Counted, tallies: &Tallies, portion: Portion) -> Self {
        let mut sums = Self::new(counted, &tallies.heading);
        let chosen = |image: &&ImageTally| match portion {
            Portion::All => true,
            Portion::Train => !image.held_out,
            Portion::Val => image.held_out,
        };
        tallies.images.iter().filter(chosen).for_each(|image| sums.add(image, &tallies.heading.primary, 1));
        sums
    }

    /// Compares a unit with a label.
    pub(super) fn compare(&self, unit: usize, label: usize, category: usize) -> Match {
        let truth = self.truth[label];
        let activation = self.activation[unit * self.categories + category];
        let intersect = self.both[unit * self.truth.len() + label];
        // Pixels of both may be counted for every layer that has the label, those of the mask are counted once.
        let union = (activation + truth).saturating_sub(intersect);
        let iou = if union == 0 { 0.0 } else { intersect as f64 / union as f64 };
        Match { label: label as u32, category, truth, activation, intersect, iou }
    }

    /// Finds the best label of a unit in every category, if any overlaps; of equal ones the lowest number.
    pub(super) fn best(&self, unit: usize, primary: &[usize]) -> Vec<Option<Match>> {
        let mut best: Vec<Option<Match>> = vec![None; self.categories];
        for (label, &category) in primary.iter().enumerate().skip(1) {
            let found = self.compare(unit, label, category);
            if found.iou > best[category].as_ref().map_or(0.0, |best| best.iou) {
                best[category] = Some(found);
            }
        }
        best
    }

    /// Returns the largest IoU of a unit with any label.
    pub(super) fn largest(&self, unit: usize, primary: &[usize]) -> f64 {
        let all = primary.iter().enumerate().skip(1);
        all.map(|(label, &category)| self.compare(unit, label, category).iou).fold(0.0, f64::max)
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
    /// Pixels of the unit's masks that count against the label.
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

/// A scored dissection.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// Units in order.
    pub units: Vec<Unit>,
    /// Figures by name: counts of units and concepts, in all and by category, and means over units.
    pub measures: BTreeMap<String, f64>,
}

/// Scores what a dissection has counted. Where the concept is chosen on other images than it is scored on, each unit has
/// one candidate of every category: its best there, with its counts here.
pub fn score(tallies: &Tallies, scoring: &Scoring) -> Scored {
    let heading = &tallies.heading;
    let here = Sums::gather(scoring.counted, tallies, scoring.on);
    let units: Vec<Unit> = if scoring.choose == scoring.on {
        let best = |unit| Unit { unit, by_category: here.best(unit, &heading.primary) };
        (0..heading.units.len()).map(best).collect()
    } else {
        let there = Sums::gather(scoring.counted, tallies, scoring.choose);
        let chosen = |unit: usize| {
            // The unit's one concept; those of other categories have no say.
            let best = Unit { unit, by_category: there.best(unit, &heading.primary) };
            let concept = best.best().map(|best| (best.label as usize, best.category));
            let mut by_category = vec![None; heading.categories.len()];
            if let Some((label, category)) = concept {
                by_category[category] = Some(here.compare(unit, label, category));
            }
            Unit { unit, by_category }
        };
        (0..heading.units.len()).map(chosen).collect()
    };
    let mut measures = measures(&units, heading, scoring);
    let area = here.area.max(1) as f64 * units.len().max(1) as f64;
    measures.insert("mask_area".to_owned(), here.masks.iter().sum::<u64>() as f64 / area);
    measures.insert("images".to_owned(), tallies.images.len() as f64);
    Scored { units, measures }
}

/// Whether an IoU makes a unit interpretable.
pub(super) fn reaches(scoring: &Scoring, iou: f64) -> bool {
    if scoring.above { iou > scoring.iou } else { iou >= scoring.iou && iou > 0.0 }
}

/// Counts what the units of a layer detect:
///
/// - `units`: interpretable units, those whose label reaches the IoU threshold; `share`: of all units;
/// - `concepts`: distinct labels of these units;
/// - `units_<category>`, `concepts_<category>`: the same by the label's category;
/// - `unique_detectors`: distinct best labels within each category with IoU above the threshold, added over categories, so
///   that one unit may count in several (Bau et al. 2017);
/// - `mean_iou`: mean score of all units; `total`: number of units;
/// - `dead`: units that are above zero nowhere; `zero_thresholds`: units whose threshold is exactly 0, which a
///   rectified unit has when it is above zero too rarely;
/// - `positive`, `kurtosis`: means over units of the share of activations above zero and of their excess kurtosis.
fn measures(units: &[Unit], heading: &Heading, scoring: &Scoring) -> BTreeMap<String, f64> {
    let labels: Vec<&Match> = units.iter().filter_map(Unit::best).filter(|best| reaches(scoring, best.iou)).collect();
    let distinct = |labels: &mut dyn Iterator<Item = u32>| labels.collect::<BTreeSet<_>>().len() as f64;
    let total = units.len() as f64;
    let summaries = &heading.units;
    let count = |which: &dyn Fn(&UnitSummary) -> bool| summaries.iter().filter(|unit| which(unit)).count() as f64;
    let mean = |of: &dyn Fn(&UnitSummary) -> f64| summaries.iter().map(of).sum::<f64>() / total;
    let mut measures = BTreeMap::new();
    let mut put = |name: &str, value: f64| measures.insert(name.to_owned(), value);
    put("total", total);
    put("units", labels.len() as f64);
    put("share", labels.len() as f64 / total);
    put("concepts", distinct(&mut labels.iter().map(|best| best.label)));
    put("mean_iou", units.iter().map(Unit::score).sum::<f64>() / total);
    put("dead", count(&|unit| unit.peak <= 0.0));
    put("zero_thresholds", count(&|unit| unit.threshold == 0.0));
    put("positive", mean(&|unit| unit.positive));
    put("kurtosis", mean(&|unit| unit.kurtosis));
    let mut unique = 0.0;
    for (category, name) in heading.categories.iter().enumerate() {
        let members = || labels.iter().filter(move |best| best.category == category);
        put(&format!("units_{name}"), members().count() as f64);
        put(&format!("concepts_{name}"), distinct(&mut members().map(|best| best.label)));
        let within = units.iter().filter_map(|unit| unit.by_category[category].as_ref());
        unique += distinct(&mut within.filter(|best| best.iou > scoring.iou).map(|best| best.label));
    }
    put("unique_detectors", unique);
    measures
}

#[cfg(test)]
mod tests {
    use super::super::tally::UnitTally;
    use super::*;
    use crate::domain::dissection::Measurement;

    const LITE: Scoring =
        Scoring { counted: Counted::Overlap, iou: 0.04, above: false, choose: Portion::All, on: Portion::All };

    #[expect(clippy::unnecessary_wraps, reason = "units hold an option per category")]
    fn found(label: u32, category: usize, iou: f64) -> Option<Match> {
        Some(Match { label, category, truth: 1, activation: 1, intersect: 1, iou })
    }

    fn unit(number: usize, by_category: Vec<Option<Match>>) -> Unit {
        Unit { unit: number, by_category }
    }

    fn summary((threshold, peak): (f32, f32)) -> UnitSummary {
        UnitSummary { threshold, peak, positive: 0.5, ..UnitSummary::default() }
    }

    #[test]
    fn measures_follow_their_definitions() {
        let units = [
            unit(0, vec![found(1, 0, 0.10), found(4, 1, 0.04)]),
            unit(1, vec![found(1, 0, 0.05), found(5, 1, 0.06)]),
            unit(2, vec![found(2, 0, 0.04), None]),
            unit(3, vec![None, None]),
            unit(4, vec![None, found(4, 1, 0.0399)]),
        ];
        let heading = Heading {
            categories: vec!["object".to_owned(), "part".to_owned()],
            units: [(1.0, 2.0), (1.0, 2.0), (0.0, 1.0), (0.0, 0.0), (-2.0, -1.0)].map(summary).to_vec(),
            ..Heading::empty()
        };
        let expected = [
            ("concepts", 3.0),
            ("concepts_object", 2.0),
            ("concepts_part", 1.0),
            ("dead", 2.0),
            ("kurtosis", 0.0),
            ("mean_iou", (0.10 + 0.06 + 0.04 + 0.0399) / 5.0),
            ("positive", 0.5),
            ("share", 0.6),
            ("total", 5.0),
            // Label 1 in the first category, label 5 in the second: exactly 0.04 is not above.
            ("unique_detectors", 2.0),
            ("units", 3.0),
            ("units_object", 2.0),
            ("units_part", 1.0),
            ("zero_thresholds", 2.0),
        ];
        let measured = measures(&units, &heading, &LITE);
        assert_eq!(measured.len(), expected.len());
        for (name, value) in expected {
            assert!((measured[name] - value).abs() < 1e-12, "{name}: {}", measured[name]);
        }
        assert_eq!(measures(&units, &heading, &Scoring { above: true, ..LITE })["units"] as u32, 2);
    }

    #[test]
    fn of_equal_labels_the_lowest_number_wins() {
        let tied = unit(0, vec![found(9, 0, 0.5), found(3, 1, 0.5), found(4, 2, 0.1)]);
        assert_eq!(tied.best().map(|best| best.label), Some(3));
    }

    /// One unit, labels 1 and 2 (category 0) and 3 (category 1), three images of 100 pixels of which the last is held out.
    fn small() -> Tallies {
        let image = |held_out, labels: &[(u32, u32)], pixels, overlaps: &[(u32, u32)]| ImageTally {
            held_out,
            area: 100,
            labels: labels.to_vec(),
            units: vec![UnitTally { unit: 0, pixels, overlaps: overlaps.to_vec() }],
            ..ImageTally::default()
        };
        Tallies {
            heading: Heading {
                measurement: Measurement::lite("layer"),
                categories: vec!["object".to_owned(), "scene".to_owned()],
                labels: ["", "a", "b", "c"].map(str::to_owned).to_vec(),
                primary: vec![1, 0, 0, 1],
                units: vec![summary((1.0, 2.0))],
            },
            images: vec![
                image(false, &[(1, 20), (3, 100)], 10, &[(1, 8), (3, 10)]),
                image(false, &[(2, 30)], 5, &[]),
                image(true, &[(1, 40), (2, 10)], 20, &[(1, 2), (2, 9)]),
            ],
        }
    }

    #[test]
    fn every_rule_counts_the_activations_that_it_says() {
        let of = |counted| {
            let sums = Sums::gather(counted, &small(), Portion::All);
            [sums.compare(0, 1, 0), sums.compare(0, 3, 1)].map(|found| (found.activation, found.intersect, found.truth))
        };
        // The mask of 5 pixels overlaps nothing, though its image has an object.
        assert_eq!(of(Counted::Overlap), [(30, 10, 60), (10, 10, 100)]);
        assert_eq!(of(Counted::Category), [(35, 10, 60), (10, 10, 100)]);
        assert_eq!(of(Counted::All), [(35, 10, 60), (35, 10, 100)]);
    }

    #[test]
    fn concepts_chosen_elsewhere_are_scored_here() {
        let held_out = Scoring { choose: Portion::Train, on: Portion::Val, ..LITE };
        let scored = score(&small(), &held_out);
        // On the training images label 1 is best (8 of 22 pixels); on the held-out image it has 2 of 58.
        let best = scored.units[0].best().unwrap();
        assert_eq!((best.label, best.intersect, best.truth, best.activation), (1, 2, 40, 20));
        assert_eq!(scored.measures["units"] as u32, 0);
        let same = score(&small(), &Scoring { choose: Portion::Val, ..held_out });
        assert_eq!(same.units[0].best().unwrap().label, 2);
    }
}

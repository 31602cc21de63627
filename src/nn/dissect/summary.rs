//! `dissect.json`: a layer in the entries of quick-netdissect (2018), which its viewer reads.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::record::Tallies;
use super::score::{Match, Unit, reaches};
use crate::domain::dissection::Scoring;

/// The order in which quick-netdissect shows categories; others follow.
const ORDER: [&str; 6] = ["object", "scene", "part", "material", "texture", "color"];

/// What the file is about.
pub(super) struct Subject<'a> {
    pub(super) tallies: &'a Tallies,
    pub(super) units: &'a [Unit],
    pub(super) scoring: &'a Scoring,
}

impl Subject<'_> {
    /// The unit's label if it is interpretable.
    fn concept<'b>(&self, unit: &'b Unit) -> Option<&'b Match> {
        unit.best().filter(|best| reaches(self.scoring, best.iou))
    }

    fn label(&self, number: u32) -> &str {
        &self.tallies.heading.labels[number as usize]
    }

    fn category(&self, number: usize) -> &str {
        &self.tallies.heading.categories[number]
    }

    fn unit(&self, unit: &Unit) -> Value {
        let summary = &self.tallies.heading.units[unit.unit];
        let top: Vec<Value> =
            summary.top.iter().map(|(image, peak)| json!({ "imgnum": image, "maxact": peak })).collect();
        let mut entry = json!({
            "unit": unit.unit,
            "interp": self.concept(unit).is_some(),
            "level": summary.threshold,
            "top": top,
            "iou": unit.score(),
        });
        if let (Some(best), Some(fields)) = (unit.best(), entry.as_object_mut()) {
            let more = [
                ("lc", json!(best.truth)),
                ("cc", json!(best.activation)),
                ("ic", json!(best.intersect)),
                ("labelnum", json!(best.label)),
                ("label", json!(self.label(best.label))),
                ("cat", json!(self.category(best.category))),
            ];
            fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
        }
        entry
    }

    /// Interpretable units by label.
    fn groups(&self) -> BTreeMap<u32, Vec<&Unit>> {
        let mut groups: BTreeMap<u32, Vec<&Unit>> = BTreeMap::new();
        for unit in self.units {
            if let Some(best) = self.concept(unit) {
                groups.entry(best.label).or_default().push(unit);
            }
        }
        groups
    }

    /// Labels with their units: by category, then by falling number of units and falling IoU.
    fn labels(&self, groups: &BTreeMap<u32, Vec<&Unit>>) -> Vec<Value> {
        let category = |label: u32| self.category(self.tallies.heading.primary[label as usize]);
        let place = |label: u32| ORDER.iter().position(|name| *name == category(label)).unwrap_or(ORDER.len());
        let mut labels: Vec<(&u32, &Vec<&Unit>)> = groups.iter().collect();
        let peak = |units: &[&Unit]| units.iter().map(|unit| unit.score()).fold(0.0, f64::max);
        labels.sort_by(|(a, left), (b, right)| {
            (place(**a), Reverse(left.len()))
                .cmp(&(place(**b), Reverse(right.len())))
                .then(peak(right).total_cmp(&peak(left)))
        });
        let entry = |(label, units): (&u32, &Vec<&Unit>)| {
            json!({
                "label": self.label(*label),
                "labelnum": label,
                "units": units.iter().map(|unit| unit.unit).collect::<Vec<_>>(),
                "cat": category(*label),
            })
        };
        labels.into_iter().map(entry).collect()
    }

    /// Units in the order of their labels, most frequent first, then the rest; and by number and by IoU.
    fn rankings(&self, groups: &BTreeMap<u32, Vec<&Unit>>) -> Value {
        let mut order: Vec<&Unit> = self.units.iter().collect();
        let size = |unit: &Unit| self.concept(unit).map_or(0, |best| groups[&best.label].len());
        let label = |unit: &Unit| unit.best().map_or(0, |best| best.label);
        order.sort_by(|a, b| {
            let key = |unit: &Unit| (Reverse(size(unit)), label(unit));
            key(a).cmp(&key(b)).then(b.score().total_cmp(&a.score())).then(a.unit.cmp(&b.unit))
        });
        let by_label: Vec<usize> = order.iter().map(|unit| unit.unit).collect();
        let mut places = vec![0; by_label.len()];
        by_label.iter().enumerate().for_each(|(place, &unit)| places[unit] = place);
        let scores: Vec<f64> = self.units.iter().map(|unit| -unit.score()).collect();
        let mut by_score: Vec<usize> = (0..scores.len()).collect();
        by_score.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let numbers: Vec<usize> = (0..scores.len()).collect();
        json!([
            { "name": "unit", "score": numbers, "ranking": numbers },
            { "name": "label", "score": places, "ranking": by_label },
            { "name": "iou", "score": scores, "ranking": by_score },
        ])
    }

    /// Writes the file.
    pub(super) fn write(&self) -> serde_json::Result<Vec<u8>> {
        let groups = self.groups();
        let layer = json!({
            "layer": self.tallies.heading.measurement.layer,
            "units": self.units.iter().map(|unit| self.unit(unit)).collect::<Vec<_>>(),
            "iou_threshold": self.scoring.iou,
            "rankings": self.rankings(&groups),
            "labels": self.labels(&groups),
            "interpretable": groups.values().map(Vec::len).sum::<usize>(),
            "dirname": ".",
        });
        serde_json::to_vec(&json!({
            "netname": "pdsl",
            "default_ranking": "label",
            "quantile_threshold": self.tallies.heading.measurement.quantile,
            "iou_threshold": self.scoring.iou,
            "layers": [layer],
        }))
    }
}

//! Which units changed their concept from one dissection to another.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::{Value, json};

use super::super::browse::{self, Choice};
use super::{Layer, Unit, numbers, rank};

/// A concept as two dissections know it.
pub type Label = (String, String);

/// How units changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// From one concept to another.
    Changed,
    /// Interpretable before only.
    Lost,
    /// Interpretable after only.
    Gained,
    /// The same concept.
    Kept,
}

impl Kind {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Changed, Self::Lost, Self::Gained, Self::Kept];

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Lost => "lost",
            Self::Gained => "gained",
            Self::Kept => "kept",
        }
    }
}

/// Units that went the same way.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// The concept before, as category and label.
    pub from: Option<Label>,
    /// The concept after.
    pub to: Option<Label>,
    /// How they changed.
    pub kind: Kind,
    /// Their numbers, from 0.
    pub units: Vec<usize>,
}

/// All changes between two dissections.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// Units that are interpretable before or after, by kind and falling number.
    pub moves: Vec<Move>,
    /// Units that are interpretable in neither.
    pub neither: usize,
    /// Path of the layer.
    pub layer: String,
}

fn concept(unit: &Unit) -> Option<Label> {
    let (label, category) = (unit.label.as_ref()?, unit.category.as_ref()?);
    unit.interpretable.then(|| (category.clone(), label.clone()))
}

impl Changes {
    /// Compares two dissections unit by unit.
    pub fn between(from: &Layer, to: &Layer) -> Self {
        let mut moves: BTreeMap<(Option<Label>, Option<Label>), Vec<usize>> = BTreeMap::new();
        for (unit, (before, after)) in from.units.iter().zip(&to.units).enumerate() {
            moves.entry((concept(before), concept(after))).or_default().push(unit);
        }
        let neither = moves.remove(&(None, None)).map_or(0, |units| units.len());
        let mut moves: Vec<Move> = moves
            .into_iter()
            .map(|((from, to), units)| {
                // A label is the same concept whatever category a probe counts it to.
                let kind = match (&from, &to) {
                    (Some((_, before)), Some((_, after))) if before == after => Kind::Kept,
                    (Some(_), Some(_)) => Kind::Changed,
                    (Some(_), None) => Kind::Lost,
                    (None, _) => Kind::Gained,
                };
                Move { from, to, kind, units }
            })
            .collect();
        moves.sort_by_key(|change| (change.kind, Reverse(change.units.len())));
        Self { moves, neither, layer: to.path.clone() }
    }

    /// Returns the number of units of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.moves.iter().filter(|change| change.kind == kind).map(|change| change.units.len()).sum()
    }

    /// Says how many units went which way.
    pub fn sentence(&self) -> String {
        let parts = Kind::ALL.map(|kind| format!("{} {}", self.count(kind), kind.name()));
        format!("units of {}: {}, {} never interpretable", self.layer, parts.join(", "), self.neither)
    }

    /// Lists concepts before (0) or after (1) by category, then by falling number of units.
    pub fn concepts(&self, side: usize) -> Vec<(Option<Label>, usize)> {
        let mut found: BTreeMap<Option<Label>, usize> = BTreeMap::new();
        for change in &self.moves {
            let end = if side == 0 { &change.from } else { &change.to };
            *found.entry(end.clone()).or_default() += change.units.len();
        }
        let mut found: Vec<(Option<Label>, usize)> = found.into_iter().collect();
        // Units without a concept come last.
        found.sort_by_key(|(label, count)| {
            (label.as_ref().map_or(usize::MAX, |(category, _)| rank(category)), Reverse(*count))
        });
        found
    }
}

fn shown(label: Option<&Label>) -> &str {
    label.map_or("no concept", |(_, label)| label)
}

/// Lists the changes, with tools to find some.
pub fn table(changes: &Changes) -> Markup {
    let kinds: Vec<String> = Kind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
    let choices = [Choice { title: "Change", field: "kind", options: &kinds }];
    let rows = html! {
        div.scroll tabindex="0" {
            table.sortable {
                thead { tr {
                    th { "before" } th { "after" } th { "change" } th.number { "units" } th { "numbers, from 1" }
                } }
                tbody.items {
                    @for change in &changes.moves {
                        @let (from, to) = (shown(change.from.as_ref()), shown(change.to.as_ref()));
                        tr data-text={ (from) " " (to) } data-kind=(change.kind.name())
                            data-units=(browse::units(&change.units)) {
                            td { (from) }
                            td { (to) }
                            td { (change.kind.name()) }
                            td.number data-order=(change.units.len()) { (change.units.len()) }
                            td.wrap { (numbers(&change.units)) }
                        }
                    }
                }
            }
        }
    };
    browse::browse("rows", &choices, &[], &rows)
}

/// Writes the changes as a Vega-Lite specification: a square per pair of concepts.
pub fn vega(changes: &Changes, label: &str) -> String {
    let entry = |change: &Move| {
        json!({ "before": shown(change.from.as_ref()), "after": shown(change.to.as_ref()), "change": change.kind.name(),
            "units": change.units.len(), "numbers": numbers(&change.units) })
    };
    let values: Vec<Value> = changes.moves.iter().map(entry).collect();
    let order = |side: usize| {
        changes.concepts(side).iter().map(|(concept, _)| shown(concept.as_ref()).to_owned()).collect::<Vec<_>>()
    };
    let specification = json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "description": label,
        "title": { "text": label, "subtitle": changes.sentence() },
        "data": { "values": values },
        "encoding": {
            "x": { "field": "after", "type": "nominal", "sort": order(1) },
            "y": { "field": "before", "type": "nominal", "sort": order(0) },
        },
        "layer": [
            { "mark": "rect", "encoding": { "color": { "field": "units", "type": "quantitative" } } },
            { "mark": { "type": "text", "baseline": "middle" }, "encoding": {
                "text": { "field": "units" },
                "tooltip": [{ "field": "before" }, { "field": "after" }, { "field": "numbers" }],
            } },
        ],
    });
    format!("{specification:#}\n")
}

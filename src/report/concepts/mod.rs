//! What units answer to: read from what a stage has stored, drawn as bars and as changes between two dissections.

pub mod bars;
pub mod changes;
pub mod flow;

use serde::Deserialize;

use super::svg::PALETTE;

/// The order of categories; others follow.
const CATEGORIES: [&str; 6] = ["object", "scene", "part", "material", "texture", "color"];

/// The units of a layer, in quick-netdissect's entries.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Layer {
    /// Path of the layer.
    #[serde(rename = "layer")]
    pub path: String,
    /// Units by number.
    pub units: Vec<Unit>,
    /// Concepts with their units, by category and falling number of units.
    pub labels: Vec<Concept>,
}

/// A unit.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Unit {
    /// Whether it is interpretable.
    #[serde(rename = "interp")]
    pub interpretable: bool,
    /// Its best label, if any overlaps.
    #[serde(default)]
    pub label: Option<String>,
    /// The label's category.
    #[serde(default, rename = "cat")]
    pub category: Option<String>,
}

/// A concept and its units.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Concept {
    /// Its label.
    pub label: String,
    /// The label's category.
    #[serde(rename = "cat")]
    pub category: String,
    /// Numbers of its interpretable units, from 0.
    pub units: Vec<usize>,
}

#[derive(Deserialize)]
struct File {
    layers: Vec<Layer>,
}

/// Reads a layer as its stage has stored it; nothing if it is no such file.
pub fn read(summary: &[u8]) -> Option<Layer> {
    let file: File = serde_json::from_slice(summary).ok()?;
    file.layers.into_iter().next()
}

/// Where a category stands among others.
fn rank(category: &str) -> usize {
    CATEGORIES.iter().position(|known| *known == category).unwrap_or(CATEGORIES.len())
}

/// The colour of a category; it is always named beside it.
fn color(category: &str) -> &'static str {
    PALETTE[rank(category) % PALETTE.len()]
}

/// Numbers of units for people, from 1.
fn numbers(units: &[usize]) -> String {
    units.iter().map(|unit| (unit + 1).to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;

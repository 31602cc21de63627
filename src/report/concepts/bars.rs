//! Concepts as bars, as high as the number of their units: the picture of quick-netdissect, as SVG and Vega-Lite.

use std::fmt::Write as _;

use maud::{Markup, html};
use serde_json::{Value, json};

use super::super::axis::{Axis, Run, text_width};
use super::super::figure::WIDTH;
use super::super::svg::{self, escape, px, shorten, text, text_bold};
use super::{Concept, Layer, color, numbers};
use crate::value::output::{AxisScale, Scale};

/// Height of the tallest bar's room.
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 40.0;
const TOP: f64 = 34.0;
/// Room from one bar to the next.
const PITCH: (f64, f64) = (14.0, 34.0);
const LABEL: f64 = 150.0;
const SMALL: f64 = 12.0;
const ROW: f64 = 17.0;

/// Where bars stand.
struct Plan<'a> {
    concepts: &'a [Concept],
    pitch: f64,
    width: f64,
    /// Room for the labels under the bars.
    labels: f64,
    axis: Axis,
}

impl<'a> Plan<'a> {
    fn of(layer: &'a Layer) -> Self {
        let concepts = &layer.labels;
        let pitch = (WIDTH / concepts.len().max(1) as f64).clamp(PITCH.0, PITCH.1);
        let width = (LEFT + pitch * concepts.len() as f64 + 16.0).max(LEFT + WIDTH);
        let longest = concepts.iter().map(|concept| text_width(&concept.label, SMALL)).fold(20.0, f64::max);
        let counts: Vec<f64> = concepts.iter().map(|concept| concept.units.len() as f64).chain([0.0, 1.0]).collect();
        let axis = Axis::continuous("units".to_owned(), Scale::Count, AxisScale::Linear, &counts, Run::Up(HEIGHT));
        Self { concepts, pitch, width, labels: longest.min(LABEL) + 12.0, axis }
    }

    fn x(&self, at: usize) -> f64 {
        LEFT + self.pitch * at as f64
    }

    fn y(&self, count: usize) -> f64 {
        TOP + HEIGHT * (1.0 - self.axis.position(count as f64).unwrap_or(0.0))
    }

    /// Stretches of concepts of one category.
    fn categories(&self) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (at, concept) in self.concepts.iter().enumerate() {
            match found.last_mut() {
                Some((start, end)) if self.concepts[*start].category == concept.category => *end = at + 1,
                _ => found.push((at, at + 1)),
            }
        }
        found
    }
}

/// Says what the bars add up to.
pub fn sentence(layer: &Layer) -> String {
    let units: usize = layer.labels.iter().map(|concept| concept.units.len()).sum();
    let (total, concepts) = (layer.units.len(), layer.labels.len());
    let noun = if concepts == 1 { "concept" } else { "concepts" };
    format!("{units} of {total} units of {} answer to {concepts} {noun}", layer.path)
}

/// Draws the bars.
pub fn render(layer: &Layer, label: &str) -> String {
    let plan = Plan::of(layer);
    let brackets = brackets(&plan);
    let rows = brackets.iter().map(|bracket| bracket.row + 1).max().unwrap_or(0);
    let height = TOP + HEIGHT + plan.labels + 14.0 + ROW * rows as f64 + 8.0;
    let mut out = svg::open(plan.width, height, label);
    text_bold(&mut out, 4.0, 18.0, &sentence(layer));
    grid(&mut out, &plan);
    for (at, concept) in plan.concepts.iter().enumerate() {
        bar(&mut out, &plan, at, concept);
    }
    for bracket in &brackets {
        draw_bracket(&mut out, &plan, bracket);
    }
    if plan.concepts.is_empty() {
        let (x, y) = (0.5 * plan.width, TOP + 0.5 * HEIGHT);
        text(&mut out, x, y, 13.0, "middle", "pd-soft", "#5b6270", "no unit is interpretable");
    }
    out.push_str("</svg>\n");
    out
}

fn grid(out: &mut String, plan: &Plan<'_>) {
    for tick in &plan.axis.ticks {
        let y = TOP + HEIGHT * (1.0 - tick.at);
        let _ = write!(
            out,
            "<line class=\"pd-grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#e3e6ea\"/>",
            px(plan.width - 8.0),
            y = px(y)
        );
        text(out, LEFT - 8.0, y + 4.0, SMALL, "end", "pd-soft", "#5b6270", &tick.label);
    }
}

fn bar(out: &mut String, plan: &Plan<'_>, at: usize, concept: &Concept) {
    let (x, y, bottom) = (plan.x(at), plan.y(concept.units.len()), TOP + HEIGHT);
    let (middle, wide) = (x + 0.5 * plan.pitch, (plan.pitch - 3.0).min(26.0));
    let about = format!("{} ({}): units {}", concept.label, concept.category, numbers(&concept.units));
    let _ = writeln!(
        out,
        "<g><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/></g>",
        escape(&about),
        px(middle - 0.5 * wide),
        px(y),
        px(wide),
        px(bottom - y),
        color(&concept.category)
    );
    let count = concept.units.len().to_string();
    text(out, middle, y - 4.0, 11.0, "middle", "pd-soft", "#5b6270", &count);
    let _ = writeln!(
        out,
        "<text transform=\"translate({} {}) rotate(-90)\" font-size=\"{SMALL}\" font-family=\"sans-serif\" \
         text-anchor=\"end\" class=\"pd-ink\" fill=\"#1d2128\">{}</text>",
        px(middle + 4.0),
        px(bottom + 6.0),
        escape(&shorten(&concept.label, LABEL, SMALL))
    );
}

/// A category under its concepts.
struct Bracket {
    from: f64,
    to: f64,
    color: &'static str,
    name: String,
    /// Line of its name: names that would overlap stand below each other.
    row: usize,
}

fn brackets(plan: &Plan<'_>) -> Vec<Bracket> {
    let mut ends: Vec<f64> = Vec::new();
    let bracket = |(start, end): (usize, usize)| {
        let concepts = &plan.concepts[start..end];
        let category = &concepts[0].category;
        let units: usize = concepts.iter().map(|concept| concept.units.len()).sum();
        let name = format!("{category}: {} ({units})", concepts.len());
        let (from, to) = (plan.x(start) + 2.0, plan.x(end) - 2.0);
        let row = ends.iter().position(|end| *end < from).unwrap_or(ends.len());
        let reached = from.max(from + text_width(&name, SMALL) + 8.0);
        if row == ends.len() {
            ends.push(reached);
        } else {
            ends[row] = reached;
        }
        Bracket { from, to, color: color(category), name, row }
    };
    plan.categories().into_iter().map(bracket).collect()
}

fn draw_bracket(out: &mut String, plan: &Plan<'_>, bracket: &Bracket) {
    let y = TOP + HEIGHT + plan.labels;
    let _ = write!(
        out,
        "<path d=\"M{from} {} V{y} H{to} V{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>",
        px(y - 5.0),
        px(y - 5.0),
        bracket.color,
        from = px(bracket.from),
        to = px(bracket.to),
        y = px(y)
    );
    let below = y + 14.0 + ROW * bracket.row as f64;
    text(out, bracket.from, below, SMALL, "start", "pd-ink", "#1d2128", &bracket.name);
}

/// Writes the bars as a Vega-Lite specification.
pub fn vega(layer: &Layer, label: &str) -> String {
    let entry = |concept: &Concept| {
        json!({ "concept": concept.label, "category": concept.category, "units": concept.units.len(),
            "numbers": numbers(&concept.units) })
    };
    let values: Vec<Value> = layer.labels.iter().map(entry).collect();
    let mut categories: Vec<&str> = layer.labels.iter().map(|concept| concept.category.as_str()).collect();
    categories.dedup();
    let specification = json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "description": label,
        "title": { "text": label, "subtitle": sentence(layer) },
        "data": { "values": values },
        "mark": "bar",
        "encoding": {
            "x": { "field": "concept", "type": "nominal", "sort": null, "title": null },
            "y": { "field": "units", "type": "quantitative", "title": "units" },
            "color": { "field": "category", "type": "nominal", "scale": {
                "domain": categories,
                "range": categories.iter().map(|category| color(category)).collect::<Vec<_>>(),
            } },
            "tooltip": [{ "field": "concept" }, { "field": "category" }, { "field": "units" }, { "field": "numbers" }],
        },
    });
    format!("{specification:#}\n")
}

/// Lists the concepts with their units.
pub fn list(layer: &Layer) -> Markup {
    html! {
        details {
            summary { "Units of each concept" }
            div.scroll {
                table.sortable {
                    thead { tr { th { "concept" } th { "category" } th.number { "units" } th { "numbers, from 1" } } }
                    tbody {
                        @for concept in &layer.labels {
                            tr {
                                td { (concept.label) }
                                td { (concept.category) }
                                td.number data-order=(concept.units.len()) { (concept.units.len()) }
                                td.wrap { (numbers(&concept.units)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

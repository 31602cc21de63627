//! Intervals of a claim against its margin, one row per level.

use std::fmt::Write as _;

use super::axis::{Axis, Run, text_width};
use super::claims::{Judgement, Level};
use super::number;
use super::svg::escape;
use crate::value::output::{AxisScale, ClaimKind};

const WIDTH: f64 = 640.0;
const ROW: f64 = 24.0;

/// Draws a judgement's intervals; `None` if it has none. Colours come from the page.
pub fn render(judgement: &Judgement) -> Option<String> {
    let levels: Vec<&Level> = judgement.levels.iter().filter(|level| level.effect.is_finite()).collect();
    if levels.is_empty() {
        return None;
    }
    let labels = levels.iter().map(|level| text_width(&level.label, 12.0)).fold(0.0, f64::max).min(180.0);
    let left = if labels > 0.0 { labels + 14.0 } else { 10.0 };
    let length = WIDTH - left - 16.0;
    let axis = axis(judgement, &levels, length);
    let x = |value: f64| axis.position(value).map(|at| left + at.clamp(-0.02, 1.02) * length);
    let bottom = 8.0 + ROW * levels.len() as f64;
    let height = bottom + 40.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Effects with intervals and margin\" font-family=\"inherit\" font-size=\"12\">"
    );
    for (at, level) in levels.iter().enumerate() {
        let y = 8.0 + ROW * (at as f64 + 0.5);
        margin(&mut out, judgement.kind, level, &x, y, (left, left + length));
    }
    if let Some(zero) = x(0.0) {
        let _ = write!(out, "<line class=\"fz\" x1=\"{zero:.2}\" x2=\"{zero:.2}\" y1=\"4\" y2=\"{bottom:.2}\"/>");
    }
    for (at, level) in levels.iter().enumerate() {
        interval(&mut out, judgement, level, &x, 8.0 + ROW * (at as f64 + 0.5), left);
    }
    let _ = write!(
        out,
        "<line class=\"fz\" x1=\"{left:.2}\" x2=\"{:.2}\" y1=\"{bottom:.2}\" y2=\"{bottom:.2}\"/>",
        left + length
    );
    for tick in &axis.ticks {
        let (at, y) = (left + tick.at * length, bottom + 16.0);
        let _ = write!(
            out,
            "<text class=\"fs\" x=\"{at:.2}\" y=\"{y:.2}\" text-anchor=\"middle\">{}</text>",
            escape(&tick.label)
        );
    }
    let _ = write!(
        out,
        "<text class=\"fs\" x=\"{:.2}\" y=\"{:.2}\" text-anchor=\"middle\">{}</text></svg>",
        left + 0.5 * length,
        bottom + 33.0,
        escape(&axis.title)
    );
    Some(out)
}

fn axis(judgement: &Judgement, levels: &[&Level], length: f64) -> Axis {
    let mut values = vec![0.0];
    for level in levels {
        values.push(level.effect);
        values.extend(level.interval.iter().flat_map(|interval| [interval.low, interval.high]));
        values.extend(level.margin.map(|margin| -margin));
        values.extend(level.margin.filter(|_| judgement.kind == ClaimKind::Equivalent));
    }
    let title = number::titled("difference from the reference", judgement.scale);
    Axis::continuous(title, judgement.scale, AxisScale::Linear, &values, Run::Across(length))
}

/// The region in which the claim holds.
fn margin(
    out: &mut String,
    kind: ClaimKind,
    level: &Level,
    x: &impl Fn(f64) -> Option<f64>,
    y: f64,
    (left, right): (f64, f64),
) {
    let Some(margin) = level.margin else { return };
    let low = x(-margin).unwrap_or(left);
    let high = if kind == ClaimKind::Equivalent { x(margin).unwrap_or(right) } else { right };
    let (top, bottom) = (y - 0.5 * ROW, y + 0.5 * ROW);
    let _ = write!(
        out,
        "<rect class=\"fm\" x=\"{low:.2}\" y=\"{top:.2}\" width=\"{:.2}\" height=\"{ROW}\"/>\
         <line class=\"fe\" x1=\"{low:.2}\" x2=\"{low:.2}\" y1=\"{top:.2}\" y2=\"{bottom:.2}\"/>",
        (high - low).max(0.0)
    );
    if kind == ClaimKind::Equivalent {
        let _ =
            write!(out, "<line class=\"fe\" x1=\"{high:.2}\" x2=\"{high:.2}\" y1=\"{top:.2}\" y2=\"{bottom:.2}\"/>");
    }
}

fn interval(
    out: &mut String,
    judgement: &Judgement,
    level: &Level,
    x: &impl Fn(f64) -> Option<f64>,
    y: f64,
    left: f64,
) {
    let class = format!("v-{}", level.verdict.name());
    let effect = number::effect(level.effect, level.interval, judgement.interval_level, judgement.scale);
    let text = if level.label.is_empty() { effect } else { format!("{}: {effect}", level.label) };
    let _ = write!(out, "<g class=\"{class}\"><title>{}</title>", escape(&number::typographic(&text)));
    if let Some((low, high)) = level.interval.and_then(|interval| Some((x(interval.low)?, x(interval.high)?))) {
        let _ =
            write!(out, "<line x1=\"{low:.2}\" x2=\"{high:.2}\" y1=\"{y:.2}\" y2=\"{y:.2}\" stroke-width=\"2.5\"/>");
        for end in [low, high] {
            let _ = write!(
                out,
                "<line x1=\"{end:.2}\" x2=\"{end:.2}\" y1=\"{:.2}\" y2=\"{:.2}\" stroke-width=\"2.5\"/>",
                y - 4.0,
                y + 4.0
            );
        }
    }
    if let Some(at) = x(level.effect) {
        let _ = write!(out, "<circle cx=\"{at:.2}\" cy=\"{y:.2}\" r=\"4\"/>");
    }
    out.push_str("</g>");
    if !level.label.is_empty() {
        let _ = write!(
            out,
            "<text class=\"fi\" x=\"{:.2}\" y=\"{:.2}\" text-anchor=\"end\">{}</text>",
            left - 8.0,
            y + 4.0,
            escape(&level.label)
        );
    }
}

//! Writes figures as SVG: standalone files that read well in light and dark surroundings, without scripts or fonts.

use std::fmt::Write as _;

use super::axis::text_width;
use super::figure::{Figure, Panel, Point, WIDTH};

/// Okabe and Ito's palette, safe for colour-blind readers, in an order of falling contrast; shapes and dashes
/// distinguish the lines without colour.
pub const PALETTE: [&str; 7] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A8A8A"];
const DASHES: [&str; 3] = ["", "7 4", "2 4"];
const TEXT: f64 = 13.0;
const SMALL: f64 = 12.0;
const RIGHT: f64 = 22.0;
const GAP: f64 = 22.0;
const TITLE: f64 = 26.0;
const LEGEND_ROW: f64 = 22.0;

/// Colours come twice: as attributes for programs that know no style sheets, and as classes that follow the
/// surrounding's light or dark scheme.
const STYLE: &str = "\
.pd-figure text{font-family:system-ui,-apple-system,'Segoe UI','Helvetica Neue',Arial,sans-serif}\
.pd-hit{fill:transparent}.pd-point:hover .pd-mark{stroke-width:4}\
@media (prefers-color-scheme:dark){.pd-ink{fill:#e6e8ec}.pd-soft{fill:#a9b0bb}.pd-grid{stroke:#33383f}\
.pd-frame{stroke:#7b838f}.pd-paper{fill:#16191e}.pd-hollow{fill:#16191e}}";

/// Writes a figure. `label` names it for screen readers.
pub fn render(figure: &Figure, label: &str) -> String {
    let layout = Layout::of(figure);
    let mut out = open(layout.width, layout.height, label);
    legend(&mut out, figure, &layout);
    for (at, panel) in figure.panels.iter().enumerate() {
        draw_panel(&mut out, figure, panel, &layout, at);
    }
    footer(&mut out, figure, &layout);
    out.push_str("</svg>\n");
    out
}

/// Begins a file of a size in pixels: styles and a background.
pub(super) fn open(width: f64, height: f64, label: &str) -> String {
    let (width, height) = (px(width), px(height));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"pd-figure\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n\
         <rect class=\"pd-paper\" width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
        escape(label)
    )
}

/// Draws a plot whose stage has no result.
pub(super) fn missing(label: &str) -> String {
    let mut out = open(WIDTH, 60.0, label);
    text(&mut out, 0.5 * WIDTH, 34.0, TEXT, "middle", "pd-soft", "#5b6270", "no result");
    out + "</svg>\n"
}

/// Escapes text for XML, leaving out characters that XML forbids.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            character if character.is_control() || matches!(character, '\u{FFFE}' | '\u{FFFF}') => {}
            character => out.push(character),
        }
    }
    out
}

/// Where everything stands.
struct Layout {
    width: f64,
    height: f64,
    left: f64,
    /// Top of the first panel's title.
    top: f64,
    panel: f64,
    /// Legend entries: series, x, row.
    entries: Vec<(usize, f64, f64)>,
}

impl Layout {
    fn of(figure: &Figure) -> Self {
        let labels = figure.panels.iter().flat_map(|panel| &panel.y.ticks);
        let left = labels.map(|tick| text_width(&tick.label, SMALL)).fold(28.0, f64::max).ceil() + 18.0;
        let width = left + WIDTH + RIGHT;
        let mut entries = Vec::new();
        let (mut x, mut row) = (left + legend_title(figure).map_or(0.0, |title| text_width(&title, TEXT) + 10.0), 0.0);
        let start = x;
        if figure.series.len() > 1 || figure.series.iter().any(|name| !name.is_empty()) {
            for (at, name) in figure.series.iter().enumerate() {
                let wide = 36.0 + text_width(&shorten(name, WIDTH - 60.0, TEXT), TEXT) + 18.0;
                if x > start && x + wide > width - 8.0 {
                    (x, row) = (start, row + 1.0);
                }
                entries.push((at, x, row));
                x += wide;
            }
        }
        let top = if entries.is_empty() { 8.0 } else { 14.0 + (row + 1.0) * LEGEND_ROW };
        let panel = Panel::height(figure.panels.len());
        let count = figure.panels.len() as f64;
        let note = if figure.note.is_some() { 20.0 } else { 0.0 };
        let height = top + count * (TITLE + panel) + (count - 1.0).max(0.0) * GAP + 24.0 + 24.0 + note;
        Self { width, height, left, top, panel, entries }
    }

    fn panel_top(&self, at: usize) -> f64 {
        self.top + at as f64 * (TITLE + self.panel + GAP) + TITLE
    }

    fn x(&self, at: f64) -> f64 {
        self.left + at * WIDTH
    }

    fn y(&self, panel: usize, height: f64) -> f64 {
        self.panel_top(panel) + (1.0 - height) * self.panel
    }
}

fn legend_title(figure: &Figure) -> Option<String> {
    figure.legend_title.as_ref().map(|title| shorten(title, 160.0, TEXT))
}

fn legend(out: &mut String, figure: &Figure, layout: &Layout) {
    let Some(&(_, first, _)) = layout.entries.first() else { return };
    if let Some(title) = legend_title(figure) {
        text(out, layout.left, 21.0, TEXT, "start", "pd-soft", "#5b6270", &title);
    }
    debug_assert!(first >= layout.left);
    for &(series, x, row) in &layout.entries {
        let y = 17.0 + row * LEGEND_ROW;
        let (color, dash) = ink(series);
        let _ = write!(
            out,
            "<line x1=\"{}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"{color}\" stroke-width=\"2\"{dash}/>",
            px(x),
            px(x + 28.0),
            y = px(y)
        );
        if figure.marks {
            mark(out, series, x + 14.0, y, true);
        }
        let name = &figure.series[series];
        let name = if name.is_empty() { "–".to_string() } else { shorten(name, WIDTH - 60.0, TEXT) };
        text(out, x + 35.0, y + 4.5, TEXT, "start", "pd-ink", "#1d2128", &name);
    }
}

fn draw_panel(out: &mut String, figure: &Figure, panel: &Panel, layout: &Layout, at: usize) {
    let (top, left) = (layout.panel_top(at), layout.left);
    let (bottom, right) = (top + layout.panel, left + WIDTH);
    text_bold(out, left, top - 10.0, &shorten(&panel.y.title, WIDTH, TEXT));
    out.push_str("<g class=\"pd-grid\" stroke=\"#e3e6ea\" stroke-width=\"1\">");
    for tick in &panel.y.ticks {
        line(out, left, layout.y(at, tick.at), right, layout.y(at, tick.at));
    }
    for tick in figure.x.ticks.iter().filter(|_| !figure.x.is_ordinal()) {
        line(out, layout.x(tick.at), top, layout.x(tick.at), bottom);
    }
    out.push_str("</g>\n<g class=\"pd-frame\" stroke=\"#8b93a0\" stroke-width=\"1\">");
    line(out, left, bottom, right, bottom);
    for tick in &figure.x.ticks {
        line(out, layout.x(tick.at), bottom, layout.x(tick.at), bottom + 4.0);
    }
    out.push_str("</g>\n");
    for tick in &panel.y.ticks {
        text(out, left - 8.0, layout.y(at, tick.at) + 4.0, SMALL, "end", "pd-soft", "#5b6270", &tick.label);
    }
    for place in &figure.x.breaks {
        broken(out, layout.x(*place), bottom);
    }
    for place in &panel.y.breaks {
        broken(out, left, layout.y(at, *place));
    }
    for (series, points) in panel.lines.iter().enumerate() {
        band(out, points, series, layout, at);
    }
    for (series, points) in panel.lines.iter().enumerate() {
        stroke(out, points, series, layout, at);
    }
    if figure.marks {
        for (series, points) in panel.lines.iter().enumerate() {
            marks(out, points, series, layout, at);
        }
    }
    if panel.lines.iter().flatten().all(|point| point.height.is_none()) {
        let (x, y) = (left + 0.5 * WIDTH, top + 0.5 * layout.panel);
        text(out, x, y, TEXT, "middle", "pd-soft", "#5b6270", "no data");
    }
}

fn footer(out: &mut String, figure: &Figure, layout: &Layout) {
    let bottom = layout.panel_top(figure.panels.len().saturating_sub(1)) + layout.panel;
    let slot = if figure.x.is_ordinal() { WIDTH / figure.x.ticks.len().max(1) as f64 - 6.0 } else { WIDTH };
    for tick in &figure.x.ticks {
        let label = shorten(&tick.label, slot, SMALL);
        text(out, layout.x(tick.at), bottom + 19.0, SMALL, "middle", "pd-soft", "#5b6270", &label);
    }
    let middle = layout.left + 0.5 * WIDTH;
    text(out, middle, bottom + 40.0, TEXT, "middle", "pd-ink", "#1d2128", &shorten(&figure.x.title, WIDTH, TEXT));
    if let Some(note) = &figure.note {
        text(out, middle, bottom + 60.0, SMALL, "middle", "pd-soft", "#5b6270", &shorten(note, WIDTH, SMALL));
    }
}

/// Stretches of points that all have `value`.
fn runs<'a, T>(points: &'a [Point], value: impl Fn(&'a Point) -> Option<T>) -> Vec<Vec<(&'a Point, T)>> {
    let mut found = vec![Vec::new()];
    for point in points {
        match (value(point), found.last_mut()) {
            (Some(value), Some(run)) => run.push((point, value)),
            _ => found.push(Vec::new()),
        }
    }
    found.retain(|run| !run.is_empty());
    found
}

fn band(out: &mut String, points: &[Point], series: usize, layout: &Layout, at: usize) {
    let (color, _) = ink(series);
    for run in runs(points, |point| point.band_heights) {
        let upper = run.iter().map(|(point, (_, high))| (point.at, *high));
        let lower = run.iter().rev().map(|(point, (low, _))| (point.at, *low));
        let corners: Vec<String> =
            upper.chain(lower).map(|(x, y)| format!("{},{}", px(layout.x(x)), px(layout.y(at, y)))).collect();
        if let [(point, (low, high))] = run[..] {
            let (x, low, high) = (layout.x(point.at), layout.y(at, low), layout.y(at, high));
            let _ = write!(out, "<g stroke=\"{color}\" stroke-width=\"1.5\" stroke-opacity=\"0.6\">");
            line(out, x, low, x, high);
            out.push_str("</g>");
        } else {
            let _ = write!(out, "<polygon points=\"{}\" fill=\"{color}\" fill-opacity=\"0.18\"/>", corners.join(" "));
        }
    }
    out.push('\n');
}

fn stroke(out: &mut String, points: &[Point], series: usize, layout: &Layout, at: usize) {
    let (color, dash) = ink(series);
    for run in runs(points, |point| point.height).iter().filter(|run| run.len() > 1) {
        let corners: Vec<String> = run
            .iter()
            .map(|(point, height)| format!("{},{}", px(layout.x(point.at)), px(layout.y(at, *height))))
            .collect();
        let _ = write!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\" stroke-linejoin=\"round\" \
             stroke-linecap=\"round\"{dash}/>",
            corners.join(" ")
        );
    }
    out.push('\n');
}

fn marks(out: &mut String, points: &[Point], series: usize, layout: &Layout, at: usize) {
    for point in points {
        let Some(height) = point.height else { continue };
        let (x, y) = (layout.x(point.at), layout.y(at, height));
        let _ = write!(
            out,
            "<g class=\"pd-point\"><title>{}</title><circle class=\"pd-hit\" cx=\"{}\" cy=\"{}\" r=\"10\" \
             fill=\"#000000\" fill-opacity=\"0\"/>",
            escape(&point.text),
            px(x),
            px(y)
        );
        mark(out, series, x, y, point.complete);
        out.push_str("</g>\n");
    }
}

/// One shape per series, so that lines can be told apart without colour.
fn mark(out: &mut String, series: usize, x: f64, y: f64, filled: bool) {
    let (color, _) = ink(series);
    let look = if filled {
        format!("class=\"pd-mark\" fill=\"{color}\" stroke=\"{color}\" stroke-width=\"1.5\"")
    } else {
        format!("class=\"pd-mark pd-hollow\" fill=\"#ffffff\" stroke=\"{color}\" stroke-width=\"1.5\"")
    };
    let corners: &[(f64, f64)] = match series % 6 {
        0 => {
            let _ = write!(out, "<circle cx=\"{}\" cy=\"{}\" r=\"3.5\" {look}/>", px(x), px(y));
            return;
        }
        1 => &[(-3.2, -3.2), (3.2, -3.2), (3.2, 3.2), (-3.2, 3.2)],
        2 => &[(0.0, -4.6), (4.6, 0.0), (0.0, 4.6), (-4.6, 0.0)],
        3 => &[(0.0, -4.4), (4.2, 3.2), (-4.2, 3.2)],
        4 => &[(0.0, 4.4), (4.2, -3.2), (-4.2, -3.2)],
        _ => &[(-2.0, -3.6), (2.0, -3.6), (4.1, 0.0), (2.0, 3.6), (-2.0, 3.6), (-4.1, 0.0)],
    };
    let corners: Vec<String> = corners.iter().map(|(dx, dy)| format!("{},{}", px(x + dx), px(y + dy))).collect();
    let _ = write!(out, "<polygon points=\"{}\" {look}/>", corners.join(" "));
}

/// Two slanted strokes over an axis: the scale is interrupted here.
fn broken(out: &mut String, x: f64, y: f64) {
    let _ = write!(
        out,
        "<rect class=\"pd-paper\" x=\"{}\" y=\"{}\" width=\"8\" height=\"4\" fill=\"#ffffff\"/>\
         <g class=\"pd-frame\" stroke=\"#8b93a0\" stroke-width=\"1.2\">",
        px(x - 4.0),
        px(y - 2.0)
    );
    line(out, x - 6.0, y + 5.0, x - 2.0, y - 5.0);
    line(out, x + 2.0, y + 5.0, x + 6.0, y - 5.0);
    out.push_str("</g>\n");
}

fn ink(series: usize) -> (&'static str, String) {
    let dash = DASHES[series / PALETTE.len() % DASHES.len()];
    let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
    (PALETTE[series % PALETTE.len()], dash)
}

fn line(out: &mut String, x1: f64, y1: f64, x2: f64, y2: f64) {
    let _ = write!(out, "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>", px(x1), px(y1), px(x2), px(y2));
}

#[expect(clippy::too_many_arguments, reason = "each is one attribute of a text element")]
pub(super) fn text(out: &mut String, x: f64, y: f64, size: f64, anchor: &str, class: &str, fill: &str, content: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" font-size=\"{size}\" font-family=\"sans-serif\" text-anchor=\"{anchor}\" \
         class=\"{class}\" fill=\"{fill}\">{}</text>",
        px(x),
        px(y),
        escape(content)
    );
}

pub(super) fn text_bold(out: &mut String, x: f64, y: f64, content: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" font-size=\"{TEXT}\" font-weight=\"600\" font-family=\"sans-serif\" class=\"pd-ink\" \
         fill=\"#1d2128\">{}</text>",
        px(x),
        px(y),
        escape(content)
    );
}

/// Cuts a text to a width, with an ellipsis.
pub(super) fn shorten(content: &str, width: f64, size: f64) -> String {
    if text_width(content, size) <= width {
        return content.to_string();
    }
    let mut kept = String::new();
    for character in content.chars() {
        kept.push(character);
        if text_width(&kept, size) > width - size {
            kept.pop();
            break;
        }
    }
    format!("{}…", kept.trim_end())
}

/// Writes a coordinate: two decimals at most, never an exponent; a value that is not finite becomes 0.
pub(super) fn px(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let text = super::number::fixed(value, 2);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

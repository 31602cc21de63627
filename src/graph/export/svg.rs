//! An SVG of the graph that needs no other program.

use std::fmt::Write;

use super::layout::{HEIGHT, WIDTH, layout};
use super::{Picture, Shape};

/// Colours of a kind of stage.
#[derive(Clone, Copy)]
pub(super) struct Color {
    pub(super) fill: &'static str,
    pub(super) stroke: &'static str,
}

/// Gives each kind of stage its colour: networks from blue to green, masks red, measurements yellow.
pub(super) fn color(op: &str) -> Color {
    let (fill, stroke) = match op {
        "init" | "import" => ("#e8eaf6", "#5c6bc0"),
        "train" => ("#dbeafe", "#2563eb"),
        "prune" => ("#fee2e2", "#dc2626"),
        "rewind" | "reinit" => ("#ede9fe", "#7c3aed"),
        "evaluate" => ("#fef3c7", "#d97706"),
        "dissect" | "netdissect" => ("#d1fae5", "#059669"),
        _ => ("#f1f5f9", "#64748b"),
    };
    Color { fill, stroke }
}

/// Draws a picture.
pub fn svg(picture: &Picture) -> String {
    let layout = layout(picture);
    let (width, height) = layout.size;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#64748b\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for points in &layout.arrows {
        let _ = writeln!(
            text,
            "<path d=\"{}\" fill=\"none\" stroke=\"#94a3b8\" stroke-width=\"1.3\" marker-end=\"url(#tip)\"/>",
            curve(points)
        );
    }
    for (shape, center) in picture.shapes.iter().zip(&layout.shapes) {
        draw(&mut text, shape, *center);
    }
    text.push_str("</svg>\n");
    text
}

/// Smooth between layers, straight through them.
fn curve(points: &[(f64, f64)]) -> String {
    let Some((first, rest)) = points.split_first() else { return String::new() };
    let mut text = format!("M{:.1} {:.1}", first.0, first.1);
    let mut from = *first;
    for (index, to) in rest.iter().enumerate() {
        if index % 2 == 0 {
            let middle = f64::midpoint(from.1, to.1);
            let _ = write!(text, "C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}", from.0, to.0, to.0, to.1);
        } else {
            let _ = write!(text, "L{:.1} {:.1}", to.0, to.1);
        }
        from = *to;
    }
    text
}

fn draw(text: &mut String, shape: &Shape, (x, y): (f64, f64)) {
    let Color { fill, stroke } = color(&shape.op);
    let (left, top) = (x - WIDTH / 2.0, y - HEIGHT / 2.0);
    let title = escape(&shape.title);
    let count = if shape.count > 1 { format!(" × {}", shape.count) } else { String::new() };
    let _ = writeln!(text, "<g><title>{title}{count} {}</title>", escape(&shape.detail));
    if shape.count > 1 {
        let (left, top) = (left + 4.0, top + 4.0);
        let _ = writeln!(
            text,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"7\" fill=\"{fill}\" \
             stroke=\"{stroke}\" opacity=\"0.6\"/>"
        );
    }
    let _ = writeln!(
        text,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"7\" fill=\"{fill}\" \
         stroke=\"{stroke}\"/>"
    );
    let up = if shape.detail.is_empty() { 4.0 } else { -4.0 };
    let shown = escape(&shorten(&shape.title, 28 - count.chars().count()));
    let _ = writeln!(
        text,
        "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"600\" fill=\"#1f2430\">{shown}{count}</text>",
        y + up
    );
    if !shape.detail.is_empty() {
        let detail = escape(&shorten(&shape.detail, 32));
        let _ = writeln!(
            text,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"11\" fill=\"#475569\">{detail}</text>",
            y + 13.0
        );
    }
    text.push_str("</g>\n");
}

fn shorten(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

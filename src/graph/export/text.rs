//! The formats that another program lays out.

use std::fmt::Write;

use super::Picture;

/// Writes a picture in Graphviz' language.
pub fn dot(picture: &Picture) -> String {
    let mut text = String::from(
        "digraph stages {\n  rankdir=TB;\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n",
    );
    for (at, shape) in picture.shapes.iter().enumerate() {
        let label = lines(shape).map(|line| escape(&line)).collect::<Vec<_>>().join("\\n");
        let fill = super::svg::color(&shape.op).fill;
        let _ = writeln!(text, "  n{at} [label=\"{label}\", fillcolor=\"{fill}\"];");
    }
    for arrow in &picture.arrows {
        let _ = writeln!(text, "  n{} -> n{} [tooltip=\"{}\"];", arrow.from, arrow.to, escape(&arrow.role));
    }
    text.push_str("}\n");
    text
}

/// Writes a picture as a Mermaid flowchart.
pub fn mermaid(picture: &Picture) -> String {
    let mut text = String::from("flowchart TB\n");
    for (at, shape) in picture.shapes.iter().enumerate() {
        let label = lines(shape).map(|line| line.replace('"', "#quot;")).collect::<Vec<_>>().join("<br/>");
        let _ = writeln!(text, "  n{at}[\"{label}\"]:::{}", shape.op);
    }
    for arrow in &picture.arrows {
        let _ = writeln!(text, "  n{} --> n{}", arrow.from, arrow.to);
    }
    let mut ops: Vec<&str> = picture.shapes.iter().map(|shape| shape.op.as_str()).collect();
    ops.sort_unstable();
    ops.dedup();
    for op in ops {
        let color = super::svg::color(op);
        let _ = writeln!(text, "  classDef {op} fill:{},stroke:{},color:#1f2430", color.fill, color.stroke);
    }
    text
}

/// Writes a picture as JSON.
pub fn json(picture: &Picture) -> String {
    serde_json::to_string_pretty(picture).map_or_else(|_| String::new(), |text| text + "\n")
}

fn lines(shape: &super::Shape) -> impl Iterator<Item = String> {
    let title = if shape.count > 1 { format!("{} × {}", shape.title, shape.count) } else { shape.title.clone() };
    [title, shape.detail.clone()].into_iter().filter(|line| !line.is_empty())
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

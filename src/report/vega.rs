//! Writes figures as Vega-Lite 5: the same picture with its data inline, for people who want to restyle it.
//!
//! A proportional axis keeps stored values and shows them in its units. Other axes (logarithmic with a slot for zero, logit, labels)
//! carry positions from 0 to 1 and the labels of the ticks, since Vega-Lite has no such scales.

use serde_json::{Map, Value, json};

use super::axis::Axis;
use super::figure::{Figure, Panel, Point, WIDTH};
use super::number;
use super::svg::PALETTE;

/// Writes a figure as a Vega-Lite specification.
pub fn render(figure: &Figure, label: &str) -> String {
    let panels: Vec<Value> =
        figure.panels.iter().enumerate().map(|(at, panel)| draw_panel(figure, panel, at)).collect();
    let specification = json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "description": label,
        "title": figure.note.as_ref().map_or(json!({"text": label}), |note| json!({"text": label, "subtitle": note})),
        "vconcat": panels,
        "resolve": {"scale": {"color": "shared", "shape": "shared"}},
        "config": {"view": {"stroke": null}, "axis": {"domainColor": "#8b93a0", "gridColor": "#e3e6ea"}},
    });
    format!("{specification:#}\n")
}

fn draw_panel(figure: &Figure, panel: &Panel, at: usize) -> Value {
    let values: Vec<Value> = panel
        .lines
        .iter()
        .enumerate()
        .flat_map(|(series, points)| points.iter().map(move |point| datum(figure, panel, series, point)))
        .collect();
    let last = at + 1 == figure.panels.len();
    let mut encoding = Map::new();
    encoding.insert("x".to_string(), horizontal(figure, last));
    if figure.series.len() > 1 {
        let colors: Vec<&str> = (0..figure.series.len()).map(|series| PALETTE[series % PALETTE.len()]).collect();
        encoding.insert(
            "color".to_string(),
            json!({
                "field": "series", "type": "nominal", "sort": figure.series,
                "title": figure.legend_title, "scale": {"domain": figure.series, "range": colors},
                "legend": {"symbolOpacity": 1, "symbolType": "stroke"},
            }),
        );
    }
    let y = axis(&panel.y, "y");
    let mut layers = Vec::new();
    if panel.lines.iter().flatten().any(|point| point.band.is_some()) {
        let mut low = y.clone();
        low["field"] = json!("low");
        layers.push(json!({
            "mark": {"type": "area", "opacity": 0.18, "color": PALETTE[0]},
            "encoding": {"y": low, "y2": {"field": "high"}},
        }));
    }
    layers.push(json!({"mark": {"type": "line", "strokeWidth": 2, "color": PALETTE[0]}, "encoding": {"y": y}}));
    if figure.marks {
        let tooltip = json!({"field": "text", "type": "nominal", "title": "point"});
        layers.push(json!({
            "mark": {"type": "point", "filled": true, "size": 45, "opacity": 1, "color": PALETTE[0]},
            "encoding": {"y": y, "tooltip": tooltip},
        }));
    }
    json!({
        "width": WIDTH,
        "height": Panel::height(figure.panels.len()),
        "data": {"values": values},
        "encoding": encoding,
        "layer": layers,
    })
}

fn datum(figure: &Figure, panel: &Panel, series: usize, point: &Point) -> Value {
    let linear = panel.y.linear_domain().is_some();
    let times = shown_factor(&panel.y);
    let pick = |stored: Option<f64>, position: Option<f64>| if linear { stored.map(|v| v * times) } else { position };
    let mut datum = Map::new();
    let x = match figure.x.linear_domain() {
        Some(_) => point.x.map(|x| x * shown_factor(&figure.x)),
        None => Some(point.at),
    };
    datum.insert("x".to_string(), json!(x));
    datum.insert("y".to_string(), json!(pick(point.y, point.height)));
    if figure.series.len() > 1 {
        datum.insert("series".to_string(), json!(figure.series[series]));
    }
    if let (Some(band), Some((low, high))) = (point.band, point.band_heights) {
        datum.insert("low".to_string(), json!(pick(Some(band.low), Some(low))));
        datum.insert("high".to_string(), json!(pick(Some(band.high), Some(high))));
    }
    if !point.text.is_empty() {
        datum.insert("text".to_string(), json!(point.text));
    }
    Value::Object(datum)
}

fn horizontal(figure: &Figure, last: bool) -> Value {
    let mut x = axis(&figure.x, "x");
    if !last {
        x["axis"]["title"] = Value::Null;
        x["axis"]["labels"] = json!(false);
    }
    x
}

fn axis(axis: &Axis, field: &str) -> Value {
    if let Some([low, high]) = axis.linear_domain() {
        let times = shown_factor(axis);
        return json!({
            "field": field, "type": "quantitative",
            "scale": {"domain": [low * times, high * times], "nice": false, "zero": false},
            "axis": {"title": axis.title},
        });
    }
    let values: Vec<f64> = axis.ticks.iter().map(|tick| rounded(tick.at)).collect();
    let labels: Map<String, Value> =
        axis.ticks.iter().map(|tick| (format!("{:.4}", tick.at), json!(tick.label))).collect();
    json!({
        "field": field, "type": "quantitative",
        "scale": {"domain": [0, 1], "nice": false, "zero": false},
        "axis": {
            "title": axis.title, "values": values,
            "labelExpr": format!("{}[format(datum.value, '.4f')]", Value::Object(labels)),
        },
    })
}

/// Proportional axes show ratios in per cent, as their titles say.
fn shown_factor(axis: &Axis) -> f64 {
    number::factor(axis.reading())
}

fn rounded(at: f64) -> f64 {
    (at * 1e4).round() / 1e4
}

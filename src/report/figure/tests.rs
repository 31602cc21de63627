use proptest::prelude::*;

use super::*;
use crate::report::{svg, vega};
use crate::value::output::Role;

fn laid_out(spec: &PlotSpec<Cell>) -> Figure {
    figure(spec).unwrap()
}

fn number(value: f64, scale: Scale) -> Cell {
    Cell::Number { value, scale }
}

fn column(name: &str, role: Role, cells: Vec<Cell>) -> Column<Cell> {
    Column { name: name.into(), role, cells }
}

/// Three seeds, two arms, seven levels, one hole.
fn runs() -> Frame<Cell> {
    let mut cells: [Vec<Cell>; 5] = Default::default();
    for seed in 1..=3 {
        for (arm, name) in ["imp", "random <mask>"].iter().enumerate() {
            for level in 0..7 {
                let sparsity = 1.0 - 0.5_f64.powi(level);
                let wobble = f64::from((seed * 7 + level * 3) % 5) / 500.0;
                let top1 = 0.93 - 0.02 * f64::from(level) * (arm as f64 + 0.5) + wobble;
                let hole = level == 3 && arm == 1 || level == 5 && seed == 2;
                cells[0].push(number(f64::from(seed), Scale::Count));
                cells[1].push(Cell::Text((*name).into()));
                cells[2].push(number(sparsity, Scale::Ratio));
                cells[3].push(if hole { Cell::Missing } else { number(top1, Scale::Ratio) });
                cells[4].push(number((36.0 - 3.0 * f64::from(level) + 100.0 * wobble).round(), Scale::Count));
            }
        }
    }
    let [seed, arm, sparsity, top1, units] = cells;
    Frame::new(vec![
        column("seed", Role::Axis, seed),
        column("arm", Role::Field, arm),
        column("sparsity", Role::Field, sparsity),
        column("top1", Role::Field, top1),
        column("units", Role::Field, units),
    ])
}

fn line(y: &[&str], color: Option<&str>, x_scale: AxisScale) -> PlotSpec<Cell> {
    PlotSpec::Line {
        rows: runs(),
        x: "sparsity".into(),
        y: y.iter().map(|name| Arc::from(*name)).collect(),
        color: color.map(Arc::from),
        band: Some((Statistic::Ci95, vec!["seed".into()])),
        x_scale,
        y_scale: AxisScale::Linear,
    }
}

fn small(x_scale: AxisScale) -> PlotSpec<Cell> {
    let x = [0.0, 0.5, 0.9];
    let y = [0.93, f64::NAN, 0.88];
    let cells = |values: [f64; 3]| values.iter().map(|&value| number(value, Scale::Ratio)).collect();
    let rows = Frame::new(vec![column("sparsity", Role::Field, cells(x)), column("top1", Role::Field, cells(y))]);
    PlotSpec::Line {
        rows,
        x: "sparsity".into(),
        y: vec!["top1".into()],
        color: None,
        band: None,
        x_scale,
        y_scale: AxisScale::Linear,
    }
}

#[test]
fn a_small_line() {
    insta::assert_snapshot!(svg::render(&laid_out(&small(AxisScale::Logit)), "accuracy"));
}

#[test]
fn a_small_line_for_vega() {
    insta::assert_snapshot!(vega::render(&laid_out(&small(AxisScale::Linear)), "accuracy"));
}

#[test]
fn missing_points_are_gaps_and_partial_ones_are_marked() {
    let found = laid_out(&line(&["top1"], Some("arm"), AxisScale::Logit));
    assert_eq!(found.series, ["imp", "random <mask>"]);
    let random = &found.panels[0].lines[1];
    assert!(random[3].height.is_none() && random[3].text.contains("missing"));
    assert!(!random[5].complete && random[5].text.contains("2 of 3 replicates"));
    let drawn = svg::render(&found, "a");
    assert_eq!(drawn.matches("<polyline").count(), 3, "one line whole, one in two pieces");
}

#[test]
fn hostile_names_are_escaped() {
    let drawn = svg::render(&laid_out(&line(&["top1"], Some("arm"), AxisScale::Linear)), "<script>&\"'");
    assert!(!drawn.contains("<script>") && !drawn.contains("<mask>"));
    assert!(drawn.contains("random &lt;mask&gt;"));
}

#[test]
fn several_measures_are_stacked_over_one_axis() {
    let found = laid_out(&line(&["top1", "units"], Some("arm"), AxisScale::Linear));
    assert_eq!(found.panels.iter().map(|panel| panel.y.title.as_str()).collect::<Vec<_>>(), ["top1 (%)", "units"]);
    assert_eq!(found.x.title, "sparsity (%)");
    assert_eq!(found.note.as_deref(), Some("Line: mean over seed. Band: 95 % confidence interval."));
}

#[test]
fn vega_has_the_parts_that_its_schema_demands() {
    for scale in [AxisScale::Linear, AxisScale::Log, AxisScale::Logit] {
        let text = vega::render(&laid_out(&line(&["top1", "units"], Some("arm"), scale)), "a");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["$schema"], "https://vega.github.io/schema/vega-lite/v5.json");
        let panels = value["vconcat"].as_array().unwrap();
        assert_eq!(panels.len(), 2);
        for panel in panels {
            assert_eq!(panel["data"]["values"].as_array().unwrap().len(), 14);
            assert_eq!(panel["layer"].as_array().unwrap().len(), 3);
            for field in ["x", "color"] {
                assert!(panel["encoding"][field]["field"].is_string());
            }
        }
    }
}

#[test]
fn long_curves_are_thinned_and_keep_their_extremes() {
    let points: Vec<(f64, f64)> = (0..100_000).map(|at| (f64::from(at), if at == 777 { 9.0 } else { 0.1 })).collect();
    let found = laid_out(&PlotSpec::Curve { points, scale: Scale::Plain, x_label: "iteration".to_string() });
    let line = &found.panels[0].lines[0];
    assert!(line.len() <= 4 * CURVE_COLUMNS && line.iter().any(|point| point.y == Some(9.0)));
    assert!(!svg::render(&found, "a").contains("<title>"));
}

#[test]
fn nothing_to_draw_is_said() {
    let empty = PlotSpec::Curve { points: Vec::new(), scale: Scale::Ratio, x_label: "iteration".to_string() };
    assert!(svg::render(&laid_out(&empty), "a").contains("no data"));
}

proptest! {
    #[test]
    fn no_coordinate_is_ever_undefined(
        values in prop::collection::vec((prop_oneof![Just(0.0), Just(1.0), -2.0..2.0_f64, Just(f64::NAN), Just(f64::INFINITY), Just(1e300), Just(-1e-300)],
            prop_oneof![Just(0.0), -2.0..2.0_f64, Just(f64::NAN), Just(f64::NEG_INFINITY), Just(1e308), Just(-1e308)]), 0..12),
        scales in (0..3_usize, 0..3_usize),
        ratio in any::<bool>(),
    ) {
        let all = [AxisScale::Linear, AxisScale::Log, AxisScale::Logit];
        let reading = if ratio { Scale::Ratio } else { Scale::Plain };
        let rows = Frame::new(vec![
            column("x", Role::Axis, values.iter().map(|(x, _)| number(*x, reading)).collect()),
            column("y", Role::Field, values.iter().map(|(_, y)| number(*y, reading)).collect()),
        ]);
        let spec = PlotSpec::Line {
            rows, x: "x".into(), y: vec!["y".into()], color: None,
            band: Some((Statistic::Ci95, Vec::new())), x_scale: all[scales.0], y_scale: all[scales.1],
        };
        let found = laid_out(&spec);
        let drawn = svg::render(&found, "a");
        let geometry: String = drawn.split(['"']).skip(1).step_by(2).collect::<Vec<_>>().join(" ");
        prop_assert!(!geometry.contains("NaN") && !geometry.contains("inf"), "{geometry}");
        prop_assert!(serde_json::from_str::<serde_json::Value>(&vega::render(&found, "a")).is_ok());
        for point in found.panels.iter().flat_map(|panel| panel.lines.iter().flatten()) {
            prop_assert!(point.at.is_finite() && point.height.is_none_or(f64::is_finite));
        }
    }
}

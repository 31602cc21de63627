use std::sync::Arc;

use super::*;
use crate::value::output::{Column, Frame, Role};

fn number(value: f64, scale: Scale) -> Cell {
    Cell::Number { value, scale }
}

/// Rows (round, seed, value) as a projected column with the axis `seed` and the field `round`.
fn side(rows: &[(i32, i32, f64)]) -> Frame<Cell> {
    let count = |value: i32| number(f64::from(value), Scale::Count);
    Frame::new(vec![
        Column { name: "seed".into(), role: Role::Axis, cells: rows.iter().map(|row| count(row.1)).collect() },
        Column { name: "round".into(), role: Role::Field, cells: rows.iter().map(|row| count(row.0)).collect() },
        Column {
            name: "top1".into(),
            role: Role::Field,
            cells: rows.iter().map(|row| number(row.2, Scale::Ratio)).collect(),
        },
    ])
}

fn claim(kind: ClaimKind, sample: Frame<Cell>, reference: Frame<Cell>, margin: Option<Margin>) -> ClaimSpec<Cell> {
    ClaimSpec { kind, sample, reference, margin, over: vec!["seed".into()], level: 0.95 }
}

const DENSE: [(i32, i32, f64); 3] = [(0, 1, 0.90), (0, 2, 0.91), (0, 3, 0.92)];

fn at(round: i32, values: [f64; 3]) -> Vec<(i32, i32, f64)> {
    values.iter().zip(1..).map(|(value, seed)| (round, seed, *value)).collect()
}

#[test]
fn pairs_by_seed_in_any_order() {
    let sample = side(&[(3, 3, 0.919), (3, 1, 0.901), (3, 2, 0.909)]);
    let found = judge(&claim(ClaimKind::NotWorse, sample, side(&DENSE), Some(Margin::Absolute(0.01))));
    assert_eq!((found.verdict, found.n, found.scale), (Verdict::Supported, 3, Scale::Points));
    assert!((found.effect.unwrap() + 0.001 / 3.0).abs() < 1e-12);
    assert!(found.levels[0].paired && found.levels[0].label.is_empty());
    assert!((found.interval_level - 0.9).abs() < 1e-12 && (found.alpha - 0.05).abs() < 1e-12);
}

/// Unit counts of the protocol: statsmodels' paired equivalence test, p = 5.0314e-4.
#[test]
fn equivalence_has_the_p_value_of_statsmodels() {
    let sample = side(&at(1, [1349.0, 1361.0, 1355.0]));
    let reference = side(&at(0, [1340.0, 1358.0, 1352.0]));
    let found = judge(&claim(ClaimKind::Equivalent, sample, reference, Some(Margin::Absolute(68.0))));
    assert_eq!(found.verdict, Verdict::Supported);
    assert!((found.p.unwrap() - 5.031_4e-4).abs() < 1e-8);
}

#[test]
fn relative_margins_follow_the_reference() {
    let sample = side(&at(1, [1349.0, 1361.0, 1355.0]));
    let reference = side(&at(0, [1340.0, 1358.0, 1352.0]));
    let found = judge(&claim(ClaimKind::Equivalent, sample, reference, Some(Margin::Relative(0.05))));
    assert!((found.margin.unwrap() - 67.5).abs() < 1e-9);
}

#[test]
fn all_levels_must_hold_and_the_worst_is_reported() {
    let rows = [at(0, [0.90, 0.91, 0.92]), at(1, [0.901, 0.909, 0.921]), at(2, [0.80, 0.82, 0.81])].concat();
    let margin = Some(Margin::Absolute(0.02));
    let found = judge(&claim(ClaimKind::NotWorse, side(&rows), side(&DENSE), margin));
    assert_eq!(found.verdict, Verdict::Refuted);
    let labels: Vec<&str> = found.levels.iter().map(|level| level.label.as_str()).collect();
    assert_eq!(labels, ["round 1", "round 2"], "the reference is not compared with itself");
    assert_eq!(found.decisive, Some(1));
    assert!(found.interval.unwrap().high < -0.02);
    let without = judge(&claim(ClaimKind::NotWorse, side(&rows[..6]), side(&DENSE), margin));
    assert_eq!((without.verdict, without.levels.len()), (Verdict::Supported, 1));
}

#[test]
fn groups_match_where_the_reference_has_several() {
    let sample = side(&[at(1, [0.90, 0.91, 0.92]), at(2, [0.80, 0.81, 0.82])].concat());
    let reference = side(&[at(2, [0.801, 0.809, 0.821]), at(1, [0.901, 0.909, 0.921])].concat());
    let margin = Some(Margin::Absolute(0.02));
    let found = judge(&claim(ClaimKind::Equivalent, sample.clone(), reference, margin));
    assert_eq!((found.verdict, found.levels.len()), (Verdict::Supported, 2));
    let partial = side(&[at(1, [0.90, 0.91, 0.92]), at(3, [0.80, 0.81, 0.82])].concat());
    let found = judge(&claim(ClaimKind::Equivalent, sample, partial, margin));
    assert_eq!(
        (found.verdict, found.notes),
        (Verdict::Void, vec!["the reference has no rows with round 2".to_string()])
    );
}

#[test]
fn equivalence_far_outside_is_refuted_and_a_wide_interval_decides_nothing() {
    let margin = Some(Margin::Absolute(0.02));
    let far = side(&at(1, [0.80, 0.81, 0.82]));
    assert_eq!(judge(&claim(ClaimKind::Equivalent, far, side(&DENSE), margin)).verdict, Verdict::Refuted);
    let wide = side(&at(1, [0.80, 0.99, 0.92]));
    let found = judge(&claim(ClaimKind::Equivalent, wide.clone(), side(&DENSE), margin));
    assert_eq!(found.verdict, Verdict::Inconclusive);
    let differs = judge(&claim(ClaimKind::Differs, wide, side(&DENSE), None));
    assert_eq!(differs.verdict, Verdict::Inconclusive);
    assert!((differs.interval_level - 0.95).abs() < 1e-12);
}

#[test]
fn one_replicate_is_inconclusive() {
    let found =
        judge(&claim(ClaimKind::NotWorse, side(&[(1, 1, 0.9)]), side(&[(0, 1, 0.9)]), Some(Margin::Absolute(0.1))));
    assert_eq!((found.verdict, found.n, found.interval), (Verdict::Inconclusive, 1, None));
    assert!(found.notes[0].contains("at least 2"), "{:?}", found.notes);
}

#[test]
fn holes_make_a_claim_void() {
    let margin = Some(Margin::Absolute(0.1));
    let mut holey = side(&at(1, [0.9, 0.9, 0.9]));
    holey.columns[2].cells[1] = Cell::Missing;
    let found = judge(&claim(ClaimKind::NotWorse, holey, side(&DENSE), margin));
    assert_eq!(found.verdict, Verdict::Void);
    assert_eq!(found.notes, ["1 of 3 values of `top1` are missing on the side of the claim"]);
    let mut diverged = side(&at(1, [0.9, 0.9, 0.9]));
    diverged.columns[2].cells[1] = number(f64::NAN, Scale::Ratio);
    assert_eq!(judge(&claim(ClaimKind::NotWorse, diverged, side(&DENSE), margin)).verdict, Verdict::Void);
    assert_eq!(judge(&claim(ClaimKind::NotWorse, side(&[]), side(&DENSE), margin)).verdict, Verdict::Void);
    assert_eq!(judge(&claim(ClaimKind::NotWorse, side(&DENSE), side(&DENSE), None)).verdict, Verdict::Void);
}

#[test]
fn unpaired_and_partly_paired_sides() {
    let margin = Some(Margin::Absolute(0.1));
    let others: Vec<_> = DENSE.iter().map(|&(round, seed, value)| (round, seed + 10, value)).collect();
    let found = judge(&claim(ClaimKind::Equivalent, side(&at(1, [0.9, 0.91, 0.93])), side(&others), margin));
    assert!(!found.levels[0].paired && found.verdict == Verdict::Supported);
    let more = side(&[at(1, [0.9, 0.91, 0.93]), vec![(1, 4, 0.95)]].concat());
    let found = judge(&claim(ClaimKind::Equivalent, more, side(&DENSE), margin));
    assert_eq!((found.n, found.levels[0].paired), (3, true));
    assert!(found.notes.iter().any(|note| note.contains("3 of 4 replicates")));
    let twice = side(&[(1, 1, 0.9), (1, 1, 0.8)]);
    assert_eq!(judge(&claim(ClaimKind::Equivalent, twice, side(&DENSE), margin)).verdict, Verdict::Void);
}

#[test]
fn identical_values_are_equivalent_with_a_width_of_zero() {
    let found = judge(&claim(
        ClaimKind::Equivalent,
        side(&at(1, [0.90, 0.91, 0.92])),
        side(&DENSE),
        Some(Margin::Absolute(0.01)),
    ));
    assert_eq!((found.verdict, found.effect, found.p), (Verdict::Supported, Some(0.0), Some(0.0)));
    assert!(found.notes.iter().any(|note| note.contains("identical")));
}

#[test]
fn json_has_the_promised_fields() {
    let spec = claim(ClaimKind::NotWorse, side(&at(1, [0.9, 0.91, 0.93])), side(&DENSE), Some(Margin::Absolute(0.02)));
    let entry = judge(&spec).to_json("ticket", "It holds");
    for field in ["name", "kind", "verdict", "effect", "interval", "margin", "alpha", "n"] {
        assert!(!entry[field].is_null(), "{field}");
    }
    assert_eq!(entry["kind"], "not_worse");
    assert_eq!(entry["interval"].as_array().unwrap().len(), 2);
    let void = Judgement::void(&spec, "why").to_json("ticket", "It holds");
    assert!(void["effect"].is_null() && void["interval"].is_null() && void["verdict"] == "void");
}

#[test]
fn an_axis_outside_over_makes_levels() {
    let mut sample = side(&[at(1, [0.9, 0.91, 0.93]), at(1, [0.7, 0.71, 0.74])].concat());
    let arms = (0..6).map(|row| Cell::Text(Arc::from(if row < 3 { "imp" } else { "random" }))).collect();
    sample.columns.insert(1, Column { name: "arm".into(), role: Role::Axis, cells: arms });
    let found = judge(&claim(ClaimKind::Differs, sample, side(&DENSE), None));
    let labels: Vec<&str> = found.levels.iter().map(|level| level.label.as_str()).collect();
    assert_eq!(labels, ["arm imp", "arm random"]);
    assert_eq!(found.levels[1].verdict, Verdict::Supported);
    assert_eq!((found.verdict, found.decisive), (Verdict::Inconclusive, Some(0)));
}

use serde_json::json;

use super::changes::{Changes, Kind};
use super::*;

/// Units with label, category and whether they are interpretable.
fn layer(units: &[(&str, &str, bool)]) -> Layer {
    let mut labels: Vec<Concept> = Vec::new();
    for (unit, (label, category, _)) in units.iter().enumerate().filter(|(_, unit)| unit.2) {
        if let Some(concept) = labels.iter_mut().find(|concept| concept.label == *label) {
            concept.units.push(unit);
        } else {
            let (label, category) = ((*label).to_owned(), (*category).to_owned());
            labels.push(Concept { label, category, units: vec![unit] });
        }
    }
    labels.sort_by_key(|concept| (rank(&concept.category), std::cmp::Reverse(concept.units.len())));
    let units = units
        .iter()
        .map(|(label, category, interpretable)| Unit {
            interpretable: *interpretable,
            label: (!label.is_empty()).then(|| (*label).to_owned()),
            category: (!label.is_empty()).then(|| (*category).to_owned()),
        })
        .collect();
    Layer { path: "layer3".to_owned(), units, labels }
}

fn before() -> Layer {
    layer(&[
        ("sky <&>", "object", true),
        ("sky <&>", "object", true),
        ("wheel", "part", true),
        ("red", "color", true),
        ("", "", false),
        ("red", "color", false),
    ])
}

fn after() -> Layer {
    layer(&[
        ("sky <&>", "object", true),
        ("red", "color", true),
        ("wheel", "part", false),
        ("red", "color", true),
        ("wheel", "part", true),
        ("", "", false),
    ])
}

#[test]
fn a_summary_is_read_as_the_stage_wrote_it() {
    let text = json!({ "netname": "pdsl", "layers": [{
        "layer": "layer4", "iou_threshold": 0.04, "rankings": [],
        "units": [{ "unit": 0, "interp": true, "iou": 0.2, "level": 1.5, "label": "sky", "cat": "object" },
                  { "unit": 1, "interp": false, "iou": 0.0, "level": 0.1 }],
        "labels": [{ "label": "sky", "labelnum": 3, "units": [0], "cat": "object" }],
    }] });
    let found = read(text.to_string().as_bytes()).unwrap();
    assert_eq!((found.path.as_str(), found.units.len(), found.labels[0].units.as_slice()), ("layer4", 2, &[0][..]));
    assert_eq!(read(b"{}"), None);
    assert_eq!(read(b"{\"layers\":[]}"), None);
}

#[test]
fn units_go_one_of_four_ways() {
    let changes = Changes::between(&before(), &after());
    assert_eq!(Kind::ALL.map(|kind| changes.count(kind)), [1, 1, 1, 2]);
    assert_eq!(changes.neither, 1);
    let first = &changes.moves[0];
    assert_eq!((first.kind, first.units.as_slice()), (Kind::Changed, &[1][..]));
    let names: Vec<_> = changes.concepts(0).into_iter().map(|(label, count)| (label.map(|l| l.1), count)).collect();
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(names, [(some("sky <&>"), 2), (some("wheel"), 1), (some("red"), 1), (None, 1)]);
}

#[test]
fn bars_are_drawn_by_category() {
    insta::assert_snapshot!(bars::render(&before(), "concepts"));
}

#[test]
fn changes_are_drawn_as_bands() {
    insta::assert_snapshot!(flow::render(&Changes::between(&before(), &after()), "changes"));
}

#[test]
fn many_concepts_and_none_are_drawn_too() {
    let names: Vec<String> = (0..90).map(|at| format!("concept number {at}")).collect();
    let category = |at: usize| CATEGORIES[at % CATEGORIES.len()];
    let many: Vec<(&str, &str, bool)> =
        (0..600).map(|at| (names[at * at % 90].as_str(), category(at * at % 90), true)).collect();
    let turned: Vec<(&str, &str, bool)> = many.iter().rev().copied().collect();
    let none = layer(&[("sky", "object", false)]);
    for (from, to) in [(layer(&many), layer(&turned)), (none.clone(), none.clone()), (none, layer(&many[..1]))] {
        let drawn = [bars::render(&to, "a"), flow::render(&Changes::between(&from, &to), "a")];
        for text in drawn {
            assert!(!text.contains("NaN") && !text.contains("inf") && text.ends_with("</svg>\n"));
        }
    }
}

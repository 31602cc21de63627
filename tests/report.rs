//! A whole report from made-up contents: three seeds, seven levels, two arms, one failed stage.
#![expect(clippy::float_cmp, reason = "rounds are whole numbers")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::sync::Arc;

use pdsl::domain::portraits::{Portrait, Portraits};
use pdsl::graph::NodeId;
use pdsl::report::{
    self, Claim, Contents, Entry, Expectation, Gate, Parameter, Place, RunFacts, Stage, StageStatus, Verdict, Warning,
};
use pdsl::value::output::{
    AxisScale, Cell, ClaimKind, ClaimSpec, Column, Frame, Margin, Object, PlotSpec, Role, Scale, Statistic, TableSpec,
};

const SOURCE: &str = "//! Do pruned networks keep their interpretable units?\n\nparam replicates: Int = 3\n\n\
let runs = sweep seed in seeds(replicates) {\n  // <script>alert(1)</script>\n}\n";

fn number(value: f64, scale: Scale) -> Cell {
    Cell::Number { value, scale }
}

/// Columns seed, arm, round, sparsity, top1, units, concepts.
fn rows() -> Frame<Cell> {
    let mut cells: [Vec<Cell>; 7] = Default::default();
    for seed in 1..=3_i32 {
        for (arm, name) in ["imp", "random mask", "reinit"].iter().enumerate() {
            for round in 0..7_i32 {
                let noise = f64::from((seed * 31 + round * 17 + arm as i32 * 5) % 11 - 5);
                let depth = f64::from(round).powi(2) * (0.4 + arm as f64);
                let hole = arm == 2 && round == 4;
                cells[0].push(number(f64::from(seed), Scale::Count));
                cells[1].push(Cell::Text((*name).into()));
                cells[2].push(number(f64::from(round), Scale::Count));
                cells[3].push(number(1.0 - 0.5_f64.powi(round), Scale::Ratio));
                cells[4].push(number(0.931 - 0.0016 * depth + 0.0007 * noise, Scale::Ratio));
                let units = (44.0 - 0.35 * depth + 0.3 * noise).round();
                cells[5].push(if hole { Cell::Missing } else { number(units, Scale::Count) });
                cells[6].push(number((21.0 - 0.2 * depth + 0.2 * noise).round(), Scale::Count));
            }
        }
    }
    let names = ["seed", "arm", "round", "sparsity", "top1", "units", "concepts"];
    let columns = names.iter().zip(cells).map(|(name, cells)| Column {
        name: (*name).into(),
        role: if *name == "seed" { Role::Axis } else { Role::Field },
        cells,
    });
    Frame::new(columns.collect())
}

/// Keeps rows and projects a column, as the language does.
fn project(value: &str, keep: impl Fn(&str, f64) -> bool) -> Frame<Cell> {
    let all = rows();
    let kept: Vec<usize> = (0..all.height())
        .filter(|&row| match (&all.columns[1].cells[row], &all.columns[2].cells[row]) {
            (Cell::Text(arm), Cell::Number { value, .. }) => keep(arm, *value),
            _ => false,
        })
        .collect();
    let names = ["seed", "arm", "round", "sparsity", value];
    let columns = names.iter().filter_map(|name| all.column(name)).map(|column| Column {
        name: column.name.clone(),
        role: column.role,
        cells: kept.iter().map(|&row| column.cells[row].clone()).collect(),
    });
    Frame::new(columns.collect())
}

fn names(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

fn place(line: usize) -> Place {
    Place { file: "experiments/paper.pd".to_string(), line }
}

fn claim(
    name: &str,
    text: &str,
    kind: ClaimKind,
    sample: Frame<Cell>,
    reference: Frame<Cell>,
    margin: Option<Margin>,
) -> Claim {
    let spec = ClaimSpec { kind, sample, reference, margin, over: names(&["seed"]), level: 0.95 };
    Claim { name: name.to_string(), text: text.to_string(), place: Some(place(5)), spec }
}

fn plot(name: &str, y: &[&str], x_scale: AxisScale) -> Entry<PlotSpec<Cell>> {
    Entry {
        name: name.to_string(),
        docs: String::new(),
        place: Some(place(5)),
        spec: PlotSpec::Line {
            rows: rows(),
            x: "sparsity".into(),
            y: names(y),
            color: Some("arm".into()),
            band: Some((Statistic::Ci95, names(&["seed"]))),
            x_scale,
            y_scale: AxisScale::Linear,
        },
    }
}

fn contents() -> Contents {
    let dense = |arm: &str, round: f64| arm == "imp" && round == 0.0;
    let stage = |name: &str, status, seconds, message: Option<&str>| Stage {
        name: name.to_string(),
        op: name.split(' ').take(1).collect(),
        key: blake3::hash(name.as_bytes()).to_hex().to_string(),
        status,
        seconds,
        place: Some(place(5)),
        message: message.map(str::to_string),
    };
    let mut stages = Vec::new();
    for seed in 1..=3 {
        stages.push(stage(&format!("init · seed {seed}"), StageStatus::Cached, Some(0.1), None));
        stages.push(stage(&format!("train · seed {seed}"), StageStatus::Cached, Some(754.0), None));
        for round in 1..7 {
            stages.push(stage(&format!("prune {round} · seed {seed}"), StageStatus::Done, Some(0.3), None));
            stages.push(stage(&format!("train round {round} · seed {seed}"), StageStatus::Done, Some(648.2), None));
        }
    }
    let diverged = "the loss is not a number at 31ep+412it";
    stages.push(stage("train reinit round 4 · seed 2", StageStatus::Failed, Some(12.0), Some(diverged)));
    stages.push(stage(
        "dissect reinit round 4 · seed 2",
        StageStatus::Blocked,
        None,
        Some("train reinit round 4 · seed 2 has no result"),
    ));
    let curve =
        (0..2000).map(|at| (f64::from(at), 0.4 * 0.1_f64.powi(at / 700) * f64::from(at.min(100)) / 100.0)).collect();
    Contents {
        file: "experiments/paper.pd".to_string(),
        docs: "Do pruned networks keep their interpretable units?\nIterative magnitude pruning with rewinding, dissected at every level.\n\nThe controls tell an effect of the mask from an effect of the measurement.".to_string(),
        source: SOURCE.to_string(),
        run: RunFacts {
            version: "0.1.0".to_string(),
            command: "pdsl run experiments/paper.pd --set replicates=3".to_string(),
            started: "2026-01-31 14:03:10 UTC".to_string(),
            seconds: 8123.0,
            host: "gpu-node-17".to_string(),
            device: "cpu, 16 threads".to_string(),
            seeds: "1, 2, 3".to_string(),
        },
        params: vec![
            Parameter { name: "replicates".into(), value: "3".into(), docs: "How many independent repetitions.".into(), overridden: true },
            Parameter { name: "margin".into(), value: "5%".into(), docs: "How far counts may move.".into(), overridden: false },
        ],
        tables: vec![
            Entry {
                name: "levels".to_string(),
                docs: "Accuracy and interpretable units at every level.".to_string(),
                place: Some(place(5)),
                spec: TableSpec::Summary {
                    rows: rows(),
                    by: names(&["arm", "round", "sparsity"]),
                    over: names(&["seed"]),
                    show: vec![Statistic::Mean, Statistic::Ci95],
                },
            },
            Entry { name: "raw".to_string(), docs: String::new(), place: None, spec: TableSpec::Rows(project("top1", |arm, round| arm == "imp" && round < 2.0)) },
        ],
        plots: vec![
            plot("accuracy", &["top1"], AxisScale::Logit),
            plot("interpretable", &["units", "concepts"], AxisScale::Linear),
            Entry {
                name: "schedule".to_string(),
                docs: "The learning rate.".to_string(),
                place: None,
                spec: PlotSpec::Curve { points: curve, scale: Scale::Plain, x_label: "iteration".to_string() },
            },
        ],
        claims: vec![
            claim("units_hold", "Pruning keeps the number of interpretable units up to 94 % sparsity", ClaimKind::Equivalent,
                project("units", |arm, round| arm == "imp" && round <= 4.0), project("units", dense), Some(Margin::Relative(0.1))),
            claim("ticket", "After three rounds the network is not worse than the dense one", ClaimKind::NotWorse,
                project("top1", |arm, round| arm == "imp" && round == 3.0), project("top1", dense), Some(Margin::Absolute(0.01))),
            claim("random_is_fine", "Random masks are not worse than the dense network", ClaimKind::NotWorse,
                project("top1", |arm, _| arm == "random mask"), project("top1", dense), Some(Margin::Absolute(0.01))),
            claim("masks_matter", "At the last level a random mask loses accuracy that magnitude pruning keeps", ClaimKind::Differs,
                project("top1", |arm, round| arm == "random mask" && round == 6.0), project("top1", |arm, round| arm == "imp" && round == 6.0), None),
            claim("reinit", "Reinitialised networks have <b>as many</b> units", ClaimKind::Equivalent,
                project("units", |arm, round| arm == "reinit" && round == 4.0), project("units", dense), Some(Margin::Relative(0.05))),
        ],
        expectations: vec![Expectation {
            text: "mean(runs.at(round: 0).top1, over: .seed) >= 90%".to_string(),
            place: Some(place(5)),
            gate: Gate::Met,
            detail: "93.1 % ≥ 90 %".to_string(),
        }],
        smoke: None,
        warnings: vec![Warning {
            text: "In layer3, interpretable units rise while accuracy falls".to_string(),
            help: "Ask for `frozen` thresholds.".to_string(),
            seen: (1..=6).map(|round| format!("score round {round} against score: 15 units instead of <12>")).collect(),
        }],
        stages,
        provenance: vec![
            ("Standard library".to_string(), "3c1f0e9d".to_string()),
            ("digits".to_string(), "blake3 9b1c7a5e0f2244aa".to_string()),
        ],
    }
}

#[test]
fn a_report_has_all_its_files_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let written = report::write(folder.path(), &contents()).unwrap();
    let mut found = Vec::new();
    for sub in ["", "plots", "tables"] {
        for entry in fs::read_dir(folder.path().join(sub)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                found.push(entry.path());
            }
        }
    }
    let mut files = written.files.clone();
    files.sort();
    found.sort();
    assert_eq!(files, found);
    assert_eq!(files.len(), 2 * 3 + 2 + 2);
    let verdicts: Vec<Verdict> = written.judgements.iter().map(|judgement| judgement.verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Inconclusive, Verdict::Supported, Verdict::Refuted, Verdict::Supported, Verdict::Void]
    );
    if let Ok(keep) = std::env::var("PDSL_KEEP_REPORT") {
        report::write(keep.as_ref(), &contents()).unwrap();
    }
}

#[test]
fn equal_contents_give_equal_bytes() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = report::write(one.path(), &contents()).unwrap();
    let second = report::write(two.path(), &contents()).unwrap();
    for (a, b) in first.files.iter().zip(&second.files) {
        assert!(fs::read(a).unwrap() == fs::read(b).unwrap(), "{}", a.display());
    }
}

#[test]
fn the_page_stands_alone_and_escapes_names() {
    let folder = tempfile::tempdir().unwrap();
    report::write(folder.path(), &contents()).unwrap();
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert"));
    assert!(!page.contains("<b>as many"));
    for outside in ["src=", "@import", "url(", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let remote = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!remote.contains("http://") && !remote.contains("https://"));
    assert!(!page.contains("NaN"));
}

#[test]
fn claims_json_lists_every_claim() {
    let folder = tempfile::tempdir().unwrap();
    report::write(folder.path(), &contents()).unwrap();
    let text = fs::read_to_string(folder.path().join("claims.json")).unwrap();
    let list: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(list.len(), 5);
    for entry in &list {
        for field in ["name", "kind", "verdict", "effect", "interval", "margin", "alpha", "n"] {
            assert!(entry.get(field).is_some(), "{field}");
        }
    }
    assert_eq!(list[4]["verdict"], "void");
    assert!(list[4]["notes"][0].as_str().unwrap().contains("missing"));
}

#[test]
fn an_expectation_that_fails_voids_the_claims() {
    let mut contents = contents();
    contents.expectations[0].gate = Gate::Failed;
    let judgements = report::judgements(&contents);
    assert!(judgements.iter().all(|judgement| judgement.verdict == Verdict::Void));
    assert!(judgements[0].notes[0].ends_with("(line 5) does not hold"), "{:?}", judgements[0].notes);
}

#[test]
fn errors_name_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("tables");
    fs::write(&blocked, "a file where a folder should be").unwrap();
    let error = report::write(folder.path(), &contents()).unwrap_err();
    assert!(error.path.starts_with(&blocked), "{error}");
}

#[test]
fn nothing_at_all_is_still_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let contents = Contents { file: "empty.pd".to_string(), ..Contents::default() };
    let written = report::write(folder.path(), &contents).unwrap();
    assert_eq!(written.files.len(), 2);
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("<h1>empty.pd</h1>"));
}

/// Concepts of units, which wander with `shift`.
fn concept(unit: usize, shift: usize) -> (String, &'static str, bool) {
    let categories = ["object", "part", "scene", "material", "texture", "color"];
    let label = (unit * 37 + unit * unit / 11 + shift * (unit % 5)) % 140;
    (format!("concept <{label}>"), categories[label % 6], !unit.is_multiple_of(3) && !(unit + shift).is_multiple_of(7))
}

fn stored(bytes: Vec<u8>) -> Object {
    Object { bytes: Some(bytes.into()), ..Object::new(NodeId(0), "made up") }
}

fn summary(units: usize, shift: usize) -> Object {
    let mut labels: Vec<(String, &str, Vec<usize>)> = Vec::new();
    let mut entries = Vec::new();
    for unit in 0..units {
        let (label, category, interpretable) = concept(unit, shift);
        entries.push(serde_json::json!({ "interp": interpretable, "label": label, "cat": category }));
        match labels.iter_mut().find(|(known, ..)| *known == label) {
            _ if !interpretable => {}
            Some((.., units)) => units.push(unit),
            None => labels.push((label, category, vec![unit])),
        }
    }
    labels.sort_by_key(|(_, category, units)| (*category, std::cmp::Reverse(units.len())));
    let labels: Vec<_> = labels
        .iter()
        .map(|(label, category, units)| serde_json::json!({ "label": label, "cat": category, "units": units }))
        .collect();
    let layer = serde_json::json!({ "layer": "layer4", "units": entries, "labels": labels });
    stored(serde_json::json!({ "layers": [layer] }).to_string().into_bytes())
}

/// Strips of noise, which compresses worse than any photograph.
fn portraits(units: usize) -> Object {
    let mut roll = 1_u32;
    let mut strip = || {
        let mut noise = || {
            roll = roll.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (roll >> 26) as u8 + 90
        };
        let pixels: Vec<u8> = (0..328 * 64 * 3).map(|_| noise()).collect();
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 85);
        encoder.encode(&pixels, 328, 64, image::ExtendedColorType::Rgb8).unwrap();
        bytes
    };
    let portrait = |unit: usize| {
        let (label, category, interpretable) = concept(unit, 0);
        let category = category.to_string();
        let iou = if interpretable { 0.04 + (unit % 97) as f64 / 300.0 } else { (unit % 40) as f64 / 1000.0 };
        let strip = strip();
        let bytes = strip.len();
        let (unit, threshold, peak) = (unit + 1, 1.5, 9.25);
        Portrait { unit, label, category, iou, interpretable, threshold, peak, images: 5, width: 328, bytes, strip }
    };
    let units = (0..units).map(portrait).collect();
    stored(Portraits { layer: "layer4".to_string(), side: 64, units }.encode().unwrap())
}

fn with_pictures(units: usize) -> Contents {
    let entry = |name: &str, spec| Entry { name: name.to_string(), docs: String::new(), place: None, spec };
    let absent = Object::new(NodeId(0), "made up");
    let plots = vec![
        entry("faces", PlotSpec::Gallery { portraits: portraits(units) }),
        entry("bars", PlotSpec::ConceptBars { summary: summary(units, 0) }),
        entry("moves", PlotSpec::ConceptChanges { from: summary(units, 0), to: summary(units, 1) }),
        entry("failed", PlotSpec::ConceptBars { summary: absent }),
    ];
    Contents { plots, ..contents() }
}

#[test]
fn units_are_pictured_on_the_page_and_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let written = report::write(folder.path(), &with_pictures(40)).unwrap();
    let names: Vec<_> = written.files.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    for name in ["faces.svg", "bars.svg", "bars.vl.json", "moves.svg", "moves.vl.json", "failed.svg"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert!(!names.contains(&"faces.vl.json") && !names.contains(&"failed.vl.json"));
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert_eq!(page.matches("<img ").count(), 40);
    assert_eq!(page.matches("src=").count(), page.matches("src=\"data:image/jpeg;base64,").count());
    assert!(page.contains("no result") && !page.contains("<12>") && !page.contains("concept <"));
    for name in ["faces", "bars", "moves"] {
        let drawn = fs::read_to_string(folder.path().join(format!("plots/{name}.svg"))).unwrap();
        assert!(!drawn.contains("=\"NaN") && !drawn.contains("concept <"), "{name}");
    }
}

/// A page as large as they come, for a look and a measurement: `PDSL_KEEP_REPORT=folder cargo test -- --ignored`.
#[test]
#[ignore = "writes some 40 MB"]
fn a_layer_of_2048_units_is_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let keep = std::env::var("PDSL_KEEP_REPORT").map_or(folder.path().to_owned(), Into::into);
    report::write(&keep, &with_pictures(2048)).unwrap();
    assert_eq!(fs::read_to_string(keep.join("report.html")).unwrap().matches("<img ").count(), 2048);
}

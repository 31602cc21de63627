//! The rules of the standard library against the code of the four published dissectors, on the same maps and labels.
//!
//! The fixture is made by `tests/reference/dissection/tools.py`.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;

use pdsl::domain::arch::Field;
use pdsl::domain::data::{Probe, Shapes};
use pdsl::domain::dissection::{Measurement, Scoring};
use pdsl::eval::{self, External, Fingerprints, Overrides, Weights};
use pdsl::nn::data::{Roots, broden::Broden, open_probe};
use pdsl::nn::dissect::{Bench, Failure, Maps, Tallies, dissect, score};
use pdsl::ops::stages::dissect::DissectArgs;
use pdsl::ops::stages::score::ScoreArgs;
use pdsl::world::Machine;
use pdsl::{resolve, types};
use serde::Deserialize;

/// What one tool found.
#[derive(Deserialize)]
struct Found {
    thresholds: Vec<f64>,
    units: Vec<Best>,
}

#[derive(Deserialize)]
struct Best {
    label: String,
    category: String,
    iou: f64,
}

#[derive(Deserialize)]
struct Fixture {
    field: [i64; 3],
    shape: [usize; 4],
    maps: String,
    netdissect2017: Found,
    lite2018: Found,
    quick2018: Found,
    pnas2020: Found,
}

/// Knows no data.
struct Nothing;

impl Fingerprints for Nothing {
    fn digest(&self, _: External<'_>) -> Option<String> {
        None
    }

    fn weights(&self, _: &str) -> std::io::Result<Weights> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// What the language makes of rules.
fn rules(name: &str) -> (Measurement, Scoring) {
    let text = format!(
        "import std.data.{{shapes_probe}}\nimport std.dissect.{{dissect, {name}}}\nimport std.models.{{tiny_resnet}}\n\
         let runs = sweep seed in seeds(1) {{\n\
         let s = tiny_resnet(classes: 6, channels: 3, size: 32) |> init(seed)\n\
         {{ units: dissect(s, data: shapes_probe(size: 32, images: 60, seed: 9), layer: \"layer3\", rules: {name}).units }}\n\
         }}\ntable counts = runs |> summary(by: [], over: .seed, show: [mean])\n"
    );
    let typed = types::check(resolve::link_text(&Machine, "rules.pd", &text));
    assert!(typed.is_sound(), "{}", pdsl::diag::render::short(&typed.diagnostics, &typed.linked.sources));
    let program = eval::evaluate(&typed, &Overrides::default(), &Nothing).unwrap();
    let of = |op: &str| program.graph.iter().map(|(_, node)| node).find(|node| node.op == op).unwrap();
    let measured: DissectArgs = of("dissect").args.parse().unwrap();
    let scored: ScoreArgs = of("score").args.parse().unwrap();
    (measured.measurement, scored.scoring)
}

/// Gives the maps of whatever images it is shown.
struct Recorded {
    maps: Vec<Vec<f32>>,
    /// Places of images by their pixels.
    places: BTreeMap<Vec<u32>, usize>,
}

fn bits(pixels: &[f32]) -> Vec<u32> {
    pixels.iter().map(|value| value.to_bits()).collect()
}

impl Recorded {
    fn new(fixture: &Fixture, probe: &Broden) -> Self {
        let bytes: Vec<u8> = (0..fixture.maps.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&fixture.maps[at..at + 2], 16).unwrap())
            .collect();
        let values: Vec<f32> = bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
        let one = fixture.shape[1..].iter().product();
        let mut pixels = vec![0.0; probe.shape().values()];
        let places = (0..probe.len()).map(|place| {
            probe.fill(place, &mut pixels).unwrap();
            (bits(&pixels), place)
        });
        let places: BTreeMap<_, _> = places.collect();
        assert_eq!(places.len(), probe.len(), "no two images are alike");
        Self { maps: values.chunks(one).map(<[f32]>::to_vec).collect(), places }
    }

    fn show(&self, pixels: &[f32], images: usize, shape: [usize; 4]) -> Maps {
        let each = pixels.chunks(pixels.len() / images);
        let values = each.flat_map(|image| self.maps[self.places[&bits(image)]].iter().copied()).collect();
        Maps { units: shape[1], height: shape[2], width: shape[3], values }
    }
}

#[test]
fn all_four_tools_are_followed() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/dissection.json")).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let set = Probe::Shapes(Shapes { size: 32, images: 60, seed: 9 });
    let probe = open_probe(&set, None, &Roots::new(), cache.path()).unwrap();
    let recorded = Recorded::new(&fixture, &probe);
    let [offset, size, step] = fixture.field;
    let bench = Bench { field: Some(Field { offset, size, step }), ..Bench::new(&probe, 2) };
    let tools = [
        ("netdissect2017", &fixture.netdissect2017),
        ("lite2018", &fixture.lite2018),
        ("quick2018", &fixture.quick2018),
        ("pnas2020", &fixture.pnas2020),
    ];
    for (name, expected) in tools {
        let (measurement, scoring) = rules(name);
        let mut network = |pixels: &[f32], images: usize| -> Result<Maps, Failure> {
            Ok(recorded.show(pixels, images, fixture.shape))
        };
        let found = dissect(&mut network, &bench, &measurement, &mut ()).unwrap();
        let tallies = Tallies::decode(&found.tallies).unwrap();
        let units = score(&tallies, &scoring).units;
        assert_eq!(units.len(), expected.units.len());
        for (unit, best) in units.iter().zip(&expected.units) {
            let threshold = f64::from(tallies.heading.units[unit.unit].threshold);
            let wanted = expected.thresholds[unit.unit];
            assert!((threshold - wanted).abs() <= 1e-6 * wanted.abs(), "{name} {}: {threshold} {wanted}", unit.unit);
            assert!((unit.score() - best.iou).abs() < 1e-6, "{name} {}: {} {}", unit.unit, unit.score(), best.iou);
            if let Some(own) = unit.best() {
                let category = &tallies.heading.categories[own.category];
                let label = &tallies.heading.labels[own.label as usize];
                assert_eq!((label, category), (&best.label, &best.category), "{name} {}", unit.unit);
            }
        }
        assert!(units.iter().any(|unit| unit.score() > 0.02), "{name} finds something");
    }
}

//! What dissection costs beyond the network: thresholds, masks and counts of 2048 units on labels of 112 × 112 pixels, with
//! reading pictures and without.
//!
//! `cargo bench --bench dissection` prints milliseconds per image. With `--maps FILE` it writes the maps and masks' sizes for
//! `benches/vs_netdissect.py`, which times NetDissect-Lite's own code on the same.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may fail, and prints its figures")]

use std::time::Instant;

use pdsl::domain::data::{Probe, Shapes};
use pdsl::domain::dissection::{
    Activations, Counted, Enlarge, Estimate, Measurement, Null, NullTest, Portion, Repeats, Resampling, Scoring,
};
use pdsl::domain::seed::Seed;
use pdsl::nn::data::{Roots, open_probe};
use pdsl::nn::dissect::{Bench, Failure, Maps, Masks, Tallies, bootstrap, dissect, null_test, score};
use pdsl::nn::rng::Stream;

const UNITS: usize = 2048;
const SIDE: usize = 7;
const IMAGES: usize = 200;

/// Maps like those of a rectified last layer: few blobs, most values 0.
fn maps(image: u64) -> Vec<f32> {
    let mut numbers = Stream::new(&Seed { root: 1, stream: Vec::new() }, "maps").at(0, image);
    let mut values = Vec::with_capacity(UNITS * SIDE * SIDE);
    for _ in 0..UNITS {
        let [y, x] = [0, 1].map(|_| numbers.uniform() * SIDE as f64);
        let strength = (numbers.normal() - 0.5).max(0.0);
        values.extend((0..SIDE * SIDE).map(|place| {
            let [dy, dx] = [(place / SIDE) as f64 - y, (place % SIDE) as f64 - x];
            (strength * (-(dy * dy + dx * dx) / 4.0).exp() + 0.05 * numbers.uniform() - 0.03).max(0.0) as f32
        }));
    }
    values
}

fn main() {
    let cache = tempfile::tempdir().unwrap();
    let set = Probe::Shapes(Shapes { size: 224, images: IMAGES as u64, seed: 3 });
    let probe = open_probe(&set, None, &Roots::new(), cache.path()).unwrap();
    let all: Vec<Vec<f32>> = (0..IMAGES as u64).map(maps).collect();
    if let Some(file) = std::env::args().skip_while(|word| word != "--maps").nth(1) {
        let bytes: Vec<u8> = all.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        std::fs::write(&file, bytes).unwrap();
        println!("wrote {file}; the probe is in {}", cache.keep().display());
        return;
    }
    let lite = Measurement {
        layer: "layer4".to_owned(),
        images: Portion::All,
        first: 0,
        categories: ["object", "part", "scene", "texture", "color"].map(str::to_owned).to_vec(),
        pixels: None,
        quantile: 0.005,
        quantile_on: Activations::Raw,
        estimate: Estimate::Table,
        enlarge: Enlarge::Pillow,
        repeats: Repeats::Each,
        rotation: None,
        batch: 32,
    };
    let scoring =
        Scoring { counted: Counted::Overlap, iou: 0.04, above: false, choose: Portion::All, on: Portion::All };
    println!("{IMAGES} images, {UNITS} units of {SIDE} × {SIDE}, labels of 112 × 112; milliseconds per image");
    let mut tallies = Vec::new();
    let mut masks = Vec::new();
    for threads in [1, 2] {
        for (name, enlarge) in [("pillow", Enlarge::Pillow), ("half_pixel", Enlarge::HalfPixel)] {
            let measurement = Measurement { enlarge, ..lite.clone() };
            let mut at = 0;
            let mut network = |_: &[f32], images: usize| -> Result<Maps, Failure> {
                let values = (at..at + images).flat_map(|image| all[image % IMAGES].iter().copied()).collect();
                at += images;
                Ok(Maps { units: UNITS, height: SIDE, width: SIDE, values })
            };
            let began = Instant::now();
            let found = dissect(&mut network, &Bench::new(&probe, threads), &measurement, &mut ()).unwrap();
            let each = began.elapsed().as_secs_f64() * 1e3 / IMAGES as f64;
            println!(
                "{name}, {threads} threads: {each:.2} (tallies {} bytes, masks {} bytes an image)",
                found.tallies.len() / IMAGES,
                found.masks.len() / IMAGES
            );
            (tallies, masks) = (found.tallies, found.masks);
        }
    }
    let read = Tallies::decode(&tallies).unwrap();
    let time = |name: &str, work: &mut dyn FnMut()| {
        let began = Instant::now();
        work();
        println!("{name}: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    };
    time("decode tallies", &mut || drop(Tallies::decode(&tallies).unwrap()));
    time("score", &mut || drop(score(&read, &scoring)));
    let seed = Seed { root: 1, stream: Vec::new() };
    let resampling = Resampling { times: 16, seed: seed.clone() };
    time("bootstrap, 16 times, 2 threads", &mut || drop(bootstrap(&read, &scoring, &resampling, 2, &mut ()).unwrap()));
    let selection = probe.select(&lite.categories).unwrap();
    for (name, null) in [("permutation", Null::Permutation), ("shift", Null::Shift)] {
        let test = NullTest { null, times: 16, seed: seed.clone() };
        time(&format!("{name} null, 16 times, 2 threads"), &mut || {
            let mut labels = |row: usize| probe.segmentation(row, &selection).map_err(Into::into);
            let masks = Masks::open(&masks).unwrap();
            drop(null_test(&read, masks, &mut labels, &scoring, &test, 2, &mut ()).unwrap());
        });
    }
}

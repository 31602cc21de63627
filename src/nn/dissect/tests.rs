//! Agreement with a plain computation that shares no code with the real one: it reads the directory itself, enlarges
//! every map in full, and counts pixel by pixel.

use std::fs;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};

use super::*;
use crate::domain::data::Shapes;
use crate::domain::dissection::{Counted, Portion};
use crate::nn::data::{Normalisation, shapes};

// ---- the plain computation ----------------------------------------------------------------------------------------

/// A table as rows of cells, header first.
fn table(path: &Path) -> Vec<Vec<String>> {
    fs::read_to_string(path).unwrap().lines().map(|row| row.split(',').map(str::to_owned).collect()).collect()
}

fn column(table: &[Vec<String>], name: &str) -> usize {
    table[0].iter().position(|cell| cell == name).unwrap()
}

/// Everything that a dissection of a directory should count.
struct Plain {
    thresholds: Vec<f32>,
    truth: Vec<u64>,
    /// By unit and label; of labels whose category is not chosen, nothing is asked.
    activation: Vec<Vec<u64>>,
    both: Vec<Vec<u64>>,
    categories: Vec<String>,
    /// Primary category of each label.
    primary: Vec<usize>,
}

/// Weights of one output position, for all input positions.
fn weights(position: usize, from: usize, to: usize) -> Vec<f64> {
    let scale = from as f64 / to as f64;
    let centre = (position as f64 + 0.5) * scale;
    let raw: Vec<f64> =
        (0..from).map(|x| (1.0 - ((x as f64 + 0.5 - centre) / scale.max(1.0)).abs()).max(0.0)).collect();
    let total: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| weight / total).collect()
}

/// Enlarges a map, columns first, rounding in between.
fn enlarge(map: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let mut wide = vec![0.0_f32; from[0] * to[1]];
    for y in 0..from[0] {
        for x in 0..to[1] {
            let weights = weights(x, from[1], to[1]);
            wide[y * to[1] + x] =
                (0..from[1]).map(|i| weights[i] * f64::from(map[y * from[1] + i])).sum::<f64>() as f32;
        }
    }
    let mut full = vec![0.0_f32; to[0] * to[1]];
    for y in 0..to[0] {
        let weights = weights(y, from[0], to[0]);
        for x in 0..to[1] {
            full[y * to[1] + x] = (0..from[0]).map(|i| weights[i] * f64::from(wide[i * to[1] + x])).sum::<f64>() as f32;
        }
    }
    full
}

/// Dissects a directory the slow way. `maps` gives the maps of an image by its name.
fn plain(directory: &Path, chosen: &[&str], quantile: f64, maps: &dyn Fn(&str) -> Maps) -> Plain {
    let listed = table(&directory.join("category.csv"));
    let categories: Vec<String> =
        listed[1..].iter().map(|row| row[0].clone()).filter(|name| chosen.contains(&name.as_str())).collect();
    let index = table(&directory.join("index.csv"));
    let cells = |row: &[String]| -> Vec<Vec<String>> {
        let split = |cell: &str| cell.split(';').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        categories.iter().map(|name| split(&row[column(&index, name)])).collect()
    };
    let rows: Vec<&Vec<String>> =
        index[1..].iter().filter(|row| cells(row).iter().flatten().any(|part| part != "0")).collect();
    let all: Vec<Maps> = rows.iter().map(|row| maps(&row[0])).collect();
    let (units, from) = (all[0].units, [all[0].height, all[0].width]);
    let plane = from[0] * from[1];
    let map = |image: usize, unit: usize| &all[image].values[unit * plane..(unit + 1) * plane];

    let mut thresholds = Vec::new();
    for unit in 0..units {
        let mut values: Vec<f32> = (0..rows.len()).flat_map(|image| map(image, unit).to_vec()).collect();
        values.sort_by(|a, b| b.partial_cmp(a).unwrap());
        let few = |value: f32| values.iter().filter(|&&v| v > value).count() as f64 <= quantile * values.len() as f64;
        thresholds.push(*values.iter().rev().find(|&&value| few(value)).unwrap());
    }

    let labels =
        1 + table(&directory.join("label.csv"))[1..].iter().map(|row| row[0].parse::<usize>().unwrap()).max().unwrap();
    let mut primary = vec![0; labels];
    let mut most = vec![-1.0; labels];
    for (number, name) in categories.iter().enumerate() {
        let codes = table(&directory.join(format!("c_{name}.csv")));
        let mut coverage = vec![0.0; labels];
        for row in &codes[1..] {
            coverage[row[1].parse::<usize>().unwrap()] = row[4].parse().unwrap();
        }
        for label in 0..labels {
            if coverage[label] >= most[label] {
                (most[label], primary[label]) = (coverage[label], number);
            }
        }
    }

    let mut truth = vec![0; labels];
    let mut by_category = vec![vec![0; categories.len()]; units];
    let mut both = vec![vec![0; labels]; units];
    for (image, row) in rows.iter().enumerate() {
        let [height, width] = ["sh", "sw"].map(|name| row[column(&index, name)].parse::<usize>().unwrap());
        let mut at: Vec<Vec<usize>> = vec![Vec::new(); height * width];
        for part in cells(row).into_iter().flatten() {
            if let Ok(label) = part.parse::<usize>() {
                at.iter_mut().for_each(|labels| labels.push(label));
            } else {
                let picture = image::open(directory.join("images").join(part)).unwrap().into_rgb8();
                for (pixel, rgb) in picture.pixels().enumerate() {
                    at[pixel].push(usize::from(rgb[0]) + 256 * usize::from(rgb[1]));
                }
            }
        }
        at.iter_mut().for_each(|labels| labels.retain(|&label| label != 0));
        at.iter().flatten().for_each(|&label| truth[label] += 1);
        for unit in 0..units {
            let full = enlarge(map(image, unit), from, [height, width]);
            let mask: Vec<usize> = (0..full.len()).filter(|&pixel| full[pixel] > thresholds[unit]).collect();
            let mut touched = vec![false; categories.len()];
            for &label in mask.iter().flat_map(|&pixel| &at[pixel]) {
                both[unit][label] += 1;
                touched[primary[label]] = true;
            }
            for category in (0..categories.len()).filter(|&category| touched[category]) {
                by_category[unit][category] += mask.len() as u64;
            }
        }
    }
    let activation = by_category.iter().map(|sums| primary.iter().map(|&category| sums[category]).collect()).collect();
    Plain { thresholds, truth, activation, both, categories, primary }
}

/// Compares all counts, through the recorded tallies and through the table of best labels.
fn agree(found: &Dissected, plain: &Plain) {
    let recorded = Tallies::decode(&found.tallies).unwrap();
    let units = score(&recorded, &LITE).units;
    let bits = |values: &[f32]| values.iter().map(|value| (value + 0.0).to_bits()).collect::<Vec<_>>();
    let thresholds: Vec<f32> = recorded.heading.units.iter().map(|unit| unit.threshold).collect();
    assert_eq!(bits(&thresholds), bits(&plain.thresholds));
    assert_eq!(recorded.heading.categories, plain.categories);
    let labels = plain.truth.len();
    let mut truth = vec![0; labels];
    let mut both = vec![vec![0; labels]; units.len()];
    for image in &recorded.images {
        image.labels.iter().for_each(|&(label, pixels)| truth[label as usize] += u64::from(pixels));
        for unit in &image.units {
            for &(label, pixels) in &unit.overlaps {
                both[unit.unit as usize][label as usize] += u64::from(pixels);
            }
        }
    }
    assert_eq!(truth, plain.truth);
    assert_eq!(both, plain.both);
    for (unit, row) in units.iter().enumerate() {
        for (category, name) in plain.categories.iter().enumerate() {
            let mut best: Option<(usize, f64)> = None;
            for label in (1..labels).filter(|&label| plain.primary[label] == category) {
                let shared = plain.both[unit][label] as f64;
                let union = plain.activation[unit][label] as f64 + plain.truth[label] as f64 - shared;
                if shared > 0.0 && best.is_none_or(|(_, iou)| shared / union > iou) {
                    best = Some((label, shared / union));
                }
            }
            let found = row.by_category[category].as_ref();
            assert_eq!(found.map(|m| (m.label as usize, m.iou)), best, "unit {unit}, {name}");
            if let Some(found) = found {
                let label = found.label as usize;
                let counts = [plain.truth[label], plain.activation[unit][label], plain.both[unit][label]];
                assert_eq!([found.truth, found.activation, found.intersect], counts, "unit {unit}, {name}");
            }
        }
    }
}

/// NetDissect-Lite's scoring.
const LITE: Scoring =
    Scoring { counted: Counted::Overlap, iou: 0.04, above: false, choose: Portion::All, on: Portion::All };

fn spec(categories: &[&str], quantile: f64, batch: usize) -> Measurement {
    let categories = categories.iter().map(|&name| name.to_owned()).collect();
    Measurement { categories, quantile, batch, ..Measurement::lite("layer") }
}

/// Categories of NetDissect-Lite.
const CATEGORIES: [&str; 5] = ["object", "part", "scene", "texture", "color"];

// ---- shapes -------------------------------------------------------------------------------------------------------

/// Twelve hand-made units on `size` × `size` images: differences of colours, edges and blobs, averaged over windows.
fn filters(pixels: &[f32], size: usize, side: usize) -> Vec<f32> {
    let at = |c: usize, y: usize, x: usize| pixels[(c * size + y.min(size - 1)) * size + x.min(size - 1)];
    let step = size / side;
    let mut values = Vec::new();
    for unit in 0..12 {
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y * step, x * step))) {
            let mut sum = 0.0;
            for (y, x) in (0..step).flat_map(|dy| (0..step).map(move |dx| (y + dy, x + dx))) {
                let [r, g, b] = [0, 1, 2].map(|c| at(c, y, x));
                sum += match unit {
                    0 => r - g.max(b),
                    1 => (g - r.max(b)).max(0.0),
                    2 => (b - r.max(g)).max(0.0),
                    3 => r.min(g) - b,
                    4 => -(r + g + b),
                    5 => r.min(g).min(b),
                    6 => (at(1, y, x + 1) - g).abs(),
                    7 => (at(1, y + 1, x) - g).abs(),
                    8 => (at(0, y + 1, x + 1) - 2.0 * r + at(0, y + 2, x)).max(0.0),
                    9 => (r - 1.9).max(0.0),
                    10 => 0.0,
                    _ => -1.0,
                };
            }
            values.push(sum / (step * step) as f32);
        }
    }
    values
}

#[test]
fn shapes_are_dissected_as_in_the_plain_computation() {
    let cache = tempfile::tempdir().unwrap();
    for (size, sides) in [(16, [4, 16]), (32, [2, 8])] {
        let directory = shapes::write(&Shapes { size, images: 48, seed: 11 }, cache.path()).unwrap();
        let probe = Broden::open(&directory, Normalisation::SHAPES).unwrap();
        for side in sides {
            let maps = |values| Maps { units: 12, height: side, width: side, values };
            let of = |name: &str| {
                let rgb = image::open(directory.join("images").join(name)).unwrap().into_rgb8();
                let mut pixels = vec![0.0; 3 * size * size];
                Normalisation::SHAPES.planes(rgb.as_raw(), &mut pixels);
                maps(filters(&pixels, size, side))
            };
            for quantile in [0.005, 0.05] {
                let expected = plain(&directory, &CATEGORIES, quantile, &of);
                let mut network = |pixels: &[f32], _: usize| {
                    Ok(maps(pixels.chunks(3 * size * size).flat_map(|image| filters(image, size, side)).collect()))
                };
                let spec = spec(&CATEGORIES, quantile, 7);
                let found = dissect(&mut network, &Bench::new(&probe, 2), &spec, &mut ()).unwrap();
                agree(&found, &expected);
                let measures = score(&Tallies::decode(&found.tallies).unwrap(), &LITE).measures;
                assert_eq!(["total", "dead"].map(|name| measures[name] as u32), [12, 2]);
            }
        }
    }
}

#[test]
fn colour_filters_are_found_to_detect_their_colours() {
    let cache = tempfile::tempdir().unwrap();
    let directory = shapes::write(&Shapes { size: 32, images: 200, seed: 1 }, cache.path()).unwrap();
    let probe = Broden::open(&directory, Normalisation::SHAPES).unwrap();
    let mut network = |pixels: &[f32], _: usize| {
        let values = pixels.chunks(3072).flat_map(|image| filters(image, 32, 16)).collect();
        Ok(Maps { units: 12, height: 16, width: 16, values })
    };
    let found = dissect(&mut network, &Bench::new(&probe, 2), &spec(&CATEGORIES, 0.05, 0), &mut ()).unwrap();
    let tallies = Tallies::decode(&found.tallies).unwrap();
    let scored = score(&tallies, &LITE);
    for (unit, colour) in [(0, "red-c"), (1, "green-c"), (2, "blue-c"), (3, "yellow-c"), (5, "white-c")] {
        let best = scored.units[unit].best().unwrap();
        assert_eq!(probe.label(best.label), colour);
        assert!(best.iou > 0.2, "{colour}: {}", best.iou);
    }
    assert_eq!(scored.units[10].best(), None);
    let files = files(&tallies, &scored.units, &LITE).unwrap();
    let table = String::from_utf8(files.table).unwrap();
    assert!(table.starts_with("unit,category,label,score,"), "{table}");
    assert_eq!(table.lines().count(), 13);
    let summary: serde_json::Value = serde_json::from_slice(&files.summary).unwrap();
    let layer = &summary["layers"][0];
    assert_eq!(layer["interpretable"].as_f64(), Some(scored.measures["units"]));
    assert_eq!(layer["units"][0]["label"], "red-c");
    assert_eq!(layer["units"][0]["top"].as_array().unwrap().len(), 20);
}

// ---- adversarial maps ---------------------------------------------------------------------------------------------

/// Images of the adversarial probe.
const IMAGES: usize = 37;

/// Pseudo-random numbers below `bound`.
fn dice(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move |bound| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    }
}

/// Writes a probe full of oddities: label maps of two sizes, neither square; several layers that overlap; labels of two
/// categories; labels above 255; whole-image labels; a category with nothing; images with nothing.
fn odd_probe(directory: &Path) {
    fs::create_dir_all(directory.join("images")).unwrap();
    let tables = [
        (
            "category.csv",
            "name,first,last,count,frequency\npart,1,4,3,9\nmaterial,9,9,1,9\nobject,2,300,4,9\nscene,5,6,2,9\ntexture,7,7,1,9\n",
        ),
        (
            "label.csv",
            "number,name,category,frequency,coverage,syns\n1,a,part(1),1,1,\n2,b,object(1);part(1),1,1,\n3,c,object(1),1,1,\n4,d,part(1);object(1),1,1,\n5,e-s,scene(1),1,1,\n6,f-s,scene(1),1,1,\n7,g,texture(1),1,1,\n9,h,material(1),1,1,\n300,i,object(1),1,1,\n",
        ),
        ("c_part.csv", "code,number,name,frequency,coverage\n1,1,a,1,1\n2,2,b,1,0.5\n3,4,d,1,2\n"),
        ("c_object.csv", "code,number,name,frequency,coverage\n1,2,b,1,0.75\n2,3,c,1,1\n3,4,d,1,2\n4,300,i,1,1\n"),
        ("c_scene.csv", "code,number,name,frequency,coverage\n1,5,e-s,1,1\n2,6,f-s,1,1\n"),
        ("c_texture.csv", "code,number,name,frequency,coverage\n1,7,g,1,1\n"),
        ("c_material.csv", "code,number,name,frequency,coverage\n1,9,h,1,1\n"),
    ];
    for (name, text) in tables {
        fs::write(directory.join(name), text).unwrap();
    }
    let mut roll = dice(1);
    let mut index = "image,split,ih,iw,sh,sw,part,material,object,scene,texture\n".to_owned();
    for image in 0..IMAGES {
        let name = format!("{image}.png");
        RgbImage::from_pixel(4, 6, Rgb([image as u8, 0, 0])).save(directory.join("images").join(&name)).unwrap();
        let (height, width) = if image % 3 == 0 { (5, 13) } else { (9, 8) };
        let mut layer = |kind: &str, labels: &[u32]| {
            let name = format!("{image}_{kind}.png");
            let mut picture = RgbImage::new(width, height);
            for pixel in picture.pixels_mut() {
                let label = labels[roll(labels.len() as u64) as usize];
                *pixel = Rgb([(label % 256) as u8, (label / 256) as u8, 77]);
            }
            picture.save(directory.join("images").join(&name)).unwrap();
            name
        };
        let material = layer("material", &[0, 9]);
        let cells = match image % 7 {
            0 => format!("{material},,,"),
            1 => format!("{material},,0,"),
            2 => format!("{material},{},5;6,7", layer("object", &[0, 2, 3, 300])),
            3 => format!(",{};{},6,", layer("object_1", &[2, 4]), layer("object_2", &[2, 0])),
            4 => format!(",3;{},,7", layer("object", &[0, 0, 0, 0, 300])),
            5 => ",,5,".to_owned(),
            _ => format!(",{},,", layer("object", &[0])),
        };
        let part = match image % 4 {
            2 => format!("{};{}", layer("part_1", &[0, 1, 4]), layer("part_2", &[1, 2])),
            3 => layer("part", &[0, 0, 4, 2]),
            _ => String::new(),
        };
        index += &[name, format!("train,6,4,{height},{width}"), part, cells].join(",");
        index.push('\n');
    }
    fs::write(directory.join("index.csv"), index).unwrap();
}

/// Units that try to confuse thresholds and masks, on 3 × 2 maps.
fn odd_maps(image: usize) -> Vec<f32> {
    let mut roll = dice(image as u64 + 100);
    let mut values = Vec::new();
    for unit in 0..12 {
        for _ in 0..6 {
            let fine = roll(1 << 20) as f32 / 1000.0 - 500.0;
            values.push(match unit {
                0 => fine,
                1 => roll(3) as f32,
                2 => f32::from(u8::from(roll(100) == 0)) * fine.abs(),
                3 => -1.0 - roll(5) as f32,
                4 => 0.0,
                5 => 3.0,
                6 => [0.0, -0.0, 1e-40, -1e-40][roll(4) as usize],
                7 => [1.0, 1.0 + f32::EPSILON][roll(2) as usize],
                8 => {
                    if image == 20 {
                        7.0
                    } else {
                        0.0
                    }
                }
                9 => fine.max(0.0),
                10 => (fine / 100.0).floor(),
                _ => {
                    if roll(8) == 0 {
                        f32::MAX
                    } else {
                        f32::MIN_POSITIVE
                    }
                }
            });
        }
    }
    values
}

/// Tells an image by its first pixel.
fn number(pixels: &[f32]) -> usize {
    ((pixels[0] * 0.25 + 0.5) * 255.0).round() as usize
}

#[expect(clippy::unnecessary_wraps, reason = "a network may fail")]
fn odd_network(pixels: &[f32], _: usize) -> Result<Maps, Failure> {
    let values = pixels.chunks(72).flat_map(|image| odd_maps(number(image))).collect();
    Ok(Maps { units: 12, height: 3, width: 2, values })
}

fn odd() -> (tempfile::TempDir, PathBuf, Broden) {
    let directory = tempfile::tempdir().unwrap();
    odd_probe(directory.path());
    let probe = Broden::open(directory.path(), Normalisation::SHAPES).unwrap();
    let path = directory.path().to_owned();
    (directory, path, probe)
}

#[test]
fn odd_maps_are_dissected_as_in_the_plain_computation() {
    let (_guard, directory, probe) = odd();
    let of = |name: &str| {
        let image = name.strip_suffix(".png").unwrap().parse().unwrap();
        Maps { units: 12, height: 3, width: 2, values: odd_maps(image) }
    };
    let choices: [&[&str]; 4] = [
        &["object", "part", "scene", "texture"],
        &["part", "material"],
        &["scene"],
        &["texture", "scene", "material", "part", "object"],
    ];
    for chosen in choices {
        for quantile in [0.005, 0.1, 0.4, 0.9] {
            let found = dissect(&mut odd_network, &Bench::new(&probe, 2), &spec(chosen, quantile, 5), &mut ()).unwrap();
            agree(&found, &plain(&directory, chosen, quantile, &of));
        }
    }
}

#[test]
fn batches_threads_and_room_change_nothing() {
    let (_guard, _, probe) = odd();
    let chosen = ["object", "part", "scene"];
    let run = |room, batch, threads| {
        let bench = Bench { room, ..Bench::new(&probe, threads) };
        dissect(&mut odd_network, &bench, &spec(&chosen, 0.1, batch), &mut ()).unwrap()
    };
    let first = run(KEPT, 0, 1);
    for (room, batch, threads) in [(KEPT, 1, 4), (0, 1, 1), (0, 64, 3), (500, 4, 2), (KEPT, 36, 2)] {
        assert!(run(room, batch, threads) == first, "{room} {batch} {threads}");
    }
}

#[test]
fn images_without_a_chosen_category_do_not_count() {
    let (_guard, _, probe) = odd();
    let mut seen = Vec::new();
    let mut network = |pixels: &[f32], images: usize| {
        seen.extend(pixels.chunks(72).map(number));
        odd_network(pixels, images)
    };
    let found = dissect(&mut network, &Bench::new(&probe, 1), &spec(&["texture"], 0.1, 3), &mut ()).unwrap();
    let expected: Vec<usize> = (0..IMAGES).filter(|image| matches!(image % 7, 2 | 4)).collect();
    assert_eq!(seen, expected);
    assert_eq!(found.measures["images"] as usize, expected.len());
}

// ---- what can go wrong --------------------------------------------------------------------------------------------

#[test]
fn values_that_are_not_finite_are_located() {
    let (_guard, _, probe) = odd();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut network = |pixels: &[f32], images: usize| {
            let mut maps = odd_network(pixels, images)?;
            for (place, image) in pixels.chunks(72).map(number).enumerate() {
                if image >= 11 {
                    maps.values[place * 72 + 4 * 6 + 2] = bad;
                }
            }
            Ok(maps)
        };
        let error = dissect(&mut network, &Bench::new(&probe, 2), &spec(&["object"], 0.1, 8), &mut ()).unwrap_err();
        assert!(matches!(error, DissectError::NotFinite { unit: 5, image: 12 }), "{error}");
    }
}

#[test]
fn nonsense_is_refused() {
    let (_guard, _, probe) = odd();
    let failure = |network: &mut dyn Activations, spec: &Measurement| {
        dissect(network, &Bench::new(&probe, 1), spec, &mut ()).unwrap_err().to_string()
    };
    for quantile in [0.0, 1.0, -1.0, f64::NAN] {
        assert!(failure(&mut odd_network, &spec(&["object"], quantile, 4)).contains("not between 0 and 1"));
    }
    assert!(failure(&mut odd_network, &spec(&["colour"], 0.1, 4)).contains("no category `colour`"));
    let mut broken = |_: &[f32], _: usize| Err("no such layer".into());
    assert!(failure(&mut broken, &spec(&["object"], 0.1, 4)).contains("no such layer"));
    let mut short = |_: &[f32], _: usize| Ok(Maps { units: 2, height: 2, width: 2, values: vec![0.0; 8] });
    assert!(failure(&mut short, &spec(&["object"], 0.1, 4)).contains("not those it announces"));
    let mut calls = 0;
    let mut growing = |_: &[f32], images: usize| {
        calls += 1;
        Ok(Maps { units: calls, height: 1, width: 1, values: vec![0.0; images * calls] })
    };
    assert!(failure(&mut growing, &spec(&["object"], 0.1, 4)).contains("change their size"));
}

#[test]
fn progress_counts_both_passes_and_a_stop_is_heard() {
    struct Patience(Vec<(usize, usize)>, usize);
    impl Watch for Patience {
        fn progress(&mut self, done: usize, total: usize) {
            self.0.push((done, total));
        }
        fn stop(&mut self) -> bool {
            self.0.len() >= self.1
        }
    }
    let (_guard, _, probe) = odd();
    let mut patient = Patience(Vec::new(), usize::MAX);
    dissect(&mut odd_network, &Bench::new(&probe, 1), &spec(&["scene"], 0.1, 4), &mut patient).unwrap();
    let images = probe.select(&["scene".to_owned()]).unwrap().images.len();
    assert_eq!(patient.0.last(), Some(&(2 * images, 2 * images)));
    assert!(patient.0.is_sorted());
    let mut hasty = Patience(Vec::new(), 2);
    let error = dissect(&mut odd_network, &Bench::new(&probe, 1), &spec(&["scene"], 0.1, 4), &mut hasty).unwrap_err();
    assert!(matches!(error, DissectError::Stopped));
    assert_eq!(hasty.0.len(), 2);
}

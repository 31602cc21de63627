//! A set of shapes in Broden's layout on disk.
//!
//! Numbers, split, order of rows and the tables' columns follow the rules by which Broden itself was built, except
//! that rare labels are kept: a small set would lose most of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use md5::{Digest, Md5};
use rayon::prelude::*;

use super::paint::{CONCEPTS, FIRST_SCENE, LAYERS, concept, label, render};
use super::scene::Scene;
use super::{VERSION, check};
use crate::domain::data::Shapes;
use crate::nn::data::DataError;

/// Share of images for training, by the hash of their names.
const TRAIN: f64 = 0.7;

/// Writes a set into `cache` unless it is there already, and returns its directory, which appears complete or not at
/// all. The same parameters give the same bytes.
///
/// # Errors
/// If the set cannot be generated ([`check`]) or the directory cannot be written.
pub fn write(set: &Shapes, cache: &Path) -> Result<PathBuf, DataError> {
    check(set)?;
    let name = format!("shapes-v{VERSION}-{}px-{}-seed{}", set.size, set.images, set.seed);
    let directory = cache.join(&name);
    if directory.is_dir() {
        return Ok(directory);
    }
    let draft = cache.join(format!(".{name}.{}", std::process::id()));
    let written = draw_up(set, &draft).and_then(|()| match fs::rename(&draft, &directory) {
        // Somebody else wrote the same bytes first.
        Err(_) if directory.is_dir() => Ok(()),
        result => result.map_err(|error| DataError::writing(&directory, error)),
    });
    if draft.exists() {
        // What is left is rubbish under a hidden name; failing to remove it hurts nobody.
        drop(fs::remove_dir_all(&draft));
    }
    written.map(|()| directory)
}

/// Writes everything into a directory of its own.
fn draw_up(set: &Shapes, directory: &Path) -> Result<(), DataError> {
    let images = directory.join("images/shapes");
    fs::create_dir_all(&images).map_err(|error| DataError::writing(&images, error))?;
    let side = set.size / 2;
    let counts: Vec<Counts> =
        (0..set.images).into_par_iter().map(|index| count(&Scene::new(set, index), side)).collect();
    let catalogue = Catalogue::new(&counts, side * side);
    let mut rows = (0..set.images)
        .into_par_iter()
        .map(|index| save(set, index, &counts[index as usize], &catalogue, &images))
        .collect::<Result<Vec<_>, _>>()?;
    rows.sort();
    let mut index = format!("image,split,ih,iw,sh,sw,{}\n", catalogue.categories.join(","));
    rows.iter().for_each(|(_, row)| index.push_str(row));
    store(&directory.join("index.csv"), index.as_bytes())?;
    for (name, text) in catalogue.tables() {
        store(&directory.join(name), text.as_bytes())?;
    }
    Ok(())
}

/// Writes a file.
fn store(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    fs::write(path, bytes).map_err(|error| DataError::writing(path, error))
}

/// Labelled pixels of an image, by concept; a background's kind counts as all of them.
type Counts = BTreeMap<usize, usize>;

/// Counts the labels of a scene.
fn count(scene: &Scene, side: usize) -> Counts {
    let mut counts = Counts::from([(FIRST_SCENE + scene.kind, side * side)]);
    for id in label(scene, side).into_iter().flatten().flatten() {
        *counts.entry(id).or_default() += 1;
    }
    counts
}

/// A concept that occurs in the set.
struct Entry {
    category: &'static str,
    name: String,
    /// Images in which it occurs.
    frequency: usize,
    /// Sum over images of the share of pixels.
    coverage: f64,
}

/// Numbers of the labels.
struct Catalogue {
    /// Categories by their first label.
    categories: Vec<&'static str>,
    /// Label 1 and up.
    entries: Vec<Entry>,
    /// Label of each concept, 0 for those that do not occur.
    numbers: [usize; CONCEPTS],
}

impl Catalogue {
    /// Numbers labels by falling frequency, then by falling coverage, then by name.
    fn new(counts: &[Counts], pixels: usize) -> Self {
        let mut totals = vec![(0, 0); CONCEPTS];
        for (&id, &count) in counts.iter().flatten() {
            totals[id] = (totals[id].0 + 1, totals[id].1 + count);
        }
        let mut order: Vec<usize> = (0..CONCEPTS).filter(|&id| totals[id].0 > 0).collect();
        order.sort_by_key(|&id| (std::cmp::Reverse(totals[id]), concept(id).1));
        let mut catalogue = Self { categories: Vec::new(), entries: Vec::new(), numbers: [0; CONCEPTS] };
        for id in order {
            let (category, name) = concept(id);
            if !catalogue.categories.contains(&category) {
                catalogue.categories.push(category);
            }
            let coverage = totals[id].1 as f64 / pixels as f64;
            catalogue.entries.push(Entry { category, name, frequency: totals[id].0, coverage });
            catalogue.numbers[id] = catalogue.entries.len();
        }
        catalogue
    }

    /// Entries of a category with their numbers, in order.
    fn of(&self, category: &str) -> impl Iterator<Item = (usize, &Entry)> {
        (1..).zip(&self.entries).filter(move |(_, entry)| entry.category == category)
    }

    /// `label.csv`, `category.csv` and a dense coding for each category.
    fn tables(&self) -> Vec<(String, String)> {
        let mut labels = String::from("number,name,category,frequency,coverage,syns\n");
        for (number, Entry { category, name, frequency, coverage }) in (1..).zip(&self.entries) {
            put(&mut labels, format_args!("{number},{name},{category}({frequency}),{frequency},{coverage:.6},\n"));
        }
        let mut categories = String::from("name,first,last,count,frequency\n");
        let mut tables = Vec::new();
        for category in &self.categories {
            let members: Vec<_> = self.of(category).collect();
            let (Some((first, _)), Some((last, _))) = (members.first(), members.last()) else { continue };
            let frequency: usize = members.iter().map(|(_, entry)| entry.frequency).sum();
            put(&mut categories, format_args!("{category},{first},{last},{},{frequency}\n", members.len()));
            let mut codes = String::from("code,number,name,frequency,coverage\n");
            for (code, (number, Entry { name, frequency, coverage, .. })) in (1..).zip(members) {
                put(&mut codes, format_args!("{code},{number},{name},{frequency},{coverage}\n"));
            }
            tables.push((format!("c_{category}.csv"), codes));
        }
        tables.extend([("label.csv".to_owned(), labels), ("category.csv".to_owned(), categories)]);
        tables
    }
}

/// Appends to a text, which cannot fail.
fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).unwrap_or_default();
}

/// Writes an image with its label maps; returns its row and what rows are sorted by.
fn save(
    set: &Shapes,
    index: u64,
    counts: &Counts,
    catalogue: &Catalogue,
    images: &Path,
) -> Result<((u64, String), String), DataError> {
    let (size, side) = (set.size, set.size / 2);
    let scene = Scene::new(set, index);
    let stem = format!("{index:06}");
    let name = format!("shapes/{stem}.png");
    write_png(&images.join(format!("{stem}.png")), &render(&scene, size), size)?;
    let mut cells: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (layer, pixels) in LAYERS.iter().zip(label(&scene, side)) {
        if pixels.iter().all(Option::is_none) {
            continue;
        }
        let bytes: Vec<u8> = pixels
            .iter()
            .flat_map(|id| {
                let number = id.map_or(0, |id| catalogue.numbers[id]);
                [(number % 256) as u8, (number / 256) as u8, 0]
            })
            .collect();
        let file = format!("{stem}_{}.png", layer.suffix);
        write_png(&images.join(&file), &bytes, side)?;
        cells.entry(layer.category).or_default().push(format!("shapes/{file}"));
    }
    let whole = counts.keys().filter(|&&id| id >= FIRST_SCENE);
    cells.insert("scene", whole.map(|&id| catalogue.numbers[id].to_string()).collect());
    let hash = hash(&name);
    let split = if hash as f64 / 2_f64.powi(64) <= TRAIN { "train" } else { "val" };
    let mut row = format!("{name},{split},{size},{size},{side},{side}");
    for category in &catalogue.categories {
        put(&mut row, format_args!(",{}", cells.get(category).map_or_else(String::new, |cell| cell.join(";"))));
    }
    row.push('\n');
    Ok(((hash, name), row))
}

/// The first eight bytes of a name's MD5: Broden's order of images.
pub(in crate::nn::data) fn hash(name: &str) -> u64 {
    Md5::digest(name).iter().take(8).fold(0, |hash, &byte| hash << 8 | u64::from(byte))
}

/// Writes a square RGB picture.
fn write_png(path: &Path, rgb: &[u8], side: usize) -> Result<(), DataError> {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Sub)
        .write_image(rgb, side as u32, side as u32, ExtendedColorType::Rgb8)
        .map_err(|error| DataError::picture(path, error.to_string()))?;
    fs::write(path, bytes).map_err(|error| DataError::writing(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: Shapes = Shapes { size: 16, images: 40, seed: 5 };

    /// Every file below a directory with its bytes.
    fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut open = vec![directory.to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    files.insert(path.strip_prefix(directory).unwrap().to_owned(), fs::read(&path).unwrap());
                }
            }
        }
        files
    }

    #[test]
    fn the_same_set_gives_the_same_bytes_and_leaves_nothing_else() {
        let caches = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [a, b] = caches.each_ref().map(|cache| contents(&write(&SET, cache.path()).unwrap()));
        assert!(a == b);
        assert!(a.len() > 40 * 5);
        assert_eq!(fs::read_dir(caches[0].path()).unwrap().count(), 1);
    }

    #[test]
    fn a_set_that_is_there_is_not_written_again() {
        let cache = tempfile::tempdir().unwrap();
        let directory = write(&SET, cache.path()).unwrap();
        fs::write(directory.join("label.csv"), "touched").unwrap();
        assert_eq!(write(&SET, cache.path()).unwrap(), directory);
        assert_eq!(fs::read_to_string(directory.join("label.csv")).unwrap(), "touched");
    }

    #[test]
    fn rows_are_ordered_and_split_by_hash() {
        let cache = tempfile::tempdir().unwrap();
        let index = fs::read_to_string(write(&SET, cache.path()).unwrap().join("index.csv")).unwrap();
        let mut hashes = Vec::new();
        for row in index.lines().skip(1) {
            let cells: Vec<_> = row.split(',').collect();
            hashes.push(hash(cells[0]));
            assert_eq!(cells[1] == "train", hash(cells[0]) as f64 / 2_f64.powi(64) <= TRAIN, "{row}");
            assert_eq!(cells[2..6], ["16", "16", "8", "8"]);
        }
        assert_eq!(hashes.len(), 40);
        assert!(hashes.is_sorted());
    }

    #[test]
    fn labels_are_numbered_by_frequency_then_coverage() {
        let cache = tempfile::tempdir().unwrap();
        let labels = fs::read_to_string(write(&SET, cache.path()).unwrap().join("label.csv")).unwrap();
        let rows: Vec<Vec<&str>> = labels.lines().skip(1).map(|row| row.split(',').collect()).collect();
        let keys: Vec<(i64, f64)> =
            rows.iter().map(|row| (-row[3].parse::<i64>().unwrap(), -row[4].parse::<f64>().unwrap())).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        let numbers: Vec<usize> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
        assert_eq!(numbers, (1..=rows.len()).collect::<Vec<_>>());
        assert!(rows.iter().all(|row| row[2].starts_with("color(") == row[1].ends_with("-c")));
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_named() {
        let cache = tempfile::tempdir().unwrap();
        let file = cache.path().join("file");
        fs::write(&file, "").unwrap();
        let error = write(&SET, &file).unwrap_err();
        assert!(error.to_string().contains("cannot be written"), "{error}");
    }

    /// Broden's published row: `ade20k/ADE_train_00003891.jpg` is in the training part.
    #[test]
    fn the_hash_is_the_one_that_orders_broden() {
        assert!(hash("ade20k/ADE_train_00003891.jpg") as f64 / 2_f64.powi(64) <= TRAIN);
    }
}

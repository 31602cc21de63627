//! Data sets that are one or a few files of pixels: CIFAR's binary files, MNIST's idx files, NumPy's npz.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::npz;
use super::source::{Content, Parts, Source, ends, names, part_of, read_file};
use crate::domain::data::Split;
use crate::nn::data::DataError;
use crate::nn::data::picture::Raster;

/// Images of one size in memory.
pub(super) struct Arrays {
    /// The file, or the first of several.
    pub path: PathBuf,
    /// Classes.
    pub labels: Vec<u32>,
    /// Rows, columns, channels.
    pub size: [usize; 3],
    /// Pixels, the channels of each together.
    pub pixels: Vec<u8>,
}

impl Source for Arrays {
    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn name(&self, index: usize) -> (PathBuf, String) {
        (self.path.clone(), format!("image {index}"))
    }

    fn read(&self, index: usize) -> Result<Content, DataError> {
        let [height, width, channels] = self.size;
        let bytes = height * width * channels;
        let bytes = self.pixels[index * bytes..(index + 1) * bytes].to_vec();
        Ok(Content::Pixels(Raster { width, height, channels, bytes }))
    }
}

fn parts(form: &'static str, found: BTreeMap<Split, Arrays>, files: Vec<PathBuf>) -> Option<Parts> {
    let share = |(part, arrays): (Split, Arrays)| (part, Arc::new(arrays) as Arc<dyn Source>);
    let sources: BTreeMap<_, _> = found.into_iter().map(share).collect();
    (!sources.is_empty()).then_some(Parts { form, sources, classes: None, files })
}

/// Reads CIFAR-10 or CIFAR-100 in its binary form; nothing if it is not there.
pub(super) fn open_cifar(root: &Path) -> Result<Option<Parts>, DataError> {
    let here = names(root)?;
    let ten: Vec<&String> = here.iter().filter(|name| name.starts_with("data_batch_") && ends(name, "bin")).collect();
    let has = |name: &str| here.iter().any(|known| known == name);
    let (train, test, before): (Vec<&str>, &str, usize) = if !ten.is_empty() {
        (ten.into_iter().map(String::as_str).collect(), "test_batch.bin", 0)
    } else if has("train.bin") {
        // The coarse class comes before the fine one.
        (vec!["train.bin"], "test.bin", 1)
    } else {
        return Ok(None);
    };
    let (mut found, mut files) = (BTreeMap::new(), Vec::new());
    for (part, names) in [(Split::Train, train), (Split::Test, vec![test])] {
        let paths: Vec<PathBuf> = names.into_iter().filter(|name| has(name)).map(|name| root.join(name)).collect();
        let Some(first) = paths.first() else { continue };
        let mut arrays = Arrays { path: first.clone(), labels: Vec::new(), size: [32, 32, 3], pixels: Vec::new() };
        for path in &paths {
            read_cifar(path, before, &mut arrays)?;
        }
        found.insert(part, arrays);
        files.extend(paths);
    }
    Ok(parts("CIFAR's binary files", found, files))
}

fn read_cifar(path: &Path, before: usize, arrays: &mut Arrays) -> Result<(), DataError> {
    const PLANE: usize = 32 * 32;
    let bytes = read_file(path)?;
    let record = before + 1 + 3 * PLANE;
    if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
        let problem = format!("has {} bytes, which is no number of CIFAR's records of {record}", bytes.len());
        return Err(DataError::form(path, problem));
    }
    for record in bytes.chunks_exact(record) {
        arrays.labels.push(u32::from(record[before]));
        let planes = &record[before + 1..];
        arrays.pixels.extend((0..PLANE).flat_map(|at| [planes[at], planes[PLANE + at], planes[2 * PLANE + at]]));
    }
    Ok(())
}

/// Reads idx files, plain or compressed with gzip, as MNIST comes; nothing if there are none.
pub(super) fn open_idx(root: &Path) -> Result<Option<Parts>, DataError> {
    let here = names(root)?;
    let part = |name: &str| if name.contains("t10k") { Some(Split::Test) } else { part_of(name) };
    let find = |wanted: Split, kind: &str, dimensions: &str| {
        let fits = |name: &&String| part(name) == Some(wanted) && name.contains(kind) && name.contains(dimensions);
        here.iter().find(fits).map(|name| root.join(name))
    };
    let (mut found, mut files) = (BTreeMap::new(), Vec::new());
    for part in [Split::Train, Split::Val, Split::Test] {
        let Some(images) = find(part, "images", "idx3") else { continue };
        let Some(labels) = find(part, "labels", "idx1") else {
            return Err(DataError::Missing { what: "the file of classes for".to_owned(), path: images });
        };
        let (shape, pixels) = read_idx(&images)?;
        let (count, classes) = read_idx(&labels)?;
        let [number, height, width] = shape[..] else {
            return Err(DataError::form(&images, format!("has {} dimensions, not 3", shape.len())));
        };
        if count != [number] {
            return Err(DataError::form(&labels, format!("has {count:?} classes for {number} images")));
        }
        let labels_of = classes.into_iter().map(u32::from).collect();
        found.insert(part, Arrays { path: images.clone(), labels: labels_of, size: [height, width, 1], pixels });
        files.extend([images, labels]);
    }
    Ok(parts("idx files", found, files))
}

/// Reads an idx file of bytes: its sizes and its values.
fn read_idx(path: &Path) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let mut bytes = read_file(path)?;
    if bytes.starts_with(&[0x1F, 0x8B]) {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes.as_slice())
            .read_to_end(&mut plain)
            .map_err(|error| DataError::form(path, format!("is no sound gzip file: {error}")))?;
        bytes = plain;
    }
    let wrong = |problem: &str| DataError::form(path, problem);
    let [0, 0, kind, dimensions, rest @ ..] = bytes.as_slice() else { return Err(wrong("is no idx file")) };
    if *kind != 8 {
        return Err(wrong("is an idx file of numbers that are not bytes"));
    }
    let header = rest.get(..4 * usize::from(*dimensions)).ok_or_else(|| wrong("is cut short"))?;
    let shape: Vec<usize> =
        header.chunks_exact(4).map(|four| four.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))).collect();
    let values = &rest[header.len()..];
    if shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size)) != Some(values.len()) {
        return Err(wrong(&format!("holds {} bytes, which are not those of sizes {shape:?}", values.len())));
    }
    Ok((shape, values.to_vec()))
}

/// Reads `.npz` files: one that has arrays for all parts, or one for each; nothing if there are none.
pub(super) fn open_npz(root: &Path) -> Result<Option<Parts>, DataError> {
    let files: Vec<PathBuf> = if root.is_file() {
        vec![root.to_owned()]
    } else {
        names(root)?.into_iter().filter(|name| ends(name, "npz")).map(|name| root.join(name)).collect()
    };
    let mut found = BTreeMap::new();
    for path in &files {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        for (part, arrays) in npz::read(path, part_of(&stem))? {
            found.entry(part).or_insert(arrays);
        }
    }
    Ok(parts("npz files", found, files))
}

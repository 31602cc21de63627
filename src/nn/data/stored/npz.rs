//! NumPy's `.npz`: a zip archive of arrays.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::arrays::Arrays;
use super::source::{part_of, read_file};
use crate::domain::data::Split;
use crate::nn::data::DataError;

/// An array as it is stored.
struct Array {
    /// Letter of the kind of numbers (`u`, `i`, …) and their size in bytes.
    kind: (u8, usize),
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// Reads images and classes by part. Arrays that do not say of which part they are belong to `otherwise`, else to
/// training.
pub(super) fn read(path: &Path, otherwise: Option<Split>) -> Result<BTreeMap<Split, Arrays>, DataError> {
    let bytes = read_file(path)?;
    let wrong = |problem: String| DataError::form(path, problem);
    let mut arrays: BTreeMap<Split, [Option<Array>; 2]> = BTreeMap::new();
    for (name, member) in members(&bytes).ok_or_else(|| wrong("is no sound npz file".to_owned()))? {
        let stem = name.trim_end_matches(".npy").to_ascii_lowercase();
        let Some(place) = stem.split(|c: char| !c.is_ascii_alphabetic()).find_map(|word| match word {
            "x" | "image" | "images" | "data" => Some(0),
            "y" | "label" | "labels" | "target" | "targets" => Some(1),
            _ => None,
        }) else {
            continue;
        };
        let bytes = unpack(member).ok_or_else(|| wrong(format!("holds a damaged array `{stem}`")))?;
        let array = array(bytes).ok_or_else(|| wrong(format!("holds an array `{stem}` that is not understood")))?;
        let part = part_of(&stem).or(otherwise).unwrap_or(Split::Train);
        arrays.entry(part).or_default()[place] = Some(array);
    }
    let mut found = BTreeMap::new();
    for (part, pair) in arrays {
        let [Some(images), Some(labels)] = pair else {
            return Err(wrong("has images without classes, or classes without images".to_owned()));
        };
        found.insert(part, join(path, images, &labels).map_err(wrong)?);
    }
    Ok(found)
}

fn join(path: &Path, images: Array, labels: &Array) -> Result<Arrays, String> {
    let (count, size) = match images.shape[..] {
        [count, height, width] => (count, [height, width, 1]),
        [count, height, width, channels @ (1 | 3)] => (count, [height, width, channels]),
        _ => return Err(format!("has images of shape {:?}, not (images, rows, columns[, channels])", images.shape)),
    };
    if images.kind != (b'u', 1) {
        return Err("has images of numbers that are not bytes".to_owned());
    }
    let wide = labels.kind.1;
    if !matches!(labels.kind.0, b'u' | b'i') || labels.shape.iter().product::<usize>() != count {
        return Err(format!("has classes of shape {:?} for {count} images", labels.shape));
    }
    let label = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let labels: Option<Vec<u32>> =
        labels.bytes.chunks_exact(wide).map(|bytes| u32::try_from(label(bytes)).ok()).collect();
    let labels = labels.ok_or_else(|| "has a negative class".to_owned())?;
    Ok(Arrays { path: path.to_owned(), labels, size, pixels: images.bytes })
}

/// A file in a zip archive: how it is packed, and its bytes.
type Packed<'a> = (u64, &'a [u8]);

fn little(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    Some(bytes.get(at..at + len)?.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// Lists the files of a zip archive by its directory at the end.
fn members(bytes: &[u8]) -> Option<Vec<(String, Packed<'_>)>> {
    let earliest = bytes.len().saturating_sub(22 + 65535);
    let end = (earliest..=bytes.len().checked_sub(22)?).rev().find(|at| bytes[*at..].starts_with(b"PK\x05\x06"))?;
    let count = little(bytes, end + 10, 2)?;
    let mut at = little(bytes, end + 16, 4)? as usize;
    let mut members = Vec::new();
    for _ in 0..count {
        if !bytes.get(at..)?.starts_with(b"PK\x01\x02") {
            return None;
        }
        let method = little(bytes, at + 10, 2)?;
        let mut sizes = [little(bytes, at + 20, 4)?, little(bytes, at + 24, 4)?, little(bytes, at + 42, 4)?];
        let [name, extra, comment] = [28, 30, 32].map(|place| little(bytes, at + place, 2));
        let (name, extra, comment) = (name? as usize, extra? as usize, comment? as usize);
        let text = String::from_utf8_lossy(bytes.get(at + 46..at + 46 + name)?).into_owned();
        let field = bytes.get(at + 46 + name..at + 46 + name + extra)?;
        widen(field, &mut sizes);
        let local = sizes[2] as usize;
        let start = local + 30 + little(bytes, local + 26, 2)? as usize + little(bytes, local + 28, 2)? as usize;
        members.push((text, (method, bytes.get(start..start.checked_add(sizes[0] as usize)?)?)));
        at += 46 + name + extra + comment;
    }
    Some(members)
}

/// Takes sizes that do not fit into 32 bits from the extra field: packed size, size, offset. The field holds only those,
/// the size first.
fn widen(mut field: &[u8], sizes: &mut [u64; 3]) {
    while let (Some(kind), Some(len)) = (little(field, 0, 2), little(field, 2, 2)) {
        let Some(body) = field.get(4..4 + len as usize) else { return };
        if kind == 1 {
            let wide = [1, 0, 2].into_iter().filter(|place| sizes[*place] == u64::from(u32::MAX));
            for (place, value) in wide.collect::<Vec<_>>().into_iter().zip(body.chunks_exact(8)) {
                sizes[place] = value.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
            }
        }
        field = &field[4 + len as usize..];
    }
}

fn unpack((method, packed): Packed<'_>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    match method {
        0 => bytes.extend_from_slice(packed),
        8 => drop(flate2::read::DeflateDecoder::new(packed).read_to_end(&mut bytes).ok()?),
        _ => return None,
    }
    Some(bytes)
}

/// Reads the header of an array: a line of Python.
fn array(mut bytes: Vec<u8>) -> Option<Array> {
    let start = if bytes.get(6)? == &1 { 10 + little(&bytes, 8, 2)? } else { 12 + little(&bytes, 8, 4)? } as usize;
    let header = String::from_utf8_lossy(bytes.get(if bytes[6] == 1 { 10 } else { 12 }..start)?).into_owned();
    let after = |key: &str| Some(header.split_once(&format!("'{key}':"))?.1.trim_start().to_owned());
    let kind = after("descr")?;
    let mut kind = kind.trim_start_matches('\'').bytes();
    let (order, letter, size) = (kind.next()?, kind.next()?, usize::from(kind.next()?.checked_sub(b'0')?));
    if !bytes.starts_with(b"\x93NUMPY") || order == b'>' || size == 0 || after("fortran_order")?.starts_with("True") {
        return None;
    }
    let shape = after("shape")?;
    let sizes = shape.strip_prefix('(')?.split_once(')')?.0.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape: Vec<usize> = sizes.map(|size| size.parse().ok()).collect::<Option<_>>()?;
    let values = shape.iter().try_fold(size, |product, size| product.checked_mul(*size))?;
    bytes.drain(..start);
    (bytes.len() == values).then_some(Array { kind: (letter, size), shape, bytes })
}

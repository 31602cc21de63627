//! NumPy's `.npz`: a zip of arrays.

use std::io::{Cursor, Write};

use candle_core::DType;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::archive::Archive;
use super::numbers::{self, Kind, View};
use super::{Error, FileError, Weights};

/// Ending of the name of each array.
pub(super) const ENDING: &str = ".npy";
const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Data begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// Reads all arrays, by their names without `.npy`.
pub(super) fn decode(mut archive: Archive<'_>) -> Result<Weights, FileError> {
    let names: Vec<String> = archive.names().filter_map(|name| Some(name.strip_suffix(ENDING)?.to_owned())).collect();
    let mut weights = Weights::new();
    for name in names {
        let bytes = archive.entry(&format!("{name}{ENDING}"))?;
        let tensor = array(&bytes).map_err(|reason| FileError::of_tensor(&name, reason))?;
        weights.insert(name, tensor);
    }
    Ok(weights)
}

fn array(bytes: &[u8]) -> Result<candle_core::Tensor, String> {
    let (header, data) = split(bytes).ok_or("is no whole NumPy array")?;
    let field = |name: &str| Some(header.split_once(name)?.1.split_once(':')?.1.trim_start());
    let descr = field("'descr'").and_then(|rest| rest.strip_prefix('\'')?.split_once('\'')).map(|(descr, _)| descr);
    let descr = descr.ok_or("is a structure, not an array of numbers")?;
    let (kind, big_endian) = kind(descr).ok_or_else(|| format!("holds elements of the type `{descr}`"))?;
    let shape = field("'shape'").and_then(|rest| rest.strip_prefix('(')?.split_once(')')).map(|(shape, _)| shape);
    let shape = shape.and_then(extents).ok_or("has no shape")?;
    let fortran = field("'fortran_order'").is_some_and(|rest| rest.starts_with("True"));
    let view = if fortran { View::fortran(shape)? } else { View::contiguous(shape)? };
    numbers::tensor(kind, data, &view, big_endian)
}

/// Splits an array into its header and its data.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let [major, _minor, rest @ ..] = bytes.strip_prefix(MAGIC)? else { return None };
    let (length, rest) = if *major == 1 {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        (u32::from_le_bytes(*length) as usize, rest)
    };
    let (header, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

fn kind(descr: &str) -> Option<(Kind, bool)> {
    let kind = match descr.get(1..)? {
        "f8" => Kind::F64,
        "f4" => Kind::F32,
        "f2" => Kind::F16,
        "i8" => Kind::I64,
        "i4" => Kind::I32,
        "i2" => Kind::I16,
        "i1" => Kind::I8,
        "u1" => Kind::U8,
        "b1" => Kind::Bool,
        _ => return None,
    };
    Some((kind, descr.starts_with('>')))
}

fn extents(text: &str) -> Option<Vec<usize>> {
    text.split(',').map(str::trim).filter(|extent| !extent.is_empty()).map(|extent| extent.parse().ok()).collect()
}

/// Writes weights: the same ones always give the same bytes.
///
/// # Errors
/// If a tensor is neither float32 nor a 64-bit integer.
pub fn encode(weights: &Weights) -> Result<Vec<u8>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Checkpoint(error.to_string());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, tensor) in weights {
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(format!("{name}{ENDING}"), options).map_err(|error| failed(&error))?;
        let flat = tensor.flatten_all()?;
        let (descr, data): (_, Vec<u8>) = if tensor.dtype() == DType::I64 {
            ("<i8", flat.to_vec1::<i64>()?.into_iter().flat_map(i64::to_le_bytes).collect())
        } else {
            ("<f4", flat.to_vec1::<f32>()?.into_iter().flat_map(f32::to_le_bytes).collect())
        };
        let written = zip.write_all(&header(descr, tensor.dims())).and_then(|()| zip.write_all(&data));
        written.map_err(|error| failed(&error))?;
    }
    Ok(zip.finish().map_err(|error| failed(&error))?.into_inner())
}

/// The head of an array in version 1.0 of the format.
fn header(descr: &str, shape: &[usize]) -> Vec<u8> {
    // Python writes tuples of one with a comma, and the others without.
    let comma = if shape.len() == 1 { "," } else { "" };
    let extents = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ") + comma;
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({extents}), }}");
    let before = MAGIC.len() + 4;
    let padding = (before + text.len() + 1).next_multiple_of(ALIGNMENT) - before - text.len() - 1;
    let length = (text.len() + padding + 1) as u16;
    let mut bytes = [MAGIC.as_slice(), &[1, 0], &length.to_le_bytes(), text.as_bytes()].concat();
    bytes.resize(bytes.len() + padding, b' ');
    bytes.push(b'\n');
    bytes
}

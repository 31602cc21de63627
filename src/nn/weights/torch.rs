//! What `torch.save` writes: a pickle that describes tensors, and storages with their numbers.

use std::collections::BTreeMap;
use std::ops::Range;

use super::archive::Archive;
use super::numbers::{self, Kind};
use super::pickle::{self, Object, Pickle};
use super::state_dict::{self, Entry};
use super::{FileError, Weights};

/// The number with which files before PyTorch 1.6 begin, as their first pickle holds it.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// The first pickle is not longer than this.
const FIRST_PICKLE: usize = 32;
/// Elements that any file may describe.
const ELEMENTS: usize = 1 << 24;
/// Elements that each byte of a file may describe on top: tensors may share numbers, but not without end.
const ELEMENTS_PER_BYTE: usize = 16;

/// Whether a pickle is the first of a file written before PyTorch 1.6.
pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(FIRST_PICKLE)].windows(MAGIC.len()).any(|window| window == MAGIC)
}

/// Reads a zip file of `length` bytes.
pub(super) fn zipped(mut archive: Archive<'_>, length: usize) -> Result<Weights, FileError> {
    let place = archive.names().find_map(|name| Some(name.strip_suffix("data.pkl")?.to_owned())).unwrap_or_default();
    let pickle = pickle::read(&archive.entry(&format!("{place}data.pkl"))?)?;
    let order = format!("{place}byteorder");
    let big_endian = archive.has(&order) && archive.entry(&order)? == b"big";
    let mut last = (String::new(), Vec::new());
    let mut budget = Budget::of(length);
    tensors(&pickle, &mut |entry, key| {
        if last.0 != key {
            last = (key.to_owned(), archive.entry(&format!("{place}data/{key}"))?);
        }
        budget.tensor(entry, &last.1, big_endian)
    })
}

/// Reads a file as PyTorch wrote it before 1.6: a magic number, a version, what the machine was, the object, and the
/// names of the storages, each a pickle; then of each storage the number of its elements and the elements.
pub(super) fn legacy(bytes: &[u8]) -> Result<Weights, FileError> {
    let mut rest = bytes;
    let mut next = || {
        let pickle = pickle::read(rest)?;
        rest = &rest[pickle.length..];
        Ok::<Pickle, FileError>(pickle)
    };
    let [_magic, _version, machine, object, names] = [next()?, next()?, next()?, next()?, next()?];
    let big_endian = is_big_endian(&machine);
    let storages = storages(rest, &object, &names, big_endian)?;
    let mut budget = Budget::of(bytes.len());
    tensors(&object, &mut |entry, key| {
        let range = storages.get(key).ok_or_else(|| FileError::of_tensor(&entry.name, "has no numbers"))?;
        budget.tensor(entry, &rest[range.clone()], big_endian)
    })
}

fn tensors(
    pickle: &Pickle,
    read: &mut dyn FnMut(&Entry, &str) -> Result<candle_core::Tensor, FileError>,
) -> Result<Weights, FileError> {
    let mut weights = Weights::new();
    for entry in state_dict::find(pickle)? {
        let key = text(pickle, entry.storage.key).unwrap_or_default();
        let tensor = read(&entry, key)?;
        weights.insert(entry.name, tensor);
    }
    Ok(weights)
}

/// Elements that a file may still describe.
struct Budget(usize);

impl Budget {
    fn of(bytes: usize) -> Self {
        Self(ELEMENTS + bytes.saturating_mul(ELEMENTS_PER_BYTE))
    }

    fn tensor(&mut self, entry: &Entry, storage: &[u8], swap: bool) -> Result<candle_core::Tensor, FileError> {
        let wrong = |reason: String| FileError::of_tensor(&entry.name, reason);
        let elements = entry.view.elements().map_err(wrong)?;
        self.0 = self.0.checked_sub(elements).ok_or_else(|| wrong("is larger than the whole file".to_owned()))?;
        numbers::tensor(entry.storage.kind, storage, &entry.view, swap).map_err(wrong)
    }
}

fn text(pickle: &Pickle, id: pickle::Id) -> Option<&str> {
    match &pickle.objects[id] {
        Object::Text(text) => Some(text),
        _ => None,
    }
}

fn is_big_endian(machine: &Pickle) -> bool {
    let Object::Dict(facts) = &machine.objects[machine.root] else { return false };
    facts.iter().any(|(name, value)| {
        text(machine, *name) == Some("little_endian") && matches!(machine.objects[*value], Object::Bool(false))
    })
}

/// Finds where in `rest` the elements of each storage are.
fn storages(
    rest: &[u8],
    object: &Pickle,
    names: &Pickle,
    big_endian: bool,
) -> Result<BTreeMap<String, Range<usize>>, FileError> {
    let kinds: BTreeMap<&str, Kind> = object
        .objects
        .iter()
        .filter_map(|known| match known {
            Object::Storage(storage) => Some((text(object, storage.key)?, storage.kind)),
            _ => None,
        })
        .collect();
    let Object::List(names_of) = &names.objects[names.root] else {
        return Err(FileError::malformed("the names of its storages are no list"));
    };
    let mut found = BTreeMap::new();
    let mut at = 0;
    for name in names_of.iter().filter_map(|name| text(names, *name)) {
        let cut_off = || FileError::malformed(format!("storage `{name}` is not all there"));
        let kind = kinds.get(name).ok_or_else(|| FileError::malformed(format!("storage `{name}` is unknown")))?;
        let count = *rest.get(at..).and_then(<[u8]>::first_chunk::<8>).ok_or_else(cut_off)?;
        let count = if big_endian { u64::from_be_bytes(count) } else { u64::from_le_bytes(count) };
        let start = at + 8;
        let end = usize::try_from(count)
            .ok()
            .and_then(|count| count.checked_mul(kind.width())?.checked_add(start))
            .filter(|end| *end <= rest.len())
            .ok_or_else(cut_off)?;
        found.insert(name.to_owned(), start..end);
        at = end;
    }
    Ok(found)
}

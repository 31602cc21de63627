//! The state dict in a checkpoint: which dictionary it is, and what its names mean.

use candle_core::DType;

use super::numbers::View;
use super::pickle::{Id, Object, Pickle, Storage};
use super::{FileError, Weights};

/// Names under which training scripts keep the state dict beside other things.
const WRAPPERS: [&str; 5] = ["state_dict", "model_state_dict", "model_state", "model", "net"];
/// How deep dictionaries may lie in each other.
const DEEPEST: usize = 4;

/// A tensor that a pickle describes.
pub(super) struct Entry {
    /// Its name in the state dict.
    pub(super) name: String,
    /// Where its numbers are.
    pub(super) storage: Storage,
    /// Which of them.
    pub(super) view: View,
}

/// Finds the state dict in what was saved, and lists its tensors.
///
/// # Errors
/// If there is none, or more than one.
pub(super) fn find(pickle: &Pickle) -> Result<Vec<Entry>, FileError> {
    if let Object::Tensor(..) = pickle.objects[pickle.root] {
        return Err(FileError::Empty);
    }
    let found = choose(pickle, pickle.root, DEEPEST)?.ok_or(FileError::Empty)?;
    Ok(members(pickle, found)
        .filter_map(|(name, value)| match &pickle.objects[value] {
            Object::Tensor(storage, view) => {
                Some(Entry { name: name.to_owned(), storage: *storage, view: (**view).clone() })
            }
            _ => None,
        })
        .collect())
}

/// A dictionary under a name of [`WRAPPERS`] is meant before all others; else the one that has tensors.
fn choose(pickle: &Pickle, at: Id, depth: usize) -> Result<Option<Id>, FileError> {
    if depth == 0 {
        return Ok(None);
    }
    let mut wrapped = Vec::new();
    for wrapper in WRAPPERS {
        // Of entries with the same name the last one counts, as in Python.
        let named = members(pickle, at).filter(|(name, _)| *name == wrapper).last();
        if let Some((name, value)) = named
            && let Some(found) = choose(pickle, value, depth - 1)?
        {
            wrapped.push((name, found));
        }
    }
    if !wrapped.is_empty() {
        return only(&wrapped).map(Some);
    }
    let mut having: Vec<(&str, Id)> = members(pickle, at).filter(|(_, value)| has_tensors(pickle, *value)).collect();
    if has_tensors(pickle, at) {
        having.insert(0, ("(the outermost)", at));
    }
    if having.is_empty() { Ok(None) } else { only(&having).map(Some) }
}

fn only(found: &[(&str, Id)]) -> Result<Id, FileError> {
    match found {
        [(_, only)] => Ok(*only),
        several => Err(FileError::Several(several.iter().take(8).map(|(name, _)| (*name).to_owned()).collect())),
    }
}

fn has_tensors(pickle: &Pickle, at: Id) -> bool {
    members(pickle, at).any(|(_, value)| matches!(pickle.objects[value], Object::Tensor(..)))
}

/// Entries of a dictionary whose keys are texts.
fn members(pickle: &Pickle, at: Id) -> impl Iterator<Item = (&str, Id)> {
    let entries = match &pickle.objects[at] {
        Object::Dict(entries) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().filter_map(|(key, value)| match &pickle.objects[*key] {
        Object::Text(name) => Some((name.as_str(), *value)),
        _ => None,
    })
}

/// Multiplies out what `torch.nn.utils.prune` keeps apart: `weight` is `weight_orig` where `weight_mask` is not 0.
///
/// # Errors
/// If a mask has another shape than its weights.
pub(super) fn unwrap_pruned(mut tensors: Weights) -> Result<Weights, FileError> {
    let originals: Vec<String> =
        tensors.keys().filter_map(|name| Some(name.strip_suffix("_orig")?.to_owned())).collect();
    for name in originals {
        let (original, mask) = (format!("{name}_orig"), format!("{name}_mask"));
        if tensors.contains_key(&name) || !tensors.contains_key(&mask) {
            continue;
        }
        if let (Some(weights), Some(kept)) = (tensors.remove(&original), tensors.remove(&mask)) {
            let product = kept.to_dtype(DType::F32).and_then(|kept| weights.to_dtype(DType::F32)?.mul(&kept));
            let product = product.map_err(|_| FileError::of_tensor(&mask, "does not fit its weights"))?;
            tensors.insert(name, product);
        }
    }
    Ok(tensors)
}

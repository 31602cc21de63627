//! Selection of the units with the lowest keys, without a sort or a copy of all keys.

use super::amount::Removal;
use super::{Layer, Mask, PruneError};

/// Removes the lowest of some layers; `removal` says how many, given how many are left. `only` names the layer, if each is
/// pruned by itself.
pub(super) fn select(
    mask: &mut Mask,
    layers: &[&Layer],
    only: Option<&String>,
    removal: impl FnOnce(u64) -> Result<Removal, PruneError>,
) -> Result<(), PruneError> {
    let available = layers.iter().map(|layer| layer.units_left(mask)).sum();
    let removal = match removal(available)? {
        // A layer by itself may run empty: then all that is left of it goes.
        Removal::UpTo(_) if only.is_some() && available == 0 => return Ok(()),
        Removal::UpTo(index) if only.is_some() => Removal::UpTo(index.min(available - 1)),
        removal => removal,
    };
    let (threshold, mut ties) = match removal {
        Removal::Exactly(0) => return Ok(()),
        Removal::Exactly(count) if count <= available => {
            let (threshold, below) = nth(mask, layers, count - 1);
            (threshold, count - below)
        }
        Removal::UpTo(index) if index < available => (nth(mask, layers, index).0, u64::MAX),
        Removal::Exactly(wanted) => return Err(PruneError::TooMany { wanted, available, layer: only.cloned() }),
        Removal::UpTo(index) => {
            return Err(PruneError::TooMany { wanted: index + 1, available, layer: only.cloned() });
        }
    };
    for layer in layers {
        let Some(bits) = mask.bits_mut(&layer.name) else { continue };
        for unit in 0..layer.units() {
            if !layer.is_left(bits, unit) {
                continue;
            }
            let key = layer.keys.get(unit);
            if key > threshold || (key == threshold && ties == 0) {
                continue;
            }
            ties -= u64::from(key == threshold);
            bits[unit * layer.each..(unit + 1) * layer.each].fill(false);
        }
    }
    Ok(())
}

/// Returns the key with an index in ascending order among those that are kept, and how many are smaller. Keys are counted
/// by their leading bits first; only those that share the leading bits of the wanted one are copied.
pub(super) fn nth(mask: &Mask, layers: &[&Layer], index: u64) -> (u64, u64) {
    fn each_kept(mask: &Mask, layer: &Layer, mut visit: impl FnMut(usize)) {
        let bits = mask.bits(&layer.name).unwrap_or_default();
        (0..layer.units()).filter(|unit| layer.is_left(bits, *unit)).for_each(&mut visit);
    }
    let mut counts = vec![0u64; 1 << 16];
    for layer in layers {
        each_kept(mask, layer, |at| counts[layer.keys.leading(at)] += 1);
    }
    let (mut leading, mut before) = (0, 0);
    while before + counts[leading] <= index {
        before += counts[leading];
        leading += 1;
    }
    let mut candidates = Vec::with_capacity(counts[leading] as usize);
    for layer in layers {
        each_kept(mask, layer, |at| {
            if layer.keys.leading(at) == leading {
                candidates.push(layer.keys.get(at));
            }
        });
    }
    let (smaller, threshold, _) = candidates.select_nth_unstable((index - before) as usize);
    let threshold = *threshold;
    (threshold, before + smaller.iter().filter(|key| **key < threshold).count() as u64)
}

//! N:M sparsity: at most n of every m weights that lie next to each other along a filter's inputs.

use super::{Layer, Mask};

/// Removes the lowest of each group of `of` consecutive inputs, for every output and tap, until at most `keep` are left.
/// Among equals the first goes.
pub(super) fn thin_out(mask: &mut Mask, layer: &Layer, keep: usize, of: usize) {
    let Some(bits) = mask.bits_mut(&layer.name) else { return };
    let (outputs, inputs) = (layer.shape[0], layer.shape.get(1).copied().unwrap_or(1));
    let taps: usize = layer.shape.iter().skip(2).product();
    let mut group = Vec::with_capacity(of);
    for output in 0..outputs {
        for tap in 0..taps {
            for first in (0..inputs).step_by(of.max(1)) {
                let place = |input: usize| (output * inputs + input) * taps + tap;
                group.clear();
                group.extend((first..inputs.min(first + of)).map(place).filter(|at| bits[*at]));
                let surplus = group.len().saturating_sub(keep);
                // A stable sort: equals stay in the order of inputs.
                group.sort_by_key(|at| layer.keys.get(*at));
                group[..surplus].iter().for_each(|at| bits[*at] = false);
            }
        }
    }
}

//! How many weights a pruning leaves: exact where the rules allow it, without running anything.
//!
//! Ties are assumed away: equal scores at the threshold can take more weights with them under open_lth's rule.

use std::sync::Arc;

use crate::domain::pruning::{Amount, Counting, Pruner, Scope, Unit, erk};
use crate::syntax::tree::Exact;
use crate::value::{Kept, Network, number};

/// Why a pruning cannot be done.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) label: String,
    pub(super) help: String,
}

fn problem(message: String, label: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem { message, label: label.into(), help: help.into() }
}

/// Counts the weights that are left after a pruning.
pub(super) fn after(network: &Network, kept: &Kept, pruner: &Pruner) -> Result<Kept, Problem> {
    if kept.total == Some(0) {
        return Err(problem("there are no weights left to prune".to_owned(), "nothing left", "prune less before"));
    }
    let last = network.survey.prunable().count().saturating_sub(1);
    let layers: Vec<Layer> = network
        .survey
        .prunable()
        .enumerate()
        .map(|(at, entry)| Layer {
            name: entry.name.clone(),
            shape: entry.shape.clone(),
            all: entry.elements() as u64,
            kept: kept.layers.as_ref().and_then(|layers| layers.get(at).copied()),
            competes: !pruner.keep.contains(&entry.name) && (pruner.unit == Unit::Weight || at != last),
        })
        .collect();
    if !layers.iter().any(|layer| layer.competes) {
        return Err(problem("every prunable parameter is kept".to_owned(), "nothing to prune", "keep fewer"));
    }
    if let Amount::Pattern { keep, of } = pruner.remove {
        return Ok(by_pattern(&layers, keep, of));
    }
    if pruner.unit == Unit::Filter {
        return filters(&layers, pruner);
    }
    match pruner.scope {
        Scope::Global => global(&layers, kept.total, pruner),
        Scope::PerLayer => per_layer(&layers, pruner),
        Scope::Erk => by_extents(&layers, kept.total, pruner),
    }
}

struct Layer {
    name: String,
    shape: Vec<usize>,
    all: u64,
    kept: Option<u64>,
    competes: bool,
}

/// Reads an exact ratio `p/q`.
fn exact(text: &str) -> Exact {
    let parsed = text.split_once('/').and_then(|(p, q)| Some((p.parse().ok()?, q.parse().ok()?)));
    parsed.filter(|(_, q)| *q != 0).map_or_else(|| Exact::from_integer(0), |(p, q): (i128, i128)| Exact::new(p, q))
}

fn share(ratio: Exact, of: u64) -> Exact {
    number::multiply(ratio, Exact::from_integer(i128::from(of))).unwrap_or_else(|| Exact::from_integer(0))
}

fn count(value: i128) -> u64 {
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}

/// Weights that a rate removes among `competing`, where `counted` are counted.
fn removed(rate: Exact, counted: u64, counting: Counting) -> u64 {
    match counting {
        Counting::OpenLth => count(number::ceil(share(rate, counted))).saturating_add(1),
        Counting::Torch => count(number::round_half_even(share(rate, counted))),
    }
}

/// Weights that a sparsity leaves of `all`.
fn left(sparsity: Exact, all: u64) -> u64 {
    count(number::round_half_even(share(Exact::from_integer(1) - sparsity, all))).min(all)
}

fn global(layers: &[Layer], total: Option<u64>, pruner: &Pruner) -> Result<Kept, Problem> {
    let unknown = Kept { total: None, layers: None };
    let competing: Option<u64> = if layers.iter().all(|layer| layer.competes) {
        total
    } else {
        layers.iter().filter(|layer| layer.competes).map(|layer| layer.kept).sum()
    };
    let remaining = match &pruner.remove {
        Amount::Rate(rate) => {
            let counted = match pruner.counting {
                Counting::OpenLth => total,
                Counting::Torch => competing,
            };
            let (Some(total), Some(counted)) = (total, counted) else { return Ok(unknown) };
            let gone = removed(exact(rate), counted, pruner.counting);
            if competing.is_some_and(|competing| gone > competing) || gone > total {
                let competing = competing.unwrap_or(total);
                let message =
                    format!("the pruning would remove {gone} weights, but only {competing} are left to choose from");
                return Err(problem(message, format!("removes {gone} of {competing}"), "prune less"));
            }
            total - gone
        }
        Amount::Sparsity(sparsity) => {
            let all: u64 = layers.iter().map(|layer| layer.all).sum();
            let target = left(exact(sparsity), all);
            match total {
                Some(total) if target > total => return Err(too_dense(exact(sparsity), all, total)),
                _ => {}
            }
            let fixed: Option<u64> = layers.iter().filter(|layer| !layer.competes).map(|layer| layer.kept).sum();
            if fixed.is_some_and(|fixed| fixed > target) {
                let message = format!("the sparsity leaves {target} weights, but the kept parameters alone have more");
                return Err(problem(message, "cannot be reached", "keep fewer parameters, or prune less"));
            }
            target
        }
        Amount::Pattern { .. } => return Ok(unknown),
    };
    let alone = layers.iter().filter(|layer| layer.competes).count() == 1;
    let rest: Option<u64> = layers.iter().filter(|layer| !layer.competes).map(|layer| layer.kept).sum();
    let known: Option<Arc<[u64]>> = match rest {
        Some(rest) if alone && rest <= remaining => layers
            .iter()
            .map(|layer| if layer.competes { Some(remaining - rest) } else { layer.kept })
            .collect::<Option<Vec<_>>>()
            .map(Into::into),
        _ => None,
    };
    Ok(Kept { total: Some(remaining), layers: known })
}

/// Layers take their shares of what [`global`] leaves in all.
fn by_extents(layers: &[Layer], total: Option<u64>, pruner: &Pruner) -> Result<Kept, Problem> {
    let left = global(layers, total, pruner)?;
    let fixed: Option<u64> = layers.iter().filter(|layer| !layer.competes).map(|layer| layer.kept).sum();
    let (Some(all), Some(fixed)) = (left.total, fixed) else { return Ok(Kept { layers: None, ..left }) };
    let shapes: Vec<&[usize]> =
        layers.iter().filter(|layer| layer.competes).map(|layer| layer.shape.as_slice()).collect();
    let mut shares = erk(&shapes, all.saturating_sub(fixed)).into_iter();
    let mut known = Vec::with_capacity(layers.len());
    for layer in layers {
        let share = if layer.competes { shares.next() } else { layer.kept };
        if let (Some(share), Some(kept)) = (share, layer.kept)
            && share > kept
        {
            let message =
                format!("the rule leaves {share} weights in `{}`, but only {kept} are left there", layer.name);
            return Err(problem(message, "would bring weights back", "prune with `erk` from the dense network on"));
        }
        known.push(share);
    }
    Ok(Kept { layers: known.into_iter().collect::<Option<Vec<_>>>().map(Into::into), ..left })
}

fn per_layer(layers: &[Layer], pruner: &Pruner) -> Result<Kept, Problem> {
    let mut known = Vec::with_capacity(layers.len());
    for layer in layers {
        known.push(match (&pruner.remove, layer.competes, layer.kept) {
            (_, false, kept) => kept,
            (Amount::Rate(_), true, None) | (Amount::Pattern { .. }, ..) => None,
            (Amount::Rate(rate), true, Some(kept)) => {
                // A layer that has fewer weights left than the rule takes is emptied, as the core does.
                Some(kept.saturating_sub(removed(exact(rate), kept, pruner.counting)))
            }
            (Amount::Sparsity(sparsity), true, kept) => {
                let target = left(exact(sparsity), layer.all);
                match kept {
                    Some(kept) if target > kept => return Err(too_dense(exact(sparsity), layer.all, kept)),
                    _ => Some(target),
                }
            }
        });
    }
    Ok(self::known(known.into_iter()))
}

/// A layer that was whole keeps a fixed count of each group; of any other only the run will tell.
fn by_pattern(layers: &[Layer], keep: usize, of: usize) -> Kept {
    let left = |layer: &Layer| {
        if !layer.competes {
            return layer.kept;
        }
        let inputs = layer.shape.get(1).copied().unwrap_or(1);
        let per_filter = inputs / of * keep + (inputs % of).min(keep);
        let whole = layer.kept == Some(layer.all);
        whole.then(|| layer.all / inputs as u64 * per_filter as u64)
    };
    known(layers.iter().map(left))
}

/// Whole filters: counted where layers are pruned one by one and only filters were ever removed.
fn filters(layers: &[Layer], pruner: &Pruner) -> Result<Kept, Problem> {
    if pruner.scope == Scope::Erk {
        let message = "whole filters can be removed globally or per layer, not by `erk`".to_owned();
        return Err(problem(message, "removes filters by `erk`", "give `scope: per_layer`"));
    }
    let left_in = |layer: &Layer| {
        if !layer.competes {
            return layer.kept;
        }
        let (filters, each) = (layer.shape[0] as u64, layer.all / layer.shape[0] as u64);
        let kept = layer.kept.filter(|kept| pruner.scope == Scope::PerLayer && kept % each == 0)? / each;
        Some(
            each * match &pruner.remove {
                Amount::Rate(rate) => kept.saturating_sub(removed(exact(rate), kept, pruner.counting)),
                Amount::Sparsity(sparsity) => left(exact(sparsity), filters).min(kept),
                Amount::Pattern { .. } => kept,
            },
        )
    };
    Ok(known(layers.iter().map(left_in)))
}

fn known(layers: impl Iterator<Item = Option<u64>>) -> Kept {
    let layers: Option<Vec<u64>> = layers.collect();
    Kept { total: layers.as_ref().map(|layers| layers.iter().sum()), layers: layers.map(Into::into) }
}

fn too_dense(target: Exact, all: u64, kept: u64) -> Problem {
    let percent = |ratio| number::shown(number::multiply(ratio, Exact::from_integer(100)).unwrap_or(ratio));
    let present = Exact::new(i128::from(all) - i128::from(kept), i128::from(all.max(1)));
    let message = format!(
        "the state is {}% sparse already, and pruning to {}% would bring weights back",
        percent(present),
        percent(target)
    );
    let other = Exact::from_integer(1) - target;
    let help = if other > present {
        format!(
            "a sparsity is the share that is gone: if {0}% are to be left, write `{1}%`; to remove {0}% of what is left, \
             write `global_magnitude({0}%)`",
            percent(target),
            percent(other)
        )
    } else {
        format!(
            "prune to more than {0}%; to remove {1}% of what is left, write `global_magnitude({1}%)`",
            percent(present),
            percent(target)
        )
    };
    problem(message, format!("below the present {}%", percent(present)), help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::arch::samples;
    use crate::domain::pruning::{Rule, Score};

    fn rate(p: i128, scope: Scope, counting: Counting) -> Pruner {
        Pruner {
            by: Rule::Score { score: Score::Weight },
            remove: Amount::Rate(number::fraction(Exact::new(p, 100))),
            scope,
            keep: Vec::new(),
            counting,
            unit: Unit::Weight,
            samples: None,
        }
    }

    fn levels(network: &Network, pruner: &Pruner, count: usize) -> Vec<u64> {
        let mut kept = Kept::dense(network);
        (0..count)
            .map(|_| {
                kept = after(network, &kept, pruner).unwrap();
                kept.total.unwrap()
            })
            .collect()
    }

    #[test]
    fn resnet_20_keeps_what_open_lth_keeps() {
        let network = Network::new(samples::cifar_resnet(3, 16, 10, 3, 32)).unwrap();
        let pruner = rate(20, Scope::Global, Counting::OpenLth);
        assert_eq!(levels(&network, &pruner, 6), [216_715, 173_371, 138_695, 110_955, 88_763, 71_009]);
    }

    #[test]
    fn resnet_50_keeps_what_open_lth_keeps() {
        let network = Network::new(samples::resnet50(1000, 224)).unwrap();
        let pruner = rate(20, Scope::Global, Counting::OpenLth);
        let found = levels(&network, &pruner, 14);
        assert_eq!((found[0], found[10], found[13]), (20_402_328, 2_190_677, 1_121_623));
    }

    #[test]
    fn a_sparsity_is_reached_exactly_and_never_undercut() {
        let network = Network::new(samples::cifar_resnet(3, 16, 10, 3, 32)).unwrap();
        let pruner = Pruner { remove: Amount::Sparsity("1/2".to_owned()), ..rate(20, Scope::Global, Counting::Torch) };
        let kept = after(&network, &Kept::dense(&network), &pruner).unwrap();
        assert_eq!(kept.total, Some(135_448));
        let lower = Pruner { remove: Amount::Sparsity("1/4".to_owned()), ..pruner };
        assert!(after(&network, &kept, &lower).unwrap_err().message.contains("50% sparse already"));
    }

    #[test]
    fn layers_are_counted_one_by_one() {
        let network = Network::new(samples::cifar_resnet(3, 16, 10, 3, 32)).unwrap();
        let pruner = rate(20, Scope::PerLayer, Counting::Torch);
        let kept = after(&network, &Kept::dense(&network), &pruner).unwrap();
        let expected: u64 = network
            .survey
            .prunable()
            .map(|entry| entry.elements() as u64)
            .map(|all| all - count(number::round_half_even(Exact::new(i128::from(all), 5))))
            .sum();
        assert_eq!(kept.total, Some(expected));
        assert!(kept.layers.is_some());
        let globally = after(&network, &kept, &rate(20, Scope::Global, Counting::OpenLth)).unwrap();
        assert!(globally.layers.is_none() && globally.total.is_some());
        assert_eq!(after(&network, &globally, &pruner).unwrap().total, None);
    }

    #[test]
    fn small_layers_are_left_more_by_their_extents() {
        let network = Network::new(samples::cifar_resnet(3, 16, 10, 3, 32)).unwrap();
        let to =
            |text: &str| Pruner { remove: Amount::Sparsity(text.to_owned()), ..rate(20, Scope::Erk, Counting::Torch) };
        let once = after(&network, &Kept::dense(&network), &to("4/5")).unwrap();
        let layers = once.layers.clone().unwrap();
        assert_eq!((once.total, layers.iter().sum::<u64>()), (Some(54_179), 54_179));
        let sizes: Vec<u64> = network.survey.prunable().map(|entry| entry.elements() as u64).collect();
        assert_eq!(layers[0], sizes[0]);
        assert!(after(&network, &once, &to("9/10")).is_ok());
        let uneven = after(&network, &Kept::dense(&network), &Pruner { scope: Scope::PerLayer, ..to("1/2") }).unwrap();
        assert!(after(&network, &uneven, &to("3/5")).unwrap_err().message.contains("conv1.weight"));
    }
}

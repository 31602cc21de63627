//! Pruning: exact selection of the lowest scores, globally or per layer, without a full sort.

use crate::domain::arch::{Arch, Survey};
use crate::domain::pruning::{Amount, Counting, Pruner, Rule, Scope, erk};

use super::mask::Mask;
use super::rng::Stream;
use super::score;
use super::{Error, Weights, checkpoint};

/// Why a pruner cannot do what it is asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PruneError {
    /// More weights should go than compete.
    #[error("{wanted} weights should go{}, but only {available} are left to choose from", place(.layer.as_deref()))]
    TooMany {
        /// Weights that should go.
        wanted: u64,
        /// Weights that compete.
        available: u64,
        /// The layer, if each is pruned by itself.
        layer: Option<String>,
    },
    /// More weights are gone than the sparsity allows.
    #[error("{kept} weights should be left{}, but only {available} are", place(.layer.as_deref()))]
    TooFew {
        /// Weights that should be left.
        kept: u64,
        /// Weights that are left.
        available: u64,
        /// The layer, if each is pruned by itself.
        layer: Option<String>,
    },
    /// A parameter to keep is no prunable parameter.
    #[error("`{name}` is no prunable parameter, so it cannot be kept")]
    Keep {
        /// The name given.
        name: String,
        /// Prunable parameters, for a suggestion.
        prunable: Vec<String>,
    },
    /// An amount is not a ratio from 0 to 1.
    #[error("`{0}` is not a ratio between 0 and 1")]
    Amount(String),
    /// The score reads the weights at initialisation and they were not given.
    #[error("the score reads initial weights, which were not given")]
    NoInitial,
    /// A score is not a number.
    #[error("the score of an element of `{0}` is not a number")]
    NotANumber(String),
}

fn place(layer: Option<&str>) -> String {
    layer.map(|layer| format!(" in `{layer}`")).unwrap_or_default()
}

/// Removes the weights with the lowest scores from a mask (all ones if absent). `weights` count as masked; `initial` are
/// the weights at initialisation, for scores that read them.
///
/// # Errors
/// If weights or mask do not fit the architecture, or the pruner asks for more than there is.
pub fn prune(
    arch: &Arch,
    weights: &Weights,
    mask: Option<&Mask>,
    pruner: &Pruner,
    initial: Option<&Weights>,
) -> Result<Mask, Error> {
    let survey = arch.survey()?;
    checkpoint::check(&survey, weights)?;
    if let Some(initial) = initial {
        checkpoint::check(&survey, initial)?;
    }
    let mut mask = mask.cloned().unwrap_or_else(|| Mask::ones(&survey));
    mask.check(&survey)?;
    if let Some(name) = pruner.keep.iter().find(|name| !survey.prunable().any(|entry| entry.name == **name)) {
        let prunable = survey.prunable().map(|entry| entry.name.clone()).collect();
        return Err(PruneError::Keep { name: name.clone(), prunable }.into());
    }
    let layers = layers(&survey, weights, &mask, pruner, initial)?;
    let amount = Share::of(&pruner.remove)?;
    let counting = pruner.counting;
    let all = mask.counts().fold(Counts::default(), |sum, (_, kept, total)| sum.plus(kept, total));
    let of = |mask: &Mask, layer: &Layer| {
        let total = layer.shape.iter().product::<usize>() as u64;
        Counts::default().plus(ones(mask, layer), total)
    };
    match pruner.scope {
        Scope::Global => {
            let chosen = layers.iter().collect::<Vec<_>>();
            select(&mut mask, &chosen, None, |available| amount.removal(counting, all, available, None))?;
        }
        Scope::PerLayer => {
            for layer in &layers {
                let (counts, only) = (of(&mask, layer), Some(&layer.name));
                select(&mut mask, &[layer], only, |available| amount.removal(counting, counts, available, only))?;
            }
        }
        Scope::Erk => {
            let competing = layers.iter().map(|layer| ones(&mask, layer)).sum::<u64>();
            let gone = match amount.removal(counting, all, competing, None)? {
                Removal::Exactly(count) => count,
                Removal::UpTo(index) => index + 1,
            };
            let left = competing.checked_sub(gone).ok_or(PruneError::TooMany {
                wanted: gone,
                available: competing,
                layer: None,
            })?;
            let shapes: Vec<&[usize]> = layers.iter().map(|layer| layer.shape.as_slice()).collect();
            for (layer, target) in layers.iter().zip(erk(&shapes, left)) {
                let available = ones(&mask, layer);
                let only = Some(&layer.name);
                let short = PruneError::TooFew { kept: target, available, layer: only.cloned() };
                let gone = available.checked_sub(target).ok_or(short)?;
                select(&mut mask, &[layer], only, |_| Ok(Removal::Exactly(gone)))?;
            }
        }
    }
    Ok(mask)
}

/// A layer that takes part, with a key per element that sorts like its score.
struct Layer {
    name: String,
    shape: Vec<usize>,
    keys: Keys,
}

enum Keys {
    Scores(Vec<u32>),
    Random(Vec<u64>),
}

impl Keys {
    fn get(&self, at: usize) -> u64 {
        match self {
            Self::Scores(keys) => u64::from(keys[at]),
            Self::Random(keys) => keys[at],
        }
    }

    /// The leading 16 bits of a key.
    fn leading(&self, at: usize) -> usize {
        match self {
            Self::Scores(keys) => (keys[at] >> 16) as usize,
            Self::Random(keys) => (keys[at] >> 48) as usize,
        }
    }
}

fn layers(
    survey: &Survey,
    weights: &Weights,
    mask: &Mask,
    pruner: &Pruner,
    initial: Option<&Weights>,
) -> Result<Vec<Layer>, Error> {
    let mut layers = Vec::new();
    for parameter in survey.prunable().filter(|parameter| !pruner.keep.contains(&parameter.name)) {
        let name = parameter.name.clone();
        let kept = mask.bits(&name).unwrap_or_default();
        let keys = match &pruner.by {
            Rule::Random { seed } => {
                let mut rng = Stream::new(seed, &format!("prune/{name}")).at(0, 0);
                Keys::Random((0..kept.len()).map(|_| rng.next_u64()).collect())
            }
            Rule::Score { score } => {
                let mut weight = weights[&name].flatten_all()?.to_vec1::<f32>()?;
                for (value, kept) in weight.iter_mut().zip(kept) {
                    *value = if *kept { *value } else { 0.0 };
                }
                let start = match initial {
                    _ if !score::reads_initial(score) => Vec::new(),
                    Some(initial) => initial[&name].flatten_all()?.to_vec1::<f32>()?,
                    None => return Err(PruneError::NoInitial.into()),
                };
                let scores = score::evaluate(score, &weight, &start);
                if scores.iter().zip(kept).any(|(score, kept)| *kept && score.is_nan()) {
                    return Err(PruneError::NotANumber(name).into());
                }
                Keys::Scores(scores.into_iter().map(sortable).collect())
            }
        };
        layers.push(Layer { name, shape: parameter.shape.clone(), keys });
    }
    Ok(layers)
}

/// Maps floats to integers in the same order, −0 and 0 to the same one.
fn sortable(score: f32) -> u32 {
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// Weights left and in all, of everything in the scope: layers that are kept as they are count too.
#[derive(Clone, Copy, Default)]
struct Counts {
    kept: u64,
    total: u64,
}

impl Counts {
    fn plus(self, kept: u64, total: u64) -> Self {
        Self { kept: self.kept + kept, total: self.total + total }
    }
}

/// Removes the lowest of some layers; `removal` says how many, given how many are left. `only` names the layer, if each is
/// pruned by itself.
fn select(
    mask: &mut Mask,
    layers: &[&Layer],
    only: Option<&String>,
    removal: impl FnOnce(u64) -> Result<Removal, PruneError>,
) -> Result<(), PruneError> {
    let available = layers.iter().map(|layer| ones(mask, layer)).sum();
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
        let Some(kept) = mask.bits_mut(&layer.name) else { continue };
        for (at, kept) in kept.iter_mut().enumerate().filter(|(_, kept)| **kept) {
            let key = layer.keys.get(at);
            if key < threshold {
                *kept = false;
            } else if key == threshold && ties > 0 {
                *kept = false;
                ties -= 1;
            }
        }
    }
    Ok(())
}

/// Counts the weights that are left in a layer.
fn ones(mask: &Mask, layer: &Layer) -> u64 {
    mask.bits(&layer.name).unwrap_or_default().iter().filter(|kept| **kept).count() as u64
}

/// Returns the key with an index in ascending order among those that are kept, and how many are smaller. Keys are counted
/// by their leading bits first; only those that share the leading bits of the wanted one are copied.
fn nth(mask: &Mask, layers: &[&Layer], index: u64) -> (u64, u64) {
    fn each_kept(mask: &Mask, layer: &Layer, mut visit: impl FnMut(usize)) {
        let bits = mask.bits(&layer.name).unwrap_or_default();
        bits.iter().enumerate().filter(|(_, kept)| **kept).for_each(|(at, _)| visit(at));
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

/// How many of the lowest go.
enum Removal {
    /// This many; among equals the first in the order of parameters and elements.
    Exactly(u64),
    /// Everything at or below the score with this index, counted from 0.
    UpTo(u64),
}

/// An amount as an exact fraction.
struct Share {
    numerator: u128,
    denominator: u128,
    of_total: bool,
}

impl Share {
    fn of(amount: &Amount) -> Result<Self, PruneError> {
        let (text, of_total) = match amount {
            Amount::Rate(text) => (text, false),
            Amount::Sparsity(text) => (text, true),
        };
        let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
        let number = |digits: &str| digits.trim().parse::<u64>().ok().map(u128::from);
        match (number(numerator), number(denominator)) {
            (Some(numerator), Some(denominator)) if denominator > 0 && numerator <= denominator => {
                Ok(Self { numerator, denominator, of_total })
            }
            _ => Err(PruneError::Amount(text.clone())),
        }
    }

    fn removal(
        &self,
        counting: Counting,
        counts: Counts,
        available: u64,
        layer: Option<&String>,
    ) -> Result<Removal, PruneError> {
        if self.of_total {
            let kept = self.denominator - self.numerator;
            let kept = round_half_even(kept * u128::from(counts.total), self.denominator);
            let gone = counts.kept.checked_sub(kept);
            let too_few = || PruneError::TooFew { kept, available: counts.kept, layer: layer.cloned() };
            return gone.map(Removal::Exactly).ok_or_else(too_few);
        }
        Ok(match counting {
            Counting::OpenLth => {
                Removal::UpTo((self.numerator * u128::from(counts.kept)).div_ceil(self.denominator) as u64)
            }
            Counting::Torch => {
                Removal::Exactly(round_half_even(self.numerator * u128::from(available), self.denominator))
            }
        })
    }
}

fn round_half_even(numerator: u128, denominator: u128) -> u64 {
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let up = rest * 2 > denominator || (rest * 2 == denominator && whole % 2 == 1);
    (whole + u128::from(up)) as u64
}

#[cfg(test)]
mod tests;

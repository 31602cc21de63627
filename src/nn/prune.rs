//! Pruning: exact selection of the lowest scores, globally or per layer, without a full sort.

mod amount;
mod pattern;
mod saliency;
mod select;

use crate::domain::arch::{Arch, Parameter, Survey};
use crate::domain::pruning::{Amount, Pruner, Rule, Scope, Score, Unit, erk};

use super::data::Images;
use super::mask::Mask;
use super::rng::Stream;
use super::score::{self, Readings};
use super::{Error, Weights, checkpoint};
use amount::{Counts, Removal, Share};
use saliency::{Slopes, Values};
use select::select;

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
    /// The score reads gradients of the loss and there are no images to take them of.
    #[error("the score reads gradients, but there are no images to take them of")]
    NoSamples,
    /// Channels cannot go together in this way.
    #[error("whole filters can be removed globally or per layer, as shares")]
    Filters,
    /// The score reads concepts and there is no dissection to take them of.
    #[error("the score reads concepts, but there is no dissection to take them of")]
    NoConcepts,
    /// A score is not a number.
    #[error("the score of an element of `{0}` is not a number")]
    NotANumber(String),
}

fn place(layer: Option<&str>) -> String {
    layer.map(|layer| format!(" in `{layer}`")).unwrap_or_default()
}

/// What scores can read besides the trained weights.
#[derive(Clone, Copy, Default)]
pub struct Sources<'a> {
    /// The weights at initialisation.
    pub initial: Option<&'a Weights>,
    /// Training images that the pruner's samples are drawn from.
    pub images: Option<&'a dyn Images>,
    /// Best IoU of each filter of the parameters whose outputs are dissected units.
    pub concepts: Option<&'a Concepts>,
    /// Threads; they change no bit of a result.
    pub threads: usize,
}

/// By parameter, a value for each filter.
pub type Concepts = std::collections::BTreeMap<String, Vec<f32>>;

/// Removes the weights with the lowest scores from a mask (all ones if absent). `weights` count as masked.
///
/// # Errors
/// If weights or mask do not fit the architecture, a source is missing, or the pruner asks for more than there is.
pub fn prune(
    arch: &Arch,
    weights: &Weights,
    mask: Option<&Mask>,
    pruner: &Pruner,
    sources: Sources<'_>,
) -> Result<Mask, Error> {
    let survey = arch.survey()?;
    checkpoint::check(&survey, weights)?;
    if let Some(initial) = sources.initial {
        checkpoint::check(&survey, initial)?;
    }
    let before = mask;
    let mut mask = mask.cloned().unwrap_or_else(|| Mask::ones(&survey));
    mask.check(&survey)?;
    if let Some(name) = pruner.keep.iter().find(|name| !survey.prunable().any(|entry| entry.name == **name)) {
        let prunable = survey.prunable().map(|entry| entry.name.clone()).collect();
        return Err(PruneError::Keep { name: name.clone(), prunable }.into());
    }
    let measured = measure(arch, weights, before, pruner, sources)?;
    let layers = layers(&survey, weights, &mask, pruner, sources, &measured)?;
    if let Amount::Pattern { keep, of } = pruner.remove {
        if pruner.unit == Unit::Filter {
            return Err(PruneError::Filters.into());
        }
        layers.iter().for_each(|layer| pattern::thin_out(&mut mask, layer, keep, of));
        return Ok(mask);
    }
    let amount = Share::of(&pruner.remove)?;
    let counting = pruner.counting;
    let all = counts(&survey, &mask, pruner.unit);
    match pruner.scope {
        Scope::Global => {
            let chosen = layers.iter().collect::<Vec<_>>();
            select(&mut mask, &chosen, None, |available| amount.removal(counting, all, available, None))?;
        }
        Scope::PerLayer => {
            for layer in &layers {
                let (counts, only) = (layer.counts(&mask), Some(&layer.name));
                select(&mut mask, &[layer], only, |available| amount.removal(counting, counts, available, only))?;
            }
        }
        Scope::Erk if pruner.unit == Unit::Filter => return Err(PruneError::Filters.into()),
        Scope::Erk => {
            let competing = layers.iter().map(|layer| layer.units_left(&mask)).sum::<u64>();
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
                let available = layer.units_left(&mask);
                let only = Some(&layer.name);
                let short = PruneError::TooFew { kept: target, available, layer: only.cloned() };
                let gone = available.checked_sub(target).ok_or(short)?;
                select(&mut mask, &[layer], only, |_| Ok(Removal::Exactly(gone)))?;
            }
        }
    }
    Ok(mask)
}

/// Units of all prunable parameters: layers that are kept as they are count too.
fn counts(survey: &Survey, mask: &Mask, unit: Unit) -> Counts {
    let of = |entry: &Parameter| {
        let each = weights_of(unit, &entry.shape);
        let bits = mask.bits(&entry.name).unwrap_or_default();
        let left = bits.chunks(each).filter(|unit| unit.contains(&true)).count();
        Counts { kept: left as u64, total: (bits.len() / each) as u64 }
    };
    survey.prunable().map(of).fold(Counts::default(), Counts::plus)
}

/// Weights of one unit of a parameter.
fn weights_of(unit: Unit, shape: &[usize]) -> usize {
    match unit {
        Unit::Weight => 1,
        Unit::Filter => shape[1..].iter().product::<usize>().max(1),
    }
}

/// A layer that takes part, with a key per unit that sorts like its score.
struct Layer {
    name: String,
    shape: Vec<usize>,
    /// Weights of a unit.
    each: usize,
    keys: Keys,
}

enum Keys {
    Scores(Vec<u32>),
    Random(Vec<u64>),
}

impl Layer {
    /// Whether anything of a unit is left.
    fn is_left(&self, bits: &[bool], unit: usize) -> bool {
        if self.each == 1 { bits[unit] } else { bits[unit * self.each..(unit + 1) * self.each].contains(&true) }
    }

    fn units(&self) -> usize {
        self.shape.iter().product::<usize>() / self.each
    }

    /// Counts the units that are left.
    fn units_left(&self, mask: &Mask) -> u64 {
        let bits = mask.bits(&self.name).unwrap_or_default();
        (0..self.units()).filter(|unit| self.is_left(bits, *unit)).count() as u64
    }

    fn counts(&self, mask: &Mask) -> Counts {
        Counts { kept: self.units_left(mask), total: self.units() as u64 }
    }
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

/// What had to be computed for a score, by parameter.
#[derive(Default)]
struct Measured {
    slopes: Slopes,
    flow: Values,
}

fn measure(
    arch: &Arch,
    weights: &Weights,
    mask: Option<&Mask>,
    pruner: &Pruner,
    sources: Sources<'_>,
) -> Result<Measured, Error> {
    let mut measured = Measured::default();
    if pruner.reads_loss() {
        let (Some(samples), Some(images)) = (&pruner.samples, sources.images) else {
            return Err(PruneError::NoSamples.into());
        };
        let second = pruner.reads(&Score::HessianGradient);
        measured.slopes = saliency::slopes(arch, weights, mask, samples, images, sources.threads, second)?;
    }
    if pruner.reads(&Score::Flow) {
        measured.flow = saliency::synaptic_flow(arch, weights, mask, sources.threads)?;
    }
    Ok(measured)
}

fn layers(
    survey: &Survey,
    weights: &Weights,
    mask: &Mask,
    pruner: &Pruner,
    sources: Sources<'_>,
    measured: &Measured,
) -> Result<Vec<Layer>, Error> {
    let mut layers = Vec::new();
    let last = survey.prunable().last().map(|entry| &entry.name);
    let competes = |entry: &&Parameter| {
        let answers = pruner.unit == Unit::Filter && Some(&entry.name) == last;
        !answers && !pruner.keep.contains(&entry.name)
    };
    for parameter in survey.prunable().filter(competes) {
        let name = parameter.name.clone();
        let kept = mask.bits(&name).unwrap_or_default();
        let each = weights_of(pruner.unit, &parameter.shape);
        let keys = match &pruner.by {
            Rule::Random { seed } => {
                let mut rng = Stream::new(seed, &format!("prune/{name}")).at(0, 0);
                Keys::Random((0..kept.len() / each).map(|_| rng.next_u64()).collect())
            }
            Rule::Score { score } => {
                let mut weight = weights[&name].flatten_all()?.to_vec1::<f32>()?;
                for (value, kept) in weight.iter_mut().zip(kept) {
                    *value = if *kept { *value } else { 0.0 };
                }
                let start = match sources.initial {
                    _ if !score.reads(&Score::Initial) => Vec::new(),
                    Some(initial) => initial[&name].flatten_all()?.to_vec1::<f32>()?,
                    None => return Err(PruneError::NoInitial.into()),
                };
                let concept = match sources.concepts {
                    _ if !score.reads(&Score::Concept) => Vec::new(),
                    Some(concepts) => by_filter(concepts.get(&name), &parameter.shape),
                    None => return Err(PruneError::NoConcepts.into()),
                };
                let readings = Readings {
                    concept: &concept,
                    weight: &weight,
                    initial: &start,
                    gradient: values_of(&measured.slopes.gradient, &name),
                    hessian_gradient: values_of(&measured.slopes.hessian_gradient, &name),
                    flow: values_of(&measured.flow, &name),
                    kept,
                    filter: weights_of(Unit::Filter, &parameter.shape),
                };
                let scores = score::evaluate(score, readings);
                if scores.iter().zip(kept).any(|(score, kept)| *kept && score.is_nan()) {
                    return Err(PruneError::NotANumber(name).into());
                }
                Keys::Scores(by_unit(scores, kept, each).into_iter().map(sortable).collect())
            }
        };
        layers.push(Layer { name, shape: parameter.shape.clone(), each, keys });
    }
    Ok(layers)
}

fn values_of<'a>(values: &'a Values, name: &str) -> &'a [f32] {
    values.get(name).map_or(&[], Vec::as_slice)
}

/// Gives each weight the value of its filter; 0 where there is none.
fn by_filter(values: Option<&Vec<f32>>, shape: &[usize]) -> Vec<f32> {
    let each = weights_of(Unit::Filter, shape);
    let value = |filter: usize| values.and_then(|values| values.get(filter)).copied().unwrap_or(0.0);
    (0..shape.iter().product()).map(|weight| value(weight / each)).collect()
}

/// Means over units; pruned weights count as 0.
fn by_unit(scores: Vec<f32>, kept: &[bool], each: usize) -> Vec<f32> {
    if each == 1 {
        return scores;
    }
    let mean = |(scores, kept): (&[f32], &[bool])| {
        let left = scores.iter().zip(kept).filter(|(_, kept)| **kept);
        (left.map(|(score, _)| f64::from(*score)).sum::<f64>() / each as f64) as f32
    };
    scores.chunks(each).zip(kept.chunks(each)).map(mean).collect()
}

/// Maps floats to integers in the same order, −0 and 0 to the same one.
fn sortable(score: f32) -> u32 {
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

#[cfg(test)]
mod tests;

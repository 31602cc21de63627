//! What prunings tell their user: sentences that are stored with the stage, and what they mean.

use std::collections::BTreeMap;

use super::Job;
use crate::diag::Code;
use crate::diag::codes::execution;
use crate::domain::arch::Survey;
use crate::domain::pruning::{Pruner, Rule, Scope, Score, Unit};
use crate::nn::Weights;
use crate::nn::mask::Mask;

/// Factor between mean magnitudes of layers from which they are told to be of unlike sizes.
const UNLIKE: f64 = 50.0;

/// What a note is about.
#[derive(Debug)]
pub struct Topic {
    /// Words that every note about it has.
    mark: &'static str,
    /// Entry of the catalogue of diagnostics.
    pub code: &'static Code,
    /// What to do.
    pub help: &'static str,
}

/// Every topic; what fits none is of the last.
static TOPICS: [Topic; 3] = [
    Topic {
        mark: "fewer weights than outputs",
        code: &execution::THIN_LAYER,
        help: "Most of its outputs are constant. Keep the layer with `keep:`, or prune each layer by itself.",
    },
    Topic {
        mark: "compared across layers",
        code: &execution::UNLIKE_LAYERS,
        help: "Prune each layer by itself with `scope: per_layer`, or a network that still has its batch norm.",
    },
    Topic {
        mark: "no weights left",
        code: &execution::COLLAPSED_LAYER,
        help: "Nothing passes it but biases. Keep the layer with `keep:`, or prune each layer by itself.",
    },
];

/// Returns what a note is about.
pub fn topic(note: &str) -> &'static Topic {
    let [.., last] = &TOPICS;
    TOPICS.iter().find(|topic| note.contains(topic.mark)).unwrap_or(last)
}

/// Tells of layers that lost their last weight just now, or most of the last of each output.
pub(in crate::ops) fn on_collapse(job: &mut Job<'_>, survey: &Survey, before: Option<&Mask>, after: &Mask) {
    let left = |name: &str, all: u64| {
        let bits = before.and_then(|mask| mask.bits(name));
        bits.map_or(all, |bits| bits.iter().filter(|bit| **bit).count() as u64)
    };
    let outputs = |name: &str| survey.parameter(name).and_then(|entry| entry.shape.first()).map_or(0, |n| *n as u64);
    let (mut gone, mut thin) = (Vec::new(), Vec::new());
    for (name, kept, total) in after.counts() {
        let (had, least) = (left(name, total), outputs(name));
        if kept == 0 && had > 0 {
            gone.push(format!("`{name}`"));
        } else if kept < least && had >= least {
            thin.push(format!("`{name}` ({kept} for {least})"));
        }
    }
    if !gone.is_empty() {
        job.note(format!("{} {} no weights left", gone.join(", "), have(gone.len())));
    }
    if !thin.is_empty() {
        job.note(format!("{} {} fewer weights than outputs", thin.join(", "), have(thin.len())));
    }
}

fn have(count: usize) -> &'static str {
    if count == 1 { "has" } else { "have" }
}

/// Tells of a global pruning by magnitude in whose layers magnitudes do not mean the same: where batch norm was folded
/// into weights, or where means differ widely. Only a first pruning tells.
pub(in crate::ops) fn on_unlike_layers(job: &mut Job<'_>, survey: &Survey, pruner: &Pruner, weights: &Weights) {
    if !compares_magnitudes(pruner) {
        return;
    }
    let loaded = job.input("state").is_ok_and(|record| record.op == "load");
    let found = unlike(&magnitudes(survey, pruner, weights));
    if loaded && is_folded(survey) {
        let found = found.map(|found| format!(" ({found})")).unwrap_or_default();
        job.note(format!(
            "magnitudes are compared across layers of a network that seems to have its batch norm folded into its weights: \
             its convolutions have biases, and it has no batch norm{found}"
        ));
    } else if let Some(found) = found {
        job.note(format!("magnitudes are compared across layers that are of unlike sizes: {found}"));
    }
}

/// Whether weights of all layers compete by their magnitudes alone.
fn compares_magnitudes(pruner: &Pruner) -> bool {
    let Rule::Score { score } = &pruner.by else { return false };
    let others = [Score::Initial, Score::Gradient, Score::HessianGradient, Score::Flow, Score::Concept];
    let alone = score.reads(&Score::Weight) && !others.iter().any(|leaf| score.reads(leaf));
    alone && pruner.scope == Scope::Global && pruner.unit == Unit::Weight
}

/// Whether convolutions have biases and nothing is normalised.
fn is_folded(survey: &Survey) -> bool {
    let has_bias = |name: &str| survey.parameter(&name.replace(".weight", ".bias")).is_some();
    let mut convolutions = survey.parameters.iter().filter(|entry| entry.shape.len() == 4).peekable();
    let any = convolutions.peek().is_some();
    any && convolutions.all(|entry| has_bias(&entry.name))
        && !survey.parameters.iter().any(|entry| entry.role.is_norm())
}

/// Mean magnitude of each layer that takes part.
fn magnitudes(survey: &Survey, pruner: &Pruner, weights: &Weights) -> BTreeMap<String, f64> {
    let mean = |name: &str| {
        let values = weights.get(name)?.flatten_all().ok()?.to_vec1::<f32>().ok()?;
        let sum: f64 = values.iter().map(|value| f64::from(value.abs())).sum();
        Some(sum / values.len().max(1) as f64)
    };
    let layers = survey.prunable().filter(|entry| !pruner.keep.contains(&entry.name));
    layers.filter_map(|entry| Some((entry.name.clone(), mean(&entry.name)?))).collect()
}

/// Says how far the largest and the smallest mean are apart, if that is far.
fn unlike(means: &BTreeMap<String, f64>) -> Option<String> {
    let mut order: Vec<(&String, f64)> = means.iter().map(|(name, mean)| (name, *mean)).collect();
    order.retain(|(_, mean)| *mean > 0.0);
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let ((small, least), (large, most)) = (*order.first()?, *order.last()?);
    let factor = most / least;
    (factor > UNLIKE).then(|| format!("the mean magnitude in `{large}` is {factor:.0} times that in `{small}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_told_apart() {
        assert_eq!(topic("`fc.weight` has no weights left").code.id, "PD0507");
        assert_eq!(topic("`fc.weight` (3 for 10) has fewer weights than outputs").code.id, "PD0510");
        assert_eq!(topic("magnitudes are compared across layers that are of unlike sizes: …").code.id, "PD0511");
    }

    #[test]
    fn means_that_are_far_apart_are_named() {
        let means =
            |least: f64| BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), least), ("c".to_owned(), 0.0)]);
        assert_eq!(unlike(&means(0.03)), None);
        let found = unlike(&means(0.01)).unwrap();
        assert_eq!(found, "the mean magnitude in `a` is 100 times that in `b`");
        assert_eq!(unlike(&BTreeMap::new()), None);
    }
}

//! What scores from gradients remove, against PyTorch's exact derivatives.

use std::collections::BTreeMap;

use pdsl::domain::arch::{Arch, Layer, Shape};
use pdsl::domain::data::{DataSet, Task};
use pdsl::domain::pruning::{Amount, Counting, Pruner, Rule, Samples, Scope, Score, Unit};
use pdsl::domain::seed::Seed;
use pdsl::nn::mask::Mask;
use pdsl::nn::prune::{Sources, prune};
use serde::Deserialize;

use super::values::fill;
use super::{Ordered, fixture};

#[derive(Deserialize)]
struct Saliency {
    layers: Layer,
    input: Shape,
    classes: usize,
    batch: usize,
    temperature: f64,
    cases: Vec<Case>,
    filters: BTreeMap<String, Vec<usize>>,
}

#[derive(Deserialize)]
struct Case {
    rule: String,
    sparsity: String,
    gone: Vec<usize>,
}

fn pruner(score: Score, remove: Amount) -> Pruner {
    Pruner {
        by: Rule::Score { score },
        remove,
        scope: Scope::Global,
        keep: Vec::new(),
        counting: Counting::Torch,
        unit: Unit::Weight,
        samples: None,
    }
}

fn times_weight(leaf: Score) -> Score {
    Score::Multiply(Box::new(Score::Weight), Box::new(leaf))
}

/// Lists the places of pruned weights, counted through all parameters in the order of the network.
fn gone(arch: &Arch, mask: &Mask) -> Vec<usize> {
    let survey = arch.survey().unwrap();
    let bits = survey.prunable().flat_map(|entry| mask.bits(&entry.name).unwrap());
    bits.enumerate().filter(|(_, kept)| !**kept).map(|(at, _)| at).collect()
}

#[test]
fn gradients_remove_what_they_remove_in_pytorch() {
    let saliency: Saliency = serde_json::from_slice(&fixture("saliency.json")).unwrap();
    let arch = Arch { root: saliency.layers, input: saliency.input };
    let (weights, seed) = (fill(&arch, 30), Seed { root: 4, stream: Vec::new() });
    let images = Ordered::new(saliency.batch, saliency.classes, saliency.input, &seed);
    let task = Task { classes: saliency.classes, input: saliency.input, data: DataSet::Digits, ..Task::digits() };
    for case in saliency.cases {
        let (score, temperature, apart) = match case.rule.as_str() {
            "sensitivity" => (Score::Abs(Box::new(times_weight(Score::Gradient))), 1.0, 0.001),
            "gradient_flow" => (times_weight(Score::HessianGradient), saliency.temperature, 0.01),
            _ => (Score::Abs(Box::new(times_weight(Score::Flow))), 1.0, 0.0),
        };
        let samples = Samples {
            task: task.clone(),
            batch: saliency.batch,
            batches: 1,
            balanced: case.rule == "gradient_flow",
            seed: seed.clone(),
            temperature,
        };
        let pruner = Pruner { samples: Some(samples), ..pruner(score, Amount::Sparsity(case.sparsity.clone())) };
        let run = |threads| {
            let sources = Sources { images: Some(&images), threads, ..Sources::default() };
            prune(&arch, &weights, None, &pruner, sources).unwrap()
        };
        let mask = run(2);
        assert_eq!(mask, run(1), "{}", case.rule);
        let found = gone(&arch, &mask);
        assert_eq!(found.len(), case.gone.len(), "{} to {}", case.rule, case.sparsity);
        let other = found.iter().filter(|at| case.gone.binary_search(at).is_err()).count();
        let share = other as f64 / found.len() as f64;
        assert!(share <= apart, "{} to {}: {share} of what goes is other than PyTorch's", case.rule, case.sparsity);
    }
    let magnitude = Score::Abs(Box::new(Score::Weight));
    let filters =
        Pruner { scope: Scope::PerLayer, unit: Unit::Filter, ..pruner(magnitude, Amount::Rate("1/4".into())) };
    let mask = prune(&arch, &weights, None, &filters, Sources::default()).unwrap();
    for (name, gone) in saliency.filters {
        let bits = mask.bits(&name).unwrap();
        if name == "fc.weight" {
            assert!(!bits.contains(&false), "classes stay");
            continue;
        }
        let filters = arch.survey().unwrap().parameter(&name).unwrap().shape[0];
        let each = bits.len() / filters;
        let left = |filter: &usize| bits[filter * each..(filter + 1) * each].contains(&true);
        assert!(bits.chunks(each).all(|filter| filter.iter().all(|kept| *kept == filter[0])), "{name}");
        assert_eq!((0..filters).filter(|filter| !left(filter)).collect::<Vec<_>>(), gone, "{name}");
    }
}

use candle_core::{Device, Tensor};

use super::amount::round_half_even;
use super::select::nth;
use super::*;
use crate::domain::arch::samples::{cifar_resnet, sequence};
use crate::domain::arch::{Layer as ArchLayer, Shape};
use crate::domain::pruning::{Counting, Score};
use crate::domain::seed::Seed;
use crate::nn::init::initialize;

fn magnitude(remove: Amount, counting: Counting) -> Pruner {
    let score = Score::Abs(Box::new(Score::Weight));
    Pruner {
        by: Rule::Score { score },
        remove,
        scope: Scope::Global,
        keep: Vec::new(),
        counting,
        unit: Unit::Weight,
        samples: None,
    }
}

fn rate(text: &str) -> Amount {
    Amount::Rate(text.to_owned())
}

/// A network of fully connected layers whose weights are given.
fn toy(layers: &[(&str, Vec<f32>)]) -> (Arch, Weights) {
    let (name, first) = &layers[0];
    let members = layers.iter().map(|(name, values)| (*name, ArchLayer::Linear { out: values.len() })).collect();
    assert!(layers.iter().skip(1).all(|(_, values)| values.len() == 1) || layers.len() == 1, "{name} {first:?}");
    let arch = Arch { root: sequence(members), input: Shape { channels: 1, height: 1, width: 1 } };
    let mut weights = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
    for (name, values) in layers {
        let name = format!("{name}.weight");
        let shape = weights[&name].dims().to_vec();
        weights.insert(name, Tensor::from_vec(values.clone(), shape, &Device::Cpu).unwrap());
    }
    (arch, weights)
}

fn kept(mask: &Mask, name: &str) -> Vec<u8> {
    mask.bits(name).unwrap().iter().map(|kept| u8::from(*kept)).collect()
}

/// open_lth's rule on ten weights: n = ⌈0.2 · 10⌉ = 2, and three go; then three more.
#[test]
fn open_lth_removes_one_more_than_the_share() {
    let (arch, weights) = toy(&[("fc", vec![0.1, -0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8, 0.9, -1.0])]);
    let pruner = magnitude(rate("1/5"), Counting::OpenLth);
    let once = prune(&arch, &weights, None, &pruner, Sources::default()).unwrap();
    assert_eq!(kept(&once, "fc.weight"), [0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
    let twice = prune(&arch, &weights, Some(&once), &pruner, Sources::default()).unwrap();
    assert_eq!(kept(&twice, "fc.weight"), [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
}

#[test]
fn open_lth_drops_all_ties() {
    let mut values = vec![1.0; 9];
    values.push(2.0);
    let (arch, weights) = toy(&[("fc", values)]);
    let mask = prune(&arch, &weights, None, &magnitude(rate("1/5"), Counting::OpenLth), Sources::default()).unwrap();
    assert_eq!(kept(&mask, "fc.weight"), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
}

#[test]
fn torch_removes_exactly_the_share_and_the_first_among_equals() {
    let (arch, weights) = toy(&[("fc", vec![1.0, 2.0, 3.0, 4.0, -4.0, -3.0, -2.0, -1.0])]);
    let pruner = magnitude(rate("1/4"), Counting::Torch);
    let once = prune(&arch, &weights, None, &pruner, Sources::default()).unwrap();
    assert_eq!(kept(&once, "fc.weight"), [0, 1, 1, 1, 1, 1, 1, 0]);
    let twice =
        prune(&arch, &weights, Some(&once), &magnitude(rate("1/3"), Counting::Torch), Sources::default()).unwrap();
    assert_eq!(kept(&twice, "fc.weight"), [0, 0, 1, 1, 1, 1, 0, 0]);
    let (arch, weights) = toy(&[("fc", vec![1.0; 5])]);
    let ties = prune(&arch, &weights, None, &magnitude(rate("2/5"), Counting::Torch), Sources::default()).unwrap();
    assert_eq!(kept(&ties, "fc.weight"), [0, 0, 1, 1, 1]);
}

#[test]
fn halves_round_to_even_as_in_torch() {
    assert_eq!([(4 * 17, 10), (5, 2), (7, 2), (15, 1)].map(|(p, q)| round_half_even(p, q)), [7, 2, 4, 15]);
}

/// open_lth `test_sparse_global.py` on ResNet-20.
#[test]
fn iterated_magnitude_pruning_keeps_open_lths_promises() {
    let arch = cifar_resnet(3, 16, 10, 3, 32);
    let weights = initialize(&arch, &Seed { root: 3, stream: Vec::new() }).unwrap();
    let survey = arch.survey().unwrap();
    let pruner = magnitude(rate("1/5"), Counting::OpenLth);
    let mask = prune(&arch, &weights, None, &pruner, Sources::default()).unwrap();
    mask.check(&survey).unwrap();
    let pruned = 1.0 - mask.kept() as f64 / mask.total() as f64;
    assert!((0.2..0.2001).contains(&pruned), "{pruned}");
    let (mut largest_gone, mut smallest_kept) = (0.0f32, f32::MAX);
    for parameter in survey.prunable() {
        let values = weights[&parameter.name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (value, kept) in values.iter().zip(mask.bits(&parameter.name).unwrap()) {
            if *kept {
                smallest_kept = smallest_kept.min(value.abs());
            } else {
                largest_gone = largest_gone.max(value.abs());
            }
        }
    }
    assert!(largest_gone < smallest_kept);

    let keep = Pruner { keep: vec!["fc.weight".into(), "conv1.weight".into()], ..pruner };
    let mask = prune(&arch, &weights, None, &keep, Sources::default()).unwrap();
    assert!(mask.bits("fc.weight").unwrap().iter().all(|kept| *kept));
    assert!(mask.kept() as f64 <= 0.8 * mask.total() as f64);
}

/// The recursion r ← r − (⌈r / 5⌉ + 1) on ResNet-20's 270 896 weights.
#[test]
fn level_counts_are_those_of_open_lth() {
    let arch = cifar_resnet(3, 16, 10, 3, 32);
    let mut weights = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
    let mut next = 0u32;
    for parameter in arch.survey().unwrap().prunable() {
        let values = (0..parameter.elements()).map(|_| {
            next += 1;
            (next * 7919 % 270_899) as f32 + 1.0
        });
        let tensor = Tensor::from_vec(values.collect::<Vec<f32>>(), parameter.shape.clone(), &Device::Cpu).unwrap();
        weights.insert(parameter.name.clone(), tensor);
    }
    let pruner = magnitude(rate("1/5"), Counting::OpenLth);
    let (mut mask, mut counts) = (None, Vec::new());
    for _ in 0..6 {
        let pruned = prune(&arch, &weights, mask.as_ref(), &pruner, Sources::default()).unwrap();
        counts.push(pruned.kept());
        mask = Some(pruned);
    }
    assert_eq!(counts, [216_715, 173_371, 138_695, 110_955, 88_763, 71_009]);
}

#[test]
fn random_masks_have_the_exact_sparsity_and_follow_their_seed() {
    let arch = cifar_resnet(1, 8, 10, 1, 8);
    let weights = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
    let random = |root, sparsity: &str, scope| Pruner {
        by: Rule::Random { seed: Seed { root, stream: vec!["control".into()] } },
        remove: Amount::Sparsity(sparsity.to_owned()),
        scope,
        keep: Vec::new(),
        counting: Counting::OpenLth,
        unit: Unit::Weight,
        samples: None,
    };
    let run = |pruner: &Pruner| prune(&arch, &weights, None, pruner, Sources::default()).unwrap();
    let total = arch.survey().unwrap().prunable_count();
    let first = run(&random(1, "1/2", Scope::Global));
    assert_eq!(first.kept(), total / 2);
    assert_eq!(first, run(&random(1, "1/2", Scope::Global)));
    assert_ne!(first, run(&random(2, "1/2", Scope::Global)));
    let layered = run(&random(1, "3/4", Scope::PerLayer));
    for (name, kept, total) in layered.counts() {
        assert_eq!(kept, round_half_even(u128::from(total), 4), "{name}");
    }
    let gone = prune(&arch, &weights, Some(&first), &random(1, "1/4", Scope::Global), Sources::default());
    assert!(matches!(gone, Err(Error::Prune(PruneError::TooFew { .. }))));
}

#[test]
fn scores_are_expressions() {
    let (arch, weights) = toy(&[("fc", vec![0.5, -2.0, 3.0, -4.0])]);
    let (_, initial) = toy(&[("fc", vec![0.5, -1.0, 5.0, 4.0])]);
    let moved = Score::Abs(Box::new(Score::Subtract(Box::new(Score::Weight), Box::new(Score::Initial))));
    let pruner = Pruner { by: Rule::Score { score: moved }, ..magnitude(rate("1/2"), Counting::Torch) };
    let mask =
        prune(&arch, &weights, None, &pruner, Sources { initial: Some(&initial), ..Sources::default() }).unwrap();
    assert_eq!(kept(&mask, "fc.weight"), [0, 0, 1, 1]);
    let missing = prune(&arch, &weights, None, &pruner, Sources::default());
    assert!(matches!(missing, Err(Error::Prune(PruneError::NoInitial))));
}

/// By hand: groups of 4 along the inputs, the rest of 2 by itself.
#[test]
fn patterns_keep_the_largest_of_each_group() {
    let row = [4.0, -1.0, 2.0, 3.0, 0.1, 0.2];
    let arch = Arch {
        root: sequence(vec![("fc", ArchLayer::Linear { out: 2 })]),
        input: Shape { channels: 6, height: 1, width: 1 },
    };
    let mut weights = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
    let values: Vec<f32> = row.iter().chain(row.iter().rev()).copied().collect();
    weights.insert("fc.weight".into(), Tensor::from_vec(values, (2, 6), &Device::Cpu).unwrap());
    let pattern = |keep, of| magnitude(Amount::Pattern { keep, of }, Counting::Torch);
    let mask = prune(&arch, &weights, None, &pattern(2, 4), Sources::default()).unwrap();
    assert_eq!(kept(&mask, "fc.weight"), [1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1]);
    let mask = prune(&arch, &weights, Some(&mask), &pattern(1, 4), Sources::default()).unwrap();
    assert_eq!(kept(&mask, "fc.weight"), [1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1]);
    let arch = cifar_resnet(1, 16, 10, 3, 16);
    let weights = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
    let mask = prune(&arch, &weights, None, &pattern(2, 4), Sources::default()).unwrap();
    for parameter in arch.survey().unwrap().prunable() {
        let (bits, shape) = (mask.bits(&parameter.name).unwrap(), &parameter.shape);
        let taps: usize = shape[2..].iter().product();
        for filter in bits.chunks(shape[1] * taps) {
            for tap in 0..taps {
                let inputs: Vec<bool> = filter.iter().skip(tap).step_by(taps).copied().collect();
                let left = |group: &[bool]| group.iter().filter(|kept| **kept).count();
                assert!(inputs.chunks(4).all(|group| left(group) == group.len().min(2)), "{}", parameter.name);
            }
        }
    }
}

/// Globally, whole filters go by their mean score, and shares are shares of filters.
#[test]
fn filters_go_as_a_whole() {
    let arch = cifar_resnet(1, 8, 10, 3, 16);
    let weights = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
    let survey = arch.survey().unwrap();
    let filters: usize = survey.prunable().map(|entry| entry.shape[0]).sum();
    let pruner = Pruner { unit: Unit::Filter, ..magnitude(rate("1/4"), Counting::Torch) };
    let mask = prune(&arch, &weights, None, &pruner, Sources::default()).unwrap();
    let mut means = Vec::new();
    for parameter in survey.prunable().filter(|entry| entry.name != "fc.weight") {
        let values = weights[&parameter.name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let each = values.len() / parameter.shape[0];
        for (values, bits) in values.chunks(each).zip(mask.bits(&parameter.name).unwrap().chunks(each)) {
            assert!(bits.iter().all(|kept| *kept == bits[0]));
            means.push((values.iter().map(|value| f64::from(value.abs())).sum::<f64>() / each as f64, bits[0]));
        }
    }
    means.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(!mask.bits("fc.weight").unwrap().contains(&false));
    let gone = round_half_even(filters as u128 - 10, 4) as usize;
    assert!(means[..gone].iter().all(|(_, kept)| !kept) && means[gone..].iter().all(|(_, kept)| *kept));
    let twice = prune(&arch, &weights, Some(&mask), &pruner, Sources::default()).unwrap();
    assert!(twice.kept() < mask.kept());
    let erk = Pruner { scope: Scope::Erk, ..pruner };
    let refused = prune(&arch, &weights, None, &erk, Sources::default());
    assert!(matches!(refused, Err(Error::Prune(PruneError::Filters))));
    let score = Score::Multiply(Box::new(Score::Weight), Box::new(Score::Gradient));
    let blind = Pruner { by: Rule::Score { score }, ..magnitude(rate("1/4"), Counting::Torch) };
    let refused = prune(&arch, &weights, None, &blind, Sources::default());
    assert!(matches!(refused, Err(Error::Prune(PruneError::NoSamples))));
}

#[test]
fn impossible_requests_are_refused() {
    let (arch, weights) = toy(&[("fc", vec![1.0, 2.0])]);
    let ask = |pruner: Pruner| match prune(&arch, &weights, None, &pruner, Sources::default()) {
        Err(Error::Prune(error)) => error,
        other => panic!("{other:?}"),
    };
    let all = ask(magnitude(rate("1/1"), Counting::OpenLth));
    assert_eq!(all.to_string(), "3 weights should go, but only 2 are left to choose from");
    assert!(matches!(ask(magnitude(rate("3/2"), Counting::Torch)), PruneError::Amount(_)));
    let keep = Pruner { keep: vec!["fc.bias".into()], ..magnitude(rate("1/2"), Counting::Torch) };
    assert!(matches!(ask(keep), PruneError::Keep { .. }));
}

/// The counts that are known before anything runs are those of the mask.
#[test]
fn shares_by_extents_are_those_that_were_planned() {
    let arch = cifar_resnet(1, 16, 10, 3, 8);
    let weights = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
    let survey = arch.survey().unwrap();
    let pruner = Pruner { scope: Scope::Erk, ..magnitude(Amount::Sparsity("9/10".into()), Counting::OpenLth) };
    let mask = prune(&arch, &weights, None, &pruner, Sources::default()).unwrap();
    let shapes: Vec<&[usize]> = survey.prunable().map(|entry| entry.shape.as_slice()).collect();
    let target = round_half_even(u128::from(survey.prunable_count()), 10);
    let planned = erk(&shapes, target);
    assert_eq!(mask.kept(), target);
    for (entry, planned) in survey.prunable().zip(planned) {
        let bits = mask.bits(&entry.name).unwrap();
        assert_eq!(bits.iter().filter(|kept| **kept).count() as u64, planned, "{}", entry.name);
        let values = weights[&entry.name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let of = |wanted: bool| values.iter().zip(bits).filter(move |(_, kept)| **kept == wanted).map(|(w, _)| w.abs());
        assert!(of(false).fold(0.0, f32::max) <= of(true).fold(f32::INFINITY, f32::min), "{}", entry.name);
    }
    assert!(matches!(
        prune(
            &arch,
            &weights,
            Some(&mask),
            &magnitude(Amount::Sparsity("1/2".into()), Counting::OpenLth),
            Sources::default()
        ),
        Err(Error::Prune(PruneError::TooFew { .. }))
    ));
}

proptest::proptest! {
    /// Against a full sort, with many equal keys and keys that differ in their last bits only.
    #[test]
    fn the_selected_key_is_that_of_a_full_sort(
        values in proptest::collection::vec((0u32..40, 0u32..3, proptest::prelude::any::<bool>()), 1..60), wide: bool,
        pick: proptest::sample::Index,
    ) {
        let count = values.len();
        let (arch, _) = toy(&[("fc", vec![1.0; count])]);
        let mut mask = Mask::ones(&arch.survey().unwrap());
        let bits = mask.bits_mut("fc.weight").unwrap();
        bits.iter_mut().zip(&values).for_each(|(bit, (.., kept))| *bit = *kept);
        bits[0] = true;
        let keys: Vec<u64> = values.iter().map(|(high, low, _)| u64::from(high << 16 | low)).collect();
        let layer = Layer {
            name: "fc.weight".to_owned(),
            shape: vec![count, 1],
            each: 1,
            keys: if wide {
                Keys::Random(keys.iter().map(|key| key << 32 | 7).collect())
            } else {
                Keys::Scores(keys.iter().map(|key| *key as u32).collect())
            },
        };
        let bits = mask.bits("fc.weight").unwrap();
        let mut sorted: Vec<u64> = (0..count).filter(|at| bits[*at]).map(|at| layer.keys.get(at)).collect();
        sorted.sort_unstable();
        let index = pick.index(sorted.len());
        let below = sorted.iter().filter(|key| **key < sorted[index]).count() as u64;
        proptest::prop_assert_eq!(nth(&mask, &[&layer], index as u64), (sorted[index], below));
    }
}

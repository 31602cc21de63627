//! Small trials of every program that ships: apart from all results, in the order of the program, and small.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pdsl::domain::arch::Arch;
use pdsl::eval::{self, External, Fingerprints, Overrides, Weights};
use pdsl::graph::{Canon, Graph, Key, Node};
use pdsl::ops::smoke;
use pdsl::world::Machine;
use pdsl::{resolve, types};

/// Data sets of this name are on this machine, no other is.
struct Holding(&'static str);

impl Fingerprints for Holding {
    fn digest(&self, data: External<'_>) -> Option<String> {
        let generated = ["digits", "shapes"].contains(&data.name());
        (generated || data.name() == self.0).then(|| format!("{data:?}"))
    }

    fn weights(&self, _: &str) -> std::io::Result<Weights> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

fn graph(name: &str, text: &str, data: &dyn Fingerprints) -> Graph {
    let typed = types::check(resolve::link_text(&Machine, name, text));
    eval::evaluate(&typed, &Overrides::default(), data).map_err(|found| format!("{found:?}")).unwrap().graph
}

fn experiments() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pd"));
    paths.sort();
    paths.into_iter().map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap())).collect()
}

fn keys(graph: &Graph) -> BTreeSet<Key> {
    graph.iter().map(|(id, _)| graph.key(id)).collect()
}

fn trial(full: &Graph) -> Graph {
    let mut small = full.clone();
    smoke::shrink(&mut small);
    small
}

fn arch(node: &Node) -> Option<Arch> {
    let Canon::Map(args) = &node.args else { return None };
    args.get("arch")?.parse().ok()
}

#[test]
fn every_experiment_has_a_small_trial_apart_from_its_results() {
    for (name, text) in experiments() {
        let full = graph(&name, &text, &Holding(""));
        let small = trial(&full);
        assert_eq!(small.len(), full.len(), "{name}: stages keep their numbers");
        assert_eq!(keys(&small).len(), small.len(), "{name}");
        assert!(keys(&small).is_disjoint(&keys(&full)), "{name}: a trial has the key of a result");
        for ((id, node), (_, other)) in small.iter().zip(full.iter()) {
            assert_eq!(node.inputs, other.inputs, "{name}");
            assert_eq!(node.facts.name, other.facts.name, "{name}");
            assert_eq!(small.preimage(id).key(), small.key(id), "{name}");
            assert!(small.preimage(id).smoke.is_some() && full.preimage(id).smoke.is_none(), "{name}");
            assert!(node.data.values().all(Option::is_some), "{name}: {} waits for data", node.facts.name);
            if let Some(arch) = arch(node) {
                assert!(arch.survey().unwrap().parameter_count() <= 300_000, "{name}: {}", node.facts.name);
                assert!(arch.input.height <= 32, "{name}: {}", node.facts.name);
            }
            let iterations = node.trajectory.as_ref().map_or(0, |trajectory| trajectory.until - trajectory.start);
            assert!(iterations <= 24, "{name}: {} has {iterations} iterations", node.facts.name);
        }
    }
}

#[test]
fn steps_keep_their_order_and_points_stay_points_of_one_training() {
    for (name, text) in experiments() {
        let full = graph(&name, &text, &Holding(""));
        let small = trial(&full);
        let mut at: BTreeMap<u64, BTreeMap<u64, BTreeSet<u64>>> = BTreeMap::new();
        for ((id, node), (_, other)) in small.iter().zip(full.iter()) {
            let (Some(few), Some(many)) = (&node.trajectory, &other.trajectory) else { continue };
            assert!(few.start < few.until, "{name}: {}", node.facts.name);
            assert_eq!(few.rates.len() as u64, few.until - few.start, "{name}");
            assert!(few.rates.iter().all(|rate| rate.is_finite() && *rate >= 0.0), "{name}");
            let steps = at.entry(many.per_epoch).or_default();
            steps.entry(many.start).or_default().insert(few.start);
            steps.entry(many.until).or_default().insert(few.until);
            for (longer, long) in full.iter().filter(|(_, long)| long.trajectory.is_some()) {
                let is_point = |graph: &Graph, until: u64| graph.chain_key(longer, until) == Some(graph.key(id));
                assert_eq!(is_point(&full, many.until), is_point(&small, few.until), "{name}: {}", long.facts.name);
            }
        }
        for (per_epoch, steps) in at {
            let places: Vec<u64> = steps.values().map(|places| *places.iter().next().unwrap()).collect();
            assert!(steps.values().all(|places| places.len() == 1), "{name}: {steps:?}");
            assert!(places.is_sorted_by(|a, b| a < b), "{name}: {per_epoch} iterations per epoch: {steps:?}");
        }
    }
}

const TWO_UNITS: &str = "import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{gradual}
import std.schedule.{cubic}
let task = digits()
let recipe = sgd(lr: 0.1, batch: 64)
let start = tiny_resnet(classes: task.classes) |> init(first(seeds(1)))
let dense = start |> train(task, recipe, until: 90ep)
let early = dense.at(5it)
let later = dense.at(1ep)
let thin = start |> gradual(task, recipe, plan: cubic(to: 90%, from: 1ep, until: 50ep), every: 10it, until: 60ep)
table t = [{ a: evaluate(early, task.test).top1, b: evaluate(later, task.test).top1,
  c: evaluate(dense, task.test).top1, d: evaluate(thin, task.test).top1 }]
";

#[test]
fn iterations_and_epochs_are_scaled_together_and_prunings_thinned_out() {
    let small = trial(&graph("two_units.pd", TWO_UNITS, &Holding("")));
    let until = |wanted: &str| {
        let found = small.iter().find(|(_, node)| node.facts.name == wanted && node.trajectory.is_some());
        found.unwrap().1.trajectory.clone().unwrap()
    };
    let (early, later) = (until("train to 5it").until, until("train to 1ep").until);
    assert!(0 < early && early < later, "{early} {later}");
    let trainings = || small.iter().filter_map(|(_, node)| node.trajectory.clone());
    let longest = trainings().map(|trajectory| trajectory.until).max().unwrap();
    assert!(later < longest && longest <= 30, "{later} {longest}");
    let thin = trainings().find(|trajectory| !trajectory.prunings.is_empty()).unwrap();
    // Six of them, and those that the program has other reasons to keep.
    assert!((2..=8).contains(&thin.prunings.len()), "{:?}", thin.prunings);
    assert!(thin.prunings.is_sorted_by(|a, b| a.at < b.at), "{:?}", thin.prunings);
    assert_eq!(thin.prunings.last().unwrap().sparsity, "9/10");
    let rates: Vec<f64> = thin.rates.iter().map(|rate| rate / thin.rates[0]).collect();
    assert!(rates.iter().all(|rate| (rate - 1.0).abs() < 1e-12), "a constant rate stays one: {rates:?}");
}

const STORED: &str = "import std.data.{broden, imagenet}
import std.dissect.{netdissect}
import std.models.{resnet50}
let task = imagenet()
let state = resnet50(classes: task.classes) |> init(first(seeds(1)))
table t = [{ a: evaluate(state, task.val).top1, b: netdissect(state, layer: \"layer4\", data: broden(), iou: 0.04).units }]
";

#[test]
fn data_on_this_machine_are_read_and_others_stood_in_for() {
    let sources = |held: &'static str| {
        let mut small = graph("stored.pd", STORED, &Holding(held));
        let omissions = smoke::shrink(&mut small);
        let args = small.iter().map(|(_, node)| serde_json::to_string(&node.args).unwrap()).collect::<String>();
        (omissions.stand_ins, args)
    };
    let (absent, args) = sources("");
    assert_eq!(absent, ["broden", "imagenet"]);
    assert!(args.contains("stand_in") && !args.contains("excerpt") && !args.contains("\"probe\":\"broden\""));
    let (absent, args) = sources("imagenet");
    assert_eq!(absent, ["broden"]);
    assert!(args.contains("excerpt") && !args.contains("stand_in"));
    let (absent, args) = sources("broden");
    assert_eq!(absent, ["imagenet"]);
    assert!(args.contains("\"probe\":\"broden\""));
}

//! `bootstrap`: how counts would vary with other images.

use serde::{Deserialize, Serialize};

use super::score;
use crate::domain::dissection::{Figure, Resampling, Scoring};
use crate::graph::{Canon, Node};
use crate::nn::dissect::{self};
use crate::ops::lowering::{Arguments, Lowering, Stage};
use crate::ops::run::sample::{deviation, quantile};
use crate::ops::run::tallies::read;
use crate::ops::run::{Job, Outcome, RunError, Watcher};
use crate::ops::smoke::{self, Small};
use crate::ops::{Op, Worker};
use crate::value::{Evaluated, Value};

/// Arguments of `bootstrap`. Input: `tallies`. Object: `replicates`, a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BootstrapArgs {
    /// How counts become concepts.
    pub scoring: Scoring,
    /// How often, and by which numbers.
    pub resampling: Resampling,
}

/// Measures.
const MEASURES: [(&str, Figure); 6] = [
    ("units_sd", Figure::Plain),
    ("units_low", Figure::Plain),
    ("units_high", Figure::Plain),
    ("concepts_sd", Figure::Plain),
    ("concepts_low", Figure::Plain),
    ("concepts_high", Figure::Plain),
];

/// The stage.
pub static OP: Op = Op {
    name: "bootstrap",
    module: "dissect",
    version: 1,
    signature: "fn bootstrap(d: Dissected, seed: Seed, times: Int = 1000) -> { units_sd: Measured[Float], \
                units_low: Measured[Float], units_high: Measured[Float], concepts_sd: Measured[Float], \
                concepts_low: Measured[Float], concepts_high: Measured[Float] }",
    doc: "Draws the probe's images again, each a Poisson number of times, and scores: standard deviation and 95 % range of \
          the number of units and of concepts. It speaks of the choice of images, not of training: for that there are \
          seeds. The network does not run again.",
    example: r#"import std.data.{shapes, shapes_probe}
import std.dissect.{bootstrap, netdissect}
import std.models.{tiny_resnet}

let task = shapes()
let probe = shapes_probe()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let net = tiny_resnet(classes: task.classes, channels: 3, size: task.size) |> init(seed)
let dense = net |> train(task, recipe, until: 2ep)
let found = netdissect(dense, layer: "layer3", data: probe)
expect bootstrap(found, seed: seed.images).units_low >= 0
"#,
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: Some(shrink), run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (tallied, seed) = (arguments.tallied(0)?, arguments.seed(1)?);
    let times = arguments.count(2, "the number of repetitions", 2)?.min(1 << 24) as u32;
    let facts = &tallied.state.facts;
    let resampling = Resampling { times, seed: (*seed).clone() };
    let stage = Stage::new(&OP, &BootstrapArgs { scoring: tallied.scoring, resampling }, arguments.call)?
        .input("tallies", tallied.node)
        .describe(&facts.network, facts.kept.total, facts.round);
    Ok(score::record(lowering.push(stage), &MEASURES))
}

fn shrink(_small: &Small, node: &mut Node) -> Option<()> {
    let mut known: BootstrapArgs = node.args.parse().ok()?;
    known.resampling.times = known.resampling.times.min(smoke::TIMES);
    node.args = Canon::of(&known)?;
    Some(())
}

/// Draws images again.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: BootstrapArgs = job.args()?;
    let tallies = read(job, "tallies")?;
    let mut watcher = Watcher { tell: &mut *job.tell, stop: job.surroundings.stop };
    let threads = job.surroundings.threads;
    let found = dissect::bootstrap(&tallies, &args.scoring, &args.resampling, threads, &mut watcher)?;
    let mut table = "units,concepts\n".to_owned();
    found.iter().for_each(|round| table += &format!("{},{}\n", round.units, round.concepts));
    let [mut units, mut concepts] = [0, 1].map(|which| {
        let of = |round: &dissect::Resampled| if which == 0 { round.units } else { round.concepts };
        found.iter().map(|round| of(round) as f64).collect::<Vec<f64>>()
    });
    let mut outcome = Outcome::measured([
        ("units_sd", deviation(&units)),
        ("units_low", quantile(&mut units, 0.025)),
        ("units_high", quantile(&mut units, 0.975)),
        ("concepts_sd", deviation(&concepts)),
        ("concepts_low", quantile(&mut concepts, 0.025)),
        ("concepts_high", quantile(&mut concepts, 0.975)),
    ]);
    outcome.objects.insert("replicates".to_owned(), job.put(table.as_bytes())?);
    Ok(outcome)
}

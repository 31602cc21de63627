//! `ablate`: accuracy with some units silent.

use serde::{Deserialize, Serialize};

use super::score;
use super::train::check_fit;
use crate::domain::arch::Arch;
use crate::domain::data::{Split, Task};
use crate::domain::dissection::{Figure, Scoring};
use crate::domain::seed::Seed;
use crate::graph::{Canon, Node, Shared};
use crate::nn::ablate::{ClassHits, Subject, class_hits};
use crate::nn::dissect;
use crate::nn::rng::Stream;
use crate::ops::lowering::{Arguments, External, Lowering, Stage, did_you_mean};
use crate::ops::run::state::batch;
use crate::ops::run::{Demand, Job, Outcome, Progress, RunError, Telling, tallies};
use crate::ops::smoke::{self, Small};
use crate::ops::{Op, Worker};
use crate::value::{Evaluated, Value};

/// Arguments of `ablate`. Inputs: `state`, `tallies`. Object: `classes`, a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AblateArgs {
    /// The network.
    pub arch: Shared<Arch>,
    /// The task, without its augmentation, which plays no part here.
    pub task: Task,
    /// Which images.
    pub split: Split,
    /// The dissected layer.
    pub layer: String,
    /// How units are ordered, where IoU orders them.
    pub scoring: Scoring,
    /// Units that fall silent.
    pub units: u64,
    /// Which.
    pub by: Order,
}

/// Which units go first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Those with the largest IoU.
    Strongest,
    /// Those with the smallest IoU.
    Weakest,
    /// Any.
    Random(Seed),
}

/// Measures.
const MEASURES: [(&str, Figure); 5] = [
    ("top1", Figure::Share),
    ("intact", Figure::Share),
    ("fall", Figure::Plain),
    ("worst_fall", Figure::Plain),
    ("classes_hurt", Figure::Count),
];
/// Words for orders.
const ORDERS: [&str; 3] = ["strongest", "weakest", "random"];

/// The stage.
pub static OP: Op = Op {
    name: "ablate",
    module: "dissect",
    version: 1,
    signature: "fn ablate[S](s: State, on: Split[S], d: Dissected, units: Int, by: Str = \"strongest\", \
                seed: Seed = none) -> { top1: Measured[Ratio], intact: Measured[Ratio], fall: Measured[Float], \
                worst_fall: Measured[Float], classes_hurt: Measured[Int] }",
    doc: "Classifies with some units of the dissected layer silent: those with the largest IoU (`\"strongest\"`), the \
          smallest (`\"weakest\"`), or any (`\"random\"`, with a seed). `top1` is the accuracy then, `intact` before, `fall` \
          the mean fall of accuracy over classes, `worst_fall` that of the class that suffers most, and `classes_hurt` how \
          many classes lose more than a tenth.",
    example: r#"import std.data.{shapes, shapes_probe}
import std.dissect.{ablate, netdissect}
import std.models.{tiny_resnet}

let task = shapes()
let probe = shapes_probe()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let net = tiny_resnet(classes: task.classes, channels: 3, size: task.size) |> init(seed)
let dense = net |> train(task, recipe, until: 2ep)
let found = netdissect(dense, layer: "layer3", data: probe)
let hurt = ablate(dense, task.val, d: found, units: 4)
expect hurt.worst_fall >= 0.0
"#,
    lower,
    worker: Some(Worker { heavy: true, demand: Some(demand), shrink: Some(shrink), run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, tallied) = (arguments.state(0)?, arguments.tallied(2)?);
    let Value::Split(task, split) = &arguments.at(1).value else {
        return Err(arguments.mismatch(1, "a part of a task, like `task.val`", &arguments.at(1).value));
    };
    let network = &state.facts.network;
    check_fit(network, task, arguments.span(1))?;
    let Some(found) = network.survey.layer(&tallied.layer) else {
        let message = format!("the network has no layer `{}`, which was dissected", tallied.layer);
        return Err(arguments.refuse(2, message, "a dissection of another network").help("dissect this one").into());
    };
    let (units, all) = (arguments.count(3, "the number of units", 1)?, found.shape.channels as u64);
    if units > all {
        let message = format!("{units} units should fall silent, but `{}` has {all}", tallied.layer);
        return Err(arguments.refuse(3, message, "more than there are").help(format!("at most {all}")).into());
    }
    let args = AblateArgs {
        arch: network.arch.clone(),
        task: Task { augment: Vec::new(), ..(**task).clone() },
        split: *split,
        layer: tallied.layer.to_string(),
        scoring: tallied.scoring,
        units,
        by: order(arguments)?,
    };
    let images = task.images(*split);
    let mut stage = Stage::new(&OP, &args, arguments.call)?
        .input("state", state.node)
        .input("tallies", tallied.node)
        .reads(lowering, External::Data(&task.data))
        .describe(network, state.facts.kept.total, state.facts.round)
        .fact("images", 2 * images);
    stage.facts.macs = network.survey.macs().checked_mul(2 * images);
    Ok(score::record(lowering.push(stage), &MEASURES))
}

fn order(arguments: &Arguments) -> Evaluated<Order> {
    let word = arguments.text(4)?;
    match (&*word, arguments.given(5)) {
        ("strongest", false) => Ok(Order::Strongest),
        ("weakest", false) => Ok(Order::Weakest),
        ("random", true) => Ok(Order::Random((*arguments.seed(5)?).clone())),
        ("random", false) => Err(arguments
            .refuse(4, "units at random need a seed", "no seed to draw them with")
            .help("add `seed: seed.units`")
            .into()),
        ("strongest" | "weakest", true) => Err(arguments
            .refuse(5, format!("the {word} units are no matter of chance"), "draws nothing")
            .help("leave out `seed`")
            .into()),
        _ => {
            let diagnostic = arguments.refuse(4, format!("units are not chosen by \"{word}\""), "no such order");
            Err(did_you_mean(diagnostic, &word, ORDERS).into())
        }
    }
}

/// What it needs memory for.
fn demand(args: &Canon) -> Option<Demand> {
    let AblateArgs { arch, .. } = args.parse().ok()?;
    Demand::of(&arch, batch(&arch))
}

fn shrink(small: &Small, node: &mut Node) -> Option<()> {
    let known: AblateArgs = node.args.parse().ok()?;
    let survey = small.survey(&known.arch)?;
    let units = survey.layer(&known.layer).map_or(1, |layer| layer.shape.channels as u64);
    node.facts.macs = Some(2 * survey.macs() * smoke::MEASURED);
    node.args = Canon::of(&AblateArgs {
        units: known.units.min(units),
        arch: small.arch(&known.arch),
        task: small.task(&known.task, smoke::BATCH, node),
        ..known
    })?;
    Some(())
}

/// Classifies twice: with all units, and without some.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: AblateArgs = job.args()?;
    let state = job.state("state")?;
    let silent = chosen(job, &args)?;
    let images = job.images(&args.task, args.split)?;
    let device = job.device();
    let subject = Subject {
        arch: &args.arch,
        weights: &state.weights,
        mask: state.mask.as_ref(),
        images: &*images,
        batch: batch(&args.arch),
        threads: job.surroundings.threads,
        device: &device,
    };
    let mut both = Vec::new();
    for (done, silent) in [Vec::new(), silent.clone()].into_iter().enumerate() {
        let hits = class_hits(subject, &args.layer, &silent, &|| job.stopped())?;
        both.push(hits.ok_or(RunError::Interrupted { step: None })?);
        let progress = Progress { step: done as u64 + 1, total: 2, ..Progress::default() };
        (job.tell)(Telling::Progress(progress));
    }
    job.note_skipped(&*images);
    let (intact, left) = (&both[0], &both[1]);
    let mut table = "class,images,intact,left\n".to_owned();
    let mut falls = Vec::new();
    for (class, (before, after)) in intact.iter().zip(left).enumerate() {
        table += &format!("{class},{},{},{}\n", before.images, before.correct, after.correct);
        if before.images > 0 {
            falls.push((before.correct as f64 - after.correct as f64) / before.images as f64);
        }
    }
    let silent = silent.iter().fold("unit\n".to_owned(), |table, unit| table + &format!("{}\n", unit + 1));
    let mut outcome = Outcome::measured([
        ("top1", share(left)),
        ("intact", share(intact)),
        ("fall", falls.iter().sum::<f64>() / falls.len().max(1) as f64),
        ("worst_fall", falls.iter().copied().fold(0.0, f64::max)),
        ("classes_hurt", falls.iter().filter(|&&fall| fall > 0.1).count() as f64),
    ]);
    outcome.objects.insert("classes".to_owned(), job.put(table.as_bytes())?);
    outcome.objects.insert("silent".to_owned(), job.put(silent.as_bytes())?);
    Ok(outcome)
}

/// The units that fall silent.
fn chosen(job: &Job<'_>, args: &AblateArgs) -> Result<Vec<usize>, RunError> {
    let tallies = tallies::read(job, "tallies")?;
    let units = dissect::score(&tallies, &args.scoring).units;
    let mut order: Vec<usize> = match &args.by {
        Order::Random(seed) => Stream::new(seed, "ablate").at(0, 0).permutation(units.len()),
        Order::Strongest | Order::Weakest => (0..units.len()).collect(),
    };
    let by_score = |a: &usize, b: &usize| units[*a].score().total_cmp(&units[*b].score());
    match args.by {
        Order::Strongest => order.sort_by(|a, b| by_score(b, a)),
        Order::Weakest => order.sort_by(by_score),
        Order::Random(_) => {}
    }
    order.truncate(args.units as usize);
    order.sort_unstable();
    Ok(order)
}

/// Share of images that are classified rightly.
fn share(hits: &[ClassHits]) -> f64 {
    let [correct, images] = [0, 1].map(|which| {
        hits.iter().map(|class| if which == 0 { class.correct } else { class.images }).sum::<u64>() as f64
    });
    correct / images.max(1.0)
}

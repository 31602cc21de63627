//! `evaluate`: accuracy and loss on a part of a task.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::train::check_fit;
use crate::domain::arch::Arch;
use crate::domain::data::Damaged;
use crate::domain::data::{Split, Task};
use crate::graph::{Canon, Node, NodeId, Shared};
use crate::nn::evaluate;
use crate::nn::net::{Work, evaluation_work};
use crate::ops::lowering::{Arguments, External, Lowering, Stage};
use crate::ops::run::state::batch;
use crate::ops::run::{Demand, Job, Outcome, RunError};
use crate::ops::smoke::{self, Small};
use crate::ops::{Op, Worker};
use crate::value::output::Scale;
use crate::value::{Evaluated, Measured, Record, State, Value, repr};

/// Arguments of `evaluate`. Input: `state`. Measures: `top1`, `top5`, `loss`, `images`, `sparse_layers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluateArgs {
    /// The network.
    pub arch: Shared<Arch>,
    /// The task, without its augmentation, which plays no part here.
    pub task: Task,
    /// Which images.
    pub split: Split,
}

/// The stage.
pub static OP: Op = Op {
    name: "evaluate",
    module: "prelude",
    version: 2,
    signature: "fn evaluate[S](s: State, on: Split[S]) -> \
                { top1: Measured[Ratio], top5: Measured[Ratio], loss: Measured[Float] }",
    doc: "Measures accuracy and mean loss on a part of a task.",
    example: "import std.data.{digits}
import std.models.{tiny_resnet}

let task = digits()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 2ep)
expect evaluate(dense, task.test).top1 >= 50%
",
    lower,
    worker: Some(Worker { heavy: true, demand: Some(demand), shrink: Some(shrink), run }),
};

/// Measures with their readings.
const MEASURES: [(&str, Scale); 3] = [("top1", Scale::Ratio), ("top5", Scale::Ratio), ("loss", Scale::Plain)];

/// What an image costs, as far as is known: layers that will skip zeros cost what is left of them. Where only the total is
/// known, every layer counts as if it had lost its share.
fn expected_work(state: &State) -> Work {
    let (network, kept) = (&state.facts.network, &state.facts.kept);
    let dense = Work { macs: network.survey.macs(), sparse_layers: 0 };
    let Some(total) = kept.total else { return dense };
    let all = network.survey.prunable_count().max(1);
    let left = |place: usize, elements: usize| match &kept.layers {
        Some(layers) => layers.get(place).copied().unwrap_or(elements as u64),
        None => (u128::from(total) * elements as u128 / u128::from(all)) as u64,
    };
    evaluation_work(&network.arch, left).unwrap_or(dense)
}

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let state = arguments.state(0)?;
    let Value::Split(task, split) = &arguments.at(1).value else {
        return Err(arguments.mismatch(1, "a part of a task, like `task.val`", &arguments.at(1).value));
    };
    let node = push(lowering, &state, (task, *split, 1), arguments)?;
    let read = |(name, scale): (&str, Scale)| {
        let measure: Arc<str> = Arc::from(name);
        (measure.clone(), Value::Measured(Arc::new(Measured::Read { node, measure, scale })))
    };
    Ok(Value::Record(Arc::new(MEASURES.into_iter().map(read).collect::<Record>())))
}

/// Adds the evaluation of a state on a part of a task, which is the argument at a place.
pub(super) fn push(
    lowering: &mut dyn Lowering,
    state: &State,
    (task, split, at): (&Task, Split, usize),
    arguments: &Arguments,
) -> Evaluated<NodeId> {
    let network = &state.facts.network;
    check_fit(network, task, arguments.span(at))?;
    let images = task.images(split);
    if images == 0 {
        let part = repr::split_name(split);
        return Err(arguments
            .refuse(at, format!("the task has no images in its part `{part}`"), "no images")
            .help("evaluate on another part: `task.val`")
            .into());
    }
    let plain = Task { augment: Vec::new(), ..task.clone() };
    let args = EvaluateArgs { arch: network.arch.clone(), task: plain, split };
    let mut stage = Stage::new(&OP, &args, arguments.call)?
        .input("state", state.node)
        .reads(lowering, External::Data(&task.data))
        .describe(network, state.facts.kept.total, state.facts.round)
        .fact("images", images);
    let work = expected_work(state);
    stage.facts.macs = work.macs.checked_mul(images);
    if work.sparse_layers > 0 {
        stage = stage.fact("sparse_layers", work.sparse_layers);
    }
    Ok(lowering.push(stage))
}

/// What it needs memory for.
fn demand(args: &Canon) -> Option<Demand> {
    let EvaluateArgs { arch, .. } = args.parse().ok()?;
    Demand::of(&arch, batch(&arch))
}

fn shrink(small: &Small, node: &mut Node) -> Option<()> {
    let known: EvaluateArgs = node.args.parse().ok()?;
    node.facts.macs = Some(small.survey(&known.arch)?.macs() * smoke::MEASURED);
    let task = small.task(&known.task, smoke::BATCH, node);
    node.args = Canon::of(&EvaluateArgs { arch: small.arch(&known.arch), task, ..known })?;
    Some(())
}

/// Classifies a part of a task.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: EvaluateArgs = job.args()?;
    let state = job.state("state")?;
    let images = job.images(&args.task, args.split)?;
    let threads = job.surroundings.threads;
    let size = batch(&args.arch);
    let found =
        evaluate::evaluate(&args.arch, &state.weights, state.mask.as_ref(), &*images, size, threads, &job.device())?;
    job.note_skipped(&*images);
    let mut outcome = Outcome::measured([
        ("top1", found.top1),
        ("top5", found.top5),
        ("loss", found.loss),
        ("images", found.images as f64),
        ("sparse_layers", found.sparse_layers as f64),
    ]);
    if images.damaged() == Damaged::Skip {
        outcome.measures.insert("skipped".to_owned(), found.skipped as f64);
    }
    Ok(outcome)
}

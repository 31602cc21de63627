//! `reinit`: fresh weights under the same mask.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::arch::Arch;
use crate::domain::seed::Seed;
use crate::graph::{Canon, Node, Shared};
use crate::nn::init;
use crate::ops::lowering::{Arguments, Lowering, Stage};
use crate::ops::run::state::{MASK, WEIGHTS, refer};
use crate::ops::run::{Job, Outcome, RunError};
use crate::ops::smoke::{self, Small};
use crate::ops::{Op, Worker};
use crate::value::{Evaluated, State, StateFacts, Value};

/// Arguments of `reinit`. Input: `state` gives the mask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReinitArgs {
    /// The network.
    pub arch: Shared<Arch>,
    /// Source of the fresh weights.
    pub seed: Seed,
}

/// The stage.
pub static OP: Op = Op {
    name: "reinit",
    module: "prune",
    version: 1,
    signature: "fn reinit(s: State, seed: Seed) -> State",
    doc: "Draws fresh weights and keeps the mask: a control for what the mask alone is worth.",
    example: "import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude, reinit}

let task = digits()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 2ep)
let ticket = dense |> prune(global_magnitude(20%))
let control = ticket |> reinit(seed.control) |> train(task, recipe, until: 2ep)
",
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: Some(shrink), run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, seed) = (arguments.state(0)?, arguments.seed(1)?);
    let before = &state.facts;
    let args = ReinitArgs { arch: before.network.arch.clone(), seed: (*seed).clone() };
    let mut stage = Stage::new(&OP, &args, arguments.call)?.input("state", state.node).describe(
        &before.network,
        before.kept.total,
        before.round,
    );
    stage.facts.bytes = before.network.checkpoint_bytes();
    let node = lowering.push(stage);
    let facts = StateFacts {
        network: before.network.clone(),
        kept: before.kept.clone(),
        seed: Some(seed),
        step: 0,
        course: None,
        round: before.round,
        initial: node,
        training: None,
    };
    Ok(Value::State(State { node, facts: Arc::new(facts) }))
}

fn shrink(small: &Small, node: &mut Node) -> Option<()> {
    let known: ReinitArgs = node.args.parse().ok()?;
    node.facts.bytes = smoke::bytes(&small.survey(&known.arch)?);
    node.args = Canon::of(&ReinitArgs { arch: small.arch(&known.arch), ..known })?;
    Some(())
}

/// Draws fresh weights under the mask of the input.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: ReinitArgs = job.args()?;
    let weights = init::initialize(&args.arch, &args.seed)?;
    let mut outcome = Outcome::default();
    outcome.objects.insert(WEIGHTS.to_owned(), job.put_weights(&weights)?);
    refer(&mut outcome, job.input("state")?, MASK);
    Ok(outcome)
}

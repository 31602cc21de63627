//! `shuffle_mask`: as many weights of every layer, but others.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::seed::Seed;
use crate::nn::mask;
use crate::ops::lowering::{Arguments, Lowering, Stage};
use crate::ops::run::state::{MASK, WEIGHTS, refer};
use crate::ops::run::{Job, Outcome, RunError};
use crate::ops::{Op, Worker};
use crate::value::{Evaluated, State, StateFacts, Value};

/// Arguments of `shuffle_mask`. Input: `state`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShuffleMaskArgs {
    /// Source of the order.
    pub seed: Seed,
}

/// The stage.
pub static OP: Op = Op {
    name: "shuffle_mask",
    module: "prune",
    version: 1,
    signature: "fn shuffle_mask(s: State, seed: Seed) -> State",
    doc: "Puts the mask of every layer in random order: the same weights under a mask that keeps as many of each layer, but \
          not the same. A control for what the places of a mask are worth beyond its proportions.",
    example: "import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude, shuffle_mask}

let task = digits()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 2ep)
let ticket = dense |> prune(global_magnitude(20%))
let control = ticket |> shuffle_mask(seed.control)
",
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: None, run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, seed) = (arguments.state(0)?, arguments.seed(1)?);
    let before = &state.facts;
    let args = ShuffleMaskArgs { seed: (*seed).clone() };
    let mut stage = Stage::new(&OP, &args, arguments.call)?.input("state", state.node).describe(
        &before.network,
        before.kept.total,
        before.round,
    );
    stage.facts.bytes = before.network.survey.prunable_count().div_ceil(8);
    let node = lowering.push(stage);
    let facts = StateFacts { training: None, ..(**before).clone() };
    Ok(Value::State(State { node, facts: Arc::new(facts) }))
}

/// Puts the mask of every layer in random order.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: ShuffleMaskArgs = job.args()?;
    let input = job.input("state")?;
    let mut outcome = Outcome::default();
    refer(&mut outcome, input, WEIGHTS);
    if let Some(bytes) = job.object(input, MASK)? {
        let shuffled = mask::decode(&bytes).map_err(crate::nn::Error::from)?.shuffled(&args.seed);
        outcome.objects.insert(MASK.to_owned(), job.put(&mask::encode(&shuffled))?);
    }
    Ok(outcome)
}

//! `rewind`: the weights of one state under the mask of another.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::ops::lowering::{Arguments, Lowering, Stage};
use crate::ops::run::state::{MASK, WEIGHTS, refer};
use crate::ops::run::{Job, Outcome, RunError};
use crate::ops::{Op, Worker};
use crate::value::{Evaluated, State, StateFacts, Value};

/// Arguments of `rewind`: none. Inputs: `state` gives the mask, `to` the weights and the step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewindArgs {}

/// The stage.
pub static OP: Op = Op {
    name: "rewind",
    module: "prelude",
    version: 1,
    signature: "fn rewind(s: State, to: State) -> State",
    doc: "Goes back to the weights and the step of `to`, keeping the mask of `s`.",
    example: "import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude}

let task = digits()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 2ep)
let pruned = dense |> prune(global_magnitude(20%))
let back = pruned |> rewind(to: dense.at(1ep))
",
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: None, run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, to) = (arguments.state(0)?, arguments.state(1)?);
    let (before, target) = (&state.facts, &to.facts);
    if before.network.arch != target.network.arch {
        return Err(Diagnostic::error(&codes::OTHER_NETWORK, "the two states are not of the same network")
            .label(arguments.span(1), "the weights to go back to are of another architecture")
            .help("rewind to a state of the run that the mask comes from")
            .into());
    }
    let stage = Stage::new(&OP, &RewindArgs {}, arguments.call)?
        .input("state", state.node)
        .input("to", to.node)
        .describe(&before.network, before.kept.total, before.round);
    let node = lowering.push(stage);
    let facts = StateFacts { kept: before.kept.clone(), round: before.round, training: None, ..(**target).clone() };
    Ok(Value::State(State { node, facts: Arc::new(facts) }))
}

/// Puts the weights of `to` under the mask of `state`. Nothing is stored: both exist.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let mut outcome = Outcome::default();
    refer(&mut outcome, job.input("to")?, WEIGHTS);
    refer(&mut outcome, job.input("state")?, MASK);
    Ok(outcome)
}

//! `restart`: a state counted as if it had been trained to another step. It has no stage of its own: what changes is where
//! the next training starts, and that is in its key.

use std::sync::Arc;

use crate::ops::Op;
use crate::ops::lowering::{Arguments, Lowering};
use crate::value::{Course, Evaluated, State, StateFacts, Value};

/// The stage.
pub static OP: Op = Op {
    name: "restart",
    module: "prelude",
    version: 1,
    signature: "fn restart(s: State, at: Step) -> State",
    doc: "Keeps weights and mask, and lets the next training start at the step `at`: with the learning rate and the order of \
          images that belong to it. Where `rewind` goes back in weights and schedule, this goes back in the schedule alone \
          (learning-rate rewinding; Renda, Frankle and Carbin 2020).",
    example: "import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude}

let task = digits()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 2ep)
let pruned = dense |> prune(global_magnitude(20%))
let again = pruned |> restart(at: 1ep) |> retrain(like: dense)
",
    lower,
    worker: None,
};

fn lower(_: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, at) = (arguments.state(0)?, arguments.step(1)?);
    let facts = &state.facts;
    // Where nothing was trained, iterations still have a meaning; epochs have none.
    let course = facts.course.unwrap_or(Course { per_epoch: 0, batch: None });
    let known = facts.course.is_some() || at.epochs == crate::syntax::tree::Exact::from_integer(0);
    let Some(step) = at.whole_iterations(&course).filter(|_| known) else {
        let message = format!("a training cannot start at `{at}`");
        let (label, help) = if known {
            ("not a number of iterations", "give a step like `1ep`")
        } else {
            ("this network was never trained, so an epoch has no length", "give iterations, like `1000it`")
        };
        return Err(arguments.refuse(1, message, label).help(help).into());
    };
    let facts = StateFacts { step, training: None, ..(**facts).clone() };
    Ok(Value::State(State { node: state.node, facts: Arc::new(facts) }))
}

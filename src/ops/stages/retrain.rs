//! `retrain`: `train` with the task, recipe and order of an earlier training. It has no stage of its own.

use super::train::{Plan, check_fit, train};
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::ops::Op;
use crate::ops::lowering::{Arguments, Lowering};
use crate::source::Span;
use crate::value::{Evaluated, Training, Value};

/// The stage.
pub static OP: Op = Op {
    name: "retrain",
    module: "prelude",
    version: 1,
    signature: "fn retrain(s: State, like: State, until: Step = none) -> State",
    doc: "Trains as another network was trained: the same task, recipe and order, to the same end or to `until`. Beyond the \
          other's end the schedule goes on: one that drops in steps stays at its last rate.",
    example: "import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude}

let task = digits()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 2ep)
let pruned = dense |> prune(global_magnitude(20%))
let ticket = pruned |> rewind(to: dense.at(1ep)) |> retrain(like: dense)
",
    lower,
    worker: None,
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, like) = (arguments.state(0)?, arguments.state(1)?);
    let Some(training) = &like.facts.training else {
        return Err(Diagnostic::error(&codes::NOT_TRAINED, "there is no training to repeat")
            .label(arguments.span(1), "this state does not come directly from `train`")
            .help("give the result of `train`, for instance the dense network")
            .into());
    };
    check_fit(&state.facts.network, &training.task, arguments.span(1))?;
    let (until, until_span) = end(arguments, training, like.facts.step)?;
    let plan = Plan {
        task: training.task.clone(),
        recipe: training.recipe.clone(),
        order: training.order.clone(),
        course: training.course,
        until,
        until_span,
        pruning: None,
    };
    Ok(Value::State(train(lowering, &state, &plan, arguments.call)?))
}

/// Returns the iteration to train to and where it is written: `until` if it is given, else the end of the other training.
fn end(arguments: &Arguments, training: &Training, end: u64) -> Evaluated<(u64, Span)> {
    if !arguments.given(2) {
        return Ok((end, training.until));
    }
    let until = arguments.step(2)?;
    until.whole_iterations(&training.course).map(|until| (until, arguments.span(2))).ok_or_else(|| {
        let message = format!("a training cannot end at `{until}`");
        arguments.refuse(2, message, "not a number of iterations").help("give a step like `160ep`").into()
    })
}

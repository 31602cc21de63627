//! `retrain`: `train` with the task, recipe, order and end of an earlier training. It has no stage of its own.

use super::Op;
use super::lowering::{Arguments, Lowering};
use super::train::{Plan, check_fit, train};
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::value::{Evaluated, Value};

/// The stage.
pub static OP: Op = Op {
    name: "retrain",
    module: "prelude",
    version: 1,
    signature: "fn retrain(s: State, like: State) -> State",
    doc: "Trains as another network was trained: the same task, recipe, order and end.\n\n\
          `ticket |> rewind(to: dense.at(1ep)) |> retrain(like: dense)`",
    heavy: true,
    lower,
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
    let plan = Plan {
        task: training.task.clone(),
        recipe: training.recipe.clone(),
        order: training.order.clone(),
        course: training.course,
        until: like.facts.step,
        until_span: training.until,
        pruning: None,
    };
    Ok(Value::State(train(lowering, &state, &plan, arguments.call)?))
}

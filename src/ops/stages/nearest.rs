//! `nearest`: of several states the one that classifies as well as another.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::evaluate;
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::diag::codes::execution;
use crate::domain::data::Split;
use crate::ops::lowering::{Arguments, Lowering, Stage};
use crate::ops::run::state::{MASK, WEIGHTS, refer};
use crate::ops::run::{Job, Outcome, Problem, RunError};
use crate::ops::{Op, Worker};
use crate::value::{Evaluated, Kept, State, StateFacts, Value};

/// Arguments of `nearest`: none. Inputs: `target`, an evaluation; `state_0`, `state_1`, … and their evaluations
/// `measure_0`, `measure_1`, ….
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearestArgs {}

/// The stage.
pub static OP: Op = Op {
    name: "nearest",
    module: "prune",
    version: 1,
    signature: "fn nearest[S](to: State, among: List[State], on: Split[S]) -> State",
    doc: "Chooses the state whose accuracy is nearest to that of `to`; of equal ones the first. With early points of the \
          dense training it separates what sparsity does from what lower accuracy does.",
    example: "import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude, nearest}

let task = digits()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 2ep)
let pruned = dense |> prune(global_magnitude(80%))
let as_good = nearest(pruned, among: [dense.at(1ep), dense], on: task.val)
",
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: None, run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let target = arguments.state(0)?;
    let Value::List(items) = &arguments.at(1).value else {
        return Err(arguments.mismatch(1, "a list of states", &arguments.at(1).value));
    };
    let mut among: Vec<State> = Vec::new();
    for item in items.iter() {
        let Value::State(state) = item else { return Err(arguments.mismatch(1, "a list of states", item)) };
        among.push(state.clone());
    }
    let Some(first) = among.first().cloned() else {
        return Err(arguments.refuse(1, "there is no state to choose from", "empty").help("name some").into());
    };
    if among.iter().any(|state| state.facts.network.arch != first.facts.network.arch) {
        return Err(Diagnostic::error(&codes::OTHER_NETWORK, "the states to choose from are not of one network")
            .label(arguments.span(1), "of different architectures")
            .help("choose among states of one network")
            .into());
    }
    let Value::Split(task, split) = &arguments.at(2).value else {
        return Err(arguments.mismatch(2, "a part of a task, like `task.val`", &arguments.at(2).value));
    };
    if *split == Split::Test {
        return Err(Diagnostic::error(&codes::TEST_SELECTION, "a program cannot choose by its test images")
            .label(arguments.span(2), "chooses by this")
            .help("write `task.val`, and keep `task.test` for what is reported")
            .into());
    }
    let measured = evaluate::push(lowering, &target, (task, *split, 2), arguments)?;
    let mut stage = Stage::new(&OP, &NearestArgs {}, arguments.call)?.input("target", measured);
    for (place, state) in among.iter().enumerate() {
        let measured = evaluate::push(lowering, state, (task, *split, 2), arguments)?;
        stage = stage.input(format!("state_{place}"), state.node).input(format!("measure_{place}"), measured);
    }
    let same = among.iter().all(|state| state.facts.kept == first.facts.kept);
    let kept = if same { first.facts.kept.clone() } else { Kept { total: None, layers: None } };
    let node = lowering.push(stage.describe(&first.facts.network, kept.total, first.facts.round));
    let facts = StateFacts { kept, training: None, ..(*first.facts).clone() };
    Ok(Value::State(State { node, facts: Arc::new(facts) }))
}

/// Chooses the state with the accuracy nearest to another's.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let accuracy = |role: &str| -> Result<f64, RunError> {
        let record = job.input(role)?;
        record.outcome.measures.get("top1").copied().ok_or_else(|| {
            let message = format!("`{}` has measured no accuracy", record.name);
            Problem::new(&execution::INPUT_LOST, message).help("run again to make it anew").into()
        })
    };
    let target = accuracy("target")?;
    let mut best: Option<(usize, f64)> = None;
    for place in (0..).take_while(|place| job.inputs.contains_key(&format!("state_{place}"))) {
        let distance = (accuracy(&format!("measure_{place}"))? - target).abs();
        if best.is_none_or(|(_, least)| distance < least) {
            best = Some((place, distance));
        }
    }
    let (place, distance) = best.unwrap_or_default();
    let mut outcome = Outcome::default();
    let chosen = job.input(&format!("state_{place}"))?;
    refer(&mut outcome, chosen, WEIGHTS);
    refer(&mut outcome, chosen, MASK);
    outcome.measures.insert("chosen".to_owned(), place as f64);
    outcome.measures.insert("distance".to_owned(), distance);
    Ok(outcome)
}

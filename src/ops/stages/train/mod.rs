//! `train`: a network trained to a step.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::domain::arch::Arch;
use crate::domain::data::Task;
use crate::domain::pruning::Gradual;
use crate::domain::recipe::Recipe;
use crate::domain::seed::Seed;
use crate::graph::{Canon, Node, Pruning, Shared, Trajectory};
use crate::ops::counting;
use crate::ops::lowering::{Arguments, External, Lowering, Stage};
use crate::ops::run::Demand;
use crate::ops::smoke::{self, Small};
use crate::ops::{Op, Worker};
use crate::source::Span;
use crate::value::{self, Course, Evaluated, Kept, Network, State, StateFacts, Step, Training, Value};

#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "resume points are saved from time to time"))]
mod work;

/// Arguments of `train`; the rates are in the node's trajectory. Input: `state`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainArgs {
    /// The network.
    pub arch: Shared<Arch>,
    /// What it learns.
    pub task: Task,
    /// How it learns.
    pub recipe: Recipe,
    /// Source of the order of images and of their random changes.
    pub order: Seed,
    /// How weights are removed on the way; when and to which sparsities is in the trajectory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradual: Option<Gradual>,
}

/// The stage.
pub static OP: Op = Op {
    name: "train",
    module: "prelude",
    version: 1,
    signature: "fn train(s: State, task: Task, recipe: Recipe, until: Step, order: Seed = none) -> State",
    doc: "Trains from the step where the state is to `until`. The order of images comes from the stream `order` of the \
          state's seed unless another is given. `.at(1ep)` of the result is the network at an earlier step.",
    example: "import std.data.{digits}
import std.models.{tiny_resnet}

let task = digits()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 2ep)
let early = dense.at(1ep)
expect evaluate(dense, task.test).top1 > evaluate(early, task.test).top1
",
    lower,
    worker: Some(Worker { heavy: true, demand: Some(demand), shrink: Some(shrink), run: work::run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, task, recipe) = (arguments.state(0)?, arguments.task(1)?, arguments.recipe(2)?);
    let until = arguments.step(3)?;
    let order = match &arguments.at(4).value {
        Value::Nothing => own_order(&state, arguments)?,
        _ => arguments.seed(4)?,
    };
    check_fit(&state.facts.network, &task, arguments.span(1))?;
    let per_epoch = recipe.settings.iterations_per_epoch(task.train).max(1);
    let course = Course { per_epoch, batch: Some(recipe.settings.batch as u64) };
    let Some(end) = until.whole_iterations(&course) else {
        let message = format!("a training cannot end at `{until}`");
        return Err(arguments.refuse(3, message, "not a number of iterations").help("give a step like `160ep`").into());
    };
    let plan = Plan { task, recipe, order, course, until: end, until_span: arguments.span(3), pruning: None };
    Ok(Value::State(train(lowering, &state, &plan, arguments.call)?))
}

/// A training that is about to become a stage.
pub(super) struct Plan {
    pub(super) task: Arc<Task>,
    pub(super) recipe: Arc<value::Recipe>,
    pub(super) order: Arc<Seed>,
    pub(super) course: Course,
    pub(super) until: u64,
    pub(super) until_span: Span,
    pub(super) pruning: Option<(Gradual, Arc<[Pruning]>)>,
}

/// Adds a training from where `state` is to `plan.until`.
pub(super) fn train(lowering: &mut dyn Lowering, state: &State, plan: &Plan, call: Span) -> Evaluated<State> {
    let start = state.facts.step;
    if plan.until <= start {
        let per_epoch = plan.course.per_epoch.max(1);
        let shown = |at: u64| {
            if at.is_multiple_of(per_epoch) { format!("{}ep", at / per_epoch) } else { format!("{at}it") }
        };
        let (from, to, sum) = (shown(start), shown(plan.until), shown(start + plan.until));
        let message = format!("there is nothing to train: the state is at {from} already, the training ends at {to}");
        return Err(Diagnostic::error(&codes::NOTHING_TO_TRAIN, message)
            .label(plan.until_span, format!("ends at {to}"))
            .label(call, format!("starts at {from}"))
            .help(if plan.until == 0 {
                "train to a later step, like `until: 8ep`".to_owned()
            } else {
                format!(
                    "`until` counts from the beginning of the training: for {to} more, write `until: {sum}`; to train a \
                     pruned network once more from an earlier step, `rewind` or `restart` it first"
                )
            })
            .into());
    }
    let rates = lowering.rates(&plan.recipe, plan.course, start, plan.until, plan.until_span)?;
    let (gradual, prunings) = plan.pruning.clone().unzip();
    let prunings = prunings.unwrap_or_default();
    let trajectory = Trajectory { start, until: plan.until, per_epoch: plan.course.per_epoch, rates, prunings };
    let training = Training {
        task: plan.task.clone(),
        recipe: plan.recipe.clone(),
        order: plan.order.clone(),
        course: plan.course,
        input: state.clone(),
        trajectory,
        gradual,
        until: plan.until_span,
    };
    point(lowering, &Arc::new(training), plan.until, call)
}

/// Returns the state of a training at an iteration between its start and its end.
///
/// # Errors
/// If the step lies outside, with both places.
pub fn at(lowering: &mut dyn Lowering, state: &State, step: &Step, span: Span, call: Span) -> Evaluated<State> {
    let Some(training) = &state.facts.training else {
        return Err(Diagnostic::error(&codes::NOT_TRAINED, "only a trained state has earlier steps")
            .label(span, "this state does not come directly from `train`")
            .help("take `.at(…)` of the result of `train`")
            .into());
    };
    let (start, end) = (training.trajectory.start, training.trajectory.until);
    let Some(at) = step.whole_iterations(&training.course) else {
        return Err(Diagnostic::error(&codes::BAD_ARGUMENT, format!("`{step}` is not a step of this training"))
            .label(span, "not a number of iterations")
            .help("give a step like `1ep`")
            .into());
    };
    if at > end {
        let message = format!("`{step}` is iteration {at}, but the training ends at {end}");
        return Err(Diagnostic::error(&codes::BEYOND_END, message)
            .label(span, format!("step {at} of a run that ends at {end}"))
            .label(training.until, "ends here")
            .help(format!("choose a step before {}, or train longer", Step::written(end, training.course.per_epoch)))
            .into());
    }
    if at < start {
        let message = format!("`{step}` is iteration {at}, but this training starts at {start}");
        return Err(Diagnostic::error(&codes::BEYOND_END, message)
            .label(span, format!("step {at} of a run that starts at {start}"))
            .help("take the step of the run that came before it")
            .into());
    }
    if at == start {
        return Ok(training.input.clone());
    }
    point(lowering, training, at, call)
}

/// Adds the stage that ends a training at `until`.
fn point(lowering: &mut dyn Lowering, training: &Arc<Training>, until: u64, call: Span) -> Evaluated<State> {
    let before = &training.input.facts;
    let network = &before.network;
    let args = TrainArgs {
        arch: network.arch.clone(),
        task: (*training.task).clone(),
        recipe: training.recipe.settings.clone(),
        order: (*training.order).clone(),
        gradual: training.gradual.clone(),
    };
    let trajectory = Trajectory { until, ..training.trajectory.clone() };
    let (kept, round) = left_at(training, until, call)?;
    let iterations = until - trajectory.start;
    let epochs = iterations as f64 / trajectory.per_epoch as f64;
    let images = (epochs * training.task.train as f64).round() as u64;
    let mut stage = Stage::new(&OP, &args, call)?
        .input("state", training.input.node)
        .reads(lowering, External::Data(&training.task.data))
        .describe(network, kept.total, round)
        .fact("iterations", iterations)
        .fact("images", images);
    if until != training.trajectory.until {
        stage.title = format!("train to {}", Step::written(until, training.course.per_epoch));
    }
    stage.trajectory = Some(trajectory);
    stage.facts.epochs = Some(epochs);
    stage.facts.macs = network.survey.macs().checked_mul(3).and_then(|macs| macs.checked_mul(images));
    let memory = training.recipe.settings.optimizer.memory();
    stage.facts.bytes = network.checkpoint_bytes() + 4 * memory * network.survey.parameter_count();
    let node = lowering.push(stage);
    let facts = StateFacts {
        kept,
        round,
        step: until,
        course: Some(training.course),
        training: Some(training.clone()),
        ..(**before).clone()
    };
    Ok(State { node, facts: Arc::new(facts) })
}

/// Returns what the prunings on the way to an iteration leave, and the round that this makes.
fn left_at(training: &Training, until: u64, call: Span) -> Evaluated<(Kept, u32)> {
    let (before, trajectory) = (&training.input.facts, &training.trajectory);
    let last = trajectory.prunings_in(trajectory.start, until).last();
    let (Some(gradual), Some(last)) = (&training.gradual, last) else {
        return Ok((before.kept.clone(), before.round));
    };
    let left = counting::after(&before.network, &before.kept, &gradual.to(&last.sparsity)).map_err(|problem| {
        Diagnostic::error(&codes::CANNOT_PRUNE, problem.message).label(call, problem.label).help(problem.help)
    })?;
    Ok((left, before.round + 1))
}

pub(super) fn own_order(state: &State, arguments: &Arguments) -> Evaluated<Arc<Seed>> {
    let Some(seed) = &state.facts.seed else {
        return Err(Diagnostic::error(&codes::BAD_ARGUMENT, "weights from a file have no seed to order the images by")
            .label(arguments.call, "no order of images")
            .help("name one: `order: seed.order`")
            .into());
    };
    let mut order = (**seed).clone();
    order.stream.push("order".to_owned());
    Ok(Arc::new(order))
}

/// Checks that a network takes a task's images and tells its classes apart.
///
/// # Errors
/// If it does not.
pub(super) fn check_fit(network: &Network, task: &Task, span: Span) -> Evaluated<()> {
    let (wanted, offered) = (network.arch.input, task.input);
    if wanted != offered {
        let message = format!("the network takes images of {wanted}, but the task has images of {offered}");
        return Err(Diagnostic::error(&codes::IMAGE_MISMATCH, message)
            .label(span, format!("images of {offered}"))
            .help(format!("build the network with `channels: {}, size: {}`", offered.channels, offered.height))
            .into());
    }
    let outputs = network.survey.output.values();
    if outputs != task.classes {
        let message = format!("the network has {outputs} outputs, but the task has {} classes", task.classes);
        let diagnostic = Diagnostic::error(&codes::CLASS_MISMATCH, message)
            .label(span, format!("{} classes", task.classes))
            .help(format!("build the network with `classes: {}`, or `task.classes` of this task", task.classes));
        return Err(match network.made {
            Some(made) => diagnostic.label(made, format!("{outputs} outputs")),
            None => diagnostic,
        }
        .into());
    }
    Ok(())
}

/// What it needs memory for.
fn demand(args: &Canon) -> Option<Demand> {
    let TrainArgs { arch, recipe, .. } = args.parse().ok()?;
    Some(Demand { memories: Some(recipe.optimizer.memory()), ..Demand::of(&arch, recipe.batch)? })
}

fn shrink(small: &Small, node: &mut Node) -> Option<()> {
    let known: TrainArgs = node.args.parse().ok()?;
    let recipe = Recipe { batch: known.recipe.batch.min(smoke::BATCH), ..known.recipe };
    let task = small.task(&known.task, recipe.batch, node);
    let trajectory = small.trajectory(node.trajectory.as_ref()?, &recipe, &task);
    let iterations = trajectory.until - trajectory.start;
    let survey = small.survey(&known.arch)?;
    node.facts.epochs = Some(iterations as f64 / trajectory.per_epoch as f64);
    node.facts.macs = Some(3 * survey.macs() * iterations * recipe.batch as u64);
    node.facts.bytes = smoke::bytes(&survey) * (1 + recipe.optimizer.memory());
    node.trajectory = Some(trajectory);
    node.args = Canon::of(&TrainArgs { arch: small.arch(&known.arch), task, recipe, ..known })?;
    Some(())
}

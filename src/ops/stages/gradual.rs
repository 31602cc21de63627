//! `gradual`: training that prunes on the way. Its stage is `train`'s.

use super::train::{Plan, check_fit, own_order, train};
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::domain::pruning::{Gradual, Rule, Score};
use crate::graph::Pruning;
use crate::ops::Op;
use crate::ops::lowering::{Arguments, Lowering};
use crate::source::Span;
use crate::syntax::tree::Exact;
use crate::value::{Course, Evaluated, Value, number, repr};

/// The stage.
pub static OP: Op = Op {
    name: "gradual",
    module: "prune",
    version: 1,
    signature: "fn gradual(s: State, task: Task, recipe: Recipe, plan: Schedule, every: Step, until: Step, \
                by: Criterion = magnitude, scope: Scope = global, keep: List[Str] = [], order: Seed = none) -> State",
    doc: "Trains like `train` and prunes on the way: before every iteration that is a multiple of `every`, to the \
          sparsity that `plan` gives for it. Each time all weights compete anew, those that are gone by the values they \
          had when they went, so weights can return (Zhu and Gupta 2017). What was pruned before stays pruned.",
    example: "import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{gradual}
import std.schedule.{cubic}

let task = digits()
let net = tiny_resnet(classes: task.classes) |> init(seeds(1)[0])
let plan = cubic(to: 90%, from: 1ep, until: 3ep)
let sparse = net |> gradual(task, sgd(lr: 0.1, batch: 64), plan: plan, every: 5it, until: 4ep)
",
    lower,
    worker: None,
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, task, recipe) = (arguments.state(0)?, arguments.task(1)?, arguments.recipe(2)?);
    let order = match &arguments.at(9).value {
        Value::Nothing => own_order(&state, arguments)?,
        _ => arguments.seed(9)?,
    };
    check_fit(&state.facts.network, &task, arguments.span(1))?;
    let per_epoch = recipe.settings.iterations_per_epoch(task.train).max(1);
    let course = Course { per_epoch, batch: Some(recipe.settings.batch as u64) };
    let every = iterations(arguments, 4, &course, "prunings cannot come every", "give a step like `100it`")?.max(1);
    let until = iterations(arguments, 5, &course, "a training cannot end at", "give a step like `160ep`")?;
    let gradual = gradual(arguments)?;
    super::prune::check_keep(&state.facts.network, &gradual.keep, arguments.span(8))?;
    let mut prunings: Vec<Pruning> = Vec::new();
    let mut at = state.facts.step.next_multiple_of(every);
    while at < until {
        let value = lowering.sparsity(&arguments.at(3).value, course, at, arguments.span(3))?;
        let sparsity = sparsity(&value, at, arguments.span(3))?;
        // Equal sparsities in a row still change masks: weights compete anew.
        if sparsity != "0" || !prunings.is_empty() {
            prunings.push(Pruning { at, sparsity });
        }
        at += every;
    }
    let pruning = Some((gradual, prunings.into()));
    let plan = Plan { task, recipe, order, course, until, until_span: arguments.span(5), pruning };
    Ok(Value::State(train(lowering, &state, &plan, arguments.call)?))
}

fn iterations(arguments: &Arguments, at: usize, course: &Course, cannot: &str, help: &str) -> Evaluated<u64> {
    let step = arguments.step(at)?;
    step.whole_iterations(course).ok_or_else(|| {
        arguments.refuse(at, format!("{cannot} `{step}`"), "not a number of iterations").help(help.to_owned()).into()
    })
}

fn gradual(arguments: &Arguments) -> Evaluated<Gradual> {
    let score = match &arguments.at(6).value {
        Value::Criterion(score) => (**score).clone(),
        other => return Err(arguments.mismatch(6, "a criterion", other)),
    };
    let others = [Score::Initial, Score::Gradient, Score::HessianGradient, Score::Flow, Score::Concept];
    if others.iter().any(|leaf| score.reads(leaf)) {
        return Err(arguments
            .refuse(6, "pruning on the way scores trained weights alone", "reads something else")
            .help("give a criterion of `p.weight`, like `magnitude`")
            .into());
    }
    let scope = match &arguments.at(7).value {
        Value::Scope(scope) => *scope,
        other => return Err(arguments.mismatch(7, "`global`, `per_layer` or `erk`", other)),
    };
    Ok(Gradual { by: Rule::Score { score }, scope, keep: arguments.names(8)? })
}

/// Reads a sparsity as an exact ratio.
fn sparsity(value: &Value, at: u64, span: Span) -> Evaluated<String> {
    let ratio = match value {
        Value::Ratio(ratio) => *ratio,
        other => {
            let message = format!("the sparsity at iteration {at} is {}, not a ratio", repr::kind(other));
            let help = "the plan gives a ratio at every step: where it is written, make its value one, `step => ratio(…)`, \
                        or write `90%` in place of `0.9`";
            return Err(Diagnostic::error(&codes::MISMATCH, message).label(span, "this plan").help(help).into());
        }
    };
    if ratio < Exact::from_integer(0) || ratio >= Exact::from_integer(1) {
        let message = format!("the sparsity at iteration {at} is {}", repr::repr(value));
        return Err(Diagnostic::error(&codes::BAD_ARGUMENT, message)
            .label(span, "this plan")
            .help("a sparsity is at least 0% and less than 100%")
            .into());
    }
    Ok(number::fraction(number::storable(ratio)))
}

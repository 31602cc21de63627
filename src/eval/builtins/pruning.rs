//! Criteria and pruners.

use std::sync::Arc;

use super::super::interpreter::Interpreter;
use super::super::operators::as_score;
use crate::domain::data::Task;
use crate::domain::pruning::{Amount, Counting, Group, Pruner, Reduction, Rule, Samples, Scope, Score, Unit};
use crate::ops::lowering::Arguments;
use crate::syntax::tree::Exact;
use crate::value::{Evaluated, Value, number, repr};

pub(super) fn criterion(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let score = vm.apply(&arguments.at(0).value, vec![Value::Parameter], arguments.span(0))?;
    match as_score(&score) {
        Some(score) => Ok(Value::Criterion(Arc::new(score))),
        None => Err(arguments.mismatch(0, "a function to a score, like `p => abs(p.weight)`", &score)),
    }
}

/// Makes the builtin of one reduction.
macro_rules! reductions {
    ($($name:ident: $over:ident, $by:ident;)*) => {
        $(
            pub(super) fn $name(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
                let value = &arguments.at(0).value;
                let Some(of) = as_score(value) else { return Err(arguments.mismatch(0, "a score", value)) };
                let (over, by) = (Group::$over, Reduction::$by);
                Ok(Value::Score(Arc::new(Score::Reduce { over, by, of: Box::new(of) })))
            }
        )*
    };
}

reductions! {
    filter_sum: Filter, Sum;
    filter_mean: Filter, Mean;
    filter_max: Filter, Max;
    layer_sum: Layer, Sum;
    layer_mean: Layer, Mean;
    layer_max: Layer, Max;
    layer_upper_sum: Layer, UpperSum;
}

pub(super) fn pruner(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    weights_or_filters(arguments, Unit::Weight)
}

pub(super) fn filter_pruner(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    weights_or_filters(arguments, Unit::Filter)
}

fn weights_or_filters(arguments: &Arguments, unit: Unit) -> Evaluated {
    let by = rule(arguments)?;
    let zero = Exact::from_integer(0);
    let (rate, to) = (arguments.ratio(1)?, arguments.ratio(2)?);
    let (rate_given, to_given) = (arguments.given(1), arguments.given(2) && (to != zero || !arguments.given(1)));
    let remove = match (rate_given && (rate != zero || !to_given), to_given) {
        (true, true) => {
            return Err(arguments
                .refuse(
                    2,
                    "a pruner removes a share of what is left or goes to a sparsity, not both",
                    "the second of two",
                )
                .help("give `remove` or `to`")
                .into());
        }
        (false, false) => {
            return Err(crate::diag::Diagnostic::error(
                &crate::diag::codes::evaluation::BAD_ARGUMENT,
                "a pruner needs to know how much to remove",
            )
            .label(arguments.call, "neither `remove` nor `to`")
            .help("give `remove: 20%` or `to: 90%`")
            .into());
        }
        (true, false) => Amount::Rate(share(arguments, 1, rate, "the share to remove", false)?),
        (false, true) => Amount::Sparsity(share(arguments, 2, to, "the sparsity", false)?),
    };
    let Value::Counting(counting) = arguments.at(5).value else {
        return Err(arguments.mismatch(5, "`open_lth` or `torch`", &arguments.at(5).value));
    };
    let (scope, keep) = (scope(arguments, 3)?, arguments.names(4)?);
    Ok(Value::Pruner(Arc::new(Pruner { by, remove, scope, keep, counting, unit, samples: None })))
}

fn rule(arguments: &Arguments) -> Evaluated<Rule> {
    match &arguments.at(0).value {
        Value::Criterion(score) => Ok(Rule::Score { score: (**score).clone() }),
        other => Err(arguments.mismatch(0, "a criterion", other)),
    }
}

pub(super) fn pattern_pruner(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let by = rule(arguments)?;
    let (left, of) = (arguments.count(1, "the weights that stay", 1)?, arguments.count(2, "the group", 2)?);
    if left >= of {
        return Err(arguments
            .refuse(1, format!("{left} of {of} weights would stay: nothing goes"), "as many as the group has")
            .help("keep fewer, like `left: 2, of: 4`")
            .into());
    }
    let remove = Amount::Pattern { keep: left as usize, of: of as usize };
    // Neither the scope nor the rule of counting plays a part; one of each stands in keys.
    Ok(make(by, remove, Scope::PerLayer, arguments.names(3)?))
}

pub(super) fn sampled(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let (pruner, task, seed) = (arguments.pruner(0)?, arguments.task(1)?, arguments.seed(2)?);
    let temperature = arguments.float(6)?;
    if !(temperature > 0.0 && temperature.is_finite()) {
        return Err(arguments
            .refuse(6, format!("the temperature is {temperature}, but must be above 0"), "not above 0")
            .help("leave it out, or give a number like `200.0`")
            .into());
    }
    let samples = Samples {
        task: Task { augment: Vec::new(), ..(*task).clone() },
        batch: arguments.count(3, "the batch", 1)? as usize,
        batches: arguments.count(4, "the number of batches", 1)? as usize,
        balanced: arguments.truth(5)?,
        seed: (*seed).clone(),
        temperature,
    };
    if !pruner.reads_loss() {
        return Err(arguments
            .refuse(0, "this pruner reads no gradients, so images change nothing", "needs no images")
            .help("leave out `sampled`")
            .into());
    }
    Ok(Value::Pruner(Arc::new(Pruner { samples: Some(samples), ..(*pruner).clone() })))
}

pub(super) fn random_pruner(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let to = arguments.ratio(0)?;
    let remove = Amount::Sparsity(share(arguments, 0, to, "the sparsity", true)?);
    let by = Rule::Random { seed: (*arguments.seed(1)?).clone() };
    Ok(make(by, remove, scope(arguments, 2)?, arguments.names(3)?))
}

/// Makes a pruner of weights under which any rule of counting gives the same; one of them stands in keys.
fn make(by: Rule, remove: Amount, scope: Scope, keep: Vec<String>) -> Value {
    let (counting, unit) = (Counting::Torch, Unit::Weight);
    Value::Pruner(Arc::new(Pruner { by, remove, scope, keep, counting, unit, samples: None }))
}

fn share(arguments: &Arguments, at: usize, value: Exact, what: &str, zero: bool) -> Evaluated<String> {
    let (none, all) = (Exact::from_integer(0), Exact::from_integer(1));
    if (value > none || (zero && value == none)) && value < all {
        return Ok(number::fraction(number::storable(value)));
    }
    let shown = repr::repr(&Value::Ratio(value));
    let (message, label, help) = if value == none {
        let help = "where nothing is to go, leave the state as it is: `if … == 0% { s } else { s |> prune(…) }`";
        (format!("{what} is {shown}, which removes nothing"), "nothing to remove", help)
    } else if value == all {
        (format!("{what} is {shown}, which leaves nothing"), "nothing would be left", "keep some weights, like `99%`")
    } else {
        let message = format!("{what} is {shown}, but must lie between 0% and 100%");
        (message, "out of range", "give a ratio like `20%`")
    };
    Err(arguments.refuse(at, message, label).help(help).into())
}

fn scope(arguments: &Arguments, at: usize) -> Evaluated<Scope> {
    match &arguments.at(at).value {
        Value::Scope(scope) => Ok(*scope),
        other => Err(arguments.mismatch(at, "`global`, `per_layer` or `erk`", other)),
    }
}

//! Seeds and recipes.

use std::sync::Arc;

use super::super::interpreter::{Interpreter, error};
use crate::diag::codes::evaluation as codes;
use crate::domain::recipe::{Decay, Optimizer};
use crate::domain::{recipe, seed::Seed};
use crate::ops::lowering::{Argument, Arguments, did_you_mean};
use crate::source::Span;
use crate::value::{Evaluated, Recipe, Record, Value};

pub(super) fn seeds(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let count = arguments.count(0, "the number of seeds", 1)?;
    vm.spend(count, arguments.call)?;
    let seed = |root| Value::Seed(Arc::new(Seed { root, stream: Vec::new() }));
    Ok(Value::list((1..=count).map(seed).collect()))
}

/// Arguments of the optimisers, in the order of their signatures.
const SGD: [&str; 7] = ["lr", "momentum", "nesterov", "weight_decay", "decay_norm", "batch", "label_smoothing"];
const ADAMW: [&str; 8] = ["lr", "beta1", "beta2", "epsilon", "weight_decay", "decay_norm", "batch", "label_smoothing"];

pub(super) fn sgd(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    build_sgd(arguments)
}

pub(super) fn adamw(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    build_adamw(arguments)
}

fn build_sgd(arguments: &Arguments) -> Evaluated {
    let momentum = between(arguments, 1, "momentum", 1.0)?;
    let nesterov = arguments.truth(2)?;
    if nesterov && momentum == 0.0 {
        return Err(arguments
            .refuse(2, "Nesterov's rule looks ahead along the momentum, which is 0", "without momentum")
            .help("give `momentum: 0.9`, or drop `nesterov`")
            .into());
    }
    let optimizer = Optimizer::Sgd {
        momentum,
        nesterov,
        weight_decay: between(arguments, 3, "weight decay", f64::INFINITY)?,
        decay: decay(arguments, 4)?,
    };
    finish(arguments, optimizer, 5)
}

fn build_adamw(arguments: &Arguments) -> Evaluated {
    let epsilon = between(arguments, 3, "epsilon", f64::INFINITY)?;
    if epsilon == 0.0 {
        let message = "the epsilon is 0, and a weight whose gradient is 0 would be divided by it";
        return Err(arguments.refuse(3, message, "out of range").help("give a small number like `1e-8`").into());
    }
    let optimizer = Optimizer::AdamW {
        beta1: between(arguments, 1, "share of the first moment", 1.0)?,
        beta2: between(arguments, 2, "share of the second moment", 1.0)?,
        epsilon,
        weight_decay: between(arguments, 4, "weight decay", f64::INFINITY)?,
        decay: decay(arguments, 5)?,
    };
    finish(arguments, optimizer, 6)
}

/// Reads what all optimisers have: the learning rate first, the batch and the label smoothing from `at` on.
fn finish(arguments: &Arguments, optimizer: Optimizer, at: usize) -> Evaluated {
    let rate = match &arguments.at(0).value {
        Value::Int(value) => Value::Float(*value as f64),
        value @ (Value::Float(_) | Value::Function(_)) => value.clone(),
        other => return Err(arguments.mismatch(0, "a learning rate: a number or a function of the step", other)),
    };
    let batch = arguments.count(at, "the batch", 1)? as usize;
    let label_smoothing = between(arguments, at + 1, "label smoothing", 1.0)?;
    let settings = recipe::Recipe { optimizer, batch, label_smoothing };
    Ok(Value::Recipe(Arc::new(Recipe { settings, rate, rate_span: arguments.span(0) })))
}

fn between(arguments: &Arguments, at: usize, what: &str, below: f64) -> Evaluated<f64> {
    let value = arguments.float(at)?;
    if value >= 0.0 && value < below {
        return Ok(value + 0.0);
    }
    let range = if below.is_finite() { format!("from 0 and below {below}") } else { "finite and from 0".to_owned() };
    let message = format!("the {what} is {value}, but must be {range}");
    Err(arguments.refuse(at, message, "out of range").help(format!("give a number {range}")).into())
}

fn decay(arguments: &Arguments, at: usize) -> Evaluated<Decay> {
    Ok(if arguments.truth(at)? { Decay::All } else { Decay::ExceptNorm })
}

/// Changes arguments of a recipe: `{ ..recipe, lr: 0.05 }`.
pub(in crate::eval) fn update(base: &Recipe, changes: &Record, span: Span) -> Evaluated {
    let (batch, smoothing) = (Value::Int(base.settings.batch as i64), Value::Float(base.settings.label_smoothing));
    let (name, present): (&str, Vec<(&str, Value)>) = match base.settings.optimizer {
        Optimizer::Sgd { momentum, nesterov, weight_decay, decay } => {
            let values = [
                base.rate.clone(),
                Value::Float(momentum),
                Value::Bool(nesterov),
                Value::Float(weight_decay),
                Value::Bool(decay == Decay::All),
                batch,
                smoothing,
            ];
            ("sgd", SGD.into_iter().zip(values).collect())
        }
        Optimizer::AdamW { beta1, beta2, epsilon, weight_decay, decay } => {
            let values = [
                base.rate.clone(),
                Value::Float(beta1),
                Value::Float(beta2),
                Value::Float(epsilon),
                Value::Float(weight_decay),
                Value::Bool(decay == Decay::All),
                batch,
                smoothing,
            ];
            ("adamw", ADAMW.into_iter().zip(values).collect())
        }
    };
    let known = || present.iter().map(|(name, _)| *name);
    if let Some(unknown) = changes.names().find(|name| known().all(|known| known != *name)) {
        let message = format!("a recipe of `{name}` has no `{unknown}`");
        let found = error(&codes::UNKNOWN_COLUMN, message, span, "this recipe");
        return Err(did_you_mean(found, unknown, known()).into());
    }
    let values = present.iter().map(|(name, value)| {
        let changed = changes.get(name);
        let span = if *name == "lr" && changed.is_none() { base.rate_span } else { span };
        Argument { value: changed.unwrap_or(value).clone(), span, given: true }
    });
    let arguments = Arguments { name: name.into(), call: span, values: values.collect() };
    if name == "sgd" { build_sgd(&arguments) } else { build_adamw(&arguments) }
}

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

/// Arguments of `sgd`, in the order of its signature.
const SGD: [&str; 7] = ["lr", "momentum", "nesterov", "weight_decay", "decay_norm", "batch", "label_smoothing"];

pub(super) fn sgd(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    build(arguments)
}

fn build(arguments: &Arguments) -> Evaluated {
    let rate = match &arguments.at(0).value {
        Value::Int(value) => Value::Float(*value as f64),
        value @ (Value::Float(_) | Value::Function(_)) => value.clone(),
        other => return Err(arguments.mismatch(0, "a learning rate: a number or a function of the step", other)),
    };
    let between = |at: usize, what: &str, below: f64| -> Evaluated<f64> {
        let value = arguments.float(at)?;
        if value >= 0.0 && value < below {
            return Ok(value + 0.0);
        }
        let range =
            if below.is_finite() { format!("from 0 and below {below}") } else { "finite and from 0".to_owned() };
        let message = format!("the {what} is {value}, but must be {range}");
        Err(arguments.refuse(at, message, "out of range").help(format!("give a number {range}")).into())
    };
    let momentum = between(1, "momentum", 1.0)?;
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
        weight_decay: between(3, "weight decay", f64::INFINITY)?,
        decay: if arguments.truth(4)? { Decay::All } else { Decay::ExceptNorm },
    };
    let batch = arguments.count(5, "the batch", 1)? as usize;
    let settings = recipe::Recipe { optimizer, batch, label_smoothing: between(6, "label smoothing", 1.0)? };
    Ok(Value::Recipe(Arc::new(Recipe { settings, rate })))
}

/// Changes arguments of a recipe: `{ ..recipe, lr: 0.05 }`.
pub(in crate::eval) fn update(base: &Recipe, changes: &Record, span: Span) -> Evaluated {
    if let Some(unknown) = changes.names().find(|name| !SGD.contains(name)) {
        let message = format!("a recipe has no `{unknown}`");
        return Err(did_you_mean(error(&codes::UNKNOWN_COLUMN, message, span, "this recipe"), unknown, SGD).into());
    }
    let Optimizer::Sgd { momentum, nesterov, weight_decay, decay } = base.settings.optimizer;
    let present = [
        base.rate.clone(),
        Value::Float(momentum),
        Value::Bool(nesterov),
        Value::Float(weight_decay),
        Value::Bool(decay == Decay::All),
        Value::Int(base.settings.batch as i64),
        Value::Float(base.settings.label_smoothing),
    ];
    let values = SGD.iter().zip(present).map(|(name, value)| {
        let value = changes.get(name).cloned().unwrap_or(value);
        Argument { value, span, given: true }
    });
    let arguments = Arguments { name: "sgd".into(), call: span, values: values.collect() };
    build(&arguments)
}

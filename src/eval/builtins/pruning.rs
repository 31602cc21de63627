//! Criteria and pruners.

use std::sync::Arc;

use super::super::interpreter::Interpreter;
use super::super::operators::as_score;
use crate::domain::pruning::{Amount, Counting, Pruner, Rule, Scope};
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

pub(super) fn pruner(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let Value::Criterion(score) = &arguments.at(0).value else {
        return Err(arguments.mismatch(0, "a criterion", &arguments.at(0).value));
    };
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
    let by = Rule::Score { score: (**score).clone() };
    Ok(make(by, remove, scope(arguments, 3)?, keep(arguments, 4)?, counting))
}

pub(super) fn random_pruner(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let to = arguments.ratio(0)?;
    let remove = Amount::Sparsity(share(arguments, 0, to, "the sparsity", true)?);
    let by = Rule::Random { seed: (*arguments.seed(1)?).clone() };
    // A sparsity is reached exactly under either rule of counting; one of them stands in keys.
    Ok(make(by, remove, scope(arguments, 2)?, keep(arguments, 3)?, Counting::Torch))
}

fn make(by: Rule, remove: Amount, scope: Scope, keep: Vec<String>, counting: Counting) -> Value {
    Value::Pruner(Arc::new(Pruner { by, remove, scope, keep, counting }))
}

fn share(arguments: &Arguments, at: usize, value: Exact, what: &str, zero: bool) -> Evaluated<String> {
    let (none, all) = (Exact::from_integer(0), Exact::from_integer(1));
    if (value > none || (zero && value == none)) && value < all {
        return Ok(number::fraction(storable(value)));
    }
    let message = format!("{what} is {}, but must lie between 0% and 100%", repr::repr(&Value::Ratio(value)));
    Err(arguments.refuse(at, message, "out of range").help("give a ratio like `20%`").into())
}

/// Rounds to 18 decimals where numerator or denominator would not fit into 64 bits.
fn storable(value: Exact) -> Exact {
    if i64::try_from(*value.denom()).is_ok() {
        return value;
    }
    let scale = Exact::from_integer(10i128.pow(18));
    let scaled = number::multiply(value, scale).unwrap_or_else(|| Exact::from_integer(0));
    Exact::new(number::round_half_even(scaled), 10i128.pow(18))
}

fn scope(arguments: &Arguments, at: usize) -> Evaluated<Scope> {
    match &arguments.at(at).value {
        Value::Scope(scope) => Ok(*scope),
        other => Err(arguments.mismatch(at, "`global`, `per_layer` or `erk`", other)),
    }
}

/// Reads the parameters to keep, in an order of their own.
fn keep(arguments: &Arguments, at: usize) -> Evaluated<Vec<String>> {
    let value = &arguments.at(at).value;
    let Value::List(items) = value else { return Err(arguments.mismatch(at, "a list of names", value)) };
    let mut names = Vec::new();
    for item in items.iter() {
        let Value::Str(name) = item else { return Err(arguments.mismatch(at, "a list of names", item)) };
        names.push(name.to_string());
    }
    names.sort();
    names.dedup();
    Ok(names)
}

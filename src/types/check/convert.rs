//! Numbers of one type as numbers of another: how literals are rewritten, and which functions convert.

use super::super::ty::Plain;
use crate::syntax::tree::{BinaryOp, Exact, Expr, ExprKind, UnaryOp, Unit};

/// Whether a text is a number, with or without a unit.
pub(super) fn is_quantity(text: &str) -> bool {
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '_')).unwrap_or(text.len());
    let suffix = &text[end..];
    let exponent = suffix.strip_prefix('e').is_some_and(|rest| rest.trim_start_matches('-').parse::<u32>().is_ok());
    text.starts_with(|c: char| c.is_ascii_digit())
        && (suffix.is_empty() || exponent || Unit::ALL.iter().any(|unit| unit.suffix() == suffix))
}

/// Says which of two operands to replace.
pub(super) fn instead(advice: Option<String>, text: &str) -> Option<String> {
    advice.map(|advice| if advice.starts_with("write") { format!("{advice} instead of `{text}`") } else { advice })
}

/// How a literal of one type is written as one of another: each way that may be meant, with what it stands for.
pub(super) fn rewritten(expr: &Expr, from: Plain, to: Plain) -> Vec<(String, &'static str)> {
    use Plain::{Float, Int, Points, Pruner, Ratio, Step};
    let hundred = Exact::from_integer(100);
    let Some((value, unit)) = literal(expr) else { return Vec::new() };
    let text = match (unit, from, to) {
        (None, Float, Ratio) => format!("{}%", decimal(value * hundred)),
        (None, Int, Ratio) | (Some(Unit::Points), Points, Ratio) => format!("{}%", decimal(value)),
        (None, Int | Float, Points) | (Some(Unit::Percent), Ratio, Points) => format!("{}pp", decimal(value)),
        (None, Int, Step) => {
            let value = decimal(value);
            return vec![(format!("{value}ep"), " for epochs"), (format!("{value}it"), " for iterations")];
        }
        (Some(Unit::Percent), Ratio, Float) => decimal(value / hundred),
        (None, Float, Int) | (Some(_), Step, Int) if value.is_integer() => decimal(value),
        (None, Float, Step) => format!("{}ep", decimal(value)),
        (None, Float, Pruner) if value < Exact::from_integer(1) => {
            format!("global_magnitude({}%)", decimal(value * hundred))
        }
        (None, Int, Pruner) => format!("global_magnitude({}%)", decimal(value)),
        _ => return Vec::new(),
    };
    vec![(text, "")]
}

/// Says what to write, where there are several ways.
pub(super) fn any_of(ways: &[(String, &'static str)]) -> String {
    let ways: Vec<_> = ways.iter().map(|(text, meaning)| format!("`{text}`{meaning}")).collect();
    format!("write {}", ways.join(" or "))
}

/// How to turn a value of one type into one of another.
pub(super) fn conversion(expr: &Expr, text: &str, from: Plain, to: Plain) -> Option<String> {
    use Plain::{Float, Int, Margin, Points, Ratio, Schedule, Score, Step};
    let ways = rewritten(expr, from, to);
    if !ways.is_empty() {
        return Some(any_of(&ways));
    }
    let short = if text.len() <= 40 && !text.contains('\n') { text } else { "…" };
    // Operators bind less than a dot or a call.
    let factor = matches!(&*expr.kind, ExprKind::Binary { op: BinaryOp::Multiply | BinaryOp::Divide, .. });
    let operand = if is_operation(expr) && !factor { format!("({short})") } else { short.to_owned() };
    match (from, to) {
        (Ratio, Step) => Some("a step is given in epochs or iterations: write `1ep` or `100it`".to_owned()),
        (Step, Ratio) => Some("a share is given in per cent: write `20%`".to_owned()),
        (Float, Ratio) => Some(format!("write `ratio({short})`")),
        (Ratio, Float) => Some(format!("write `fraction({short})`")),
        (Int, Float | Schedule | Margin) => Some(format!("write `float({short})`")),
        (Float, Int) => Some(format!("write `round({short})`")),
        (Int, Step) => Some(format!("multiply it by a unit: write `{operand} * 1ep` or `{operand} * 1it`")),
        (Step, Int) => Some(format!("divide it by a unit: write `round({operand} / 1ep)`")),
        (Step, Float) => Some(format!("divide it by a unit: write `{operand} / 1ep`")),
        (Points, Ratio) => Some(format!(
            "a difference of ratios is in percentage points, and a ratio again from 0% on: write `0% + {operand}`"
        )),
        (Plain::Parameter, Score) => Some(format!("write `{short}.weight`")),
        (Plain::Seed, Int) => Some("a seed is not a number".to_owned()),
        (Int, Plain::Seed) => Some("seeds come from `seeds(n)`: `sweep seed in seeds(3)`".to_owned()),
        (Plain::Arch, Plain::State) => Some("initialise it: `|> init(seed)`".to_owned()),
        (Ratio, Plain::Pruner) => Some(format!("write `global_magnitude({short})`")),
        (Plain::Task, Plain::Probe) => Some("take a probe, for instance `shapes_probe()`".to_owned()),
        _ => None,
    }
}

/// Whether an expression ends in an operator's operand, so that what follows would belong to that alone.
pub(super) fn is_operation(expr: &Expr) -> bool {
    matches!(
        &*expr.kind,
        ExprKind::Pipe(..)
            | ExprKind::Unary(..)
            | ExprKind::Binary { .. }
            | ExprKind::Range { .. }
            | ExprKind::Lambda(_)
            | ExprKind::If { .. }
    )
}

/// The number and unit of a literal, with its sign.
pub(super) fn literal(expr: &Expr) -> Option<(Exact, Option<Unit>)> {
    match &*expr.kind {
        ExprKind::Int(value) => Some((Exact::from_integer(i128::from(*value)), None)),
        ExprKind::Float(value) => Some((*value, None)),
        ExprKind::Quantity(value, unit) => Some((*value, Some(*unit))),
        ExprKind::Paren(inner) => literal(inner),
        ExprKind::Unary(UnaryOp::Negate, inner) => literal(inner).map(|(value, unit)| (-value, unit)),
        _ => None,
    }
}

/// Writes an exact number as a decimal.
pub(super) fn decimal(value: Exact) -> String {
    if value.is_integer() {
        return value.to_integer().to_string();
    }
    (*value.numer() as f64 / *value.denom() as f64).to_string()
}

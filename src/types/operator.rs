//! What the operators do with numbers and their units.
//!
//! Units never convert silently: a difference of two ratios is in percentage points, and only points move a ratio.

use super::ty::{Plain, Ty};
use crate::syntax::tree::BinaryOp;

/// Returns the type of an arithmetic operation on two plain types, or `None` where there is none.
pub(super) fn arithmetic(op: BinaryOp, left: Plain, right: Plain) -> Option<Plain> {
    match op {
        BinaryOp::Add => add(left, right),
        BinaryOp::Subtract => subtract(left, right),
        BinaryOp::Multiply => multiply(left, right).or_else(|| multiply(right, left)),
        BinaryOp::Divide => divide(left, right),
        BinaryOp::Power => power(left, right),
        _ => None,
    }
}

fn add(left: Plain, right: Plain) -> Option<Plain> {
    use Plain::{Points, Ratio, Score};
    match (left, right) {
        (Ratio, Points) | (Points, Ratio) => Some(Ratio),
        (Ratio, Ratio) => None,
        (Score, other) | (other, Score) => with_score(other),
        (a, b) => (a == b && has_sum(a)).then_some(a),
    }
}

fn subtract(left: Plain, right: Plain) -> Option<Plain> {
    use Plain::{Points, Ratio, Score};
    match (left, right) {
        (Ratio, Ratio) => Some(Points),
        (Ratio, Points) => Some(Ratio),
        (Score, other) | (other, Score) => with_score(other),
        (a, b) => (a == b && has_sum(a)).then_some(a),
    }
}

fn multiply(left: Plain, right: Plain) -> Option<Plain> {
    use Plain::{Float, Int, Ratio, Score};
    match (left, right) {
        (Int, Int) => Some(Int),
        (Float, Float) => Some(Float),
        (Ratio, Ratio) => Some(Ratio),
        (Score, other) => with_score(other),
        (Int | Float, quantity) => is_quantity(quantity).then_some(quantity),
        _ => None,
    }
}

fn divide(left: Plain, right: Plain) -> Option<Plain> {
    use Plain::{Float, Int, Score};
    match (left, right) {
        (Int | Float, Int | Float) => (left == right).then_some(Float),
        (Score, other) | (other, Score) => with_score(other),
        (quantity, Int | Float) => is_quantity(quantity).then_some(quantity),
        (a, b) => (a == b && is_quantity(a)).then_some(Float),
    }
}

fn power(left: Plain, right: Plain) -> Option<Plain> {
    use Plain::{Float, Int, Ratio, Score};
    match (left, right) {
        (Int, Int) => Some(Int),
        (Float, Int | Float) => Some(Float),
        (Ratio, Int) => Some(Ratio),
        (Score, other) => with_score(other),
        _ => None,
    }
}

fn with_score(other: Plain) -> Option<Plain> {
    matches!(other, Plain::Score | Plain::Int | Plain::Float).then_some(Plain::Score)
}

/// Whether two values of the type add up to a third.
fn has_sum(ty: Plain) -> bool {
    use Plain::{Bytes, Float, Int, Points, Step, Time};
    matches!(ty, Int | Float | Points | Step | Time | Bytes)
}

/// Whether the type has a unit.
fn is_quantity(ty: Plain) -> bool {
    use Plain::{Bytes, Points, Ratio, Step, Time};
    matches!(ty, Ratio | Points | Step | Time | Bytes)
}

/// Returns whether values of the type have an order.
pub(super) fn is_ordered(ty: &Ty) -> bool {
    ty.is_number()
}

/// Returns whether values of the type can be compared for equality.
pub(super) fn is_comparable(ty: &Ty) -> bool {
    match ty {
        Ty::Plain(plain) => ty.is_number() || matches!(plain, Plain::Bool | Plain::Str | Plain::Seed),
        Ty::List(element) => is_comparable(element),
        Ty::Tuple(parts) => parts.iter().all(is_comparable),
        Ty::Record(fields) => fields.0.iter().all(|(_, ty)| is_comparable(ty)),
        Ty::Error | Ty::Var(_) => true,
        _ => false,
    }
}

/// Returns whether a list of the type can be summed.
pub(super) fn is_summable(ty: &Ty) -> bool {
    match ty.unmeasured().0 {
        Ty::Plain(plain) => has_sum(*plain) || *plain == Plain::Score,
        Ty::Error | Ty::Var(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Plain::{self, Float, Int, Points, Ratio, Score, Step};
    use super::arithmetic;
    use crate::syntax::tree::BinaryOp::{self, Add, Divide, Multiply, Power, Subtract};

    #[test]
    fn units_follow_the_table() {
        let table: &[(Plain, BinaryOp, Plain, Option<Plain>)] = &[
            (Ratio, Subtract, Ratio, Some(Points)),
            (Ratio, Add, Points, Some(Ratio)),
            (Points, Add, Ratio, Some(Ratio)),
            (Ratio, Subtract, Points, Some(Ratio)),
            (Points, Subtract, Ratio, None),
            (Ratio, Add, Ratio, None),
            (Ratio, Multiply, Ratio, Some(Ratio)),
            (Float, Multiply, Ratio, Some(Ratio)),
            (Ratio, Multiply, Float, Some(Ratio)),
            (Points, Multiply, Float, Some(Points)),
            (Ratio, Divide, Ratio, Some(Float)),
            (Step, Subtract, Step, Some(Step)),
            (Float, Multiply, Step, Some(Step)),
            (Int, Multiply, Step, Some(Step)),
            (Step, Divide, Step, Some(Float)),
            (Step, Multiply, Step, None),
            (Step, Add, Int, None),
            (Float, Add, Int, None),
            (Float, Add, Ratio, None),
            (Int, Divide, Int, Some(Float)),
            (Float, Power, Int, Some(Float)),
            (Score, Multiply, Score, Some(Score)),
            (Float, Multiply, Score, Some(Score)),
            (Score, Add, Ratio, None),
        ];
        for &(left, op, right, result) in table {
            assert_eq!(arithmetic(op, left, right), result, "{left:?} {} {right:?}", op.symbol());
        }
    }
}

//! Infix operators.

use super::super::operator::{arithmetic, is_comparable, is_ordered};
use super::super::ty::{Plain, Ty};
use super::Checker;
use super::expr::is_adaptable;
use super::operands::advises_right;
use crate::diag::{Diagnostic, codes::types as codes};
use crate::syntax::tree::{BinaryOp, Expr};

impl Checker<'_> {
    pub(super) fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Ty {
        match op {
            BinaryOp::And | BinaryOp::Or => self.logic(op, left, right),
            BinaryOp::Concat => self.concat(left, right),
            _ => {
                let (mut a, a_measured) = self.operand(left);
                let (mut b, b_measured) = self.operand(right);
                if a == Ty::Error || b == Ty::Error {
                    return Ty::Error;
                }
                if a.is(Plain::Int) && b.is(Plain::Float) && is_adaptable(left) {
                    self.adapt(left);
                    a = Plain::Float.into();
                } else if b.is(Plain::Int) && a.is(Plain::Float) && is_adaptable(right) && op != BinaryOp::Power {
                    self.adapt(right);
                    b = Plain::Float.into();
                }
                let result = self.combine(op, (&a, left), (&b, right));
                match result {
                    Some(result) if a_measured || b_measured => Ty::measured(result),
                    Some(result) => result,
                    None => {
                        self.misfit(op, (&a, left), (&b, right));
                        Ty::Error
                    }
                }
            }
        }
    }

    /// The type of an operand without `Measured`.
    fn operand(&mut self, expr: &Expr) -> (Ty, bool) {
        let ty = self.infer(expr);
        let ty = self.solver.shallow(&ty);
        let (inner, measured) = ty.unmeasured();
        (self.solver.shallow(inner), measured)
    }

    fn combine(&mut self, op: BinaryOp, left: (&Ty, &Expr), right: (&Ty, &Expr)) -> Option<Ty> {
        match (left.0, right.0) {
            (Ty::Var(_), _) | (_, Ty::Var(_)) => self.combine_open(op, left, right),
            (a, b) if is_comparison(op) => {
                let ordered = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) || is_ordered(a);
                let same = is_comparable(a) && is_comparable(b) && self.solver.unify(a, b);
                (same && ordered).then(|| Plain::Bool.into())
            }
            (Ty::Plain(a), Ty::Plain(b)) => arithmetic(op, *a, *b).map(Ty::from),
            _ => None,
        }
    }

    /// One side at least is open: a value of a schedule, or a lambda's parameter.
    fn combine_open(&mut self, op: BinaryOp, left: (&Ty, &Expr), right: (&Ty, &Expr)) -> Option<Ty> {
        let (open, (other, other_expr)) = if matches!(left.0, Ty::Var(_)) { (left.0, right) } else { (right.0, left) };
        let literal = other.is(Plain::Int) && is_adaptable(other_expr);
        if is_comparison(op) {
            return (literal || self.solver.unify(open, other)).then(|| Plain::Bool.into());
        }
        if literal || matches!(other, Ty::Var(_)) {
            let agreed = literal || self.solver.unify(open, other);
            return agreed.then(|| open.clone());
        }
        let Ty::Plain(plain) = other else { return None };
        let partner = match (op, plain) {
            (BinaryOp::Add | BinaryOp::Subtract, Plain::Points) => Plain::Ratio,
            (BinaryOp::Multiply | BinaryOp::Divide, Plain::Float) | (BinaryOp::Power, _) => {
                return Some(open.clone());
            }
            (BinaryOp::Multiply, quantity) if *quantity != Plain::Int && *quantity != Plain::Score => Plain::Float,
            (_, same) => *same,
        };
        if !self.solver.unify(open, &partner.into()) {
            return None;
        }
        let (a, b) = if matches!(left.0, Ty::Var(_)) { (partner, *plain) } else { (*plain, partner) };
        arithmetic(op, a, b).map(Ty::from)
    }

    fn logic(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Ty {
        let mut measured = false;
        for (side, expr) in [("left", left), ("right", right)] {
            let found = self.infer(expr);
            let found = self.solver.shallow(&found);
            let (inner, lifted) = found.unmeasured();
            measured |= lifted;
            if !self.solver.unify(inner, &Plain::Bool.into()) {
                self.mismatch(expr, &found, &Plain::Bool.into(), &format!("the {side} side of `{}`", op.symbol()));
            }
        }
        if measured { Ty::measured(Plain::Bool) } else { Plain::Bool.into() }
    }

    fn concat(&mut self, left: &Expr, right: &Expr) -> Ty {
        let first = self.infer(left);
        match self.solver.shallow(&first) {
            list @ Ty::List(_) => {
                self.check(right, &list, "the right side of `++`");
                list
            }
            rows @ Ty::Rows(_) => {
                self.check(right, &rows, "the right side of `++`");
                rows
            }
            Ty::Range(element) if !self.solver.shallow(&element).is(Plain::Step) => {
                let list = Ty::List(element);
                self.check(right, &list, "the right side of `++`");
                list
            }
            open @ Ty::Var(_) => {
                let second = self.infer(right);
                match self.solver.shallow(&second) {
                    both @ (Ty::List(_) | Ty::Rows(_)) => {
                        self.solver.unify(&open, &both);
                        both
                    }
                    Ty::Error => Ty::Error,
                    other => {
                        self.mismatch(right, &other, &Ty::list(Ty::Error), "the right side of `++`");
                        Ty::Error
                    }
                }
            }
            Ty::Error => {
                self.infer(right);
                Ty::Error
            }
            other => {
                let second = self.infer(right);
                let second = self.settled(&second);
                if other.is(Plain::Str) || second.is(Plain::Str) {
                    self.misfit(BinaryOp::Concat, (&other, left), (&second, right));
                    return Ty::Error;
                }
                self.mismatch(left, &other, &Ty::list(Ty::Error), "the left side of `++`");
                Ty::Error
            }
        }
    }

    fn misfit(&mut self, op: BinaryOp, left: (&Ty, &Expr), right: (&Ty, &Expr)) {
        let symbol = op.symbol();
        let (a, b) = (self.settled(left.0), self.settled(right.0));
        let message = match op {
            _ if is_comparison(op) && a == b => format!("`{symbol}` does not apply to {} values", quoted(&a)),
            _ if is_comparison(op) => format!("{} cannot be compared with {}", a.described(), b.described()),
            _ => format!("`{symbol}` does not apply to {} and {}", a.described(), b.described()),
        };
        let (first, second) = ((left.1.span, a.described()), (right.1.span, b.described()));
        let (first, second) =
            if advises_right((&a, left.1), (&b, right.1)) { (second, first) } else { (first, second) };
        let mut diagnostic =
            Diagnostic::error(&codes::OPERANDS, message).label(first.0, first.1).label(second.0, second.1);
        if let Some(help) = self.operand_advice(op, (&a, left.1), (&b, right.1)) {
            diagnostic = diagnostic.help(help).in_place_of(first.0);
        }
        self.report(diagnostic);
    }
}

fn quoted(ty: &Ty) -> String {
    format!("`{ty}`")
}

pub(super) fn is_comparison(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
    )
}

//! What to write instead of an operation that does not exist.

use super::super::ty::{Plain, Ty};
use super::Checker;
use super::advice::axis_of;
use super::binary::is_comparison;
use super::convert::{conversion, decimal, instead, literal};
use crate::syntax::tree::{BinaryOp, Expr, ExprKind, Unit};

impl Checker<'_> {
    /// What to write instead of an operation that does not exist.
    pub(super) fn operand_advice(
        &mut self,
        op: BinaryOp,
        (left, left_expr): (&Ty, &Expr),
        (right, right_expr): (&Ty, &Expr),
    ) -> Option<String> {
        let (left_text, right_text) = (self.source(left_expr.span), self.source(right_expr.span));
        for (ty, expr, other) in [(left, left_expr, right), (right, right_expr, left)] {
            if matches!(ty, Ty::Record(_) | Ty::Plain(Plain::State))
                && let Some(help) = self.fields_with(expr, ty, other, "")
            {
                return Some(help);
            }
        }
        let short =
            |text: &'_ str| if text.len() <= 40 && !text.contains('\n') { text.to_owned() } else { "…".to_owned() };
        match (left, right) {
            (Ty::Column(column), Ty::Column(_)) if is_comparison(op) => {
                let (a, b) = (short(left_text), short(right_text));
                let axis = axis_of(column.as_ref().and_then(|column| column.row.as_deref()));
                return Some(format!(
                    "compare over seeds: write `not_worse({a}, than: {b}, margin: 2pp, over: .{axis})`"
                ));
            }
            (Ty::Column(column), _) => {
                let axis = axis_of(column.as_ref().and_then(|column| column.row.as_deref()));
                return Some(format!("take a mean first: write `mean({}, over: .{axis})`", short(left_text)));
            }
            (_, Ty::Column(column)) => {
                let axis = axis_of(column.as_ref().and_then(|column| column.row.as_deref()));
                return Some(format!("take a mean first: write `mean({}, over: .{axis})`", short(right_text)));
            }
            _ => {}
        }
        if matches!((left, right), (Ty::List(_), Ty::List(_)) | (Ty::Rows(_), Ty::Rows(_))) && op == BinaryOp::Add {
            let what = if matches!(left, Ty::List(_)) { "lists" } else { "rows" };
            return Some(format!("{what} are joined by `++`: write `{} ++ {}`", short(left_text), short(right_text)));
        }
        if matches!(op, BinaryOp::Add | BinaryOp::Concat) && (left.is(Plain::Str) || right.is(Plain::Str)) {
            return Some(match (&*left_expr.kind, &*right_expr.kind) {
                (ExprKind::Str(a), ExprKind::Str(b)) => format!("texts are not joined: write `\"{a}{b}\"`"),
                _ => "texts are not built from parts: give each value a field of its own".to_owned(),
            });
        }
        if let (Ty::List(_), BinaryOp::Multiply) = (left, op) {
            return Some(format!("a list is built with `for`: write `for i in 0..{} {{ … }}`", short(right_text)));
        }
        if left.is(Plain::Str) && !is_comparison(op) {
            return Some("texts are not built from parts: give each value a field of its own".to_owned());
        }
        for (ratio, points, expr) in [(left, right, right_expr), (right, left, left_expr)] {
            if ratio.is(Plain::Ratio)
                && points.is(Plain::Points)
                && let ExprKind::Binary { op: BinaryOp::Subtract, left: base, right: less, .. } = &*expr.kind
                && let Some((value, Some(Unit::Percent))) = literal(less)
            {
                let (base, value) = (short(self.source(base.span)), decimal(value));
                return Some(format!("percentage points below a ratio are written with `pp`: `{base} - {value}pp`"));
            }
        }
        let (Ty::Plain(a), Ty::Plain(b)) = (left, right) else {
            let takes = if is_comparison(op) { "compares numbers, texts and truth values" } else { "takes numbers" };
            return Some(format!("`{}` {takes}; a field is read with a dot", op.symbol()));
        };
        match (op, a, b) {
            (BinaryOp::Add, Plain::Ratio, Plain::Ratio) => Some(match literal(right_expr) {
                Some((value, Some(Unit::Percent))) => {
                    format!("to add percentage points, write `{}pp`", decimal(value))
                }
                _ => {
                    "percentage points are added to a ratio: `80% + 5pp`; parts of one ratio are taken by one factor: \
                      `rate * (0.5 + 0.25)`"
                        .to_owned()
                }
            }),
            (BinaryOp::Subtract, Plain::Int, Plain::Ratio) => Some(match &*right_expr.kind {
                ExprKind::Field(base, name) if &*name.text == "sparsity" && self.silent(base).is(Plain::State) => {
                    format!("what is left is the density: write `{}.density`", self.source(base.span))
                }
                _ => format!("write `100% - {right_text}`, which is in percentage points"),
            }),
            (_, Plain::Int, Plain::Float) => conversion(left_expr, left_text, Plain::Int, Plain::Float),
            (_, Plain::Float, Plain::Int) => conversion(right_expr, right_text, Plain::Int, Plain::Float),
            _ if literal(right_expr).is_some() => instead(conversion(right_expr, right_text, *b, *a), right_text),
            _ if literal(left_expr).is_some() => instead(conversion(left_expr, left_text, *a, *b), left_text),
            _ => conversion(left_expr, left_text, *a, *b).or_else(|| conversion(right_expr, right_text, *b, *a)),
        }
    }
}

/// Whether the right one of two operands that do not fit is the one to change.
pub(super) fn advises_right((left, _): (&Ty, &Expr), (right, right_expr): (&Ty, &Expr)) -> bool {
    match (left, right) {
        (Ty::Plain(Plain::Int), Ty::Plain(Plain::Float)) => false,
        (Ty::Plain(Plain::Float), Ty::Plain(Plain::Int)) => true,
        _ => literal(right_expr).is_some(),
    }
}

//! Elements by number, and what is meant where it is no number.

use super::super::ty::{Plain, Ty};
use super::Checker;
use crate::diag::{Diagnostic, codes::types as codes};
use crate::syntax::tree::{BinaryOp, Expr, ExprKind};

impl Checker<'_> {
    pub(super) fn index(&mut self, base: &Expr, index: &Expr) -> Ty {
        let list = self.infer(base);
        if let ExprKind::Str(name) = &*index.kind {
            let value = self.source(base.span);
            let value = if value.len() <= 40 && !value.contains('\n') { value } else { "…" };
            self.report(
                Diagnostic::error(
                    &codes::QUOTED,
                    "a field or a column is read with a dot, not by its name in brackets",
                )
                .label(index.span, "a text")
                .help(format!("write `{value}.{name}`")),
            );
            return Ty::Error;
        }
        let settled = self.solver.shallow(&list);
        let value = self.source(base.span);
        let value = if value.len() <= 40 && !value.contains('\n') { value } else { "…" };
        let at = match (&settled, &*index.kind) {
            (Ty::Plain(Plain::State), _) => Some(format!("{value}.at({})", self.source(index.span))),
            (Ty::Rows(_), ExprKind::Binary { op: BinaryOp::Equal, left, right, .. }) => {
                let column = self.source(left.span).rsplit('.').next().unwrap_or("");
                Some(format!("{value}.at({column}: {})", self.source(right.span)))
            }
            (Ty::Rows(_), ExprKind::Binary { .. }) => {
                Some(format!("keep({value}, row => row.{})", self.source(index.span)))
            }
            _ => None,
        };
        if let Some(at) = at {
            let message = format!(
                "{} has no elements by {}",
                settled.described(),
                if settled.is(Plain::State) { "step" } else { "condition" }
            );
            self.report(
                Diagnostic::error(&codes::NOT_A_LIST, message)
                    .label(index.span, "in brackets")
                    .help(format!("write `{at}`")),
            );
            return if settled.is(Plain::State) { settled } else { Ty::Error };
        }
        if let Ty::Record(fields) = &settled
            && self.silent(index).unmeasured().0.is(Plain::Str)
        {
            let first = fields.names().next().map_or("…", |name| name);
            let help = format!(
                "make it a list of records, each with its name: `[{{ name: \"{first}\", value: … }}, …]`, and go through the \
                 list: `sweep seed in seeds(3), one in {value} {{ … }}` with `one.value`"
            );
            self.report(
                Diagnostic::error(&codes::NOT_A_LIST, "a field cannot be chosen by a text")
                    .label(index.span, "a name that is computed")
                    .label(base.span, "a record")
                    .help(help),
            );
            return Ty::Error;
        }
        self.check(index, &Plain::Int.into(), "an index");
        self.element(base, &list, "only lists, ranges and rows have elements by number")
    }
}

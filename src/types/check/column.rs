//! `.column`: an accessor function, or a column of the rows at hand.

use std::sync::Arc;

use super::super::ty::{ColumnTy, Row, Ty};
use super::{Checker, ColumnRole, Context};
use crate::diag::{Diagnostic, codes::types as codes};
use crate::source::Span;
use crate::syntax::tree::{Expr, Name};

impl Checker<'_> {
    /// `.col` where a function is wanted.
    pub(super) fn accessor_function(
        &mut self,
        expr: &Expr,
        field: &Name,
        params: &[Ty],
        result: &Ty,
        what: &str,
    ) -> Ty {
        let [param] = params else {
            let found = Ty::Function([Ty::Error].into(), Arc::new(Ty::Error));
            let want = Ty::Function(params.into(), Arc::new(result.clone()));
            self.mismatch(expr, &found, &want, what);
            return Ty::Error;
        };
        let found = self.field_of(param, field, expr.span);
        let returned = format!("the result of {what}");
        let found = self.fit(expr, &found, result, &returned);
        Ty::Function(params.into(), Arc::new(found))
    }

    /// `.col` where a column is wanted.
    pub(super) fn accessor_column(&mut self, field: &Name, want: &Ty, expr: &Expr, what: &str) -> Ty {
        match self.context.clone() {
            Context::Rows(row) => {
                let column = self.column_of(&row, field);
                match &column {
                    Ty::Column(Some(found)) if !self.fits_role(&row, field, &found.cell, self.role) => Ty::Error,
                    _ => self.fit(expr, &column, want, what),
                }
            }
            // A band takes the rows of the plot it is used in.
            Context::Absent if self.role != ColumnRole::Axis => {
                self.report(
                    Diagnostic::error(&codes::CANNOT_INFER, format!("`.{}` is a column of which rows?", field.text))
                        .label(expr.span, "no rows to take the column from")
                        .help(format!("write `rows.{}` with the rows' name", field.text)),
                );
                Ty::Error
            }
            _ => Ty::Column(Some(Arc::new(ColumnTy { cell: Ty::Error, row: None }))),
        }
    }

    /// `.col` where a list of columns is wanted.
    pub(super) fn lone_column(&mut self, expr: &Expr, field: &Name, what: &str) -> Ty {
        self.report(
            Diagnostic::error(&codes::MISMATCH, format!("{what} must be a list of columns, but this is one column"))
                .label(expr.span, "one column")
                .help(format!("write `[.{}]`", field.text))
                .in_place_of(expr.span),
        );
        Ty::Error
    }

    /// `.col` where neither is wanted.
    pub(super) fn stray_accessor(&mut self, span: Span, field: &str) -> Ty {
        self.report(
            Diagnostic::error(&codes::CANNOT_INFER, format!("`.{field}` alone is a field of nothing"))
                .label(span, "a field of what?")
                .help(format!("put the value before the dot, or write `x => x.{field}`")),
        );
        Ty::Error
    }

    /// Checks that a column can be used as it is; reports it if not.
    pub(super) fn fits_role(&mut self, row: &Row, column: &Name, cell: &Ty, role: ColumnRole) -> bool {
        let name = &column.text;
        match role {
            ColumnRole::Axis if !row.is_axis(name) => {
                let axes: Vec<_> = row.axis_names().map(|axis| format!(".{axis}")).collect();
                let help = match axes.as_slice() {
                    [] => "add an axis to the `sweep`".to_owned(),
                    [only] => format!("write `over: {only}`"),
                    _ => format!("the axes are `{}`", axes.join("`, `")),
                };
                self.report(
                    Diagnostic::error(&codes::COLUMN_ROLE, format!("`.{name}` is not an axis of the sweep"))
                        .label(column.span, "a field of the records, not an axis")
                        .help(help),
                );
                false
            }
            ColumnRole::Group if matches!(self.solver.shallow(cell), Ty::Measured(_)) => {
                self.report(
                    Diagnostic::error(
                        &codes::COLUMN_ROLE,
                        format!("`{name}` is measured, so rows cannot be grouped by it"),
                    )
                    .label(column.span, "exists only after the run")
                    .help("group by an axis or by a field that is known before the run"),
                );
                false
            }
            _ => true,
        }
    }

    /// Makes the rows of a value those that accessors refer to; says whether it has any.
    pub(super) fn enter_rows(&mut self, ty: &Ty) -> bool {
        let context = match self.solver.shallow(ty) {
            Ty::Rows(Some(row)) => Context::Rows(row),
            Ty::Column(Some(column)) => column.row.clone().map_or(Context::Unknown, Context::Rows),
            // After a mistake in the rows nothing can be said about their columns.
            Ty::Rows(None) | Ty::Column(None) | Ty::Error => Context::Unknown,
            _ => return false,
        };
        self.context = context;
        true
    }
}

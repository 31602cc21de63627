//! Conditions, loops, sweeps and patterns.

use std::sync::Arc;

use super::super::ty::{Fields, Plain, Row, Ty};
use super::Checker;
use super::convert::is_operation;
use super::expr::is_adaptable;
use super::field::fields_of;
use super::origin::{Local, lists_of};
use crate::diag::{Diagnostic, codes::types as codes};
use crate::source::Span;
use crate::syntax::tree::{Axis, Expr, Name, Pattern};

/// Columns with the place where each is named.
type Columns = Vec<(Arc<str>, Ty)>;

impl Checker<'_> {
    /// A condition on which the program itself depends.
    pub(super) fn condition(&mut self, condition: &Expr, what: &str) {
        self.check(condition, &Plain::Bool.into(), what);
    }

    pub(super) fn conditional(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr) -> Ty {
        self.condition(condition, "the condition of `if`");
        let first = self.infer(then);
        let second = self.infer(otherwise);
        let (first, second) = (self.solver.shallow(&first), self.solver.shallow(&second));
        if first == Ty::Error {
            return second;
        }
        if is_adaptable(then) && second.is(Plain::Float) {
            self.adapt(then);
            return second;
        }
        let layers = Ty::from(Plain::Layers);
        let mixed = |a: &Ty, b: &Ty| a.is(Plain::Layer) && matches!(b, Ty::Record(_) | Ty::List(_));
        if mixed(&first, &second) || mixed(&second, &first) {
            self.fit(then, &first, &layers, "both values of `if`");
            self.fit(otherwise, &second, &layers, "both values of `if`");
            return layers;
        }
        self.fit(otherwise, &second, &first, "the value after `else`, like the one before it,");
        first
    }

    /// Types the body of a `for`.
    pub(super) fn for_body(
        &mut self,
        pattern: &Pattern,
        over: &Expr,
        condition: Option<&Expr>,
        body: impl FnOnce(&mut Self) -> Ty,
    ) -> Ty {
        let list = self.infer(over);
        let element = self.element(over, &list, "`for` goes through lists, ranges of whole numbers, and rows");
        let names = self.pattern(pattern, &element);
        let lists = lists_of(pattern, over);
        let names = names.into_iter().zip(lists).map(|(name, list)| Local::from(name).made_from(list));
        self.within(names.collect::<Vec<_>>(), |checker| {
            if let Some(condition) = condition {
                checker.condition(condition, "the condition of `for`");
            }
            body(checker)
        })
    }

    /// The type of a list's elements.
    pub(super) fn element(&mut self, expr: &Expr, list: &Ty, help: &str) -> Ty {
        match self.solver.shallow(list) {
            Ty::Error | Ty::Rows(None) => Ty::Error,
            Ty::List(element) => self.solver.shallow(&element),
            Ty::Range(element) if !self.solver.shallow(&element).is(Plain::Step) => self.solver.shallow(&element),
            Ty::Rows(Some(row)) => Ty::Record(row.fields.clone()),
            Ty::Var(var) => {
                let element = self.solver.fresh();
                self.solver.unify(&Ty::Var(var), &Ty::list(element.clone()));
                element
            }
            other => {
                let shown = self.settled(&other).described();
                let help = match (&other, self.source(expr.span)) {
                    (Ty::Plain(Plain::Int), text) => format!("write `0..{text}`"),
                    (Ty::Plain(Plain::State), text) if is_short(text) => format!("write `[{text}]`"),
                    _ => help.to_owned(),
                };
                self.report(
                    Diagnostic::error(&codes::NOT_A_LIST, format!("{shown} has no elements"))
                        .label(expr.span, format!("this is {shown}"))
                        .help(help)
                        .in_place_of(expr.span),
                );
                Ty::Error
            }
        }
    }

    /// Types the names that a pattern binds.
    pub(super) fn pattern(&mut self, pattern: &Pattern, ty: &Ty) -> Columns {
        let columns = self.taken_apart(pattern, ty);
        pattern.names().iter().zip(&columns).for_each(|(name, (_, ty))| self.note(name.span, ty));
        columns
    }

    fn taken_apart(&mut self, pattern: &Pattern, ty: &Ty) -> Columns {
        let ty = self.solver.shallow(ty);
        let poisoned = |names: &[Name]| names.iter().map(|name| (name.text.clone(), Ty::Error)).collect();
        match (pattern, &ty) {
            (Pattern::Name(name), _) => vec![(name.text.clone(), ty)],
            (_, Ty::Error) => poisoned(pattern.names()),
            (Pattern::Tuple(names, _), Ty::Tuple(parts)) if names.len() == parts.len() => {
                names.iter().map(|name| name.text.clone()).zip(parts.iter().cloned()).collect()
            }
            (Pattern::Tuple(names, _), Ty::Var(_)) => {
                let parts: Vec<Ty> = names.iter().map(|_| self.solver.fresh()).collect();
                self.solver.unify(&ty, &Ty::Tuple(parts.clone().into()));
                names.iter().map(|name| name.text.clone()).zip(parts).collect()
            }
            (Pattern::Record(names, _), Ty::Record(fields)) => names
                .iter()
                .map(|name| {
                    let field = fields.get(&name.text).cloned();
                    if field.is_none() {
                        self.unknown_field(name, "the record", &fields.names().collect::<Vec<_>>());
                    }
                    (name.text.clone(), field.unwrap_or(Ty::Error))
                })
                .collect(),
            (Pattern::Tuple(names, span), _) => {
                self.bad_pattern(*span, &format!("a tuple of {}", names.len()), &ty);
                poisoned(names)
            }
            (Pattern::Record(names, span), _) => {
                self.bad_pattern(*span, "a record", &ty);
                poisoned(names)
            }
        }
    }

    fn bad_pattern(&mut self, span: Span, takes: &str, found: &Ty) {
        let found = self.settled(found);
        let shown = found.described();
        let help = match &found {
            Ty::Tuple(parts) => format!("give {} names", parts.len()),
            Ty::Record(fields) => {
                let names: Vec<_> = fields.names().collect();
                format!("write `{{ {} }}` with the fields that are needed", names.join(", "))
            }
            _ => "give it one name".to_owned(),
        };
        self.report(
            Diagnostic::error(&codes::PATTERN, format!("this pattern takes apart {takes}, but the value is {shown}"))
                .label(span, format!("the value is {shown}"))
                .help(help),
        );
    }

    pub(super) fn sweep(&mut self, axes: &[Axis], condition: Option<&Expr>, body: &Expr) -> Ty {
        let mut locals: Vec<Local> = Vec::new();
        for axis in axes {
            let values = self.infer(&axis.over);
            let element = self.element(&axis.over, &values, "a sweep goes through lists and ranges of whole numbers");
            let names = self.pattern(&axis.pattern, &element);
            let lists = lists_of(&axis.pattern, &axis.over);
            let names = names.into_iter().zip(lists).map(|(name, list)| Local::from(name).made_from(list));
            locals.extend(names);
        }
        let found = self.within(locals.clone(), |checker| {
            if let Some(condition) = condition {
                checker.condition(condition, "the condition of `sweep`");
            }
            checker.infer(body)
        });
        let mut columns: Columns = locals.iter().map(|local| (local.name.clone(), self.after_leaving(local))).collect();
        let Some((inner, axes_inside)) = self.points(body, &found) else { return Ty::Rows(None) };
        let outer = columns.len();
        let mut total = outer + axes_inside;
        for (at, (name, ty)) in inner.0.iter().enumerate() {
            if columns[..outer].iter().any(|(axis, _)| axis == name) {
                self.repeated_column(name, body);
                total -= usize::from(at < axes_inside);
            } else {
                columns.push((name.clone(), ty.clone()));
            }
        }
        Ty::Rows(Some(Arc::new(Row { fields: Arc::new(Fields(columns)), axes: Some(total) })))
    }

    /// The columns that the body of a sweep gives, and how many of them are axes of sweeps inside.
    fn points(&mut self, body: &Expr, found: &Ty) -> Option<(Arc<Fields>, usize)> {
        match self.solver.shallow(found) {
            Ty::Error => None,
            Ty::Rows(row) => row.map(|row| (row.fields.clone(), row.axes.unwrap_or(0))),
            Ty::List(element) => self.points(body, &element),
            Ty::Record(fields) => {
                let cells: Vec<bool> = fields.0.iter().map(|(name, ty)| self.cell(body, name, ty)).collect();
                let kept = fields.0.iter().zip(cells).map(|((name, ty), good)| {
                    let ty = if good { self.settled(ty) } else { Ty::Error };
                    (name.clone(), ty)
                });
                Some((Arc::new(Fields(kept.collect())), 0))
            }
            other => {
                let shown = self.settled(&other).described();
                let value = result_of(body);
                let text = self.source(value.span);
                let help = if text.len() < 30 && !text.contains('\n') {
                    format!("write `{{ {{ value: {text} }} }}`")
                } else {
                    "give a record: `{ top1: …, sparsity: … }`".to_owned()
                };
                self.report(
                    Diagnostic::error(&codes::SWEEP_BODY, format!("each point of a sweep gives a record, not {shown}"))
                        .label(value.span, format!("this is {shown}"))
                        .help(help),
                );
                None
            }
        }
    }

    fn cell(&mut self, body: &Expr, name: &str, ty: &Ty) -> bool {
        let ty = self.settled(ty);
        if ty.is_cell() || matches!(ty, Ty::Var(_)) {
            return true;
        }
        let span = field_span(body, name).unwrap_or(result_of(body).span);
        let diagnostic = Diagnostic::error(&codes::CELL, format!("the column `{name}` cannot hold {}", ty.described()))
            .label(span, format!("this is {}", ty.described()));
        let value = field_value(body, name);
        let field = value.as_ref().and_then(|value| self.field_for_column(value, name, &ty));
        self.report(match (field, value) {
            (Some(help), Some(value)) => diagnostic.help(help).in_place_of(value.span),
            _ if matches!(ty, Ty::Plain(plain) if !matches!(plain, Plain::State | Plain::Task)) => diagnostic
                .help("a record holds numbers, texts and measurements: give each of these a name in quotes, and put that here"),
            _ => diagnostic.help("put numbers, text or measurements into the record"),
        });
        false
    }

    /// The field of a value that a column is most likely to hold.
    fn field_for_column(&self, value: &Expr, column: &str, ty: &Ty) -> Option<String> {
        let fields: Vec<_> = fields_of(ty).into_iter().filter(|(_, ty)| ty.is_cell()).map(|(name, _)| name).collect();
        let text = self.brief(value);
        let text = if is_operation(value) { format!("({text})") } else { text.to_owned() };
        match fields.iter().find(|name| *name == column).or(fields.first()) {
            Some(field) if ty.is(Plain::State) => Some(format!(
                "measure it, like `evaluate({text}, task.test).top1`, or take a field of it: write `{text}.{field}`"
            )),
            Some(field) => Some(format!("take a field of it: write `{text}.{field}`")),
            None => None,
        }
    }

    fn repeated_column(&mut self, name: &str, body: &Expr) {
        let span = field_span(body, name).unwrap_or(result_of(body).span);
        self.report(
            Diagnostic::error(&codes::REPEATED_COLUMN, format!("`{name}` is a column already: an axis of the sweep"))
                .label(span, "the same column again")
                .help("leave the field out, or give it another name"),
        );
    }
}

fn is_short(text: &str) -> bool {
    text.len() <= 48 && !text.contains('\n')
}

/// The expression that gives a block's or loop's value.
fn result_of(expr: &Expr) -> &Expr {
    use crate::syntax::tree::ExprKind;
    match &*expr.kind {
        ExprKind::Block(block) => result_of(&block.value),
        ExprKind::Paren(inner) => result_of(inner),
        ExprKind::For { body, .. } | ExprKind::Sweep { body, .. } => result_of(body),
        _ => expr,
    }
}

/// What the record that a body gives sets a field to.
fn field_value(body: &Expr, name: &str) -> Option<Expr> {
    use crate::syntax::tree::{Entry, ExprKind};
    let ExprKind::Record(entries) = &*result_of(body).kind else { return None };
    entries.iter().find_map(|entry| match entry {
        Entry::Field(field, value) if &*field.text == name => Some(value.clone()),
        _ => None,
    })
}

/// Where the record that a body gives sets a field.
fn field_span(body: &Expr, name: &str) -> Option<Span> {
    use crate::syntax::tree::{Entry, ExprKind};
    let ExprKind::Record(entries) = &*result_of(body).kind else { return None };
    entries.iter().find_map(|entry| match entry {
        Entry::Field(field, value) if &*field.text == name => Some(field.span.to(value.span)),
        _ => None,
    })
}

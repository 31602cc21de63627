//! Expressions other than operators.

use std::sync::Arc;

use pest::iterators::Pair;

use super::{Builder, MAX_NESTING, parts};
use crate::source::Span;
use crate::syntax::parse::Rule;
use crate::syntax::report;
use crate::syntax::scan::TokenKind;
use crate::syntax::tree::{Arg, Axis, Block, Entry, Expr, ExprKind, Lambda, Name};

impl Builder<'_> {
    /// Builds an expression; what cannot be held is reported and becomes [`ExprKind::Error`].
    pub(super) fn expr(&self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        if pair.as_rule() == Rule::block {
            return self.block(pair);
        }
        if self.nesting.get() > MAX_NESTING {
            self.report(report::too_deep(span));
            return Self::error(span);
        }
        self.nesting.set(self.nesting.get() + 1);
        let expr = match pair.as_rule() {
            Rule::if_ | Rule::elif => self.if_(pair),
            _ => {
                let inner: Vec<_> = parts(pair).chain(std::iter::empty()).collect();
                match inner.first().map(Pair::as_rule) {
                    Some(Rule::lambda) => inner.into_iter().next().and_then(|lambda| self.lambda(lambda)),
                    _ => self.chain(inner),
                }
                .unwrap_or_else(|| Self::error(span))
            }
        };
        self.nesting.set(self.nesting.get() - 1);
        expr
    }

    fn make(span: Span, kind: ExprKind) -> Expr {
        Expr { span, kind: Arc::new(kind) }
    }

    fn lambda(&self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let span = self.span(&pair);
        let (mut params, mut body) = (Vec::new(), None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::lambda_head => params = self.names(part),
                Rule::bad_arrow => self.report(report::foreign_operator(self.span(&part), "->", "=>")),
                _ => body = Some(self.expr(part)),
            }
        }
        let body = body?;
        let span = Span::new(self.file, span.start as usize, body.span.end as usize);
        Some(Self::make(span, ExprKind::Lambda(Arc::new(Lambda { params, body }))))
    }

    pub(super) fn block(&self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let (mut bindings, mut value) = (Vec::new(), None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::local => bindings.extend(self.binding(part)),
                _ => value = Some(self.expr(part)),
            }
        }
        let value = value.unwrap_or_else(|| Self::error(span));
        Self::make(span, ExprKind::Block(Block { bindings, value }))
    }

    /// A value and what is applied to it.
    pub(super) fn term(&self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let Some(atom) = inner.next() else { return Self::error(span) };
        let mut value = self.atom(atom);
        for (count, applied) in inner.enumerate() {
            let span = value.span.to(self.span(&applied));
            if count == MAX_NESTING {
                self.report(report::too_long(span));
                return Self::error(span);
            }
            let kind = match applied.as_rule() {
                Rule::call => ExprKind::Call(value, parts(applied).map(|arg| self.arg(arg)).collect()),
                Rule::index => match parts(applied).next() {
                    Some(index) => ExprKind::Index(value, self.expr(index)),
                    None => ExprKind::Error,
                },
                _ => match parts(applied).next() {
                    Some(label) => ExprKind::Field(value, self.name(&label)),
                    None => ExprKind::Error,
                },
            };
            value = Self::make(span, kind);
        }
        value
    }

    fn arg(&self, pair: Pair<'_, Rule>) -> Arg {
        let span = self.span(&pair);
        let (mut label, mut value): (Option<Name>, _) = (None, None);
        let mut equals = None;
        for part in parts(pair) {
            match part.as_rule() {
                Rule::label => label = Some(self.name(&part)),
                Rule::bad_label => equals = Some(self.span(&part)),
                _ => {
                    let hole = part.as_str().trim() == "\u{1}";
                    if let (Some(equals), Some(label)) = (equals.filter(|_| !hole), &label) {
                        self.report(report::equation_label(equals, &label.text, part.as_str().trim(), false));
                    }
                    value = Some(self.expr(part));
                }
            }
        }
        Arg { label, value: value.unwrap_or_else(|| Self::error(span)) }
    }

    fn atom(&self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let Some(inner) = parts(pair).next() else { return Self::error(span) };
        let span = self.span(&inner);
        let kind = match inner.as_rule() {
            Rule::accessor => match parts(inner).next() {
                Some(label) => ExprKind::Accessor(self.name(&label)),
                None => ExprKind::Error,
            },
            Rule::if_ => return self.if_(inner),
            Rule::block => return self.block(inner),
            Rule::for_ => self.for_(inner),
            Rule::sweep => self.sweep(inner),
            Rule::quantity => self.quantity(inner),
            Rule::number => self.number(inner),
            Rule::bad_quantity => self.bad_quantity(&inner),
            Rule::bad_point => {
                let nth = self.tokens.partition_point(|token| (token.start as u32) < span.start);
                let points = nth >= 2
                    && self.tokens[nth - 2..nth].iter().all(|token| token.kind == TokenKind::Symbol)
                    && self.tokens[nth - 1].end as u32 == span.start
                    && self.tokens[nth - 2].end == self.tokens[nth - 1].start;
                self.report(if points {
                    report::three_points(Span { start: span.start - 2, end: span.start + 1, ..span })
                } else {
                    report::bare_point(span, inner.as_str())
                });
                ExprKind::Error
            }
            Rule::string => ExprKind::Str(self.string(inner)),
            Rule::bool => ExprKind::Bool(inner.as_str().starts_with('t')),
            Rule::list => self.list(inner),
            Rule::record => ExprKind::Record(parts(inner).filter_map(|entry| self.entry(entry)).collect()),
            Rule::group => self.group(inner),
            Rule::reference => ExprKind::Name(Arc::from(inner.as_str())),
            _ => ExprKind::Error,
        };
        Self::make(span, kind)
    }

    fn list(&self, pair: Pair<'_, Rule>) -> ExprKind {
        let mut members = Vec::new();
        let mut first = "";
        let list = self.span(&pair);
        for part in parts(pair) {
            if part.as_rule() == Rule::bad_comprehension {
                self.report(report::comprehension(self.span(&part), list, first.trim(), part.as_str()));
                return ExprKind::Error;
            }
            first = part.as_str();
            members.push(self.expr(part));
        }
        ExprKind::List(members)
    }

    fn group(&self, pair: Pair<'_, Rule>) -> ExprKind {
        let mut members = Vec::new();
        let mut trailing = false;
        for part in parts(pair) {
            match part.as_rule() {
                Rule::trailing => trailing = true,
                _ => members.push(self.expr(part)),
            }
        }
        match members.pop() {
            Some(only) if members.is_empty() && !trailing => ExprKind::Paren(only),
            Some(last) => {
                members.push(last);
                ExprKind::Tuple(members)
            }
            None => ExprKind::Error,
        }
    }

    fn entry(&self, pair: Pair<'_, Rule>) -> Option<Entry> {
        let mut name: Option<Name> = None;
        let mut equals = None;
        for part in parts(pair) {
            match part.as_rule() {
                Rule::spread if part.as_str().starts_with("...") => {
                    let span = self.span(&part);
                    self.report(report::three_point_spread(Span { end: span.start + 3, ..span }));
                    return Some(Entry::Spread(Self::error(span)));
                }
                Rule::spread => return parts(part).next().map(|value| Entry::Spread(self.expr(value))),
                Rule::label => name = Some(self.name(&part)),
                Rule::bad_label => equals = Some(self.span(&part)),
                Rule::hole => return None,
                _ => {
                    if let (Some(equals), Some(name)) = (equals, &name) {
                        self.report(report::equation_label(equals, &name.text, part.as_str().trim(), true));
                    }
                    let value = self.expr(part);
                    return name.map(|name| Entry::Field(name, value));
                }
            }
        }
        None
    }

    fn if_(&self, pair: Pair<'_, Rule>) -> Expr {
        let span = self.span(&pair);
        let mut values = Vec::with_capacity(3);
        for part in parts(pair) {
            if part.as_rule() == Rule::bad_elif {
                self.report(report::elif(self.span(&part)));
            } else {
                values.push(self.expr(part));
            }
        }
        let Ok([condition, then, otherwise]) = <[Expr; 3]>::try_from(values) else { return Self::error(span) };
        Self::make(span, ExprKind::If { condition, then, otherwise })
    }

    fn for_(&self, pair: Pair<'_, Rule>) -> ExprKind {
        let (mut pattern, mut values, mut condition) = (None, Vec::new(), None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::pattern => pattern = self.pattern(part),
                Rule::filter => condition = self.expr_in(part),
                Rule::bad_colon => self.report(report::colon_body(self.span(&part))),
                _ => values.push(self.expr(part)),
            }
        }
        match (pattern, <[Expr; 2]>::try_from(values)) {
            (Some(pattern), Ok([over, body])) => ExprKind::For { pattern, over, condition, body },
            _ => ExprKind::Error,
        }
    }

    fn sweep(&self, pair: Pair<'_, Rule>) -> ExprKind {
        let (mut axes, mut condition, mut body) = (Vec::new(), None, None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::axis => axes.extend(self.axis(part)),
                Rule::filter => condition = self.expr_in(part),
                Rule::bad_colon => self.report(report::colon_body(self.span(&part))),
                _ => body = Some(self.expr(part)),
            }
        }
        match body {
            Some(body) => ExprKind::Sweep { axes, condition, body },
            None => ExprKind::Error,
        }
    }

    fn axis(&self, pair: Pair<'_, Rule>) -> Option<Axis> {
        let mut inner = parts(pair);
        let pattern = self.pattern(inner.next()?)?;
        Some(Axis { pattern, over: self.expr(inner.next()?) })
    }
}

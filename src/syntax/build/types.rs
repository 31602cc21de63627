//! Types and patterns.

use pest::iterators::Pair;

use super::{Builder, MAX_NESTING, parts};
use crate::source::Span;
use crate::syntax::parse::Rule;
use crate::syntax::report;
use crate::syntax::tree::{Name, Pattern, Type, TypeKind};

impl Builder<'_> {
    pub(super) fn ty(&self, pair: Pair<'_, Rule>) -> Type {
        let span = self.span(&pair);
        if self.nesting.get() > MAX_NESTING {
            self.report(report::too_deep(span));
            return Type { span, kind: TypeKind::Error };
        }
        self.nesting.set(self.nesting.get() + 1);
        let ty = self.ty_inside(pair, span);
        self.nesting.set(self.nesting.get() - 1);
        ty
    }

    fn ty_inside(&self, pair: Pair<'_, Rule>, span: Span) -> Type {
        let mut inner = parts(pair);
        let Some(left) = inner.next() else { return Type { span, kind: TypeKind::Error } };
        if let Some(result) = inner.next() {
            let params = if left.as_rule() == Rule::ty_group {
                parts(left).map(|part| self.ty(part)).collect()
            } else {
                vec![self.ty_atom(left)]
            };
            return Type { span, kind: TypeKind::Function { params, result: Box::new(self.ty(result)) } };
        }
        self.ty_atom(left)
    }

    fn ty_atom(&self, pair: Pair<'_, Rule>) -> Type {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::ty_named => self.ty_named(pair),
            Rule::ty_record => TypeKind::Record(parts(pair).filter_map(|field| self.ty_field(field)).collect()),
            Rule::ty_group => {
                let mut members: Vec<Type> = parts(pair).map(|part| self.ty(part)).collect();
                match members.pop() {
                    Some(only) if members.is_empty() => return only,
                    Some(last) => {
                        members.push(last);
                        TypeKind::Tuple(members)
                    }
                    None => TypeKind::Tuple(members),
                }
            }
            _ => TypeKind::Error,
        };
        Type { span, kind }
    }

    fn ty_named(&self, pair: Pair<'_, Rule>) -> TypeKind {
        let mut name: Option<Name> = None;
        let mut args = None;
        for part in parts(pair) {
            match part.as_rule() {
                Rule::ty_args => args = Some(parts(part).map(|arg| self.ty(arg)).collect::<Vec<_>>()),
                _ => name = Some(self.name(&part)),
            }
        }
        let Some(name) = name else { return TypeKind::Error };
        match args {
            None if name.text.starts_with(|c: char| c.is_ascii_lowercase()) => TypeKind::Word(name),
            args => TypeKind::Named { name, args: args.unwrap_or_default() },
        }
    }

    fn ty_field(&self, pair: Pair<'_, Rule>) -> Option<(Name, Type)> {
        let mut inner = parts(pair);
        let name = inner.next().filter(|part| part.as_rule() == Rule::label)?;
        Some((self.name(&name), self.ty(inner.next()?)))
    }

    pub(super) fn pattern(&self, pair: Pair<'_, Rule>) -> Option<Pattern> {
        let inner = parts(pair).next()?;
        let span = self.span(&inner);
        Some(match inner.as_rule() {
            Rule::record_pattern => Pattern::Record(self.names(inner), span),
            Rule::tuple_pattern => Pattern::Tuple(self.names(inner), span),
            _ => Pattern::Name(self.name(&inner)),
        })
    }
}

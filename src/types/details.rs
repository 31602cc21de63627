//! What editors ask about a program beyond its mistakes: the type of every expression of one item.

use std::sync::Arc;

use super::signature::Signature;
use super::ty::{Row, Ty};
use crate::source::Span;

/// What the checker saw while it went through an item.
#[derive(Debug, Default)]
pub struct Details {
    /// Types of expressions and of names that are bound, in the order in which they became known.
    pub types: Vec<(Span, Ty)>,
    /// Types that were wanted where an expression stands.
    pub wanted: Vec<(Span, Ty)>,
    /// Rows that `.column` and `at(column: …)` refer to, by the place of the column's name.
    pub rows: Vec<(Span, Arc<Row>)>,
    /// Signatures of functions that are called, by the place of the callee.
    pub calls: Vec<(Span, Arc<Signature>)>,
}

impl Details {
    /// Returns the type of what stands exactly at a span.
    pub fn type_at(&self, span: Span) -> Option<&Ty> {
        last(&self.types, span).filter(|ty| **ty != Ty::Error)
    }

    /// Returns the type that is wanted of what stands exactly at a span.
    pub fn wanted_at(&self, span: Span) -> Option<&Ty> {
        last(&self.wanted, span).filter(|ty| !matches!(ty, Ty::Error | Ty::Var(_)))
    }

    /// Returns the rows whose column is named at a span.
    pub fn rows_at(&self, span: Span) -> Option<&Arc<Row>> {
        last(&self.rows, span)
    }

    /// Returns the signature of the function that is called at a span.
    pub fn call_at(&self, callee: Span) -> Option<&Arc<Signature>> {
        last(&self.calls, callee)
    }

    /// Replaces the types by what they turned out to be.
    pub(super) fn settle(&mut self, settled: impl Fn(&Ty) -> Ty) {
        for (_, ty) in self.types.iter_mut().chain(&mut self.wanted) {
            *ty = settled(ty);
        }
    }
}

/// What was said last of a place is right: literals follow what is wanted of them.
fn last<T>(list: &[(Span, T)], span: Span) -> Option<&T> {
    list.iter().rev().find(|(at, _)| *at == span).map(|(_, found)| found)
}

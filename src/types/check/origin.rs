//! Names that stand for literals: where every use wants another unit, the literals are what is mistaken.

use std::sync::Arc;

use super::super::ty::{Plain, Ty};
use super::Checker;
use super::convert::{any_of, literal, rewritten};
use crate::diag::Diagnostic;
use crate::syntax::tree::{Arg, Expr, ExprKind, Pattern};

/// A name of an enclosing scope.
#[derive(Clone)]
pub(super) struct Local {
    pub(super) name: Arc<str>,
    pub(super) ty: Ty,
    /// The literal, the list of literals or the range that its values come from.
    origin: Option<Expr>,
    /// How often it was used.
    uses: usize,
    /// Uses that want another type, each with its report.
    unfit: Vec<(Plain, Diagnostic)>,
}

impl From<(Arc<str>, Ty)> for Local {
    fn from((name, ty): (Arc<str>, Ty)) -> Self {
        Self { name, ty, origin: None, uses: 0, unfit: Vec::new() }
    }
}

impl Local {
    /// Notes where the values of a name come from.
    pub(super) fn made_from(mut self, origin: Option<&Expr>) -> Self {
        self.origin = origin.filter(|origin| is_origin(origin)).cloned();
        self
    }
}

/// The list that each name of a pattern takes its values from, if the source shows it.
pub(super) fn lists_of<'e>(pattern: &Pattern, over: &'e Expr) -> Vec<Option<&'e Expr>> {
    match (pattern, &*over.kind) {
        (_, ExprKind::Paren(inner)) => lists_of(pattern, inner),
        (Pattern::Name(_), _) => vec![Some(over)],
        (Pattern::Tuple(names, _), ExprKind::Call(callee, args))
            if matches!(&*callee.kind, ExprKind::Name(name) if &**name == "zip") && names.len() == args.len() =>
        {
            args.iter().map(|Arg { value, .. }| Some(value)).collect()
        }
        _ => vec![None; pattern.names().len()],
    }
}

fn is_origin(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Paren(inner) => is_origin(inner),
        ExprKind::List(elements) => !elements.is_empty() && elements.iter().all(|element| literal(element).is_some()),
        ExprKind::Range { start, .. } => matches!(*start.kind, ExprKind::Int(0)),
        _ => literal(expr).is_some(),
    }
}

impl Checker<'_> {
    /// Finds a local name and counts the use.
    pub(super) fn used(&mut self, name: &str) -> Option<Ty> {
        let local = self.locals.iter_mut().rev().find(|local| &*local.name == name)?;
        local.uses += 1;
        Some(local.ty.clone())
    }

    /// Keeps a report about a use of a name until all uses are known; gives it back where the name's values could not
    /// be written as what is wanted.
    pub(super) fn postponed(&mut self, expr: &Expr, found: &Ty, want: &Ty, report: Diagnostic) -> Option<Diagnostic> {
        let (Ty::Plain(from), Ty::Plain(to)) = (found, want) else { return Some(report) };
        let name = match &*expr.kind {
            ExprKind::Paren(inner) => return self.postponed(inner, found, want, report),
            ExprKind::Name(name) => name,
            _ => return Some(report),
        };
        let Some(at) = self.locals.iter().rposition(|local| local.name == *name) else { return Some(report) };
        match &self.locals[at].origin {
            Some(origin) if !self.rewritten_origin(origin, *from, *to).is_empty() => {
                self.locals[at].unfit.push((*to, report));
                None
            }
            _ => Some(report),
        }
    }

    /// Ends a scope: one report for a name that no use fits, one for each use that does not fit otherwise.
    pub(super) fn leave(&mut self, local: Local) {
        let Local { ty, origin, uses, unfit, .. } = local;
        let Some((to, first)) = unfit.first() else { return };
        let alike = unfit.len() >= uses && unfit.iter().all(|(wanted, _)| wanted == to);
        let ways = match (&origin, &self.settled(&ty)) {
            (Some(origin), Ty::Plain(from)) if alike => self.rewritten_origin(origin, *from, *to),
            _ => Vec::new(),
        };
        let Some(origin) = origin.filter(|_| !ways.is_empty()) else {
            unfit.into_iter().for_each(|(_, report)| self.report(report));
            return;
        };
        let mut report = first.clone();
        if let Some(usage) = report.labels.first().cloned() {
            report.labels.clear();
            report.fixes.clear();
            let from = if matches!(*origin.kind, ExprKind::List(_) | ExprKind::Range { .. }) {
                "these are"
            } else {
                "this is"
            };
            let shown = self.settled(&ty).described();
            report = report
                .label(origin.span, format!("{from} {}", shown.trim_start_matches("a ").trim_start_matches("an ")))
                .label(usage.span, format!("a `{}` is needed here", to.name()))
                .help(any_of(&ways))
                .in_place_of(origin.span);
        }
        self.recast.push((origin.span, *to));
        self.report(report);
    }

    /// The type of a name outside its scope: what its values are to be, if they are mistaken.
    pub(super) fn after_leaving(&self, local: &Local) -> Ty {
        let origin = local.origin.as_ref().map(|origin| origin.span);
        let recast = self.recast.iter().find(|(span, _)| Some(*span) == origin);
        recast.map_or_else(|| local.ty.clone(), |(_, plain)| (*plain).into())
    }

    fn rewritten_origin(&self, origin: &Expr, from: Plain, to: Plain) -> Vec<(String, &'static str)> {
        match &*origin.kind {
            ExprKind::Paren(inner) => self.rewritten_origin(inner, from, to),
            ExprKind::Range { end, inclusive: false, .. } if from == Plain::Int && to == Plain::Seed => {
                vec![(format!("seeds({})", self.source(end.span)), "")]
            }
            ExprKind::List(elements) if from == Plain::Int && to == Plain::Seed => {
                vec![(format!("seeds({})", elements.len()), "")]
            }
            ExprKind::List(elements) => {
                let each: Vec<_> = elements.iter().map(|element| rewritten(element, from, to)).collect();
                let ways = each.iter().map(Vec::len).min().unwrap_or(0);
                let way = |nth: usize| {
                    let texts: Vec<_> = each.iter().map(|ways| ways[nth].0.as_str()).collect();
                    (format!("[{}]", texts.join(", ")), each[0][nth].1)
                };
                (0..ways).map(way).collect()
            }
            _ => rewritten(origin, from, to),
        }
    }
}

//! What is at a place: the way through the tree that leads there, and the names that can be seen from it.

use super::analysis::{Binder, touches};
use crate::syntax::tree::{Arg, Binding, Block, Expr, ExprKind, Item, ItemKind, Name, Pattern, TestItem};

/// Returns the expressions around a place, outermost first.
pub(super) fn way(item: &Item, offset: usize) -> Vec<&Expr> {
    let mut way = Vec::new();
    let mut next = item.expressions().into_iter().find(|expr| touches(expr.span, offset));
    while let Some(expr) = next {
        way.push(expr);
        // Of two that touch, the later one begins at the place.
        next = expr.children().into_iter().rev().find(|child| touches(child.span, offset));
    }
    way
}

/// A call around a place.
pub(super) struct CallSpot<'a> {
    /// The whole call, as stages remember where they are from.
    pub(super) whole: &'a Expr,
    pub(super) callee: &'a Expr,
    pub(super) args: &'a [Arg],
    /// A value is piped in as the first argument.
    pub(super) piped: bool,
}

/// Returns the calls on a way, innermost last.
pub(super) fn calls<'a>(way: &[&'a Expr]) -> Vec<CallSpot<'a>> {
    let mut found = Vec::new();
    for (at, expr) in way.iter().enumerate() {
        let piped = at
            .checked_sub(1)
            .is_some_and(|before| matches!(&*way[before].kind, ExprKind::Pipe(_, right) if right.span == expr.span));
        match &*expr.kind {
            ExprKind::Call(callee, args) => found.push(CallSpot { whole: expr, callee, args, piped }),
            _ if piped => found.push(CallSpot { whole: expr, callee: expr, args: &[], piped }),
            _ => {}
        }
    }
    found
}

/// Returns every name that an item binds, at its own level and inside.
pub(super) fn binders(item: &Item) -> Vec<Binder> {
    let mut found = Vec::new();
    let global = |name: &Name| Binder { name: name.clone(), global: true };
    match &item.kind {
        ItemKind::Param(param) => found.push(global(&param.name)),
        ItemKind::Binding(binding) => found.extend(binding.pattern.names().iter().map(global)),
        ItemKind::Function(function) => {
            found.push(global(&function.name));
            found.extend(function.formals.iter().map(|formal| local(&formal.name)));
        }
        ItemKind::Test(test) => {
            for line in &test.body {
                if let TestItem::Binding(binding) = line {
                    found.extend(binding.pattern.names().iter().map(local));
                }
            }
        }
        _ => {}
    }
    item.expressions().into_iter().for_each(|expr| inner_binders(expr, &mut found));
    found
}

fn local(name: &Name) -> Binder {
    Binder { name: name.clone(), global: false }
}

fn inner_binders(expr: &Expr, found: &mut Vec<Binder>) {
    own_names(expr).into_iter().for_each(|name| found.push(local(name)));
    expr.children().into_iter().for_each(|child| inner_binders(child, found));
}

/// The names that an expression binds for parts of itself.
fn own_names(expr: &Expr) -> Vec<&Name> {
    match &*expr.kind {
        ExprKind::Block(Block { bindings, .. }) => {
            bindings.iter().flat_map(|binding| binding.pattern.names()).collect()
        }
        ExprKind::Lambda(lambda) => lambda.params.iter().collect(),
        ExprKind::For { pattern, .. } => pattern.names().iter().collect(),
        ExprKind::Sweep { axes, .. } => axes.iter().flat_map(|axis| axis.pattern.names()).collect(),
        _ => Vec::new(),
    }
}

/// Returns the local names that can be seen from a place, innermost last.
pub(super) fn locals(item: &Item, offset: usize) -> Vec<Name> {
    let mut seen: Vec<Name> = Vec::new();
    let before = |name: &&Name| (name.span.end as usize) < offset;
    match &item.kind {
        ItemKind::Param(param) if param.condition.as_ref().is_some_and(|c| touches(c.span, offset)) => {
            seen.push(param.name.clone());
        }
        ItemKind::Function(function) if function.body.as_ref().is_some_and(|body| touches(body.span, offset)) => {
            seen.extend(function.formals.iter().map(|formal| formal.name.clone()));
        }
        ItemKind::Test(test) => {
            for line in &test.body {
                if let TestItem::Binding(Binding { pattern, value, .. }) = line
                    && (value.span.end as usize) < offset
                {
                    seen.extend(pattern.names().iter().cloned());
                }
            }
        }
        _ => {}
    }
    for expr in way(item, offset) {
        match &*expr.kind {
            ExprKind::Block(block) => {
                let done = block.bindings.iter().filter(|binding| (binding.value.span.end as usize) < offset);
                seen.extend(done.flat_map(|binding| binding.pattern.names()).cloned());
            }
            ExprKind::For { pattern, over, .. } if !touches(over.span, offset) => add(&mut seen, pattern),
            ExprKind::Sweep { axes, .. } if !axes.iter().any(|axis| touches(axis.over.span, offset)) => {
                axes.iter().for_each(|axis| add(&mut seen, &axis.pattern));
            }
            ExprKind::Lambda(lambda) => seen.extend(lambda.params.iter().filter(before).cloned()),
            _ => {}
        }
    }
    seen
}

fn add(seen: &mut Vec<Name>, pattern: &Pattern) {
    seen.extend(pattern.names().iter().cloned());
}

//! Layers and parameters of the program's networks, inside strings that name them.

use std::sync::Arc;

use super::{Kind, Suggestion, suggestion};
use crate::lsp::analysis::{Analysis, touches};
use crate::lsp::spot;
use crate::source::Span;
use crate::syntax::item_at_cursor;
use crate::syntax::tree::ExprKind;
use crate::value::{Network, Value};

/// Returns what a string could name whose first character is at `start`.
pub(super) fn suggest(analysis: &Analysis, offset: usize, start: usize) -> Vec<Suggestion> {
    let named = || {
        let item = item_at_cursor(analysis.file(), analysis.text(), offset)?;
        let details = analysis.typed.inspect(analysis.module, &item);
        let way = spot::way(&item, offset);
        let call = spot::calls(&way).into_iter().rev().find(|call| (call.callee.span.end as usize) < offset)?;
        let signature = details.call_at(call.callee.span)?;
        let at = call.args.iter().position(|arg| touches(arg.value.span, offset))?;
        let name = match &call.args[at].label {
            Some(label) => label.text.clone(),
            None => signature.formals.get(at + usize::from(call.piped))?.name.clone(),
        };
        // The state that the call is about, if it has a name of its own.
        let first = if call.piped {
            way.iter().rev().find_map(|expr| match &*expr.kind {
                ExprKind::Pipe(left, right) if right.span == call.whole.span => Some(left),
                _ => None,
            })
        } else {
            call.args.first().map(|arg| &arg.value)
        };
        let state = first.and_then(|expr| match &*expr.kind {
            ExprKind::Name(name) => Some(name.clone()),
            _ => None,
        });
        Some((name, state))
    };
    let Some((name, state)) = named() else { return Vec::new() };
    let replaces = Span::new(analysis.file(), start, offset);
    let mut found = Vec::new();
    for network in networks(analysis, state.as_deref()) {
        match &*name {
            "layer" => found.extend(network.survey.layers.iter().map(|layer| {
                suggestion(replaces, &*layer.path, Kind::Layer, layer.shape.to_string(), depth(&layer.path))
            })),
            "keep" => found.extend(network.survey.prunable().map(|entry| {
                let shape = entry.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("×");
                suggestion(replaces, &*entry.name, Kind::Layer, shape, depth(&entry.name))
            })),
            _ => {}
        }
    }
    found
}

/// Whole blocks come before what is inside them.
fn depth(path: &str) -> u8 {
    path.matches('.').count().min(9) as u8
}

fn networks(analysis: &Analysis, state: Option<&str>) -> Vec<Arc<Network>> {
    let Some(facts) = &analysis.facts else { return Vec::new() };
    match state.and_then(|name| facts.values.get(name)) {
        Some(Value::State(state)) => vec![state.facts.network.clone()],
        Some(Value::Arch(network)) => vec![network.clone()],
        _ => facts.networks(),
    }
}

//! The parameters of the call that is being written.

use std::sync::Arc;

use lsp_types::{
    Documentation, MarkupContent, MarkupKind, ParameterInformation, ParameterLabel, SignatureHelp, SignatureInformation,
};

use super::analysis::Analysis;
use super::spot::{self, CallSpot};
use crate::reference;
use crate::syntax::item_at_cursor;
use crate::syntax::tree::{Function, ItemKind};
use crate::types::Signature;

/// Returns the signature of the innermost call around a place, and which parameter the place belongs to.
pub(super) fn help(analysis: &Analysis, offset: usize) -> Option<SignatureHelp> {
    let item = item_at_cursor(analysis.file(), analysis.text(), offset)?;
    let details = analysis.typed.inspect(analysis.module, &item);
    let way = spot::way(&item, offset);
    let all = spot::calls(&way);
    let inside = |call: &&CallSpot<'_>| (call.callee.span.end as usize) < offset;
    let call = all.iter().rev().filter(inside).find(|call| details.call_at(call.callee.span).is_some())?;
    let signature = details.call_at(call.callee.span)?;
    let (function, docs) = declaration(analysis, signature)?;
    let sources = &analysis.linked().sources;
    let formals: Vec<String> = function.formals.iter().map(|formal| reference::formal_text(sources, formal)).collect();
    let label = format!("{}({}) -> {}", signature.name, formals.join(", "), signature.result);
    let parameters = formals
        .into_iter()
        .map(|formal| ParameterInformation { label: ParameterLabel::Simple(formal), documentation: None });
    let active = active(call, signature, offset).map(|at| at as u32);
    let words = MarkupContent { kind: MarkupKind::Markdown, value: docs };
    Some(SignatureHelp {
        signatures: vec![SignatureInformation {
            label,
            documentation: Some(Documentation::MarkupContent(words)),
            parameters: Some(parameters.collect()),
            active_parameter: active,
        }],
        active_signature: Some(0),
        active_parameter: active,
    })
}

/// Returns the function behind a signature and its words.
pub(super) fn declaration<'a>(analysis: &'a Analysis, signature: &Signature) -> Option<(&'a Arc<Function>, String)> {
    let module = analysis.linked().module(signature.module);
    let item = &module.file.items.get(module.definitions.get(&signature.name)?.item)?;
    match &item.kind {
        ItemKind::Function(function) => Some((function, item.docs.join("\n"))),
        _ => None,
    }
}

/// The parameter that the argument at a place is for: by its label, or the first that nothing else is given to.
fn active(call: &CallSpot<'_>, signature: &Signature, offset: usize) -> Option<usize> {
    let place = |name: &str| signature.formals.iter().position(|formal| &*formal.name == name);
    let at = call.args.iter().position(|arg| {
        let start = arg.label.as_ref().map_or(arg.value.span, |label| label.span.to(arg.value.span));
        super::analysis::touches(start, offset)
    });
    let current = at.and_then(|at| call.args.get(at));
    if let Some(label) = current.and_then(|arg| arg.label.as_ref()) {
        return place(&label.text);
    }
    let labelled: Vec<usize> =
        call.args.iter().filter_map(|arg| arg.label.as_ref()).filter_map(|label| place(&label.text)).collect();
    let before = call.args[..at.unwrap_or(call.args.len())].iter().filter(|arg| arg.label.is_none()).count();
    let nth = before + usize::from(call.piped);
    (0..signature.formals.len()).filter(|at| !labelled.contains(at)).nth(nth)
}

//! What trainings cost, at the end of their line.

use lsp_types::{InlayHint, InlayHintKind, InlayHintLabel};

use super::analysis::Analysis;
use super::text::Text;
use crate::source::Span;

/// Returns a hint for each call in a range that asks for trainings. Without an evaluation of this very text there is none.
pub(super) fn hints(analysis: &Analysis, text: &Text, range: Span) -> Vec<InlayHint> {
    let Some(facts) = analysis.facts.as_ref().filter(|_| analysis.fresh) else { return Vec::new() };
    let here = |span: &Span| span.file == range.file && span.start <= range.end && range.start <= span.end;
    let hint = |span: Span| {
        let label = InlayHintLabel::String(facts.cost(span)?.hint()?);
        Some(InlayHint {
            position: text.position(span.end as usize),
            label,
            kind: Some(InlayHintKind::TYPE),
            text_edits: None,
            tooltip: None,
            padding_left: Some(true),
            padding_right: None,
            data: None,
        })
    };
    facts.trainings().into_iter().filter(here).filter_map(hint).collect()
}

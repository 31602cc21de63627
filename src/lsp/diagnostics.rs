//! Messages as editors show them.

use std::collections::BTreeMap;

use lsp_types::{
    Diagnostic as Shown, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, NumberOrString, Position,
    Range, Uri,
};

use super::place::{self, Shelf};
use super::text::{Encoding, Text};
use crate::diag::{Diagnostic, Severity, codes};
use crate::source::{FileId, Sources};

/// Sorts messages by the file that each is about. One without a place belongs to the file that was asked about.
pub(super) fn by_file(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    shelf: &Shelf,
    asked: FileId,
    encoding: Encoding,
) -> Vec<(Uri, Vec<Shown>)> {
    let mut texts: BTreeMap<FileId, Text> = BTreeMap::new();
    let mut files: BTreeMap<FileId, Vec<Shown>> = BTreeMap::from([(asked, Vec::new())]);
    for diagnostic in diagnostics {
        let file = diagnostic.labels.first().map_or(asked, |label| label.span.file);
        let text = texts.entry(file).or_insert_with(|| Text::new(sources.get(file).text.clone(), encoding));
        let range = diagnostic
            .labels
            .first()
            .map_or(Range::new(Position::new(0, 0), Position::new(0, 0)), |label| text.range(label.span));
        files.entry(file).or_default().push(shown(diagnostic, range, sources, shelf, encoding));
    }
    let address = |(file, shown): (FileId, Vec<Shown>)| Some((place::file_uri(sources, shelf, file)?, shown));
    files.into_iter().filter_map(address).collect()
}

/// Writes a message for an editor: the headline, then the help.
pub(super) fn shown(
    diagnostic: &Diagnostic,
    range: Range,
    sources: &Sources,
    shelf: &Shelf,
    encoding: Encoding,
) -> Shown {
    let help = diagnostic.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default();
    let related = diagnostic.labels.iter().skip(1).filter_map(|label| {
        let location = place::location(sources, shelf, label.span, encoding)?;
        Some(DiagnosticRelatedInformation { location, message: label.text.clone() })
    });
    let related: Vec<_> = related.collect();
    let unneeded = diagnostic.fixes.iter().any(|fix| fix.text.is_empty() && fix.span.start < fix.span.end);
    Shown {
        range,
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(diagnostic.code.id.to_owned())),
        source: Some("pdsl".to_owned()),
        message: format!("{}{help}", diagnostic.message),
        related_information: (!related.is_empty()).then_some(related),
        tags: unneeded.then(|| vec![DiagnosticTag::UNNECESSARY]),
        ..Shown::default()
    }
}

/// Explains a code as `pdsl explain` does, in Markdown.
pub(super) fn explained(id: &str) -> Option<String> {
    let code = codes::find(id)?;
    let example = |head: &str, text: &str| {
        if text.is_empty() { String::new() } else { format!("\n\n{head}:\n```pd\n{text}\n```") }
    };
    let (wrong, right) = (example("Wrong", code.wrong), example("Right", code.right));
    Some(format!("**{}**: {}\n\n{}{wrong}{right}", code.id, code.title, code.text))
}

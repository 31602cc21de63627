//! Changes of the text that messages advise.

use crate::diag::{Diagnostic, Fix};
use crate::source::Span;

/// A change that an editor can offer.
pub(super) struct Action<'a> {
    /// What it does.
    pub(super) title: String,
    /// The change.
    pub(super) fix: &'a Fix,
    /// What it mends.
    pub(super) diagnostic: &'a Diagnostic,
    /// It is the only advice, so that it may be chosen without asking.
    pub(super) preferred: bool,
}

/// Returns the changes that mend what is wrong in a range.
pub(super) fn actions(diagnostics: &[Diagnostic], asked: Span) -> Vec<Action<'_>> {
    let concerns = |found: &&Diagnostic| {
        let span = found.labels.first().map(|label| label.span);
        span.is_some_and(|span| span.file == asked.file && span.start <= asked.end && asked.start <= span.end)
    };
    let concerned = diagnostics.iter().filter(concerns);
    concerned
        .flat_map(|diagnostic| {
            diagnostic.fixes.iter().map(move |fix| Action {
                title: title(diagnostic, fix),
                fix,
                diagnostic,
                preferred: diagnostic.fixes.len() == 1,
            })
        })
        .collect()
}

fn title(diagnostic: &Diagnostic, fix: &Fix) -> String {
    let text = fix.text.trim();
    match diagnostic.help.as_deref() {
        Some(help) if help.starts_with("add `import ") => capital(&help.replace('`', "")),
        Some(help) if help.starts_with("remove ") && text.is_empty() => capital(&help.replace('`', "")),
        _ if text.is_empty() => "Remove it".to_owned(),
        _ if fix.span.start == fix.span.end => format!("Add `{text}`"),
        _ if text.chars().count() > 60 || text.contains('\n') => "Rewrite it as the message says".to_owned(),
        _ => format!("Write `{text}`"),
    }
}

fn capital(text: &str) -> String {
    let first = text.chars().next().map_or(String::new(), |c| c.to_uppercase().to_string());
    format!("{first}{}", text.chars().skip(1).collect::<String>())
}

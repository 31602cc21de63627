//! Diagnostics as annotations of GitHub Actions.

use super::Diagnostic;
use super::render::word;
use crate::source::Sources;

/// Writes a workflow command of GitHub for each, which marks the place in the changes of a pull request.
pub fn annotations(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    diagnostics.iter().map(|diagnostic| annotation(diagnostic, sources)).collect()
}

fn annotation(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut properties = String::new();
    if let Some(label) = diagnostic.labels.first() {
        let file = sources.get(label.span.file);
        let (line, column) = file.line_column(label.span.start);
        let (end_line, end_column) = file.line_column(label.span.end);
        properties = format!("file={},line={line},endLine={end_line},", property(&file.name));
        // GitHub accepts columns on one line only, and counts the last one in.
        if line == end_line {
            properties += &format!("col={column},endColumn={},", end_column.saturating_sub(1).max(column));
        }
    }
    let help = diagnostic.help.as_ref().map_or(String::new(), |help| format!("\nhelp: {help}"));
    let title = property(diagnostic.code.id);
    let message = escaped(&format!("{}{help}", diagnostic.message));
    format!("::{} {properties}title={title}::{message}\n", word(diagnostic.severity))
}

/// Escapes what would end a workflow command.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes what would end a property of a workflow command.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::annotations;
    use crate::diag::Diagnostic;
    use crate::diag::codes::syntax;
    use crate::source::{Sources, Span};

    #[test]
    fn annotations_of_github_are_escaped() {
        let mut sources = Sources::default();
        let file = sources.add("a,b:c.pd", None, "let é = 20\nlet b = 2\n");
        let one = Diagnostic::error(&syntax::UNCLOSED, "100% wrong: a, b")
            .label(Span::new(file, 9, 11), "here")
            .help("write `20%`\nor `0.2`");
        let lines = Diagnostic::warning(&syntax::STRAY, "two lines").label(Span::new(file, 0, 15), "both");
        let nowhere = Diagnostic::error(&syntax::STRAY, "no place");
        assert_eq!(
            annotations(&[one, lines, nowhere], &sources),
            "::error file=a%2Cb%3Ac.pd,line=1,endLine=1,col=9,endColumn=10,title=PD0002::\
             100%25 wrong: a, b%0Ahelp: write `20%25`%0Aor `0.2`\n\
             ::warning file=a%2Cb%3Ac.pd,line=1,endLine=2,title=PD0006::two lines\n\
             ::error title=PD0006::no place\n"
        );
    }
}

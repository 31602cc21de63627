//! Diagnostics as text: with source and colours for people, one line each for editors, JSON for scripts.
//!
//! Source text is attached here and nowhere earlier.

use std::fmt;
use std::sync::Arc;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents, ThemeStyles,
};
use serde::Serialize;

use super::{Code, Diagnostic, Label, Severity};
use crate::source::{FileId, Sources, Span};

/// How reports are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether colours may be used; the caller has looked at `NO_COLOR` and at the terminal.
    pub color: bool,
    /// Columns.
    pub width: usize,
}

impl Style {
    /// For files, pipes and tests.
    pub const PLAIN: Self = Self { color: false, width: 120 };
}

/// Draws one report per diagnostic with the source around each label, and a last line that counts them.
pub fn fancy(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let theme = if style.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let theme = GraphicalTheme { styles: if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() }, ..theme };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width.max(40))
        .with_links(false)
        .with_context_lines(1)
        .without_syntax_highlighting();
    let mut text = String::new();
    for diagnostic in diagnostics {
        for report in reports(diagnostic, sources) {
            if handler.render_report(&mut text, &report).is_err() {
                text.push_str(&line(diagnostic, sources));
            }
        }
        text.push('\n');
    }
    text.push_str(&count(diagnostics));
    text
}

/// Writes `file:line:column: error[PD0001]: message (help)`, a line for each.
pub fn short(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    diagnostics.iter().map(|diagnostic| line(diagnostic, sources)).collect()
}

/// Writes a JSON array with code, severity, message, labels, help and fixes of each.
///
/// Lines and columns count from 1, columns in characters; `start` and `end` are byte offsets.
pub fn json(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let entries: Vec<Entry<'_>> = diagnostics.iter().map(|diagnostic| Entry::new(diagnostic, sources)).collect();
    serde_json::to_string_pretty(&entries).unwrap_or_default() + "\n"
}

/// Writes what `pdsl explain` shows for a code.
pub fn explain(code: &Code) -> String {
    let mut text = format!("{}: {}\n\n{}\n", code.id, code.title, wrap(code.text, 100));
    for (head, example) in [("Wrong:", code.wrong), ("Right:", code.right)] {
        if !example.is_empty() {
            text.push_str(&format!("\n{head}\n"));
            for example_line in example.lines() {
                text.push_str(&format!("    {example_line}\n"));
            }
        }
    }
    text
}

fn wrap(text: &str, width: usize) -> String {
    let mut wrapped = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            wrapped.push('\n');
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
    }
    wrapped
}

/// "8 errors, 1 warning", or nothing for a single report.
fn count(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let warnings = diagnostics.len() - errors;
    if diagnostics.len() < 2 {
        return String::new();
    }
    let plural = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    };
    let parts: Vec<String> = [plural(errors, "error"), plural(warnings, "warning")].into_iter().flatten().collect();
    parts.join(", ") + "\n"
}

fn line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut text = String::new();
    if let Some(label) = diagnostic.labels.first() {
        let file = sources.get(label.span.file);
        let (row, column) = file.line_column(label.span.start);
        text.push_str(&format!("{}:{row}:{column}: ", file.name));
    }
    let severity = word(diagnostic.severity);
    text.push_str(&format!("{severity}[{}]: {}", diagnostic.code.id, diagnostic.message));
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!(" (help: {})", help.replace('\n', " ")));
    }
    text.push('\n');
    text
}

pub(super) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A diagnostic as one report per file that its labels are in.
fn reports<'a>(diagnostic: &'a Diagnostic, sources: &Sources) -> Vec<Report<'a>> {
    let mut files: Vec<FileId> = Vec::new();
    for label in &diagnostic.labels {
        if !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    let last = files.len().saturating_sub(1);
    let part = |nth: usize, file: Option<FileId>| Report {
        diagnostic,
        first: nth == 0,
        last: nth == last,
        source: file.map(|id| {
            let file = sources.get(id);
            Named { name: Arc::clone(&file.name), text: Arc::clone(&file.text) }
        }),
        labels: diagnostic
            .labels
            .iter()
            .enumerate()
            .filter(|(_, label)| Some(label.span.file) == file)
            .map(|(at, label)| labeled(label, at == 0, nth == 0, &sources.get(label.span.file).text))
            .collect(),
    };
    match files.as_slice() {
        [] => vec![part(0, None)],
        files => files.iter().enumerate().map(|(nth, file)| part(nth, Some(*file))).collect(),
    }
}

fn labeled(label: &Label, primary: bool, worded: bool, text: &str) -> LabeledSpan {
    let (start, length) = visible(label.span, text);
    let words = Some(label.text.clone()).filter(|words| worded && !words.is_empty());
    if primary {
        LabeledSpan::new_primary_with_span(words, (start, length))
    } else {
        LabeledSpan::new_with_span(words, (start, length))
    }
}

/// Start and length of a span, inside the text, on character boundaries, on one line, and at least a character long.
fn visible(span: Span, text: &str) -> (usize, usize) {
    let mut start = (span.start as usize).min(text.trim_end().len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    if start > 0 && start == text.trim_end().len() {
        start = text[..start].char_indices().next_back().map_or(0, |(at, _)| at);
    }
    let mut end = (span.end as usize).clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let covered = &text[start..end];
    // A label over many lines is drawn as a bracket around all of them; its first line is enough to find the place.
    let length = match covered.find('\n') {
        Some(line_end) if covered[line_end..].matches('\n').count() > 3 => covered[..line_end].trim_end().len(),
        _ => covered.len(),
    };
    let first = text[start..].chars().next().map_or(0, char::len_utf8);
    (start, length.max(first))
}

/// A text and its name. Unlike miette's own sources it counts columns in characters.
struct Named {
    name: Arc<str>,
    text: Arc<str>,
}

impl SourceCode for Named {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        let column = match self.text.get(..span.offset()) {
            Some(head) if before == 0 => head.chars().rev().take_while(|c| *c != '\n').count(),
            _ => inner.column(),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.to_string(),
            inner.data(),
            *inner.span(),
            inner.line(),
            column,
            inner.line_count(),
        )))
    }
}

/// What miette draws.
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    /// Carries code and message.
    first: bool,
    /// Carries the help.
    last: bool,
    source: Option<Named>,
    labels: Vec<LabeledSpan>,
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.diagnostic.fmt(out)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first {
            return out.write_str(&self.diagnostic.message);
        }
        let elsewhere =
            self.diagnostic.labels.iter().find(|label| label.span.file != self.diagnostic.labels[0].span.file);
        out.write_str(elsewhere.map_or("and here", |label| &label.text))
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.first.then(|| Box::new(self.diagnostic.code.id) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            _ if !self.first => miette::Severity::Advice,
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        let help = self.diagnostic.help.as_deref().filter(|_| self.last)?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if self.labels.is_empty() { None } else { Some(Box::new(self.labels.iter().cloned())) }
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    labels: Vec<Place<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    /// Where to write which text instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    start: u32,
    end: u32,
    text: &'a str,
}

impl<'a> Entry<'a> {
    fn new(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Self {
        let place = |span: Span, text: &'a str| {
            let file = sources.get(span.file);
            let (line, column) = file.line_column(span.start);
            let (end_line, end_column) = file.line_column(span.end);
            Place { file: &file.name, line, column, end_line, end_column, start: span.start, end: span.end, text }
        };
        let labels = diagnostic.labels.iter().map(|label| place(label.span, &label.text));
        Self {
            code: diagnostic.code.id,
            severity: word(diagnostic.severity),
            message: &diagnostic.message,
            labels: labels.collect(),
            help: diagnostic.help.as_deref(),
            fixes: diagnostic.fixes.iter().map(|fix| place(fix.span, &fix.text)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Style, explain, fancy, json, short};
    use crate::diag::codes::syntax;
    use crate::diag::{Diagnostic, codes};
    use crate::source::{FileId, Sources, Span};

    fn sample() -> (Vec<Diagnostic>, Sources) {
        let mut sources = Sources::default();
        let first = sources.add("paper.pd", None, "let é = f(1\nlet b = 2\n");
        let second = sources.add("lib.pd", None, "fn f(x: Int) -> Int { x }\n");
        let one = Diagnostic::error(&syntax::UNCLOSED, "`(` is never closed")
            .label(Span::new(first, 10, 11), "opened here")
            .label(Span::new(second, 3, 4), "the function")
            .help("add `)`");
        let two = Diagnostic::warning(&syntax::STRAY, "nothing here").label(Span::new(first, 900, 901), "past the end");
        (vec![one, two], sources)
    }

    #[test]
    fn reports_show_both_files_and_count() {
        let (diagnostics, sources) = sample();
        let text = fancy(&diagnostics, &sources, Style::PLAIN);
        for part in
            ["PD0002", "[paper.pd:1:10]", "[lib.pd:1:4]", "opened here", "help: add `)`", "1 error, 1 warning\n"]
        {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
        assert!(fancy(&diagnostics, &sources, Style { color: true, width: 80 }).contains('\u{1b}'));
    }

    #[test]
    fn short_is_a_line_each() {
        let (diagnostics, sources) = sample();
        let text = short(&diagnostics, &sources);
        assert_eq!(text.lines().count(), 2);
        assert!(text.starts_with("paper.pd:1:10: error[PD0002]: `(` is never closed (help: add `)`)\n"), "{text}");
    }

    #[test]
    fn json_is_an_array() {
        let (diagnostics, sources) = sample();
        let value: serde_json::Value = serde_json::from_str(&json(&diagnostics, &sources)).unwrap();
        assert_eq!(value[0]["labels"][1]["file"], "lib.pd");
        assert_eq!(value[1]["severity"], "warning");
    }

    #[test]
    fn any_span_can_be_drawn() {
        let mut sources = Sources::default();
        let file = sources.add("t.pd", None, "a “é”\r\n\n");
        let empty = sources.add("empty.pd", None, "");
        for id in [file, empty] {
            for start in 0..12 {
                for end in 0..14 {
                    let diagnostic = Diagnostic::error(&syntax::STRAY, "m").label(Span::new(id, start, end), "x");
                    assert!(!fancy(&[diagnostic], &sources, Style::PLAIN).is_empty());
                }
            }
        }
        assert_eq!(empty, FileId(1));
    }

    #[test]
    fn every_code_explains_itself() {
        for code in codes::all() {
            let text = explain(code);
            assert!(text.starts_with(code.id) && !code.title.is_empty() && !code.text.is_empty(), "{text}");
        }
    }
}

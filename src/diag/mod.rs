//! Diagnostics: what went wrong, where in the user's files, and what to do about it.
//!
//! A diagnostic carries spans only; source text is attached by `render`. Every diagnostic has a [`Code`] from
//! [`codes`], which `pdsl explain` prints with its text and example.

pub mod codes;
pub mod foreign;
pub mod github;
pub mod render;
pub mod suggest;

use crate::source::Span;

/// An entry of the catalogue of diagnostics.
#[derive(Debug)]
pub struct Code {
    /// `PD` and four digits.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// What it means and how to get out of it, in full sentences.
    pub text: &'static str,
    /// A program or command that causes it, and the one that is right instead; empty where none fits on a few lines.
    pub wrong: &'static str,
    /// The corrected version of `wrong`.
    pub right: &'static str,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program runs, but its author should know.
    Warning,
    /// The program does not run.
    Error,
}

/// A span with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there, a few words.
    pub text: String,
}

/// What to write instead, exactly: applying it is safe to offer, though not safe to do unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The text that goes; empty where something is only added.
    pub span: Span,
    /// What comes in its place.
    pub text: String,
}

/// One message to the user.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Entry of the catalogue.
    pub code: &'static Code,
    /// Error or warning.
    pub severity: Severity,
    /// One sentence that makes sense alone.
    pub message: String,
    /// At most two places; the first is the primary one.
    pub labels: Vec<Label>,
    /// An action.
    pub help: Option<String>,
    /// The same action for an editor, where it is a change of the text; one of several if the author has to choose.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// Makes an error without a place.
    pub fn error(code: &'static Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: Vec::new(),
            help: None,
            fixes: Vec::new(),
        }
    }

    /// Makes a warning without a place.
    pub fn warning(code: &'static Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Adds a labelled place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Sets the help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a change of the text that the help describes.
    #[must_use]
    pub fn fix(mut self, span: Span, text: impl Into<String>) -> Self {
        self.fixes.push(Fix { span, text: text.into() });
        self
    }

    /// Says that the help speaks of `span`: what it tells to write, editors can put there.
    #[must_use]
    pub fn in_place_of(mut self, span: Span) -> Self {
        let texts = self.help.as_deref().map(written).unwrap_or_default();
        self.fixes.extend(texts.into_iter().map(|text| Fix { span, text }));
        self
    }
}

/// The texts that a help tells to write, each of which would do: "write `20%`", "write `5ep` for epochs or `5it` for
/// iterations", "did you mean `rate`?"; empty for "remove the `;`". A text with `…` in it is for people only.
fn written(help: &str) -> Vec<String> {
    let removes = |rest: &str| rest.starts_with('`') || rest.starts_with("the `");
    if help.strip_prefix("remove ").is_some_and(removes) {
        return vec![String::new()];
    }
    let question = help.strip_prefix("did you mean `");
    let order = || {
        let at = help.find("write `")?;
        let begins = at == 0 || help[..at].ends_with(": ") || help[..at].ends_with(", ");
        begins.then(|| &help[at + "write `".len()..])
    };
    let Some((first, rest)) = question.or_else(order).and_then(|rest| rest.split_once('`')) else { return Vec::new() };
    let ends = ["", "?"].contains(&rest);
    let goes_on = [" instead of ", " or `", " for ", ", or "].iter().any(|start| rest.starts_with(start));
    if !ends && !goes_on {
        return Vec::new();
    }
    let second =
        rest.split_once(" or `").filter(|_| !rest.starts_with(", ")).and_then(|(_, rest)| rest.split_once('`'));
    let texts = [Some(first), second.map(|(second, _)| second)].into_iter().flatten();
    texts.filter(|text| !text.contains('…')).map(str::to_owned).collect()
}

/// A result that carries every error found, not only the first.
pub type Checked<T> = Result<T, Vec<Diagnostic>>;

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn a_help_says_what_to_write() {
        for (help, texts) in [
            ("write `20%`", vec!["20%"]),
            ("write `0.2` instead of `20%`", vec!["0.2"]),
            ("write `5ep` for epochs or `5it` for iterations", vec!["5ep", "5it"]),
            ("to add percentage points, write `5pp`", vec!["5pp"]),
            ("write `)`, or close the other brackets first", vec![")"]),
            ("did you mean `rate`?", vec!["rate"]),
            ("did you mean `c1` or `c3`?", vec!["c1", "c3"]),
            ("remove the `;`", vec![""]),
            ("remove `mut`; use `fold` where a value develops", vec![""]),
            ("write `line(…, x: .…)` around it", vec![]),
            ("write `f` without parentheses", vec![]),
            ("write `float(…)`", vec![]),
            ("write `100% - t`, which is in percentage points", vec![]),
            ("choose another name", vec![]),
        ] {
            assert_eq!(written(help), texts, "{help}");
        }
    }
}

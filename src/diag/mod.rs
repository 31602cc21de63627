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
}

impl Diagnostic {
    /// Makes an error without a place.
    pub fn error(code: &'static Code, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), labels: Vec::new(), help: None }
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
}

/// A result that carries every error found, not only the first.
pub type Checked<T> = Result<T, Vec<Diagnostic>>;

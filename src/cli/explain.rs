//! `pdsl explain [CODE]`: the catalogue of diagnostics.

use std::fmt::Write;

use super::output;
use super::{Ended, Exit, Failure};
use crate::diag::codes::{self, invocation};
use crate::diag::{Diagnostic, render};

/// Explain the code of a message, with an example; without a code, list all.
#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// A code such as PD0207.
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(&self) -> Ended {
        let text = match &self.code {
            None => list(),
            Some(id) => render::explain(codes::find(id).ok_or_else(|| unknown(id))?),
        };
        output::data(&text)?;
        Ok(Exit::Done)
    }
}

fn list() -> String {
    codes::all().fold(String::new(), |mut text, code| {
        let _ = writeln!(text, "{}  {}", code.id, code.title);
        text
    })
}

fn unknown(id: &str) -> Failure {
    let message = format!("no diagnostic has the code `{id}`");
    let diagnostic = Diagnostic::error(&invocation::UNKNOWN_CODE, message).help("list all codes with `pdsl explain`");
    Failure::outside(diagnostic, Exit::Invalid)
}

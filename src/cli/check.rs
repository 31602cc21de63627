//! `pdsl check FILE…`: every mistake that can be found without running anything.

use std::path::PathBuf;

use super::output::{self, Output};
use super::program;
use super::{Ended, Exit};
use crate::diag::{github, render};
use crate::world::World;

/// Check programs without running anything.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Programs.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// List the parameters that `--set` can set.
    #[arg(long)]
    params: bool,
    /// How messages are written: with the source (standard error), or for programs (standard output).
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", conflicts_with = "json")]
    format: Format,
    /// Print the messages, or the parameters, as JSON on standard output: the same as `--format json`.
    #[arg(long)]
    json: bool,
}

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// With the source around each place.
    #[default]
    Full,
    /// A line for each, for editors.
    Short,
    /// An array for scripts.
    Json,
    /// Annotations of GitHub Actions.
    Github,
}

impl Check {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let format = if self.json { Format::Json } else { self.format };
        let json = format == Format::Json;
        let mut wrong = false;
        let mut messages: Vec<serde_json::Value> = Vec::new();
        let mut params: Vec<serde_json::Value> = Vec::new();
        for path in &self.files {
            let typed = program::examine(world, path)?;
            let sources = &typed.linked.sources;
            wrong |= program::has_errors(&typed.diagnostics);
            match format {
                Format::Json => {
                    let found = render::json(&typed.diagnostics, sources);
                    messages.extend(serde_json::from_str::<Vec<_>>(&found).unwrap_or_default());
                }
                Format::Short => output::data(&render::short(&typed.diagnostics, sources))?,
                Format::Github => output::data(&github::annotations(&typed.diagnostics, sources))?,
                Format::Full if typed.diagnostics.is_empty() => {}
                Format::Full => output.diagnostics(&typed.diagnostics, sources),
            }
            match (self.params, json) {
                (false, _) => {}
                (true, false) => output::data(&program::describe_params(&typed.linked))?,
                (true, true) => {
                    params.extend(program::params_json(&typed.linked));
                }
            }
        }
        if json {
            output::data(&output::json(&if self.params { params } else { messages })?)?;
        }
        Ok(if wrong { Exit::Invalid } else { Exit::Done })
    }
}

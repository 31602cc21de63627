//! `pdsl check FILE…`: every mistake that can be found without running anything.

use std::path::PathBuf;

use super::output::{self, Output};
use super::program;
use super::{Ended, Exit};
use crate::diag::render;
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
    /// Print the messages, or the parameters, as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let mut wrong = false;
        let mut messages: Vec<serde_json::Value> = Vec::new();
        let mut params: Vec<serde_json::Value> = Vec::new();
        for path in &self.files {
            let typed = program::examine(world, path)?;
            let sources = &typed.linked.sources;
            wrong |= program::has_errors(&typed.diagnostics);
            if self.json {
                let found = render::json(&typed.diagnostics, sources);
                messages.extend(serde_json::from_str::<Vec<_>>(&found).unwrap_or_default());
            } else if !typed.diagnostics.is_empty() {
                output.diagnostics(&typed.diagnostics, sources);
            }
            match (self.params, self.json) {
                (false, _) => {}
                (true, false) => output::data(&program::describe_params(&typed.linked))?,
                (true, true) => {
                    params.extend(program::params_json(&typed.linked));
                }
            }
        }
        if self.json {
            output::data(&output::json(&if self.params { params } else { messages })?)?;
        }
        Ok(if wrong { Exit::Invalid } else { Exit::Done })
    }
}

//! `pdsl completions SHELL`.

use clap::CommandFactory;

use super::output;
use super::{Arguments, Ended, Exit};

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell to complete in.
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Ended {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "pdsl", &mut script);
        output::data(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}

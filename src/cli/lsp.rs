//! `pdsl lsp`: the language server.

use super::program;
use super::{Ended, Exit};
use crate::lsp;
use crate::world::World;

/// Serve an editor over standard input and output.
#[derive(Debug, clap::Args)]
pub(super) struct LanguageServer {
    /// Accepted because editors give it: there is no other way to talk to it.
    #[arg(long, hide = true)]
    stdio: bool,
}

impl LanguageServer {
    pub(super) fn run(&self, world: &dyn World) -> Ended {
        let _ = self.stdio;
        let polite = lsp::serve(world, &program::at_hand);
        Ok(if polite { Exit::Done } else { Exit::Failed })
    }
}

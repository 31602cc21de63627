//! `pdsl lsp`: the language server.

use super::Exit;
use super::program;
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
    /// Ends when the editor leaves; with an error if it did so without a word.
    pub(super) fn run(&self, world: &dyn World) -> Exit {
        let _ = self.stdio;
        if lsp::serve(world, &program::at_hand) { Exit::Done } else { Exit::Failed }
    }
}

//! The language server: what `pdsl check` knows, while the program is being written.
//!
//! Types are checked with every change, and only where it matters; evaluation follows in a thread of its own as soon as
//! nobody types. Everything else is answered from the last check: an [`Analysis`].

pub mod analysis;
pub mod complete;

mod actions;
mod diagnostics;
mod documents;
mod facts;
mod hints;
mod hover;
mod names;
mod outline;
mod place;
mod rename;
mod requests;
mod server;
mod signature;
mod spot;
mod text;
mod transport;

use std::path::Path;

pub use analysis::Analysis;
pub use complete::{Suggestion, suggestions};
pub use text::Encoding;

use crate::eval::Fingerprints;
use crate::world::World;

/// Makes what evaluation may know about the data of a program.
pub type AtHand<'a> = dyn Fn(&Path) -> Box<dyn Fingerprints> + Sync + 'a;

/// Serves an editor over standard input and output until it leaves. Returns whether it said goodbye first.
pub fn serve(world: &dyn World, at_hand: &AtHand<'_>) -> bool {
    server::run(world, at_hand)
}

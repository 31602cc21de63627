//! From a checked program to a graph: every expression is evaluated once, before anything runs.
//!
//! Evaluation is strict and total by budget: it ends after a bounded number of steps and open calls. Stages are
//! values; calling one adds a node to the graph.

pub mod program;
pub mod resolved;
pub mod settings;

mod access;
mod builtins;
mod call;
mod choice;
mod conform;
mod expr;
mod flow;
mod interpreter;
mod lowering;
mod operators;
mod outputs;
mod schedule;
mod sweep;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use crate::ops::lowering::External;
pub use program::Program;
pub use resolved::Resolved;
pub use settings::Overrides;

use crate::diag::Checked;
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::types::Typed;
use interpreter::Interpreter;

/// What evaluation may know about the outside: which data are at hand.
pub trait Fingerprints: Sync {
    /// Returns the digest of external data; `None` where it is not at hand.
    fn digest(&self, data: External<'_>) -> Option<String>;

    /// Finds a file of weights, named relative to the program.
    ///
    /// # Errors
    /// As the file system reports them.
    fn weights(&self, file: &str) -> std::io::Result<Weights>;
}

/// A file of weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// BLAKE3 digest of its bytes in hexadecimal.
    pub digest: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// Stack sizes to try for the thread that evaluates. Language calls nest at most [`interpreter::MAX_DEPTH`] deep and
/// expressions as deep as the parser allows; the largest covers their product.
const STACKS: [usize; 3] = [1 << 30, 1 << 28, 1 << 26];

/// Evaluates a program.
///
/// # Errors
/// Every mistake found; each definition is evaluated even if others fail.
pub fn evaluate(typed: &Typed, overrides: &Overrides, data: &dyn Fingerprints) -> Checked<Program> {
    for size in STACKS {
        let evaluated = std::thread::scope(|scope| {
            let work = || Interpreter::new(typed, overrides, data).program();
            let thread = std::thread::Builder::new().name("evaluate".to_owned()).stack_size(size);
            let handle = thread.spawn_scoped(scope, work).ok()?;
            Some(handle.join())
        });
        match evaluated {
            None => {}
            Some(Ok(program)) => return program,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
    Err(vec![
        Diagnostic::error(&codes::TOO_DEEP, "there is not enough memory to evaluate the program")
            .help("free some memory and try again"),
    ])
}

//! From a checked program to a graph: every expression is evaluated once, before anything runs.
//!
//! Evaluation is strict and total by budget: it ends after a bounded number of steps and open calls. Stages are
//! values; calling one adds a node to the graph.

pub mod program;
pub mod resolved;
pub mod settings;
pub mod values;

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
mod select;
mod sweep;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use crate::ops::lowering::External;
pub use program::{Program, Tested};
pub use resolved::Resolved;
pub use settings::Overrides;

use crate::diag::Checked;
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::resolve::ModuleId;
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

/// Evaluates a program that nobody runs yet, and says what is wrong with it: mistakes, and tests that do not hold. A
/// parameter without a default is no mistake as long as nobody runs the program.
pub fn examine(typed: &Typed, data: &dyn Fingerprints) -> (Option<Program>, Vec<Diagnostic>) {
    match evaluate(typed, &Overrides::default(), data) {
        Ok(mut program) => {
            let mut found = program.failed_tests();
            found.append(&mut program.warnings);
            (Some(program), found)
        }
        Err(found) if found.iter().all(|found| found.code.id == codes::NO_VALUE.id) => (None, Vec::new()),
        Err(found) => (None, found),
    }
}

/// Stack sizes to try for the thread that evaluates. Language calls nest at most [`interpreter::MAX_DEPTH`] deep and
/// expressions as deep as the parser allows; the largest covers their product.
const STACKS: [usize; 3] = [1 << 30, 1 << 28, 1 << 26];

/// Evaluates a program.
///
/// # Errors
/// Every mistake found; each definition is evaluated even if others fail.
pub fn evaluate(typed: &Typed, overrides: &Overrides, data: &dyn Fingerprints) -> Checked<Program> {
    deep(&|| Interpreter::new(typed, overrides, data).program()).unwrap_or_else(|| Err(vec![no_memory()]))
}

/// Runs the tests of a module, of those whose names are wanted, each by itself: what else is wrong with the program does
/// not matter to them.
pub fn run_tests(
    typed: &Typed,
    module: ModuleId,
    wanted: &(dyn Fn(&str) -> bool + Sync),
    data: &dyn Fingerprints,
) -> Vec<Tested> {
    let overrides = Overrides::default();
    let run = || Interpreter::new(typed, &overrides, data).tests(module, wanted);
    let failed = || vec![Tested { name: "all tests".to_owned(), failures: Vec::new(), errors: vec![no_memory()] }];
    deep(&run).unwrap_or_else(failed)
}

/// Does some work with a large stack; `None` if there is no memory for one.
fn deep<T: Send>(work: &(dyn Fn() -> T + Sync)) -> Option<T> {
    for size in STACKS {
        let done = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("evaluate".to_owned()).stack_size(size);
            Some(thread.spawn_scoped(scope, work).ok()?.join())
        });
        match done {
            None => {}
            Some(Ok(done)) => return Some(done),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    }
    None
}

fn no_memory() -> Diagnostic {
    Diagnostic::error(&codes::TOO_DEEP, "there is not enough memory to evaluate the program")
        .help("free some memory and try again")
}

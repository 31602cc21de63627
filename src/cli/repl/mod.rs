//! `pdsl repl`: expressions and definitions, evaluated as they are written. Nothing is run.

mod line;
mod session;
mod show;

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use super::output::{self, Output};
use super::{Ended, Exit};
use crate::syntax;
use crate::world::World;
use session::{Done, Session};

/// Evaluate expressions and definitions interactively. Stages are shown, not run.
#[derive(Debug, clap::Args)]
pub(super) struct Repl {
    /// Files whose definitions are there from the start.
    files: Vec<PathBuf>,
}

impl Repl {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let mut session = Session::new(world, output);
        for file in &self.files {
            let done = session.submit(&format!(":load {}", file.display()));
            if !tell(&done)? {
                return Ok(Exit::Invalid);
            }
        }
        if io::stdin().is_terminal() { line::converse(world, output, session) } else { read_all(session) }
    }
}

/// Prints what an input came to; says whether it was right.
fn tell(done: &Done) -> Result<bool, output::Closed> {
    match done {
        Done::Shown(text) => output::data(text).map(|()| true),
        Done::Wrong | Done::Quit => Ok(false),
    }
}

/// Evaluates what is piped in: no prompts, and an exit code that says whether everything was right.
fn read_all(mut session: Session<'_>) -> Ended {
    let mut input = String::new();
    let mut good = true;
    let mut lines = io::stdin().lock().lines();
    loop {
        let line = lines.next().and_then(Result::ok);
        if let Some(line) = &line {
            input.push_str(line);
            input.push('\n');
            if syntax::is_unfinished(&input) {
                continue;
            }
        }
        let done = session.submit(&std::mem::take(&mut input));
        if matches!(done, Done::Quit) {
            break;
        }
        good &= tell(&done)?;
        if line.is_none() {
            break;
        }
    }
    Ok(if good { Exit::Done } else { Exit::Invalid })
}

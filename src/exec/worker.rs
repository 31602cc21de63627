//! `pdsl worker`: computes one stage in a process of its own.
//!
//! The assignment comes on standard input, answers go to standard output, one JSON line each. The process saves what
//! it has and stops on SIGTERM, and when standard input ends, because then its parent is gone.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::assignment::{Answer, Assignment};
use super::perform::perform;
use crate::ops::run::Problem;
use crate::store::Store;

/// Exit code of a stage that stopped on request.
const INTERRUPTED: u8 = 130;
/// How often the wish to stop is looked at by stages that cannot do so themselves.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs a worker to its end.
pub fn main() -> ExitCode {
    let stop = Arc::new(AtomicBool::new(false));
    let registered = signal_hook::flag::register(signal_hook::consts::SIGTERM, stop.clone());
    let mut input = io::BufReader::new(io::stdin());
    let assignment = match registered.and_then(|_| Assignment::read(&mut input)) {
        Ok(assignment) => assignment,
        Err(error) => {
            let _ = writeln!(io::stderr(), "`pdsl worker` is started by `pdsl run`, not by hand: {error}");
            return ExitCode::from(2);
        }
    };
    let orphaned = stop.clone();
    let watch = move || {
        // Nothing more is sent: the end of input means that nobody waits for the result.
        let _ = io::copy(&mut input.by_ref(), &mut io::sink());
        orphaned.store(true, Ordering::Relaxed);
    };
    let _ = std::thread::Builder::new().name("parent".to_owned()).spawn(watch);
    if assignment.path.is_none() {
        let stop = stop.clone();
        // Only training has anything to save.
        let _ = std::thread::Builder::new().name("stop".to_owned()).spawn(move || leave(&stop));
    }
    // Fails only if the pool exists already.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(assignment.threads.max(1)).build_global();
    let mut code = ExitCode::FAILURE;
    let mut answer = |answer: Answer| {
        match &answer {
            Answer::Done => code = ExitCode::SUCCESS,
            Answer::Interrupted { .. } => code = ExitCode::from(INTERRUPTED),
            _ => {}
        }
        send(&answer);
    };
    match Store::open(&assignment.store) {
        Ok(store) => perform(&assignment, &store, &stop, true, &mut answer),
        Err(error) => answer(Answer::Failed { problem: Problem::from(error) }),
    }
    code
}

/// Waits for the wish to stop and ends the process. What is in the store stays whole: it appears there by renaming.
#[expect(clippy::exit, reason = "a long computation cannot be left in another way")]
fn leave(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK_EVERY);
    }
    send(&Answer::Interrupted { step: None });
    std::process::exit(INTERRUPTED.into());
}

/// Sends an answer. A parent that is gone reads nothing; the result is in the store all the same.
fn send(answer: &Answer) {
    let mut line = serde_json::to_string(answer).unwrap_or_default();
    line.push('\n');
    let mut output = io::stdout().lock();
    let _ = output.write_all(line.as_bytes()).and_then(|()| output.flush());
}

//! Executes a plan with its progress on standard error, its events in a file, and an ear for signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::output::Output;
use super::progress::Display;
use crate::exec::{self, Event, Log, Options, Report};
use crate::graph::Graph;
use crate::plan::Plan;
use crate::store::Store;

/// Exit code of a process that a third signal ends wherever it is.
const INTERRUPTED: i32 = 130;

/// Executes a plan.
pub(super) fn execute(
    output: Output,
    graph: &Graph,
    plan: &Plan,
    store: &Store,
    options: &Options,
    mut log: Option<Log>,
) -> Report {
    let interrupts = Arc::new(AtomicUsize::new(0));
    if plan.totals.run > 0 {
        listen(&interrupts);
    }
    let mut display = Display::new(output, plan);
    let mut sink = |event: &Event| {
        display.see(event);
        if let Some(Err(error)) = log.as_mut().map(|log| log.write(event)) {
            log = None;
            display.say(&format!("`events.jsonl` ends here: {error}"));
        }
    };
    exec::run(graph, plan, store, options, &interrupts, &mut sink)
}

/// Counts the user's wishes to stop: one to save and stop, two to stop now, three if even that takes too long.
fn listen(interrupts: &Arc<AtomicUsize>) {
    let interrupts = Arc::clone(interrupts);
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    let watch = move || {
        for _ in signals.forever() {
            if interrupts.fetch_add(1, Ordering::Relaxed) > 1 {
                signal_hook::low_level::exit(INTERRUPTED);
            }
        }
    };
    // Without the thread a signal ends the process as it would any other.
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(watch);
}

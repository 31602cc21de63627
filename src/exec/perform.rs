//! One stage from assignment to record, in whichever process.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::assignment::{Answer, Assignment};
use crate::diag::codes::execution;
use crate::graph::Preimage;
use crate::manifest::record::{Circumstances, Outcome, Place, Record};
use crate::ops::Surroundings;
use crate::ops::run::{self, Course, Job, Problem, RunError, Telling};
use crate::store::{Claim, Lease, PointKind, Store, StoreError};

/// Progress is told no more often than this.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// How often a stage that another process computes is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Computes a stage and publishes it; the last answer is the result.
pub(super) fn perform(
    assignment: &Assignment,
    store: &Store,
    stop: &AtomicBool,
    own_process: bool,
    answer: &mut dyn FnMut(Answer),
) {
    let result = match claim(assignment, store, stop, answer) {
        Ok(Some(lease)) => {
            let done = compute(assignment, store, stop, own_process, answer);
            drop(lease);
            done
        }
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    answer(match result {
        Ok(()) => Answer::Done,
        Err(RunError::Interrupted { step }) => Answer::Interrupted { step },
        Err(RunError::Failed(problem)) => Answer::Failed { problem: *problem },
    });
}

/// Waits for the right to compute the stage. `None` if another process stored it in the meantime.
fn claim(
    assignment: &Assignment,
    store: &Store,
    stop: &AtomicBool,
    answer: &mut dyn FnMut(Answer),
) -> Result<Option<Lease>, RunError> {
    let mut told = None;
    loop {
        match store.claim(assignment.key, &assignment.name)? {
            Claim::Granted(lease) => {
                let stored = store.lookup(assignment.key).ok().flatten().is_some();
                return Ok((!stored).then_some(lease));
            }
            Claim::Busy(holder) => {
                if told.as_ref() != Some(&holder) {
                    answer(Answer::Waiting { holder: holder.clone() });
                    told = Some(holder);
                }
                if stop.load(Ordering::Relaxed) {
                    return Err(RunError::Interrupted { step: None });
                }
                std::thread::sleep(LOOK_EVERY);
            }
        }
    }
}

fn compute(
    assignment: &Assignment,
    store: &Store,
    stop: &AtomicBool,
    own_process: bool,
    answer: &mut dyn FnMut(Answer),
) -> Result<(), RunError> {
    if !assignment.is_sound() {
        let message = "the stage that arrived is not the one that was sent";
        return Err(Problem::new(&execution::STAGE_FAILED, message).help("use one pdsl for the whole run").into());
    }
    let began = Instant::now();
    let course = assignment.course();
    let notes = RefCell::new(Vec::new());
    let mut last = None::<Instant>;
    let mut tell = |telling: Telling| {
        if let Telling::Note { text } = &telling {
            notes.borrow_mut().push(text.clone());
        }
        if matches!(telling, Telling::Progress(_)) {
            if last.is_some_and(|last| last.elapsed() < TELL_EVERY) {
                return;
            }
            last = Some(Instant::now());
        }
        answer(Answer::Told { telling });
    };
    let mut job = Job {
        key: assignment.key,
        preimage: &assignment.preimage,
        course: course.as_ref(),
        inputs: &assignment.inputs,
        store,
        surroundings: Surroundings {
            threads: assignment.threads,
            gpus: assignment.gpus.clone(),
            recompute: assignment.recompute,
            data_roots: assignment.data_roots.clone(),
            data_cache: assignment.data_cache.clone(),
            stop,
        },
        tell: &mut tell,
        began,
        earlier_seconds: 0.0,
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| run::run(&mut job))).unwrap_or_else(|panic| Err(caught(&*panic)))?;
    let seconds = job.earlier_seconds + began.elapsed().as_secs_f64();
    let run = circumstances(assignment, seconds, own_process, notes.take());
    publish(assignment, store, course.as_ref(), outcome, run)?;
    Ok(())
}

fn publish(
    assignment: &Assignment,
    store: &Store,
    course: Option<&Course>,
    outcome: Outcome,
    run: Circumstances,
) -> Result<(), StoreError> {
    let record = Record {
        key: assignment.key,
        op: assignment.preimage.op.clone(),
        name: assignment.name.clone(),
        version: assignment.preimage.version,
        smoke: assignment.preimage.smoke.is_some(),
        inputs: assignment.preimage.inputs.clone(),
        trajectory: course.map(|course| Place { base: course.base, step: course.trajectory.until }),
        outcome,
        run,
    };
    store.publish(&record, &assignment.preimage)?;
    if let Some(course) = course {
        // The record outlives what led to it; a point that cannot be removed only takes space.
        for point in store.points(course.base).iter().filter(|point| point.kind == PointKind::Rolling) {
            if course.chain.key_at(&course.trajectory, point.step) == Some(point.key) {
                let _ = store.drop_point(course.base, point);
            }
        }
    }
    Ok(())
}

fn circumstances(assignment: &Assignment, seconds: f64, own_process: bool, notes: Vec<String>) -> Circumstances {
    let Preimage { op, numerics, .. } = &assignment.preimage;
    let device = || numerics.map_or_else(|| "cpu".to_owned(), |numerics| numerics.to_string());
    Circumstances {
        finished: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        host: crate::store::host(),
        pdsl: env!("CARGO_PKG_VERSION").to_owned(),
        threads: assignment.threads,
        device: run::is_heavy(op).then(device),
        macs: assignment.macs,
        seconds: (seconds * 1e3).round() / 1e3,
        peak_bytes: if own_process { peak_memory() } else { None },
        notes,
    }
}

/// Returns the largest resident memory of this process so far, where the system tells it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

fn caught(panic: &(dyn std::any::Any + Send)) -> RunError {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let message = format!("pdsl itself broke in this stage: {}", text.unwrap_or("it did not say why"));
    Problem::new(&execution::STAGE_FAILED, message).help("please report it with the file and the log").into()
}

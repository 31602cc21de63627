//! Running stages on this machine: worker processes for heavy ones, threads for light ones.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::Sender;

use super::assignment::{Answer, Assignment};
use super::perform::perform;
use crate::diag::codes::execution;
use crate::graph::NodeId;
use crate::ops::run::Problem;
use crate::store::Store;

/// Lines of a stage's log that are kept for its error message.
const LOG_LINES: usize = 8;
/// Bytes of one of them.
const LINE_BYTES: usize = 400;

/// News from a running stage.
#[derive(Debug)]
pub(super) enum News {
    /// It says something.
    Answer(Answer),
    /// It says nothing more.
    Closed,
}

/// Where stages run. Each started stage sends its answers and then [`News::Closed`].
pub(super) trait Launcher {
    /// Starts a stage.
    fn start(&mut self, id: NodeId, assignment: Assignment, separate: bool) -> Result<(), Problem>;
    /// Asks a stage to save and stop.
    fn stop(&mut self, id: NodeId);
    /// Ends a stage at once, if it can be ended.
    fn kill(&mut self, id: NodeId);
    /// Takes leave of a stage that closed; tells what its process died of, if it died.
    fn finish(&mut self, id: NodeId) -> Option<Problem>;
}

/// This machine.
pub(super) struct Local {
    program: PathBuf,
    news: Sender<(NodeId, News)>,
    running: BTreeMap<NodeId, Running>,
}

enum Running {
    Process { child: Child, log: JoinHandle<VecDeque<String>> },
    Thread { stop: Arc<AtomicBool>, thread: JoinHandle<()> },
}

impl Local {
    pub(super) fn new(program: PathBuf, news: Sender<(NodeId, News)>) -> Self {
        Self { program, news, running: BTreeMap::new() }
    }

    fn start_process(&self, id: NodeId, assignment: Assignment) -> io::Result<Running> {
        let mut child = Command::new(&self.program)
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C on the terminal goes to this process alone; it tells the workers what to do.
            .process_group(0)
            .spawn()?;
        let (Some(mut input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("its pipes are missing"));
        };
        let news = self.news.clone();
        let converse = move || {
            // Input stays open until the worker is done: its end would mean that this process is gone.
            let sent = assignment.write(&mut input);
            drop(assignment);
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Ok(answer) = serde_json::from_str(&line) {
                    let _ = news.send((id, News::Answer(answer)));
                }
            }
            drop((sent, input));
            let _ = news.send((id, News::Closed));
        };
        let spawned = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || last_lines(errors))
            .and_then(|log| std::thread::Builder::new().name("answers".to_owned()).spawn(converse).map(|_| log));
        match spawned {
            Ok(log) => Ok(Running::Process { child, log }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    fn start_thread(&self, id: NodeId, assignment: Assignment) -> io::Result<Running> {
        let stop = Arc::new(AtomicBool::new(false));
        let (news, stopped) = (self.news.clone(), stop.clone());
        let work = move || {
            let mut answer = |answer| drop(news.send((id, News::Answer(answer))));
            match Store::open(&assignment.store) {
                Ok(store) => perform(&assignment, &store, &stopped, false, &mut answer),
                Err(error) => answer(Answer::Failed { problem: Problem::from(error) }),
            }
            let _ = news.send((id, News::Closed));
        };
        let thread = std::thread::Builder::new().name("stage".to_owned()).spawn(work)?;
        Ok(Running::Thread { stop, thread })
    }
}

impl Launcher for Local {
    fn start(&mut self, id: NodeId, assignment: Assignment, separate: bool) -> Result<(), Problem> {
        let started = if separate { self.start_process(id, assignment) } else { self.start_thread(id, assignment) };
        let running = started.map_err(|error| {
            let message = format!("no process can be started for it: {error}");
            Problem::new(&execution::WORKER_UNAVAILABLE, message).help("run fewer stages at once with `--jobs`")
        })?;
        self.running.insert(id, running);
        Ok(())
    }

    fn stop(&mut self, id: NodeId) {
        match self.running.get(&id) {
            Some(Running::Process { child, .. }) => {
                if let Some(process) = rustix::process::Pid::from_raw(child.id() as i32) {
                    // It fails only if the process has ended, which will be noticed.
                    let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
                }
            }
            Some(Running::Thread { stop, .. }) => stop.store(true, Ordering::Relaxed),
            None => {}
        }
    }

    fn kill(&mut self, id: NodeId) {
        match self.running.get_mut(&id) {
            Some(Running::Process { child, .. }) => drop(child.kill()),
            Some(Running::Thread { stop, .. }) => stop.store(true, Ordering::Relaxed),
            None => {}
        }
    }

    fn finish(&mut self, id: NodeId) -> Option<Problem> {
        match self.running.remove(&id)? {
            Running::Thread { thread, .. } => {
                let _ = thread.join();
                None
            }
            Running::Process { mut child, log } => {
                let status = child.wait();
                let log = log.join().unwrap_or_default();
                status.ok().filter(|status| !status.success()).map(|status| death(status, log.into()))
            }
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        for running in std::mem::take(&mut self.running).into_values() {
            if let Running::Process { mut child, .. } = running {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

/// Describes how a process ended that gave no result.
fn death(status: ExitStatus, log: Vec<String>) -> Problem {
    let problem = match status.signal() {
        Some(9) => Problem::new(
            &execution::STAGE_KILLED,
            "its process was killed by signal 9, as the system does when memory runs out",
        )
        .help("run fewer stages at once with `--jobs 1`, or use a smaller batch"),
        Some(signal) => Problem::new(&execution::STAGE_KILLED, format!("its process was killed by signal {signal}")),
        None => {
            let code = status.code().unwrap_or(-1);
            Problem::new(&execution::STAGE_FAILED, format!("its process ended with exit code {code} and no result"))
        }
    };
    Problem { log, ..problem }
}

/// Reads a log to its end and keeps the last lines.
fn last_lines(errors: impl io::Read) -> VecDeque<String> {
    let mut lines = VecDeque::new();
    let mut reader = BufReader::new(errors);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        line.truncate(LINE_BYTES);
        lines.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    lines
}

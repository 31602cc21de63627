//! What happens during a run, told to progress displays and written to `events.jsonl`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use serde::Serialize;

use crate::graph::{Key, NodeId};
use crate::ops::run::{Problem, Progress};
use crate::store::Holder;

/// A stage as events name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StageRef {
    /// Its place in the graph.
    pub id: NodeId,
    /// Its key.
    pub key: Key,
    /// Readable name.
    pub name: Arc<str>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Execution begins.
    Began {
        /// Stages of the plan.
        stages: usize,
        /// Stages whose results are stored.
        cached: usize,
        /// Stages to run.
        run: usize,
        /// Stages that may run at the same time.
        jobs: usize,
    },
    /// A result is taken from the store.
    Cached {
        /// The stage.
        stage: StageRef,
    },
    /// A stage runs.
    Started {
        /// The stage.
        stage: StageRef,
        /// Threads it may use.
        threads: usize,
    },
    /// Training goes on from a stored point.
    Resumed {
        /// The stage.
        stage: StageRef,
        /// Iterations that are not done again.
        from: u64,
    },
    /// Another process computes the stage; its result will be used.
    Waiting {
        /// The stage.
        stage: StageRef,
        /// Who computes it.
        holder: Holder,
    },
    /// A stage is so far.
    Progress {
        /// The stage.
        stage: StageRef,
        /// How far.
        progress: Progress,
    },
    /// Something that the user should know about a stage.
    Note {
        /// The stage.
        stage: StageRef,
        /// One sentence.
        text: String,
    },
    /// A stage is done and stored.
    Finished {
        /// The stage.
        stage: StageRef,
        /// Wall-clock seconds.
        seconds: f64,
        /// Its measures.
        measures: BTreeMap<String, f64>,
    },
    /// A stage failed.
    Failed {
        /// The stage.
        stage: StageRef,
        /// Why.
        problem: Problem,
    },
    /// A stage cannot run because another failed.
    Blocked {
        /// The stage.
        stage: StageRef,
        /// The one that failed.
        by: StageRef,
    },
    /// A stage does not run, because a measured condition rules it out.
    Unneeded {
        /// The stage.
        stage: StageRef,
    },
    /// The user asked to stop.
    Stopping {
        /// Whether running stages are ended without saving.
        at_once: bool,
    },
    /// A stage stopped on request.
    Interrupted {
        /// The stage.
        stage: StageRef,
        /// Iterations saved, if it is training.
        step: Option<u64>,
    },
    /// A stored result turned out to be lost and is made again.
    Lost {
        /// What was lost, in one sentence.
        text: String,
    },
    /// Execution ended.
    Ended {
        /// Stages that ran to their end.
        finished: usize,
        /// Stages that failed.
        failed: usize,
        /// Stages that were blocked by a failure.
        blocked: usize,
        /// Whether the user stopped the run.
        interrupted: bool,
    },
}

/// `events.jsonl`: one event per line with its time.
#[derive(Debug)]
pub struct Log {
    file: io::BufWriter<File>,
    began: Instant,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    elapsed: f64,
    #[serde(flatten)]
    event: &'a Event,
}

impl Log {
    /// Starts a log, replacing an older one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: io::BufWriter::new(File::create(path)?), began: Instant::now() })
    }

    /// Adds an event and lets readers see it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let elapsed = (self.began.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        serde_json::to_writer(&mut self.file, &Line { time, elapsed, event })?;
        self.file.write_all(b"\n")?;
        self.file.flush()
    }
}

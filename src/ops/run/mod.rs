//! The worker's side of the stages: from canonical arguments and stored inputs to stored objects and measures.

pub mod notes;
mod problems;
pub(super) mod sample;
pub(super) mod state;
pub(super) mod tallies;
mod watcher;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(super) use super::Outcome;
use super::{Surroundings, Worker, stages};
use crate::diag::Code;
use crate::diag::codes::{execution, store as store_codes};
use crate::domain::arch::Arch;
use crate::domain::device::{Cuda, Device, Numerics};
use crate::graph::key::{Chain, Preimage};
use crate::graph::{Canon, Key, Trajectory};
use crate::manifest::record::Record;
use crate::nn::net::{self, Setup};
use crate::store::{Digest, Store, StoreError};
pub(super) use watcher::Watcher;

/// How far a stage is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Units that lay behind when the stage began: the first iteration of training, else 0.
    #[serde(default)]
    pub first: u64,
    /// Units done: iterations, images, ….
    pub step: u64,
    /// Units in all.
    pub total: u64,
    /// Mean loss lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Share of images classified rightly lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top1: Option<f64>,
    /// Throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images_per_second: Option<f64>,
}

impl Progress {
    /// Returns the share of the stage that is done.
    pub fn fraction(&self) -> f64 {
        let whole = self.total.saturating_sub(self.first).max(1);
        (self.step.saturating_sub(self.first) as f64 / whole as f64).min(1.0)
    }
}

/// What a running stage tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Telling {
    /// It goes on from a stored point.
    Resumed {
        /// Iterations already done.
        from: u64,
    },
    /// How far it is.
    Progress(Progress),
    /// Something its user should know.
    Note {
        /// One sentence.
        text: String,
    },
}

/// When training saves a resume point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// After so many seconds, or later where saving would take more than a fiftieth of the time.
    Seconds(f64),
    /// After so many iterations.
    Iterations(u64),
}

impl Default for Cadence {
    fn default() -> Self {
        Self::Seconds(5.0)
    }
}

/// The training part of a job.
pub struct Course {
    /// Iterations and rates.
    pub trajectory: Trajectory,
    /// Key of the trajectory's static part.
    pub base: Key,
    /// Its keys along the way.
    pub chain: Chain,
    /// When to save resume points.
    pub cadence: Cadence,
}

/// One stage at work.
pub struct Job<'a> {
    /// Its key.
    pub key: Key,
    /// What is to be done: kind, version, arguments, digests of the data.
    pub preimage: &'a Preimage,
    /// Present on training.
    pub course: Option<&'a Course>,
    /// Records of its inputs by role.
    pub inputs: &'a BTreeMap<String, Record>,
    /// Where objects are.
    pub store: &'a Store,
    /// What changes no result.
    pub surroundings: Surroundings<'a>,
    /// Takes what the stage tells.
    pub tell: &'a mut dyn FnMut(Telling),
    /// When this attempt began.
    pub began: std::time::Instant,
    /// Seconds that earlier attempts spent on what this one continues.
    pub earlier_seconds: f64,
}

/// Why a stage ended without a result.
#[derive(Debug)]
pub enum RunError {
    /// It was asked to stop, and saved what it had.
    Interrupted {
        /// Iterations done, if it is training.
        step: Option<u64>,
    },
    /// It cannot be done.
    Failed(Box<Problem>),
}

/// A problem as it travels from the stage to the user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Entry of the catalogue of diagnostics.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// An action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Digest of an object that has to be made again before a retry can succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// Last lines of the stage's log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

impl Problem {
    /// Makes a problem.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self { code: code.id.to_owned(), message: message.into(), help: None, lost: None, log: Vec::new() }
    }

    /// Sets the help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<Problem> for RunError {
    fn from(problem: Problem) -> Self {
        Self::Failed(Box::new(problem))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let lost = error.lost().map(str::to_owned);
        let (code, help) = match &error {
            StoreError::Newer { .. } => {
                (&store_codes::NEWER_STORE, "use that pdsl, or give `--store` another directory")
            }
            StoreError::NotAStore { .. } => {
                (&store_codes::NOT_A_STORE, "give `--store` a directory that is empty or does not exist")
            }
            StoreError::Damaged { .. } => (&store_codes::DAMAGED_OBJECT, "run again to make it anew"),
            StoreError::Missing { .. } => (&execution::INPUT_LOST, "run again to make it anew"),
            StoreError::Malformed { .. } => (&store_codes::MALFORMED_RECORD, "run again to make it anew"),
            StoreError::Io { .. } if error.is_full() => {
                (&store_codes::STORE_FULL, "free some space, for instance with `pdsl store gc`, and run again")
            }
            StoreError::Io { .. } if error.is_denied() => {
                (&store_codes::STORE_DENIED, "change the permissions, or give `--store` a directory of your own")
            }
            StoreError::Io { .. } => (&store_codes::STORE_IO, "run again to go on from what is stored"),
        };
        Self { lost, ..Self::new(code, error.to_string()).help(help) }
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl Job<'_> {
    /// Reads the arguments as the type that the stage was lowered from.
    pub(super) fn args<T: DeserializeOwned>(&self) -> Result<T, RunError> {
        self.preimage.args.parse().map_err(|error| {
            let message = format!("the arguments of `{}` are not understood: {error}", self.preimage.op);
            Problem::new(&execution::STAGE_FAILED, message)
                .help("use the same pdsl for planning and for running")
                .into()
        })
    }

    /// Returns what computes networks: the key says how, the surroundings on which GPUs.
    pub(super) fn device(&self) -> Device {
        let cuda = |numerics: Numerics| Cuda { indices: self.surroundings.gpus.clone(), policy: numerics.policy };
        self.preimage.numerics.map_or(Device::Cpu, |numerics| Device::Cuda(cuda(numerics)))
    }

    /// Returns the record of an input.
    pub(super) fn input(&self, role: &str) -> Result<&Record, RunError> {
        self.inputs.get(role).ok_or_else(|| {
            Problem::new(&execution::INPUT_LOST, format!("the stage has no input `{role}`"))
                .help("run again to make it anew")
                .into()
        })
    }

    /// Reads an object of an input, if the input has one in this role.
    pub(super) fn object(&self, input: &Record, role: &str) -> Result<Option<Vec<u8>>, RunError> {
        let Some(digest) = input.outcome.objects.get(role) else { return Ok(None) };
        let known = digest
            .parse::<Digest>()
            .map_err(|_| StoreError::Missing { digest: digest.clone(), name: format!("{role} of {}", input.name) })?;
        Ok(Some(self.store.get(&known)?))
    }

    /// Stores an object and returns its digest.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<String, RunError> {
        Ok(self.store.put(bytes)?.to_string())
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        (self.tell)(Telling::Note { text: text.into() });
    }

    pub(super) fn stopped(&self) -> bool {
        self.surroundings.stop.load(std::sync::atomic::Ordering::Relaxed)
    }
}

fn worker(op: &str) -> Option<&'static Worker> {
    stages::find(op)?.worker.as_ref()
}

/// Tells whether a kind of stage runs in a process of its own.
pub fn is_heavy(op: &str) -> bool {
    worker(op).is_none_or(|known| known.heavy)
}

/// What a stage needs memory for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Demand {
    /// The architecture, as it stands in the arguments.
    pub(super) arch: String,
    pub(super) batch: usize,
    /// Numbers that an optimiser remembers of each weight; `None` if nothing is learned.
    pub(super) memories: Option<u64>,
    /// A layer whose activations are looked at.
    pub(super) observe: Option<String>,
}

impl Demand {
    /// Takes images through a network, so many at a time.
    pub(super) fn of(arch: &Arch, batch: usize) -> Option<Self> {
        Some(Self { arch: serde_json::to_string(arch).ok()?, batch, memories: None, observe: None })
    }
}

/// Returns what a stage needs memory for; nothing if it is light or its arguments are not understood.
pub fn demand(op: &str, args: &Canon) -> Option<Demand> {
    (worker(op)?.demand?)(args)
}

/// Returns the bytes of memory that a demand is at its peak, on each of its devices. On the processor a training also
/// holds, while it saves, copies of weights and of what the optimiser remembers.
///
/// # Errors
/// If a layer does not fit.
pub fn peak_bytes(demand: &Demand, device: &Device, recompute: bool) -> Result<u64, crate::nn::Error> {
    let unknown = |error: serde_json::Error| crate::nn::Error::Checkpoint(error.to_string());
    let arch: Arch = serde_json::from_str(&demand.arch).map_err(unknown)?;
    let setup = match &demand.memories {
        Some(_) => Setup { recompute, ..Setup::train(demand.batch, 1) },
        None => Setup::evaluate(demand.batch, 1),
    };
    let setup = Setup { observe: demand.observe.iter().cloned().collect(), ..setup.on(device) };
    let bytes = net::needed_bytes(&arch, &setup, demand.memories.unwrap_or(0) as usize)?;
    if *device != Device::Cpu {
        return Ok(bytes);
    }
    let images = (setup.batch * arch.input.values()) as u64;
    // Tensors and their file, of weights and of each memory; or the weights that were read.
    let copies = demand.memories.map_or(1, |memories| 2 * (1 + memories));
    Ok(bytes + 4 * (images + copies * arch.survey()?.parameter_count()))
}

/// Computes a stage.
///
/// # Errors
/// If it was asked to stop, or cannot be done.
pub fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let Some(worker) = worker(&job.preimage.op) else {
        let message = format!("this pdsl cannot run stages of the kind `{}`", job.preimage.op);
        return Err(Problem::new(&execution::STAGE_FAILED, message).into());
    };
    (worker.run)(job)
}

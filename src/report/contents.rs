//! What a report is made from.

use crate::value::output::{Cell, ClaimSpec, PlotSpec, TableSpec};

/// Everything a report shows.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Name of the experiment's file as the user wrote it.
    pub file: String,
    /// The file's `//!` text; its first sentence becomes the title.
    pub docs: String,
    /// The experiment's text.
    pub source: String,
    /// How it was run.
    pub run: RunFacts,
    /// Parameters in source order.
    pub params: Vec<Parameter>,
    /// Tables in source order.
    pub tables: Vec<Entry<TableSpec<Cell>>>,
    /// Plots in source order.
    pub plots: Vec<Entry<PlotSpec<Cell>>>,
    /// Claims in source order.
    pub claims: Vec<Claim>,
    /// Expectations in source order; one that does not hold voids every claim.
    pub expectations: Vec<Expectation>,
    /// Every stage was a small trial: claims are judged only to try that too. What a trial's claims are marked with.
    pub smoke: Option<&'static str>,
    /// What readers should know before they believe the numbers.
    pub warnings: Vec<Warning>,
    /// Stages in the order of the plan.
    pub stages: Vec<Stage>,
    /// What the results rest on: versions, data digests, in the order to show them.
    pub provenance: Vec<(String, String)>,
}

impl Contents {
    /// Whether an expectation is not met; a trial meets none and need not.
    pub fn expects_more(&self) -> bool {
        self.smoke.is_none() && self.expectations.iter().any(|expect| expect.gate != Gate::Met)
    }
}

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
}

/// A named output.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    /// Its name, which is also its file's stem.
    pub name: String,
    /// Its `///` text, if any.
    pub docs: String,
    /// Where it is defined.
    pub place: Option<Place>,
    /// What it shows.
    pub spec: T,
}

/// A claim.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its sentence.
    pub text: String,
    /// Where it is made.
    pub place: Option<Place>,
    /// The comparison.
    pub spec: ClaimSpec<Cell>,
}

/// Whether an expectation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It holds.
    Met,
    /// It does not.
    Failed,
    /// A stage that it reads has no result.
    Unknown,
}

/// An `expect`.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Its condition as written.
    pub text: String,
    /// Where it stands.
    pub place: Option<Place>,
    /// The outcome.
    pub gate: Gate,
    /// The values on both sides, in words; may be empty.
    pub detail: String,
}

/// Something that speaks against taking the numbers as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// One sentence.
    pub text: String,
    /// What to do about it; may be empty.
    pub help: String,
    /// Where it was seen: stages with their numbers.
    pub seen: Vec<String>,
}

/// A parameter and the value it had.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value as the language writes it.
    pub value: String,
    /// Its `///` text.
    pub docs: String,
    /// The value comes from the command line or a profile, not from the file.
    pub overridden: bool,
}

/// How the experiment was run.
#[derive(Clone, Debug, Default)]
pub struct RunFacts {
    /// Version of pdsl.
    pub version: String,
    /// The command as typed.
    pub command: String,
    /// When the run began, e.g. `2026-01-31 14:03:10 UTC`.
    pub started: String,
    /// Wall-clock seconds of the run.
    pub seconds: f64,
    /// Name of the machine.
    pub host: String,
    /// Processor, device, threads, in words.
    pub device: String,
    /// Seeds in use, in words; empty if there are none.
    pub seeds: String,
}

/// What became of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageStatus {
    /// A measured condition ruled it out.
    Unneeded,
    /// Its result was in the store.
    Cached,
    /// It ran.
    Done,
    /// It failed.
    Failed,
    /// It reads a stage that has no result.
    Blocked,
    /// It was stopped or its turn never came.
    NotRun,
}

/// One stage of the run.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Readable name, e.g. `train round 3 · seed 2`.
    pub name: String,
    /// Kind of stage.
    pub op: String,
    /// Key in hexadecimal.
    pub key: String,
    /// What became of it.
    pub status: StageStatus,
    /// Seconds it took when it ran, now or earlier.
    pub seconds: Option<f64>,
    /// Where the program asks for it.
    pub place: Option<Place>,
    /// Why it failed, or what blocks it.
    pub message: Option<String>,
}

//! What evaluation knows before anything runs, found in a thread of its own while nobody waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::AtHand;
use crate::cli::figures;
use crate::diag::Diagnostic;
use crate::domain::arch::Arch;
use crate::eval::values::Values;
use crate::eval::{self, Program};
use crate::graph::{Graph, NodeId};
use crate::source::Span;
use crate::types::Typed;
use crate::value::{Network, Value, repr};

/// Evaluation waits so long for the next key.
const PAUSE: Duration = Duration::from_millis(150);

/// A program, evaluated.
#[derive(Debug)]
pub struct Facts {
    /// Values of the names at top level.
    pub values: Values,
    graph: Graph,
    /// Stages by the call that asks for them.
    stages: BTreeMap<Span, Vec<NodeId>>,
}

/// What stages amount to.
pub(super) struct Cost {
    pub(super) stages: usize,
    epochs: f64,
    macs: u64,
    bytes: u64,
}

impl Cost {
    /// Writes the cost in words: "3 stages: 24 epochs, 1.2e12 MACs, 3.40 MB".
    pub(super) fn text(&self) -> String {
        let mut parts = Vec::new();
        if self.epochs > 0.0 {
            parts.push(format!("{} epochs", (self.epochs * 100.0).round() / 100.0));
        }
        if self.macs > 0 {
            parts.push(format!("{} MACs", engineering(self.macs)));
        }
        parts.push(figures::bytes(self.bytes));
        format!("{}: {}", figures::counted(self.stages, "stage"), parts.join(", "))
    }

    /// Writes the cost of trainings beside their call.
    pub(super) fn hint(&self) -> Option<String> {
        let times = if self.stages == 1 { String::new() } else { format!("{} × ", self.stages) };
        let each = (self.epochs / self.stages.max(1) as f64 * 100.0).round() / 100.0;
        (self.epochs > 0.0).then(|| format!("{times}{each}ep, {} MACs", engineering(self.macs)))
    }
}

/// Writes a large number as plans do: `338.9e9`.
fn engineering(number: u64) -> String {
    let mut value = number as f64;
    let mut exponent = 0;
    while value >= 1000.0 {
        value /= 1000.0;
        exponent += 3;
    }
    if exponent == 0 { number.to_string() } else { format!("{value:.1}e{exponent}") }
}

impl Facts {
    pub(super) fn of(program: Program) -> Self {
        let mut stages: BTreeMap<Span, Vec<NodeId>> = BTreeMap::new();
        for (id, node) in program.graph.iter() {
            for origin in &node.origins {
                for span in [origin.span].iter().chain(&origin.trail) {
                    let list = stages.entry(*span).or_default();
                    if list.last() != Some(&id) {
                        list.push(id);
                    }
                }
            }
        }
        Self { values: program.values, graph: program.graph, stages }
    }

    /// Returns what the stages amount to that a call asks for, itself or by what it calls.
    pub(super) fn cost(&self, call: Span) -> Option<Cost> {
        let ids = self.stages.get(&call)?;
        let facts = || ids.iter().map(|id| &self.graph.node(*id).facts);
        Some(Cost {
            stages: ids.len(),
            epochs: facts().filter_map(|facts| facts.epochs).sum(),
            macs: facts().filter_map(|facts| facts.macs).fold(0, u64::saturating_add),
            bytes: facts().map(|facts| facts.bytes).sum(),
        })
    }

    /// Returns every call that asks for a training by itself.
    pub(super) fn trainings(&self) -> Vec<Span> {
        let trains = |ids: &[NodeId]| ids.iter().any(|id| self.graph.node(*id).facts.epochs.is_some_and(|e| e > 0.0));
        let own: BTreeSet<Span> =
            self.graph.iter().flat_map(|(_, node)| node.origins.iter().map(|origin| origin.span)).collect();
        self.stages.iter().filter(|(span, ids)| own.contains(span) && trains(ids)).map(|(span, _)| *span).collect()
    }

    /// Returns the networks of the program, each once.
    pub(super) fn networks(&self) -> Vec<Arc<Network>> {
        #[derive(serde::Deserialize)]
        struct WithArch {
            arch: Arch,
        }
        let mut seen: Vec<Arch> = Vec::new();
        let first = self.graph.iter().filter(|(_, node)| matches!(node.op, "init" | "load"));
        for (_, node) in first {
            if let Ok(WithArch { arch }) = node.args.parse()
                && !seen.contains(&arch)
            {
                seen.push(arch);
            }
        }
        seen.into_iter().filter_map(|arch| Network::new(arch).ok().map(Arc::new)).collect()
    }

    /// Describes a value at top level: itself, and for networks what is left of them and what they cost.
    pub(super) fn describe(&self, name: &str) -> Option<String> {
        let value = self.values.get(name)?;
        match value {
            Value::Function(_) | Value::Table(_) | Value::Plot(_) | Value::Verdict(_) => None,
            Value::State(state) => {
                let facts = &state.facts;
                let survey = &facts.network.survey;
                let mut lines = vec![format!("`{}`", repr::repr(value))];
                let all = survey.prunable_count();
                if let Some(kept) = facts.kept.total {
                    let (kept, all) = (figures::grouped(kept), figures::grouped(all));
                    lines.push(format!("{kept} of {all} prunable weights"));
                }
                if let Some(course) = facts.course {
                    let epochs = facts.step as f64 / course.per_epoch.max(1) as f64;
                    lines.push(format!("trained for {} epochs", (epochs * 100.0).round() / 100.0));
                }
                lines.push(self.path_cost(state.node).text());
                Some(lines.join("  \n"))
            }
            Value::Arch(network) => Some(format!(
                "{} parameters, {} prunable, {} MACs per image",
                figures::grouped(network.survey.parameter_count()),
                figures::grouped(network.survey.prunable_count()),
                figures::grouped(network.survey.macs()),
            )),
            Value::Rows(rows) => Some(format!(
                "{} of {}",
                figures::counted(rows.height(), "row"),
                figures::counted(rows.columns.len(), "column")
            )),
            other => {
                let text = repr::repr(other);
                (text != repr::kind(other)).then(|| format!("`{text}`"))
            }
        }
    }

    /// What all stages amount to that lead to one.
    fn path_cost(&self, id: NodeId) -> Cost {
        let mut seen = BTreeSet::from([id]);
        let mut open = vec![id];
        while let Some(at) = open.pop() {
            let inputs = self.graph.node(at).inputs.iter().map(|(_, input)| *input);
            open.extend(inputs.filter(|input| seen.insert(*input)));
        }
        let facts = || seen.iter().map(|id| &self.graph.node(*id).facts);
        Cost {
            stages: seen.len(),
            epochs: facts().filter_map(|facts| facts.epochs).sum(),
            macs: facts().filter_map(|facts| facts.macs).fold(0, u64::saturating_add),
            bytes: facts().map(|facts| facts.bytes).sum(),
        }
    }
}

/// A program to evaluate.
pub(super) struct Job {
    pub(super) document: String,
    /// Counts the analyses of the document.
    pub(super) generation: u64,
    pub(super) path: PathBuf,
    pub(super) typed: Arc<Typed>,
}

/// What an evaluation came to.
pub(super) struct Evaluated {
    pub(super) document: String,
    pub(super) generation: u64,
    pub(super) facts: Option<Arc<Facts>>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Evaluates what comes in, the latest version of each document only, until nobody sends any more.
pub(super) fn evaluate_all(jobs: &Receiver<Job>, done: &Sender<Evaluated>, at_hand: &AtHand<'_>) {
    let mut waiting: BTreeMap<String, Job> = BTreeMap::new();
    loop {
        let next = if waiting.is_empty() {
            jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            jobs.recv_timeout(PAUSE)
        };
        match next {
            Ok(job) => drop(waiting.insert(job.document.clone(), job)),
            Err(RecvTimeoutError::Timeout) => {
                let Some((_, job)) = waiting.pop_first() else { continue };
                let (program, diagnostics) = eval::examine(&job.typed, &*at_hand(&job.path));
                let facts = program.map(|program| Arc::new(Facts::of(program)));
                let (document, generation) = (job.document, job.generation);
                if done.send(Evaluated { document, generation, facts, diagnostics }).is_err() {
                    return;
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

//! Networks, and what is known about their states before anything runs.

use std::sync::Arc;

use crate::domain::arch::{Arch, ArchError, Survey};
use crate::domain::data::Task;
use crate::domain::pruning::Gradual;
use crate::domain::seed::Seed;
use crate::graph::{NodeId, Shared, Trajectory};
use crate::source::Span;
use crate::syntax::tree::Exact;

use super::Recipe;

/// An architecture and what follows from it.
#[derive(Debug)]
pub struct Network {
    /// The layers.
    pub arch: Shared<Arch>,
    /// Parameters and shapes.
    pub survey: Survey,
    /// The call in a program that made it, for messages.
    pub made: Option<Span>,
}

impl Network {
    /// Surveys an architecture.
    ///
    /// # Errors
    /// If a layer does not fit.
    pub fn new(arch: Arch) -> Result<Self, ArchError> {
        let survey = arch.survey()?;
        Ok(Self { arch: Shared::new(arch), survey, made: None })
    }

    /// Returns the bytes of a checkpoint: every entry of the state dict in four bytes an element.
    pub fn checkpoint_bytes(&self) -> u64 {
        self.survey.parameters.iter().map(|entry| 4 * entry.elements() as u64).sum()
    }
}

/// How steps relate to each other in a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Course {
    /// Iterations of one epoch.
    pub per_epoch: u64,
    /// Images of one iteration, if known.
    pub batch: Option<u64>,
}

/// A network at a point of its life: a stage and what is known about its result.
#[derive(Clone, Debug)]
pub struct State {
    /// The stage that produces it.
    pub node: NodeId,
    /// What is known.
    pub facts: Arc<StateFacts>,
}

/// What is known about a state before anything runs.
#[derive(Clone, Debug)]
pub struct StateFacts {
    /// The network.
    pub network: Arc<Network>,
    /// How many weights are left.
    pub kept: Kept,
    /// The seed it was initialised with; `None` for weights from a file.
    pub seed: Option<Arc<Seed>>,
    /// Iterations trained so far.
    pub step: u64,
    /// What an epoch was in its training.
    pub course: Option<Course>,
    /// How often it was pruned.
    pub round: u32,
    /// The stage that made the initial weights.
    pub initial: NodeId,
    /// The training that it is a point of, if it comes directly from one.
    pub training: Option<Arc<Training>>,
}

/// How many prunable weights are left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// In all layers together; `None` if only the run will tell.
    pub total: Option<u64>,
    /// In each prunable parameter, in the survey's order; `None` if only the run will tell.
    pub layers: Option<Arc<[u64]>>,
}

impl Kept {
    /// Describes a network with all its weights.
    pub fn dense(network: &Network) -> Self {
        let layers: Arc<[u64]> = network.survey.prunable().map(|entry| entry.elements() as u64).collect();
        Self { total: Some(layers.iter().sum()), layers: Some(layers) }
    }
}

/// A training.
#[derive(Debug)]
pub struct Training {
    /// What was learned.
    pub task: Arc<Task>,
    /// How.
    pub recipe: Arc<Recipe>,
    /// Source of the order of images.
    pub order: Arc<Seed>,
    /// What an epoch is.
    pub course: Course,
    /// Where it started from.
    pub input: State,
    /// Iterations and rates.
    pub trajectory: Trajectory,
    /// How weights were removed on the way, if they were.
    pub gradual: Option<Gradual>,
    /// Where its end is written.
    pub until: Span,
}

impl StateFacts {
    /// Returns the share of prunable weights that are gone; `None` if only the run will tell.
    pub fn sparsity(&self) -> Option<Exact> {
        let all = self.network.survey.prunable_count();
        let kept = self.kept.total?;
        if all == 0 {
            return Some(Exact::from_integer(0));
        }
        Some(Exact::new(i128::from(all) - i128::from(kept), i128::from(all)))
    }
}

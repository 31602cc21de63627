//! From a call in the language to a stage of the graph: what stages ask of the evaluator, and what they share.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::Op;
use crate::diag::codes::evaluation as codes;
use crate::diag::{Diagnostic, suggest};
use crate::domain::data::{DataSet, Probe};
use crate::graph::{Canon, Facts, NodeId, Trajectory};
use crate::source::Span;
use crate::value::{Course, Evaluated, Network, Recipe, State, Stop, Tallied, Value, repr};

/// External data that a stage reads.
#[derive(Clone, Copy, Debug)]
pub enum External<'a> {
    /// Labelled images.
    Data(&'a DataSet),
    /// Images with labelled pixels.
    Probe(&'a Probe),
}

impl<'a> External<'a> {
    /// Returns the name under which keys mention it.
    pub fn name(&self) -> &'a str {
        match *self {
            Self::Data(DataSet::Digits) => "digits",
            Self::Data(DataSet::Shapes(_)) | Self::Probe(Probe::Shapes(_)) => "shapes",
            Self::Data(DataSet::Excerpt { of, .. }) => External::Data(of).name(),
            Self::Data(DataSet::Stored { name } | DataSet::StandIn { name })
            | Self::Probe(Probe::Broden { name, .. }) => name,
        }
    }
}

/// What a stage may ask of the evaluator while it is lowered.
pub trait Lowering {
    /// Adds the stage to the graph.
    fn push(&mut self, stage: Stage) -> NodeId;
    /// Returns the digest of external data, if it is at hand.
    fn digest(&mut self, data: External<'_>) -> Option<String>;
    /// Returns the digest of a file of weights, named relative to the program.
    ///
    /// # Errors
    /// If it cannot be read.
    fn weights(&mut self, file: &str, span: Span) -> Evaluated<String>;
    /// Samples the learning rate of a recipe at the iterations from `start` to `until`.
    ///
    /// # Errors
    /// If the schedule fails, or gives anything but numbers from 0.
    fn rates(&mut self, recipe: &Recipe, course: Course, start: u64, until: u64, span: Span) -> Evaluated<Arc<[f64]>>;

    /// Samples a schedule of sparsities at one iteration.
    ///
    /// # Errors
    /// If the schedule fails.
    fn sparsity(&mut self, schedule: &Value, course: Course, at: u64, span: Span) -> Evaluated<Value>;
}

/// A stage before it is in the graph.
#[derive(Debug)]
pub struct Stage {
    /// Its kind.
    pub op: &'static Op,
    /// Canonical arguments.
    pub args: Canon,
    /// Inputs by role.
    pub inputs: Vec<(Arc<str>, NodeId)>,
    /// Present on training.
    pub trajectory: Option<Trajectory>,
    /// Digests of external data.
    pub data: BTreeMap<String, Option<String>>,
    /// First words of its readable name.
    pub title: String,
    /// How often its result was pruned.
    pub round: u32,
    /// What is known before running; the name is filled in when it is pushed.
    pub facts: Facts,
}

impl Stage {
    /// Starts a stage from its typed arguments.
    ///
    /// # Errors
    /// If the arguments hold a number that is not finite.
    pub fn new(op: &'static Op, args: &impl Serialize, call: Span) -> Evaluated<Self> {
        let args = Canon::of(args).ok_or_else(|| {
            Diagnostic::error(&codes::BAD_ARGUMENT, format!("an argument of `{}` is not a finite number", op.name))
                .label(call, "in this call")
                .help("look for a division by zero in its arguments")
        })?;
        Ok(Self {
            op,
            args,
            inputs: Vec::new(),
            trajectory: None,
            data: BTreeMap::new(),
            title: op.name.to_owned(),
            round: 0,
            facts: Facts::default(),
        })
    }

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, role: impl Into<Arc<str>>, node: NodeId) -> Self {
        self.inputs.push((role.into(), node));
        self
    }

    /// Adds external data.
    #[must_use]
    pub fn reads(mut self, lowering: &mut dyn Lowering, data: External<'_>) -> Self {
        self.data.insert(data.name().to_owned(), lowering.digest(data));
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Serialize) -> Self {
        if let Some(value) = Canon::of(&value) {
            self.facts.more.insert(name.to_owned(), value);
        }
        self
    }

    /// Adds what every stage on a state knows: counts of its network, rounds of pruning.
    #[must_use]
    pub fn describe(mut self, network: &Network, kept: Option<u64>, round: u32) -> Self {
        self.round = round;
        let stage = self
            .fact("parameters", network.survey.parameter_count())
            .fact("prunable", network.survey.prunable_count())
            .fact("macs", network.survey.macs());
        match kept {
            Some(kept) => stage.fact("kept", kept),
            None => stage,
        }
    }
}

/// An argument and where it is written.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its value.
    pub value: Value,
    /// The expression, or the call where the default is taken.
    pub span: Span,
    /// It was written; otherwise it is the default.
    pub given: bool,
}

/// The arguments of a call, in the order of the formal parameters.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// What is called.
    pub name: Arc<str>,
    /// Where.
    pub call: Span,
    /// One per formal parameter.
    pub values: Vec<Argument>,
}

/// Declares accessors for one kind of value.
macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident: $pattern:pat => $value:expr, $ty:ty, $wanted:literal;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// If it is something else.
            pub fn $name(&self, at: usize) -> Evaluated<$ty> {
                match &self.at(at).value {
                    $pattern => Ok($value),
                    other => Err(self.mismatch(at, $wanted, other)),
                }
            }
        )*
    };
}

impl Arguments {
    /// Returns an argument; a missing one reads as nothing.
    pub fn at(&self, at: usize) -> &Argument {
        static NOTHING: Argument = Argument {
            value: Value::Nothing,
            span: Span { file: crate::source::FileId(0), start: 0, end: 0 },
            given: false,
        };
        self.values.get(at).unwrap_or(&NOTHING)
    }

    /// Returns where an argument is written.
    pub fn span(&self, at: usize) -> Span {
        self.values.get(at).map_or(self.call, |argument| argument.span)
    }

    /// Returns whether an argument was written.
    pub fn given(&self, at: usize) -> bool {
        let argument = self.at(at);
        argument.given && !matches!(argument.value, Value::Nothing)
    }

    /// Reports an argument of the wrong kind.
    pub fn mismatch(&self, at: usize, wanted: &str, found: &Value) -> Stop {
        Diagnostic::error(&codes::MISMATCH, format!("`{}` needs {wanted} here, not {}", self.name, repr::kind(found)))
            .label(self.span(at), format!("this is {}", repr::kind(found)))
            .into()
    }

    /// Reports an argument that cannot be used.
    pub fn refuse(&self, at: usize, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        Diagnostic::error(&codes::BAD_ARGUMENT, message).label(self.span(at), label)
    }

    accessors! {
        /// Returns a state.
        state: Value::State(state) => state.clone(), State, "a state";
        /// Returns a network.
        network: Value::Arch(network) => network.clone(), Arc<Network>, "an architecture";
        /// Returns a seed.
        seed: Value::Seed(seed) => seed.clone(), Arc<crate::domain::seed::Seed>, "a seed";
        /// Returns a task.
        task: Value::Task(task) => task.clone(), Arc<crate::domain::data::Task>, "a task";
        /// Returns a recipe.
        recipe: Value::Recipe(recipe) => recipe.clone(), Arc<Recipe>, "a recipe";
        /// Returns a pruner.
        pruner: Value::Pruner(pruner) => pruner.clone(), Arc<crate::domain::pruning::Pruner>, "a pruner";
        /// Returns a probe.
        probe: Value::Probe(probe) => probe.clone(), Arc<Probe>, "a probe";
        /// Returns a text.
        text: Value::Str(text) => text.clone(), Arc<str>, "a text";
        /// Returns a step.
        step: Value::Step(step) => step.clone(), Arc<crate::value::Step>, "a step";
        /// Returns a ratio.
        ratio: Value::Ratio(ratio) => *ratio, crate::syntax::tree::Exact, "a ratio";
        /// Returns a truth value.
        truth: Value::Bool(value) => *value, bool, "a truth value";
        /// Returns a whole number.
        int: Value::Int(value) => *value, i64, "an integer";
    }

    /// Returns a number.
    ///
    /// # Errors
    /// If it is something else.
    pub fn float(&self, at: usize) -> Evaluated<f64> {
        let value = &self.at(at).value;
        value.number().ok_or_else(|| self.mismatch(at, "a number", value))
    }

    /// Returns a dissection.
    ///
    /// # Errors
    /// If it is something else.
    pub fn tallied(&self, at: usize) -> Evaluated<Arc<Tallied>> {
        let value = &self.at(at).value;
        let tallies = if let Value::Record(record) = value { record.get("tallies") } else { None };
        match tallies {
            Some(Value::Tallies(tallied)) => Ok(tallied.clone()),
            _ => Err(self.mismatch(at, "a dissection", value)),
        }
    }

    /// Returns a list of names, in an order of their own.
    ///
    /// # Errors
    /// If it is something else.
    pub fn names(&self, at: usize) -> Evaluated<Vec<String>> {
        let value = &self.at(at).value;
        let Value::List(items) = value else { return Err(self.mismatch(at, "a list of names", value)) };
        let mut names = Vec::new();
        for item in items.iter() {
            let Value::Str(name) = item else { return Err(self.mismatch(at, "a list of names", item)) };
            names.push(name.to_string());
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Returns a count from `least` on.
    ///
    /// # Errors
    /// If it is something else.
    pub fn count(&self, at: usize, what: &str, least: u64) -> Evaluated<u64> {
        let value = self.int(at)?;
        match u64::try_from(value) {
            Ok(count) if count >= least && count <= 1 << 40 => Ok(count),
            _ => Err(self
                .refuse(at, format!("{what} is {value}, but must be at least {least}"), format!("{value}"))
                .help(format!("give a number from {least} on"))
                .into()),
        }
    }
}

/// Adds the nearest of the known names as help, or all of them if they are few.
pub fn did_you_mean<'a>(
    diagnostic: Diagnostic,
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Diagnostic {
    if let Some(question) = suggest::question(word, known.clone()) {
        return diagnostic.help(question);
    }
    let all: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
    match all.len() {
        0 => diagnostic,
        1..=12 => diagnostic.help(format!("there is {}", all.join(", "))),
        _ => diagnostic.help(format!("there is {}, …", all[..8].join(", "))),
    }
}

//! `prune`: a mask that removes more weights.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::train::check_fit;
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::diag::codes::execution;
use crate::domain::arch::Arch;
use crate::domain::data::Split;
use crate::domain::dissection::Scoring;
use crate::domain::pruning::{Pruner, Score};
use crate::graph::{Canon, Node, Shared};
use crate::nn::dissect;
use crate::nn::mask::{self, Mask};
use crate::nn::prune::{self, Sources};
use crate::ops::counting;
use crate::ops::lowering::{Arguments, External, Lowering, Stage, did_you_mean};
use crate::ops::run::state::{MASK, WEIGHTS, refer};
use crate::ops::run::{Job, Outcome, Problem, RunError, notes, tallies};
use crate::ops::smoke::{self, Small};
use crate::ops::{Op, Worker};
use crate::source::Span;
use crate::value::{Evaluated, Network, State, StateFacts, Value};

/// Arguments of `prune`. Inputs: `state`; `initial` where the score reads the initial weights. It reads the data of the
/// samples where the score reads gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PruneArgs {
    /// The network.
    pub arch: Shared<Arch>,
    /// What goes.
    pub pruner: Pruner,
    /// Where concepts are read from, if the score reads them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concepts: Option<Concepts>,
}

/// A dissection as a source of scores. Input: `concepts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concepts {
    /// The dissected layer.
    pub layer: String,
    /// How counts become concepts.
    pub scoring: Scoring,
}

/// The stage.
pub static OP: Op = Op {
    name: "prune",
    module: "prelude",
    version: 1,
    signature: "fn prune(s: State, by: Pruner, concepts: Dissected = none) -> State",
    doc: "Removes weights: the same weights under a smaller mask. `concepts` is the dissection that criteria with `p.concept` \
          read.",
    example: "import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude}

let task = digits()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 2ep)
let pruned = dense |> prune(global_magnitude(20%))
",
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: Some(shrink), run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, pruner) = (arguments.state(0)?, arguments.pruner(1)?);
    let before = &state.facts;
    check_keep(&before.network, &pruner.keep, arguments.span(1))?;
    let kept =
        counting::after(&before.network, &before.kept, &pruner).map_err(|problem| refuse(&problem, arguments))?;
    let concepts = concepts(&before.network, &pruner, arguments)?;
    let args = PruneArgs { arch: before.network.arch.clone(), pruner: (*pruner).clone(), concepts };
    let round = before.round + 1;
    let mut stage =
        Stage::new(&OP, &args, arguments.call)?.input("state", state.node).describe(&before.network, kept.total, round);
    if pruner.reads(&Score::Initial) {
        stage = stage.input("initial", before.initial);
    }
    if args.concepts.is_some() {
        stage = stage.input("concepts", arguments.tallied(2)?.node);
    }
    if pruner.reads_loss() {
        let Some(samples) = &pruner.samples else { return Err(no_samples(arguments).into()) };
        check_fit(&before.network, &samples.task, arguments.span(1))?;
        stage = stage.reads(lowering, External::Data(&samples.task.data));
        let passes = if pruner.reads(&Score::HessianGradient) { 9 } else { 3 };
        let images = (samples.batch * samples.batches) as u64;
        stage.facts.macs = before.network.survey.macs().checked_mul(passes * images);
    }
    stage.facts.bytes = before.network.survey.prunable_count().div_ceil(8);
    let node = lowering.push(stage);
    let facts = StateFacts { kept, round, training: None, ..(**before).clone() };
    Ok(Value::State(State { node, facts: Arc::new(facts) }))
}

/// Reads the dissection that scores read, if they do.
fn concepts(network: &Network, pruner: &Pruner, arguments: &Arguments) -> Evaluated<Option<Concepts>> {
    match (pruner.reads(&Score::Concept), arguments.given(2)) {
        (false, false) => Ok(None),
        (true, false) => Err(arguments
            .refuse(1, "the criterion reads concepts, but no dissection is given to take them of", "needs a dissection")
            .help("give one: `prune(…, concepts: netdissect(s, layer: \"layer4\", data: probe))`")
            .into()),
        (false, true) => Err(arguments
            .refuse(2, "this pruner reads no concepts, so a dissection changes nothing", "needs no dissection")
            .help("leave out `concepts`, or score by `p.concept`")
            .into()),
        (true, true) => {
            let tallied = arguments.tallied(2)?;
            if tallied.state.facts.network.arch != network.arch {
                return Err(Diagnostic::error(&codes::OTHER_NETWORK, "the dissected network is not the one to prune")
                    .label(arguments.span(2), "a dissection of another architecture")
                    .help("dissect the state that is pruned, or another of its network")
                    .into());
            }
            Ok(Some(Concepts { layer: tallied.layer.to_string(), scoring: tallied.scoring }))
        }
    }
}

fn no_samples(arguments: &Arguments) -> Diagnostic {
    arguments
        .refuse(1, "the criterion reads gradients, but no images are named to take them of", "needs images")
        .help(
            "name them: `pruner(…) |> sampled(task, seed: seed.samples)`; `imp` takes no pruner, but `iteratively` of \
             `std.prune` does: `dense |> iteratively(pruner(…, remove: 20%) |> sampled(task, seed: seed.samples), rounds: \
             4, after: s => rewind_and_retrain(s, dense, k: 1ep))`",
        )
}

fn refuse(problem: &counting::Problem, arguments: &Arguments) -> Diagnostic {
    Diagnostic::error(&codes::CANNOT_PRUNE, problem.message.clone())
        .label(arguments.span(1), problem.label.clone())
        .help(problem.help.clone())
}

/// Checks that parameters to keep exist.
///
/// # Errors
/// Names the first that does not.
pub(super) fn check_keep(network: &Network, keep: &[String], span: Span) -> Evaluated<()> {
    let known: Vec<&str> = network.survey.prunable().map(|entry| entry.name.as_str()).collect();
    for name in keep {
        if !known.contains(&name.as_str()) {
            let message = format!("the network has no prunable parameter `{name}` to keep");
            let diagnostic =
                Diagnostic::error(&codes::UNKNOWN_PARAMETER, message).label(span, format!("keeps `{name}`"));
            return Err(did_you_mean(diagnostic, name, known.iter().copied()).into());
        }
    }
    Ok(())
}

fn shrink(small: &Small, node: &mut Node) -> Option<()> {
    let mut known: PruneArgs = node.args.parse().ok()?;
    if let Some(samples) = &mut known.pruner.samples {
        (samples.batch, samples.batches) = (samples.batch.min(smoke::BATCH), 1);
        samples.task = small.task(&samples.task, samples.batch, node);
    }
    node.args = Canon::of(&PruneArgs { arch: small.arch(&known.arch), ..known })?;
    Some(())
}

/// Object role of what is left in each layer.
const LAYERS: &str = "layers";

/// What is left in one parameter.
#[derive(Serialize)]
struct Layer<'a> {
    name: &'a str,
    kept: u64,
    total: u64,
}

/// Removes weights.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: PruneArgs = job.args()?;
    let state = job.state("state")?;
    let initial = match job.inputs.get("initial") {
        Some(record) => Some(job.weights(record)?),
        None => None,
    };
    let images = match args.pruner.samples.as_ref().filter(|_| args.pruner.reads_loss()) {
        Some(samples) => Some(job.images(&samples.task, Split::Train)?),
        None => None,
    };
    let concepts = match &args.concepts {
        Some(concepts) => Some(by_parameter(job, &args.arch, concepts)?),
        None => None,
    };
    let sources = Sources {
        initial: initial.as_ref(),
        images: images.as_deref(),
        concepts: concepts.as_ref(),
        threads: job.surroundings.threads,
    };
    let survey = args.arch.survey().map_err(crate::nn::Error::from)?;
    let pruned = match prune::prune(&args.arch, &state.weights, state.mask.as_ref(), &args.pruner, sources) {
        // Among few weights, rounding can leave one less than a sparsity asks for that was reached before.
        Err(error) if error.leaves_too_few() && job.preimage.smoke.is_some() => {
            state.mask.clone().unwrap_or_else(|| Mask::ones(&survey))
        }
        other => other?,
    };
    if state.mask.is_none() {
        notes::on_unlike_layers(job, &survey, &args.pruner, &state.weights);
    }
    notes::on_collapse(job, &survey, state.mask.as_ref(), &pruned);
    let layers: Vec<Layer<'_>> = pruned.counts().map(|(name, kept, total)| Layer { name, kept, total }).collect();
    let layers = serde_json::to_vec(&layers)
        .map_err(|error| Problem::new(&execution::STAGE_FAILED, format!("the layers cannot be listed: {error}")))?;
    let mut outcome = Outcome::default();
    refer(&mut outcome, job.input("state")?, WEIGHTS);
    outcome.objects.insert(MASK.to_owned(), job.put(&mask::encode(&pruned))?);
    outcome.objects.insert(LAYERS.to_owned(), job.put(&layers)?);
    outcome.measures.insert("kept".to_owned(), pruned.kept() as f64);
    outcome.measures.insert("total".to_owned(), pruned.total() as f64);
    Ok(outcome)
}

/// Gives every filter whose output is a dissected unit the unit's best IoU.
fn by_parameter(job: &Job<'_>, arch: &Arch, concepts: &Concepts) -> Result<prune::Concepts, RunError> {
    let tallies = tallies::read(job, "concepts")?;
    let units = dissect::score(&tallies, &concepts.scoring).units;
    let values: Vec<f32> = units.iter().map(|unit| unit.score() as f32).collect();
    Ok(arch.writers(&concepts.layer).into_iter().map(|name| (name, values.clone())).collect())
}

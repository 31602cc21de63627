//! `prune`: a mask that removes more weights.

use serde::{Deserialize, Serialize};

use super::Op;
use super::counting;
use super::lowering::{Arguments, External, Lowering, Stage, did_you_mean};
use super::train::check_fit;
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::domain::arch::Arch;
use crate::domain::dissection::Scoring;
use crate::domain::pruning::{Pruner, Score};
use crate::graph::Shared;
use crate::source::Span;
use crate::value::{Evaluated, Network, State, StateFacts, Value};
use std::sync::Arc;

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
    heavy: false,
    lower,
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
        .help("name them: `pruner(…) |> sampled(task, seed: seed)`")
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

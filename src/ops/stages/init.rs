//! `init`: a network with fresh weights.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::arch::Arch;
use crate::domain::seed::Seed;
use crate::graph::{Canon, Node, Shared};
use crate::nn::init;
use crate::ops::lowering::{Arguments, Lowering, Stage};
use crate::ops::run::state::WEIGHTS;
use crate::ops::run::{Job, Outcome, RunError};
use crate::ops::smoke::{self, Small};
use crate::ops::{Op, Worker};
use crate::value::{Evaluated, Kept, State, StateFacts, Value};

/// Arguments of `init`. No inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InitArgs {
    /// The network.
    pub arch: Shared<Arch>,
    /// Source of the initial weights.
    pub seed: Seed,
}

/// The stage.
pub static OP: Op = Op {
    name: "init",
    module: "prelude",
    version: 1,
    signature: "fn init(arch: Arch, seed: Seed) -> State",
    doc: "A network with fresh weights.",
    example: "import std.models.{tiny_resnet}

let net = tiny_resnet(classes: 10) |> init(seeds(1)[0])
",
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: Some(shrink), run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (network, seed) = (arguments.network(0)?, arguments.seed(1)?);
    let args = InitArgs { arch: network.arch.clone(), seed: (*seed).clone() };
    let kept = Kept::dense(&network);
    let mut stage = Stage::new(&OP, &args, arguments.call)?.describe(&network, kept.total, 0);
    stage.facts.bytes = network.checkpoint_bytes();
    let node = lowering.push(stage);
    let facts =
        StateFacts { network, kept, seed: Some(seed), step: 0, course: None, round: 0, initial: node, training: None };
    Ok(Value::State(State { node, facts: Arc::new(facts) }))
}

fn shrink(small: &Small, node: &mut Node) -> Option<()> {
    let known: InitArgs = node.args.parse().ok()?;
    node.facts.bytes = smoke::bytes(&small.survey(&known.arch)?);
    node.args = Canon::of(&InitArgs { arch: small.arch(&known.arch), ..known })?;
    Some(())
}

/// Draws fresh weights.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: InitArgs = job.args()?;
    let weights = init::initialize(&args.arch, &args.seed)?;
    let mut outcome = Outcome::default();
    outcome.objects.insert(WEIGHTS.to_owned(), job.put_weights(&weights)?);
    Ok(outcome)
}

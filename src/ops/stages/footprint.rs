//! `footprint`: what a pruned network weighs and costs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::arch::Arch;
use crate::graph::{Canon, Node, Shared};
use crate::nn::footprint;
use crate::ops::lowering::{Arguments, Lowering, Stage};
use crate::ops::run::{Job, Outcome, RunError};
use crate::ops::smoke::Small;
use crate::ops::{Op, Worker};
use crate::value::output::Scale;
use crate::value::{Evaluated, Measured, Record, Value};

/// Arguments of `footprint`. Input: `state`. Measures: `parameters`, `compression`, `macs`, `speedup`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FootprintArgs {
    /// The network.
    pub arch: Shared<Arch>,
}

/// The stage.
pub static OP: Op = Op {
    name: "footprint",
    module: "prelude",
    version: 1,
    signature: "fn footprint(s: State) -> { parameters: Measured[Float], compression: Measured[Float], \
                macs: Measured[Float], speedup: Measured[Float] }",
    doc: "Counts as ShrinkBench does: learned parameters that are not 0 and all over those, multiply-accumulates of one \
          image with weights that are not 0 and all over those. What is really gained is measured by `evaluate`.",
    example: "import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude}

let task = digits()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 2ep)
let ticket = dense |> prune(global_magnitude(80%))
expect footprint(ticket).compression > 4.0
",
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: Some(shrink), run }),
};

/// Measures.
const MEASURES: [&str; 4] = ["parameters", "compression", "macs", "speedup"];

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let state = arguments.state(0)?;
    let network = &state.facts.network;
    let args = FootprintArgs { arch: network.arch.clone() };
    let stage = Stage::new(&OP, &args, arguments.call)?.input("state", state.node).describe(
        network,
        state.facts.kept.total,
        state.facts.round,
    );
    let node = lowering.push(stage);
    let read = |name: &str| {
        let measure: Arc<str> = Arc::from(name);
        (measure.clone(), Value::Measured(Arc::new(Measured::Read { node, measure, scale: Scale::Plain })))
    };
    Ok(Value::Record(Arc::new(MEASURES.into_iter().map(read).collect::<Record>())))
}

fn shrink(small: &Small, node: &mut Node) -> Option<()> {
    let known: FootprintArgs = node.args.parse().ok()?;
    node.args = Canon::of(&FootprintArgs { arch: small.arch(&known.arch) })?;
    Some(())
}

/// Counts the weights of a network and the work of an image.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: FootprintArgs = job.args()?;
    let state = job.state("state")?;
    let found = footprint::footprint(&args.arch, &state.weights, state.mask.as_ref())?;
    Ok(Outcome::measured([
        ("parameters", found.parameters as f64),
        ("compression", found.compression),
        ("macs", found.macs),
        ("speedup", found.speedup),
    ]))
}

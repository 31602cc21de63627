//! `load`: weights from a file.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::init::{self, InitArgs};
use crate::diag::codes::data as codes;
use crate::domain::arch::Arch;
use crate::domain::seed::Seed;
use crate::graph::{Canon, Node, Shared};
use crate::nn::{checkpoint, weights};
use crate::ops::lowering::{Arguments, Lowering, Stage};
use crate::ops::run::state::WEIGHTS;
use crate::ops::run::{Job, Outcome, Problem, RunError};
use crate::ops::smoke::{self, Small};
use crate::ops::{Op, Worker};
use crate::store::Digest;
use crate::value::{Evaluated, Kept, State, StateFacts, Value};

/// Arguments of `load`. No inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadArgs {
    /// The network.
    pub arch: Shared<Arch>,
    /// BLAKE3 digest of the file in hexadecimal. Where the file lies is no part of the key: the surroundings'
    /// `data_roots` have its path under this digest.
    pub file: String,
}

/// The stage.
pub static OP: Op = Op {
    name: "load",
    module: "prelude",
    version: 1,
    signature: "fn load(file: Str, arch: Arch) -> State",
    doc: "Reads weights with torchvision's names: safetensors, what `torch.save` wrote of a state dict, or NumPy's npz, \
          recognised by their contents. Nothing in the file is run. The path is relative to the program.",
    example: r#"import std.models.{resnet50}

let published = load("resnet50.pth", resnet50(classes: 1000))
"#,
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: Some(shrink), run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (file, network) = (arguments.text(0)?, arguments.network(1)?);
    let digest = lowering.weights(&file, arguments.span(0))?;
    let args = LoadArgs { arch: network.arch.clone(), file: digest };
    let kept = Kept::dense(&network);
    let mut stage = Stage::new(&OP, &args, arguments.call)?.describe(&network, kept.total, 0);
    stage.facts.bytes = network.checkpoint_bytes();
    let node = lowering.push(stage);
    let facts =
        StateFacts { network, kept, seed: None, step: 0, course: None, round: 0, initial: node, training: None };
    Ok(Value::State(State { node, facts: Arc::new(facts) }))
}

fn shrink(small: &Small, node: &mut Node) -> Option<()> {
    let known: LoadArgs = node.args.parse().ok()?;
    node.facts.bytes = smoke::bytes(&small.survey(&known.arch)?);
    (node.op, node.version) = (init::OP.name, init::OP.version);
    let seed = Seed { root: 0, stream: vec![known.file] };
    node.args = Canon::of(&InitArgs { arch: small.arch(&known.arch), seed })?;
    Some(())
}

/// Reads published weights.
#[cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "its file lies outside the store"))]
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: LoadArgs = job.args()?;
    let unreadable = |message: String| {
        Problem::new(&codes::WEIGHTS_UNREADABLE, message).help("check the path that the program gives, and run again")
    };
    let place = job.surroundings.data_roots.get(&args.file).ok_or_else(|| {
        unreadable(format!("no file with the digest {} is known", args.file.get(..12).unwrap_or(&args.file)))
    })?;
    let path = &place.root;
    let bytes =
        std::fs::read(path).map_err(|error| unreadable(format!("`{}` cannot be read: {error}", path.display())))?;
    if Digest::of(&bytes).to_string() != args.file {
        return Err(unreadable(format!("`{}` has changed since the program was checked", path.display())).into());
    }
    let survey = args.arch.survey().map_err(crate::nn::Error::from)?;
    let adopted = weights::read_state_dict(&bytes).and_then(|tensors| checkpoint::adopt(&survey, tensors));
    let weights = adopted.map_err(|error| {
        let problem = Problem::from(error);
        Problem { message: format!("`{}`: {}", path.display(), problem.message), ..problem }
    })?;
    let mut outcome = Outcome::default();
    outcome.objects.insert(WEIGHTS.to_owned(), job.put_weights(&weights)?);
    Ok(outcome)
}

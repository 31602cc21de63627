//! `load`: weights from a file.

use serde::{Deserialize, Serialize};

use super::Op;
use super::lowering::{Arguments, Lowering, Stage};
use crate::domain::arch::Arch;
use crate::graph::Shared;
use crate::value::{Evaluated, Kept, State, StateFacts, Value};
use std::sync::Arc;

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
    heavy: false,
    lower,
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

//! `gallery`: pictures of the units of a dissection.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Op;
use super::lowering::{Arguments, External, Lowering, Stage};
use crate::domain::data::Probe;
use crate::domain::dissection::Scoring;
use crate::nn::dissect::TOP;
use crate::value::output::{Object, PlotSpec};
use crate::value::{Evaluated, Value};

/// Object role of the pictures.
pub const PORTRAITS: &str = "portraits";

/// Sizes of an image in a strip, in pixels.
const SIDES: std::ops::RangeInclusive<u64> = 16..=512;

/// Arguments of `gallery`. Input: `tallies`. Object: [`PORTRAITS`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GalleryArgs {
    /// Images with labelled pixels.
    pub probe: Probe,
    /// How counts become concepts.
    pub scoring: Scoring,
    /// Images of a strip.
    pub top: usize,
    /// Rows and columns of one, in pixels.
    pub side: usize,
}

/// The stage.
pub static OP: Op = Op {
    name: "gallery",
    module: "dissect",
    version: 1,
    signature: "fn gallery(d: Dissected, top: Int = 5, side: Int = 64) -> Plot",
    doc: "Shows every unit's `top` images with the largest activations, its mask outlined and the rest darkened, each \
          `side` pixels high and wide. The report lets readers search, sort and filter the units.",
    example: r#"import std.data.{shapes, shapes_probe}
import std.dissect.{gallery, netdissect}
import std.models.{tiny_resnet}

let task = shapes()
let probe = shapes_probe()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let net = tiny_resnet(classes: task.classes, channels: 3, size: task.size) |> init(seed)
let dense = net |> train(task, recipe, until: 2ep)
plot faces = gallery(netdissect(dense, layer: "layer3", data: probe))
"#,
    heavy: false,
    lower,
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let tallied = arguments.tallied(0)?;
    let top = within(arguments, 1, "the number of images", 1..=TOP as u64)?;
    let side = within(arguments, 2, "the size of an image", SIDES)?;
    let args = GalleryArgs { probe: (*tallied.probe).clone(), scoring: tallied.scoring, top, side };
    let facts = &tallied.state.facts;
    let stage = Stage::new(&OP, &args, arguments.call)?
        .input("tallies", tallied.node)
        .reads(lowering, External::Probe(&tallied.probe))
        .describe(&facts.network, facts.kept.total, facts.round);
    let portraits = Object::new(lowering.push(stage), PORTRAITS);
    Ok(Value::Plot(Arc::new(PlotSpec::Gallery { portraits })))
}

fn within(arguments: &Arguments, at: usize, what: &str, range: std::ops::RangeInclusive<u64>) -> Evaluated<usize> {
    let (least, most) = range.into_inner();
    let value = arguments.count(at, what, least)?;
    if value <= most {
        return Ok(value as usize);
    }
    let message = format!("{what} is {value}, but must be at most {most}");
    Err(arguments.refuse(at, message, "too large").help(format!("give a number from {least} to {most}")).into())
}

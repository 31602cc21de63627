//! `gallery`: pictures of the units of a dissection.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::data::Probe;
use crate::domain::dissection::Scoring;
use crate::graph::{Canon, Node};
use crate::nn::data;
use crate::nn::dissect::TOP;
use crate::nn::dissect::{self, DissectError, Layout, Masks};
use crate::ops::lowering::{Arguments, External, Lowering, Stage};
use crate::ops::run::tallies::{object, read, unreadable};
use crate::ops::run::{Job, Outcome, RunError, Watcher};
use crate::ops::smoke::{self, Small};
use crate::ops::{Op, Worker};
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
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: Some(shrink), run }),
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

fn shrink(small: &Small, node: &mut Node) -> Option<()> {
    let known: GalleryArgs = node.args.parse().ok()?;
    node.args = Canon::of(&GalleryArgs {
        probe: small.probe(known.probe.clone(), node),
        top: known.top.min(smoke::STRIP.0),
        side: known.side.min(smoke::STRIP.1),
        ..known
    })?;
    Some(())
}

/// Draws the units of a dissection.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: GalleryArgs = job.args()?;
    let tallies = read(job, "tallies")?;
    let masks = object(job, "tallies", "masks")?;
    let masks = Masks::open(&masks).map_err(unreadable)?;
    let (roots, cache) = (&job.surroundings.data_roots, &job.surroundings.data_cache);
    let probe = data::open_probe(&args.probe, None, roots, cache)?;
    let mut picture = |row: usize| probe.picture(row).map_err(DissectError::from);
    let layout = Layout { top: args.top, side: args.side };
    let mut watcher = Watcher { tell: &mut *job.tell, stop: job.surroundings.stop };
    let found = dissect::portraits(&tallies, masks, &mut picture, &args.scoring, layout, &mut watcher)?;
    let bytes = found.encode().map_err(|error| unreadable(std::io::Error::other(error)))?;
    let mut outcome = Outcome::default();
    outcome.objects.insert(PORTRAITS.to_owned(), job.put(&bytes)?);
    Ok(outcome)
}

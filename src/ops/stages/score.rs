//! `score`: what was counted in a dissection, as concepts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::dissection::{Figure, MEASURES, Portion, Scoring};
use crate::graph::NodeId;
use crate::nn::dissect;
use crate::ops::lowering::{Arguments, Lowering, Stage, did_you_mean};
use crate::ops::run::{Job, Outcome, RunError, tallies};
use crate::ops::{Op, Worker};
use crate::value::output::Scale;
use crate::value::{Evaluated, Measured, Record, Tallied, Value};

/// Arguments of `score`. Input: `tallies`. Objects: `units`, `summary`. Measures: [`MEASURES`], `images`, `total`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreArgs {
    /// How counts become concepts.
    pub scoring: Scoring,
}

/// The stage.
pub static OP: Op = Op {
    name: "score",
    module: "dissect",
    version: 1,
    signature: "fn score(d: Dissected, iou: Float = none, choose: Str = \"all\", on: Str = \"all\") -> Dissected",
    doc: "Scores a dissection again, without the network: at another IoU threshold, or with concepts chosen on one part \
          of the images (`\"train\"`, `\"val\"`) and scored on another.",
    example: r#"import std.data.{shapes, shapes_probe}
import std.dissect.{netdissect, score}
import std.models.{tiny_resnet}

let task = shapes()
let probe = shapes_probe()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let net = tiny_resnet(classes: task.classes, channels: 3, size: task.size) |> init(seed)
let dense = net |> train(task, recipe, until: 2ep)
let found = netdissect(dense, layer: "layer3", data: probe)
expect score(found, choose: "train", on: "val").units >= 0
"#,
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: None, run }),
};

/// Object role of the units with their concepts.
pub const SUMMARY: &str = "summary";

/// Adds the stage that scores a dissection as it says, or finds it.
///
/// # Errors
/// If the scoring holds a number that is not finite.
pub fn stage(lowering: &mut dyn Lowering, tallied: &Tallied, arguments: &Arguments) -> Evaluated<NodeId> {
    let scoring = tallied.scoring;
    let facts = &tallied.state.facts;
    let stage = Stage::new(&OP, &ScoreArgs { scoring }, arguments.call)?.input("tallies", tallied.node).describe(
        &facts.network,
        facts.kept.total,
        facts.round,
    );
    Ok(lowering.push(stage))
}

/// Adds the stage and returns the dissection as the language sees it.
pub(super) fn push(
    lowering: &mut dyn Lowering,
    tallied: &Arc<Tallied>,
    scoring: Scoring,
    arguments: &Arguments,
) -> Evaluated<Value> {
    let scored = Tallied { scoring, ..(**tallied).clone() };
    let node = stage(lowering, &scored, arguments)?;
    let tallies = (Arc::from("tallies"), Value::Tallies(Arc::new(scored)));
    Ok(Value::Record(Arc::new(readings(node, &MEASURES).chain([tallies]).collect::<Record>())))
}

/// Returns measures of a stage as fields.
pub(super) fn readings(node: NodeId, measures: &[(&'static str, Figure)]) -> impl Iterator<Item = (Arc<str>, Value)> {
    measures.iter().map(move |(name, figure)| {
        let measure: Arc<str> = Arc::from(*name);
        (measure.clone(), Value::Measured(Arc::new(Measured::Read { node, measure, scale: scale(*figure) })))
    })
}

/// Returns measures of a stage as a record.
pub(super) fn record(node: NodeId, measures: &[(&'static str, Figure)]) -> Value {
    Value::Record(Arc::new(readings(node, measures).collect::<Record>()))
}

/// Returns how a figure is read.
fn scale(figure: Figure) -> Scale {
    match figure {
        Figure::Count => Scale::Count,
        Figure::Share => Scale::Ratio,
        Figure::Plain => Scale::Plain,
    }
}

/// Reads a part of a probe's images.
fn portion(arguments: &Arguments, at: usize) -> Evaluated<Portion> {
    let word = arguments.text(at)?;
    if let Some((_, portion)) = Portion::WORDS.iter().find(|(known, _)| **known == *word) {
        return Ok(*portion);
    }
    let diagnostic = arguments.refuse(at, format!("a probe has no part \"{word}\""), "no such part");
    Err(did_you_mean(diagnostic, &word, Portion::WORDS.iter().map(|(known, _)| *known)).into())
}

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let tallied = arguments.tallied(0)?;
    let iou = if arguments.given(1) { share(arguments, 1)? } else { tallied.scoring.iou };
    let (choose, on) = (portion(arguments, 2)?, portion(arguments, 3)?);
    push(lowering, &tallied, Scoring { iou, choose, on, ..tallied.scoring }, arguments)
}

/// Reads an IoU threshold.
pub(super) fn share(arguments: &Arguments, at: usize) -> Evaluated<f64> {
    let value = arguments.float(at)?;
    if value > 0.0 && value < 1.0 {
        return Ok(value);
    }
    let message = format!("the threshold is {value}, but must lie between 0 and 1");
    Err(arguments.refuse(at, message, "out of range").help("0.04 is the published value").into())
}

/// Scores what a dissection has counted.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: ScoreArgs = job.args()?;
    let tallies = tallies::read(job, "tallies")?;
    let scored = dissect::score(&tallies, &args.scoring);
    let files = dissect::files(&tallies, &scored.units, &args.scoring).map_err(tallies::unreadable)?;
    let mut outcome = Outcome { measures: scored.measures, ..Outcome::default() };
    outcome.objects.insert("units".to_owned(), job.put(&files.table)?);
    outcome.objects.insert(SUMMARY.to_owned(), job.put(&files.summary)?);
    Ok(outcome)
}

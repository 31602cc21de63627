//! `drift`: how far the units of one dissection are from those of another.

use serde::{Deserialize, Serialize};

use super::score;
use crate::domain::dissection::{Figure, Scoring};
use crate::nn::dissect::{self};
use crate::ops::lowering::{Arguments, Lowering, Stage};
use crate::ops::run::tallies::{read, unreadable};
use crate::ops::run::{Job, Outcome, RunError};
use crate::ops::{Op, Worker};
use crate::value::{Evaluated, Value};

/// Arguments of `drift`. Inputs: `tallies`, `from`. Object: `units`, a table of both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftArgs {
    /// How counts become concepts.
    pub scoring: Scoring,
}

/// Measures.
const MEASURES: [(&str, Figure); 11] = [
    ("wasserstein", Figure::Plain),
    ("ks", Figure::Plain),
    ("delta_median", Figure::Plain),
    ("matched", Figure::Plain),
    ("matched_share", Figure::Share),
    ("jaccard", Figure::Share),
    ("retention", Figure::Share),
    ("lost", Figure::Count),
    ("gained", Figure::Count),
    ("entropy", Figure::Plain),
    ("area", Figure::Plain),
];

/// The stage.
pub static OP: Op = Op {
    name: "drift",
    module: "dissect",
    version: 1,
    signature: "fn drift(d: Dissected, from: Dissected) -> { wasserstein: Measured[Float], ks: Measured[Float], \
                delta_median: Measured[Float], matched: Measured[Float], matched_share: Measured[Ratio], \
                jaccard: Measured[Ratio], retention: Measured[Ratio], lost: Measured[Int], gained: Measured[Int], \
                entropy: Measured[Float], area: Measured[Float] }",
    doc: "Compares the units of a dissection with those of another, usually the dense network's with the same seed: \
          distances between the distributions of IoU (`wasserstein`, `ks`, `delta_median`), the mean change unit by unit \
          (`matched`) and the share that fell, concepts in common (`jaccard`), the share of interpretable units that keep \
          their concept (`retention`), units `lost` and `gained`, the `entropy` of units over concepts, and the `area` under \
          the number of units by IoU threshold, as a ratio.",
    example: r#"import std.data.{shapes, shapes_probe}
import std.dissect.{drift, netdissect}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude}

let task = shapes()
let probe = shapes_probe()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let net = tiny_resnet(classes: task.classes, channels: 3, size: task.size) |> init(seed)
let dense = net |> train(task, recipe, until: 2ep)
let found = netdissect(dense, layer: "layer3", data: probe)
let pruned = netdissect(dense |> prune(global_magnitude(50%)), layer: "layer3", data: probe)
expect drift(pruned, from: found).jaccard >= 0%
"#,
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: None, run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (tallied, from) = (arguments.tallied(0)?, arguments.tallied(1)?);
    let facts = &tallied.state.facts;
    let stage = Stage::new(&OP, &DriftArgs { scoring: tallied.scoring }, arguments.call)?
        .input("tallies", tallied.node)
        .input("from", from.node)
        .describe(&facts.network, facts.kept.total, facts.round);
    Ok(score::record(lowering.push(stage), &MEASURES))
}

/// Compares two dissections.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: DriftArgs = job.args()?;
    let found = dissect::drift(&read(job, "tallies")?, &read(job, "from")?, &args.scoring);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut rows = vec![["unit", "label_from", "iou_from", "label", "iou"].map(str::to_owned)];
    rows.extend(found.units.into_iter().enumerate().map(|(unit, [(was, before), (is, now)])| {
        [(unit + 1).to_string(), was, before.to_string(), is, now.to_string()]
    }));
    let odd = |error: csv::Error| unreadable(std::io::Error::other(error));
    rows.iter().try_for_each(|row| writer.write_record(row)).map_err(odd)?;
    let table = writer.into_inner().map_err(|error| unreadable(std::io::Error::other(error.to_string())))?;
    let mut outcome = Outcome { measures: found.measures, ..Outcome::default() };
    outcome.objects.insert("units".to_owned(), job.put(&table)?);
    Ok(outcome)
}

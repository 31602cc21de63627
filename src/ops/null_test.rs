//! `null_test`: units against chance.

use serde::{Deserialize, Serialize};

use super::Op;
use super::lowering::{Arguments, External, Lowering, Stage, did_you_mean};
use super::score;
use crate::domain::data::Probe;
use crate::domain::dissection::{Figure, Null, NullTest, Scoring};
use crate::value::{Evaluated, Value};

/// Arguments of `null_test`. Input: `tallies`, with its masks. Object: `chance`, a table of units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NullTestArgs {
    /// Images and labels, of which the labels are read again.
    pub probe: Probe,
    /// How counts become concepts.
    pub scoring: Scoring,
    /// How chance is imitated.
    pub test: NullTest,
    /// Share of false units that is accepted among the significant ones.
    pub level: f64,
}

/// Measures.
const MEASURES: [(&str, Figure); 5] = [
    ("significant", Figure::Count),
    ("chance_units", Figure::Plain),
    ("chance_units_high", Figure::Plain),
    ("chance_iou", Figure::Plain),
    ("least_p", Figure::Plain),
];

/// The stage.
pub static OP: Op = Op {
    name: "null_test",
    module: "dissect",
    version: 1,
    signature: "fn null_test(d: Dissected, seed: Seed, null: Str = \"permutation\", times: Int = 1000, \
                level: Float = 0.05) -> { significant: Measured[Int], chance_units: Measured[Float], \
                chance_units_high: Measured[Float], chance_iou: Measured[Float], least_p: Measured[Float] }",
    doc: "Tests every unit against chance: `\"permutation\"` puts its masks on other images, `\"shift\"` moves labels \
          cyclically within their images. The statistic is a unit's best IoU, so that the choice among labels is accounted \
          for. `significant` counts units at the false discovery rate `level`; `chance_units` is how many would count as \
          interpretable by chance, `chance_units_high` the 95 % quantile of that, `chance_iou` the mean best IoU by \
          chance. The network does not run again.",
    example: r#"import std.data.{shapes, shapes_probe}
import std.dissect.{netdissect, null_test}
import std.models.{tiny_resnet}

let task = shapes()
let probe = shapes_probe()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let net = tiny_resnet(classes: task.classes, channels: 3, size: task.size) |> init(seed)
let dense = net |> train(task, recipe, until: 2ep)
let found = netdissect(dense, layer: "layer3", data: probe)
expect null_test(found, seed: seed.null).significant >= 0
"#,
    heavy: false,
    lower,
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (tallied, seed, word) = (arguments.tallied(0)?, arguments.seed(1)?, arguments.text(2)?);
    let Some((_, null)) = Null::WORDS.iter().find(|(known, _)| **known == *word) else {
        let diagnostic = arguments.refuse(2, format!("chance is not imitated by \"{word}\""), "no such way");
        return Err(did_you_mean(diagnostic, &word, Null::WORDS.iter().map(|(known, _)| *known)).into());
    };
    let times = arguments.count(3, "the number of repetitions", 1)?.min(1 << 24) as u32;
    let level = arguments.float(4)?;
    if !(level > 0.0 && level < 1.0) {
        return Err(arguments
            .refuse(4, format!("the level is {level}, but must lie between 0 and 1"), "out of range")
            .help("0.05 is usual")
            .into());
    }
    let facts = &tallied.state.facts;
    let args = NullTestArgs {
        probe: (*tallied.probe).clone(),
        scoring: tallied.scoring,
        test: NullTest { null: *null, times, seed: (*seed).clone() },
        level,
    };
    let stage = Stage::new(&OP, &args, arguments.call)?
        .input("tallies", tallied.node)
        .reads(lowering, External::Probe(&tallied.probe))
        .describe(&facts.network, facts.kept.total, facts.round);
    Ok(score::record(lowering.push(stage), &MEASURES))
}

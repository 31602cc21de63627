//! `null_test`: units against chance.

use serde::{Deserialize, Serialize};

use super::score;
use crate::domain::data::Probe;
use crate::domain::dissection::{Figure, Null, NullTest, Scoring};
use crate::graph::{Canon, Node};
use crate::nn::data;
use crate::nn::data::broden::Selection;
use crate::nn::dissect::{self, DissectError, Masks};
use crate::ops::lowering::{Arguments, External, Lowering, Stage, did_you_mean};
use crate::ops::run::sample::quantile;
use crate::ops::run::tallies::{object, read, unreadable};
use crate::ops::run::{Job, Outcome, RunError, Watcher};
use crate::ops::smoke::{self, Small};
use crate::ops::{Op, Worker};
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
    lower,
    worker: Some(Worker { heavy: false, demand: None, shrink: Some(shrink), run }),
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

fn shrink(small: &Small, node: &mut Node) -> Option<()> {
    let mut known: NullTestArgs = node.args.parse().ok()?;
    known.test.times = known.test.times.min(smoke::TIMES);
    node.args = Canon::of(&NullTestArgs { probe: small.probe(known.probe, node), ..known })?;
    Some(())
}

/// Tests units against chance.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: NullTestArgs = job.args()?;
    let tallies = read(job, "tallies")?;
    let masks = object(job, "tallies", "masks")?;
    let (roots, cache) = (&job.surroundings.data_roots, &job.surroundings.data_cache);
    let probe = data::open_probe(&args.probe, None, roots, cache)?;
    let selection: Selection = probe.select(&tallies.heading.measurement.categories)?;
    let mut labels = |row: usize| probe.segmentation(row, &selection).map_err(DissectError::from);
    let mut watcher = Watcher { tell: &mut *job.tell, stop: job.surroundings.stop };
    let masks = Masks::open(&masks).map_err(unreadable)?;
    let threads = job.surroundings.threads;
    let chance = dissect::null_test(&tallies, masks, &mut labels, &args.scoring, &args.test, threads, &mut watcher)?;
    let mut table = "unit,p,adjusted,chance_iou\n".to_owned();
    for (unit, p) in chance.p_values.iter().enumerate() {
        table += &format!("{},{p},{},{}\n", unit + 1, chance.adjusted[unit], chance.expected[unit]);
    }
    let mut counts: Vec<f64> = chance.units.iter().map(|&count| count as f64).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let expected = mean(&counts);
    let significant = chance.adjusted.iter().filter(|&&q| q <= args.level).count();
    let mut outcome = Outcome::measured([
        ("significant", significant as f64),
        ("chance_units", expected),
        ("chance_units_high", quantile(&mut counts, 0.95)),
        ("chance_iou", mean(&chance.expected)),
        ("least_p", chance.p_values.iter().copied().fold(1.0, f64::min)),
    ]);
    outcome.objects.insert("chance".to_owned(), job.put(table.as_bytes())?);
    Ok(outcome)
}

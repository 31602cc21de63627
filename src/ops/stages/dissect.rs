//! `dissect`: which units of a layer answer to which concepts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::score;
use crate::diag::codes::evaluation as codes;
use crate::diag::{Diagnostic, suggest};
use crate::domain::arch::{Arch, Shape};
use crate::domain::data::Probe;
use crate::domain::dissection::{
    Activations, Counted, Enlarge, Estimate, Measurement, Pixels, Portion, Repeats, Rotation, Scoring,
};
use crate::graph::{Canon, Node, Shared};
use crate::nn::data;
use crate::nn::dissect::{self, Bench, Failure, Maps};
use crate::nn::net::{self, Setup};
use crate::ops::lowering::{Arguments, External, Lowering, Stage, did_you_mean};
use crate::ops::run::state::batch;
use crate::ops::run::{Demand, Job, Outcome, RunError, Watcher, tallies};
use crate::ops::smoke::{self, Small};
use crate::ops::{Op, Worker};
use crate::value::{Evaluated, Network, Record, Tallied, Value};

/// Arguments of `dissect`. Inputs: `state`; `thresholds`, a dissection whose thresholds are used. Objects: `tallies`,
/// `masks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DissectArgs {
    /// The network.
    pub arch: Shared<Arch>,
    /// Images with labelled pixels.
    pub probe: Probe,
    /// How units are measured.
    pub measurement: Measurement,
}

/// The stage.
pub static OP: Op = Op {
    name: "dissect",
    module: "dissect",
    version: 2,
    signature: "fn dissect(s: State, data: Probe, layer: Str, rules: Rules = lite2018, thresholds: Dissected = none, \
                rotate: Seed = none, power: Float = 1.0, rectify: Bool = false) -> Dissected",
    doc: "Compares the strongest activations of every unit of a layer with labelled pixels. `rules` says how, step by \
          step: one of `netdissect2017`, `lite2018`, `quick2018`, `pnas2020`, or one with other entries, \
          `{ ..lite2018, quantile: 0.01 }`. `thresholds` takes the thresholds of another dissection instead of this \
          network's own. `rotate` turns the space of units at random before anything is measured, by the part `power` of \
          the whole rotation, and cuts off what is below zero afterwards if `rectify`.",
    example: r#"import std.data.{shapes, shapes_probe}
import std.dissect.{dissect, lite2018}
import std.models.{tiny_resnet}

let task = shapes()
let probe = shapes_probe()
let seed = seeds(1)[0]
let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)
let net = tiny_resnet(classes: task.classes, channels: 3, size: task.size) |> init(seed)
let dense = net |> train(task, recipe, until: 2ep)
let found = dissect(dense, data: probe, layer: "layer3", rules: { ..lite2018, quantile: 0.01 })
expect found.units >= 0
"#,
    lower,
    worker: Some(Worker { heavy: true, demand: Some(demand), shrink: Some(shrink), run }),
};

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, probe, layer) = (arguments.state(0)?, arguments.probe(1)?, arguments.text(2)?);
    let network = &state.facts.network;
    let images = check_probe(network, &probe, arguments)?;
    check_layer(network, &layer, arguments)?;
    let Value::Record(record) = &arguments.at(3).value else {
        return Err(arguments.mismatch(3, "rules, like `lite2018`", &arguments.at(3).value));
    };
    let rules = Rules { record, arguments };
    let generated = matches!(*probe, Probe::Shapes(_));
    let measurement = Measurement {
        layer: layer.to_string(),
        images: rules.word("images", Portion::WORDS)?,
        first: rules.count("first")?,
        categories: rules.names("categories")?,
        pixels: if generated { None } else { Some(rules.pixels()?) },
        quantile: rules.share("quantile")?,
        quantile_on: rules.word("quantile_on", Activations::WORDS)?,
        estimate: rules.word("estimate", Estimate::WORDS)?,
        enlarge: rules.word("enlarge", Enlarge::WORDS)?,
        repeats: rules.word("repeats", Repeats::WORDS)?,
        rotation: rotation(arguments)?,
        batch: 0,
    };
    let scoring = Scoring {
        counted: rules.word("counted", Counted::WORDS)?,
        iou: rules.share("iou")?,
        above: rules.truth("above")?,
        choose: Portion::All,
        on: Portion::All,
    };
    let images = if measurement.first > 0 { images.min(measurement.first) } else { images };
    let args = DissectArgs { arch: network.arch.clone(), probe: (*probe).clone(), measurement };
    let mut stage = Stage::new(&OP, &args, arguments.call)?
        .input("state", state.node)
        .reads(lowering, External::Probe(&probe))
        .describe(network, state.facts.kept.total, state.facts.round)
        .fact("images", images);
    if arguments.given(4) {
        stage = stage.input("thresholds", arguments.tallied(4)?.node);
    }
    stage.facts.macs = network.survey.macs().checked_mul(images);
    let node = lowering.push(stage);
    let tallied = Tallied { node, state, probe, layer, scoring };
    score::push(lowering, &Arc::new(tallied), scoring, arguments)
}

/// Reads the rotation, if there is one.
fn rotation(arguments: &Arguments) -> Evaluated<Option<Rotation>> {
    if !arguments.given(5) {
        return Ok(None);
    }
    let (seed, power) = (arguments.seed(5)?, arguments.float(6)?);
    if !(0.0..=1.0).contains(&power) {
        return Err(arguments
            .refuse(6, format!("a rotation's power is {power}, but must lie between 0 and 1"), "out of range")
            .help("1.0 is the whole rotation, 0.0 none")
            .into());
    }
    Ok(Some(Rotation { seed: (*seed).clone(), power, rectify: arguments.truth(7)? }))
}

/// The rules as a record of the language.
struct Rules<'a> {
    record: &'a Record,
    arguments: &'a Arguments,
}

impl Rules<'_> {
    fn entry(&self, name: &str) -> Evaluated<&Value> {
        self.record.get(name).ok_or_else(|| self.refuse(format!("the rules have no entry `{name}`"), "incomplete"))
    }

    fn refuse(&self, message: String, help: &str) -> crate::value::Stop {
        self.arguments.refuse(3, message, "in these rules").help(help.to_owned()).into()
    }

    fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Evaluated<T> {
        let found = self.entry(name)?;
        let Value::Str(text) = found else { return Err(self.arguments.mismatch(3, "a text", found)) };
        if let Some((_, value)) = words.iter().find(|(word, _)| **word == **text) {
            return Ok(*value);
        }
        let message = format!("`{name}` is \"{text}\", which is none of its words");
        let diagnostic = self.arguments.refuse(3, message, format!("in the entry `{name}`"));
        Err(did_you_mean(diagnostic, text, words.iter().map(|(word, _)| *word)).into())
    }

    fn number(&self, name: &str) -> Evaluated<f64> {
        let found = self.entry(name)?;
        found.number().ok_or_else(|| self.arguments.mismatch(3, "a number", found))
    }

    fn share(&self, name: &str) -> Evaluated<f64> {
        let value = self.number(name)?;
        if value > 0.0 && value < 1.0 {
            return Ok(value);
        }
        let message = format!("`{name}` is {value}, but must lie between 0 and 1");
        Err(self.refuse(message, "the published IoU threshold is 0.04, the published quantile 0.005"))
    }

    fn count(&self, name: &str) -> Evaluated<u64> {
        match self.entry(name)? {
            Value::Int(value) if *value >= 0 => Ok(*value as u64),
            other => Err(self.arguments.mismatch(3, "a count", other)),
        }
    }

    fn truth(&self, name: &str) -> Evaluated<bool> {
        match self.entry(name)? {
            Value::Bool(value) => Ok(*value),
            other => Err(self.arguments.mismatch(3, "a truth value", other)),
        }
    }

    fn list(&self, name: &str) -> Evaluated<&[Value]> {
        match self.entry(name)? {
            Value::List(items) => Ok(items),
            other => Err(self.arguments.mismatch(3, "a list", other)),
        }
    }

    fn names(&self, name: &str) -> Evaluated<Vec<String>> {
        let items = self.list(name)?;
        let names: Vec<String> = items
            .iter()
            .filter_map(|item| if let Value::Str(text) = item { Some(text.to_string()) } else { None })
            .collect();
        if names.is_empty() {
            return Err(
                self.refuse(format!("`{name}` names nothing"), "name categories, like `[\"object\", \"part\"]`")
            );
        }
        Ok(names)
    }

    /// Three numbers, for red, green and blue.
    fn channels(&self, name: &str) -> Evaluated<[f32; 3]> {
        let values: Vec<f32> = self.list(name)?.iter().filter_map(Value::number).map(|value| value as f32).collect();
        <[f32; 3]>::try_from(values)
            .map_err(|found| {
                let message = format!("`{name}` has {} numbers, but images have three channels", found.len());
                self.refuse(message, "give one for each of red, green and blue")
            })
            .and_then(|values| {
                let fits = values.iter().all(|value| value.is_finite() && (name == "mean" || *value > 0.0));
                let odd =
                    || self.refuse(format!("`{name}` holds a number that cannot be used"), "divide by numbers above 0");
                if fits { Ok(values) } else { Err(odd()) }
            })
    }

    fn pixels(&self) -> Evaluated<Pixels> {
        Ok(Pixels { mean: self.channels("mean")?, sd: self.channels("sd")?, bgr: self.truth("bgr")? })
    }
}

/// Checks that the network can see the probe's images, and counts them.
fn check_probe(network: &Network, probe: &Probe, arguments: &Arguments) -> Evaluated<u64> {
    let (size, images) = match probe {
        Probe::Shapes(shapes) => (shapes.size, shapes.images),
        Probe::Broden { size, images, .. } => (*size, *images),
    };
    let wanted = network.arch.input;
    let offered = Shape { channels: 3, height: size, width: size };
    if wanted.channels != offered.channels {
        let message = format!("the network takes images of {wanted}, but the probe has images of {offered}");
        return Err(Diagnostic::error(&codes::IMAGE_MISMATCH, message)
            .label(arguments.span(1), format!("images of {offered}"))
            .help("dissect a network with three input channels")
            .into());
    }
    network.arch.survey_at(offered).map(|_| images).map_err(|error| {
        Diagnostic::error(&codes::IMAGE_MISMATCH, format!("the probe's images do not fit the network: {error}"))
            .label(arguments.span(1), format!("images of {offered}"))
            .help(format!("use a probe with images of {wanted}"))
            .into()
    })
}

fn check_layer(network: &Network, layer: &str, arguments: &Arguments) -> Evaluated<()> {
    if network.survey.layer(layer).is_some() {
        return Ok(());
    }
    let diagnostic = Diagnostic::error(&codes::UNKNOWN_LAYER, format!("the network has no layer `{layer}`"))
        .label(arguments.span(2), "no such layer");
    if let Some((front, _)) = layer.split_once(['{', '$', '%']) {
        let paths = network.survey.layers.iter().map(|known| known.path.as_str());
        let meant = paths.filter(|path| !path.contains('.') && path.starts_with(front.trim_end_matches('$')));
        let texts = meant.map(|path| format!("\"{path}\"")).collect::<Vec<_>>().join(", ");
        let help = format!(
            "a text has no values in it: go through the names, `layer in [{texts}]`, or through pairs if a number is \
             needed as well, `(n, layer) in [(1, …), …]`, and write `layer: layer`"
        );
        return Err(diagnostic.help(help).into());
    }
    let outer = network.survey.layers.iter().map(|known| known.path.as_str());
    let top: Vec<&str> = outer.clone().filter(|path| !path.contains('.')).collect();
    let near = suggest::question(layer, top.iter().copied()).or_else(|| suggest::question(layer, outer));
    Err(match near {
        Some(question) => diagnostic.help(question),
        None => did_you_mean(diagnostic, "", top.iter().copied()),
    }
    .into())
}

/// What it needs memory for.
fn demand(args: &Canon) -> Option<Demand> {
    let DissectArgs { arch, measurement, .. } = args.parse().ok()?;
    Some(Demand { observe: Some(measurement.layer), ..Demand::of(&arch, batch(&arch))? })
}

fn shrink(small: &Small, node: &mut Node) -> Option<()> {
    let mut known: DissectArgs = node.args.parse().ok()?;
    known.probe = small.probe(known.probe, node);
    let first = &mut known.measurement.first;
    *first = if *first == 0 { smoke::PROBED } else { smoke::PROBED.min(*first) };
    node.facts.macs = Some(small.survey(&known.arch)?.macs() * smoke::PROBED);
    node.args = Canon::of(&DissectArgs { arch: small.arch(&known.arch), ..known })?;
    Some(())
}

/// Dissects a layer.
fn run(job: &mut Job<'_>) -> Result<Outcome, RunError> {
    let args: DissectArgs = job.args()?;
    let state = job.state("state")?;
    let mut measurement = args.measurement;
    let (roots, cache) = (&job.surroundings.data_roots, &job.surroundings.data_cache);
    let probe = data::open_probe(&args.probe, measurement.pixels, roots, cache)?;
    let frozen: Option<Vec<f32>> = if job.inputs.contains_key("thresholds") {
        let other = tallies::read(job, "thresholds")?;
        Some(other.heading.units.iter().map(|unit| unit.threshold).collect())
    } else {
        None
    };
    let threads = job.surroundings.threads;
    measurement.batch = batch(&args.arch);
    let setup = Setup { input: Some(probe.shape()), ..Setup::evaluate(measurement.batch, threads).on(&job.device()) };
    let mut network = net::Network::new(&args.arch, &setup.observing(&measurement.layer))?;
    network.load(&state.weights, state.mask.as_ref())?;
    let layer = measurement.layer.clone();
    let mut maps = |pixels: &[f32], images: usize| -> Result<Maps, Failure> {
        network.forward(pixels, images)?;
        let (shape, values) = network.activation(&layer)?;
        Ok(Maps { units: shape.channels, height: shape.height, width: shape.width, values })
    };
    let bench =
        Bench { field: args.arch.field(&measurement.layer), frozen: frozen.as_deref(), ..Bench::new(&probe, threads) };
    let mut watcher = Watcher { tell: &mut *job.tell, stop: job.surroundings.stop };
    let found = dissect::dissect(&mut maps, &bench, &measurement, &mut watcher)?;
    let mut outcome = Outcome { measures: found.measures, ..Outcome::default() };
    if let Some((_, first)) = probe.damaged().first() {
        let count = probe.damaged().len();
        outcome.measures.insert("skipped".to_owned(), count as f64);
        job.note(format!("damaged images are left out, {count} in all, first {first}"));
    }
    outcome.objects.insert("tallies".to_owned(), job.put(&found.tallies)?);
    outcome.objects.insert("masks".to_owned(), job.put(&found.masks)?);
    Ok(outcome)
}

//! `dissect`: which units of a layer answer to which concepts.

use serde::{Deserialize, Serialize};

use super::Op;
use super::lowering::{Arguments, External, Lowering, Stage, did_you_mean};
use crate::diag::Diagnostic;
use crate::diag::codes::evaluation as codes;
use crate::domain::arch::Arch;
use crate::domain::arch::Shape;
use crate::domain::data::Probe;
use crate::domain::dissection::Dissection;
use crate::domain::dissection::Preset;
use crate::value::output::Scale;
use crate::value::{Evaluated, Measured, Network, Record, Value};
use std::sync::Arc;

/// Arguments of `dissect`. Input: `state`. Measures: `units`, `concepts`, `share`, `mean_iou`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DissectArgs {
    /// The network.
    pub arch: Arch,
    /// Images with labelled pixels.
    pub probe: Probe,
    /// What is measured.
    pub dissection: Dissection,
}

/// The stage.
pub static OP: Op = Op {
    name: "dissect",
    module: "dissect",
    version: 1,
    signature: "fn dissect(s: State, data: Probe, layer: Str, iou: Float = 0.04, quantile: Float = 0.005) -> Dissected",
    doc: "Compares the strongest activations of every unit of a layer with labelled pixels, by the rules of \
          NetDissect-Lite.\n\n`dissect(s, data: broden(), layer: \"layer4\").units`",
    heavy: true,
    lower,
};

/// Measures with their readings.
const MEASURES: [(&str, Scale); 4] =
    [("units", Scale::Count), ("concepts", Scale::Count), ("share", Scale::Ratio), ("mean_iou", Scale::Plain)];
/// Categories that NetDissect-Lite looks at, in its order.
const CATEGORIES: [&str; 5] = ["object", "part", "scene", "texture", "color"];

fn lower(lowering: &mut dyn Lowering, arguments: &Arguments) -> Evaluated<Value> {
    let (state, probe, layer) = (arguments.state(0)?, arguments.probe(1)?, arguments.text(2)?);
    let network = &state.facts.network;
    let images = check_probe(network, &probe, arguments)?;
    check_layer(network, &layer, arguments)?;
    let dissection = Dissection {
        layer: layer.to_string(),
        preset: Preset::Lite2018,
        quantile: share(arguments, 4, "the quantile")?,
        iou: share(arguments, 3, "the threshold")?,
        categories: CATEGORIES.map(str::to_owned).to_vec(),
        batch: 0,
    };
    let args = DissectArgs { arch: network.arch.clone(), probe: (*probe).clone(), dissection };
    let mut stage = Stage::new(&OP, &args, arguments.call)?
        .input("state", state.node)
        .reads(lowering, External::Probe(&probe))
        .describe(network, state.facts.kept.total, state.facts.round)
        .fact("images", images);
    stage.facts.macs = network.survey.macs().checked_mul(images);
    let node = lowering.push(stage);
    let read = |(name, scale): (&str, Scale)| {
        let measure: Arc<str> = Arc::from(name);
        (measure.clone(), Value::Measured(Arc::new(Measured::Read { node, measure, scale })))
    };
    Ok(Value::Record(Arc::new(MEASURES.into_iter().map(read).collect::<Record>())))
}

fn share(arguments: &Arguments, at: usize, what: &str) -> Evaluated<f64> {
    let value = arguments.float(at)?;
    if value > 0.0 && value < 1.0 {
        return Ok(value);
    }
    let message = format!("{what} is {value}, but must lie between 0 and 1");
    Err(arguments.refuse(at, message, "out of range").help("0.04 and 0.005 are the published values").into())
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
    let outer = network.survey.layers.iter().map(|known| known.path.as_str());
    let top: Vec<&str> = outer.clone().filter(|path| !path.contains('.')).collect();
    let near = crate::diag::suggest::closest(layer, top.iter().copied().chain(outer));
    Err(match near {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => did_you_mean(diagnostic, "", top.iter().copied()),
    }
    .into())
}

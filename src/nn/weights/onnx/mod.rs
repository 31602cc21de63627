//! ONNX: networks as graphs that other programs compute.

mod fold;
mod graph;
mod proto;

use std::collections::BTreeMap;

use prost::Message;

use super::numbers::{self, Kind, View};
use super::{Error, FileError, Weights};
use crate::domain::arch::Arch;
use crate::nn::checkpoint;
use proto::{Dimension, FLOAT, Graph, Model, OperatorSet, Property, Shape, Tensor, TensorType, Type, ValueInfo};

/// Version of the file format, of 2021.
const IR_VERSION: i64 = 8;
/// Version of the operators.
const OPSET: i64 = 17;
/// Name of the input, `[N, channels, height, width]`.
pub const INPUT: &str = "images";
/// Name of the output, `[N, classes]`; `[N, channels, height, width]` if it is an image.
pub const OUTPUT: &str = "logits";
/// Name of the number of images.
const BATCH: &str = "N";
/// Protocol buffers end here.
const LARGEST: usize = i32::MAX as usize;

/// What becomes of batch normalisations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norms {
    /// They stay nodes of their own.
    Keep,
    /// Those right after a convolution or a fully connected layer become part of its weights and bias.
    Fold,
}

/// Writes a network as a graph in float32. Initialisers have the names of the state dict; `notes` become metadata.
///
/// # Errors
/// If the weights do not fit the architecture, or the file would be larger than 2 GiB.
pub fn encode(
    arch: &Arch,
    weights: &Weights,
    norms: Norms,
    notes: &BTreeMap<String, String>,
) -> Result<Vec<u8>, Error> {
    let survey = arch.survey()?;
    checkpoint::check(&survey, weights)?;
    let drawn = graph::draw(arch, weights, norms)?;
    let extent = |extent: usize| Dimension { value: Some(extent as i64), parameter: None };
    let image = [survey.input.channels, survey.input.height, survey.input.width].map(extent);
    let output = [survey.output.channels, survey.output.height, survey.output.width].map(extent);
    let output = if drawn.flat { &output[..1] } else { &output[..] };
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "pdsl".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(Graph {
            node: drawn.nodes,
            name: "network".to_owned(),
            initializer: drawn.initializers,
            input: vec![value(INPUT, &image)],
            output: vec![value(OUTPUT, output)],
        }),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata_props: notes.iter().map(|(key, value)| Property { key: key.clone(), value: value.clone() }).collect(),
    };
    let length = model.encoded_len();
    if length > LARGEST {
        return Err(Error::Checkpoint(format!("the graph takes {length} bytes, and ONNX ends at 2 GiB")));
    }
    Ok(model.encode_to_vec())
}

fn value(name: &str, image: &[Dimension]) -> ValueInfo {
    let batch = Dimension { value: None, parameter: Some(BATCH.to_owned()) };
    let dim = [&[batch], image].concat();
    let tensor = TensorType { elem_type: FLOAT, shape: Some(Shape { dim }) };
    ValueInfo { name: name.to_owned(), kind: Some(Type { tensor: Some(tensor) }) }
}

/// Whether some bytes are a model.
pub(super) fn is_model(bytes: &[u8]) -> bool {
    Model::decode(bytes).is_ok_and(|model| model.ir_version > 0 && model.graph.is_some())
}

/// Reads the initialisers of a graph.
pub(super) fn decode(bytes: &[u8]) -> Result<Weights, FileError> {
    let model = Model::decode(bytes).map_err(|error| FileError::malformed(error.to_string()))?;
    let initializers = model.graph.map(|graph| graph.initializer).unwrap_or_default();
    let known = initializers.into_iter().filter(|tensor| !tensor.name.is_empty());
    known.map(|tensor| Ok((tensor.name.clone(), read(&tensor)?))).collect()
}

fn read(tensor: &Tensor) -> Result<candle_core::Tensor, FileError> {
    if tensor.data_location != 0 {
        return Err(FileError::Unsupported(format!("`{}` in another file", tensor.name)));
    }
    let wrong = |reason: String| FileError::of_tensor(&tensor.name, reason);
    let kind = kind(tensor.data_type)
        .ok_or_else(|| FileError::Unsupported(format!("elements of the type {}", tensor.data_type)))?;
    let shape: Option<Vec<usize>> = tensor.dims.iter().map(|extent| usize::try_from(*extent).ok()).collect();
    let view = View::contiguous(shape.ok_or_else(|| wrong("has a negative extent".to_owned()))?).map_err(wrong)?;
    let listed: Vec<u8> = match kind {
        Kind::F32 => tensor.float_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Kind::F64 => tensor.double_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Kind::I64 => tensor.int64_data.iter().flat_map(|value| value.to_le_bytes()).collect(),
        _ => Vec::new(),
    };
    let bytes = if tensor.raw_data.is_empty() { &listed } else { &tensor.raw_data };
    numbers::tensor(kind, bytes, &view, false).map_err(wrong)
}

fn kind(data_type: i32) -> Option<Kind> {
    Some(match data_type {
        FLOAT => Kind::F32,
        2 => Kind::U8,
        3 => Kind::I8,
        5 => Kind::I16,
        6 => Kind::I32,
        proto::INT64 => Kind::I64,
        9 => Kind::Bool,
        10 => Kind::F16,
        11 => Kind::F64,
        16 => Kind::Bf16,
        _ => return None,
    })
}

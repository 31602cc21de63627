//! State dicts as safetensors files: the same weights always give the same bytes.

use std::collections::BTreeMap;
use std::fmt;

use candle_core::{DType, Device, Tensor};
use serde_json::{Map, Value, json};

use crate::domain::arch::{Role, Survey};

use super::{Error, Weights};

/// How a state dict differs from what an architecture needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Entries the architecture needs and the dict lacks.
    pub missing: Vec<String>,
    /// Entries the dict has and the architecture does not know.
    pub surplus: Vec<String>,
    /// `(name, shape needed, shape found)`
    pub shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
    /// Entries the architecture needs in all.
    pub needed: usize,
}

impl std::error::Error for Mismatch {}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { missing, surplus, shapes, needed } = self;
        if missing.len() * 2 > *needed {
            return write!(
                f,
                "the weights belong to another architecture: {} of {needed} entries are missing, `{}` first",
                missing.len(),
                missing[0]
            );
        }
        let mut parts = Vec::new();
        let names = |names: &[String], what: &str| {
            let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
            format!("`{}`{more} {} {what}", names[0], if names.len() > 1 { "are" } else { "is" })
        };
        if !missing.is_empty() {
            parts.push(names(missing, "missing"));
        }
        if !surplus.is_empty() {
            parts.push(names(surplus, "unknown"));
        }
        if let Some((name, needed, found)) = shapes.first() {
            parts.push(format!("`{name}` has shape {found:?} instead of {needed:?}"));
        }
        write!(f, "the weights do not fit: {}", parts.join("; "))
    }
}

/// Checks names and shapes of a state dict against an architecture.
///
/// # Errors
/// Lists everything that is missing, surplus or of another shape.
pub fn check(survey: &Survey, weights: &Weights) -> Result<(), Mismatch> {
    let mut mismatch = Mismatch { needed: survey.parameters.len(), ..Mismatch::default() };
    for parameter in &survey.parameters {
        match weights.get(&parameter.name) {
            None => mismatch.missing.push(parameter.name.clone()),
            Some(tensor) if tensor.dims() != parameter.shape => {
                mismatch.shapes.push((parameter.name.clone(), parameter.shape.clone(), tensor.dims().to_vec()));
            }
            Some(_) => {}
        }
    }
    mismatch.surplus = weights.keys().filter(|name| survey.parameter(name).is_none()).cloned().collect();
    let fits = mismatch.missing.is_empty() && mismatch.surplus.is_empty() && mismatch.shapes.is_empty();
    if fits { Ok(()) } else { Err(mismatch) }
}

/// Checks a momentum or another dict that has an entry for every learned parameter and nothing else.
///
/// # Errors
/// As [`check`].
pub fn check_learned(survey: &Survey, values: &Weights) -> Result<(), Mismatch> {
    let mut learned = survey.clone();
    learned.parameters.retain(|parameter| parameter.role.is_learned());
    check(&learned, values)
}

/// Writes a safetensors file: 64-bit integers first, then floats, each by name; metadata by key.
///
/// # Errors
/// If a tensor is neither float32 nor a 64-bit integer.
pub fn encode(weights: &Weights, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, Error> {
    let mut header = Map::new();
    if !metadata.is_empty() {
        header.insert("__metadata__".to_owned(), json!(metadata));
    }
    let mut data = Vec::new();
    for (dtype, name) in [(DType::I64, "I64"), (DType::F32, "F32")] {
        for (key, tensor) in weights.iter().filter(|(_, tensor)| tensor.dtype() == dtype) {
            let start = data.len();
            let flat = tensor.flatten_all()?;
            if dtype == DType::I64 {
                data.extend(flat.to_vec1::<i64>()?.into_iter().flat_map(i64::to_le_bytes));
            } else {
                data.extend(flat.to_vec1::<f32>()?.into_iter().flat_map(f32::to_le_bytes));
            }
            let entry = json!({ "dtype": name, "shape": tensor.dims(), "data_offsets": [start, data.len()] });
            header.insert(key.clone(), entry);
        }
    }
    if let Some((name, tensor)) = weights.iter().find(|(_, tensor)| !matches!(tensor.dtype(), DType::I64 | DType::F32))
    {
        return Err(Error::Checkpoint(format!("`{name}` holds {:?} numbers", tensor.dtype())));
    }
    let mut header =
        serde_json::to_vec(&Value::Object(header)).map_err(|error| Error::Checkpoint(error.to_string()))?;
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.reserve(header.len() + data.len());
    bytes.extend(header);
    bytes.extend(data);
    Ok(bytes)
}

/// Reads a safetensors file; floats of any width become float32.
///
/// # Errors
/// If the bytes are no such file.
pub fn decode(bytes: &[u8]) -> Result<Weights, Error> {
    let unreadable = |error: candle_core::Error| Error::Checkpoint(error.to_string());
    let tensors: BTreeMap<String, Tensor> =
        candle_core::safetensors::load_buffer(bytes, &Device::Cpu).map_err(unreadable)?.into_iter().collect();
    let widen = |tensor: Tensor| if tensor.dtype().is_float() { tensor.to_dtype(DType::F32) } else { Ok(tensor) };
    tensors.into_iter().map(|(name, tensor)| Ok((name, widen(tensor).map_err(unreadable)?))).collect()
}

/// Reads the metadata of a safetensors file.
///
/// # Errors
/// If the bytes are no such file.
pub fn metadata(bytes: &[u8]) -> Result<BTreeMap<String, String>, Error> {
    let (_, metadata) =
        safetensors::SafeTensors::read_metadata(bytes).map_err(|error| Error::Checkpoint(error.to_string()))?;
    Ok(metadata.metadata().clone().unwrap_or_default().into_iter().collect())
}

/// What PyTorch puts before every name of a network that it runs in parallel or compiles.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];

/// Takes the parameters and buffers of an architecture out of a published state dict: prefixes `module.` and `_orig_mod.`
/// are dropped where the architecture has none, missing counters of batches (PyTorch before 0.4.1) start at 0, and
/// integers become floats where floats belong.
///
/// # Errors
/// As [`check`].
pub fn adopt(survey: &Survey, weights: Weights) -> Result<Weights, Error> {
    let mut adopted = Weights::new();
    for (name, tensor) in weights {
        let name = unwrapped(survey, &name).to_owned();
        let counts = survey.parameter(&name).is_some_and(|entry| entry.role == Role::BatchCount);
        adopted.insert(name, tensor.to_dtype(if counts { DType::I64 } else { DType::F32 })?);
    }
    for counter in survey.parameters.iter().filter(|parameter| parameter.role == Role::BatchCount) {
        if !adopted.contains_key(&counter.name) {
            adopted.insert(counter.name.clone(), Tensor::new(0i64, &Device::Cpu)?);
        }
    }
    check(survey, &adopted)?;
    Ok(adopted)
}

fn unwrapped<'a>(survey: &Survey, name: &'a str) -> &'a str {
    let mut inner = name;
    while survey.parameter(inner).is_none() {
        match WRAPPERS.iter().find_map(|wrapper| inner.strip_prefix(wrapper)) {
            Some(rest) => inner = rest,
            None => break,
        }
    }
    inner
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::arch::samples::cifar_resnet;
    use crate::domain::arch::{Arch, Layer, Shape};
    use crate::domain::seed::Seed;
    use crate::nn::init::initialize;

    fn weights(width: usize) -> (Survey, Weights) {
        let arch = cifar_resnet(1, width, 10, 1, 8);
        let weights = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
        (arch.survey().unwrap(), weights)
    }

    #[test]
    fn files_are_read_back_and_have_fixed_bytes() {
        let (survey, weights) = weights(8);
        let notes = BTreeMap::from([("b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())]);
        let bytes = encode(&weights, &notes).unwrap();
        let read = decode(&bytes).unwrap();
        check(&survey, &read).unwrap();
        assert_eq!(metadata(&bytes).unwrap(), notes);
        assert_eq!(encode(&read, &notes).unwrap(), bytes);
        safetensors::SafeTensors::deserialize(&bytes).unwrap();
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (survey, mut good) = weights(8);
        let message = |weights: &Weights| check(&survey, weights).unwrap_err().to_string();
        assert_eq!(
            message(&weights(16).1),
            "the weights do not fit: `conv1.weight` has shape [16, 1, 3, 3] instead of [8, 1, 3, 3]"
        );
        let bias = good.remove("fc.bias").unwrap();
        good.insert("head.bias".to_owned(), bias);
        assert_eq!(message(&good), "the weights do not fit: `fc.bias` is missing; `head.bias` is unknown");
        assert_eq!(
            message(&Weights::new()),
            "the weights belong to another architecture: 56 of 56 entries are missing, `conv1.weight` first"
        );
        assert!(decode(b"not safetensors").is_err());
    }

    #[test]
    fn published_weights_are_adopted_with_or_without_a_wrapper() {
        let (survey, good) = weights(8);
        let wrapped: Weights = good
            .iter()
            .filter(|(name, _)| !name.ends_with("num_batches_tracked"))
            .map(|(name, tensor)| (format!("module.{name}"), tensor.clone()))
            .collect();
        assert!(wrapped.len() < good.len());
        let adopted = adopt(&survey, wrapped).unwrap();
        assert_eq!(encode(&adopted, &BTreeMap::new()).unwrap(), encode(&good, &BTreeMap::new()).unwrap());
        assert!(adopt(&survey, weights(16).1).is_err());
    }

    #[test]
    fn a_layer_may_be_called_as_a_wrapper_is() {
        let fc = Layer::Linear { out: 2 };
        let root = Layer::Sequence { members: vec![("module".to_owned(), fc)] };
        let arch = Arch { root, input: Shape { channels: 1, height: 1, width: 1 } };
        let survey = arch.survey().unwrap();
        let own = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
        let wrapped = own.iter().map(|(name, tensor)| (format!("module._orig_mod.{name}"), tensor.clone())).collect();
        for weights in [own.clone(), wrapped] {
            assert_eq!(adopt(&survey, weights).unwrap().keys().collect::<Vec<_>>(), ["module.bias", "module.weight"]);
        }
    }
}

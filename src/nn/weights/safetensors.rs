//! Safetensors of any element type that numbers have here; pdsl's own files need [`crate::nn::checkpoint`] only.

use ::safetensors::{Dtype, SafeTensors};

use super::numbers::{self, Kind, View};
use super::{FileError, Weights};

/// Whether a file begins with a length that fits into it and then a JSON object.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return false };
    rest.first() == Some(&b'{') && u64::from_le_bytes(*length) <= rest.len() as u64
}

/// Reads all tensors.
pub(super) fn decode(bytes: &[u8]) -> Result<Weights, FileError> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| FileError::malformed(error.to_string()))?;
    let mut weights = Weights::new();
    for (name, tensor) in file.tensors() {
        let wrong = |reason: String| FileError::of_tensor(&name, reason);
        let kind = kind(tensor.dtype())
            .ok_or_else(|| FileError::Unsupported(format!("elements of the type {:?}", tensor.dtype())))?;
        let view = View::contiguous(tensor.shape().to_vec()).map_err(wrong)?;
        let read = numbers::tensor(kind, tensor.data(), &view, false).map_err(wrong)?;
        weights.insert(name, read);
    }
    Ok(weights)
}

fn kind(dtype: Dtype) -> Option<Kind> {
    Some(match dtype {
        Dtype::F64 => Kind::F64,
        Dtype::F32 => Kind::F32,
        Dtype::F16 => Kind::F16,
        Dtype::BF16 => Kind::Bf16,
        Dtype::I64 => Kind::I64,
        Dtype::I32 => Kind::I32,
        Dtype::I16 => Kind::I16,
        Dtype::I8 => Kind::I8,
        Dtype::U8 => Kind::U8,
        Dtype::BOOL => Kind::Bool,
        _ => return None,
    })
}

//! Files of weights from elsewhere, recognised by what they hold and not by their names; and files for elsewhere.
//!
//! Nothing in a file is ever run, and nothing a file claims is believed further than its own length goes.

mod archive;
pub mod npz;
mod numbers;
pub mod onnx;
mod pickle;
mod safetensors;
pub mod sparsity;
mod state_dict;
#[cfg(test)]
mod tests;
mod torch;

use std::fmt;

use super::{Error, Weights};
use archive::Archive;

/// How weights lie in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A header in JSON and the numbers after it.
    Safetensors,
    /// What `torch.save` writes since PyTorch 1.6: a zip of a pickle and one file per storage.
    Torch,
    /// What `torch.save` wrote before: pickles one after another, then the storages.
    LegacyTorch,
    /// A zip of NumPy arrays.
    Npz,
    /// A graph with its weights as initialisers.
    Onnx,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::Torch => "PyTorch",
            Self::LegacyTorch => "PyTorch before 1.6",
            Self::Npz => "npz",
            Self::Onnx => "ONNX",
        })
    }
}

/// Why weights cannot be taken from a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The contents are of no known format.
    #[error("the file is none that holds weights: {0}")]
    Unknown(&'static str),
    /// The contents contradict themselves.
    #[error("the file is damaged or cut off: {0}")]
    Malformed(String),
    /// The file is right, but asks for more than pdsl does.
    #[error("the file holds {0}, which pdsl does not read")]
    Unsupported(String),
    /// A pickle names something to be called that is no part of a state dict.
    #[error("the file asks to run `{0}`; refused, and nothing was run")]
    Refused(String),
    /// A pickle uses an instruction that no state dict needs.
    #[error("the file uses the pickle instruction {0:#04x}, which no state dict needs; refused, and nothing was run")]
    Instruction(u8),
    /// A compiled model instead of a state dict.
    #[error("the file is a TorchScript model, not a state dict")]
    TorchScript,
    /// An ONNX graph where a state dict is needed.
    #[error("the file is an ONNX graph, not a state dict")]
    Graph,
    /// There are no tensors.
    #[error("the file holds no named tensors")]
    Empty,
    /// More than one dictionary could be meant.
    #[error("the file holds several state dicts: {}", .0.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))]
    Several(Vec<String>),
}

impl FileError {
    fn malformed(reason: impl Into<String>) -> Self {
        Self::Malformed(reason.into())
    }

    fn of_tensor(name: &str, reason: impl fmt::Display) -> Self {
        Self::Malformed(format!("`{name}` {reason}"))
    }
}

/// A file of weights, read.
#[derive(Clone, Debug)]
pub struct File {
    /// How it was written.
    pub format: Format,
    /// Its tensors by the names they have there: floats of any width as float32, integers and truths as 64-bit
    /// integers. Weights that `torch.nn.utils.prune` split into original and mask are multiplied out.
    pub tensors: Weights,
}

/// Reads a file of any known format.
///
/// # Errors
/// If it is none of them, damaged, holds no tensors or several state dicts, or asks to run something.
pub fn read(bytes: &[u8]) -> Result<File, Error> {
    let (format, archive) = recognize(bytes)?;
    let tensors = match (format, archive) {
        (Format::Torch, Some(archive)) => torch::zipped(archive, bytes.len())?,
        (_, Some(archive)) => npz::decode(archive)?,
        (Format::LegacyTorch, None) => torch::legacy(bytes)?,
        (Format::Onnx, None) => onnx::decode(bytes)?,
        (_, None) => safetensors::decode(bytes)?,
    };
    let tensors = state_dict::unwrap_pruned(tensors)?;
    if tensors.is_empty() {
        return Err(FileError::Empty.into());
    }
    Ok(File { format, tensors })
}

/// Reads a state dict: any format but ONNX, whose names need not be an architecture's.
///
/// # Errors
/// As [`read`], and if it is an ONNX graph.
pub fn read_state_dict(bytes: &[u8]) -> Result<Weights, Error> {
    if recognize(bytes)?.0 == Format::Onnx {
        return Err(FileError::Graph.into());
    }
    Ok(read(bytes)?.tensors)
}

fn recognize(bytes: &[u8]) -> Result<(Format, Option<Archive<'_>>), FileError> {
    let lone = |format| Ok((format, None));
    match bytes {
        [] => Err(FileError::Unknown("it is empty")),
        // First, since the length at its beginning may look like the beginning of any other.
        _ if safetensors::is_one(bytes) => lone(Format::Safetensors),
        [b'P', b'K', 3, 4, ..] => {
            let archive = Archive::open(bytes)?;
            Ok((of_archive(&archive)?, Some(archive)))
        }
        [0x80, ..] if torch::is_legacy(bytes) => lone(Format::LegacyTorch),
        [0x80, ..] => Err(FileError::Unknown("it is a pickle, but `torch.save` did not write it")),
        [0x89, b'H', b'D', b'F', ..] => Err(FileError::Unknown("it is HDF5, as Keras writes it")),
        _ if bytes.starts_with(b"version https://git-lfs") => {
            Err(FileError::Unknown("it is a pointer of Git LFS; fetch the file with `git lfs pull`"))
        }
        [0x08, ..] if onnx::is_model(bytes) => lone(Format::Onnx),
        _ => Err(FileError::Unknown("its beginning is unknown")),
    }
}

fn of_archive(archive: &Archive<'_>) -> Result<Format, FileError> {
    let names = || archive.names();
    if names().any(|name| name.contains("/code/") || name.ends_with("/constants.pkl")) {
        Err(FileError::TorchScript)
    } else if names().any(|name| name.ends_with("/data.pkl")) {
        Ok(Format::Torch)
    } else if names().any(|name| name.ends_with(npz::ENDING)) {
        Ok(Format::Npz)
    } else {
        Err(FileError::Unknown("it is a zip with neither a checkpoint of PyTorch nor NumPy arrays"))
    }
}

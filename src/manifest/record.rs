//! The record of a finished stage: what it was, what it left behind, and how it went.
//!
//! On disk a record is two YAML documents: a short head, which every plan reads, and the pre-image of the key, which
//! only explanations read. The head is small however large the pre-image is, so that looking up hundreds of keys is
//! quick.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::graph::{Key, Preimage};

/// Bytes of a head that are read before it is called malformed; a head holds no program-sized data.
const HEAD_LIMIT: usize = 1 << 20;
/// Bytes of a whole record.
const RECORD_LIMIT: usize = 64 << 20;
/// Starts the second document.
const SEPARATOR: &str = "\n---\n";

/// What a stage leaves behind, apart from the bytes themselves. Holds no times: equal stages have equal outcomes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Digest of each object by role: `weights`, `mask`, `optimizer`, `tally`, ….
    #[serde(default)]
    pub objects: BTreeMap<String, String>,
    /// Numbers that the program can read: `top1`, `units`, ….
    #[serde(default)]
    pub measures: BTreeMap<String, f64>,
}

impl Outcome {
    /// Makes an outcome of numbers alone.
    pub fn measured<const N: usize>(measures: [(&str, f64); N]) -> Self {
        let measures = measures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { measures, ..Self::default() }
    }
}

/// The record of a finished stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its key.
    pub key: Key,
    /// Kind of stage.
    pub op: String,
    /// Readable name.
    pub name: String,
    /// Version of the kind.
    pub version: u32,
    /// Whether it is a small trial, which stands for no result.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub smoke: bool,
    /// Keys of its inputs by role.
    #[serde(default)]
    pub inputs: BTreeMap<String, Key>,
    /// Where it lies on its trajectory, if it is training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trajectory: Option<Place>,
    /// What it left behind.
    pub outcome: Outcome,
    /// How it went; differs between equal stages.
    pub run: Circumstances,
}

/// A point of a training trajectory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Key of the trajectory's static part.
    pub base: Key,
    /// Iterations done.
    pub step: u64,
}

/// When, where and at what expense a stage ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Circumstances {
    /// End, in RFC 3339.
    pub finished: String,
    /// Name of the machine.
    pub host: String,
    /// Version of pdsl.
    pub pdsl: String,
    /// Threads it could use.
    pub threads: usize,
    /// Wall-clock seconds over all its attempts.
    pub seconds: f64,
    /// What computed networks: `cpu`, or how GPUs did; absent where nothing was computed with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Its work in multiply-accumulate operations, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub macs: Option<u64>,
    /// Largest resident memory in bytes, if the stage had a process of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_bytes: Option<u64>,
    /// What its user should know: a layer without weights, ….
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not YAML, or not a record.
    #[error("{0}")]
    Malformed(#[from] serde_yaml::Error),
    /// Larger than any record.
    #[error("it is larger than {RECORD_LIMIT} bytes, or its first document is larger than {HEAD_LIMIT}")]
    TooLarge,
    /// The second document is missing.
    #[error("its second document is missing")]
    Truncated,
}

impl Record {
    /// Writes the record and the pre-image of its key.
    ///
    /// # Errors
    /// If the pre-image has no YAML form.
    pub fn encode(&self, preimage: &Preimage) -> Result<String, RecordError> {
        let mut text = serde_yaml::to_string(self)?;
        text.truncate(text.trim_end().len());
        text.push_str(SEPARATOR);
        text.push_str(&serde_yaml::to_string(preimage)?);
        Ok(text)
    }

    /// Reads the head of a record.
    ///
    /// # Errors
    /// If it is not a whole record.
    pub fn decode(text: &str) -> Result<Self, RecordError> {
        document(split(text)?.0)
    }

    /// Reads the pre-image of a record.
    ///
    /// # Errors
    /// If it is not a whole record.
    pub fn decode_preimage(text: &str) -> Result<Preimage, RecordError> {
        document(split(text)?.1)
    }
}

fn split(text: &str) -> Result<(&str, &str), RecordError> {
    let (head, tail) = text.split_once(SEPARATOR).ok_or(RecordError::Truncated)?;
    if head.len() > HEAD_LIMIT || text.len() > RECORD_LIMIT {
        return Err(RecordError::TooLarge);
    }
    Ok((head, tail))
}

/// Reads one small YAML document. Depth and repetition by aliases are bounded by the parser.
///
/// # Errors
/// If it is too large, not YAML, or of another shape.
pub(crate) fn document<T: DeserializeOwned>(text: &str) -> Result<T, RecordError> {
    if text.len() > RECORD_LIMIT {
        return Err(RecordError::TooLarge);
    }
    Ok(serde_yaml::from_str(text)?)
}

/// Writes one YAML document.
///
/// # Errors
/// If the value has no YAML form.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<String, RecordError> {
    Ok(serde_yaml::to_string(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Canon;

    fn sample() -> (Record, Preimage) {
        let preimage = Preimage {
            op: "evaluate".to_owned(),
            version: 1,
            args: Canon::Map(BTreeMap::from([
                ("text".to_owned(), Canon::Str("a\n---\nb".to_owned())),
                ("float".to_owned(), Canon::Float(0.1)),
            ])),
            inputs: BTreeMap::from([("state".to_owned(), Key([7; 32]))]),
            data: BTreeMap::new(),
            numerics: None,
            smoke: None,
            trajectory: None,
        };
        let record = Record {
            key: preimage.key(),
            op: "evaluate".to_owned(),
            name: "evaluate seed 1 · a: --- \"odd\"\n---\nname".to_owned(),
            version: 1,
            smoke: false,
            inputs: preimage.inputs.clone(),
            trajectory: Some(Place { base: Key([3; 32]), step: 12 }),
            outcome: Outcome {
                objects: BTreeMap::from([("weights".to_owned(), "00".repeat(32))]),
                measures: BTreeMap::from([("top1".to_owned(), 0.1 + 0.2), ("loss".to_owned(), 1e-300)]),
            },
            run: Circumstances { seconds: 1.5, threads: 2, notes: vec!["x".to_owned()], ..Circumstances::default() },
        };
        (record, preimage)
    }

    #[test]
    fn a_record_survives_the_round_trip() {
        let (record, preimage) = sample();
        let text = record.encode(&preimage).unwrap();
        assert_eq!(Record::decode(&text).unwrap(), record);
        let back = Record::decode_preimage(&text).unwrap();
        assert_eq!(back, preimage);
        assert_eq!(back.key(), record.key);
    }

    #[test]
    fn every_truncated_record_is_refused_or_equal() {
        let (record, preimage) = sample();
        let text = record.encode(&preimage).unwrap();
        let whole = text.find(SEPARATOR).unwrap();
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            if let Ok(read) = Record::decode(&text[..end]) {
                assert!(end > whole, "accepted a head of {end} bytes");
                assert_eq!(read, record);
            }
        }
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "[".repeat(100_000);
        assert!(document::<Record>(&deep).is_err());
        let mut bomb = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
        for (this, last) in ('b'..='i').zip('a'..='h') {
            bomb += &format!("{this}: &{this} [{}]\n", vec![format!("*{last}"); 9].join(","));
        }
        assert!(document::<Canon>(&bomb).is_err());
    }
}

//! `run.yaml`: what a run was, for people and for later comparison. Nothing is read from it to compute anything.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::record::{self, RecordError};
use crate::graph::Key;

/// What ran, from what, where and when.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunManifest {
    /// The program's file as the user wrote it.
    pub file: String,
    /// Digest of the program's text.
    pub text: String,
    /// The command line.
    pub command: Vec<String>,
    /// How it ended: `done`, `failed`, `interrupted`.
    pub outcome: String,
    /// Version of pdsl.
    pub pdsl: String,
    /// Name of the machine.
    pub host: String,
    /// Its operating system and processor.
    pub platform: String,
    /// Cores it has.
    pub cores: usize,
    /// Beginning, in RFC 3339.
    pub started: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Directory of the store.
    pub store: String,
    /// Parameters and their values, as expressions.
    pub params: BTreeMap<String, String>,
    /// Digests of the data that was read, by name.
    pub data: BTreeMap<String, String>,
    /// Versions of the kinds of stages.
    pub ops: BTreeMap<String, u32>,
    /// Every stage of the plan.
    pub stages: Vec<StageLine>,
}

/// A stage of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageLine {
    /// Readable name.
    pub name: String,
    /// Its key.
    pub key: Key,
    /// What became of it: `cached`, `done`, `failed`, `blocked`, `not run`, `not needed`.
    pub status: String,
    /// Seconds it took, now or earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

impl RunManifest {
    /// Writes the manifest as YAML.
    ///
    /// # Errors
    /// If a value has no YAML form.
    pub fn encode(&self) -> Result<String, RecordError> {
        record::write(self)
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// If the text is not one.
    pub fn decode(text: &str) -> Result<Self, RecordError> {
        record::document(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_survives_the_round_trip() {
        let stage =
            StageLine { name: "train: seed 1".into(), key: Key([5; 32]), status: "done".into(), seconds: Some(0.5) };
        let manifest = RunManifest { file: "a.pd".into(), stages: vec![stage], ..RunManifest::default() };
        assert_eq!(RunManifest::decode(&manifest.encode().unwrap()).unwrap(), manifest);
    }
}

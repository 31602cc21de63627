//! What a worker is told and what it answers: everything about one stage, and nothing about the program.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Options;
use crate::domain::data::Place;
use crate::graph::key::Chain;
use crate::graph::{Graph, Key, NodeId, Preimage, Pruning, Trajectory};
use crate::manifest::record::{self, Record};
use crate::ops::run::{Cadence, Course, Problem, Telling};
use crate::store::Holder;

/// One stage to compute. It travels as YAML, in which floats keep their bits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Assignment {
    /// Its key.
    pub key: Key,
    /// Readable name.
    pub name: String,
    /// Its work in multiply-accumulate operations, as far as known.
    pub macs: Option<u64>,
    /// What the key is computed from.
    pub preimage: Preimage,
    /// Present on training.
    pub path: Option<Path>,
    /// Records of its inputs by role.
    pub inputs: BTreeMap<String, Record>,
    /// The store.
    pub store: PathBuf,
    /// Threads it may use.
    pub threads: usize,
    /// Numbers of the GPUs that it may use.
    pub gpus: Vec<usize>,
    /// Whether it computes activations again instead of keeping them.
    pub recompute: bool,
    /// When training saves resume points.
    pub cadence: Cadence,
    /// Where named data sets are.
    pub data_roots: BTreeMap<String, Place>,
    /// Directory for generated data sets.
    pub data_cache: PathBuf,
}

/// The trajectory of a training stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Path {
    /// Key of its static part.
    pub base: Key,
    /// First iteration.
    pub start: u64,
    /// One past the last iteration.
    pub until: u64,
    /// Iterations per epoch.
    pub per_epoch: u64,
    /// Learning rates, as the hexadecimal digits of their bits.
    #[serde(serialize_with = "write_bits", deserialize_with = "read_bits")]
    pub rates: Arc<[f64]>,
    /// Prunings on the way.
    #[serde(default)]
    pub prunings: Arc<[Pruning]>,
}

/// What a worker answers, one JSON line each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(super) enum Answer {
    /// Another process computes the stage.
    Waiting {
        /// Who.
        holder: Holder,
    },
    /// The stage tells something.
    Told {
        /// What.
        telling: Telling,
    },
    /// The record is in the store.
    Done,
    /// It stopped on request.
    Interrupted {
        /// Iterations saved.
        step: Option<u64>,
    },
    /// It failed.
    Failed {
        /// Why.
        problem: Problem,
    },
}

impl Assignment {
    /// Describes a stage whose inputs are stored.
    pub(super) fn of(
        graph: &Graph,
        id: NodeId,
        inputs: BTreeMap<String, Record>,
        store: PathBuf,
        threads: usize,
        options: &Options,
    ) -> Self {
        let node = graph.node(id);
        let path = node.trajectory.as_ref().zip(graph.chain_base(id)).map(|(trajectory, base)| {
            let length = trajectory.until.saturating_sub(trajectory.start) as usize;
            let rates = trajectory.rates.get(..length).map_or_else(|| trajectory.rates.clone(), Arc::from);
            let Trajectory { start, until, per_epoch, .. } = *trajectory;
            let prunings = trajectory.prunings_in(start, until).into();
            Path { base, start, until, per_epoch, rates, prunings }
        });
        Self {
            key: graph.key(id),
            name: node.facts.name.clone(),
            macs: node.facts.macs,
            preimage: graph.preimage(id),
            path,
            inputs,
            store,
            threads,
            gpus: options.gpus.clone(),
            recompute: options.recompute,
            cadence: options.cadence,
            data_roots: options.data_roots.clone(),
            data_cache: options.data_cache.clone(),
        }
    }

    /// Returns the course of training.
    pub(super) fn course(&self) -> Option<Course> {
        let path = self.path.as_ref()?;
        let Path { base, start, until, per_epoch, .. } = *path;
        let (rates, prunings) = (path.rates.clone(), path.prunings.clone());
        let trajectory = Trajectory { start, until, per_epoch, rates, prunings };
        let chain = Chain::along(base, &trajectory);
        Some(Course { trajectory, base, chain, cadence: self.cadence })
    }

    /// Tells whether the assignment arrived as it was sent.
    pub(super) fn is_sound(&self) -> bool {
        self.preimage.key() == self.key && self.course().is_none_or(|course| course.chain.end() == self.key)
    }

    /// Sends the assignment, preceded by its length.
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let text = record::write(self).map_err(io::Error::other)?;
        writeln!(to, "{}", text.len())?;
        to.write_all(text.as_bytes())?;
        to.flush()
    }

    /// Receives an assignment.
    pub(super) fn read(from: &mut impl BufRead) -> io::Result<Self> {
        let mut length = String::new();
        from.by_ref().take(32).read_line(&mut length)?;
        let length = length.trim().parse::<u64>().map_err(io::Error::other)?;
        let mut text = String::new();
        from.by_ref().take(length).read_to_string(&mut text)?;
        record::document(&text).map_err(io::Error::other)
    }
}

fn write_bits<S: Serializer>(rates: &Arc<[f64]>, serializer: S) -> Result<S::Ok, S::Error> {
    use std::fmt::Write;
    let mut text = String::with_capacity(rates.len() * 16);
    for rate in rates.iter() {
        let _ = write!(text, "{:016x}", rate.to_bits());
    }
    serializer.serialize_str(&text)
}

fn read_bits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[f64]>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let rate = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).map_err(serde::de::Error::custom)?;
        u64::from_str_radix(digits, 16).map(f64::from_bits).map_err(serde::de::Error::custom)
    };
    text.as_bytes().chunks(16).map(rate).collect()
}

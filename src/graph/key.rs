//! Keys: BLAKE3 over the canonical form of a stage, and chains of them for training.
//!
//! A training key is a chain. h₀ covers the static part: operation, arguments, keys of the inputs, digests of the
//! data, first iteration, iterations per epoch. Each epoch then extends it by the learning rates of its iterations,
//! so that the key at iteration t depends on nothing after t, and two runs that agree up to t share their checkpoints.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::device::Numerics;

use super::canon::Canon;
use super::node::{Node, NodeId, Pruning, Trajectory};

/// The name of a result: 256 bits, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// Returns the first twelve digits: enough to tell stages apart by eye and on the command line.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.short())
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is 64 hexadecimal digits")]
pub struct MalformedKey;

impl FromStr for Key {
    type Err = MalformedKey;

    fn from_str(text: &str) -> Result<Self, MalformedKey> {
        blake3::Hash::from_hex(text).map(|hash| Self(*hash.as_bytes())).map_err(|_| MalformedKey)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a key is computed from; stored beside the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preimage {
    /// Stage kind.
    pub op: String,
    /// Its version.
    pub version: u32,
    /// Canonical arguments.
    pub args: Canon,
    /// Keys of the inputs by role.
    pub inputs: BTreeMap<String, Key>,
    /// Digests of external data by name; `None` where the data is not at hand.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, Option<String>>,
    /// How GPUs compute the stage; absent for results of the processor, whose bits depend on nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numerics: Option<Numerics>,
    /// The stage at full scale that this one tries out in small; absent for every other. A trial can have no other
    /// stage's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoke: Option<Key>,
    /// The per-iteration part of training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trajectory: Option<TrajectoryImage>,
}

/// The per-iteration part of a training key, epoch by epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrajectoryImage {
    /// First iteration.
    pub start: u64,
    /// One past the last iteration.
    pub until: u64,
    /// Iterations per epoch.
    pub per_epoch: u64,
    /// One entry per epoch, or part of one.
    pub epochs: Vec<EpochImage>,
}

/// The learning rates of one epoch, or of a part of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochImage {
    /// Iteration of the first rate.
    pub from: u64,
    /// First rate.
    pub first: f64,
    /// Last rate.
    pub last: f64,
    /// Digest of all rates, and of the prunings on the way.
    pub rates: Key,
    /// Prunings on the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prunings: Vec<Pruning>,
}

impl Preimage {
    /// Describes a node.
    pub(super) fn of(
        node: &Node,
        key: impl Fn(NodeId) -> Key,
        numerics: Option<Numerics>,
        smoke: Option<Key>,
        epochs: Option<Vec<EpochImage>>,
    ) -> Self {
        let trajectory = node.trajectory.as_ref().zip(epochs).map(|(trajectory, epochs)| TrajectoryImage {
            start: trajectory.start,
            until: trajectory.until,
            per_epoch: trajectory.per_epoch,
            epochs,
        });
        Self {
            op: node.op.to_owned(),
            version: node.version,
            args: node.args.clone(),
            inputs: node.inputs.iter().map(|(role, id)| (role.to_string(), key(*id))).collect(),
            data: node.data.clone(),
            numerics: numerics.filter(|_| crate::ops::run::is_heavy(node.op)),
            smoke,
            trajectory,
        }
    }

    /// Computes the key that this structure describes.
    pub fn key(&self) -> Key {
        match &self.trajectory {
            None => {
                let mut hasher = hasher("pdsl/node/1");
                self.hash_static(&mut hasher);
                finish(&hasher)
            }
            Some(image) => image
                .epochs
                .iter()
                .fold(self.base(image.start, image.per_epoch), |chain, epoch| extend(chain, epoch.rates)),
        }
    }

    /// Returns h₀ of the chain that this static part starts.
    pub(super) fn chain_base(&self, trajectory: &Trajectory) -> Key {
        self.base(trajectory.start, trajectory.per_epoch)
    }

    fn base(&self, start: u64, per_epoch: u64) -> Key {
        let mut hasher = hasher("pdsl/chain/1");
        self.hash_static(&mut hasher);
        hasher.update(&start.to_le_bytes()).update(&per_epoch.to_le_bytes());
        finish(&hasher)
    }

    fn hash_static(&self, hasher: &mut blake3::Hasher) {
        Canon::Str(self.op.clone()).hash_into(hasher);
        Canon::Int(i64::from(self.version)).hash_into(hasher);
        self.args.hash_into(hasher);
        let inputs = self.inputs.iter().map(|(role, key)| (role.clone(), Canon::Str(key.to_string())));
        Canon::Map(inputs.collect()).hash_into(hasher);
        let data =
            self.data.iter().map(|(name, digest)| (name.clone(), digest.clone().map_or(Canon::Null, Canon::Str)));
        Canon::Map(data.collect()).hash_into(hasher);
        if let Some(numerics) = self.numerics {
            Canon::Str(numerics.to_string()).hash_into(hasher);
        }
        if let Some(full) = self.smoke {
            Canon::Map(BTreeMap::from([("smoke".to_owned(), Canon::Str(full.to_string()))])).hash_into(hasher);
        }
    }
}

/// The keys of one trajectory at the ends of its epochs.
#[derive(Clone, Debug)]
pub struct Chain {
    base: Key,
    /// `(iteration, key)`, ascending; the last entry is the end, inside an epoch or not.
    ends: Vec<(u64, Key)>,
}

impl Chain {
    /// Computes the keys of a trajectory from the key of its static part.
    pub fn along(base: Key, trajectory: &Trajectory) -> Self {
        Self::new(base, trajectory, &mut RateDigests::default())
    }

    pub(super) fn new(base: Key, trajectory: &Trajectory, memo: &mut RateDigests) -> Self {
        let mut ends = Vec::new();
        let mut key = base;
        for (range, digest) in memo.digests(trajectory) {
            key = extend(key, digest);
            ends.push((range.1, key));
        }
        Self { base, ends }
    }

    /// Returns the key of the static part.
    pub fn base(&self) -> Key {
        self.base
    }

    /// Returns the key after the last iteration.
    pub fn end(&self) -> Key {
        self.ends.last().map_or(self.base, |(_, key)| *key)
    }

    /// Returns the key after iteration `at`; `None` outside the trajectory.
    pub fn key_at(&self, trajectory: &Trajectory, at: u64) -> Option<Key> {
        if at < trajectory.start || at > trajectory.until {
            return None;
        }
        let whole = self.ends.partition_point(|(end, _)| *end <= at);
        let (from, key) = whole.checked_sub(1).map_or((trajectory.start, self.base), |last| self.ends[last]);
        if from == at {
            return Some(key);
        }
        slice(trajectory, from, at)?;
        Some(extend(key, digest(trajectory, from, at)))
    }
}

/// Remembers the digests of each epoch's rates, since many trajectories share one schedule.
#[derive(Clone, Debug, Default)]
pub(super) struct RateDigests {
    /// Keyed by addresses of the shared rates and prunings, first iteration and iterations per epoch.
    known: HashMap<(usize, usize, u64, u64), KnownRates>,
}

/// Digests of the whole epochs at the front of a schedule.
#[derive(Clone, Debug)]
struct KnownRates {
    /// Keeps the addresses in the key from being used again.
    _alive: (Arc<[f64]>, Arc<[Pruning]>),
    digests: Vec<Key>,
}

impl RateDigests {
    /// Returns `((from, to), digest)` of each epoch, or part of one, from `start` to `until`.
    fn digests(&mut self, trajectory: &Trajectory) -> Vec<((u64, u64), Key)> {
        let addresses = (trajectory.rates.as_ptr() as usize, trajectory.prunings.as_ptr() as usize);
        let at = (addresses.0, addresses.1, trajectory.start, trajectory.per_epoch);
        let known = &mut self
            .known
            .entry(at)
            .or_insert_with(|| KnownRates {
                _alive: (trajectory.rates.clone(), trajectory.prunings.clone()),
                digests: Vec::new(),
            })
            .digests;
        let ranges = epochs(trajectory);
        let mut found = Vec::with_capacity(ranges.len());
        for (place, &(from, to)) in ranges.iter().enumerate() {
            let whole = to % trajectory.per_epoch.max(1) == 0;
            let digest = match known.get(place) {
                Some(digest) if whole => *digest,
                _ => digest(trajectory, from, to),
            };
            if whole && place == known.len() {
                known.push(digest);
            }
            found.push(((from, to), digest));
        }
        found
    }

    /// Describes each epoch for a preimage.
    pub(super) fn describe(&mut self, trajectory: &Trajectory) -> Vec<EpochImage> {
        self.digests(trajectory)
            .into_iter()
            .map(|((from, to), rates)| {
                let values = slice(trajectory, from, to).unwrap_or_default();
                let (first, last) = (values.first(), values.last());
                let (first, last) = (first.copied().unwrap_or(0.0), last.copied().unwrap_or(0.0));
                EpochImage { from, first, last, rates, prunings: trajectory.prunings_in(from, to).to_vec() }
            })
            .collect()
    }
}

/// Cuts `start..until` at the ends of epochs.
fn epochs(trajectory: &Trajectory) -> Vec<(u64, u64)> {
    let per_epoch = trajectory.per_epoch.max(1);
    let mut ranges = Vec::new();
    let mut from = trajectory.start;
    while from < trajectory.until {
        let to = ((from / per_epoch + 1) * per_epoch).min(trajectory.until);
        ranges.push((from, to));
        from = to;
    }
    ranges
}

impl Trajectory {
    /// Returns the digest of what happens in iterations `from..to`, as an [`EpochImage`] holds it.
    pub fn digest(&self, from: u64, to: u64) -> Key {
        digest(self, from, to)
    }
}

fn slice(trajectory: &Trajectory, from: u64, to: u64) -> Option<&[f64]> {
    let start = usize::try_from(from.checked_sub(trajectory.start)?).ok()?;
    let end = usize::try_from(to.checked_sub(trajectory.start)?).ok()?;
    trajectory.rates.get(start..end)
}

/// Digest of what happens in iterations `from..to`.
fn digest(trajectory: &Trajectory, from: u64, to: u64) -> Key {
    let mut hasher = hasher("pdsl/rates/1");
    for rate in slice(trajectory, from, to).unwrap_or_default() {
        hasher.update(&(rate + 0.0).to_bits().to_le_bytes());
    }
    for Pruning { at, sparsity } in trajectory.prunings_in(from, to) {
        hasher.update(b"pruning").update(&at.to_le_bytes());
        hasher.update(&(sparsity.len() as u64).to_le_bytes()).update(sparsity.as_bytes());
    }
    finish(&hasher)
}

fn extend(chain: Key, rates: Key) -> Key {
    let mut hasher = hasher("pdsl/epoch/1");
    hasher.update(&chain.0).update(&rates.0);
    finish(&hasher)
}

fn hasher(domain: &str) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(domain.len() as u64).to_le_bytes()).update(domain.as_bytes());
    hasher
}

fn finish(hasher: &blake3::Hasher) -> Key {
    Key(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::{Canon, Facts, Graph, Node, NodeId, Trajectory};
    use crate::domain::device::{Numerics, Policy, Precision};

    fn plain(op: &'static str, value: i64) -> Node {
        Node {
            op,
            version: 1,
            args: Canon::Int(value),
            inputs: Vec::new(),
            trajectory: None,
            data: std::collections::BTreeMap::new(),
            facts: Facts::default(),
            origins: Vec::new(),
        }
    }

    fn training(input: NodeId, start: u64, until: u64, per_epoch: u64, rates: &[f64]) -> Node {
        Node {
            inputs: vec![("state".into(), input)],
            trajectory: Some(Trajectory { start, until, per_epoch, rates: Arc::from(rates), prunings: Arc::default() }),
            ..plain("train", 0)
        }
    }

    #[test]
    fn equal_nodes_are_one() {
        let mut graph = Graph::default();
        let one = graph.push(plain("init", 1));
        assert_eq!(one, graph.push(plain("init", 1)));
        assert_ne!(one, graph.push(plain("init", 2)));
        assert_ne!(one, graph.push(plain("reinit", 1)));
        assert_eq!(graph.len(), 3);
    }

    #[test]
    fn gpus_are_in_the_keys_of_what_they_compute_and_of_what_comes_behind() {
        let mut graph = Graph::default();
        let start = graph.push(plain("init", 1));
        let trained = graph.push(training(start, 0, 4, 2, &[0.1; 4]));
        let pruned = graph.push(Node { inputs: vec![("state".into(), trained)], ..plain("prune", 1) });
        let keys = |graph: &Graph| [start, trained, pruned].map(|id| graph.key(id));
        let cpu = keys(&graph);
        let numerics = |gpus, precision| Some(Numerics { gpus, policy: Policy { precision, fast: false } });
        let mut seen = vec![cpu];
        for numerics in [numerics(1, Precision::Float32), numerics(2, Precision::Float32), numerics(1, Precision::Bf16)]
        {
            graph.compute_with(numerics);
            let found = keys(&graph);
            assert_eq!(found[0], cpu[0]);
            assert!(seen.iter().all(|seen| seen[1] != found[1] && seen[2] != found[2]));
            assert_eq!(graph.preimage(trained).key(), found[1]);
            seen.push(found);
        }
        graph.compute_with(None);
        assert_eq!(keys(&graph), cpu);
    }

    proptest! {
        #[test]
        fn the_key_at_t_is_the_key_of_the_run_that_ends_at_t(
            rates in prop::collection::vec(0.0..1.0f64, 1..60), start in 0u64..20, per_epoch in 1u64..12, cut in 0.0..1.0f64,
        ) {
            let mut graph = Graph::default();
            let input = graph.push(plain("init", 1));
            let until = start + rates.len() as u64;
            let at = start + (cut * rates.len() as f64) as u64;
            let long = graph.push(training(input, start, until, per_epoch, &rates));
            let short = graph.push(training(input, start, at, per_epoch, &rates[..(at - start) as usize]));
            prop_assert_eq!(graph.chain_key(long, at), Some(graph.key(short)));
            prop_assert_eq!(graph.chain_base(long), graph.chain_base(short));
            for id in [long, short] {
                prop_assert_eq!(graph.preimage(id).key(), graph.key(id));
                let text = serde_json::to_string(&graph.preimage(id)).unwrap();
                let back: super::Preimage = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(back.key(), graph.key(id));
            }
        }

        #[test]
        fn a_later_change_leaves_earlier_keys_alone(
            rates in prop::collection::vec(0.0..1.0f64, 2..60), per_epoch in 1u64..12, place in 0.0..1.0f64,
        ) {
            let mut graph = Graph::default();
            let input = graph.push(plain("init", 1));
            let changed = (place * rates.len() as f64) as usize;
            let mut other = rates.clone();
            other[changed] += 1.0;
            let first = graph.push(training(input, 0, rates.len() as u64, per_epoch, &rates));
            let second = graph.push(training(input, 0, rates.len() as u64, per_epoch, &other));
            for at in 0..=rates.len() as u64 {
                let equal = graph.chain_key(first, at) == graph.chain_key(second, at);
                prop_assert_eq!(equal, at <= changed as u64, "at {}", at);
            }
        }
    }
}

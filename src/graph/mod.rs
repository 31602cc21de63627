//! The stage graph: canonical nodes, their keys, the order they run in.
//!
//! A node's key is known before anything runs. It is computed from its [`key::Preimage`], which is stored beside the
//! result, so that the explanation of a key and the key itself cannot drift apart.

pub mod build;
pub mod canon;
pub mod export;
pub mod key;
pub mod node;

use std::collections::HashMap;
use std::sync::Arc;

pub use build::Dependencies;
pub use canon::{Canon, Shared};
pub use key::{Key, Preimage};
pub use node::{Facts, Node, NodeId, Origin, Pruning, Trajectory};

use crate::domain::device::Numerics;
use key::{Chain, RateDigests};

/// All stages of a program. Equal stages are one node: pushing a node whose key exists returns the existing one.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    keys: Vec<Key>,
    chains: Vec<Option<Chain>>,
    index: HashMap<Key, NodeId>,
    rates: RateDigests,
    numerics: Option<Numerics>,
    /// What each stage tries out in small, if this is a graph of trials.
    trials_of: Vec<Key>,
}

impl Graph {
    /// Adds a stage, or finds the equal one and adds the new origins to it.
    pub fn push(&mut self, mut node: Node) -> NodeId {
        node.inputs.sort();
        let (key, chain) = self.identify(&node);
        if let Some(&id) = self.index.get(&key) {
            let known = &mut self.nodes[id.0 as usize];
            for origin in node.origins {
                if !known.origins.contains(&origin) {
                    known.origins.push(origin);
                }
            }
            return id;
        }
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(node);
        self.keys.push(key);
        self.chains.push(chain);
        self.index.insert(key, id);
        id
    }

    /// Says how networks are computed, which is part of the keys of such stages and of all behind them.
    pub fn compute_with(&mut self, numerics: Option<Numerics>) {
        let nodes = std::mem::take(&mut self.nodes);
        *self = Self { numerics, ..Self::default() };
        // Stages that differ still differ, so each gets its old number.
        nodes.into_iter().for_each(|node| _ = self.push(node));
    }

    /// Puts a small trial in the place of every stage. A trial's key is made from the key of the stage that it stands
    /// for, so it can be the key of no other stage, and stages that differ have trials that differ. Trials of a training
    /// and of its earlier points are points of one training.
    pub fn try_out(&mut self, mut small: impl FnMut(&Node) -> Node) {
        let trials_of = (0..self.len()).map(|at| self.key(self.longest(NodeId(at as u32)))).collect();
        let nodes = std::mem::take(&mut self.nodes);
        *self = Self { numerics: self.numerics, trials_of, ..Self::default() };
        nodes.iter().for_each(|node| _ = self.push(small(node)));
    }

    /// Whether the stages are small trials.
    pub fn is_smoke(&self) -> bool {
        !self.trials_of.is_empty()
    }

    /// Returns the longest training of which a training is an earlier point; any other stage itself.
    fn longest(&self, id: NodeId) -> NodeId {
        let (Some(base), Some(trajectory)) = (self.chain_base(id), &self.node(id).trajectory) else { return id };
        let until = |id: NodeId| self.node(id).trajectory.as_ref().map_or(0, |trajectory| trajectory.until);
        let longer = (0..self.len() as u32).map(NodeId).filter(|other| {
            self.chain_base(*other) == Some(base) && self.chain_key(*other, trajectory.until) == Some(self.key(id))
        });
        longer.max_by_key(|other| (until(*other), std::cmp::Reverse(*other))).unwrap_or(id)
    }

    /// Returns a stage of this graph.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Gives a stage its readable name, once all its origins are known.
    pub fn rename(&mut self, id: NodeId, name: String) {
        self.nodes[id.0 as usize].facts.name = name;
    }

    /// Returns the number of stages.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns whether there are no stages.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns all stages; inputs come before the stages that read them.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(at, node)| (NodeId(at as u32), node))
    }

    /// Returns a stage's key; for training, the chain's key at its last iteration.
    pub fn key(&self, id: NodeId) -> Key {
        self.keys[id.0 as usize]
    }

    /// Finds a stage by its key.
    pub fn find(&self, key: Key) -> Option<NodeId> {
        self.index.get(&key).copied()
    }

    /// Returns h₀ of a training stage: what its whole trajectory shares. `None` for other stages.
    pub fn chain_base(&self, id: NodeId) -> Option<Key> {
        self.chains[id.0 as usize].as_ref().map(Chain::base)
    }

    /// Returns the key of a training stage's trajectory after iteration `at`, if `start <= at <= until`.
    pub fn chain_key(&self, id: NodeId, at: u64) -> Option<Key> {
        let trajectory = self.node(id).trajectory.as_ref()?;
        self.chains[id.0 as usize].as_ref()?.key_at(trajectory, at)
    }

    /// Returns what a stage's key is computed from.
    pub fn preimage(&self, id: NodeId) -> Preimage {
        let node = self.node(id);
        let epochs = node.trajectory.as_ref().map(|trajectory| self.rates.clone().describe(trajectory));
        Preimage::of(node, |input| self.key(input), self.numerics, self.trials_of.get(id.0 as usize).copied(), epochs)
    }

    fn identify(&mut self, node: &Node) -> (Key, Option<Chain>) {
        let keys = &self.keys;
        let trial_of = self.trials_of.get(keys.len()).copied();
        let statics = Preimage::of(node, |input| keys[input.0 as usize], self.numerics, trial_of, None);
        match &node.trajectory {
            None => (statics.key(), None),
            Some(trajectory) => {
                let chain = Chain::new(statics.chain_base(trajectory), trajectory, &mut self.rates);
                (chain.end(), Some(chain))
            }
        }
    }
}

/// Shared learning rates, one per iteration.
pub type Rates = Arc<[f64]>;

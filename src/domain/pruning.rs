//! Pruners: what is scored how, how much goes, and from where.

use serde::{Deserialize, Serialize};

use super::seed::Seed;

/// A pruner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pruner {
    /// Which weights go first.
    pub by: Rule,
    /// How many.
    pub remove: Amount,
    /// Among which weights they compete.
    pub scope: Scope,
    /// Parameters whose masks stay as they are (`fc.weight`).
    pub keep: Vec<String>,
    /// How counts are rounded and ties are broken.
    pub counting: Counting,
}

/// Orders weights; the lowest scores go first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// By an element-wise score.
    Score {
        /// The score.
        score: Score,
    },
    /// In random order.
    Random {
        /// Source of the order.
        seed: Seed,
    },
}

/// An element-wise expression over one prunable parameter, in normal form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// The trained weight.
    Weight,
    /// The weight at initialisation.
    Initial,
    /// A number.
    Constant(f64),
    /// |x|
    Abs(Box<Score>),
    /// −x
    Negate(Box<Score>),
    /// √x
    Sqrt(Box<Score>),
    /// x + y
    Add(Box<Score>, Box<Score>),
    /// x − y
    Subtract(Box<Score>, Box<Score>),
    /// x · y
    Multiply(Box<Score>, Box<Score>),
    /// x / y
    Divide(Box<Score>, Box<Score>),
    /// xʸ
    Power(Box<Score>, Box<Score>),
    /// The smaller of both.
    Min(Box<Score>, Box<Score>),
    /// The larger of both.
    Max(Box<Score>, Box<Score>),
}

/// How much is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// A share of what is left, as an exact ratio `p/q`.
    Rate(String),
    /// Down to a sparsity of the whole scope, as an exact ratio `p/q`.
    Sparsity(String),
}

/// Among which weights scores are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All prunable weights together.
    Global,
    /// Each layer by itself.
    PerLayer,
}

/// How many weights exactly go, and what happens to equal scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// n = ⌈rate · remaining⌉; threshold = the n-th smallest score (from 0); everything at or below it goes: n + 1
    /// weights without ties (open_lth `pruning/sparse_global.py`).
    OpenLth,
    /// n = round-half-even(rate · remaining); exactly n go, earlier positions first among equals (torch.nn.utils.prune).
    Torch,
}

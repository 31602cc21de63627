//! Pruners: what is scored how, how much goes, and from where.

use serde::{Deserialize, Serialize};

use super::data::Task;
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
    /// What goes together.
    #[serde(default, skip_serializing_if = "Unit::is_weight")]
    pub unit: Unit,
    /// Images for scores that read gradients of the loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<Samples>,
}

impl Pruner {
    /// Whether the rule reads something.
    pub fn reads(&self, leaf: &Score) -> bool {
        matches!(&self.by, Rule::Score { score } if score.reads(leaf))
    }

    /// Whether the rule reads gradients of the loss.
    pub fn reads_loss(&self) -> bool {
        self.reads(&Score::Gradient) || self.reads(&Score::HessianGradient)
    }
}

/// Pruning to sparsities that are given on the way while a network trains. Each time every weight competes anew, those
/// that are gone by the values that they had when they went: they may return (Zhu and Gupta 2017, "To prune, or not to
/// prune", section 3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gradual {
    /// Which weights go first; a score reads trained weights only.
    pub by: Rule,
    /// Among which weights they compete.
    pub scope: Scope,
    /// Parameters whose masks stay as they are.
    pub keep: Vec<String>,
}

impl Gradual {
    /// Returns the pruner to a sparsity, an exact ratio `p/q`.
    pub fn to(&self, sparsity: &str) -> Pruner {
        Pruner {
            by: self.by.clone(),
            remove: Amount::Sparsity(sparsity.to_owned()),
            scope: self.scope,
            keep: self.keep.clone(),
            // A sparsity is reached exactly under any rule of counting.
            counting: Counting::Torch,
            unit: Unit::Weight,
            samples: None,
        }
    }
}

/// What goes or stays as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A single weight.
    #[default]
    Weight,
    /// All weights of an output channel. Its score is the mean of theirs; amounts are shares of channels. The last layer
    /// takes no part: its outputs are the network's answers.
    Filter,
}

impl Unit {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    fn is_weight(&self) -> bool {
        *self == Self::Weight
    }
}

/// Training images that gradients are taken of: the mean loss of some batches, each normalised by its own statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// The task, without its augmentation, which plays no part here.
    pub task: Task,
    /// Images of a batch.
    pub batch: usize,
    /// Number of batches.
    pub batches: usize,
    /// Whether every class has as many images as any other, as far as the numbers allow.
    pub balanced: bool,
    /// Source of the choice of images.
    pub seed: Seed,
    /// What logits are divided by before the loss.
    pub temperature: f64,
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
    /// The gradient of the loss, g.
    Gradient,
    /// The product of the loss's Hessian with its gradient, Hg.
    HessianGradient,
    /// The gradient of the synaptic flow R = Σ outputs by the weight's magnitude, as a share of R: all parameters stand
    /// for their magnitudes, the image is all ones, normalisations use their running statistics (Tanaka et al. 2020,
    /// "Pruning neural networks without any data by iteratively conserving synaptic flow", section 6).
    Flow,
    /// The best IoU with a concept of the unit that the weight's output channel is, in a dissection; 0 in layers whose
    /// outputs are not the dissected units.
    Concept,
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
    /// One number for all weights that belong together.
    Reduce {
        /// Which belong together.
        over: Group,
        /// How their values become one.
        by: Reduction,
        /// The values.
        of: Box<Score>,
    },
}

/// Weights of a parameter that a score takes together. Those that are pruned do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The weights of an output channel.
    Filter,
    /// All of them.
    Layer,
}

/// How values of a group become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The largest.
    Max,
    /// For each, the sum of those that are not smaller, itself included; of equal ones, of those behind it (the
    /// denominator of LAMP; Lee et al. 2021, "Layer-adaptive sparsity for the magnitude-based pruning", section 3).
    UpperSum,
}

impl Score {
    /// Whether the expression reads a leaf.
    pub fn reads(&self, leaf: &Self) -> bool {
        match self {
            Self::Abs(x) | Self::Negate(x) | Self::Sqrt(x) | Self::Reduce { of: x, .. } => x.reads(leaf),
            Self::Add(x, y)
            | Self::Subtract(x, y)
            | Self::Multiply(x, y)
            | Self::Divide(x, y)
            | Self::Power(x, y)
            | Self::Min(x, y)
            | Self::Max(x, y) => x.reads(leaf) || y.reads(leaf),
            own => own == leaf,
        }
    }
}

/// How much is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// A share of what is left, as an exact ratio `p/q`.
    Rate(String),
    /// Down to a sparsity of the whole scope, as an exact ratio `p/q`.
    Sparsity(String),
    /// Down to at most `keep` of every `of` consecutive inputs of a filter's tap; a last group may be smaller.
    Pattern {
        /// Weights that stay.
        keep: usize,
        /// Weights of a group.
        of: usize,
    },
}

/// Among which weights scores are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All prunable weights together.
    Global,
    /// Each layer by itself.
    PerLayer,
    /// Each layer by itself, to a density of its own that leaves small layers more: the Erdős-Rényi-kernel rule of Evci
    /// et al. 2020, "Rigging the Lottery", section 3.
    Erk,
}

/// Shares `kept` weights among layers by the Erdős-Rényi-kernel rule: the density of a layer is proportional to the sum of
/// its weights' extents over their product; a layer that this would overfill stays dense, and the others share the rest.
/// The counts add up to `kept` (or to all weights, if those are fewer).
pub fn erk(shapes: &[&[usize]], kept: u64) -> Vec<u64> {
    let sizes: Vec<u64> = shapes.iter().map(|shape| shape.iter().product::<usize>() as u64).collect();
    let raw: Vec<f64> =
        shapes.iter().zip(&sizes).map(|(shape, size)| shape.iter().sum::<usize>() as f64 / *size as f64).collect();
    let mut dense = vec![false; shapes.len()];
    loop {
        let open = || (0..shapes.len()).filter(|at| !dense[*at]);
        let taken: u64 = (0..shapes.len()).filter(|at| dense[*at]).map(|at| sizes[at]).sum();
        let rest = kept.saturating_sub(taken);
        let scale = rest as f64 / open().map(|at| raw[at] * sizes[at] as f64).sum::<f64>();
        let overfull: Vec<usize> = open().filter(|at| scale * raw[*at] >= 1.0).collect();
        if !overfull.is_empty() {
            overfull.into_iter().for_each(|at| dense[at] = true);
            continue;
        }
        let wanted = |at: usize| scale * raw[at] * sizes[at] as f64;
        let mut counts: Vec<u64> =
            (0..shapes.len()).map(|at| if dense[at] { sizes[at] } else { wanted(at).floor() as u64 }).collect();
        // What rounding down left over goes to the largest remainders.
        let mut order: Vec<usize> = open().collect();
        order.sort_by(|a, b| (wanted(*b) - wanted(*b).floor()).total_cmp(&(wanted(*a) - wanted(*a).floor())));
        let mut missing = rest.saturating_sub(open().map(|at| counts[at]).sum());
        for at in order.into_iter().cycle().take(2 * shapes.len()) {
            if missing > 0 && counts[at] < sizes[at] {
                counts[at] += 1;
                missing -= 1;
            }
        }
        return counts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checks of the rule's published code (`sparse_utils_test.py`): equal shares of (n + m) / nm, the same total.
    #[test]
    fn densities_follow_the_extents() {
        let shapes: [&[usize]; 2] = [&[8, 6], &[4, 3]];
        let counts = erk(&shapes, 18);
        assert_eq!(counts.iter().sum::<u64>(), 18);
        let shares: Vec<f64> = [(8.0, 6.0, counts[0]), (4.0, 3.0, counts[1])]
            .into_iter()
            .map(|(n, m, kept): (f64, f64, u64)| kept as f64 / (n + m))
            .collect();
        assert!((shares[0] - shares[1]).abs() < 1.0 / 7.0, "{counts:?}");
        let shapes: [&[usize]; 3] = [&[64, 3, 7, 7], &[512, 512, 3, 3], &[1000, 512]];
        for kept in [1, 1000, 100_000, 2_000_000, 2_880_704, 5_000_000] {
            let counts = erk(&shapes, kept);
            assert_eq!(counts.iter().sum::<u64>(), kept.min(2_880_704), "{kept}");
            let density = |at: usize| counts[at] as f64 / shapes[at].iter().product::<usize>() as f64;
            assert!(density(0) >= density(1), "{counts:?}");
        }
        assert_eq!(erk(&shapes, 1_000_000)[0], 64 * 3 * 49, "a small layer stays dense");
        assert!(erk(&[], 0).is_empty());
    }
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

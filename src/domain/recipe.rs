//! How a network is trained, apart from the learning rate, which is sampled per iteration.

use serde::{Deserialize, Serialize};

/// Optimiser, batch and loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Update rule.
    pub optimizer: Optimizer,
    /// Images per iteration; the last batch of an epoch may be smaller.
    pub batch: usize,
    /// Share of the target spread evenly over all classes.
    pub label_smoothing: f64,
}

impl Recipe {
    /// Returns the iterations of one epoch over `images`: ⌈images / batch⌉, as open_lth counts them.
    pub fn iterations_per_epoch(&self, images: u64) -> u64 {
        images.div_ceil(self.batch.max(1) as u64)
    }
}

/// Update rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "optimizer", rename_all = "snake_case")]
pub enum Optimizer {
    /// Stochastic gradient descent as PyTorch defines it: v ← μv + (g + λw), w ← w − ηv (or −η(g + λw + μv) with Nesterov).
    Sgd {
        /// μ
        momentum: f64,
        /// Looks ahead.
        nesterov: bool,
        /// λ
        weight_decay: f64,
        /// Which parameters decay.
        decay: Decay,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019) as PyTorch defines it: w ← (1 − ηλ) w,
    /// m ← β₁m + (1 − β₁) g, v ← β₂v + (1 − β₂) g², w ← w − η m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ).
    #[serde(rename = "adamw")]
    AdamW {
        /// β₁
        beta1: f64,
        /// β₂
        beta2: f64,
        /// ε
        epsilon: f64,
        /// λ
        weight_decay: f64,
        /// Which parameters decay.
        decay: Decay,
    },
}

impl Optimizer {
    /// Returns which parameters decay.
    pub fn decay(&self) -> Decay {
        match self {
            Self::Sgd { decay, .. } | Self::AdamW { decay, .. } => *decay,
        }
    }

    /// Returns the numbers that it remembers for every weight.
    pub fn memory(&self) -> u64 {
        match self {
            Self::Sgd { .. } => 1,
            Self::AdamW { .. } => 2,
        }
    }
}

/// Which parameters weight decay applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// Every parameter, as open_lth and torchvision do.
    All,
    /// Everything but batch normalisation, as the TPU code of the lottery-ticket papers does.
    ExceptNorm,
}

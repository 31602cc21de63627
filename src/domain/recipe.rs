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

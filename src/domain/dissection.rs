//! Network dissection by description.

use serde::{Deserialize, Serialize};

/// What is measured and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dissection {
    /// Parameter path of the layer whose output is dissected, e.g. `layer4`.
    pub layer: String,
    /// Whose rules are followed.
    pub preset: Preset,
    /// Top share of raw activations that a unit's threshold lets through (0.005).
    pub quantile: f64,
    /// A unit is interpretable at this IoU or above (0.04).
    pub iou: f64,
    /// Categories that take part, in Broden's names.
    pub categories: Vec<String>,
    /// Images per forward pass; changes no result.
    #[serde(skip)]
    pub batch: usize,
}

/// Published dissectors whose counts can be reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// NetDissect-Lite.
    Lite2018,
}

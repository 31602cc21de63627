//! Batch normalisations as part of the layer before them.

use crate::nn::kernels::norm::EPSILON;

/// Weights and bias of a layer, outputs first.
pub(super) struct Affine {
    /// `[outputs, …]`
    pub(super) weight: Vec<f32>,
    /// `[outputs]`
    pub(super) bias: Vec<f32>,
}

/// Scale, shift and statistics of a batch normalisation, each `[outputs]`.
pub(super) struct Norm {
    pub(super) scale: Vec<f32>,
    pub(super) shift: Vec<f32>,
    pub(super) mean: Vec<f32>,
    pub(super) variance: Vec<f32>,
}

/// Makes `norm(affine(x))` one layer. Zeros among the weights stay zeros.
pub(super) fn fold(affine: &Affine, norm: &Norm) -> Affine {
    let Affine { weight, bias } = affine;
    let each = weight.len() / bias.len().max(1);
    let factor = |at: usize| f64::from(norm.scale[at]) / (f64::from(norm.variance[at]) + EPSILON).sqrt();
    let shifted = |at: usize| f64::from(norm.shift[at]) + (f64::from(bias[at]) - f64::from(norm.mean[at])) * factor(at);
    Affine {
        weight: weight.iter().enumerate().map(|(at, weight)| (f64::from(*weight) * factor(at / each)) as f32).collect(),
        bias: (0..bias.len()).map(|at| shifted(at) as f32).collect(),
    }
}

//! How much of a state dict is zero, layer by layer.

use candle_core::{DType, Tensor};
use serde::Serialize;

use crate::nn::{Error, Weights};

/// Names of buffers that normalisations keep: no parameters.
const BUFFERS: [&str; 3] = ["running_mean", "running_var", "num_batches_tracked"];

/// Weights and zeros among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Count {
    /// All.
    pub weights: u64,
    /// Those that are 0.
    pub zeros: u64,
    /// The share that is 0, from 0 to 1; 0 where there are none.
    pub sparsity: f64,
}

/// A tensor that pruners may touch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Its extents.
    pub shape: Vec<usize>,
    /// What is in it.
    #[serde(flatten)]
    pub count: Count,
}

/// The sparsity of a state dict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sparsity {
    /// Weights of convolutions and fully connected layers, which are the tensors with two extents or more, in the order
    /// of a reader: numbers in names count as numbers.
    pub layers: Vec<Layer>,
    /// All layers together.
    pub prunable: Count,
    /// All parameters: biases and normalisations too, but no running statistics.
    pub parameters: Count,
}

impl Count {
    fn new(weights: u64, zeros: u64) -> Self {
        let sparsity = if weights == 0 { 0.0 } else { zeros as f64 / weights as f64 };
        Self { weights, zeros, sparsity }
    }

    fn sum<'a>(counts: impl Iterator<Item = &'a Self>) -> Self {
        let (weights, zeros) =
            counts.fold((0, 0), |(weights, zeros), count| (weights + count.weights, zeros + count.zeros));
        Self::new(weights, zeros)
    }
}

/// Counts zeros.
///
/// # Errors
/// If a tensor cannot be read.
pub fn of(weights: &Weights) -> Result<Sparsity, Error> {
    let parameter = |name: &str| !BUFFERS.contains(&name.rsplit('.').next().unwrap_or(name));
    let mut layers = Vec::new();
    let mut others = Vec::new();
    for (name, tensor) in weights.iter().filter(|(name, _)| parameter(name)) {
        let count = count(tensor)?;
        if tensor.rank() >= 2 {
            layers.push(Layer { name: name.clone(), shape: tensor.dims().to_vec(), count });
        } else {
            others.push(count);
        }
    }
    layers.sort_by_cached_key(|layer| reading_order(&layer.name));
    let prunable = Count::sum(layers.iter().map(|layer| &layer.count));
    let parameters = Count::sum(others.iter().chain([&prunable]));
    Ok(Sparsity { layers, prunable, parameters })
}

fn count(tensor: &Tensor) -> Result<Count, Error> {
    let values = tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    let zeros = values.iter().filter(|value| **value == 0.0).count();
    Ok(Count::new(values.len() as u64, zeros as u64))
}

/// Steps of a path, numbers before words and by their size.
fn reading_order(name: &str) -> Vec<(u64, String)> {
    let step = |step: &str| step.parse().map_or_else(|_| (u64::MAX, step.to_owned()), |number| (number, String::new()));
    name.split('.').map(step).collect()
}

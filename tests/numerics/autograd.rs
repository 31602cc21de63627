//! The same networks through candle's own layers and automatic differentiation, where candle is right: square images,
//! no pooling over windows, no input exactly at a relu's corner.

use candle_core::{Device, Result, Tensor, Var};
use candle_nn::{BatchNorm, Conv2dConfig, Module, ops};
use std::collections::BTreeMap;

use pdsl::domain::arch::{Arch, Layer};

/// Gradients by the names of their parameters.
pub(crate) type Gradients = BTreeMap<String, Vec<f32>>;

/// The learned numbers of a network, by torchvision's names.
pub(crate) struct Reference {
    variables: BTreeMap<String, Var>,
}

impl Reference {
    pub(crate) fn new(weights: &BTreeMap<String, Tensor>) -> Result<Self> {
        let float = |(_, tensor): &(&String, &Tensor)| tensor.dtype().is_float();
        let variable = |(name, tensor): (&String, &Tensor)| Ok((name.clone(), Var::from_tensor(tensor)?));
        Ok(Self { variables: weights.iter().filter(float).map(variable).collect::<Result<_>>()? })
    }

    /// Returns the logits of a batch and, by name, the gradients of their sum weighted with `direction`.
    pub(crate) fn differentiate(&self, arch: &Arch, x: &[f32], direction: &[f32]) -> Result<(Vec<f32>, Gradients)> {
        let shape = arch.input;
        let images = x.len() / shape.values();
        let x = Tensor::from_slice(x, (images, shape.channels, shape.height, shape.width), &Device::Cpu)?;
        let logits = self.run(&arch.root, "", &x)?;
        let direction = Tensor::from_slice(direction, logits.shape(), &Device::Cpu)?;
        let gradients = (&logits * &direction)?.sum_all()?.backward()?;
        let mut found = BTreeMap::new();
        for (name, variable) in &self.variables {
            if let Some(gradient) = gradients.get(variable) {
                found.insert(name.clone(), gradient.flatten_all()?.to_vec1()?);
            }
        }
        Ok((logits.flatten_all()?.to_vec1()?, found))
    }

    fn get(&self, path: &str, name: &str) -> Tensor {
        self.variables[&join(path, name)].as_tensor().clone()
    }

    fn run(&self, layer: &Layer, path: &str, x: &Tensor) -> Result<Tensor> {
        match layer {
            Layer::Conv { stride, pad, dilation, groups, bias, .. } => {
                let config = Conv2dConfig {
                    stride: *stride,
                    padding: *pad,
                    dilation: *dilation,
                    groups: *groups,
                    ..Conv2dConfig::default()
                };
                let bias = bias.then(|| self.get(path, "bias"));
                candle_nn::Conv2d::new(self.get(path, "weight"), bias, config).forward(x)
            }
            Layer::BatchNorm { .. } => {
                let (scale, shift) = (self.get(path, "weight"), self.get(path, "bias"));
                let (mean, variance) = (self.get(path, "running_mean"), self.get(path, "running_var"));
                BatchNorm::new(scale.elem_count(), mean, variance, scale, shift, 1e-5)?.forward_train(x)
            }
            Layer::Relu => x.relu(),
            Layer::GlobalAvgPool => x.mean_keepdim((2, 3)),
            Layer::Linear { .. } => {
                let linear = candle_nn::Linear::new(self.get(path, "weight"), Some(self.get(path, "bias")));
                linear.forward(&x.flatten_from(1)?)
            }
            Layer::Identity => Ok(x.clone()),
            Layer::Sequence { members } => {
                members.iter().try_fold(x.clone(), |x, (name, member)| self.run(member, &join(path, name), &x))
            }
            Layer::Residual { before, body, shortcut, after } => {
                let x = &match before {
                    Some(before) => self.run(before, path, x)?,
                    None => x.clone(),
                };
                let sum = (self.run(body, path, x)? + self.run(shortcut, path, x)?)?;
                self.run(after, path, &sum)
            }
            Layer::MaxPool { .. } | Layer::AvgPool { .. } => candle_core::bail!("candle's pooling is not a reference"),
        }
    }
}

/// The gradient of a mean cross-entropy at logits of `classes` each.
pub(crate) fn cross_entropy(logits: &[f32], classes: usize, labels: &[u32]) -> Result<(f32, Vec<f32>)> {
    let logits = Var::from_slice(logits, (labels.len(), classes), &Device::Cpu)?;
    let labels = Tensor::from_slice(labels, labels.len(), &Device::Cpu)?;
    let loss = candle_nn::loss::nll(&ops::log_softmax(&logits, 1)?, &labels)?;
    let gradients = loss.backward()?;
    let gradient = gradients.get(&logits).map_or_else(|| logits.zeros_like(), |gradient| Ok(gradient.clone()))?;
    Ok((loss.to_scalar()?, gradient.flatten_all()?.to_vec1()?))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

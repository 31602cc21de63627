//! An architecture and its weights as nodes and initialisers.

use std::collections::BTreeMap;

use super::fold::{Affine, Norm, fold};
use super::proto::{Attribute, FLOAT, FLOAT_ATTRIBUTE, INT_ATTRIBUTE, INT64, INTS_ATTRIBUTE, Node, Tensor};
use super::{Error, INPUT, Norms, OUTPUT, Weights};
use crate::domain::arch::{Arch, Layer, join};
use crate::nn::kernels::norm::EPSILON;

/// The initialiser that says where images have height and width.
const IMAGE_AXES: &str = "image_axes";

/// A drawn network.
pub(super) struct Drawing {
    pub(super) nodes: Vec<Node>,
    pub(super) initializers: Vec<Tensor>,
    /// Whether the output has no height and width.
    pub(super) flat: bool,
}

/// Something computed.
#[derive(Clone)]
struct Value {
    name: String,
    /// Whether it is `[N, channels]` instead of `[N, channels, height, width]`.
    flat: bool,
}

struct Draftsman<'a> {
    weights: &'a Weights,
    norms: Norms,
    nodes: Vec<Node>,
    initializers: Vec<Tensor>,
    /// How often each name of a node has been given.
    names: BTreeMap<String, usize>,
}

/// Draws a network whose weights are known to fit.
pub(super) fn draw(arch: &Arch, weights: &Weights, norms: Norms) -> Result<Drawing, Error> {
    let mut draftsman =
        Draftsman { weights, norms, nodes: Vec::new(), initializers: Vec::new(), names: BTreeMap::new() };
    let images = Value { name: INPUT.to_owned(), flat: false };
    let mut result = draftsman.layer("", &arch.root, images)?;
    let output = arch.survey()?.output;
    if output.height * output.width == 1 {
        result = draftsman.flat(result);
    }
    if result.name == INPUT {
        result = draftsman.node("", "Identity", &[&result.name], Vec::new(), result.flat);
    }
    let flat = result.flat;
    draftsman.rename(&result.name, OUTPUT);
    Ok(Drawing { nodes: draftsman.nodes, initializers: draftsman.initializers, flat })
}

impl Draftsman<'_> {
    fn layer(&mut self, path: &str, layer: &Layer, x: Value) -> Result<Value, Error> {
        Ok(match layer {
            Layer::Identity => x,
            Layer::Sequence { members } => self.sequence(path, members, x)?,
            Layer::Residual { before, body, shortcut, after } => {
                let x = match before {
                    Some(before) => self.layer(path, before, x)?,
                    None => x,
                };
                let main = self.layer(path, body, x.clone())?;
                let other = self.layer(path, shortcut, x)?;
                let sum = self.sum(path, main, other);
                self.layer(path, after, sum)?
            }
            Layer::Conv { .. } | Layer::Linear { .. } => {
                let affine = self.affine(path, layer)?;
                self.weighted(path, layer, affine, x)
            }
            Layer::BatchNorm { .. } => self.norm(path, x)?,
            Layer::Relu => self.node(path, "Relu", &[&x.name], Vec::new(), x.flat),
            Layer::GlobalAvgPool => {
                let x = self.image(x);
                self.node(path, "GlobalAveragePool", &[&x.name], Vec::new(), false)
            }
            Layer::MaxPool { kernel, stride, pad } => self.pool(path, "MaxPool", [*kernel, *stride, *pad], x),
            Layer::AvgPool { kernel, stride, pad } => self.pool(path, "AveragePool", [*kernel, *stride, *pad], x),
        })
    }

    fn sequence(&mut self, path: &str, members: &[(String, Layer)], mut x: Value) -> Result<Value, Error> {
        let mut rest = members;
        while let [(name, layer), after @ ..] = rest {
            let place = join(path, name);
            rest = after;
            x = match (layer, after) {
                (Layer::Conv { .. } | Layer::Linear { .. }, [(norm, Layer::BatchNorm { .. }), later @ ..])
                    if self.norms == Norms::Fold =>
                {
                    rest = later;
                    let (affine, norm) = (self.affine(&place, layer)?, self.statistics(&join(path, norm))?);
                    let bias = affine.bias.clone().unwrap_or_else(|| vec![0.0; norm.scale.len()]);
                    let folded = fold(&Affine { weight: affine.weight, bias }, &norm);
                    let folded = Raw { weight: folded.weight, bias: Some(folded.bias), shape: affine.shape };
                    self.weighted(&place, layer, folded, x)
                }
                _ => self.layer(&place, layer, x)?,
            };
        }
        Ok(x)
    }

    fn sum(&mut self, path: &str, main: Value, other: Value) -> Value {
        let (main, other) = if main.flat == other.flat { (main, other) } else { (self.image(main), self.image(other)) };
        self.node(path, "Add", &[&main.name, &other.name], Vec::new(), main.flat)
    }

    /// A convolution or a fully connected layer.
    fn weighted(&mut self, path: &str, layer: &Layer, raw: Raw, x: Value) -> Value {
        let weight = self.initializer(&join(path, "weight"), &raw.shape, &raw.weight);
        let bias = raw.bias.map(|bias| self.initializer(&join(path, "bias"), &[bias.len()], &bias));
        let flat = matches!(layer, Layer::Linear { .. });
        let x = if flat { self.flat(x) } else { self.image(x) };
        let inputs: Vec<&str> = [&x.name, &weight].into_iter().chain(&bias).map(String::as_str).collect();
        let (operator, attributes) = match layer {
            Layer::Conv { kernel, stride, pad, dilation, groups, .. } => (
                "Conv",
                vec![
                    integers("kernel_shape", kernel),
                    integers("strides", &[*stride; 2]),
                    integers("pads", &[*pad; 4]),
                    integers("dilations", &[*dilation; 2]),
                    integer("group", *groups),
                ],
            ),
            _ => ("Gemm", vec![integer("transB", 1)]),
        };
        self.node(path, operator, &inputs, attributes, flat)
    }

    fn norm(&mut self, path: &str, x: Value) -> Result<Value, Error> {
        let mut inputs = vec![x.name];
        for part in ["weight", "bias", "running_mean", "running_var"] {
            let name = join(path, part);
            let values = self.values(&name)?;
            inputs.push(self.initializer(&name, &[values.len()], &values));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        Ok(self.node(path, "BatchNormalization", &inputs, vec![number("epsilon", EPSILON as f32)], x.flat))
    }

    fn pool(&mut self, path: &str, operator: &str, [kernel, stride, pad]: [usize; 3], x: Value) -> Value {
        let x = self.image(x);
        let mut attributes = vec![
            integers("kernel_shape", &[kernel; 2]),
            integers("strides", &[stride; 2]),
            integers("pads", &[pad; 4]),
        ];
        if operator == "AveragePool" {
            attributes.push(integer("count_include_pad", 1));
        }
        self.node(path, operator, &[&x.name], attributes, false)
    }

    /// The value without height and width.
    fn flat(&mut self, x: Value) -> Value {
        if x.flat { x } else { self.node("", "Flatten", &[&x.name], vec![integer("axis", 1)], true) }
    }

    /// The value with height and width.
    fn image(&mut self, x: Value) -> Value {
        if !x.flat {
            return x;
        }
        if !self.initializers.iter().any(|known| known.name == IMAGE_AXES) {
            let raw_data = [2i64, 3].into_iter().flat_map(i64::to_le_bytes).collect();
            let name = IMAGE_AXES.to_owned();
            self.initializers.push(Tensor { dims: vec![2], data_type: INT64, name, raw_data, ..Tensor::default() });
        }
        self.node("", "Unsqueeze", &[&x.name, IMAGE_AXES], Vec::new(), false)
    }

    fn node(&mut self, path: &str, operator: &str, inputs: &[&str], attribute: Vec<Attribute>, flat: bool) -> Value {
        let name = format!("/{}", join(path, operator));
        // Parts of a block share its path.
        let given = self.names.entry(name.clone()).or_default();
        *given += 1;
        let name = if *given == 1 { name } else { format!("{name}_{given}") };
        self.nodes.push(Node {
            input: inputs.iter().map(|input| (*input).to_owned()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: operator.to_owned(),
            attribute,
        });
        Value { name, flat }
    }

    fn rename(&mut self, from: &str, to: &str) {
        for node in &mut self.nodes {
            for name in node.input.iter_mut().chain(&mut node.output).filter(|name| *name == from) {
                to.clone_into(name);
            }
        }
    }

    fn initializer(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        self.initializers.push(Tensor {
            dims: shape.iter().map(|extent| *extent as i64).collect(),
            data_type: FLOAT,
            name: name.to_owned(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ..Tensor::default()
        });
        name.to_owned()
    }

    fn affine(&self, path: &str, layer: &Layer) -> Result<Raw, Error> {
        let name = join(path, "weight");
        let shape = self.weights.get(&name).map(|tensor| tensor.dims().to_vec()).unwrap_or_default();
        let has_bias = !matches!(layer, Layer::Conv { bias: false, .. });
        let bias = if has_bias { Some(self.values(&join(path, "bias"))?) } else { None };
        Ok(Raw { weight: self.values(&name)?, bias, shape })
    }

    fn statistics(&self, path: &str) -> Result<Norm, Error> {
        let part = |part: &str| self.values(&join(path, part));
        Ok(Norm {
            scale: part("weight")?,
            shift: part("bias")?,
            mean: part("running_mean")?,
            variance: part("running_var")?,
        })
    }

    fn values(&self, name: &str) -> Result<Vec<f32>, Error> {
        let missing = || Error::Checkpoint(format!("`{name}` is missing"));
        Ok(self.weights.get(name).ok_or_else(missing)?.flatten_all()?.to_vec1::<f32>()?)
    }
}

/// The parameters of a layer as they are stored.
struct Raw {
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    /// Extents of the weights.
    shape: Vec<usize>,
}

fn number(name: &str, value: f32) -> Attribute {
    Attribute { name: name.to_owned(), f: Some(value), kind: FLOAT_ATTRIBUTE, ..Attribute::default() }
}

fn integer(name: &str, value: usize) -> Attribute {
    Attribute { name: name.to_owned(), i: Some(value as i64), kind: INT_ATTRIBUTE, ..Attribute::default() }
}

fn integers(name: &str, values: &[usize]) -> Attribute {
    let ints = values.iter().map(|value| *value as i64).collect();
    Attribute { name: name.to_owned(), ints, kind: INTS_ATTRIBUTE, ..Attribute::default() }
}

//! Architectures: layers from arguments, sequences from records and lists.

use std::sync::Arc;

use super::super::interpreter::{Interpreter, error};
use crate::diag::codes::evaluation as codes;
use crate::domain::arch::{Arch, Layer, Shape};
use crate::ops::lowering::Arguments;
use crate::source::Span;
use crate::syntax::tree::{Entry, Expr, ExprKind};
use crate::value::{Evaluated, Network, Value};

fn value(layer: Layer) -> Value {
    Value::Layer(Arc::new(layer))
}

fn size(arguments: &Arguments, at: usize, what: &str, least: u64) -> Evaluated<usize> {
    arguments.count(at, what, least).map(|count| count as usize)
}

pub(super) fn conv(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let kernel = size(arguments, 1, "the kernel", 1)?;
    Ok(value(Layer::Conv {
        out: size(arguments, 0, "the number of channels", 1)?,
        kernel: [kernel; 2],
        stride: size(arguments, 2, "the stride", 1)?,
        pad: size(arguments, 3, "the padding", 0)?,
        dilation: size(arguments, 4, "the dilation", 1)?,
        groups: size(arguments, 5, "the number of groups", 1)?,
        bias: arguments.truth(6)?,
    }))
}

pub(super) fn batch_norm(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    Ok(value(Layer::BatchNorm { zero_scale: arguments.truth(0)? }))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every built-in function")]
pub(super) fn relu(_: &mut Interpreter<'_>, _: &Arguments) -> Evaluated {
    Ok(value(Layer::Relu))
}

pub(super) fn max_pool(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let (kernel, stride, pad) = window(arguments)?;
    Ok(value(Layer::MaxPool { kernel, stride, pad }))
}

pub(super) fn avg_pool(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let (kernel, stride, pad) = window(arguments)?;
    Ok(value(Layer::AvgPool { kernel, stride, pad }))
}

fn window(arguments: &Arguments) -> Evaluated<(usize, usize, usize)> {
    let kernel = size(arguments, 0, "the window", 1)?;
    Ok((kernel, size(arguments, 1, "the stride", 1)?, size(arguments, 2, "the padding", 0)?))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every built-in function")]
pub(super) fn global_avg_pool(_: &mut Interpreter<'_>, _: &Arguments) -> Evaluated {
    Ok(value(Layer::GlobalAvgPool))
}

pub(super) fn linear(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    Ok(value(Layer::Linear { out: size(arguments, 0, "the number of outputs", 1)? }))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every built-in function")]
pub(super) fn identity(_: &mut Interpreter<'_>, _: &Arguments) -> Evaluated {
    Ok(value(Layer::Identity))
}

pub(super) fn residual(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let part = |at| layers(&arguments.at(at).value, arguments, at).map(Box::new);
    let before = if arguments.given(3) { Some(part(3)?) } else { None };
    Ok(value(Layer::Residual { before, body: part(0)?, shortcut: part(1)?, after: part(2)? }))
}

pub(super) fn arch(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let root = layers(&arguments.at(0).value, arguments, 0)?;
    let side = size(arguments, 2, "the image size", 1)?;
    let input = Shape { channels: size(arguments, 1, "the number of channels", 1)?, height: side, width: side };
    match Network::new(Arch { root, input }) {
        Ok(network) => Ok(Value::Arch(Arc::new(Network { made: vm.callers().0, ..network }))),
        Err(reason) => {
            let written = vm.expression_at(arguments.span(0));
            let place = written.and_then(|layers| layer_at(layers, reason.path()));
            let diagnostic = error(
                &codes::LAYER_FIT,
                reason.to_string(),
                place.unwrap_or(arguments.call),
                if place.is_some() { "this layer".to_owned() } else { format!("for images of {input}") },
            )
            .help("change that layer, or the size of the images");
            Err(if place.is_some() {
                diagnostic.label(arguments.call, format!("for images of {input}"))
            } else {
                diagnostic
            }
            .into())
        }
    }
}

/// Where the source writes the layer with a path: down to the literal, or to the call that gives it.
fn layer_at(layers: &Expr, path: &str) -> Option<Span> {
    if path.is_empty() {
        return None;
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    match &*layers.kind {
        ExprKind::Paren(inner) => layer_at(inner, path),
        ExprKind::Block(block) => layer_at(&block.value, path),
        ExprKind::Record(entries) => entries.iter().find_map(|entry| match entry {
            Entry::Field(name, value) if &*name.text == step => {
                Some(layer_at(value, rest).unwrap_or(name.span.to(value.span)))
            }
            _ => None,
        }),
        ExprKind::List(elements) => {
            let element = elements.get(step.parse::<usize>().ok()?)?;
            Some(layer_at(element, rest).unwrap_or(element.span))
        }
        ExprKind::Call(_, args) => args.iter().find_map(|arg| layer_at(&arg.value, path)),
        _ => None,
    }
}

/// Reads a layer, a record of layers, or a list of layers.
fn layers(value: &Value, arguments: &Arguments, at: usize) -> Evaluated<Layer> {
    match value {
        Value::Layer(layer) => Ok((**layer).clone()),
        Value::Record(record) => {
            let members = record.iter().map(|(name, value)| Ok((name.to_string(), layers(value, arguments, at)?)));
            Ok(Layer::Sequence { members: members.collect::<Evaluated<_>>()? })
        }
        Value::List(items) => {
            let members =
                items.iter().enumerate().map(|(place, value)| Ok((place.to_string(), layers(value, arguments, at)?)));
            Ok(Layer::Sequence { members: members.collect::<Evaluated<_>>()? })
        }
        other => Err(arguments.mismatch(at, "a layer, or a record or list of layers", other)),
    }
}

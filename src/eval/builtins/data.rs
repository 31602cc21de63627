//! Data sets by description.

use std::sync::Arc;

use super::super::interpreter::Interpreter;
use crate::domain::arch::Shape;
use crate::domain::data::{Augment, DataSet, Normalisation, Preparation, Probe, Shapes, Task};
use crate::ops::lowering::Arguments;
use crate::value::{Evaluated, Value};

fn task(task: Task) -> Value {
    Value::Task(Arc::new(task))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every built-in function")]
pub(super) fn digits(_: &mut Interpreter<'_>, _: &Arguments) -> Evaluated {
    Ok(task(Task::digits()))
}

pub(super) fn shapes(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    Ok(task(Task::shapes(scenes(arguments)?)))
}

pub(super) fn shapes_probe(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    Ok(Value::Probe(Arc::new(Probe::Shapes(scenes(arguments)?))))
}

fn scenes(arguments: &Arguments) -> Evaluated<Shapes> {
    let size = arguments.count(0, "the image size", 1)? as usize;
    if !Shapes::SIZES.contains(&size) {
        let sizes = Shapes::SIZES.map(|size| size.to_string()).join(", ");
        return Err(arguments
            .refuse(0, format!("scenes of {size} pixels are not generated"), "not a size of scenes")
            .help(format!("sizes are {sizes}"))
            .into());
    }
    Ok(Shapes {
        size,
        images: arguments.count(1, "the number of images", 10)?,
        seed: arguments.count(2, "the seed", 0)?,
    })
}

pub(super) fn stored(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let side = arguments.count(2, "the image size", 1)? as usize;
    let channels = arguments.count(6, "the number of channels", 1)? as usize;
    if !matches!(channels, 1 | 3) {
        let refusal = arguments.refuse(6, format!("images have 1 or 3 channels, not {channels}"), "neither 1 nor 3");
        return Err(refusal.help("write `channels: 1` for grey images, `channels: 3` for colours").into());
    }
    let name = arguments.text(0)?.to_string();
    if name.starts_with(['.', '~']) || name.contains(['/', '\\', ':']) {
        let last = name.trim_end_matches(['/', '\\']).rsplit(['/', '\\', ':']).next().unwrap_or_default();
        let short = if last.is_empty() { "birds" } else { last };
        let help = format!(
            "write a name, such as `\"{short}\"`; where the data lie is said in the profile: `data: {{ {short}: {name} }}`"
        );
        let refusal =
            arguments.refuse(0, "a program names its data and does not say where they lie", "a path or address");
        return Err(refusal.help(help).into());
    }
    Ok(task(Task {
        data: DataSet::Stored { name },
        classes: arguments.count(1, "the number of classes", 2)? as usize,
        input: Shape { channels, height: side, width: side },
        train: arguments.count(3, "the number of training images", 1)?,
        val: arguments.count(4, "the number of validation images", 0)?,
        test: arguments.count(5, "the number of test images", 0)?,
        augment: Vec::new(),
        normalisation: None,
        preparation: None,
    }))
}

pub(super) fn normalised(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let mut changed = (*arguments.task(0)?).clone();
    let channels = changed.input.channels;
    let (mean, sd) = (numbers(arguments, 1, channels)?, numbers(arguments, 2, channels)?);
    if let Some(value) = sd.iter().find(|value| **value <= 0.0) {
        let refusal = arguments.refuse(2, format!("a standard deviation is {value}"), "not above 0");
        return Err(refusal.help("give the deviation of the pixels on a scale from 0 to 1").into());
    }
    changed.normalisation = Some(Normalisation { mean, sd });
    Ok(task(changed))
}

/// Reads a list with a number per channel.
fn numbers(arguments: &Arguments, at: usize, channels: usize) -> Evaluated<Vec<f64>> {
    let value = &arguments.at(at).value;
    let Value::List(items) = value else { return Err(arguments.mismatch(at, "a list of numbers", value)) };
    let numbers: Option<Vec<f64>> = items.iter().map(Value::number).collect();
    let numbers = numbers.ok_or_else(|| arguments.mismatch(at, "a list of numbers", value))?;
    if numbers.len() != channels {
        let message = format!("there are {} numbers, but the images have {channels} channels", numbers.len());
        return Err(arguments.refuse(at, message, "one per channel").help("give a number per channel").into());
    }
    Ok(numbers)
}

pub(super) fn prepared(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let mut changed = (*arguments.task(0)?).clone();
    if !matches!(changed.data, DataSet::Stored { .. }) {
        let refusal = arguments.refuse(0, "these images have one size already", "made in this size");
        return Err(refusal.help("leave out `prepared`: only images on disk need it").into());
    }
    let shorter = arguments.count(1, "the shorter side", 1)? as usize;
    changed.preparation = Some(Preparation { shorter });
    Ok(task(changed))
}

pub(super) fn broden_folder(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    Ok(Value::Probe(Arc::new(Probe::Broden {
        name: arguments.text(0)?.to_string(),
        size: arguments.count(1, "the image size", 1)? as usize,
        images: arguments.count(2, "the number of images", 1)?,
    })))
}

pub(super) fn augmented(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let mut changed = (*arguments.task(0)?).clone();
    let value = &arguments.at(1).value;
    let Value::List(items) = value else { return Err(arguments.mismatch(1, "a list of changes to images", value)) };
    for item in items.iter() {
        match item {
            Value::Augment(Augment::ResizedCrop { .. } | Augment::Jitter { .. }) if changed.data == DataSet::Digits => {
                let refusal = arguments.refuse(1, "the digits are no pictures in bytes", "needs pictures");
                return Err(refusal.help("change digits by `flip` and `pad_crop`").into());
            }
            Value::Augment(augment) => changed.augment.push(augment.clone()),
            other => return Err(arguments.mismatch(1, "changes to images, like `flip()`", other)),
        }
    }
    Ok(task(changed))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every built-in function")]
pub(super) fn flip(_: &mut Interpreter<'_>, _: &Arguments) -> Evaluated {
    Ok(Value::Augment(Augment::Flip))
}

pub(super) fn pad_crop(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    Ok(Value::Augment(Augment::PadCrop { pad: arguments.count(0, "the border", 1)? as usize }))
}

pub(super) fn resized_crop(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let area = arguments.float(0)?;
    if !(area > 0.0 && area <= 1.0) {
        let refusal =
            arguments.refuse(0, format!("the least area is {area}, a share of the image"), "not above 0 to 1");
        return Err(refusal.help("write, for example, `area: 8%`").into());
    }
    let aspect = arguments.float(1)?;
    if aspect < 1.0 {
        let refusal = arguments.refuse(1, format!("the largest ratio of the sides is {aspect}"), "below 1");
        return Err(refusal.help("write, for example, `aspect: 4 / 3`; both ways are meant").into());
    }
    Ok(Value::Augment(Augment::ResizedCrop { area, aspect }))
}

pub(super) fn jitter(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let strength = |at: usize, most: f64| -> Evaluated<f64> {
        let value = arguments.float(at)?;
        if (0.0..=most).contains(&value) {
            return Ok(value);
        }
        let refusal = arguments.refuse(at, format!("the strength of a change is {value}"), "out of range");
        Err(refusal.help(format!("give a number from 0 to {most}")).into())
    };
    Ok(Value::Augment(Augment::Jitter {
        brightness: strength(0, f64::INFINITY)?,
        contrast: strength(1, f64::INFINITY)?,
        saturation: strength(2, f64::INFINITY)?,
        hue: strength(3, 0.5)?,
    }))
}

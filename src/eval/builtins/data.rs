//! Data sets by description.

use std::sync::Arc;

use super::super::interpreter::Interpreter;
use crate::domain::arch::Shape;
use crate::domain::data::{Augment, DataSet, Probe, Shapes, Task};
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

pub(super) fn image_folder(_: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let side = arguments.count(2, "the image size", 1)? as usize;
    Ok(task(Task {
        data: DataSet::ImageFolder { name: arguments.text(0)?.to_string() },
        classes: arguments.count(1, "the number of classes", 2)? as usize,
        input: Shape { channels: 3, height: side, width: side },
        train: arguments.count(3, "the number of training images", 1)?,
        val: arguments.count(4, "the number of validation images", 0)?,
        test: arguments.count(5, "the number of test images", 0)?,
        augment: Vec::new(),
    }))
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

#[expect(clippy::unnecessary_wraps, reason = "the shape of every built-in function")]
pub(super) fn resized_crop(_: &mut Interpreter<'_>, _: &Arguments) -> Evaluated {
    Ok(Value::Augment(Augment::ResizedCrop))
}

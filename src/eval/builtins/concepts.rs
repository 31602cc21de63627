//! Plots of what units answer to.

use std::sync::Arc;

use super::super::interpreter::Interpreter;
use crate::ops::lowering::Arguments;
use crate::ops::stages::score::{self, SUMMARY};
use crate::value::output::{Object, PlotSpec};
use crate::value::{Evaluated, Value};

/// The units of a dissection with their concepts.
fn summary(vm: &mut Interpreter<'_>, arguments: &Arguments, at: usize) -> Evaluated<Object> {
    let tallied = arguments.tallied(at)?;
    Ok(Object::new(score::stage(vm, &tallied, arguments)?, SUMMARY))
}

pub(super) fn concept_bars(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let summary = summary(vm, arguments, 0)?;
    Ok(Value::Plot(Arc::new(PlotSpec::ConceptBars { summary })))
}

pub(super) fn concept_changes(vm: &mut Interpreter<'_>, arguments: &Arguments) -> Evaluated {
    let (from, to) = (summary(vm, arguments, 0)?, summary(vm, arguments, 1)?);
    Ok(Value::Plot(Arc::new(PlotSpec::ConceptChanges { from, to })))
}

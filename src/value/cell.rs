//! Values as cells of tables.

use std::sync::Arc;

use num_traits::Zero;

use super::measured::{Lookup, Measured};
use super::number;
use super::output::{Cell, Scale};
use super::{Value, repr};

impl Value {
    /// Returns the value as a cell, waiting numbers resolved.
    pub fn cell(&self, lookup: &Lookup<'_>) -> Cell {
        let number = |value, scale| Cell::Number { value, scale };
        match self {
            Self::Measured(expression) => expression.resolve(lookup),
            Self::Bool(value) => Cell::Bool(*value),
            Self::Int(value) => number(*value as f64, Scale::Count),
            Self::Float(value) => number(*value, Scale::Plain),
            Self::Ratio(value) => number(number::to_f64(*value), Scale::Ratio),
            Self::Points(value) => number(number::to_f64(*value), Scale::Points),
            Self::Step(step) if step.epochs.is_zero() && step.images.is_zero() => {
                number(number::to_f64(step.iterations), Scale::Iterations)
            }
            Self::Seed(seed) if seed.stream.is_empty() => number(seed.root as f64, Scale::Count),
            Self::Str(text) => Cell::Text(text.clone()),
            other => Cell::Text(Arc::from(repr::label(other))),
        }
    }

    /// Returns the value as an expression over measures, if it is a number or a truth value.
    pub fn lift(&self) -> Option<Arc<Measured>> {
        let number = |value, scale| Some(Arc::new(Measured::Number(value, scale)));
        match self {
            Self::Measured(expression) => Some(expression.clone()),
            Self::Bool(value) => Some(Arc::new(Measured::Bool(*value))),
            Self::Int(value) => number(*value as f64, Scale::Count),
            Self::Float(value) => number(*value, Scale::Plain),
            Self::Ratio(value) => number(number::to_f64(*value), Scale::Ratio),
            Self::Points(value) => number(number::to_f64(*value), Scale::Points),
            _ => None,
        }
    }
}

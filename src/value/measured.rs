//! Numbers that exist after the run: expressions over what stages measure.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::output::{Cell, Scale};
use crate::graph::NodeId;
use crate::syntax::tree::BinaryOp;

/// An expression over measures.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// A measure of a stage.
    Read {
        /// The stage.
        node: NodeId,
        /// Name of the measure.
        measure: Arc<str>,
        /// Its reading.
        scale: Scale,
    },
    /// A number that is known now.
    Number(f64, Scale),
    /// A truth value that is known now.
    Bool(bool),
    /// Arithmetic, comparison, `and`, `or`.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left operand.
        left: Arc<Measured>,
        /// Right operand.
        right: Arc<Measured>,
        /// Reading of the result.
        scale: Scale,
    },
    /// A function of numbers.
    Apply {
        /// Which.
        function: Pure,
        /// Its arguments.
        values: Vec<Arc<Measured>>,
        /// Reading of the result.
        scale: Scale,
    },
    /// `not`
    Not(Arc<Measured>),
}

/// Functions of numbers that can wait for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pure {
    /// Changes the sign.
    Negate,
    /// Drops the sign.
    Abs,
    /// Square root.
    Sqrt,
    /// Smallest of all.
    Min,
    /// Largest of all.
    Max,
    /// Arithmetic mean of all.
    Mean,
}

/// Gives the value of a measure, or nothing if its stage has no result.
pub type Lookup<'a> = dyn Fn(NodeId, &str) -> Option<f64> + 'a;

impl Measured {
    /// Returns how to read the result; a truth value reads as a plain number.
    pub fn scale(&self) -> Scale {
        match self {
            Self::Read { scale, .. }
            | Self::Number(_, scale)
            | Self::Binary { scale, .. }
            | Self::Apply { scale, .. } => *scale,
            Self::Bool(_) | Self::Not(_) => Scale::Plain,
        }
    }

    /// Whether the result is a truth value.
    pub fn is_bool(&self) -> bool {
        match self {
            Self::Bool(_) | Self::Not(_) => true,
            Self::Binary { op, .. } => !matches!(
                op,
                BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Power
            ),
            _ => false,
        }
    }

    /// Adds the stages that the expression reads to `nodes`.
    pub fn collect(&self, nodes: &mut BTreeSet<NodeId>) {
        match self {
            Self::Read { node, .. } => drop(nodes.insert(*node)),
            Self::Number(..) | Self::Bool(_) => {}
            Self::Binary { left, right, .. } => {
                left.collect(nodes);
                right.collect(nodes);
            }
            Self::Apply { values, .. } => values.iter().for_each(|value| value.collect(nodes)),
            Self::Not(inner) => inner.collect(nodes),
        }
    }

    /// Computes the result once the stages have run.
    pub fn resolve(&self, lookup: &Lookup<'_>) -> Cell {
        if self.is_bool() {
            return self.truth(lookup).map_or(Cell::Missing, Cell::Bool);
        }
        match self.number(lookup) {
            Some(value) => Cell::Number { value, scale: self.scale() },
            None => Cell::Missing,
        }
    }

    fn truth(&self, lookup: &Lookup<'_>) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Not(inner) => Some(!inner.truth(lookup)?),
            Self::Binary { op: BinaryOp::And, left, right, .. } => match (left.truth(lookup), right.truth(lookup)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (left, right) => Some(left? && right?),
            },
            Self::Binary { op: BinaryOp::Or, left, right, .. } => match (left.truth(lookup), right.truth(lookup)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (left, right) => Some(left? || right?),
            },
            Self::Binary { op, left, right, .. } => {
                let (left, right) = (left.number(lookup)?, right.number(lookup)?);
                let order = left.partial_cmp(&right);
                Some(match op {
                    BinaryOp::Equal => order == Some(Ordering::Equal),
                    BinaryOp::NotEqual => order != Some(Ordering::Equal),
                    BinaryOp::Less => order == Some(Ordering::Less),
                    BinaryOp::LessEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                    BinaryOp::Greater => order == Some(Ordering::Greater),
                    BinaryOp::GreaterEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
                    _ => return None,
                })
            }
            _ => None,
        }
    }

    fn number(&self, lookup: &Lookup<'_>) -> Option<f64> {
        match self {
            Self::Read { node, measure, .. } => lookup(*node, measure),
            Self::Number(value, _) => Some(*value),
            Self::Binary { op, left, right, .. } => {
                let (left, right) = (left.number(lookup)?, right.number(lookup)?);
                Some(match op {
                    BinaryOp::Add => left + right,
                    BinaryOp::Subtract => left - right,
                    BinaryOp::Multiply => left * right,
                    BinaryOp::Divide => left / right,
                    BinaryOp::Power => libm::pow(left, right),
                    _ => return None,
                })
            }
            Self::Apply { function, values, .. } => {
                let numbers: Vec<f64> = values.iter().map(|value| value.number(lookup)).collect::<Option<_>>()?;
                let first = *numbers.first()?;
                Some(match function {
                    Pure::Negate => -first,
                    Pure::Abs => first.abs(),
                    Pure::Sqrt => first.sqrt(),
                    Pure::Min => numbers.iter().copied().fold(first, f64::min),
                    Pure::Max => numbers.iter().copied().fold(first, f64::max),
                    Pure::Mean => numbers.iter().sum::<f64>() / numbers.len() as f64,
                })
            }
            Self::Bool(_) | Self::Not(_) => None,
        }
    }
}

/// Returns how to read the result of an operator; `None` if the readings do not go together.
pub fn combined(op: BinaryOp, left: Scale, right: Scale) -> Option<Scale> {
    use BinaryOp::{Add, Divide, Multiply, Power, Subtract};
    let number = |scale| matches!(scale, Scale::Plain | Scale::Count);
    Some(match (op, left, right) {
        (Add, Scale::Ratio, Scale::Ratio | Scale::Points)
        | (Subtract, Scale::Ratio, Scale::Points)
        | (Add, Scale::Points, Scale::Ratio) => Scale::Ratio,
        (Subtract, Scale::Ratio, Scale::Ratio) => Scale::Points,
        (Add | Subtract | Multiply, Scale::Count, Scale::Count) => Scale::Count,
        (Add | Subtract, a, b) if number(a) && number(b) => Scale::Plain,
        (Add | Subtract, a, b) if a == b => a,
        (Multiply, a, b) if number(a) && number(b) => Scale::Plain,
        (Multiply, a, b) if number(a) => b,
        (Multiply, a, b) if number(b) => a,
        (Multiply, Scale::Ratio, b) => b,
        (Multiply, a, Scale::Ratio) => a,
        (Divide, a, b) if number(b) => {
            if a == Scale::Count {
                Scale::Plain
            } else {
                a
            }
        }
        (Divide, a, b) if a == b => Scale::Plain,
        (Power, a, b) if number(a) && number(b) => Scale::Plain,
        (Power, Scale::Ratio, b) if number(b) => Scale::Ratio,
        _ => return None,
    })
}

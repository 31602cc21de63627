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
    /// What stands beside the first condition that holds; absent if none does.
    Choose {
        /// Conditions and what each chooses, at most one of which holds.
        branches: Arc<[(Arc<Measured>, Arc<Measured>)]>,
        /// Reading of the result.
        scale: Scale,
    },
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
            | Self::Apply { scale, .. }
            | Self::Choose { scale, .. } => *scale,
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
            Self::Choose { branches, .. } => branches.first().is_some_and(|(_, chosen)| chosen.is_bool()),
            _ => false,
        }
    }

    /// Adds the stages that the expression may read to `nodes`.
    pub fn collect(&self, nodes: &mut BTreeSet<NodeId>) {
        if let Self::Read { node, .. } = self {
            nodes.insert(*node);
        }
        self.each_part(&mut |part| part.collect(nodes));
    }

    /// Visits the expressions that this one is made of.
    fn each_part<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match self {
            Self::Read { .. } | Self::Number(..) | Self::Bool(_) => {}
            Self::Binary { left, right, .. } => {
                visit(left);
                visit(right);
            }
            Self::Apply { values, .. } => values.iter().for_each(|value| visit(value)),
            Self::Not(inner) => visit(inner),
            Self::Choose { branches, .. } => branches.iter().for_each(|(when, chosen)| {
                visit(when);
                visit(chosen);
            }),
        }
    }

    /// Whether what is read depends on what is measured.
    pub fn is_conditional(&self) -> bool {
        let mut found = matches!(self, Self::Choose { .. });
        self.each_part(&mut |part| found = found || part.is_conditional());
        found
    }

    /// Makes the condition that both hold; the first decides whether the second is looked at.
    pub fn both(first: &Arc<Self>, second: &Arc<Self>) -> Arc<Self> {
        let (left, right) = (first.clone(), second.clone());
        Arc::new(Self::Binary { op: BinaryOp::And, left, right, scale: Scale::Plain })
    }

    /// Makes the condition that a number is above a level.
    pub fn above(number: &Arc<Self>, level: f64) -> Self {
        let right = Arc::new(Self::Number(level, number.scale()));
        Self::Binary { op: BinaryOp::Greater, left: number.clone(), right, scale: Scale::Plain }
    }

    /// Decides a condition, as far as what it reads is measured.
    pub fn decide(&self, lookup: &Lookup<'_>) -> Option<bool> {
        self.truth(lookup)
    }

    /// Whether no branch is left to choose in some part of the expression, so that there is no result by design.
    pub fn is_absent(&self, lookup: &Lookup<'_>) -> bool {
        if let Self::Choose { branches, .. } = self {
            for (when, chosen) in branches.iter() {
                match when.decide(lookup) {
                    Some(true) => return chosen.is_absent(lookup),
                    Some(false) => {}
                    None => return false,
                }
            }
            return true;
        }
        let mut absent = false;
        self.each_part(&mut |part| absent = absent || part.is_absent(lookup));
        absent
    }

    /// Adds the stages that have to run next for the expression to have a result: those of a branch only once its
    /// condition holds.
    pub fn demand(&self, lookup: &Lookup<'_>, nodes: &mut BTreeSet<NodeId>) {
        match self {
            Self::Read { node, .. } => drop(nodes.insert(*node)),
            Self::Choose { branches, .. } => {
                for (when, chosen) in branches.iter() {
                    match when.decide(lookup) {
                        Some(true) => return chosen.demand(lookup, nodes),
                        Some(false) => {}
                        None => return when.demand_in_order(lookup, nodes),
                    }
                }
            }
            _ => self.each_part(&mut |part| part.demand(lookup, nodes)),
        }
    }

    /// The same for a condition, whose right side matters only if its left side does not decide.
    fn demand_in_order(&self, lookup: &Lookup<'_>, nodes: &mut BTreeSet<NodeId>) {
        match self {
            Self::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right, .. } => match left.decide(lookup) {
                None => left.demand_in_order(lookup, nodes),
                Some(decides) if decides == (*op == BinaryOp::Or) => {}
                Some(_) => right.demand_in_order(lookup, nodes),
            },
            Self::Not(inner) => inner.demand_in_order(lookup, nodes),
            _ => self.demand(lookup, nodes),
        }
    }

    /// Adds the stages that may still have to run: all but those of branches that are ruled out.
    pub fn may_demand(&self, lookup: &Lookup<'_>, nodes: &mut BTreeSet<NodeId>) {
        match self {
            Self::Read { node, .. } => drop(nodes.insert(*node)),
            Self::Choose { branches, .. } => {
                for (when, chosen) in branches.iter() {
                    let decided = when.decide(lookup);
                    when.may_demand(lookup, nodes);
                    if decided != Some(false) {
                        chosen.may_demand(lookup, nodes);
                    }
                    if decided == Some(true) {
                        return;
                    }
                }
            }
            Self::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right, .. } => {
                left.may_demand(lookup, nodes);
                if left.decide(lookup) != Some(*op == BinaryOp::Or) {
                    right.may_demand(lookup, nodes);
                }
            }
            _ => self.each_part(&mut |part| part.may_demand(lookup, nodes)),
        }
    }

    /// Returns the branch that is chosen; `None` where that is not known, or there is none.
    fn chosen(branches: &[(Arc<Self>, Arc<Self>)], lookup: &Lookup<'_>) -> Option<Arc<Self>> {
        for (when, chosen) in branches {
            if when.decide(lookup)? {
                return Some(chosen.clone());
            }
        }
        None
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
            Self::Choose { branches, .. } => Self::chosen(branches, lookup)?.truth(lookup),
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
            Self::Choose { branches, .. } => Self::chosen(branches, lookup)?.number(lookup),
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

//! Equality and order of values.

use std::cmp::Ordering;

use super::Value;
use super::state::Course;

impl Value {
    /// Tells whether two values are equal; `None` if that cannot be told: functions, steps without a common unit,
    /// values that wait for the run.
    pub fn equals(&self, other: &Self, course: Option<&Course>) -> Option<bool> {
        use Value as V;
        Some(match (self, other) {
            (V::Nothing, V::Nothing) | (V::Parameter, V::Parameter) => true,
            (V::Bool(a), V::Bool(b)) => a == b,
            (V::Int(a), V::Int(b)) => a == b,
            (V::Int(_) | V::Float(_), V::Int(_) | V::Float(_)) => self.number() == other.number(),
            (V::Ratio(a), V::Ratio(b))
            | (V::Points(a), V::Points(b))
            | (V::Time(a), V::Time(b))
            | (V::Bytes(a), V::Bytes(b)) => a == b,
            (V::Step(a), V::Step(b)) => a.compare(b, course)? == Ordering::Equal,
            (V::Str(a), V::Str(b)) => a == b,
            (V::List(a), V::List(b)) | (V::Tuple(a), V::Tuple(b)) => {
                if a.len() != b.len() {
                    return Some(false);
                }
                for (a, b) in a.iter().zip(b.iter()) {
                    if !a.equals(b, course)? {
                        return Some(false);
                    }
                }
                true
            }
            (V::Record(a), V::Record(b)) => {
                if a.names().count() != b.names().count() {
                    return Some(false);
                }
                for (name, value) in a.iter() {
                    let Some(other) = b.get(name) else { return Some(false) };
                    if !value.equals(other, course)? {
                        return Some(false);
                    }
                }
                true
            }
            (V::Seed(a), V::Seed(b)) => a == b,
            (V::Layer(a), V::Layer(b)) => a == b,
            (V::Arch(a), V::Arch(b)) => a.arch == b.arch,
            (V::Task(a), V::Task(b)) => a == b,
            (V::Split(a, left), V::Split(b, right)) => left == right && a == b,
            (V::Probe(a), V::Probe(b)) => a == b,
            (V::Augment(a), V::Augment(b)) => a == b,
            (V::Score(a), V::Score(b)) | (V::Criterion(a), V::Criterion(b)) => a == b,
            (V::Pruner(a), V::Pruner(b)) => a == b,
            (V::Scope(a), V::Scope(b)) => a == b,
            (V::Counting(a), V::Counting(b)) => a == b,
            (V::State(a), V::State(b)) => a.node == b.node,
            _ => return None,
        })
    }

    /// Orders two numbers, quantities or texts; `None` if they have no order.
    pub fn order(&self, other: &Self, course: Option<&Course>) -> Option<Ordering> {
        use Value as V;
        match (self, other) {
            (V::Int(a), V::Int(b)) => Some(a.cmp(b)),
            (V::Int(_) | V::Float(_), V::Int(_) | V::Float(_)) => self.number()?.partial_cmp(&other.number()?),
            (V::Ratio(a), V::Ratio(b))
            | (V::Points(a), V::Points(b))
            | (V::Time(a), V::Time(b))
            | (V::Bytes(a), V::Bytes(b)) => Some(a.cmp(b)),
            (V::Step(a), V::Step(b)) => a.compare(b, course),
            (V::Str(a), V::Str(b)) => Some(a.cmp(b)),
            (V::Bool(a), V::Bool(b)) => Some(a.cmp(b)),
            (V::Seed(a), V::Seed(b)) => Some(a.cmp(b)),
            (V::Tuple(a), V::Tuple(b)) | (V::List(a), V::List(b)) => {
                for (a, b) in a.iter().zip(b.iter()) {
                    match a.order(b, course)? {
                        Ordering::Equal => {}
                        unequal => return Some(unequal),
                    }
                }
                Some(a.len().cmp(&b.len()))
            }
            _ => None,
        }
    }
}

//! Values that depend on conditions which only a run decides: `select`, and the rounds of `iterate` behind its `until`.
//!
//! A stage on such a value is a stage on each of the values it may be, so keys stay what they are without the
//! condition; which of these stages run is decided when the condition is measured.

use std::sync::Arc;

use super::measured::Measured;
use super::{Record, Value};

/// One of several values, or none.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Conditions, at most one of which holds, and the value under each.
    pub branches: Vec<Branch>,
}

/// A value under a condition.
#[derive(Clone, Debug)]
pub struct Branch {
    /// The condition.
    pub when: Arc<Measured>,
    /// The value if it holds.
    pub value: Value,
}

impl Branch {
    /// Puts a value under a condition.
    pub fn new(when: Arc<Measured>, value: Value) -> Self {
        Self { when, value }
    }

    /// Lets the condition of a choice hold as well, where the value is one.
    fn flat(self) -> Vec<Self> {
        match self.value {
            Value::Choice(choice) => {
                let inner = choice.branches.iter().cloned();
                inner
                    .flat_map(|branch| Self::new(Measured::both(&self.when, &branch.when), branch.value).flat())
                    .collect()
            }
            value => vec![Self::new(self.when, value)],
        }
    }
}

impl Value {
    /// Lets a value exist only where a condition holds. What is known before the run stays known.
    #[must_use]
    pub fn only_if(self, when: &Arc<Measured>) -> Self {
        let each = |items: &[Self]| Arc::new(items.iter().map(|item| item.clone().only_if(when)).collect());
        match self {
            Self::Measured(expression) => {
                let scale = expression.scale();
                let branches = [(when.clone(), expression)].into();
                Self::Measured(Arc::new(Measured::Choose { branches, scale }))
            }
            Self::List(items) => Self::List(each(&items)),
            Self::Tuple(items) => Self::Tuple(each(&items)),
            Self::Record(_) | Self::State(_) | Self::Tallies(_) | Self::Choice(_) => {
                Self::Choice(Arc::new(Choice { branches: Branch::new(when.clone(), self).flat() }))
            }
            known => known,
        }
    }

    /// Makes one value of those under several conditions: of records and lists by parts; of numbers an expression
    /// that waits for the run, unless all are equal. `None` if they are of different kinds.
    pub fn choose(branches: Vec<Branch>) -> Option<Self> {
        let branches: Vec<Branch> = branches.into_iter().flat_map(Branch::flat).collect();
        let first = &branches.first()?.value;
        if branches.iter().all(|branch| branch.value.equals(first, None) == Some(true)) {
            let exists = !matches!(first, Self::State(_) | Self::Tallies(_)) || branches.len() > 1;
            return Some(if exists { first.clone() } else { first.clone().only_if(&branches[0].when) });
        }
        match first {
            Self::Record(record) => {
                let names: Vec<Arc<str>> = record.iter().map(|(name, _)| name.clone()).collect();
                let field = |name: &Arc<str>| {
                    let parts = branches.iter().map(|branch| match &branch.value {
                        Self::Record(record) => {
                            record.get(name).map(|value| Branch::new(branch.when.clone(), value.clone()))
                        }
                        _ => None,
                    });
                    Some((name.clone(), Self::choose(parts.collect::<Option<_>>()?)?))
                };
                Some(Self::Record(Arc::new(names.iter().map(field).collect::<Option<Record>>()?)))
            }
            Self::List(items) => Self::elements(&branches, items.len()).map(Self::list),
            Self::Tuple(items) => Self::elements(&branches, items.len()).map(|items| Self::Tuple(Arc::new(items))),
            _ if first.lift().is_some() => {
                let lifted: Vec<_> = branches
                    .iter()
                    .map(|branch| Some((branch.when.clone(), branch.value.lift()?)))
                    .collect::<Option<_>>()?;
                let scale = lifted.first()?.1.scale();
                let alike = |expression: &Measured| {
                    expression.scale() == scale && expression.is_bool() == lifted[0].1.is_bool()
                };
                let fits = lifted.iter().all(|(_, expression)| alike(expression));
                fits.then(|| Self::Measured(Arc::new(Measured::Choose { branches: lifted.into(), scale })))
            }
            _ => {
                let kind = std::mem::discriminant(first);
                let fits = branches.iter().all(|branch| std::mem::discriminant(&branch.value) == kind);
                fits.then(|| Self::Choice(Arc::new(Choice { branches })))
            }
        }
    }

    fn elements(branches: &[Branch], count: usize) -> Option<Vec<Self>> {
        let element = |at: usize| {
            let parts = branches.iter().map(|branch| match &branch.value {
                Self::List(items) | Self::Tuple(items) if items.len() == count => {
                    items.get(at).map(|value| Branch::new(branch.when.clone(), value.clone()))
                }
                _ => None,
            });
            Self::choose(parts.collect::<Option<_>>()?)
        };
        (0..count).map(element).collect()
    }
}

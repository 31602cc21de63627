//! What a program's outputs need of a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::measured::{Lookup, Measured};
use crate::graph::NodeId;

/// Stages whose results outputs read: some whatever happens, others only if a measured condition holds.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    certain: BTreeSet<NodeId>,
    conditional: Vec<Arc<Measured>>,
}

impl Demands {
    /// Demands the result of an expression.
    pub fn result(&mut self, expression: &Arc<Measured>) {
        if expression.is_conditional() {
            self.conditional.push(expression.clone());
        } else {
            expression.collect(&mut self.certain);
        }
    }

    /// Demands the result of an expression if a condition holds.
    pub fn result_if(&mut self, when: &Arc<Measured>, expression: &Arc<Measured>) {
        if **when == Measured::Bool(true) {
            return self.result(expression);
        }
        let branches = [(when.clone(), expression.clone())].into();
        self.conditional.push(Arc::new(Measured::Choose { branches, scale: expression.scale() }));
    }

    /// Demands a stage.
    pub fn stage(&mut self, stage: NodeId) {
        self.certain.insert(stage);
    }

    /// Returns whether anything depends on a condition.
    pub fn is_conditional(&self) -> bool {
        !self.conditional.is_empty()
    }

    /// Returns the stages that have to run next, as far as conditions are decided.
    pub fn now(&self, lookup: &Lookup<'_>) -> BTreeSet<NodeId> {
        let mut stages = self.certain.clone();
        self.conditional.iter().for_each(|expression| expression.demand(lookup, &mut stages));
        stages
    }

    /// Returns the stages that may have to run: all but those that are ruled out.
    pub fn possible(&self, lookup: &Lookup<'_>) -> BTreeSet<NodeId> {
        let mut stages = self.certain.clone();
        self.conditional.iter().for_each(|expression| expression.may_demand(lookup, &mut stages));
        stages
    }

    /// Returns every stage that an output reads under any condition.
    pub fn all(&self) -> BTreeSet<NodeId> {
        self.possible(&|_, _| None)
    }
}

impl FromIterator<NodeId> for Demands {
    fn from_iter<I: IntoIterator<Item = NodeId>>(stages: I) -> Self {
        Self { certain: stages.into_iter().collect(), conditional: Vec::new() }
    }
}

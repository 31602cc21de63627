//! Optimisers as PyTorch defines them: settings of each step, and what is remembered of past ones.

use std::borrow::Cow;

use candle_core::{Device, Tensor};

use crate::domain::arch::{Role, Survey};
use crate::domain::recipe::{Decay, Optimizer};

use super::kernels::update::{Adapt, Rule, Update};
use super::{Error, Weights, checkpoint};

/// Entry of a stored state: the steps that AdamW has made.
const STEPS: &str = "steps";
/// Beginning of the names of second moments in a stored state.
const SECOND: &str = "second/";

/// An optimiser. What it remembers of each parameter lies where the parameter lies: the momentum or first moment, then
/// the second moment, if there is one.
pub(super) struct Descent {
    optimizer: Optimizer,
    /// Steps made, for the correction of AdamW's moments.
    steps: i64,
}

impl Descent {
    /// Starts without a past.
    pub(super) fn new(optimizer: &Optimizer) -> Self {
        Self { optimizer: optimizer.clone(), steps: 0 }
    }

    /// Takes up a stored state; also returns what is remembered.
    ///
    /// # Errors
    /// If names or shapes differ from the architecture's learned parameters.
    pub(super) fn resume(
        optimizer: &Optimizer,
        survey: &Survey,
        state: &Weights,
    ) -> Result<(Self, Vec<Weights>), Error> {
        let mut descent = Self::new(optimizer);
        let mut memories = vec![state.clone()];
        if descent.memories() > 1 {
            let needed = 2 * survey.parameters.len();
            let missing =
                || checkpoint::Mismatch { missing: vec![STEPS.to_owned()], needed, ..checkpoint::Mismatch::default() };
            descent.steps = memories[0].remove(STEPS).ok_or_else(missing)?.to_scalar::<i64>()?;
            let mut second = Weights::new();
            memories[0].retain(|name, tensor| match name.strip_prefix(SECOND) {
                Some(name) => second.insert(name.to_owned(), tensor.clone()).is_some(),
                None => true,
            });
            memories.push(second);
        }
        memories.iter().try_for_each(|memory| checkpoint::check_learned(survey, memory))?;
        Ok((descent, memories))
    }

    /// How many numbers are remembered of each weight.
    pub(super) fn memories(&self) -> usize {
        self.optimizer.memory() as usize
    }

    /// Returns what is remembered, by parameter name; `memory` reads one of the memories of a parameter.
    ///
    /// # Errors
    /// If a tensor cannot be made or a memory not be read.
    pub(super) fn state<'a>(
        &self,
        survey: &Survey,
        memory: impl Fn(usize, usize) -> Result<Cow<'a, [f32]>, Error>,
    ) -> Result<Weights, Error> {
        let mut state = Weights::new();
        for which in 0..self.memories() {
            let prefix = if which == 0 { "" } else { SECOND };
            for (at, entry) in survey.parameters.iter().enumerate().filter(|(_, entry)| entry.role.is_learned()) {
                let values = memory(which, at)?.into_owned();
                let tensor = Tensor::from_vec(values, entry.shape.clone(), &Device::Cpu)?;
                state.insert(format!("{prefix}{}", entry.name), tensor);
            }
        }
        if self.memories() > 1 {
            state.insert(STEPS.to_owned(), Tensor::new(self.steps, &Device::Cpu)?);
        }
        Ok(state)
    }

    /// Begins a step.
    pub(super) fn begin(&mut self) {
        self.steps += 1;
    }

    /// Returns how this step moves a parameter.
    pub(super) fn rule(&self, role: Role, rate: f64) -> Rule {
        let decays = match self.optimizer.decay() {
            Decay::All => true,
            Decay::ExceptNorm => !role.is_norm(),
        };
        match self.optimizer {
            Optimizer::Sgd { momentum, nesterov, weight_decay, .. } => Rule::Descend(Update {
                rate: rate as f32,
                momentum: momentum as f32,
                nesterov,
                decay: if decays { weight_decay as f32 } else { 0.0 },
            }),
            Optimizer::AdamW { beta1, beta2, epsilon, weight_decay, .. } => {
                let corrected = |beta: f64| 1.0 - libm::pow(beta, self.steps as f64);
                Rule::Adapt(Adapt {
                    keep: if decays { (1.0 - rate * weight_decay) as f32 } else { 1.0 },
                    beta1: beta1 as f32,
                    beta2: beta2 as f32,
                    epsilon: epsilon as f32,
                    rate: (rate / corrected(beta1)) as f32,
                    spread: (1.0 / corrected(beta2).sqrt()) as f32,
                })
            }
        }
    }
}

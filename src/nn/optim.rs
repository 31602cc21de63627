//! Optimisers as PyTorch defines them, one pass over weights, gradients and what is remembered of them, with masks.

use candle_core::{Device, Tensor};

use crate::domain::arch::{Parameter, Role, Survey};
use crate::domain::recipe::{Decay, Optimizer};

use super::kernels::Threads;
use super::kernels::update::{Adapt, Update, adapt, descend};
use super::mask::Mask;
use super::{Error, Weights, checkpoint};

/// Entry of a stored state: the steps that AdamW has made.
const STEPS: &str = "steps";
/// Beginning of the names of second moments in a stored state.
const SECOND: &str = "second/";

/// An optimiser with what it remembers of past gradients.
pub(super) struct Descent {
    optimizer: Optimizer,
    /// Momentum, or first moments.
    first: Vec<Vec<f32>>,
    /// Second moments; empty for stochastic gradient descent.
    second: Vec<Vec<f32>>,
    /// Steps made, for the correction of AdamW's moments.
    steps: i64,
}

impl Descent {
    /// Starts without a past.
    pub(super) fn new(optimizer: &Optimizer, survey: &Survey) -> Self {
        let zeros = |entry: &Parameter| vec![0.0; if entry.role.is_learned() { entry.elements() } else { 0 }];
        let all = || survey.parameters.iter().map(zeros).collect();
        let second = if optimizer.memory() > 1 { all() } else { Vec::new() };
        Self { optimizer: optimizer.clone(), first: all(), second, steps: 0 }
    }

    /// Takes up a stored state.
    ///
    /// # Errors
    /// If names or shapes differ from the architecture's learned parameters.
    pub(super) fn load(&mut self, survey: &Survey, state: &Weights) -> Result<(), Error> {
        let mut first = state.clone();
        if !self.second.is_empty() {
            let needed = 2 * survey.parameters.len();
            let missing =
                || checkpoint::Mismatch { missing: vec![STEPS.to_owned()], needed, ..checkpoint::Mismatch::default() };
            self.steps = first.remove(STEPS).ok_or_else(missing)?.to_scalar::<i64>()?;
            let mut second = Weights::new();
            first.retain(|name, tensor| match name.strip_prefix(SECOND) {
                Some(name) => second.insert(name.to_owned(), tensor.clone()).is_some(),
                None => true,
            });
            take_up(survey, &second, &mut self.second)?;
        }
        take_up(survey, &first, &mut self.first)
    }

    /// Returns what is remembered, by parameter name.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub(super) fn state(&self, survey: &Survey) -> Result<Weights, Error> {
        let mut state = tensors(survey, &self.first, "")?;
        if !self.second.is_empty() {
            state.extend(tensors(survey, &self.second, SECOND)?);
            state.insert(STEPS.to_owned(), Tensor::new(self.steps, &Device::Cpu)?);
        }
        Ok(state)
    }

    /// Moves every learned parameter; pruned weights and what is remembered of them stay exactly 0.
    pub(super) fn step(
        &mut self,
        threads: &Threads,
        survey: &Survey,
        rate: f64,
        values: &mut [Vec<f32>],
        gradients: &[Vec<f32>],
        mask: Option<&Mask>,
    ) {
        self.steps += 1;
        for (at, entry) in survey.parameters.iter().enumerate().filter(|(_, entry)| entry.role.is_learned()) {
            let kept = mask.and_then(|mask| mask.bits(&entry.name));
            let decays = self.decays(entry.role);
            let (value, gradient, first) = (&mut values[at], &gradients[at], &mut self.first[at]);
            match self.optimizer {
                Optimizer::Sgd { momentum, nesterov, weight_decay, .. } => {
                    let update = Update {
                        rate: rate as f32,
                        momentum: momentum as f32,
                        nesterov,
                        decay: if decays { weight_decay as f32 } else { 0.0 },
                    };
                    descend(threads, update, value, gradient, first, kept);
                }
                Optimizer::AdamW { beta1, beta2, epsilon, weight_decay, .. } => {
                    let corrected = |beta: f64| 1.0 - libm::pow(beta, self.steps as f64);
                    let update = Adapt {
                        keep: if decays { (1.0 - rate * weight_decay) as f32 } else { 1.0 },
                        beta1: beta1 as f32,
                        beta2: beta2 as f32,
                        epsilon: epsilon as f32,
                        rate: (rate / corrected(beta1)) as f32,
                        spread: (1.0 / corrected(beta2).sqrt()) as f32,
                    };
                    adapt(threads, update, value, gradient, [first, &mut self.second[at]], kept);
                }
            }
        }
    }

    fn decays(&self, role: Role) -> bool {
        match self.optimizer.decay() {
            Decay::All => true,
            Decay::ExceptNorm => !role.is_norm(),
        }
    }
}

fn take_up(survey: &Survey, stored: &Weights, values: &mut [Vec<f32>]) -> Result<(), Error> {
    checkpoint::check_learned(survey, stored)?;
    for (entry, values) in survey.parameters.iter().zip(values) {
        if entry.role.is_learned() {
            *values = stored[&entry.name].flatten_all()?.to_vec1::<f32>()?;
        }
    }
    Ok(())
}

fn tensors(survey: &Survey, values: &[Vec<f32>], prefix: &str) -> Result<Weights, Error> {
    let learned = survey.parameters.iter().zip(values).filter(|(entry, _)| entry.role.is_learned());
    learned
        .map(|(entry, values)| {
            let tensor = Tensor::from_vec(values.clone(), entry.shape.clone(), &Device::Cpu)?;
            Ok((format!("{prefix}{}", entry.name), tensor))
        })
        .collect()
}

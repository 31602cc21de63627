//! Stochastic gradient descent as PyTorch defines it, one pass over weights, gradients and momentum, with masks.

use candle_core::{Device, Tensor};

use crate::domain::arch::{Parameter, Role, Survey};
use crate::domain::recipe::{Decay, Optimizer};

use super::kernels::Threads;
use super::kernels::update::{Update, descend};
use super::mask::Mask;
use super::{Error, Weights, checkpoint};

/// Momentum and settings of stochastic gradient descent.
pub(super) struct Sgd {
    momentum: f32,
    nesterov: bool,
    weight_decay: f32,
    decay: Decay,
    velocities: Vec<Vec<f32>>,
}

impl Sgd {
    /// Starts with zero momentum.
    pub(super) fn new(optimizer: &Optimizer, survey: &Survey) -> Self {
        let Optimizer::Sgd { momentum, nesterov, weight_decay, decay } = optimizer;
        let zeros = |entry: &Parameter| vec![0.0; if entry.role.is_learned() { entry.elements() } else { 0 }];
        Self {
            momentum: *momentum as f32,
            nesterov: *nesterov,
            weight_decay: *weight_decay as f32,
            decay: *decay,
            velocities: survey.parameters.iter().map(zeros).collect(),
        }
    }

    /// Takes up a stored momentum.
    ///
    /// # Errors
    /// If names or shapes differ from the architecture's learned parameters.
    pub(super) fn load(&mut self, survey: &Survey, momentum: &Weights) -> Result<(), Error> {
        checkpoint::check_learned(survey, momentum)?;
        for (entry, velocity) in survey.parameters.iter().zip(&mut self.velocities) {
            if entry.role.is_learned() {
                *velocity = momentum[&entry.name].flatten_all()?.to_vec1::<f32>()?;
            }
        }
        Ok(())
    }

    /// Returns the momentum by parameter name.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub(super) fn state(&self, survey: &Survey) -> Result<Weights, Error> {
        let learned = survey.parameters.iter().zip(&self.velocities).filter(|(entry, _)| entry.role.is_learned());
        learned
            .map(|(entry, velocity)| {
                Ok((entry.name.clone(), Tensor::from_vec(velocity.clone(), entry.shape.clone(), &Device::Cpu)?))
            })
            .collect()
    }

    /// Moves every learned parameter; pruned weights and their momentum stay exactly 0.
    pub(super) fn step(
        &mut self,
        threads: &Threads,
        survey: &Survey,
        rate: f64,
        values: &mut [Vec<f32>],
        gradients: &[Vec<f32>],
        mask: Option<&Mask>,
    ) {
        for (at, entry) in survey.parameters.iter().enumerate().filter(|(_, entry)| entry.role.is_learned()) {
            let update = Update {
                rate: rate as f32,
                momentum: self.momentum,
                nesterov: self.nesterov,
                decay: if self.decays(entry.role) { self.weight_decay } else { 0.0 },
            };
            let kept = mask.and_then(|mask| mask.bits(&entry.name));
            descend(threads, update, &mut values[at], &gradients[at], &mut self.velocities[at], kept);
        }
    }

    fn decays(&self, role: Role) -> bool {
        match self.decay {
            Decay::All => true,
            Decay::ExceptNorm => !role.is_norm(),
        }
    }
}

//! Networks that learn: gradients and the optimiser.

use std::borrow::Cow;

use crate::domain::recipe::Optimizer;
use crate::nn::kernels::layout;
use crate::nn::kernels::loss::Sums;
use crate::nn::mask::Mask;
use crate::nn::optim::Descent;
use crate::nn::{Error, Weights};

use super::{Mode, Network};

impl Network {
    /// Sums losses and hits of the last images and computes the gradients of the mean loss.
    ///
    /// # Errors
    /// As [`Network::score`]; or if the network was built for evaluation.
    pub(in crate::nn) fn learn(&mut self, labels: &[usize], smoothing: f64) -> Result<Sums, Error> {
        self.must_train()?;
        self.check_labels(labels)?;
        self.engine.learn(labels, smoothing)
    }

    /// Computes gradients from the gradient of the output, `[n][channel][row][column]`.
    ///
    /// # Errors
    /// If the network was built for evaluation or the sizes differ.
    pub fn backward(&mut self, output_gradient: &[f32]) -> Result<(), Error> {
        self.must_train()?;
        let (n, shape) = (self.images, self.program.shapes[self.program.output]);
        if output_gradient.len() != n * shape.values() {
            return Err(Error::Batch { images: n, batch: self.setup.batch, values: output_gradient.len() });
        }
        let mut channels_last = vec![0.0; output_gradient.len()];
        let places = shape.height * shape.width;
        layout::channels_last(&self.threads, output_gradient, shape.channels, places, &mut channels_last);
        self.engine.backward(&channels_last, n)
    }

    /// Returns the gradient of a parameter, in its own layout; nothing if it is not learned.
    ///
    /// # Errors
    /// If the device fails.
    pub fn gradient(&self, name: &str) -> Result<Option<Cow<'_, [f32]>>, Error> {
        let learned = |(_, entry): &(usize, &crate::domain::arch::Parameter)| {
            self.setup.mode == Mode::Train && entry.name == name && entry.role.is_learned()
        };
        let found = self.survey.parameters.iter().enumerate().find(learned);
        found.map(|(at, _)| self.engine.gradient(at)).transpose()
    }

    /// Returns the gradient of the images, if it was asked for.
    ///
    /// # Errors
    /// If the device fails.
    pub fn input_gradient(&self) -> Result<Option<Vec<f32>>, Error> {
        if !self.setup.differentiate_input || self.setup.mode != Mode::Train {
            return Ok(None);
        }
        Ok(Some(self.channels_first(0, &self.engine.value_gradient(0, self.images)?).1))
    }

    /// Makes an optimiser ready that remembers nothing yet.
    ///
    /// # Errors
    /// If the device fails.
    pub fn optimize(&mut self, optimizer: &Optimizer) -> Result<(), Error> {
        let descent = self.descent.insert(Descent::new(optimizer));
        for (at, entry) in self.survey.parameters.iter().enumerate().filter(|(_, entry)| entry.role.is_learned()) {
            let zeros = vec![0.0; entry.elements()];
            for which in 0..descent.memories() {
                self.engine.set_memory(which, at, &zeros)?;
            }
        }
        Ok(())
    }

    /// Makes an optimiser ready that goes on from a stored state.
    ///
    /// # Errors
    /// If names or shapes differ from the architecture's learned parameters.
    pub(in crate::nn) fn resume(&mut self, optimizer: &Optimizer, state: &Weights) -> Result<(), Error> {
        let (descent, memories) = Descent::resume(optimizer, &self.survey, state)?;
        self.descent = Some(descent);
        for (which, memory) in memories.iter().enumerate() {
            for (at, entry) in self.survey.parameters.iter().enumerate().filter(|(_, entry)| entry.role.is_learned()) {
                let values = memory[&entry.name].flatten_all()?.to_vec1::<f32>()?;
                self.engine.set_memory(which, at, &values)?;
            }
        }
        Ok(())
    }

    /// Returns what the optimiser remembers, by parameter name.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub(in crate::nn) fn optimizer_state(&self) -> Result<Weights, Error> {
        let Some(descent) = &self.descent else { return Ok(Weights::new()) };
        descent.state(&self.survey, |which, at| self.engine.memory(which, at))
    }

    /// Moves the parameters along their gradients.
    ///
    /// # Errors
    /// If the device fails.
    pub fn update(&mut self, rate: f64) -> Result<(), Error> {
        let Some(descent) = &mut self.descent else { return Ok(()) };
        descent.begin();
        for (at, entry) in self.survey.parameters.iter().enumerate().filter(|(_, entry)| entry.role.is_learned()) {
            self.engine.update(at, descent.rule(entry.role, rate))?;
        }
        Ok(())
    }

    /// Returns a parameter with a pruned weight that is not 0, or of which the optimiser remembers anything, if there is
    /// one.
    ///
    /// # Errors
    /// If the device fails.
    pub(in crate::nn) fn unmasked(&self, mask: &Mask) -> Result<Option<String>, Error> {
        let memories = self.descent.as_ref().map_or(0, Descent::memories);
        let broken =
            |values: &[f32], kept: &[bool]| values.iter().zip(kept).any(|(value, kept)| !kept && *value != 0.0);
        for (at, entry) in self.survey.parameters.iter().enumerate() {
            let Some(kept) = mask.bits(&entry.name) else { continue };
            let mut found = broken(&self.engine.parameter(at)?, kept);
            for which in 0..memories {
                found |= broken(&self.engine.memory(which, at)?, kept);
            }
            if found {
                return Ok(Some(entry.name.clone()));
            }
        }
        Ok(None)
    }

    fn must_train(&self) -> Result<(), Error> {
        if self.setup.mode == Mode::Train { Ok(()) } else { Err(Error::Evaluating) }
    }
}

//! The engine of NVIDIA GPUs: cuDNN for convolutions and normalisation, own kernels for the rest, channels-last.
//!
//! Weights, statistics, gradients of parameters and the optimiser's memories are float32; activations and their gradients
//! are float32 or bf16. Every GPU holds the whole network and works on its share of each batch; the gradients of
//! parameters are summed over all GPUs before every update, so that all stay equal.

mod collective;
mod convolution;
mod device;
mod dnn;
mod kernels;
mod launch;
mod normalisation;
mod plan;
mod replica;
mod step;

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::arch::Survey;
use crate::domain::device as domain;
use crate::nn::Error;
use crate::nn::device::DeviceError;
use crate::nn::kernels::loss::Sums;
use crate::nn::kernels::update::Rule;

use super::Setup;
use super::engine::{Engine, Pass};
use super::lives::Layout;
use super::program::{Program, Value};
use collective::Collective;
use plan::Plan;
use replica::Replica;

pub(in crate::nn) use device::devices;

/// Returns the bytes that a program takes on every GPU, at most.
pub(super) fn needed_bytes(
    program: Arc<Program>,
    survey: &Survey,
    setup: &Setup,
    layout: Layout,
    device: &domain::Cuda,
) -> u64 {
    let plan = Plan::new(program, survey, setup, layout, device.policy, device.indices.len().max(1));
    plan.bytes(plan.batch)
}

/// A program on one or several GPUs.
pub(super) struct Cuda {
    plan: Arc<Plan>,
    replicas: Vec<Replica>,
    collective: Option<Collective>,
}

impl Cuda {
    /// Makes room for a program on every GPU; parameters are 0.
    ///
    /// # Errors
    /// If a GPU is not there, too old, or too small.
    pub(super) fn new(
        program: Arc<Program>,
        survey: &Survey,
        setup: &Setup,
        layout: Layout,
        device: &domain::Cuda,
    ) -> Result<Self, DeviceError> {
        let shares = device.indices.len().max(1);
        let plan = Arc::new(Plan::new(program, survey, setup, layout, device.policy, shares));
        let replica = |index: &usize| Replica::new(plan.clone(), *index).map_err(|error| explained(&plan, error));
        let replicas = device.indices.iter().map(replica).collect::<Result<Vec<_>, _>>()?;
        let collective = if shares > 1 { Some(Collective::new(&device.indices)?) } else { None };
        Ok(Self { plan, replicas, collective })
    }

    /// Runs `work` on every GPU that has images, with the range of images it has of `n`.
    fn on_shares(
        &mut self,
        n: usize,
        mut work: impl FnMut(&mut Replica, std::ops::Range<usize>) -> Result<(), DeviceError>,
    ) -> Result<(), Error> {
        let shares = self.replicas.len();
        for (nth, replica) in self.replicas.iter_mut().enumerate() {
            let range = nth * n / shares..(nth + 1) * n / shares;
            replica.images = range.len();
            if !range.is_empty() {
                replica.gpu.bind()?;
                work(replica, range).map_err(|error| explained(&replica.plan, error))?;
            }
        }
        Ok(())
    }

    fn images(&self) -> usize {
        self.replicas.iter().map(|replica| replica.images).sum()
    }

    /// Goes back from the gradient of the output, segment by segment, and sums over all GPUs.
    fn go_back(&mut self) -> Result<(), Error> {
        let plan = self.plan.clone();
        let again = if plan.frozen { Pass::Fixed } else { Pass::Again };
        self.on_shares(self.images(), |replica, _| {
            for (nth, segment) in plan.segments.iter().enumerate().rev() {
                if nth + 1 < plan.segments.len() {
                    let inner = segment.clone().filter(|step| plan.program.is_inner(*step, segment));
                    inner.into_iter().try_for_each(|step| replica.compute(step, again))?;
                }
                segment.clone().rev().try_for_each(|step| replica.differentiate(step))?;
            }
            Ok(())
        })?;
        if let Some(collective) = &self.collective {
            for idle in self.replicas.iter().filter(|replica| replica.images == 0) {
                idle.gpu.clear(idle.gradients()?)?;
            }
            collective.sum(&self.replicas)?;
        }
        Ok(())
    }

    /// Reads a value or gradient of the first `n` images.
    fn gather(&self, value: usize, n: usize) -> Result<Cow<'_, [f32]>, Error> {
        let mut found = Vec::with_capacity(n * self.plan.size(value));
        let mut left = n;
        for replica in &self.replicas {
            let here = left.min(replica.images);
            found.extend(replica.read(value, here)?);
            left -= here;
        }
        Ok(Cow::Owned(found))
    }

    fn first(&self) -> Result<&Replica, Error> {
        self.replicas.first().ok_or_else(|| DeviceError::NoDevice { index: 0, found: 0 }.into())
    }
}

/// Adds to an error of the driver how many images would fit, if memory was short.
fn explained(plan: &Plan, error: DeviceError) -> DeviceError {
    match error {
        DeviceError::OutOfMemory { free, .. } => plan.shortage(free),
        other => other,
    }
}

impl Engine for Cuda {
    fn set_parameter(&mut self, at: usize, values: &[f32]) -> Result<(), Error> {
        let turned = self.plan.places[at].inwards(values);
        self.replicas.iter_mut().try_for_each(|replica| Ok(replica.set_parameter(at, &turned)?))
    }

    fn parameter(&self, at: usize) -> Result<Cow<'_, [f32]>, Error> {
        let (place, first) = (self.plan.places[at], self.first()?);
        Ok(Cow::Owned(place.outwards(&first.gpu.read::<f32>(first.parameter(at), place.count)?)))
    }

    fn gradient(&self, at: usize) -> Result<Cow<'_, [f32]>, Error> {
        let (place, first) = (self.plan.places[at], self.first()?);
        Ok(Cow::Owned(place.outwards(&first.gpu.read::<f32>(first.gradient(at)?, place.count)?)))
    }

    fn set_memory(&mut self, which: usize, at: usize, values: &[f32]) -> Result<(), Error> {
        let turned = self.plan.places[at].inwards(values);
        self.replicas.iter_mut().try_for_each(|replica| Ok(replica.set_memory(which, at, &turned)?))
    }

    fn memory(&self, which: usize, at: usize) -> Result<Cow<'_, [f32]>, Error> {
        Ok(Cow::Owned(self.plan.places[at].outwards(&self.first()?.memory(which, at)?)))
    }

    fn set_mask(&mut self, kept: Vec<Option<Arc<[bool]>>>) -> Result<(), Error> {
        for (at, kept) in kept.into_iter().enumerate() {
            let kept: Option<Vec<u8>> = kept.map(|kept| kept.iter().map(|kept| u8::from(*kept)).collect());
            let turned = kept.map(|kept| self.plan.places[at].inwards(&kept));
            self.replicas.iter_mut().try_for_each(|replica| replica.set_kept(at, turned.as_deref()))?;
        }
        Ok(())
    }

    fn forward(&mut self, images: &[f32], n: usize) -> Result<(), Error> {
        let plan = self.plan.clone();
        let size = plan.size(0);
        let pass = if plan.train && !plan.frozen { Pass::Learning } else { Pass::Fixed };
        self.on_shares(n, |replica, range| {
            replica.set_images(&images[range.start * size..range.end * size], range.len())?;
            (0..plan.program.steps.len()).try_for_each(|step| replica.compute(step, pass))
        })
    }

    fn value(&self, value: Value, n: usize) -> Result<Cow<'_, [f32]>, Error> {
        self.gather(value, n)
    }

    fn value_gradient(&self, value: Value, n: usize) -> Result<Cow<'_, [f32]>, Error> {
        self.gather(self.plan.gradient(value), n)
    }

    fn score(&self, labels: &[usize], smoothing: f64, sums: &mut Sums) -> Result<(), Error> {
        let mut first = 0;
        for replica in self.replicas.iter().filter(|replica| replica.images > 0) {
            replica.gpu.bind()?;
            replica.judge(&labels[first..first + replica.images], smoothing, None)?;
            replica.collect(sums)?;
            first += replica.images;
        }
        Ok(())
    }

    fn learn(&mut self, labels: &[usize], smoothing: f64) -> Result<Sums, Error> {
        let n = self.images();
        self.on_shares(n, |replica, range| replica.judge(&labels[range], smoothing, Some(n)))?;
        self.go_back()?;
        let mut sums = Sums::default();
        for replica in &self.replicas {
            replica.collect(&mut sums)?;
        }
        Ok(sums)
    }

    fn backward(&mut self, output_gradient: &[f32], n: usize) -> Result<(), Error> {
        let size = self.plan.size(self.plan.program.output);
        self.on_shares(n, |replica, range| {
            replica.set_output_gradient(&output_gradient[range.start * size..range.end * size])
        })?;
        self.go_back()
    }

    fn update(&mut self, at: usize, rule: Rule) -> Result<(), Error> {
        self.replicas.iter_mut().try_for_each(|replica| Ok(replica.update(at, rule)?))
    }

    fn sparse_layers(&self) -> usize {
        0
    }

    fn held_bytes(&self) -> u64 {
        self.plan.bytes(self.plan.batch)
    }
}

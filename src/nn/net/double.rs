//! Networks in double precision, for derivatives that single precision is too coarse for: differences of gradients over
//! steps so small that hardly any rectifier changes its mind, and sums of positive numbers that grow with every layer.

use std::ops::Range;

use crate::domain::arch::{Arch, Role, Survey};
use crate::nn::kernels::Threads;
use crate::nn::kernels::conv::Geometry;
use crate::nn::kernels::double::{product, transposed};
use crate::nn::kernels::norm::EPSILON;
use crate::nn::kernels::pool::Pool;
use crate::nn::mask::Mask;
use crate::nn::{Error, Weights, checkpoint};

use super::program::{Program, Step, Work};
use super::{Setup, program};

/// A network in double precision. Values are `[image][channel][row][column]`.
pub(in crate::nn) struct Double {
    survey: Survey,
    program: Program,
    threads: Threads,
    /// Whether normalisations use their running statistics.
    frozen: bool,
    /// In the survey's order; counters are empty.
    pub parameters: Vec<Vec<f64>>,
    values: Vec<Vec<f64>>,
    /// Mean and variance of each normalisation in the last pass.
    statistics: Vec<Vec<[f64; 2]>>,
    images: usize,
}

impl Double {
    /// Builds a network for images of `setup.input`, pruned weights as zeros.
    ///
    /// # Errors
    /// If weights or mask do not fit.
    pub(in crate::nn) fn new(
        arch: &Arch,
        setup: &Setup,
        weights: &Weights,
        mask: Option<&Mask>,
    ) -> Result<Self, Error> {
        let survey = arch.survey_at(setup.input.unwrap_or(arch.input))?;
        checkpoint::check(&survey, weights)?;
        let mut parameters = Vec::with_capacity(survey.parameters.len());
        for entry in &survey.parameters {
            if entry.role == Role::BatchCount {
                parameters.push(Vec::new());
                continue;
            }
            let values = weights[&entry.name].flatten_all()?.to_vec1::<f32>()?;
            let kept = mask.and_then(|mask| mask.bits(&entry.name));
            let left = |at: usize| kept.is_none_or(|kept| kept[at]);
            let one = |(at, value): (usize, f32)| if left(at) { f64::from(value) } else { 0.0 };
            parameters.push(values.into_iter().enumerate().map(one).collect());
        }
        let program = program(arch, &survey, setup)?;
        let statistics = vec![Vec::new(); program.moments];
        let threads = Threads::new(setup.threads);
        Ok(Self {
            survey,
            program,
            threads,
            frozen: setup.frozen,
            parameters,
            values: Vec::new(),
            statistics,
            images: 0,
        })
    }

    /// Returns what is known about the architecture at this input size.
    pub(in crate::nn) fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Runs `n` images through the network and returns the output.
    pub(in crate::nn) fn forward(&mut self, images: Vec<f64>, n: usize) -> &[f64] {
        self.images = n;
        self.values = vec![Vec::new(); self.program.shapes.len()];
        self.values[0] = images;
        for at in 0..self.program.steps.len() {
            self.take_statistics(at);
            let step = &self.program.steps[at];
            let mut y = self.apply(step);
            if let Some(other) = step.other {
                add(&mut y, &self.values[other]);
            }
            if step.rectify {
                y.iter_mut().for_each(|y| *y = y.max(0.0));
            }
            let value = step.y;
            self.values[value] = y;
        }
        &self.values[self.program.output]
    }

    /// Mean and biased variance of every channel that a normalisation reads.
    fn take_statistics(&mut self, at: usize) {
        let step = &self.program.steps[at];
        let Work::Norm { channels, first, moments, .. } = step.work else { return };
        self.statistics[moments] = if self.frozen {
            let [mean, variance] = [2, 3].map(|entry| &self.parameters[first + entry]);
            mean.iter().zip(variance).map(|(mean, variance)| [*mean, *variance]).collect()
        } else {
            let x = &self.values[step.x];
            let of = |channel: usize| {
                let values = || self.rows(x, channels, channel).flat_map(|range| &x[range]);
                let count = values().count() as f64;
                let mean = values().sum::<f64>() / count;
                [mean, values().map(|x| (x - mean).powi(2)).sum::<f64>() / count]
            };
            (0..channels).map(of).collect()
        };
    }

    /// Lists the places of a channel in all images.
    fn rows(&self, x: &[f64], channels: usize, channel: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let places = x.len() / self.images / channels;
        (0..self.images).map(move |image| {
            let start = (image * channels + channel) * places;
            start..start + places
        })
    }

    fn apply(&self, step: &Step) -> Vec<f64> {
        let x = &self.values[step.x];
        let shape = self.program.shapes[step.x];
        match &step.work {
            Work::Conv { geometry, weight, bias, .. } => {
                let one = |x: &[f64]| self.convolve(geometry, &self.parameters[*weight], x);
                let mut y: Vec<f64> = x.chunks(shape.values()).flat_map(one).collect();
                if let Some(bias) = bias {
                    let places = y.len() / self.images / geometry.outputs;
                    let constants = self.parameters[*bias].iter().cycle();
                    y.chunks_mut(places).zip(constants).for_each(|(y, bias)| y.iter_mut().for_each(|y| *y += bias));
                }
                y
            }
            Work::Norm { channels, first, moments, .. } => {
                let mut y = vec![0.0; x.len()];
                for (channel, [mean, variance]) in self.statistics[*moments].iter().enumerate() {
                    let factor = self.parameters[*first][channel] / (variance + EPSILON).sqrt();
                    let shift = self.parameters[first + 1][channel];
                    for range in self.rows(x, *channels, channel) {
                        y[range.clone()].iter_mut().zip(&x[range]).for_each(|(y, x)| *y = (x - mean) * factor + shift);
                    }
                }
                y
            }
            Work::Maximum(pool) => {
                let one = |x: &[f64]| largest(pool, x).into_iter().map(|from| x[from]).collect::<Vec<_>>();
                x.chunks(shape.values()).flat_map(one).collect()
            }
            Work::Mean(pool) => {
                let one = |x: &[f64]| {
                    let mut y = vec![0.0; pool.channels * pool.output().iter().product::<usize>()];
                    means(pool, |from, to, share| y[to] += x[from] * share);
                    y
                };
                x.chunks(shape.values()).flat_map(one).collect()
            }
            Work::GlobalMean => {
                let places = shape.height * shape.width;
                x.chunks(places).map(|x| x.iter().sum::<f64>() / places as f64).collect()
            }
            Work::Relu => x.iter().map(|x| x.max(0.0)).collect(),
            Work::Flatten { .. } | Work::Add => x.clone(),
        }
    }

    /// Returns the gradient of every weight of a convolution from that of the output; empty for other parameters.
    pub(in crate::nn) fn backward(&self, output_gradient: Vec<f64>) -> Vec<Vec<f64>> {
        let mut gradients: Vec<Vec<f64>> = self.values.iter().map(|value| vec![0.0; value.len()]).collect();
        gradients[self.program.output] = output_gradient;
        let mut of_parameters = vec![Vec::new(); self.parameters.len()];
        for step in self.program.steps.iter().rev() {
            let mut dy = std::mem::take(&mut gradients[step.y]);
            if step.rectify || matches!(step.work, Work::Relu) {
                let y = &self.values[step.y];
                dy.iter_mut().zip(y).filter(|(_, y)| **y <= 0.0).for_each(|(dy, _)| *dy = 0.0);
            }
            if let Some(other) = step.other {
                add(&mut gradients[other], &dy);
            }
            let dx = self.step_back(step, &dy, &mut of_parameters);
            add(&mut gradients[step.x], &dx);
        }
        of_parameters
    }

    fn step_back(&self, step: &Step, dy: &[f64], of_parameters: &mut [Vec<f64>]) -> Vec<f64> {
        let x = &self.values[step.x];
        let shape = self.program.shapes[step.x];
        let images = || x.chunks(shape.values()).zip(dy.chunks(dy.len() / self.images));
        match &step.work {
            Work::Conv { geometry, weight, .. } => {
                let w = &self.parameters[*weight];
                let (mut all, mut dx) = (vec![0.0; w.len()], Vec::with_capacity(x.len()));
                for (x, dy) in images() {
                    let (dw, of_x) = self.differentiate(geometry, w, x, dy);
                    add(&mut all, &dw);
                    dx.extend(of_x);
                }
                of_parameters[*weight] = all;
                dx
            }
            Work::Norm { channels, first, moments, .. } => {
                let mut dx = vec![0.0; x.len()];
                for (channel, [mean, variance]) in self.statistics[*moments].iter().enumerate() {
                    let inverse = 1.0 / (variance + EPSILON).sqrt();
                    let factor = self.parameters[*first][channel] * inverse;
                    let pairs = || {
                        let rows = self.rows(x, *channels, channel);
                        rows.flat_map(|range| x[range.clone()].iter().zip(&dy[range]))
                    };
                    let count = pairs().count() as f64;
                    let flows = if self.frozen { 0.0 } else { 1.0 / count };
                    let sum = pairs().map(|(_, dy)| dy).sum::<f64>() * flows;
                    let along = pairs().map(|(x, dy)| (x - mean) * inverse * dy).sum::<f64>() * flows;
                    for range in self.rows(x, *channels, channel) {
                        for at in range {
                            dx[at] = factor * (dy[at] - sum - (x[at] - mean) * inverse * along);
                        }
                    }
                }
                dx
            }
            Work::Maximum(pool) => {
                let one = |(x, dy): (&[f64], &[f64])| {
                    let mut dx = vec![0.0; x.len()];
                    largest(pool, x).into_iter().zip(dy).for_each(|(from, dy)| dx[from] += dy);
                    dx
                };
                images().flat_map(one).collect()
            }
            Work::Mean(pool) => {
                let one = |(x, dy): (&[f64], &[f64])| {
                    let mut dx = vec![0.0; x.len()];
                    means(pool, |from, to, share| dx[from] += dy[to] * share);
                    dx
                };
                images().flat_map(one).collect()
            }
            Work::GlobalMean => {
                let places = shape.height * shape.width;
                dy.iter().flat_map(|dy| std::iter::repeat_n(dy / places as f64, places)).collect()
            }
            Work::Relu | Work::Flatten { .. } | Work::Add => dy.to_vec(),
        }
    }

    /// Returns y = w ∗ x for one image.
    fn convolve(&self, g: &Geometry, w: &[f64], x: &[f64]) -> Vec<f64> {
        let places = g.output().iter().product();
        let (outputs, depth) = (g.outputs / g.groups, w.len() / g.outputs);
        let group = |group: usize| {
            let mut columns = vec![0.0; depth * places];
            taps(g, group, |from, row, place| columns[row * places + place] = x[from]);
            let w = &w[group * outputs * depth..][..outputs * depth];
            product(&self.threads, [outputs, depth, places], w, &columns)
        };
        (0..g.groups).flat_map(group).collect()
    }

    /// Returns the gradients of the weights and of x for one image.
    fn differentiate(&self, g: &Geometry, w: &[f64], x: &[f64], dy: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let places: usize = g.output().iter().product();
        let (outputs, depth) = (g.outputs / g.groups, w.len() / g.outputs);
        let (mut dw, mut dx) = (Vec::with_capacity(w.len()), vec![0.0; x.len()]);
        for group in 0..g.groups {
            let mut rows = vec![0.0; depth * places];
            taps(g, group, |from, row, place| rows[place * depth + row] = x[from]);
            let w = &w[group * outputs * depth..][..outputs * depth];
            let dy = &dy[group * outputs * places..][..outputs * places];
            dw.extend(product(&self.threads, [outputs, places, depth], dy, &rows));
            let columns = product(&self.threads, [depth, outputs, places], &transposed(outputs, w), dy);
            taps(g, group, |to, row, place| dx[to] += columns[row * places + place]);
        }
        (dw, dx)
    }
}

fn add(to: &mut [f64], more: &[f64]) {
    to.iter_mut().zip(more).for_each(|(to, more)| *to += more);
}

/// Calls `visit` with the place in the image, the row of weights and the output place of every product of a group.
fn taps(g: &Geometry, group: usize, mut visit: impl FnMut(usize, usize, usize)) {
    let inputs = g.inputs / g.groups;
    let [height, width] = g.output();
    let reach = |at: usize, tap: usize, extent: usize| {
        (at * g.stride + tap * g.dilation).checked_sub(g.pad).filter(|place| *place < extent)
    };
    for channel in 0..inputs {
        for i in 0..g.kernel[0] {
            for j in 0..g.kernel[1] {
                let row = (channel * g.kernel[0] + i) * g.kernel[1] + j;
                for y in 0..height {
                    let Some(from_y) = reach(y, i, g.size[0]) else { continue };
                    for x in 0..width {
                        if let Some(from_x) = reach(x, j, g.size[1]) {
                            let place = ((group * inputs + channel) * g.size[0] + from_y) * g.size[1] + from_x;
                            visit(place, row, y * width + x);
                        }
                    }
                }
            }
        }
    }
}

/// Returns where each output of a maximum comes from: the first of the largest.
fn largest(pool: &Pool, x: &[f64]) -> Vec<usize> {
    let [height, width] = pool.size;
    let mut from = Vec::new();
    for channel in 0..pool.channels {
        pool.each_window(|_, rows, columns| {
            let places = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
            let places = places.map(|(row, column)| (channel * height + row) * width + column);
            from.extend(places.reduce(|best, place| if x[place] > x[best] { place } else { best }));
        });
    }
    from
}

/// Calls `visit` with the input, the output and the share of every summand of a mean.
fn means(pool: &Pool, mut visit: impl FnMut(usize, usize, f64)) {
    let [height, width] = pool.size;
    let outputs: usize = pool.output().iter().product();
    let share = 1.0 / (pool.kernel * pool.kernel) as f64;
    for channel in 0..pool.channels {
        pool.each_window(|at, rows, columns| {
            for row in rows {
                for column in columns.clone() {
                    visit((channel * height + row) * width + column, channel * outputs + at, share);
                }
            }
        });
    }
}

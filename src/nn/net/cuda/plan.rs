//! What all GPUs of an engine have in common: where parameters lie, and how much memory the work takes.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::arch::{Role, Survey};
use crate::domain::device::{Policy, Precision};
use crate::nn::device::DeviceError;

use super::super::lives::Layout;
use super::super::program::{Program, Work};
use super::super::{Mode, Setup};
use super::convolution::MOST_WORKSPACE;
use super::kernels::Rows;
use super::launch::Format;

/// Numbers that a parameter's place is a multiple of: 256 bytes.
const ALIGNMENT: usize = 64;
/// What cuDNN and the driver take for themselves on a GPU, about.
const OVERHEAD: usize = 600 << 20;

/// Where a parameter lies among all parameters, in numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub first: usize,
    pub count: usize,
    /// Input channels per group and taps, where the order of the two is turned: filters are
    /// `[output][input][row][column]` in files, and `[output][row][column][input]` on a GPU.
    turned: Option<[usize; 2]>,
}

/// A program as it is laid out on every GPU.
pub(super) struct Plan {
    pub program: Arc<Program>,
    pub slots: Vec<usize>,
    pub sizes: Vec<usize>,
    pub segments: Vec<Range<usize>>,
    pub places: Vec<Place>,
    /// Numbers of all parameters together.
    pub numbers: usize,
    pub train: bool,
    pub frozen: bool,
    pub differentiate_input: bool,
    pub policy: Policy,
    /// Images per GPU.
    pub batch: usize,
    /// GPUs.
    pub shares: usize,
}

impl Place {
    /// Brings a parameter's numbers into the order they have on a GPU.
    pub(super) fn inwards<T: Copy>(&self, values: &[T]) -> Vec<T> {
        self.turn(values, |[inputs, taps]| [inputs, taps])
    }

    /// Brings them back.
    pub(super) fn outwards<T: Copy>(&self, values: &[T]) -> Vec<T> {
        self.turn(values, |[inputs, taps]| [taps, inputs])
    }

    fn turn<T: Copy>(&self, values: &[T], extents: impl Fn([usize; 2]) -> [usize; 2]) -> Vec<T> {
        let Some(turned) = self.turned else { return values.to_vec() };
        let [rows, columns] = extents(turned);
        let mut found = Vec::with_capacity(values.len());
        for filter in values.chunks_exact(rows * columns) {
            found.extend((0..columns).flat_map(|column| (0..rows).map(move |row| filter[row * columns + column])));
        }
        found
    }
}

impl Plan {
    /// Plans the work of `shares` GPUs.
    pub(super) fn new(
        program: Arc<Program>,
        survey: &Survey,
        setup: &Setup,
        layout: Layout,
        policy: Policy,
        shares: usize,
    ) -> Self {
        let filters = program.steps.iter().filter_map(|step| match step.work {
            Work::Conv { geometry, weight, .. } => {
                Some((weight, [geometry.inputs / geometry.groups, geometry.kernel[0] * geometry.kernel[1]]))
            }
            _ => None,
        });
        let mut turned = vec![None; survey.parameters.len()];
        filters.filter(|(_, [_, taps])| *taps > 1).for_each(|(weight, extents)| turned[weight] = Some(extents));
        let mut numbers = 0;
        let places = survey.parameters.iter().zip(turned).map(|(entry, turned)| {
            let count = if entry.role == Role::BatchCount { 0 } else { entry.elements() };
            let first = numbers;
            numbers += count.next_multiple_of(ALIGNMENT);
            Place { first, count, turned }
        });
        let places = places.collect();
        let Layout { slots, sizes, segments } = layout;
        Self {
            program,
            slots,
            sizes,
            segments,
            places,
            numbers,
            train: setup.mode == Mode::Train,
            frozen: setup.frozen,
            differentiate_input: setup.differentiate_input,
            policy,
            batch: setup.batch.max(1).div_ceil(shares),
            shares,
        }
    }

    /// How activations are stored.
    pub(super) fn format(&self) -> Format {
        match self.policy.precision {
            Precision::Float32 | Precision::Tf32 => Format::Float32,
            Precision::Bf16 => Format::Bfloat16,
        }
    }

    /// Numbers of a value or gradient, for one image.
    pub(super) fn size(&self, value: usize) -> usize {
        self.program.shapes[value % self.program.shapes.len()].values()
    }

    /// Number of the gradient of a value.
    pub(super) fn gradient(&self, value: usize) -> usize {
        self.program.shapes.len() + value
    }

    /// Numbers per image that pass between host and GPU at a time, at most.
    pub(super) fn passing(&self) -> usize {
        let program = &self.program;
        let seen = program.observed.values().copied().chain([0, program.output]);
        seen.map(|value| self.size(value)).max().unwrap_or(0)
    }

    /// Rows and channels of a value, for `n` images.
    pub(super) fn rows(&self, value: usize, n: usize) -> Rows {
        let shape = self.program.shapes[value];
        Rows { rows: n * shape.height * shape.width, channels: shape.channels }
    }

    /// Bytes of partial sums, at most.
    pub(super) fn scratch_bytes(&self) -> usize {
        let sums = self.program.steps.iter().map(|step| 2 * self.rows(step.y, self.batch).partial_bytes());
        let largest = self.places.iter().map(|place| 2 * place.count).max().unwrap_or(0);
        sums.max().unwrap_or(0).max(largest)
    }

    /// Bytes of a GPU that the work takes with `batch` images on it.
    pub(super) fn bytes(&self, batch: usize) -> u64 {
        let copies = if self.format() == Format::Bfloat16 { 2 } else { 0 };
        let per_number = if self.train { 4 * 4 + 1 } else { 4 * 2 } + copies;
        let fixed = OVERHEAD + MOST_WORKSPACE + self.numbers * per_number;
        let per_image = self.sizes.iter().sum::<usize>() * self.format().bytes() + self.passing() * 4;
        fixed as u64 + batch as u64 * per_image as u64
    }

    /// Says how many images would fit.
    pub(super) fn shortage(&self, free: u64) -> DeviceError {
        let per_image = self.bytes(1) - self.bytes(0);
        let batch = self.batch * self.shares;
        let fits = free.saturating_sub(self.bytes(0)) / per_image.max(1) * self.shares as u64;
        let fits = usize::try_from(fits).unwrap_or(usize::MAX).min(batch - 1);
        DeviceError::OutOfMemory { needed: self.bytes(self.batch), free, batch, fits: (fits > 0).then_some(fits) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_turned_and_turned_back() {
        let place = Place { first: 0, count: 12, turned: Some([2, 3]) };
        let filters: Vec<u8> = (0..12).collect();
        let turned = place.inwards(&filters);
        assert_eq!(turned, [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11]);
        assert_eq!(place.outwards(&turned), filters);
    }
}

//! Convolutions: forward, data gradient, weight gradient, for any filter, stride, border, dilation and groups.
//!
//! Images are copied a few at a time into a buffer with their border, so that the inner loops know no edges. The data
//! gradient is a convolution of the spread-out gradients with the mirrored filter. A fully connected layer is a 1×1
//! convolution of 1×1 images.

use std::cell::RefCell;

use super::Threads;
use super::micro::{Pixels, Start, correlate, lanes, multiply};

/// Sizes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::nn) struct Geometry {
    /// Input channels.
    pub inputs: usize,
    /// Input height and width.
    pub size: [usize; 2],
    /// Output channels.
    pub outputs: usize,
    /// Filter height and width.
    pub kernel: [usize; 2],
    /// Step.
    pub stride: usize,
    /// Border of zeros.
    pub pad: usize,
    /// Distance between taps.
    pub dilation: usize,
    /// Groups of channels.
    pub groups: usize,
}

impl Geometry {
    /// Returns the height and width of the output.
    pub(in crate::nn) fn output(&self) -> [usize; 2] {
        std::array::from_fn(|axis| {
            (self.size[axis] + 2 * self.pad - self.dilation * (self.kernel[axis] - 1) - 1) / self.stride + 1
        })
    }

    fn weights(&self) -> usize {
        self.outputs * self.inputs / self.groups * self.kernel[0] * self.kernel[1]
    }
}

/// A convolution with its tables, ready to run on any number of images.
pub(in crate::nn) struct Conv {
    geometry: Geometry,
    forward: Stencil,
    backward: Option<Stencil>,
    packed: Vec<f32>,
    gradient: Vec<f32>,
}

/// How a window slides over bordered images, for a few images at a time.
struct Stencil {
    /// Height and width of an image before its border.
    size: [usize; 2],
    channels: usize,
    groups: usize,
    /// Height and width of the bordered image.
    bordered: [usize; 2],
    /// Row and column of the first value in the bordered image; negative values are cut off.
    origin: [isize; 2],
    /// Distance of values in the bordered image.
    spread: usize,
    /// Images that are worked on together.
    images: usize,
    /// Places the window takes on one image.
    places: usize,
    bases: Vec<u32>,
    runs: Vec<u32>,
    run: usize,
}

/// Floats of bordered images that are worked on together: they stay in the second-level cache.
const CHUNK: usize = 24 * 1024;
/// Pixels whose products are summed before they are added to a weight gradient.
const BLOCK: usize = 256;

impl Stencil {
    #[expect(clippy::too_many_arguments, reason = "each is one independent size of a sliding window")]
    fn new(
        size: [usize; 2],
        channels: usize,
        groups: usize,
        bordered: [usize; 2],
        origin: [isize; 2],
        spread: usize,
        window: ([usize; 2], usize),
        steps: ([usize; 2], usize),
    ) -> Self {
        let (kernel, dilation) = window;
        let (output, stride) = steps;
        let image = bordered[0] * bordered[1] * channels;
        let images = (CHUNK / image.max(1)).clamp(1, 32);
        let row = bordered[1] * channels;
        let mut bases = Vec::with_capacity(images * output[0] * output[1]);
        for at in 0..images {
            for y in 0..output[0] {
                let start = at * image + y * stride * row;
                bases.extend((0..output[1]).map(|x| (start + x * stride * channels) as u32));
            }
        }
        let joined = dilation == 1 && groups == 1;
        let (run, columns) = if joined { (kernel[1] * channels, 1) } else { (channels / groups, kernel[1]) };
        let tap = |i: usize, j: usize| (i * dilation * row + j * dilation * channels) as u32;
        let runs = (0..kernel[0]).flat_map(|i| (0..columns).map(move |j| tap(i, j))).collect();
        Self {
            size,
            channels,
            groups,
            bordered,
            origin,
            spread,
            images,
            places: output[0] * output[1],
            bases,
            runs,
            run,
        }
    }

    fn image(&self) -> usize {
        self.bordered[0] * self.bordered[1] * self.channels
    }

    fn source(&self) -> usize {
        self.size[0] * self.size[1] * self.channels
    }

    fn plain(&self) -> bool {
        self.bordered == self.size && self.origin == [0, 0] && self.spread == 1
    }

    /// Copies an image into its place inside the border.
    fn place(&self, from: &[f32], to: &mut [f32]) {
        to.fill(0.0);
        let (c, spread) = (self.channels, self.spread as isize);
        let inside = |axis: usize| {
            let (origin, end) = (self.origin[axis], self.bordered[axis] as isize);
            let first = if origin < 0 { (-origin + spread - 1) / spread } else { 0 };
            let last = ((end - origin + spread - 1) / spread).clamp(0, self.size[axis] as isize);
            (first.min(last) as usize, last as usize)
        };
        let ((top, bottom), (left, right)) = (inside(0), inside(1));
        for y in top..bottom {
            let row = (self.origin[0] + y as isize * spread) as usize * self.bordered[1];
            let start = (row as isize + self.origin[1] + left as isize * spread) as usize * c;
            let from = &from[(y * self.size[1] + left) * c..(y * self.size[1] + right) * c];
            if self.spread == 1 {
                to[start..start + from.len()].copy_from_slice(from);
            } else {
                for (pixel, to) in from.chunks_exact(c).zip(to[start..].chunks_mut(c * self.spread)) {
                    to[..c].copy_from_slice(pixel);
                }
            }
        }
    }

    /// Calls `work` with the bordered form of `count` images.
    fn with_bordered<R>(&self, from: &[f32], count: usize, work: impl FnOnce(&[f32]) -> R) -> R {
        if self.plain() {
            return work(from);
        }
        with_scratch(count * self.image(), |buffer| {
            for (from, to) in from.chunks_exact(self.source()).zip(buffer.chunks_exact_mut(self.image())).take(count) {
                self.place(from, to);
            }
            work(buffer)
        })
    }

    /// Multiplies `n` images with packed weights into `y`, `outputs` channels per place.
    #[expect(clippy::too_many_arguments, reason = "operands and their sizes")]
    fn multiply(
        &self,
        threads: &Threads,
        n: usize,
        x: &[f32],
        w: &[f32],
        outputs: usize,
        start: Start<'_>,
        y: &mut [f32],
    ) {
        let group = outputs / self.groups;
        let weights = w.len() / self.groups;
        let bias = match start {
            Start::Bias(bias) => Some(bias),
            Start::Zero | Start::Existing => None,
        };
        threads.pieces(&mut y[..n * self.places * outputs], self.images * self.places * outputs, |piece, y| {
            let first = piece * self.images;
            let count = (n - first).min(self.images);
            let x = &x[first * self.source()..(first + count) * self.source()];
            self.with_bordered(x, count, |x| {
                let bases = &self.bases[..count * self.places];
                for at in 0..self.groups {
                    let x = &x[at * (self.channels / self.groups)..];
                    let pixels = Pixels { x, bases, runs: &self.runs, run: self.run };
                    let w = &w[at * weights..(at + 1) * weights];
                    let padded;
                    let start = match bias {
                        Some(bias) => {
                            padded = padded_bias(&bias[at * group..(at + 1) * group]);
                            Start::Bias(&padded)
                        }
                        None => start,
                    };
                    multiply(&pixels, w, start, &mut y[at * group..], outputs, group);
                }
            });
        });
    }
}

fn padded_bias(bias: &[f32]) -> Vec<f32> {
    let mut padded = bias.to_vec();
    padded.resize(bias.len().next_multiple_of(lanes(bias.len())), 0.0);
    padded
}

fn with_scratch<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    thread_local! {
        static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    }
    SCRATCH.with(|scratch| {
        let mut scratch = scratch.borrow_mut();
        if scratch.len() < len {
            scratch.resize(len, 0.0);
        }
        work(&mut scratch[..len])
    })
}

impl Conv {
    /// Prepares a convolution; `differentiate` adds what the data gradient needs.
    pub(in crate::nn) fn new(geometry: Geometry, differentiate: bool) -> Self {
        let g = geometry;
        let output = g.output();
        let window = (g.kernel, g.dilation);
        let bordered = g.size.map(|extent| extent + 2 * g.pad);
        let origin = [g.pad as isize; 2];
        let forward = Stencil::new(g.size, g.inputs, g.groups, bordered, origin, 1, window, (output, g.stride));
        let backward = differentiate.then(|| {
            let reach = g.kernel.map(|kernel| g.dilation * (kernel - 1));
            let bordered = [g.size[0] + reach[0], g.size[1] + reach[1]];
            let origin = reach.map(|reach| reach as isize - g.pad as isize);
            Stencil::new(output, g.outputs, g.groups, bordered, origin, g.stride, window, (g.size, 1))
        });
        Self { geometry, forward, backward, packed: Vec::new(), gradient: Vec::new() }
    }

    /// y = w ∗ x + bias for `n` images; `w` is `[out, in / groups, height, width]`.
    pub(in crate::nn) fn forward(
        &mut self,
        threads: &Threads,
        n: usize,
        x: &[f32],
        w: &[f32],
        bias: Option<&[f32]>,
        y: &mut [f32],
    ) {
        self.pack(w, false);
        let start = bias.map_or(Start::Zero, Start::Bias);
        self.forward.multiply(threads, n, x, &self.packed, self.geometry.outputs, start, y);
    }

    /// dx = (or +=, if `add`) the gradient of the input.
    pub(in crate::nn) fn input_gradient(
        &mut self,
        threads: &Threads,
        n: usize,
        dy: &[f32],
        w: &[f32],
        add: bool,
        dx: &mut [f32],
    ) {
        self.pack(w, true);
        let start = if add { Start::Existing } else { Start::Zero };
        if let Some(backward) = &self.backward {
            backward.multiply(threads, n, dy, &self.packed, self.geometry.inputs, start, dx);
        }
    }

    /// dw = the gradient of the weights, summed over `n` images in order.
    pub(in crate::nn) fn weight_gradient(
        &mut self,
        threads: &Threads,
        n: usize,
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
    ) {
        let (g, stencil) = (self.geometry, &self.forward);
        let group = g.outputs / g.groups;
        let (width, blocks) = (lanes(group), group.div_ceil(lanes(group)));
        let (runs, piece) = (stencil.runs.len(), stencil.run * width);
        self.gradient.clear();
        self.gradient.resize(g.groups * blocks * runs * piece, 0.0);
        let inputs = g.inputs / g.groups;
        for first in (0..n).step_by(stencil.images) {
            let count = (n - first).min(stencil.images);
            let x = &x[first * stencil.source()..(first + count) * stencil.source()];
            let dy = &dy[first * stencil.places * g.outputs..];
            let gradient = &mut self.gradient;
            stencil.with_bordered(x, count, |x| {
                threads.pieces(gradient, piece, |task, dw| {
                    let (run, block, at) = (task % runs, task / runs % blocks, task / runs / blocks);
                    let x = &x[at * inputs..];
                    let dy = &dy[at * group + block * width..];
                    for (i, bases) in stencil.bases[..count * stencil.places].chunks(BLOCK).enumerate() {
                        let pixels = Pixels { x, bases, runs: &stencil.runs, run: stencil.run };
                        correlate(&pixels, run, &dy[i * BLOCK * g.outputs..], g.outputs, width, dw);
                    }
                });
            });
        }
        let taps = g.kernel[0] * g.kernel[1];
        let gradient = &self.gradient;
        threads.pieces(&mut dw[..g.weights()], inputs * taps, |output, dw| {
            let (at, channel) = (output / group, output % group);
            let start = (at * blocks + channel / width) * runs * piece + channel % width;
            for (i, dw) in dw.iter_mut().enumerate() {
                let (input, tap) = (i / taps, i % taps);
                *dw = gradient[start + (tap * inputs + input) * width];
            }
        });
    }

    /// Brings weights into the order in which the inner loop reads them; mirrored for the data gradient.
    fn pack(&mut self, w: &[f32], mirrored: bool) {
        let g = self.geometry;
        let taps = g.kernel[0] * g.kernel[1];
        let (outputs, inputs) = (g.outputs / g.groups, g.inputs / g.groups);
        let (to, from) = if mirrored { (inputs, outputs) } else { (outputs, inputs) };
        let width = lanes(to);
        let block = from * taps * width;
        self.packed.clear();
        self.packed.resize(g.groups * to.div_ceil(width) * block, 0.0);
        for (at, packed) in self.packed.chunks_exact_mut(to.div_ceil(width) * block).enumerate() {
            let w = &w[at * outputs * inputs * taps..];
            for (first, packed) in packed.chunks_exact_mut(block).enumerate() {
                let inside = (to - first * width).min(width);
                for (place, row) in packed.chunks_exact_mut(width).enumerate() {
                    let (tap, source) = (place / from, place % from);
                    for (lane, value) in row[..inside].iter_mut().enumerate() {
                        let target = first * width + lane;
                        *value = if mirrored {
                            w[(source * inputs + target) * taps + taps - 1 - tap]
                        } else {
                            w[(target * inputs + source) * taps + tap]
                        };
                    }
                }
            }
        }
    }
}

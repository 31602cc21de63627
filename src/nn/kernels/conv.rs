//! Convolutions: forward, data gradient, weight gradient, for any filter, stride, border, dilation and groups.
//!
//! Every pass multiplies rows with panels of weights ([`super::micro`]). A row is what the window sees at one place
//! ([`super::gather`]); where that lies in the image as it is (1×1 filters), nothing is copied. The data gradient is a
//! convolution of the gradients with the mirrored filter, one for each phase of the stride. 3×3 filters of stride 1 take
//! the shorter way of [`super::winograd`]. A fully connected layer is a 1×1 convolution of 1×1 images.

use super::gather::Window;
use super::micro::{Rows, TILE, Target, correlate, multiply, panel};
use super::norm::Moments;
use super::sparse::Sparse;
use super::transpose::{Extent, transpose};
use super::winograd::Winograd;
use super::{DEPTH, PANELS, Shared, TASKS, Threads, clear, finish, grow, with_scratch};

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

    /// Whether the sparse way promises less work than the dense one, where `kept` weights are not 0.
    pub(in crate::nn) fn is_better_sparse(&self, kept: usize) -> bool {
        let products = (self.inputs * self.taps() * self.outputs) as f64 / 16.0;
        let dense = if Winograd::suits(self) {
            1.1 * products * 16.0 / 36.0 + (self.inputs + self.outputs) as f64
        } else {
            1.1 * products
        };
        self.groups == 1 && self.outputs >= 16 && Sparse::work(self, kept) < dense
    }

    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }
}

/// What is done to outputs while they are still near.
#[derive(Default)]
pub(in crate::nn) struct Finish<'a> {
    /// A constant per channel, added.
    pub bias: Option<&'a [f32]>,
    /// A value of the same shape, added.
    pub other: Option<&'a [f32]>,
    /// Whether negative outputs become 0.
    pub rectify: bool,
    /// Takes the moments of every channel.
    pub moments: Option<&'a mut Moments>,
}

/// Memory that convolutions of one network use one after the other.
#[derive(Default)]
pub(in crate::nn) struct Workspace {
    packed: Vec<f32>,
    sums: Vec<f32>,
}

impl Workspace {
    /// Returns the numbers that it has room for.
    pub(in crate::nn) fn room(&self) -> usize {
        self.packed.capacity() + self.sums.capacity()
    }
}

/// Numbers that a convolution needs beside its operands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::nn) struct Needs {
    /// Weights as the forward pass reads them.
    pub packed: usize,
    /// Weights as the gradient of the input reads them.
    pub swapped: usize,
    /// Partial sums of the gradient of the weights.
    pub sums: usize,
    /// Partial moments of the output.
    pub moments: usize,
}

/// A convolution with its tables, ready to run on any number of images.
pub(in crate::nn) struct Conv {
    geometry: Geometry,
    forward: Phase,
    backward: Vec<Phase>,
    winograd: Option<Winograd>,
    sparse: Option<Sparse>,
    /// Weights as the forward pass reads them, where they stay for many passes.
    packed: Vec<f32>,
    /// Whether `packed` or `sparse` holds the weights as they are.
    fresh: bool,
    /// Whether weights stay.
    keeps_weights: bool,
}

/// A window and the places that its products go to.
pub(super) struct Phase {
    window: Window,
    /// Taps of the filter in the order of the window's rows.
    taps: Vec<usize>,
    /// Height and width of the images that are written.
    size: [usize; 2],
    /// First place written, and the distance of places.
    origin: [usize; 2],
    step: usize,
    /// Width of the grid of places.
    width: usize,
}

/// Distance of copied rows: not a multiple of a page, so that rows do not fight for the same place in the cache.
const STRIDE: usize = DEPTH + 16;
/// Channels from which on rows are copied although they lie ready, for the same reason.
const CROWDED: usize = 512;
/// Rows that are worked on together.
const BLOCK: usize = 8 * TILE;

impl Phase {
    /// Returns what slides.
    pub(super) fn window(&self) -> &Window {
        &self.window
    }

    /// Places on `n` images.
    pub(super) fn places(&self, n: usize) -> usize {
        n * self.window.places()
    }

    /// Rows per block.
    fn block(&self, n: usize) -> usize {
        self.places(n).div_ceil(TASKS).next_multiple_of(TILE).clamp(TILE, BLOCK)
    }

    /// Lists the offsets of the outputs of some places, `channels` values per pixel.
    pub(super) fn offsets(&self, first: usize, count: usize, channels: usize) -> Vec<usize> {
        let each = self.window.places();
        let pixels = self.size[0] * self.size[1];
        (first..first + count)
            .map(|place| {
                let (image, at) = (place / each, place % each);
                let y = self.origin[0] + at / self.width * self.step;
                let x = self.origin[1] + at % self.width * self.step;
                (image * pixels + y * self.size[1] + x) * channels
            })
            .collect()
    }

    /// Calls `work` with values `from..to` of the rows of some places.
    fn with_rows<R>(
        &self,
        x: &[f32],
        channels: usize,
        channel: usize,
        (first, count): (usize, usize),
        (from, to): (usize, usize),
        work: impl FnOnce(&Rows<'_>) -> R,
    ) -> R {
        let depth = to - from;
        if self.window.is_plain() && channels < CROWDED {
            let values = &x[first * channels + channel + from..];
            return work(&Rows { values, stride: channels, count, depth });
        }
        with_scratch(count * STRIDE, |scratch| {
            self.window.fill(x, channel, (first, count), (from, to), (scratch, STRIDE));
            work(&Rows { values: scratch, stride: STRIDE, count, depth })
        })
    }
}

impl Conv {
    /// Prepares a convolution; `differentiate` adds what the data gradient needs.
    pub(in crate::nn) fn new(geometry: Geometry, differentiate: bool) -> Self {
        let g = geometry;
        let output = g.output();
        let winograd = Winograd::suits(&g).then(|| Winograd::new(&g));
        let forward = forward_phase(&g, output);
        let backward = if differentiate { backward_phases(&g, output) } else { Vec::new() };
        Self {
            geometry,
            forward,
            backward,
            winograd,
            sparse: None,
            packed: Vec::new(),
            fresh: false,
            keeps_weights: false,
        }
    }

    /// Returns what passes over `n` images need, the dense way.
    pub(in crate::nn) fn needs(&self, n: usize) -> Needs {
        let g = &self.geometry;
        if let Some(winograd) = &self.winograd {
            let [packed, swapped] = [false, true].map(|swapped| winograd.packed(swapped));
            return Needs { packed, swapped, sums: winograd.sums(n), moments: winograd.moments(n) };
        }
        let backward = self.backward.iter().map(|phase| packed(g, phase.taps.len(), true)).max();
        let (parts, size, _) = self.sums(n);
        Needs {
            packed: packed(g, g.taps(), false),
            swapped: backward.unwrap_or(0),
            sums: parts * size,
            moments: self.forward.places(n).div_ceil(self.forward.block(n)) * 2 * g.outputs,
        }
    }

    /// Returns the number of weights that are packed now.
    pub(in crate::nn) fn packed_len(&self) -> usize {
        self.packed.len()
    }

    /// Returns the parts that the gradient of the weights is summed in, the numbers of each, and the tasks of each.
    fn sums(&self, n: usize) -> (usize, usize, usize) {
        let (g, phase) = (self.geometry, &self.forward);
        let width = panel(g.outputs / g.groups);
        let panels = (g.outputs / g.groups).div_ceil(width);
        let depth = phase.window.depth();
        let tasks = g.groups * depth.div_ceil(DEPTH) * panels.div_ceil(PANELS);
        let blocks = phase.places(n).div_ceil(BLOCK);
        let parts = (TASKS / tasks).clamp(1, blocks.div_ceil(4).max(1));
        (parts, g.groups * panels * depth * width, tasks)
    }

    /// Says that the weights of the next pass are others than before.
    pub(in crate::nn) fn forget(&mut self) {
        self.fresh = false;
    }

    /// Prepares for many passes with the same weights: they are packed once, and go the sparse way where that is less
    /// work (it takes time to list them).
    pub(in crate::nn) fn keep_weights(&mut self) {
        self.keeps_weights = true;
    }

    /// Whether the last forward pass went the sparse way.
    pub(in crate::nn) fn is_sparse(&self) -> bool {
        self.sparse.is_some()
    }

    /// Lists the weights that are not 0, if that promises less work than the dense way. The choice depends on the weights
    /// alone, never on the clock: the same weights give the same bits.
    fn thin_out(&self, w: &[f32]) -> Option<Sparse> {
        let kept = w.iter().filter(|weight| **weight != 0.0).count();
        self.geometry.is_better_sparse(kept).then(|| Sparse::new(&self.geometry, w))
    }

    /// Whether the weights of the last forward pass are still at hand: the next one does not look at its own.
    pub(in crate::nn) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// y = w ∗ x for `n` images, finished; `w` is `[out, in / groups, height, width]`.
    #[expect(clippy::too_many_arguments, reason = "operands, their number and where to work")]
    pub(in crate::nn) fn forward(
        &mut self,
        threads: &Threads,
        n: usize,
        x: &[f32],
        w: &[f32],
        finish: Finish<'_>,
        workspace: &mut Workspace,
        y: &mut [f32],
    ) {
        let g = self.geometry;
        if !self.fresh && self.keeps_weights {
            self.sparse = self.thin_out(w);
        }
        let packed = if self.keeps_weights { &mut self.packed } else { &mut workspace.packed };
        if let Some(sparse) = &self.sparse {
            sparse.forward(threads, n, &self.forward, x, &finish, y);
        } else if let Some(winograd) = &self.winograd {
            if !self.fresh {
                winograd.pack(threads, w, false, packed);
            }
            winograd.forward(threads, n, x, packed, finish, y);
        } else {
            if !self.fresh {
                pack(threads, &g, &self.forward.taps, false, w, packed);
            }
            let channels = [g.inputs, g.outputs];
            product(threads, n, &self.forward, g.groups, channels, x, packed, false, finish, y);
        }
        self.fresh = self.keeps_weights;
    }

    /// dx = (or +=, if `add`) the gradient of the input.
    #[expect(clippy::too_many_arguments, reason = "operands, their number and where to work")]
    pub(in crate::nn) fn input_gradient(
        &self,
        threads: &Threads,
        n: usize,
        dy: &[f32],
        w: &[f32],
        add: bool,
        workspace: &mut Workspace,
        dx: &mut [f32],
    ) {
        let (g, packed) = (self.geometry, &mut workspace.packed);
        if let Some(winograd) = &self.winograd {
            winograd.pack(threads, w, true, packed);
            winograd.input_gradient(threads, n, dy, packed, add, dx);
            return;
        }
        if !add && self.backward.iter().any(|phase| phase.taps.is_empty()) {
            threads.pieces(dx, 1 << 16, |_, dx| dx.fill(0.0));
        }
        for phase in self.backward.iter().filter(|phase| !phase.taps.is_empty()) {
            pack(threads, &g, &phase.taps, true, w, packed);
            let channels = [g.outputs, g.inputs];
            product(threads, n, phase, g.groups, channels, dy, packed, add, Finish::default(), dx);
        }
    }

    /// dw = the gradient of the weights, summed over `n` images in a fixed order.
    pub(in crate::nn) fn weight_gradient(
        &self,
        threads: &Threads,
        n: usize,
        x: &[f32],
        dy: &[f32],
        workspace: &mut Workspace,
        dw: &mut [f32],
    ) {
        let all = &mut workspace.sums;
        if let Some(winograd) = &self.winograd {
            winograd.weight_gradient(threads, n, x, dy, all, dw);
            return;
        }
        let (g, phase) = (self.geometry, &self.forward);
        let outputs = g.outputs / g.groups;
        let width = panel(outputs);
        let panels = outputs.div_ceil(width);
        let depth = phase.window.depth();
        let (chunks, bundles) = (depth.div_ceil(DEPTH), panels.div_ceil(PANELS));
        let blocks = phase.places(n).div_ceil(BLOCK);
        let (parts, size, tasks) = self.sums(n);
        clear(all, parts * size);
        let sums = Shared(all.as_mut_ptr());
        threads.each(parts * tasks, |task| {
            let (part, task) = (task / tasks, task % tasks);
            let (group, chunk, bundle) = (task / bundles / chunks, task / bundles % chunks, task % bundles);
            let (from, to) = (chunk * DEPTH, depth.min((chunk + 1) * DEPTH));
            let mine = bundle * PANELS..panels.min((bundle + 1) * PANELS);
            let mut gradients = vec![0.0; BLOCK * width];
            for block in part * blocks / parts..(part + 1) * blocks / parts {
                let first = block * BLOCK;
                let count = BLOCK.min(phase.places(n) - first);
                let channel = group * (g.inputs / g.groups);
                phase.with_rows(x, g.inputs, channel, (first, count), (from, to), |rows| {
                    for panel in mine.clone() {
                        let inside = width.min(outputs - panel * width);
                        let dy = &dy[first * g.outputs + group * outputs + panel * width..];
                        copy_panel(dy, g.outputs, inside, &mut gradients[..count * width], width);
                        let at = ((part * g.groups + group) * panels + panel) * depth + from;
                        // SAFETY: every task has its own part, group, panels and inputs.
                        let sums = unsafe { sums.part(at * width, (to - from) * width) };
                        correlate(rows, &gradients, width, sums);
                    }
                });
            }
        });
        let (inputs, taps) = (g.inputs / g.groups, g.taps());
        let sums = &*all;
        let target = Shared(dw.as_mut_ptr());
        threads.each(g.groups * panels, |task| {
            let (group, panel) = (task / panels, task % panels);
            let inside = width.min(outputs - panel * width);
            let first = group * outputs + panel * width;
            // SAFETY: every task has its own outputs.
            let dw = unsafe { target.part(first * inputs * taps, inside * inputs * taps) };
            if taps == 1 && parts == 1 {
                let extent = Extent { rows: depth, columns: inside, stride: width };
                transpose(&sums[task * depth * width..], extent, dw, inputs);
                return;
            }
            // A few places at a time, so that what is read and what is written stay near.
            let mut near = [[0.0f32; 32]; 16];
            for start in (0..depth).step_by(16) {
                let end = depth.min(start + 16);
                for (place, row) in (start..end).zip(&mut near) {
                    let at = (task * depth + place) * width;
                    row[..width].copy_from_slice(&sums[at..at + width]);
                    for part in 1..parts {
                        let more = &sums[part * size + at..][..width];
                        row.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
                    }
                }
                for lane in 0..inside {
                    for (place, row) in (start..end).zip(&near) {
                        let (tap, input) = (place / inputs, place % inputs);
                        dw[(lane * inputs + input) * taps + tap] = row[lane];
                    }
                }
            }
        });
    }
}

/// Outputs of all places of a phase: `channels` are those of `x` and of `y`.
#[expect(clippy::too_many_arguments, reason = "operands and their sizes")]
fn product(
    threads: &Threads,
    n: usize,
    phase: &Phase,
    groups: usize,
    channels: [usize; 2],
    x: &[f32],
    weights: &[f32],
    add: bool,
    mut finish: Finish<'_>,
    y: &mut [f32],
) {
    let outputs = channels[1] / groups;
    let width = panel(outputs);
    let panels = outputs.div_ceil(width);
    let depth = phase.window.depth();
    let block = phase.block(n);
    let blocks = phase.places(n).div_ceil(block);
    let bundle = if blocks >= TASKS { panels } else { PANELS };
    let bundles = panels.div_ceil(bundle);
    let moments = finish.moments.take().map(|moments| moments.begin(channels[1], block, phase.places(n)));
    assert!(y.len() >= n * phase.size[0] * phase.size[1] * channels[1], "outputs fit");
    let y = Shared(y.as_mut_ptr());
    threads.each(blocks * groups * bundles, |task| {
        let (nth, group, part) = (task / bundles / groups, task / bundles % groups, task % bundles);
        let first = nth * block;
        let count = block.min(phase.places(n) - first);
        let mine = part * bundle..panels.min((part + 1) * bundle);
        let places = phase.offsets(first, count, channels[1]);
        for from in (0..depth).step_by(DEPTH) {
            let to = depth.min(from + DEPTH);
            phase.with_rows(x, channels[0], group * (channels[0] / groups), (first, count), (from, to), |rows| {
                for panel in mine.clone() {
                    let weights = &weights[((group * panels + panel) * depth + from) * width..];
                    let target = Target {
                        values: y.at(group * outputs + panel * width),
                        places: &places,
                        channels: width.min(outputs - panel * width),
                        add: add || from > 0,
                    };
                    // SAFETY: every task has its own places and channels.
                    unsafe { multiply(rows, weights, width, &target) };
                }
            });
        }
        let channel = group * outputs + mine.start * width;
        let end = group * outputs + outputs.min(mine.end * width);
        // SAFETY: as above; the products are complete.
        unsafe { finish::block(&finish, moments, nth, y, &places, channel..end) };
    });
}

fn forward_phase(g: &Geometry, output: [usize; 2]) -> Phase {
    let reach = |at: usize| (at * g.dilation) as isize - g.pad as isize;
    let taps: Vec<[isize; 2]> =
        (0..g.kernel[0]).flat_map(|i| (0..g.kernel[1]).map(move |j| [reach(i), reach(j)])).collect();
    let channels = [g.inputs, g.inputs / g.groups];
    Phase {
        window: Window::new(g.size, channels, output, g.stride, &taps),
        taps: (0..g.taps()).collect(),
        size: output,
        origin: [0, 0],
        step: 1,
        width: output[1],
    }
}

/// One phase for each remainder of a pixel's place by the stride: the taps that reach it are the same for all its places.
fn backward_phases(g: &Geometry, output: [usize; 2]) -> Vec<Phase> {
    let stride = g.stride as isize;
    // Offset in the gradients and index of each tap along an axis, from the last tap to the first: offsets rise.
    let along = |axis: usize, phase: usize| -> Vec<(isize, usize)> {
        let reach = |at: usize| (phase + g.pad) as isize - (at * g.dilation) as isize;
        let taps = (0..g.kernel[axis]).rev().filter(|at| reach(*at).rem_euclid(stride) == 0);
        taps.map(|at| (reach(at).div_euclid(stride), at)).collect()
    };
    let phases = (0..g.stride).flat_map(|y| (0..g.stride).map(move |x| [y, x]));
    phases
        .filter(|origin| origin[0] < g.size[0] && origin[1] < g.size[1])
        .map(|origin| {
            let (rows, columns) = (along(0, origin[0]), along(1, origin[1]));
            let pairs = || rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)));
            let taps: Vec<[isize; 2]> = pairs().map(|(row, column)| [row.0, column.0]).collect();
            let places: [usize; 2] = std::array::from_fn(|axis| (g.size[axis] - origin[axis]).div_ceil(g.stride));
            Phase {
                window: Window::new(output, [g.outputs, g.outputs / g.groups], places, 1, &taps),
                taps: pairs().map(|(row, column)| row.1 * g.kernel[1] + column.1).collect(),
                size: g.size,
                origin,
                step: g.stride,
                width: places[1],
            }
        })
        .collect()
}

/// Numbers of packed weights, for some taps.
fn packed(g: &Geometry, taps: usize, swapped: bool) -> usize {
    let (outputs, inputs) = (g.outputs / g.groups, g.inputs / g.groups);
    let (targets, sources) = if swapped { (inputs, outputs) } else { (outputs, inputs) };
    let width = panel(targets);
    g.groups * targets.div_ceil(width) * taps * sources * width
}

/// Brings weights into the order in which the inner loop reads them, `[group][panel][tap][source channel][lane]`;
/// for the data gradient sources and targets change places.
fn pack(threads: &Threads, g: &Geometry, taps: &[usize], swapped: bool, w: &[f32], packed: &mut Vec<f32>) {
    let (outputs, inputs, all) = (g.outputs / g.groups, g.inputs / g.groups, g.taps());
    let (targets, sources) = if swapped { (inputs, outputs) } else { (outputs, inputs) };
    let width = panel(targets);
    let panels = targets.div_ceil(width);
    let size = taps.len() * sources * width;
    let count = self::packed(g, taps.len(), swapped);
    grow(packed, count);
    threads.pieces(&mut packed[..count], size, |nth, packed| {
        let (group, first) = (nth / panels, nth % panels * width);
        let inside = width.min(targets - first);
        let w = &w[group * outputs * inputs * all..][..outputs * inputs * all];
        for (tap, rows) in taps.iter().zip(packed.chunks_exact_mut(sources * width)) {
            let at = |target: usize, source: usize| {
                let (output, input) = if swapped { (source, target) } else { (target, source) };
                (output * inputs + input) * all + tap
            };
            if swapped && all == 1 {
                copy_panel(&w[first..], inputs, inside, rows, width);
                continue;
            }
            if all == 1 {
                let extent = Extent { rows: inside, columns: sources, stride: sources };
                transpose(&w[first * sources..], extent, rows, width);
                continue;
            }
            // A few sources at a time, so that what is read and what is written stay near.
            let mut near = [[0.0f32; 32]; 16];
            for start in (0..sources).step_by(16) {
                let count = (sources - start).min(16);
                let step = if swapped { inputs * all } else { all };
                for lane in 0..inside {
                    let from = &w[at(first + lane, start)..];
                    for (row, value) in near[..count].iter_mut().zip(from.iter().step_by(step)) {
                        row[lane] = *value;
                    }
                }
                for (row, near) in rows[start * width..].chunks_exact_mut(width).zip(&near[..count]) {
                    row.copy_from_slice(&near[..width]);
                }
            }
        }
    });
}

/// Copies the first `inside` values of rows that lie `stride` apart into rows of one panel's width.
fn copy_panel(from: &[f32], stride: usize, inside: usize, to: &mut [f32], width: usize) {
    fn whole<const W: usize>(from: &[f32], stride: usize, to: &mut [f32]) {
        for (nth, to) in to.as_chunks_mut::<W>().0.iter_mut().enumerate() {
            if let Some(row) = from[nth * stride..].first_chunk::<W>() {
                *to = *row;
            }
        }
    }
    match (inside, width) {
        (32, 32) => whole::<32>(from, stride, to),
        (16, 16) => whole::<16>(from, stride, to),
        (8, 8) => whole::<8>(from, stride, to),
        _ => {
            for (nth, to) in to.chunks_exact_mut(width).enumerate() {
                to[..inside].copy_from_slice(&from[nth * stride..nth * stride + inside]);
            }
        }
    }
}

//! 3×3 filters of stride 1 with 16 instead of 36 multiplications for every 2×2 outputs: Winograd's F(2×2, 3×3), after
//! Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), sections 4 and 5.
//!
//! y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A for a tile x of 4×4 inputs and y of 2×2 outputs, summed over input channels before the
//! last transform: 16 products of matrices `[tile][input] · [input][output]`. The gradient of the input is the same with
//! the mirrored filter; that of the weights is the adjoint, Gᵀ [Σ (Bᵀ x B) ⊙ (A dy Aᵀ)] G.
//!
//! The transforms only add, subtract and halve, so rounding errors stay near those of the direct sum.

mod grid;
mod transform;

use super::conv::{Finish, Geometry};
use super::micro::{Rows, TILE, Target, correlate, multiply, panel};
use super::norm::rows_of;
use super::{DEPTH, PANELS, Shared, TASKS, Threads, clear, finish, grow, with_scratch};
use grid::{Grid, MOST, Tiles};
use transform::{Panels, gather_filters, gradient_tiles, input_tiles, output_tiles, transform_filters};

/// A 3×3 convolution of stride 1.
pub(super) struct Winograd {
    inputs: usize,
    outputs: usize,
    forward: Grid,
    backward: Grid,
}

/// Products per tile.
const SPOTS: usize = 16;
/// Channels that transforms work on together.
const LANES: usize = 16;
/// Values between the rows of two spots, so that they do not fight for the same place in the cache.
const GAP: usize = 16;
/// Values of transformed weights up to which one task sums all of them.
const FEW: usize = 1 << 17;

/// Distance of rows of transformed inputs: not a multiple of a page.
fn stride_of(channels: usize) -> usize {
    if channels >= DEPTH { channels + LANES } else { channels }
}

/// How the gradient of the weights is cut into tasks.
struct Cut {
    /// Parts that are summed by themselves.
    parts: usize,
    /// Numbers of a part.
    size: usize,
    /// Lines of spots of a task.
    lines: usize,
    /// Tiles that are worked on together, and how often.
    block: usize,
    blocks: usize,
    /// Tasks of a part.
    tasks: usize,
    /// Chunks of inputs and bundles of panels.
    chunks: usize,
    bundles: usize,
}

impl Winograd {
    /// Whether a convolution can go this way.
    pub(super) fn suits(g: &Geometry) -> bool {
        let plain = g.kernel == [3, 3] && g.stride == 1 && g.dilation == 1 && g.groups == 1 && g.pad <= 2;
        plain && g.inputs.max(g.outputs) <= MOST && g.inputs.is_multiple_of(LANES) && g.outputs.is_multiple_of(LANES)
    }

    /// Prepares a convolution that [suits](Self::suits).
    pub(super) fn new(g: &Geometry) -> Self {
        let output = g.output();
        Self {
            inputs: g.inputs,
            outputs: g.outputs,
            forward: Grid::new(g.size, output, g.pad),
            backward: Grid::new(output, g.size, 2 - g.pad),
        }
    }

    /// Numbers of transformed weights.
    pub(super) fn packed(&self, swapped: bool) -> usize {
        let (targets, sources) = if swapped { (self.inputs, self.outputs) } else { (self.outputs, self.inputs) };
        SPOTS * targets.next_multiple_of(panel(targets)) * sources
    }

    /// Numbers of the partial sums of the gradient of the weights for `n` images.
    pub(super) fn sums(&self, n: usize) -> usize {
        let Cut { parts, size, .. } = self.cut(n);
        parts * size
    }

    /// Numbers of the partial moments of the outputs of `n` images.
    pub(super) fn moments(&self, n: usize) -> usize {
        let tiles = self.forward.count(n);
        let blocks = if is_whole(&self.forward) {
            tiles.div_ceil(tiles_of([self.inputs, self.outputs], tiles))
        } else {
            (n * self.forward.to[0] * self.forward.to[1]).div_ceil(rows_of(self.outputs))
        };
        blocks * 2 * self.outputs
    }

    /// How the gradient of the weights is cut.
    fn cut(&self, n: usize) -> Cut {
        let width = panel(self.outputs);
        let panels = self.outputs.div_ceil(width);
        let (chunks, bundles) = (self.inputs.div_ceil(DEPTH), panels.div_ceil(PANELS));
        let size = SPOTS * panels * self.inputs * width;
        // Either a task sums all spots of some tiles, or one line of spots for more tiles.
        let lines = if size <= FEW { 4 } else { 1 };
        let block = if lines == 4 { fitting(self.inputs + self.outputs) } else { 8 * TILE };
        let blocks = self.forward.count(n).div_ceil(block);
        let tasks = 4 / lines * chunks * bundles;
        let parts = (TASKS / tasks).clamp(1, blocks.div_ceil(4).max(1));
        Cut { parts, size, lines, block, blocks, tasks, chunks, bundles }
    }

    /// Transforms weights `[out, in, 3, 3]` to `[spot][panel][source][lane]`; for the data gradient the filter is
    /// mirrored and sources and targets change places.
    #[expect(clippy::needless_range_loop, reason = "a lane is a place in the weights as well")]
    pub(super) fn pack(&self, threads: &Threads, w: &[f32], swapped: bool, packed: &mut Vec<f32>) {
        let (targets, sources) = if swapped { (self.inputs, self.outputs) } else { (self.outputs, self.inputs) };
        let width = panel(targets);
        let panels = targets.div_ceil(width);
        grow(packed, self.packed(swapped));
        let to = Shared(packed.as_mut_ptr());
        let blocks = sources.div_ceil(LANES);
        threads.each(panels * blocks, |task| {
            let (nth, block) = (task / blocks, task % blocks);
            for source in block * LANES..sources.min((block + 1) * LANES) {
                let mut filters = [[0.0f32; 32]; 9];
                for lane in 0..width.min(targets - nth * width) {
                    let target = nth * width + lane;
                    let at = if swapped { source * self.inputs + target } else { target * self.inputs + source };
                    for (tap, value) in w[at * 9..at * 9 + 9].iter().enumerate() {
                        filters[if swapped { 8 - tap } else { tap }][lane] = *value;
                    }
                }
                for (spot, row) in transform_filters(&filters).iter().enumerate() {
                    let at = ((spot * panels + nth) * sources + source) * width;
                    // SAFETY: every task has its own panel and sources.
                    unsafe { to.part(at, width) }.copy_from_slice(&row[..width]);
                }
            }
        });
    }

    /// y = w ∗ x for `n` images, finished.
    pub(super) fn forward(
        &self,
        threads: &Threads,
        n: usize,
        x: &[f32],
        packed: &[f32],
        finish: Finish<'_>,
        y: &mut [f32],
    ) {
        convolve(threads, n, &self.forward, [self.inputs, self.outputs], x, packed, false, finish, y);
    }

    /// dx = (or +=, if `add`) the gradient of the input; `packed` holds the swapped weights.
    pub(super) fn input_gradient(
        &self,
        threads: &Threads,
        n: usize,
        dy: &[f32],
        packed: &[f32],
        add: bool,
        dx: &mut [f32],
    ) {
        let channels = [self.outputs, self.inputs];
        convolve(threads, n, &self.backward, channels, dy, packed, add, Finish::default(), dx);
    }

    /// dw = the gradient of the weights, summed over tiles in a fixed order.
    #[expect(clippy::needless_range_loop, reason = "a lane is a place in the weights as well")]
    pub(super) fn weight_gradient(
        &self,
        threads: &Threads,
        n: usize,
        x: &[f32],
        dy: &[f32],
        sums: &mut Vec<f32>,
        dw: &mut [f32],
    ) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let width = panel(outputs);
        let panels = outputs.div_ceil(width);
        let tiles = self.forward.count(n);
        let Cut { parts, size, lines, block, blocks, tasks, chunks, bundles } = self.cut(n);
        clear(sums, parts * size);
        let all = Shared(sums.as_mut_ptr());
        threads.each(parts * tasks, |task| {
            let (part, task) = (task / tasks, task % tasks);
            let (line, chunk, bundle) = (task / bundles / chunks * lines, task / bundles % chunks, task % bundles);
            let (from, to) = (chunk * DEPTH, inputs.min((chunk + 1) * DEPTH));
            let mine = bundle * PANELS..panels.min((bundle + 1) * PANELS);
            let depth = to - from;
            let stride = stride_of(depth);
            let (apart, gradients_apart) = (block * stride + GAP, mine.len() * block * width + GAP);
            with_scratch(4 * lines * (apart + gradients_apart), |scratch| {
                let (rows, gradients) = scratch.split_at_mut(4 * lines * apart);
                for nth in part * blocks / parts..(part + 1) * blocks / parts {
                    let first = nth * block;
                    let count = block.min(tiles - first);
                    let tiles = Tiles { grid: &self.forward, first, count };
                    input_tiles(line..line + lines, &tiles, (x, inputs), from..to, rows, stride, apart);
                    let range = mine.start * width..outputs.min(mine.end * width);
                    let layout = Panels { width, room: block, apart: gradients_apart };
                    gradient_tiles(line..line + lines, &tiles, (dy, outputs), range, gradients, layout);
                    for spot in 0..4 * lines {
                        let rows = Rows { values: &rows[spot * apart..], stride, count, depth };
                        for (nth, panel) in mine.clone().enumerate() {
                            let gradients = &gradients[spot * gradients_apart + nth * block * width..];
                            let at = ((part * SPOTS + 4 * line + spot) * panels + panel) * inputs + from;
                            // SAFETY: every task has its own part, spots, panels and inputs.
                            let sums = unsafe { all.part(at * width, depth * width) };
                            correlate(&rows, gradients, width, sums);
                        }
                    }
                }
            });
        });
        let sums = &*sums;
        let target = Shared(dw.as_mut_ptr());
        threads.each(panels * inputs, |task| {
            let (nth, input) = (task / inputs, task % inputs);
            let spots: [[f32; 32]; SPOTS] = std::array::from_fn(|spot| {
                let at = ((spot * panels + nth) * inputs + input) * width;
                let mut row = [0.0; 32];
                row[..width].copy_from_slice(&sums[at..at + width]);
                for part in 1..parts {
                    let more = &sums[part * size + at..][..width];
                    row.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
                }
                row
            });
            let filters = gather_filters(&spots);
            for lane in 0..width.min(outputs - nth * width) {
                let at = ((nth * width + lane) * inputs + input) * 9;
                // SAFETY: every task has its own input and outputs.
                let to = unsafe { target.part(at, 9) };
                for (tap, value) in to.iter_mut().enumerate() {
                    *value = filters[tap][lane];
                }
            }
        });
    }
}

/// Tiles whose transformed values of `channels` channels stay in the second-level cache, if those are enough.
fn fitting(channels: usize) -> usize {
    (11_000 / channels / TILE * TILE).clamp(2 * TILE, 8 * TILE)
}

/// Whether every tile is whole: then moments are taken of each block while it is near.
fn is_whole(grid: &Grid) -> bool {
    grid.to.iter().all(|extent| extent.is_multiple_of(2))
}

/// Tiles that a forward pass works on together.
fn tiles_of([inputs, outputs]: [usize; 2], tiles: usize) -> usize {
    fitting(inputs + outputs.min(PANELS * panel(outputs))).min(tiles.div_ceil(TASKS).next_multiple_of(TILE))
}

/// Outputs of all tiles of a grid: `channels` are those of `x` and of `y`.
#[expect(clippy::too_many_arguments, reason = "operands and their sizes")]
fn convolve(
    threads: &Threads,
    n: usize,
    grid: &Grid,
    channels: [usize; 2],
    x: &[f32],
    packed: &[f32],
    add: bool,
    mut finish: Finish<'_>,
    y: &mut [f32],
) {
    let [inputs, outputs] = channels;
    let width = panel(outputs);
    let panels = outputs.div_ceil(width);
    let tiles = grid.count(n);
    let block = tiles_of(channels, tiles);
    let blocks = tiles.div_ceil(block);
    let bundle = if blocks >= TASKS { panels } else { PANELS };
    let bundles = panels.div_ceil(bundle);
    let stride = stride_of(inputs);
    let whole = is_whole(grid);
    let mut moments = finish.moments.take();
    let partial = moments.as_mut().filter(|_| whole).map(|moments| moments.begin(outputs, 4 * block, 4 * tiles));
    assert!(y.len() >= n * grid.to[0] * grid.to[1] * outputs, "outputs fit");
    let all = Shared(y.as_mut_ptr());
    threads.each(blocks * bundles, |task| {
        let (nth, part) = (task / bundles, task % bundles);
        let first = nth * block;
        let count = block.min(tiles - first);
        let mine = part * bundle..panels.min((part + 1) * bundle);
        let range = mine.start * width..outputs.min(mine.end * width);
        let (apart, products_apart) = (block * stride + GAP, block * range.len() + GAP);
        with_scratch(SPOTS * (apart + products_apart), |scratch| {
            let (rows, products) = scratch.split_at_mut(SPOTS * apart);
            let tiles = Tiles { grid, first, count };
            input_tiles(0..4, &tiles, (x, inputs), 0..inputs, rows, stride, apart);
            let places: Vec<usize> = (0..count).map(|tile| tile * range.len()).collect();
            for spot in 0..SPOTS {
                let products = Shared(products[spot * products_apart..].as_mut_ptr());
                for from in (0..inputs).step_by(DEPTH) {
                    let depth = DEPTH.min(inputs - from);
                    let values = &rows[spot * apart + from..];
                    let rows = Rows { values, stride, count, depth };
                    for panel in mine.clone() {
                        let weights = &packed[((spot * panels + panel) * inputs + from) * width..];
                        let target = Target {
                            values: products.at(panel * width - range.start),
                            places: &places,
                            channels: width.min(outputs - panel * width),
                            add: from > 0,
                        };
                        // SAFETY: the products are this task's own.
                        unsafe { multiply(&rows, weights, width, &target) };
                    }
                }
            }
            // SAFETY: every task has its own tiles and channels.
            unsafe { output_tiles(products, products_apart, &tiles, range.clone(), outputs, add, all) };
            let pixels = grid.places(first, count).flat_map(|place| grid.outputs(place).into_iter().flatten());
            let written: Vec<usize> = pixels.map(|pixel| pixel * outputs).collect();
            // SAFETY: as above.
            unsafe { finish::block(&finish, partial, nth, all, &written, range) };
        });
    });
    if let Some(moments) = moments.filter(|_| !whole) {
        moments.take(threads, &y[..n * grid.to[0] * grid.to[1] * outputs], outputs);
    }
}

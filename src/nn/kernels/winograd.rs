//! 3×3 filters of stride 1 with 16 instead of 36 multiplications for every 2×2 outputs: Winograd's F(2×2, 3×3), after
//! Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), sections 4 and 5.
//!
//! y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A for a tile x of 4×4 inputs and y of 2×2 outputs, summed over input channels before the
//! last transform: 16 products of matrices `[tile][input] · [input][output]`. The gradient of the input is the same with
//! the mirrored filter; that of the weights is the adjoint, Gᵀ [Σ (Bᵀ x B) ⊙ (A dy Aᵀ)] G.
//!
//! The transforms only add, subtract and halve, so rounding errors stay near those of the direct sum.

#![expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]

use std::ops::Range;

use super::conv::{Finish, Geometry};
use super::micro::{Rows, TILE, Target, correlate, multiply, panel};
use super::simd::{Lanes, Level, Vector, level};
use super::{Shared, Threads, finish, with_scratch};

/// A 3×3 convolution of stride 1.
pub(super) struct Winograd {
    inputs: usize,
    outputs: usize,
    forward: Grid,
    backward: Grid,
}

/// How tiles of 2×2 outputs lie on images.
#[derive(Clone, Copy)]
struct Grid {
    /// Height and width of what is read and of what is written.
    from: [usize; 2],
    to: [usize; 2],
    /// Border of zeros around what is read.
    pad: usize,
    /// Rows and columns of tiles.
    tiles: [usize; 2],
}

/// Products per tile.
const SPOTS: usize = 16;
/// Channels that transforms work on together.
const LANES: usize = 16;
/// Inputs that are summed between two visits of a product.
const DEPTH: usize = 256;
/// Tiles that the weight gradient works on together.
const BLOCK: usize = 112;
/// Panels of one task.
const PANELS: usize = 8;
/// Tasks that a pass is cut into at least, if it is large enough.
const TASKS: usize = 16;

/// One tile: images `image`, tile row and column.
type Place = (usize, usize, usize);

impl Grid {
    fn new(from: [usize; 2], to: [usize; 2], pad: usize) -> Self {
        Self { from, to, pad, tiles: to.map(|extent| extent.div_ceil(2)) }
    }

    fn count(&self, n: usize) -> usize {
        n * self.tiles[0] * self.tiles[1]
    }

    fn place(&self, tile: usize) -> Place {
        let each = self.tiles[0] * self.tiles[1];
        (tile / each, tile % each / self.tiles[1], tile % self.tiles[1])
    }

    /// Offsets of the 4×4 inputs of a tile in pixels; `None` outside the image.
    fn inputs(&self, (image, row, column): Place) -> [Option<usize>; SPOTS] {
        let [height, width] = self.from;
        std::array::from_fn(|at| {
            let y = (2 * row + at / 4).checked_sub(self.pad).filter(|y| *y < height)?;
            let x = (2 * column + at % 4).checked_sub(self.pad).filter(|x| *x < width)?;
            Some((image * height + y) * width + x)
        })
    }

    /// Offsets of the 2×2 outputs of a tile in pixels; `None` outside the image.
    fn outputs(&self, (image, row, column): Place) -> [Option<usize>; 4] {
        let [height, width] = self.to;
        std::array::from_fn(|at| {
            let (y, x) = (2 * row + at / 2, 2 * column + at % 2);
            (y < height && x < width).then_some((image * height + y) * width + x)
        })
    }
}

/// Distance of rows of transformed inputs: not a multiple of a page.
fn stride_of(channels: usize) -> usize {
    if channels >= DEPTH { channels + LANES } else { channels }
}

impl Winograd {
    /// Whether a convolution can go this way.
    pub(super) fn suits(g: &Geometry) -> bool {
        let plain = g.kernel == [3, 3] && g.stride == 1 && g.dilation == 1 && g.groups == 1 && g.pad <= 2;
        plain && g.inputs.is_multiple_of(LANES) && g.outputs.is_multiple_of(LANES)
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

    /// Transforms weights `[out, in, 3, 3]` to `[spot][panel][source][lane]`; for the data gradient the filter is
    /// mirrored and sources and targets change places.
    pub(super) fn pack(&self, threads: &Threads, w: &[f32], swapped: bool, packed: &mut Vec<f32>) {
        let (targets, sources) = if swapped { (self.inputs, self.outputs) } else { (self.outputs, self.inputs) };
        let width = panel(targets);
        let panels = targets.div_ceil(width);
        packed.clear();
        packed.resize(SPOTS * panels * sources * width, 0.0);
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
        let (chunks, bundles) = (inputs.div_ceil(DEPTH), panels.div_ceil(PANELS));
        let tiles = self.forward.count(n);
        let blocks = tiles.div_ceil(BLOCK);
        let tasks = 4 * chunks * bundles;
        let parts = (TASKS / tasks).clamp(1, blocks.div_ceil(4).max(1));
        let size = SPOTS * panels * inputs * width;
        sums.clear();
        sums.resize(parts * size, 0.0);
        let all = Shared(sums.as_mut_ptr());
        threads.each(parts * tasks, |task| {
            let (part, task) = (task / tasks, task % tasks);
            let (line, chunk, bundle) = (task / bundles / chunks, task / bundles % chunks, task % bundles);
            let (from, to) = (chunk * DEPTH, inputs.min((chunk + 1) * DEPTH));
            let mine = bundle * PANELS..panels.min((bundle + 1) * PANELS);
            let depth = to - from;
            let stride = stride_of(depth);
            let (of_inputs, of_gradients) = (4 * BLOCK * stride, 4 * mine.len() * BLOCK * width);
            with_scratch(of_inputs + of_gradients, |scratch| {
                let (rows, gradients) = scratch.split_at_mut(of_inputs);
                for block in part * blocks / parts..(part + 1) * blocks / parts {
                    let first = block * BLOCK;
                    let count = BLOCK.min(tiles - first);
                    for tile in 0..count {
                        let place = self.forward.place(first + tile);
                        let x = Patch { values: x, channels: inputs, offsets: self.forward.inputs(place) };
                        input_line(line, &x, from..to, rows, tile * stride, BLOCK * stride);
                        let dy = Patch { values: dy, channels: outputs, offsets: self.forward.outputs(place) };
                        let range = mine.start * width..outputs.min(mine.end * width);
                        gradient_line(line, &dy, range, gradients, tile, width, mine.len());
                    }
                    for column in 0..4 {
                        let values = &rows[column * BLOCK * stride..];
                        let rows = Rows { values, stride, count, depth };
                        for (nth, panel) in mine.clone().enumerate() {
                            let gradients = &gradients[(column * mine.len() + nth) * BLOCK * width..];
                            let at = ((part * SPOTS + 4 * line + column) * panels + panel) * inputs + from;
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
    // Transformed inputs and products of a block stay in the second-level cache, if that leaves enough tiles.
    let fitting = 11_000 / (inputs + outputs.min(PANELS * width)) / TILE * TILE;
    let block = fitting.clamp(2 * TILE, 4 * TILE).min(tiles.div_ceil(TASKS).next_multiple_of(TILE));
    let blocks = tiles.div_ceil(block);
    let bundle = if blocks >= TASKS { panels } else { PANELS };
    let bundles = panels.div_ceil(bundle);
    let stride = stride_of(inputs);
    // Where every tile is whole, moments are taken of each block while it is near.
    let whole = grid.to.iter().all(|extent| extent.is_multiple_of(2));
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
        let of_inputs = SPOTS * block * stride;
        with_scratch(of_inputs + SPOTS * block * range.len(), |scratch| {
            let (rows, products) = scratch.split_at_mut(of_inputs);
            for tile in 0..count {
                let x = Patch { values: x, channels: inputs, offsets: grid.inputs(grid.place(first + tile)) };
                for line in 0..4 {
                    let rows = &mut rows[4 * line * block * stride..];
                    input_line(line, &x, 0..inputs, rows, tile * stride, block * stride);
                }
            }
            let places: Vec<usize> = (0..count).map(|tile| tile * range.len()).collect();
            for spot in 0..SPOTS {
                let products = Shared(products[spot * block * range.len()..].as_mut_ptr());
                for from in (0..inputs).step_by(DEPTH) {
                    let depth = DEPTH.min(inputs - from);
                    let values = &rows[spot * block * stride + from..];
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
            let mut written = Vec::with_capacity(4 * count);
            for tile in 0..count {
                let offsets = grid.outputs(grid.place(first + tile));
                written.extend(offsets.iter().flatten().map(|pixel| pixel * outputs));
                let products = &products[tile * range.len()..];
                // SAFETY: every task has its own tiles and channels.
                unsafe { output_tile(products, block * range.len(), &offsets, range.clone(), outputs, add, all) };
            }
            // SAFETY: as above.
            unsafe { finish::block(&finish, partial, nth, all, &written, range) };
        });
    });
    if let Some(moments) = moments.filter(|_| !whole) {
        moments.take(threads, &y[..n * grid.to[0] * grid.to[1] * outputs], outputs);
    }
}

/// Some pixels around a tile.
struct Patch<'a, const N: usize> {
    values: &'a [f32],
    channels: usize,
    offsets: [Option<usize>; N],
}

impl<const N: usize> Patch<'_, N> {
    /// Checks that channels up to `end` of all pixels exist.
    fn check(&self, end: usize) {
        assert!(end <= self.channels);
        let last = self.offsets.iter().flatten().max().map_or(0, |pixel| (pixel + 1) * self.channels);
        assert!(last <= self.values.len(), "pixels lie inside the image");
    }

    #[inline(always)]
    unsafe fn load<V: Vector>(&self, at: usize, channel: usize) -> V {
        // SAFETY: the caller checked the pixels and the channels.
        unsafe {
            match self.offsets[at] {
                Some(pixel) => V::load(self.values.as_ptr().add(pixel * self.channels + channel)),
                None => V::splat(0.0),
            }
        }
    }
}

/// Line `line` of Bᵀ x B: spot `[line, column]` of channel c goes to `to[column * apart + at + c]`.
fn input_line(line: usize, x: &Patch<'_, SPOTS>, range: Range<usize>, to: &mut [f32], at: usize, apart: usize) {
    x.check(range.end);
    assert!(3 * apart + at + range.len() <= to.len() && range.len().is_multiple_of(LANES), "spots fit");
    // SAFETY: sizes are checked above; the processor has its level.
    unsafe {
        match level() {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => x86::input_line_16(line, x, range, to, at, apart),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => x86::input_line_8(line, x, range, to, at, apart),
            Level::Portable => input_line_with::<Lanes<8>>(line, x, range, to, at, apart),
        }
    }
}

/// Line `line` of A dy Aᵀ: spot `[line, column]` goes to panels, `[column][panel][tile][lane]` of blocks of tiles.
fn gradient_line(
    line: usize,
    dy: &Patch<'_, 4>,
    range: Range<usize>,
    to: &mut [f32],
    tile: usize,
    width: usize,
    panels: usize,
) {
    dy.check(range.end);
    assert!(4 * panels * BLOCK * width <= to.len() && range.len() <= panels * width, "spots fit");
    assert!(range.len().is_multiple_of(LANES) && width.is_multiple_of(LANES), "vectors are whole");
    // SAFETY: sizes are checked above; the processor has its level.
    unsafe {
        match level() {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => x86::gradient_line_16(line, dy, range, to, tile, width, panels),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => x86::gradient_line_8(line, dy, range, to, tile, width, panels),
            Level::Portable => gradient_line_with::<Lanes<8>>(line, dy, range, to, tile, width, panels),
        }
    }
}

/// Aᵀ m A of one tile: spot s of channel c of the range is `products[s * apart + c]`.
///
/// # Safety
/// The pixels and channels lie inside `y`, and nobody else touches them.
unsafe fn output_tile(
    products: &[f32],
    apart: usize,
    offsets: &[Option<usize>; 4],
    range: Range<usize>,
    channels: usize,
    add: bool,
    y: Shared,
) {
    assert!((SPOTS - 1) * apart + range.len() <= products.len() && range.len().is_multiple_of(LANES), "spots fit");
    // SAFETY: sizes are checked above or promised by the caller; the processor has its level.
    unsafe {
        match level() {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => x86::output_tile_16(products, apart, offsets, range, channels, add, y),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => x86::output_tile_8(products, apart, offsets, range, channels, add, y),
            Level::Portable => output_tile_with::<Lanes<8>>(products, apart, offsets, range, channels, add, y),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::ops::Range;

    use super::super::Shared;
    use super::super::simd::{Eight, Sixteen};
    use super::{Patch, SPOTS, gradient_line_with, input_line_with, output_tile_with};

    macro_rules! compiled {
        ($features:literal, $vector:ty, $input:ident, $gradient:ident, $output:ident) => {
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $input(
                line: usize,
                x: &Patch<'_, SPOTS>,
                range: Range<usize>,
                to: &mut [f32],
                at: usize,
                apart: usize,
            ) {
                // SAFETY: the caller checked sizes and instructions.
                unsafe { input_line_with::<$vector>(line, x, range, to, at, apart) }
            }
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $gradient(
                line: usize,
                dy: &Patch<'_, 4>,
                range: Range<usize>,
                to: &mut [f32],
                tile: usize,
                width: usize,
                panels: usize,
            ) {
                // SAFETY: the caller checked sizes and instructions.
                unsafe { gradient_line_with::<$vector>(line, dy, range, to, tile, width, panels) }
            }
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $output(
                products: &[f32],
                apart: usize,
                offsets: &[Option<usize>; 4],
                range: Range<usize>,
                channels: usize,
                add: bool,
                y: Shared,
            ) {
                // SAFETY: the caller checked sizes and instructions.
                unsafe { output_tile_with::<$vector>(products, apart, offsets, range, channels, add, y) }
            }
        };
    }

    compiled!("avx512f,avx512vl,avx2,fma", Sixteen, input_line_16, gradient_line_16, output_tile_16);
    compiled!("avx2,fma", Eight, input_line_8, gradient_line_8, output_tile_8);
}

/// Row `line` of Bᵀ applied to four values: d0 − d2, d1 + d2, d2 − d1, d1 − d3.
#[inline(always)]
unsafe fn bt<V: Vector>(line: usize, d: [V; 4]) -> V {
    // SAFETY: the caller checked the level.
    unsafe {
        match line {
            0 => d[0].minus(d[2]),
            1 => d[1].plus(d[2]),
            2 => d[2].minus(d[1]),
            _ => d[1].minus(d[3]),
        }
    }
}

/// Row `line` of A applied to two values: a, a + b, a − b, −b.
#[inline(always)]
unsafe fn a<V: Vector>(line: usize, values: [V; 2]) -> V {
    // SAFETY: the caller checked the level.
    unsafe {
        match line {
            0 => values[0],
            1 => values[0].plus(values[1]),
            2 => values[0].minus(values[1]),
            _ => V::splat(0.0).minus(values[1]),
        }
    }
}

#[inline(always)]
unsafe fn input_line_with<V: Vector>(
    line: usize,
    x: &Patch<'_, SPOTS>,
    range: Range<usize>,
    to: &mut [f32],
    at: usize,
    apart: usize,
) {
    for channel in range.clone().step_by(V::LANES) {
        // SAFETY: the caller checked that pixels, channels and spots fit.
        unsafe {
            let row: [V; 4] = std::array::from_fn(|column| {
                bt(line, std::array::from_fn(|row| x.load::<V>(4 * row + column, channel)))
            });
            for column in 0..4 {
                bt(column, row).store(to.as_mut_ptr().add(column * apart + at + channel - range.start));
            }
        }
    }
}

#[inline(always)]
unsafe fn gradient_line_with<V: Vector>(
    line: usize,
    dy: &Patch<'_, 4>,
    range: Range<usize>,
    to: &mut [f32],
    tile: usize,
    width: usize,
    panels: usize,
) {
    for channel in range.clone().step_by(V::LANES) {
        let (panel, lane) = ((channel - range.start) / width, (channel - range.start) % width);
        // SAFETY: the caller checked that pixels, channels and spots fit.
        unsafe {
            let row: [V; 2] = std::array::from_fn(|column| {
                a(line, std::array::from_fn(|row| dy.load::<V>(2 * row + column, channel)))
            });
            for column in 0..4 {
                let at = ((column * panels + panel) * BLOCK + tile) * width + lane;
                a(column, row).store(to.as_mut_ptr().add(at));
            }
        }
    }
}

#[inline(always)]
unsafe fn output_tile_with<V: Vector>(
    products: &[f32],
    apart: usize,
    offsets: &[Option<usize>; 4],
    range: Range<usize>,
    channels: usize,
    add: bool,
    y: Shared,
) {
    for channel in range.clone().step_by(V::LANES) {
        // SAFETY: the caller checked that spots, pixels and channels fit.
        unsafe {
            let m = |spot: usize| V::load(products.as_ptr().add(spot * apart + channel - range.start));
            // Two rows of Aᵀ m: sums over lines, for each of four columns.
            let rows: [[V; 4]; 2] = {
                let top = std::array::from_fn(|column| m(column).plus(m(4 + column)).plus(m(8 + column)));
                let bottom = std::array::from_fn(|column| m(4 + column).minus(m(8 + column)).minus(m(12 + column)));
                [top, bottom]
            };
            for (row, values) in rows.into_iter().enumerate() {
                let left = values[0].plus(values[1]).plus(values[2]);
                let right = values[1].minus(values[2]).minus(values[3]);
                for (column, value) in [left, right].into_iter().enumerate() {
                    if let Some(pixel) = offsets[2 * row + column] {
                        let to = y.0.add(pixel * channels + channel);
                        let value = if add { V::load(to).plus(value) } else { value };
                        value.store(to);
                    }
                }
            }
        }
    }
}

/// G w Gᵀ of every lane.
fn transform_filters(w: &[[f32; 32]; 9]) -> [[f32; 32]; SPOTS] {
    std::array::from_fn(|spot| std::array::from_fn(|lane| {
        let row = |r: usize| g(spot % 4, [w[3 * r][lane], w[3 * r + 1][lane], w[3 * r + 2][lane]]);
        g(spot / 4, [row(0), row(1), row(2)])
    }))
}

/// Row `line` of G applied to three values.
#[inline(always)]
fn g(line: usize, w: [f32; 3]) -> f32 {
    match line {
        0 => w[0],
        1 => 0.5 * (w[0] + w[1] + w[2]),
        2 => 0.5 * (w[0] - w[1] + w[2]),
        _ => w[2],
    }
}

/// Gᵀ m G of every lane.
fn gather_filters(m: &[[f32; 32]; SPOTS]) -> [[f32; 32]; 9] {
    std::array::from_fn(|tap| std::array::from_fn(|lane| {
        let row = |line: usize| gt(tap % 3, std::array::from_fn(|column| m[4 * line + column][lane]));
        gt(tap / 3, std::array::from_fn(row))
    }))
}

/// Row `line` of Gᵀ applied to four values.
#[inline(always)]
fn gt(line: usize, m: [f32; 4]) -> f32 {
    match line {
        0 => m[0] + 0.5 * (m[1] + m[2]),
        1 => 0.5 * (m[1] - m[2]),
        _ => 0.5 * (m[1] + m[2]) + m[3],
    }
}

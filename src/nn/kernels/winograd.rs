//! 3×3 filters of stride 1 with 16 instead of 36 multiplications for every 2×2 outputs: Winograd's F(2×2, 3×3), after
//! Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), sections 4 and 5.
//!
//! y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ x B)] A for a tile x of 4×4 inputs and y of 2×2 outputs, summed over input channels before the
//! last transform: 16 products of matrices `[tile][input] · [input][output]`. The gradient of the input is the same with
//! the mirrored filter; that of the weights is the adjoint, Gᵀ [Σ (Bᵀ x B) ⊙ (A dy Aᵀ)] G.
//!
//! The transforms only add, subtract and halve, so rounding errors stay near those of the direct sum.

#![expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]
#![expect(clippy::needless_range_loop, reason = "loops over registers unroll by index; closures would not be inlined")]

use std::ops::Range;

use super::conv::{Finish, Geometry};
use super::micro::{Rows, TILE, Target, correlate, multiply, panel};
use super::simd::{Lanes, Level, Vector, level, vectorised};
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
/// Values between the rows of two spots, so that they do not fight for the same place in the cache.
const GAP: usize = 16;
/// Values of transformed weights up to which one task sums all of them.
const FEW: usize = 1 << 17;
/// Panels of one task.
const PANELS: usize = 8;
/// Tasks that a pass is cut into at least, if it is large enough.
const TASKS: usize = 16;

/// Values outside an image, as many as there may be channels.
static ZEROS: [f32; MOST] = [0.0; MOST];
/// Channels that a convolution may have at most.
const MOST: usize = 8192;

/// Where the inputs of a tile are.
enum Inputs {
    /// All inside the image: the first one.
    Whole(*const f32),
    /// Each by itself.
    Cut([*const f32; SPOTS]),
}

impl Grid {
    fn new(from: [usize; 2], to: [usize; 2], pad: usize) -> Self {
        Self { from, to, pad, tiles: to.map(|extent| extent.div_ceil(2)) }
    }

    fn count(&self, n: usize) -> usize {
        n * self.tiles[0] * self.tiles[1]
    }

    /// Lists image, row and column of some tiles.
    fn places(&self, first: usize, count: usize) -> impl Iterator<Item = [usize; 3]> + use<> {
        let [rows, columns] = self.tiles;
        let [mut image, mut row, mut column] =
            [first / (rows * columns), first % (rows * columns) / columns, first % columns];
        (0..count).map(move |_| {
            let place = [image, row, column];
            column += 1;
            if column == columns {
                (column, row) = (0, row + 1);
            }
            if row == rows {
                (row, image) = (0, image + 1);
            }
            place
        })
    }

    /// Where the 4×4 inputs of a tile lie.
    ///
    /// # Safety
    /// `x` holds the images that the place is on, `channels` values per pixel.
    #[inline(always)]
    unsafe fn inputs(&self, x: *const f32, channels: usize, [image, row, column]: [usize; 3]) -> Inputs {
        let [height, width] = self.from;
        let (top, left) = (2 * row, 2 * column);
        // SAFETY: pixels inside the image are the caller's, others are zeros.
        unsafe {
            let x = x.add(image * height * width * channels);
            let whole = |at: usize, extent: usize| at >= self.pad && at + 4 - self.pad <= extent;
            if whole(top, height) && whole(left, width) {
                return Inputs::Whole(x.add(((top - self.pad) * width + left - self.pad) * channels));
            }
            Inputs::Cut(std::array::from_fn(|at| {
                let inside = |at: usize, extent: usize| at.checked_sub(self.pad).filter(|at| *at < extent);
                match (inside(top + at / 4, height), inside(left + at % 4, width)) {
                    (Some(y), Some(column)) => x.add((y * width + column) * channels),
                    _ => ZEROS.as_ptr(),
                }
            }))
        }
    }

    /// Offsets of the 2×2 outputs of a tile in pixels; `None` outside the image.
    #[inline(always)]
    fn outputs(&self, [image, row, column]: [usize; 3]) -> [Option<usize>; 4] {
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

    /// Transforms weights `[out, in, 3, 3]` to `[spot][panel][source][lane]`; for the data gradient the filter is
    /// mirrored and sources and targets change places.
    pub(super) fn pack(&self, threads: &Threads, w: &[f32], swapped: bool, packed: &mut Vec<f32>) {
        let (targets, sources) = if swapped { (self.inputs, self.outputs) } else { (self.outputs, self.inputs) };
        let width = panel(targets);
        let panels = targets.div_ceil(width);
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
        let size = SPOTS * panels * inputs * width;
        // Either a task sums all spots of some tiles, or one line of spots for more tiles.
        let lines = if size <= FEW { 4 } else { 1 };
        let block = if lines == 4 { fitting(inputs + outputs) } else { 8 * TILE };
        let blocks = tiles.div_ceil(block);
        let tasks = 4 / lines * chunks * bundles;
        let parts = (TASKS / tasks).clamp(1, blocks.div_ceil(4).max(1));
        sums.clear();
        sums.resize(parts * size, 0.0);
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
                    let panels_of = Panels { width, room: block, apart: gradients_apart };
                    gradient_tiles(line..line + lines, &tiles, (dy, outputs), range, gradients, panels_of);
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
    let block = fitting(inputs + outputs.min(PANELS * width)).min(tiles.div_ceil(TASKS).next_multiple_of(TILE));
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

/// Some tiles of a grid.
#[derive(Clone, Copy)]
struct Tiles<'a> {
    grid: &'a Grid,
    first: usize,
    count: usize,
}

impl Tiles<'_> {
    /// Number of images that the tiles lie on or behind.
    fn images(&self) -> usize {
        (self.first + self.count).div_ceil(self.grid.count(1))
    }
}

/// Calls a function compiled for the level of this processor.
macro_rules! at_level {
    ($sixteen:ident, $eight:ident, $with:ident($($arg:expr),*)) => {
        match level() {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => x86::$sixteen($($arg),*),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => x86::$eight($($arg),*),
            Level::Portable => $with::<Lanes<8>>($($arg),*),
        }
    };
}

/// Lines of Bᵀ x B of some tiles: spot `[line, column]` of channel c of tile t goes to
/// `to[(4 * line + column) * apart + t * stride + c]`, counted from the first line and channel.
fn input_tiles(
    lines: Range<usize>,
    tiles: &Tiles<'_>,
    (x, channels): (&[f32], usize),
    range: Range<usize>,
    to: &mut [f32],
    stride: usize,
    apart: usize,
) {
    let pixels = tiles.images() * tiles.grid.from[0] * tiles.grid.from[1];
    assert!(pixels * channels <= x.len() && range.end <= channels.min(MOST), "pixels lie inside the images");
    let last = (4 * lines.len() - 1) * apart + (tiles.count - 1) * stride + range.len();
    assert!(last <= to.len() && range.len().is_multiple_of(LANES), "spots fit");
    // SAFETY: sizes are checked above; the processor has its level.
    unsafe {
        at_level!(input_16, input_8, input_with(lines, tiles, (x, channels), range, to, stride, apart));
    }
}

/// How transformed gradients lie: `[spot][panel][tile][lane]`.
#[derive(Clone, Copy)]
struct Panels {
    /// Lanes of a panel.
    width: usize,
    /// Tiles that a panel has room for.
    room: usize,
    /// Distance of spots.
    apart: usize,
}

/// Lines of A dy Aᵀ of some tiles, counted from the first line and channel.
fn gradient_tiles(
    lines: Range<usize>,
    tiles: &Tiles<'_>,
    (dy, channels): (&[f32], usize),
    range: Range<usize>,
    to: &mut [f32],
    panels: Panels,
) {
    let pixels = tiles.images() * tiles.grid.to[0] * tiles.grid.to[1];
    assert!(pixels * channels <= dy.len() && range.end <= channels.min(MOST), "pixels lie inside the images");
    let spot = range.len().div_ceil(panels.width) * panels.room * panels.width;
    assert!((4 * lines.len() - 1) * panels.apart + spot <= to.len() && tiles.count <= panels.room, "spots fit");
    assert!(range.len().is_multiple_of(LANES) && panels.width.is_multiple_of(LANES), "vectors are whole");
    // SAFETY: sizes are checked above; the processor has its level.
    unsafe {
        at_level!(gradient_16, gradient_8, gradient_with(lines, tiles, (dy, channels), range, to, panels));
    }
}

/// Aᵀ m A of some tiles: spot s of channel c of tile t is `products[s * apart + t * range.len() + c]`.
///
/// # Safety
/// The pixels and channels of these tiles lie inside `y`, and nobody else touches them.
unsafe fn output_tiles(
    products: &[f32],
    apart: usize,
    tiles: &Tiles<'_>,
    range: Range<usize>,
    channels: usize,
    add: bool,
    y: Shared,
) {
    assert!((SPOTS - 1) * apart + tiles.count * range.len() <= products.len(), "spots fit");
    assert!(range.len().is_multiple_of(LANES), "vectors are whole");
    // SAFETY: sizes are checked above or promised by the caller; the processor has its level.
    unsafe {
        at_level!(output_16, output_8, output_with(products, apart, tiles, range, channels, add, y));
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::ops::Range;

    use super::super::Shared;
    use super::super::simd::{Eight, Sixteen};
    use super::{Panels, Tiles, gradient_with, input_with, output_with};

    macro_rules! compiled {
        ($features:literal, $vector:ty, $input:ident, $gradient:ident, $output:ident) => {
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $input(
                lines: Range<usize>,
                tiles: &Tiles<'_>,
                x: (&[f32], usize),
                range: Range<usize>,
                to: &mut [f32],
                stride: usize,
                apart: usize,
            ) {
                // SAFETY: the caller checked sizes and instructions.
                unsafe { input_with::<$vector>(lines, tiles, x, range, to, stride, apart) }
            }
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $gradient(
                lines: Range<usize>,
                tiles: &Tiles<'_>,
                dy: (&[f32], usize),
                range: Range<usize>,
                to: &mut [f32],
                panels: Panels,
            ) {
                // SAFETY: the caller checked sizes and instructions.
                unsafe { gradient_with::<$vector>(lines, tiles, dy, range, to, panels) }
            }
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $output(
                products: &[f32],
                apart: usize,
                tiles: &Tiles<'_>,
                range: Range<usize>,
                channels: usize,
                add: bool,
                y: Shared,
            ) {
                // SAFETY: the caller checked sizes and instructions.
                unsafe { output_with::<$vector>(products, apart, tiles, range, channels, add, y) }
            }
        };
    }

    compiled!("avx512f,avx512vl,avx2,fma", Sixteen, input_16, gradient_16, output_16);
    compiled!("avx2,fma", Eight, input_8, gradient_8, output_8);
}

#[inline(always)]
unsafe fn input_with<V: Vector>(
    lines: Range<usize>,
    tiles: &Tiles<'_>,
    (x, channels): (&[f32], usize),
    range: Range<usize>,
    to: &mut [f32],
    stride: usize,
    apart: usize,
) {
    let columns = tiles.grid.from[1];
    for (tile, place) in tiles.grid.places(tiles.first, tiles.count).enumerate() {
        // SAFETY: the caller checked that pixels, channels and spots fit.
        unsafe {
            let from = tiles.grid.inputs(x.as_ptr(), channels, place);
            let to = to.as_mut_ptr().add(tile * stride);
            match from {
                Inputs::Whole(base) => {
                    for channel in range.clone().step_by(V::LANES) {
                        let rows: [*const f32; 4] = [
                            base.add(channel),
                            base.add(columns * channels + channel),
                            base.add(2 * columns * channels + channel),
                            base.add(3 * columns * channels + channel),
                        ];
                        let mut x = [[V::splat(0.0); 4]; 4];
                        for row in 0..4 {
                            for column in 0..4 {
                                x[row][column] = V::load(rows[row].add(column * channels));
                            }
                        }
                        input_lines(&lines, &x, to.add(channel - range.start), apart);
                    }
                }
                Inputs::Cut(from) => {
                    for channel in range.clone().step_by(V::LANES) {
                        let mut x = [[V::splat(0.0); 4]; 4];
                        for row in 0..4 {
                            for column in 0..4 {
                                x[row][column] = V::load(from[4 * row + column].add(channel));
                            }
                        }
                        input_lines(&lines, &x, to.add(channel - range.start), apart);
                    }
                }
            }
        }
    }
}

/// Lines of Bᵀ x B.
#[inline(always)]
unsafe fn input_lines<V: Vector>(lines: &Range<usize>, x: &[[V; 4]; 4], to: *mut f32, apart: usize) {
    // SAFETY: as in `input_with`.
    unsafe {
        if lines.len() == 4 {
            for line in 0..4 {
                input_line(line, x, to.add(4 * line * apart), apart);
            }
        } else {
            match lines.start {
                0 => input_line(0, x, to, apart),
                1 => input_line(1, x, to, apart),
                2 => input_line(2, x, to, apart),
                _ => input_line(3, x, to, apart),
            }
        }
    }
}

/// One line of Bᵀ x B; it reads two rows of x.
#[inline(always)]
unsafe fn input_line<V: Vector>(line: usize, x: &[[V; 4]; 4], to: *mut f32, apart: usize) {
    // SAFETY: as in `input_with`.
    unsafe {
        let mut row = [V::splat(0.0); 4];
        for column in 0..4 {
            row[column] = match line {
                0 => x[0][column].minus(x[2][column]),
                1 => x[1][column].plus(x[2][column]),
                2 => x[2][column].minus(x[1][column]),
                _ => x[1][column].minus(x[3][column]),
            };
        }
        row[0].minus(row[2]).store(to);
        row[1].plus(row[2]).store(to.add(apart));
        row[2].minus(row[1]).store(to.add(2 * apart));
        row[1].minus(row[3]).store(to.add(3 * apart));
    }
}

#[inline(always)]
unsafe fn gradient_with<V: Vector>(
    lines: Range<usize>,
    tiles: &Tiles<'_>,
    (dy, channels): (&[f32], usize),
    range: Range<usize>,
    to: &mut [f32],
    panels: Panels,
) {
    for (tile, place) in tiles.grid.places(tiles.first, tiles.count).enumerate() {
        let from = tiles.grid.outputs(place).map(|pixel| match pixel {
            Some(pixel) => dy[pixel * channels..].as_ptr(),
            None => ZEROS.as_ptr(),
        });
        for channel in range.clone().step_by(V::LANES) {
            let (panel, lane) = ((channel - range.start) / panels.width, (channel - range.start) % panels.width);
            // SAFETY: the caller checked that pixels, channels and spots fit.
            unsafe {
                let mut dy = [V::splat(0.0); 4];
                for at in 0..4 {
                    dy[at] = V::load(from[at].add(channel));
                }
                let to = to.as_mut_ptr().add((panel * panels.room + tile) * panels.width + lane);
                if lines.len() == 4 {
                    for line in 0..4 {
                        gradient_line(line, &dy, to.add(4 * line * panels.apart), panels.apart);
                    }
                } else {
                    match lines.start {
                        0 => gradient_line(0, &dy, to, panels.apart),
                        1 => gradient_line(1, &dy, to, panels.apart),
                        2 => gradient_line(2, &dy, to, panels.apart),
                        _ => gradient_line(3, &dy, to, panels.apart),
                    }
                }
            }
        }
    }
}

/// One line of A dy Aᵀ.
#[inline(always)]
unsafe fn gradient_line<V: Vector>(line: usize, dy: &[V; 4], to: *mut f32, apart: usize) {
    // SAFETY: as in `gradient_with`.
    unsafe {
        let mut row = [V::splat(0.0); 2];
        for column in 0..2 {
            row[column] = match line {
                0 => dy[column],
                1 => dy[column].plus(dy[2 + column]),
                2 => dy[column].minus(dy[2 + column]),
                _ => V::splat(0.0).minus(dy[2 + column]),
            };
        }
        row[0].store(to);
        row[0].plus(row[1]).store(to.add(apart));
        row[0].minus(row[1]).store(to.add(2 * apart));
        V::splat(0.0).minus(row[1]).store(to.add(3 * apart));
    }
}

#[inline(always)]
unsafe fn output_with<V: Vector>(
    products: &[f32],
    apart: usize,
    tiles: &Tiles<'_>,
    range: Range<usize>,
    channels: usize,
    add: bool,
    y: Shared,
) {
    for (tile, place) in tiles.grid.places(tiles.first, tiles.count).enumerate() {
        let pixels = tiles.grid.outputs(place);
        // SAFETY: the caller checked or promised that spots, pixels and channels fit.
        unsafe {
            let from = products.as_ptr().add(tile * range.len());
            for channel in range.clone().step_by(V::LANES) {
                // Two rows of Aᵀ m, each of four columns.
                let mut rows = [[V::splat(0.0); 4]; 2];
                for column in 0..4 {
                    let mut m = [V::splat(0.0); 4];
                    for line in 0..4 {
                        m[line] = V::load(from.add((4 * line + column) * apart + channel - range.start));
                    }
                    rows[0][column] = m[0].plus(m[1]).plus(m[2]);
                    rows[1][column] = m[1].minus(m[2]).minus(m[3]);
                }
                for row in 0..2 {
                    let values = rows[row];
                    let left = values[0].plus(values[1]).plus(values[2]);
                    let right = values[1].minus(values[2]).minus(values[3]);
                    for (column, value) in [left, right].into_iter().enumerate() {
                        if let Some(pixel) = pixels[2 * row + column] {
                            let to = y.0.add(pixel * channels + channel);
                            let value = if add { V::load(to).plus(value) } else { value };
                            value.store(to);
                        }
                    }
                }
            }
        }
    }
}

vectorised! {
    /// G w Gᵀ of every lane.
    fn transform_filters(w: &[[f32; 32]; 9]) -> [[f32; 32]; SPOTS] {
        let mut left = [[0.0f32; 32]; 12];
        for row in 0..3 {
            for lane in 0..32 {
                let [a, b, c] = [w[3 * row][lane], w[3 * row + 1][lane], w[3 * row + 2][lane]];
                left[4 * row][lane] = a;
                left[4 * row + 1][lane] = 0.5 * (a + b + c);
                left[4 * row + 2][lane] = 0.5 * (a - b + c);
                left[4 * row + 3][lane] = c;
            }
        }
        let mut spots = [[0.0f32; 32]; SPOTS];
        for column in 0..4 {
            for lane in 0..32 {
                let [a, b, c] = [left[column][lane], left[4 + column][lane], left[8 + column][lane]];
                spots[column][lane] = a;
                spots[4 + column][lane] = 0.5 * (a + b + c);
                spots[8 + column][lane] = 0.5 * (a - b + c);
                spots[12 + column][lane] = c;
            }
        }
        spots
    }
}

vectorised! {
    /// Gᵀ m G of every lane.
    fn gather_filters(m: &[[f32; 32]; SPOTS]) -> [[f32; 32]; 9] {
        let mut left = [[0.0f32; 32]; 12];
        for line in 0..4 {
            for lane in 0..32 {
                let [a, b, c, d] = [0, 1, 2, 3].map(|column| m[4 * line + column][lane]);
                left[3 * line][lane] = a + 0.5 * (b + c);
                left[3 * line + 1][lane] = 0.5 * (b - c);
                left[3 * line + 2][lane] = 0.5 * (b + c) + d;
            }
        }
        let mut taps = [[0.0f32; 32]; 9];
        for column in 0..3 {
            for lane in 0..32 {
                let [a, b, c, d] = [0, 1, 2, 3].map(|line| left[3 * line + column][lane]);
                taps[column][lane] = a + 0.5 * (b + c);
                taps[3 + column][lane] = 0.5 * (b - c);
                taps[6 + column][lane] = 0.5 * (b + c) + d;
            }
        }
        taps
    }
}

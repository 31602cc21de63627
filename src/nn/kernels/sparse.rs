//! Convolutions whose weights are mostly zeros: only the others are multiplied.
//!
//! Inputs of a block of places are brought into columns, `[input][place]`, few enough at a time to stay in the first-level
//! cache; every output then adds up the columns that it has a weight for. Where a window moves by one pixel, its taps look
//! at shifted parts of the same column: a band of the image with its border, one column per channel.

#![expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]

use super::conv::{Finish, Geometry, Phase};
use super::simd::{Lanes, Level, Vector, level};
use super::transpose::{Extent, transpose};
use super::{Shared, Threads, finish, with_scratch};

/// Places whose sums are in registers at most, and the steps in which there are fewer.
const PLACES: usize = 128;
const STEP: usize = 16;
/// Inputs per chunk where every input is a column of its own.
const DEPTH: usize = 64;
/// Values of the columns of a chunk.
const COLUMNS: usize = 10 * 1024;

/// The weights of a convolution that are not 0, by chunk of inputs and output.
pub(super) struct Sparse {
    geometry: Geometry,
    form: Form,
    /// Where the weights of each chunk and output start.
    starts: Vec<u32>,
    /// Where the column of each weight starts.
    offsets: Vec<u16>,
    weights: Vec<f32>,
}

/// What columns hold.
#[derive(Clone, Copy)]
enum Form {
    /// One tap of one channel, for [`PLACES`] places of any images.
    Taps,
    /// One channel of a band.
    Bands(Bands),
}

/// Rows of outputs that are worked on together, and what they see.
#[derive(Clone, Copy)]
struct Bands {
    /// Rows of outputs.
    rows: usize,
    /// Width of the image with its border.
    width: usize,
    /// Values of a column: the rows of inputs, and room to read whole vectors past them.
    column: usize,
    /// Channels per chunk.
    channels: usize,
    /// Places from the first output to the last, those between the rows included; a multiple of [`STEP`].
    places: usize,
}

impl Bands {
    fn new(g: &Geometry) -> Self {
        let width = g.size[1] + 2 * g.pad;
        let [height, across] = g.output();
        let places = |rows: usize| (rows - 1) * width + across;
        let most = (1..=height).take_while(|rows| places(*rows) <= PLACES).last().unwrap_or(1);
        // As many blocks as there have to be, all of about the same height.
        let rows = height.div_ceil(height.div_ceil(most));
        let places = places(rows).next_multiple_of(STEP);
        let column = (g.kernel[0] - 1) * width + g.kernel[1] + places;
        let channels = (COLUMNS / column).clamp(1, g.inputs);
        Self { rows, width, column, channels, places }
    }
}

impl Sparse {
    /// Estimated work of a convolution in fused multiply-adds of 16 lanes per place, where `kept` weights are left. The
    /// constants are fitted to `cargo bench --bench kernels -- sparse`.
    pub(super) fn work(g: &Geometry, kept: usize) -> f64 {
        Form::best(g, kept).1
    }

    /// Lists the weights `[output][input][tap]` that are not 0. The convolution has no groups.
    pub(super) fn new(g: &Geometry, w: &[f32]) -> Self {
        let taps = g.kernel[0] * g.kernel[1];
        let form = Form::best(g, w.iter().filter(|weight| **weight != 0.0).count()).0;
        let mut sparse = Self { geometry: *g, form, starts: vec![0], offsets: Vec::new(), weights: Vec::new() };
        // Input and tap, and where its column starts, of every term of a chunk.
        let terms = |chunk: usize| -> Vec<(usize, usize, usize)> {
            match form {
                Form::Taps => (chunk * DEPTH..(g.inputs * taps).min((chunk + 1) * DEPTH))
                    .map(|at| (at % g.inputs, at / g.inputs, (at - chunk * DEPTH) * PLACES))
                    .collect(),
                Form::Bands(bands) => (chunk * bands.channels..g.inputs.min((chunk + 1) * bands.channels))
                    .flat_map(|input| (0..taps).map(move |tap| (input, tap)))
                    .map(|(input, tap)| {
                        let shift = tap / g.kernel[1] * bands.width + tap % g.kernel[1];
                        (input, tap, (input - chunk * bands.channels) * bands.column + shift)
                    })
                    .collect(),
            }
        };
        for chunk in 0..sparse.chunks() {
            let terms = terms(chunk);
            for output in 0..g.outputs {
                for (input, tap, offset) in &terms {
                    let weight = w[(output * g.inputs + input) * taps + tap];
                    if weight != 0.0 {
                        sparse.offsets.push(*offset as u16);
                        sparse.weights.push(weight);
                    }
                }
                sparse.starts.push(sparse.weights.len() as u32);
            }
        }
        sparse
    }

    fn chunks(&self) -> usize {
        let g = &self.geometry;
        match self.form {
            Form::Taps => (g.inputs * g.kernel[0] * g.kernel[1]).div_ceil(DEPTH),
            Form::Bands(bands) => g.inputs.div_ceil(bands.channels),
        }
    }

    /// y = w ∗ x for `n` images, finished; moments are not taken.
    pub(super) fn forward(
        &self,
        threads: &Threads,
        n: usize,
        phase: &Phase,
        x: &[f32],
        finish: &Finish<'_>,
        y: &mut [f32],
    ) {
        assert!(y.len() >= phase.places(n) * self.geometry.outputs, "outputs fit");
        let y = Shared(y.as_mut_ptr());
        match self.form {
            Form::Taps => self.forward_taps(threads, n, phase, x, finish, y),
            Form::Bands(bands) => self.forward_bands(threads, n, bands, x, finish, y),
        }
    }

    fn forward_taps(&self, threads: &Threads, n: usize, phase: &Phase, x: &[f32], finish: &Finish<'_>, y: Shared) {
        let (outputs, depth, places) = (self.geometry.outputs, phase.window().depth(), phase.places(n));
        threads.each(places.div_ceil(PLACES), |block| {
            let first = block * PLACES;
            let count = PLACES.min(places - first);
            let mut sums = vec![0.0f32; outputs * PLACES];
            let mut columns = vec![0.0f32; DEPTH * PLACES];
            for (chunk, from) in (0..depth).step_by(DEPTH).enumerate() {
                let to = depth.min(from + DEPTH);
                let extent = |stride| Extent { rows: count, columns: to - from, stride };
                if phase.window().is_plain() {
                    transpose(&x[first * depth + from..], extent(depth), &mut columns, PLACES);
                } else {
                    with_scratch(PLACES * DEPTH, |rows| {
                        phase.window().fill(x, 0, (first, count), (from, to), (rows, DEPTH));
                        transpose(rows, extent(DEPTH), &mut columns, PLACES);
                    });
                }
                self.add(chunk, &columns, PLACES, &mut sums);
            }
            // SAFETY: every task has its own places.
            let mine = unsafe { y.part(first * outputs, count * outputs) };
            transpose(&sums, Extent { rows: outputs, columns: count, stride: PLACES }, mine, outputs);
            let offsets = phase.offsets(first, count, outputs);
            // SAFETY: as above.
            unsafe { finish::block(finish, None, block, y, &offsets, 0..outputs) };
        });
    }

    fn forward_bands(&self, threads: &Threads, n: usize, bands: Bands, x: &[f32], finish: &Finish<'_>, y: Shared) {
        let g = &self.geometry;
        let ([height, across], outputs) = (g.output(), g.outputs);
        let blocks = height.div_ceil(bands.rows);
        threads.each(n * blocks, |block| {
            let (image, top) = (block / blocks, block % blocks * bands.rows);
            let rows = bands.rows.min(height - top);
            let mut sums = vec![0.0f32; outputs * bands.places];
            let mut columns = vec![0.0f32; bands.channels * bands.column];
            for chunk in 0..self.chunks() {
                let from = chunk * bands.channels;
                let count = bands.channels.min(g.inputs - from);
                for row in 0..rows + g.kernel[0] - 1 {
                    let Some(line) = (top + row).checked_sub(g.pad).filter(|line| *line < g.size[0]) else { continue };
                    let start = (image * g.size[0] + line) * g.size[1] * g.inputs + from;
                    let extent = Extent { rows: g.size[1], columns: count, stride: g.inputs };
                    transpose(&x[start..], extent, &mut columns[row * bands.width + g.pad..], bands.column);
                }
                self.add(chunk, &columns, bands.places, &mut sums);
            }
            let first = (image * height + top) * across;
            for row in 0..rows {
                // SAFETY: every task has its own rows.
                let mine = unsafe { y.part((first + row * across) * outputs, across * outputs) };
                let extent = Extent { rows: outputs, columns: across, stride: bands.places };
                transpose(&sums[row * bands.width..], extent, mine, outputs);
            }
            let offsets: Vec<usize> = (first..first + rows * across).map(|pixel| pixel * outputs).collect();
            // SAFETY: as above.
            unsafe { finish::block(finish, None, block, y, &offsets, 0..outputs) };
        });
    }

    /// Adds the columns of a chunk to `sums`, `[output][place]`.
    fn add(&self, chunk: usize, columns: &[f32], places: usize, sums: &mut [f32]) {
        assert!(sums.len() >= self.geometry.outputs * places && places.is_multiple_of(STEP), "sums fit");
        let room = match self.form {
            Form::Taps => DEPTH * PLACES,
            Form::Bands(bands) => bands.channels * bands.column,
        };
        assert!(columns.len() >= room, "columns are complete");
        // SAFETY: sizes are checked above; offsets and the places behind them lie inside the columns of a chunk; the
        // processor has its level.
        unsafe {
            match level() {
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => x86::add_16(self, chunk, columns, places, sums),
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => x86::add_8(self, chunk, columns, places, sums),
                Level::Portable => add_with::<Lanes<16>>(self, chunk, columns, places, sums),
            }
        }
    }
}

impl Form {
    /// Returns the form that takes the least work, and that work, where `kept` weights are left.
    fn best(g: &Geometry, kept: usize) -> (Self, f64) {
        let work = |spread: f64, columns: usize| 1.6 * spread * kept as f64 / 16.0 + 0.6 * (columns + g.outputs) as f64;
        let taps = (Self::Taps, work(1.0, g.inputs * g.kernel[0] * g.kernel[1]));
        if g.stride != 1 || g.dilation != 1 || g.kernel == [1, 1] {
            return taps;
        }
        let bands = Bands::new(g);
        // A column of a very wide image has to be reached by 16 bits.
        if bands.channels * bands.column > usize::from(u16::MAX) {
            return taps;
        }
        let [height, across] = g.output();
        let whole = (height.div_ceil(bands.rows) * bands.places) as f64;
        let bands = (Self::Bands(bands), work(whole / (height * across) as f64, 2 * g.inputs));
        if bands.1 < taps.1 { bands } else { taps }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::simd::{Eight, Sixteen};
    use super::{Sparse, add_with};

    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
    pub(super) unsafe fn add_16(sparse: &Sparse, chunk: usize, columns: &[f32], places: usize, sums: &mut [f32]) {
        // SAFETY: the caller checked sizes and instructions.
        unsafe { add_with::<Sixteen>(sparse, chunk, columns, places, sums) }
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn add_8(sparse: &Sparse, chunk: usize, columns: &[f32], places: usize, sums: &mut [f32]) {
        // SAFETY: the caller checked sizes and instructions.
        unsafe { add_with::<Eight>(sparse, chunk, columns, places, sums) }
    }
}

/// Adds up to eight vectors of places at a time.
#[inline(always)]
unsafe fn add_with<V: Vector>(sparse: &Sparse, chunk: usize, columns: &[f32], places: usize, sums: &mut [f32]) {
    let mut first = 0;
    while first < places {
        let vectors = ((places - first) / V::LANES).min(8);
        // SAFETY: the caller checked that columns and sums fit.
        unsafe {
            match vectors {
                1 => add_vectors::<V, 1>(sparse, chunk, columns, [first, places], sums),
                2 => add_vectors::<V, 2>(sparse, chunk, columns, [first, places], sums),
                3 => add_vectors::<V, 3>(sparse, chunk, columns, [first, places], sums),
                4 => add_vectors::<V, 4>(sparse, chunk, columns, [first, places], sums),
                5 => add_vectors::<V, 5>(sparse, chunk, columns, [first, places], sums),
                6 => add_vectors::<V, 6>(sparse, chunk, columns, [first, places], sums),
                7 => add_vectors::<V, 7>(sparse, chunk, columns, [first, places], sums),
                _ => add_vectors::<V, 8>(sparse, chunk, columns, [first, places], sums),
            }
        }
        first += vectors * V::LANES;
    }
}

/// Adds `N` vectors of places from `first` on.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "loops over registers unroll by index")]
unsafe fn add_vectors<V: Vector, const N: usize>(
    sparse: &Sparse,
    chunk: usize,
    columns: &[f32],
    [first, places]: [usize; 2],
    sums: &mut [f32],
) {
    for output in 0..sparse.geometry.outputs {
        let at = chunk * sparse.geometry.outputs + output;
        let range = sparse.starts[at] as usize..sparse.starts[at + 1] as usize;
        let (offsets, weights) = (&sparse.offsets[range.clone()], &sparse.weights[range]);
        // SAFETY: the caller checked that columns and sums fit.
        unsafe {
            let columns = columns.as_ptr().add(first);
            let to = sums.as_mut_ptr().add(output * places + first);
            let mut totals = [V::splat(0.0); N];
            for n in 0..N {
                totals[n] = V::load(to.add(n * V::LANES));
            }
            for (offset, weight) in offsets.iter().zip(weights) {
                let weight = V::splat(*weight);
                let from = columns.add(*offset as usize);
                for n in 0..N {
                    totals[n] = totals[n].multiply_add(V::load(from.add(n * V::LANES)), weight);
                }
            }
            for n in 0..N {
                totals[n].store(to.add(n * V::LANES));
            }
        }
    }
}

//! The transforms of inputs, gradients, products and filters; most of them work on a vector of channels at a time.

#![expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]
#![expect(clippy::needless_range_loop, reason = "loops over registers unroll by index; closures would not be inlined")]

use std::ops::Range;

use super::super::Shared;
use super::super::simd::{Lanes, Level, Vector, level, vectorised};
use super::grid::{Inputs, MOST, Tiles, ZEROS};
use super::{LANES, SPOTS};

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
pub(super) fn input_tiles(
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
pub(super) struct Panels {
    /// Lanes of a panel.
    pub width: usize,
    /// Tiles that a panel has room for.
    pub room: usize,
    /// Distance of spots.
    pub apart: usize,
}

/// Lines of A dy Aᵀ of some tiles, counted from the first line and channel.
pub(super) fn gradient_tiles(
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
pub(super) unsafe fn output_tiles(
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

    use super::super::super::Shared;
    use super::super::super::simd::{Eight, Sixteen};
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
            for channel in range.clone().step_by(V::LANES) {
                let mut x = [[V::splat(0.0); 4]; 4];
                match &from {
                    Inputs::Whole(base) => {
                        for row in 0..4 {
                            for column in 0..4 {
                                x[row][column] = V::load(base.add((row * columns + column) * channels + channel));
                            }
                        }
                    }
                    Inputs::Cut(from) => {
                        for row in 0..4 {
                            for column in 0..4 {
                                x[row][column] = V::load(from[4 * row + column].add(channel));
                            }
                        }
                    }
                }
                input_lines(&lines, &x, to.add(channel - range.start), apart);
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

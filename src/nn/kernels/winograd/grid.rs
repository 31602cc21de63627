//! How tiles lie on images.

#![expect(clippy::inline_always, reason = "inlined into functions that enable vector instructions")]

use super::SPOTS;

/// How tiles of 2×2 outputs lie on images.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    /// Height and width of what is read and of what is written.
    pub from: [usize; 2],
    pub to: [usize; 2],
    /// Border of zeros around what is read.
    pad: usize,
    /// Rows and columns of tiles.
    tiles: [usize; 2],
}

/// Values outside an image, as many as there may be channels.
pub(super) static ZEROS: [f32; MOST] = [0.0; MOST];
/// Channels that a convolution may have at most.
pub(super) const MOST: usize = 8192;

/// Where the inputs of a tile are.
pub(super) enum Inputs {
    /// All inside the image: the first one.
    Whole(*const f32),
    /// Each by itself.
    Cut([*const f32; SPOTS]),
}

impl Grid {
    pub(super) fn new(from: [usize; 2], to: [usize; 2], pad: usize) -> Self {
        Self { from, to, pad, tiles: to.map(|extent| extent.div_ceil(2)) }
    }

    pub(super) fn count(&self, n: usize) -> usize {
        n * self.tiles[0] * self.tiles[1]
    }

    /// Lists image, row and column of some tiles.
    pub(super) fn places(&self, first: usize, count: usize) -> impl Iterator<Item = [usize; 3]> + use<> {
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
    pub(super) unsafe fn inputs(&self, x: *const f32, channels: usize, [image, row, column]: [usize; 3]) -> Inputs {
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
    pub(super) fn outputs(&self, [image, row, column]: [usize; 3]) -> [Option<usize>; 4] {
        let [height, width] = self.to;
        std::array::from_fn(|at| {
            let (y, x) = (2 * row + at / 2, 2 * column + at % 2);
            (y < height && x < width).then_some((image * height + y) * width + x)
        })
    }
}

/// Some tiles of a grid.
#[derive(Clone, Copy)]
pub(super) struct Tiles<'a> {
    pub grid: &'a Grid,
    pub first: usize,
    pub count: usize,
}

impl Tiles<'_> {
    /// Number of images that the tiles lie on or behind.
    pub(super) fn images(&self) -> usize {
        (self.first + self.count).div_ceil(self.grid.count(1))
    }
}

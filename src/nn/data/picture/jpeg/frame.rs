//! The frame: how large the picture is, what it consists of, and its samples before colours are mixed.

use super::Window;
use super::bits::Problem;
use super::transform::inverse;

/// Pixels of the largest picture that is read: decoding must not take all memory.
const LARGEST: usize = 178_956_970;

/// A picture in the making.
pub(super) struct Frame {
    pub width: usize,
    pub height: usize,
    /// Coefficients come in several scans.
    pub progressive: bool,
    pub components: Vec<Component>,
    /// Largest sampling factors.
    pub wide: usize,
    pub high: usize,
    /// Units of all components in a row, and rows of them.
    pub columns: usize,
    pub rows: usize,
    /// The part that is wanted.
    pub window: Window,
}

/// One colour channel.
pub(super) struct Component {
    pub id: u8,
    /// Blocks per unit.
    pub wide: usize,
    pub high: usize,
    /// Number of its table.
    table: usize,
    pub quantisation: [u16; 64],
    /// A scan has begun, which fixed `quantisation`.
    pub begun: bool,
    /// Samples that belong to the picture.
    pub width: usize,
    pub height: usize,
    /// Samples in a row of `plane`.
    pub stride: usize,
    /// Samples, with those that complete the units.
    pub plane: Vec<u8>,
    /// Coefficients of a progressive picture.
    coefficients: Vec<[i16; 64]>,
    /// Blocks that are wanted: columns, rows.
    wanted: [std::ops::Range<usize>; 2],
}

impl Frame {
    /// Reads the header of a frame and asks for the part that is wanted.
    pub(super) fn read(
        segment: &[u8],
        progressive: bool,
        window: &mut dyn FnMut(usize, usize) -> Window,
    ) -> Result<Self, Problem> {
        let [precision, h1, h0, w1, w0, count, rest @ ..] = segment else { return Err(short()) };
        if *precision != 8 {
            return Err(format!("has samples of {precision} bits, and only 8 are read"));
        }
        let number = |high: u8, low: u8| usize::from(u16::from_be_bytes([high, low]));
        let (height, width, count) = (number(*h1, *h0), number(*w1, *w0), usize::from(*count));
        if width == 0 || height == 0 || width * height > LARGEST {
            return Err(format!("has {width}×{height} pixels, which cannot be read"));
        }
        if !matches!(count, 1 | 3 | 4) || rest.len() < 3 * count {
            return Err(format!("has {count} channels, which cannot be read"));
        }
        let parts: Vec<[u8; 3]> = rest.chunks_exact(3).take(count).map(|part| [part[0], part[1], part[2]]).collect();
        let factors = |part: &[u8; 3]| (usize::from(part[1] >> 4), usize::from(part[1] & 15));
        if parts.iter().any(|part| !(1..=4).contains(&factors(part).0) || !(1..=4).contains(&factors(part).1)) {
            return Err("has impossible sampling factors".to_owned());
        }
        let wide = parts.iter().map(|part| factors(part).0).max().unwrap_or(1);
        let high = parts.iter().map(|part| factors(part).1).max().unwrap_or(1);
        let (columns, rows) = (width.div_ceil(8 * wide), height.div_ceil(8 * high));
        let mut frame = Self {
            width,
            height,
            progressive,
            components: Vec::new(),
            wide,
            high,
            columns,
            rows,
            window: Window::default(),
        };
        frame.window = window(width, height).within(width, height);
        for part in &parts {
            frame.add(part[0], factors(part), usize::from(part[2]))?;
        }
        Ok(frame)
    }

    fn add(&mut self, id: u8, (wide, high): (usize, usize), table: usize) -> Result<(), Problem> {
        if !self.wide.is_multiple_of(wide) || !self.high.is_multiple_of(high) {
            return Err("has sampling factors that do not divide each other".to_owned());
        }
        let Window { left, top, width, height } = self.window;
        let blocks = |from: usize, len: usize, own: usize, most: usize| {
            let first = (from * own / most).saturating_sub(1) / 8;
            first..((from + len) * own).div_ceil(most).div_ceil(8) + 1
        };
        let stride = self.columns * wide * 8;
        let count = self.columns * wide * self.rows * high;
        self.components.push(Component {
            id,
            wide,
            high,
            table,
            quantisation: [1; 64],
            begun: false,
            width: (self.width * wide).div_ceil(self.wide),
            height: (self.height * high).div_ceil(self.high),
            stride,
            plane: vec![0; count * 64],
            coefficients: if self.progressive { vec![[0; 64]; count] } else { Vec::new() },
            wanted: [blocks(left, width, wide, self.wide), blocks(top, height, high, self.high)],
        });
        Ok(())
    }

    /// Turns the coefficients of a progressive picture into samples.
    pub(super) fn finish(&mut self) {
        for component in &mut self.components {
            let columns = component.stride / 8;
            for (place, block) in component.coefficients.iter().enumerate() {
                let (x, y) = (place % columns, place / columns);
                if component.is_wanted(x, y) {
                    let start = (y * component.stride + x) * 8;
                    inverse(block, &component.quantisation, &mut component.plane[start..], component.stride);
                }
            }
        }
    }
}

impl Component {
    /// Takes the table that is in force when the first scan begins.
    pub(super) fn begin(&mut self, tables: &[Option<[u16; 64]>; 4]) -> Result<(), Problem> {
        if !self.begun {
            let table = tables.get(self.table).copied().flatten();
            self.quantisation = table.ok_or_else(|| "lacks a table of step sizes".to_owned())?;
            self.begun = true;
        }
        Ok(())
    }

    /// Blocks that hold samples of the picture: columns and rows.
    pub(super) fn own_blocks(&self) -> (usize, usize) {
        (self.width.div_ceil(8), self.height.div_ceil(8))
    }

    pub(super) fn coefficients(&mut self, x: usize, y: usize) -> &mut [i16; 64] {
        &mut self.coefficients[y * (self.stride / 8) + x]
    }

    #[inline]
    pub(super) fn is_wanted(&self, x: usize, y: usize) -> bool {
        self.wanted[0].contains(&x) && self.wanted[1].contains(&y)
    }
}

/// A segment that is shorter than what it must hold.
pub(super) fn short() -> Problem {
    "has a header that is cut short".to_owned()
}

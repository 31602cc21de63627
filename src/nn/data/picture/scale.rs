//! Scaling with a triangle filter that is as wide as the step between samples, in fixed point: rows first, then columns,
//! rounded to bytes after each, as Pillow scales.

#![expect(
    clippy::inline_always,
    reason = "code is compiled anew for every set of instructions that it is inlined into"
)]

use super::Raster;

/// Bits after the point of a weight.
const POINT: u32 = 22;

/// Where the samples of one output lie, and their weights.
struct Taps {
    /// First sample of each output.
    firsts: Vec<usize>,
    /// Weights of each output, `len` apiece, followed by zeros.
    weights: Vec<i32>,
    len: usize,
}

impl Taps {
    fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let reach = scale.max(1.0);
        let mut taps = Self { firsts: Vec::with_capacity(to), weights: Vec::new(), len: 0 };
        let mut rows = Vec::with_capacity(to);
        for place in 0..to {
            let centre = (place as f64 + 0.5) * scale;
            let first = (centre - reach + 0.5).max(0.0) as usize;
            let end = ((centre + reach + 0.5) as usize).min(from);
            let weight = |at: usize| (1.0 - ((at as f64 - centre + 0.5) / reach).abs()).max(0.0);
            let sum: f64 = (first..end).map(weight).sum();
            let fixed = |at: usize| (0.5 + weight(at) / sum * f64::from(1 << POINT)) as i32;
            let mut row: Vec<i32> = (first..end).map(fixed).collect();
            while row.len() > 1 && row.last() == Some(&0) {
                row.pop();
            }
            taps.len = taps.len.max(row.len());
            taps.firsts.push(first);
            rows.push(row);
        }
        for mut row in rows {
            row.resize(taps.len, 0);
            taps.weights.append(&mut row);
        }
        taps
    }
}

impl Raster {
    /// Scales to another size; a picture of this size already is copied.
    pub(in crate::nn::data) fn scale(&self, width: usize, height: usize) -> Self {
        let mut scaled = self.clone();
        if width != self.width {
            scaled.bytes = vec![0; width * self.height * self.channels];
            rows(self, &Taps::new(self.width, width), &mut scaled.bytes);
            scaled.width = width;
        }
        if height != self.height {
            let mut bytes = vec![0; width * height * self.channels];
            columns(&scaled, &Taps::new(self.height, height), &mut bytes);
            scaled.bytes = bytes;
            scaled.height = height;
        }
        scaled
    }
}

/// Runs `body`, compiled for the instructions that the processor has.
macro_rules! dispatch {
    ($name:ident, $body:ident) => {
        fn $name(from: &Raster, taps: &Taps, out: &mut [u8]) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn wide(from: &Raster, taps: &Taps, out: &mut [u8]) {
                    $body(from, taps, out);
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has these instructions.
                    return unsafe { wide(from, taps, out) };
                }
            }
            $body(from, taps, out);
        }
    };
}

dispatch!(rows, rows_anywhere);
dispatch!(columns, columns_anywhere);

#[inline(always)]
fn byte(sum: i32) -> u8 {
    (sum >> POINT).clamp(0, 255) as u8
}

/// Scales along rows, two at a time: four numbers for a pixel of each are one vector.
#[inline(always)]
fn rows_anywhere(from: &Raster, taps: &Taps, out: &mut [u8]) {
    let (channels, len) = (from.channels, taps.len);
    let (before, after) = (from.width * channels, taps.firsts.len() * channels);
    // Weights of zero may reach beyond the row.
    let mut line = vec![[0; 8]; from.width + len];
    for (pair, targets) in from.bytes.chunks(2 * before).zip(out.chunks_mut(2 * after)) {
        let (first, second) = pair.split_at(before);
        spread::<0>(first, channels, &mut line);
        spread::<4>(second, channels, &mut line);
        let (one, other) = targets.split_at_mut(after);
        let mut pixels = one.chunks_exact_mut(channels);
        let mut others = other.chunks_exact_mut(channels);
        for (first, weights) in taps.firsts.iter().zip(taps.weights.chunks_exact(len)) {
            let mut sums = [1 << (POINT - 1); 8];
            for (weight, sample) in weights.iter().zip(&line[*first..first + len]) {
                sums = std::array::from_fn(|lane| sums[lane] + weight * sample[lane]);
            }
            let bytes = sums.map(byte);
            pixels.next().into_iter().for_each(|pixel| pixel.copy_from_slice(&bytes[..channels]));
            others.next().into_iter().for_each(|pixel| pixel.copy_from_slice(&bytes[4..4 + channels]));
        }
    }
}

/// Writes the pixels of a row to lanes of a line of vectors.
#[inline(always)]
fn spread<const LANE: usize>(row: &[u8], channels: usize, line: &mut [[i32; 8]]) {
    for (wide, pixel) in line.iter_mut().zip(row.chunks_exact(channels)) {
        for (channel, byte) in pixel.iter().enumerate() {
            wide[LANE + channel] = i32::from(*byte);
        }
    }
}

/// Scales along columns.
#[inline(always)]
fn columns_anywhere(from: &Raster, taps: &Taps, out: &mut [u8]) {
    let width = from.width * from.channels;
    let mut sums = vec![0; width];
    for ((first, weights), target) in
        taps.firsts.iter().zip(taps.weights.chunks_exact(taps.len)).zip(out.chunks_exact_mut(width))
    {
        sums.fill(1 << (POINT - 1));
        for (row, weight) in from.bytes[first * width..].chunks_exact(width).zip(weights) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += weight * i32::from(*value);
            }
        }
        for (value, sum) in target.iter_mut().zip(&sums) {
            *value = byte(*sum);
        }
    }
}

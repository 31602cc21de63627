//! Enlarging activation maps as Pillow's bilinear filter does for 32-bit floats, straight to a mask.
//!
//! An output pixel is the mean of input pixels weighted by a triangle around its centre in the input, (x + ½)·in/out;
//! the triangle's half width is one input pixel (when enlarging) or one output pixel (when reducing), and weights are
//! renormalised at the border. Columns are done first; sums are taken in 64 bits and rounded to 32 after each step.

/// Weights along one axis.
#[derive(Debug)]
struct Axis {
    /// For each output pixel: the first input pixel and the range of weights.
    spans: Vec<(usize, usize, usize)>,
    weights: Vec<f64>,
}

impl Axis {
    fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let half = scale.max(1.0);
        let mut axis = Self { spans: Vec::with_capacity(to), weights: Vec::new() };
        for position in 0..to {
            let centre = (position as f64 + 0.5) * scale;
            let first = (centre - half + 0.5).max(0.0) as usize;
            let end = ((centre + half + 0.5) as usize).min(from);
            let start = axis.weights.len();
            axis.weights.extend((first..end).map(|x| (1.0 - ((x as f64 - centre + 0.5) / half).abs()).max(0.0)));
            let total: f64 = axis.weights[start..].iter().sum();
            axis.weights[start..].iter_mut().for_each(|weight| *weight /= total);
            axis.spans.push((first, start, axis.weights.len()));
        }
        axis
    }

    /// First input pixel and weights of an output pixel.
    fn at(&self, position: usize) -> (usize, &[f64]) {
        let (first, start, end) = self.spans[position];
        (first, &self.weights[start..end])
    }
}

/// Turns maps of one size into masks of another.
#[derive(Debug)]
pub(super) struct Resizer {
    columns: Axis,
    rows: Axis,
    width: usize,
}

/// Memory that is used again from map to map.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The map with its final width.
    wide: Vec<f32>,
    /// Largest value of each of its rows.
    peaks: Vec<f32>,
    /// The mask: pixel p is bit p mod 64 of word p / 64.
    pub(super) mask: Vec<u64>,
}

impl Resizer {
    /// Prepares for maps of `from` rows and columns and masks of `to`.
    pub(super) fn new(from: [usize; 2], to: [usize; 2]) -> Self {
        Self { columns: Axis::new(from[1], to[1]), rows: Axis::new(from[0], to[0]), width: from[1] }
    }

    /// Widens every row of a map to its final width.
    fn widen(&self, map: &[f32], scratch: &mut Scratch) {
        scratch.wide.clear();
        scratch.peaks.clear();
        for row in map.chunks_exact(self.width) {
            let start = scratch.wide.len();
            scratch.wide.extend((0..self.columns.spans.len()).map(|x| {
                let (first, weights) = self.columns.at(x);
                weights.iter().zip(&row[first..]).map(|(weight, &value)| weight * f64::from(value)).sum::<f64>() as f32
            }));
            scratch.peaks.push(scratch.wide[start..].iter().fold(f32::NEG_INFINITY, |peak, &value| peak.max(value)));
        }
    }

    /// A value of the resized map.
    fn value(&self, wide: &[f32], first: usize, weights: &[f64], x: usize) -> f32 {
        let width = self.columns.spans.len();
        let column = weights.iter().enumerate();
        column.map(|(row, weight)| weight * f64::from(wide[(first + row) * width + x])).sum::<f64>() as f32
    }

    /// Marks where the resized map is above the threshold, in `scratch.mask`; returns how many pixels that are.
    pub(super) fn mask(&self, map: &[f32], threshold: f32, scratch: &mut Scratch) -> u32 {
        let (height, width) = (self.rows.spans.len(), self.columns.spans.len());
        self.widen(map, scratch);
        scratch.mask.clear();
        scratch.mask.resize((height * width).div_ceil(64), 0);
        let mut count = 0;
        for y in 0..height {
            let (first, weights) = self.rows.at(y);
            // A weighted mean is never above the largest of its terms, nor is its rounded value.
            if scratch.peaks[first..first + weights.len()].iter().all(|&peak| peak <= threshold) {
                continue;
            }
            for x in 0..width {
                let above = self.value(&scratch.wide, first, weights, x) > threshold;
                let pixel = y * width + x;
                scratch.mask[pixel / 64] |= u64::from(above) << (pixel % 64);
                count += u32::from(above);
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resize(map: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
        let (resizer, mut scratch) = (Resizer::new(from, to), Scratch::default());
        resizer.widen(map, &mut scratch);
        let rows = (0..to[0]).map(|y| resizer.rows.at(y));
        rows.flat_map(|(first, weights)| (0..to[1]).map(move |x| (first, weights, x)))
            .map(|(first, weights, x)| resizer.value(&scratch.wide, first, weights, x))
            .collect()
    }

    fn floats(field: &str) -> Vec<f32> {
        field.split(' ').map(|bits| f32::from_bits(u32::from_str_radix(bits, 16).unwrap())).collect()
    }

    /// Against Pillow 13.0.0; the file is made by `tests/reference/pillow_resize.py`.
    #[test]
    fn values_have_the_bits_of_pillow() {
        let cases = include_str!("../../../tests/reference/fixtures/pillow_resize.csv");
        for case in cases.lines() {
            let fields: Vec<&str> = case.split(',').collect();
            let [h, w, to_h, to_w] = [0, 1, 2, 3].map(|i: usize| fields[i].parse::<usize>().unwrap());
            let resized = resize(&floats(fields[4]), [h, w], [to_h, to_w]);
            let rows = [0, to_h / 2, to_h - 1].map(|y| &resized[y * to_w..(y + 1) * to_w]).concat();
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&rows), bits(&floats(fields[5])), "{h}×{w} to {to_h}×{to_w}");
        }
        assert_eq!(cases.lines().count(), 9);
    }

    #[test]
    fn no_value_is_above_the_largest_corner() {
        for value in [0.1_f32, 1.0 / 3.0, 0.7, 1e-30, 3e37, -0.1] {
            for to in [[5, 7], [112, 112], [2, 2]] {
                assert!(resize(&[value; 9], [3, 3], to).iter().all(|&v| v <= value), "{value}");
            }
        }
    }

    #[test]
    fn a_mask_is_what_lies_above() {
        let map: Vec<f32> = (0..49_u32).map(|i| ((i * 37) % 23) as f32 - 9.0).collect();
        let (resizer, mut scratch) = (Resizer::new([7, 7], [20, 30]), Scratch::default());
        let resized = resize(&map, [7, 7], [20, 30]);
        for threshold in [-20.0, -3.0, 0.0, 8.0, 12.9, 13.0] {
            let count = resizer.mask(&map, threshold, &mut scratch);
            assert_eq!(count as usize, resized.iter().filter(|&&value| value > threshold).count());
            assert_eq!(scratch.mask.iter().map(|word| word.count_ones()).sum::<u32>(), count);
            for (pixel, &value) in resized.iter().enumerate() {
                assert_eq!(scratch.mask[pixel / 64] >> (pixel % 64) & 1 == 1, value > threshold);
            }
        }
    }
}

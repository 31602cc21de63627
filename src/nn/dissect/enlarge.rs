//! Enlarging activation maps to the size of labels, straight to a mask.
//!
//! All ways are bilinear and separable: an output pixel is a weighted mean of input pixels, with weights along columns and
//! rows. Sums are taken in 64 bits, columns first, and rounded to 32 bits at the end; Pillow rounds in between as well.

use crate::domain::arch::Field;
use crate::domain::dissection::Enlarge;

/// Weights along one axis.
#[derive(Debug, Default)]
struct Axis {
    /// For each output pixel: the first input pixel and the range of weights.
    spans: Vec<(usize, usize, usize)>,
    weights: Vec<f64>,
}

impl Axis {
    /// Adds an output pixel.
    fn push(&mut self, first: usize, weights: impl IntoIterator<Item = f64>) {
        let start = self.weights.len();
        self.weights.extend(weights);
        self.spans.push((first, start, self.weights.len()));
    }

    /// Pillow's triangle filter: a triangle around the output pixel's centre in the input, (x + ½)·from/to, whose half
    /// width is one input pixel (when enlarging) or one output pixel (when reducing); weights are renormalised at the
    /// border.
    fn triangle(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let half = scale.max(1.0);
        let mut axis = Self::default();
        for position in 0..to {
            let centre = (position as f64 + 0.5) * scale;
            let first = (centre - half + 0.5).max(0.0) as usize;
            let end = ((centre + half + 0.5) as usize).min(from);
            let raw = (first..end).map(|x| (1.0 - ((x as f64 - centre + 0.5) / half).abs()).max(0.0));
            let total: f64 = raw.clone().sum();
            axis.push(first, raw.map(|weight| weight / total));
        }
        axis
    }

    /// Linear between the input pixels, which stand at `anchors` on the output; beyond the outer ones the border is
    /// repeated.
    fn between(anchors: &[f64], to: usize) -> Self {
        let mut axis = Self::default();
        for position in 0..to {
            let right = anchors.partition_point(|&anchor| anchor <= position as f64);
            match (right.checked_sub(1), anchors.get(right)) {
                (None, _) => axis.push(0, [1.0]),
                (Some(last), None) => axis.push(last, [1.0]),
                (Some(left), Some(&next)) => {
                    let share = (position as f64 - anchors[left]) / (next - anchors[left]);
                    axis.push(left, [1.0 - share, share]);
                }
            }
        }
        axis
    }

    /// Linear between the centres of equal cells, and to zero beyond the outer ones.
    fn fading(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let mut axis = Self::default();
        for position in 0..to {
            let source = (position as f64 + 0.5) * scale - 0.5;
            let (left, share) = (source.floor(), source - source.floor());
            let inside = |at: f64| at >= 0.0 && at < from as f64;
            let taps = [(left, 1.0 - share), (left + 1.0, share)];
            let first = taps.iter().find(|(at, _)| inside(*at)).map_or(0, |(at, _)| *at as usize);
            axis.push(first, taps.into_iter().filter(|(at, _)| inside(*at)).map(|(_, weight)| weight));
        }
        axis
    }

    /// First input pixel and weights of an output pixel.
    fn at(&self, position: usize) -> (usize, &[f64]) {
        let (first, start, end) = self.spans[position];
        (first, &self.weights[start..end])
    }
}

/// Where the `count` positions of a field stand on an image that is reduced by whole number `reduction`, in its pixels
/// (NetDissect 2017 counts in whole pixels throughout). Nothing if neighbours would fall together.
fn anchors(field: Field, count: usize, reduction: i64) -> Option<Vec<f64>> {
    let first = (field.size / 2 + field.offset).div_euclid(reduction);
    let step = field.step / reduction;
    (step > 0 || count == 1).then(|| (0..count as i64).map(|place| (first + place * step) as f64).collect())
}

/// How maps of one size become masks of another.
#[derive(Debug)]
pub(super) struct Enlarger {
    columns: Axis,
    rows: Axis,
    width: usize,
    /// Rounds widened rows to 32 bits.
    rounds: bool,
    /// Zeros beyond the border take part in the means.
    fades: bool,
}

/// Sizes that an enlarging goes between, all as rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Of a map.
    pub(super) map: [usize; 2],
    /// Of a mask.
    pub(super) mask: [usize; 2],
    /// Of the image that the network sees.
    pub(super) image: [usize; 2],
}

/// Memory that is used again from map to map.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The map with its final width.
    wide: Vec<f64>,
    /// Largest value of each of its rows.
    peaks: Vec<f64>,
    /// The mask: pixel p is bit p mod 64 of word p / 64.
    pub(super) mask: Vec<u64>,
}

impl Enlarger {
    /// Prepares for maps and masks of given sizes; `field` says where the layer's positions stand on the image.
    ///
    /// # Errors
    /// If positions would fall together on the mask.
    pub(super) fn new(way: Enlarge, sizes: Sizes, field: Option<Field>) -> Result<Self, String> {
        let axis = |at: usize| {
            let [from, to, image] = [sizes.map[at], sizes.mask[at], sizes.image[at]];
            let cell = (image / from.max(1)) as i64;
            let stand = |field: Field| {
                let reduction = (image as f64 / to as f64).round().max(1.0) as i64;
                anchors(field, from, reduction).map(|anchors| Axis::between(&anchors, to)).ok_or_else(|| {
                    format!(
                        "positions of the layer stand {} pixels apart, closer than the {reduction} of a label's pixel; \
                         enlarge by `half_pixel`",
                        field.step
                    )
                })
            };
            match way {
                Enlarge::Pillow => Ok(Axis::triangle(from, to)),
                Enlarge::Fields => {
                    stand(field.ok_or_else(|| "the layer's positions have no place on the image".to_owned())?)
                }
                Enlarge::Cells => stand(Field { offset: 0, size: cell, step: cell }),
                Enlarge::HalfPixel => {
                    let scale = to as f64 / from as f64;
                    let centres: Vec<f64> = (0..from).map(|x| (x as f64 + 0.5) * scale - 0.5).collect();
                    Ok(Axis::between(&centres, to))
                }
                Enlarge::HalfPixelZeros => Ok(Axis::fading(from, to)),
            }
        };
        Ok(Self {
            columns: axis(1)?,
            rows: axis(0)?,
            width: sizes.map[1],
            rounds: way == Enlarge::Pillow,
            fades: way == Enlarge::HalfPixelZeros,
        })
    }

    /// Whether any value of an enlarged map can be above the threshold: means are never above their largest term.
    pub(super) fn reaches(&self, map: &[f32], threshold: f32) -> bool {
        (self.fades && threshold < 0.0) || map.iter().any(|&value| value > threshold)
    }

    /// Widens every row of a map to its final width.
    fn widen(&self, map: &[f32], scratch: &mut Scratch) {
        scratch.wide.clear();
        scratch.peaks.clear();
        for row in map.chunks_exact(self.width) {
            let start = scratch.wide.len();
            scratch.wide.extend((0..self.columns.spans.len()).map(|x| {
                let (first, weights) = self.columns.at(x);
                let mean = weights.iter().zip(&row[first..]).map(|(weight, &value)| weight * f64::from(value)).sum();
                if self.rounds { f64::from(mean as f32) } else { mean }
            }));
            let floor = if self.fades { 0.0 } else { f64::NEG_INFINITY };
            scratch.peaks.push(scratch.wide[start..].iter().fold(floor, |peak, &value| peak.max(value)));
        }
    }

    /// A value of the enlarged map.
    fn value(&self, wide: &[f64], first: usize, weights: &[f64], x: usize) -> f32 {
        let width = self.columns.spans.len();
        let column = weights.iter().enumerate();
        column.map(|(row, weight)| weight * wide[(first + row) * width + x]).sum::<f64>() as f32
    }

    /// Enlarges a map in full, into `values`.
    pub(super) fn enlarge(&self, map: &[f32], scratch: &mut Scratch, values: &mut Vec<f32>) {
        self.widen(map, scratch);
        values.clear();
        for y in 0..self.rows.spans.len() {
            let (first, weights) = self.rows.at(y);
            values.extend((0..self.columns.spans.len()).map(|x| self.value(&scratch.wide, first, weights, x)));
        }
    }

    /// Marks where the enlarged map is above the threshold, in `scratch.mask`; returns how many pixels that are.
    pub(super) fn mask(&self, map: &[f32], threshold: f32, scratch: &mut Scratch) -> u32 {
        let (height, width) = (self.rows.spans.len(), self.columns.spans.len());
        self.widen(map, scratch);
        scratch.mask.clear();
        scratch.mask.resize((height * width).div_ceil(64), 0);
        let mut count = 0;
        for y in 0..height {
            let (first, weights) = self.rows.at(y);
            // A weighted mean is never above the largest of its terms, nor is its rounded value. Where zeros beyond the
            // border take part, they are terms too, as `peaks` knows.
            let high = |&peak: &f64| peak > f64::from(threshold);
            let taken = &scratch.peaks[first..first + weights.len()];
            if !(taken.iter().any(high) || self.fades && threshold < 0.0) {
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

    fn made(way: Enlarge, from: [usize; 2], to: [usize; 2], field: Option<Field>) -> Enlarger {
        Enlarger::new(way, Sizes { map: from, mask: to, image: [2 * to[0], 2 * to[1]] }, field).unwrap()
    }

    fn pillow(from: [usize; 2], to: [usize; 2]) -> Enlarger {
        made(Enlarge::Pillow, from, to, None)
    }

    fn resize(map: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
        full(&pillow(from, to), map)
    }

    fn full(enlarger: &Enlarger, map: &[f32]) -> Vec<f32> {
        let mut values = Vec::new();
        enlarger.enlarge(map, &mut Scratch::default(), &mut values);
        values
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
        let (enlarger, mut scratch) = (pillow([7, 7], [20, 30]), Scratch::default());
        let resized = resize(&map, [7, 7], [20, 30]);
        for threshold in [-20.0, -3.0, 0.0, 8.0, 12.9, 13.0] {
            let count = enlarger.mask(&map, threshold, &mut scratch);
            assert_eq!(count as usize, resized.iter().filter(|&&value| value > threshold).count());
            assert_eq!(scratch.mask.iter().map(|word| word.count_ones()).sum::<u32>(), count);
            for (pixel, &value) in resized.iter().enumerate() {
                assert_eq!(scratch.mask[pixel / 64] >> (pixel % 64) & 1 == 1, value > threshold);
            }
        }
    }

    #[test]
    fn half_pixels_stand_in_the_middle_of_cells() {
        // Two cells of four pixels: centres at 1.5 and 5.5.
        let row = |way| full(&made(way, [1, 2], [1, 8], None), &[0.0, 8.0]);
        assert_eq!(row(Enlarge::HalfPixel), [0.0, 0.0, 1.0, 3.0, 5.0, 7.0, 8.0, 8.0]);
        let fading = made(Enlarge::HalfPixelZeros, [1, 2], [1, 8], None);
        // One row: it fades vertically too, but its centre is on the only output row.
        assert_eq!(full(&fading, &[8.0, 8.0]), [5.0, 7.0, 8.0, 8.0, 8.0, 8.0, 7.0, 5.0]);
        assert!(fading.reaches(&[-8.0, -8.0], -7.0) && !fading.reaches(&[-8.0, -8.0], 0.0));
        let mut scratch = Scratch::default();
        assert_eq!(fading.mask(&[-8.0, -8.0], -7.5, &mut scratch), 4);
    }

    #[test]
    fn anchors_are_whole_pixels_at_the_centres_of_fields() {
        // ResNet's last layer at 224 pixels, labels of 112: fields are centred on multiples of 32, cells on 16 + 32 i.
        let field = Field { offset: -213, size: 427, step: 32 };
        let expected: Vec<f64> = (0..7).map(|i| f64::from(16 * i)).collect();
        assert_eq!(anchors(field, 7, 2), Some(expected));
        let cell = Field { offset: 0, size: 32, step: 32 };
        assert_eq!(anchors(cell, 7, 2).map(|found| (found[0], found[6])), Some((8.0, 104.0)));
        let row = full(&made(Enlarge::Cells, [1, 2], [1, 8], None), &[0.0, 4.0]);
        assert_eq!(row, [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
        assert_eq!(anchors(Field { offset: 0, size: 1, step: 1 }, 3, 2), None);
    }
}

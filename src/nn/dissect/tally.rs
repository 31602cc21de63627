//! Counting one image: pixels of masks, of labels, and of both.

use super::resize::{Resizer, Scratch};
use super::threshold::Threshold;
use crate::nn::data::broden::Segmentation;

/// What one image contributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageTally {
    /// Labels in it with their pixels, by number. Pixels count once for every layer that has the label.
    pub labels: Vec<(u32, u32)>,
    /// Units with a mask in it, by number from 0.
    pub units: Vec<UnitTally>,
}

/// A unit's mask in one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitTally {
    /// Number from 0.
    pub unit: u32,
    /// Pixels of the mask, at least 1.
    pub pixels: u32,
    /// Labels under the mask with their pixels, by number; counted as in [`ImageTally::labels`].
    pub overlaps: Vec<(u32, u32)>,
}

/// Where a label is: in one layer, as bits, or everywhere.
enum Region {
    Bits(Vec<u64>),
    Everywhere,
}

/// The labelled regions of an image, ordered by label.
fn regions(segmentation: &Segmentation) -> Vec<(u32, Region)> {
    let words = (segmentation.height * segmentation.width).div_ceil(64);
    let mut found: Vec<(u32, Region)> = segmentation.whole.iter().map(|&label| (label, Region::Everywhere)).collect();
    for layer in &segmentation.layers {
        let mut labels: Vec<u32> = layer.clone();
        labels.sort_unstable();
        labels.dedup();
        let mut bits = vec![vec![0_u64; words]; labels.len()];
        let (mut last, mut place) = (0, None);
        for (pixel, &label) in layer.iter().enumerate() {
            if label == 0 {
                continue;
            }
            if label != last {
                (last, place) = (label, labels.binary_search(&label).ok());
            }
            if let Some(place) = place {
                bits[place][pixel / 64] |= 1 << (pixel % 64);
            }
        }
        let labelled = labels.into_iter().zip(bits).filter(|&(label, _)| label != 0);
        found.extend(labelled.map(|(label, bits)| (label, Region::Bits(bits))));
    }
    // A stable sort: layers keep their order, though no count depends on it.
    found.sort_by_key(|&(label, _)| label);
    found
}

/// Sums counts of equal labels, which are neighbours, and drops zeros.
fn merge(counts: impl Iterator<Item = (u32, u32)>) -> Vec<(u32, u32)> {
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for (label, count) in counts.filter(|&(_, count)| count > 0) {
        match merged.last_mut() {
            Some((last, sum)) if *last == label => *sum += count,
            _ => merged.push((label, count)),
        }
    }
    merged
}

/// Counts an image. `maps` holds the map of every unit, each of `from` rows and columns.
pub(super) fn tally(
    maps: &[f32],
    from: [usize; 2],
    thresholds: &[Threshold],
    segmentation: &Segmentation,
    scratch: &mut Scratch,
) -> ImageTally {
    let to = [segmentation.height, segmentation.width];
    let all = (to[0] * to[1]) as u32;
    let resizer = Resizer::new(from, to);
    let regions = regions(segmentation);
    let ones = |words: &[u64]| words.iter().map(|word| word.count_ones()).sum::<u32>();
    let labels = merge(regions.iter().map(|(label, region)| match region {
        Region::Bits(bits) => (*label, ones(bits)),
        Region::Everywhere => (*label, all),
    }));
    let mut units = Vec::new();
    for (unit, (map, threshold)) in maps.chunks_exact(from[0] * from[1]).zip(thresholds).enumerate() {
        // Weighted means of values at or below the threshold stay there: most units end here.
        if !map.iter().any(|&value| value > threshold.value) {
            continue;
        }
        let pixels = resizer.mask(map, threshold.value, scratch);
        if pixels == 0 {
            continue;
        }
        let overlaps = merge(regions.iter().map(|(label, region)| match region {
            Region::Bits(bits) => (*label, bits.iter().zip(&scratch.mask).map(|(a, b)| (a & b).count_ones()).sum()),
            Region::Everywhere => (*label, pixels),
        }));
        units.push(UnitTally { unit: unit as u32, pixels, overlaps });
    }
    ImageTally { labels, units }
}

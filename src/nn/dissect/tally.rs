//! Counting one image: pixels of masks, of labels, and of both.

use super::enlarge::{Enlarger, Scratch};
use super::masks;
use crate::domain::dissection::Repeats;
use crate::nn::data::broden::Segmentation;

/// What one image contributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageTally {
    /// Row of the probe's index, from 0.
    pub row: u32,
    /// Whether the index marks it `val`.
    pub held_out: bool,
    /// Pixels of its labels, rows times columns.
    pub area: u32,
    /// Labels in it with their pixels, by number; how often a pixel counts that several layers label alike is a rule of
    /// the measurement.
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
#[derive(Clone)]
pub(super) enum Region {
    Bits(Vec<u64>),
    Everywhere,
}

impl Region {
    /// Adds another region.
    fn join(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Everywhere, _) => {}
            (_, Self::Everywhere) => *self = Self::Everywhere,
            (Self::Bits(all), Self::Bits(more)) => all.iter_mut().zip(more).for_each(|(word, more)| *word |= more),
        }
    }
}

/// The labelled regions of an image, ordered by label; a label may have several.
pub(super) fn regions(segmentation: &Segmentation) -> Vec<(u32, Region)> {
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

/// Makes one region of each label.
fn joined(regions: &[(u32, Region)]) -> Vec<(u32, Region)> {
    let mut all: Vec<(u32, Region)> = Vec::new();
    for (label, region) in regions {
        match all.last_mut() {
            Some((last, joined)) if last == label => joined.join(region),
            _ => all.push((*label, region.clone())),
        }
    }
    all
}

/// The regions that count in a label's own pixels, and those that count under masks.
pub(super) fn counted(segmentation: &Segmentation, repeats: Repeats) -> [Vec<(u32, Region)>; 2] {
    let each = regions(segmentation);
    match repeats {
        Repeats::Each => [each.clone(), each],
        Repeats::Truth => {
            let once = joined(&each);
            [each, once]
        }
        Repeats::Once => {
            let once = joined(&each);
            [once.clone(), once]
        }
    }
}

/// Sums counts of equal labels, which are neighbours, and drops zeros.
pub(super) fn merge(counts: impl Iterator<Item = (u32, u32)>) -> Vec<(u32, u32)> {
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for (label, count) in counts.filter(|&(_, count)| count > 0) {
        match merged.last_mut() {
            Some((last, sum)) if *last == label => *sum += count,
            _ => merged.push((label, count)),
        }
    }
    merged
}

/// Counts pixels of labels.
pub(super) fn label_pixels(regions: &[(u32, Region)], area: u32) -> Vec<(u32, u32)> {
    merge(regions.iter().map(|(label, region)| match region {
        Region::Bits(bits) => (*label, bits.iter().map(|word| word.count_ones()).sum()),
        Region::Everywhere => (*label, area),
    }))
}

/// Counts pixels of labels under a mask of so many pixels.
pub(super) fn overlaps(regions: &[(u32, Region)], mask: &[u64], pixels: u32) -> Vec<(u32, u32)> {
    merge(regions.iter().map(|(label, region)| match region {
        Region::Bits(bits) => (*label, bits.iter().zip(mask).map(|(a, b)| (a & b).count_ones()).sum()),
        Region::Everywhere => (*label, pixels),
    }))
}

/// Counts an image and appends its masks to `masks`. `maps` holds the map of every unit, each of `plane` values.
pub(super) fn tally(
    maps: &[f32],
    plane: usize,
    thresholds: &[f32],
    segmentation: &Segmentation,
    (enlarger, repeats): (&Enlarger, Repeats),
    (scratch, masks): (&mut Scratch, &mut Vec<u32>),
) -> ImageTally {
    let area = (segmentation.height * segmentation.width) as u32;
    let [truth, under] = counted(segmentation, repeats);
    let mut units = Vec::new();
    for (unit, (map, &threshold)) in maps.chunks_exact(plane).zip(thresholds).enumerate() {
        // Most units end here, before anything is enlarged.
        if !enlarger.reaches(map, threshold) {
            continue;
        }
        let pixels = enlarger.mask(map, threshold, scratch);
        if pixels == 0 {
            continue;
        }
        masks::append(&scratch.mask, masks);
        units.push(UnitTally { unit: unit as u32, pixels, overlaps: overlaps(&under, &scratch.mask, pixels) });
    }
    ImageTally { labels: label_pixels(&truth, area), area, units, ..ImageTally::default() }
}

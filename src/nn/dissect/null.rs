//! What agreement with labels chance alone would give: the same masks on other images, or elsewhere in the image.

use rayon::prelude::*;

use super::masks::{ImageMasks, Runs};
use super::record::Tallies;
use super::score::{Sums, reaches, score};
use super::tally::{ImageTally, Region, UnitTally, counted, merge};
use super::{DissectError, Watch, start};
use crate::domain::dissection::{Null, NullTest, Portion, Scoring};
use crate::nn::data::broden::Segmentation;
use crate::nn::rng::Stream;

/// Repetitions between two looks at whoever waits.
const ROUND: u32 = 16;

/// What a null distribution says of a dissection.
#[derive(Clone, Debug, PartialEq)]
pub struct Chance {
    /// For each unit the share of repetitions, itself included, in which its best IoU is at least the one found.
    pub p_values: Vec<f64>,
    /// The same, adjusted for the number of units (Benjamini and Hochberg 1995).
    pub adjusted: Vec<f64>,
    /// For each unit the mean of its best IoU over the repetitions.
    pub expected: Vec<f64>,
    /// For each repetition the number of units that count as interpretable.
    pub units: Vec<u64>,
}

/// An image for the null distribution: which labels are where, which masks.
struct Scene {
    tally: ImageTally,
    /// Labels under masks.
    regions: Vec<(u32, Region)>,
    masks: ImageMasks,
}

/// Tests every unit of a dissection against chance. The statistic is a unit's largest IoU over all labels, so that the
/// choice among labels is accounted for. `labels` gives the labels of a row of the probe's index.
///
/// # Errors
/// If labels or masks cannot be read, or `watch` says to stop.
pub fn null_test(
    tallies: &Tallies,
    masks: impl Iterator<Item = std::io::Result<ImageMasks>>,
    labels: &mut dyn FnMut(usize) -> Result<Segmentation, DissectError>,
    scoring: &Scoring,
    test: &NullTest,
    threads: usize,
    watch: &mut dyn Watch,
) -> Result<Chance, DissectError> {
    let heading = &tallies.heading;
    let mut scenes = Vec::new();
    for (tally, masks) in tallies.images.iter().zip(masks) {
        let masks = masks.map_err(|error| DissectError::System(format!("the masks cannot be read: {error}")))?;
        let taken = match scoring.on {
            Portion::All => true,
            Portion::Train => !tally.held_out,
            Portion::Val => tally.held_out,
        };
        if taken {
            let [_, regions] = counted(&labels(tally.row as usize)?, heading.measurement.repeats);
            scenes.push(Scene { tally: tally.clone(), regions, masks });
        }
    }
    let found: Vec<f64> = {
        let fixed = Scoring { choose: scoring.on, ..*scoring };
        score(tallies, &fixed).units.iter().map(super::Unit::score).collect()
    };
    let stream = Stream::new(&test.seed, "null");
    let pool = start(threads)?;
    let groups = alike(&scenes);
    let mut chance = Chance {
        p_values: vec![1.0; found.len()],
        adjusted: Vec::new(),
        expected: vec![0.0; found.len()],
        units: Vec::new(),
    };
    for first in (0..test.times).step_by(ROUND as usize) {
        let last = (first + ROUND).min(test.times);
        let largest: Vec<Vec<f64>> = pool.install(|| {
            let repeat = |number: u32| repetition(&scenes, &groups, tallies, scoring, (test.null, &stream, number));
            (first..last).into_par_iter().map(repeat).collect()
        });
        for largest in largest {
            for (unit, &value) in largest.iter().enumerate() {
                chance.p_values[unit] += f64::from(u8::from(value >= found[unit]));
                chance.expected[unit] += value;
            }
            chance.units.push(largest.iter().filter(|&&value| reaches(scoring, value)).count() as u64);
        }
        watch.progress(last as usize, test.times as usize);
        if watch.stop() {
            return Err(DissectError::Stopped);
        }
    }
    chance.p_values.iter_mut().for_each(|p| *p /= f64::from(test.times) + 1.0);
    chance.expected.iter_mut().for_each(|mean| *mean /= f64::from(test.times));
    chance.adjusted = benjamini_hochberg(&chance.p_values);
    Ok(chance)
}

/// Groups of images with labels of one size, among which masks may move.
fn alike(scenes: &[Scene]) -> Vec<Vec<usize>> {
    let mut groups: std::collections::BTreeMap<(usize, usize), Vec<usize>> = std::collections::BTreeMap::new();
    for (place, scene) in scenes.iter().enumerate() {
        groups.entry((scene.masks.height, scene.masks.width)).or_default().push(place);
    }
    groups.into_values().collect()
}

/// The largest IoU of every unit in one repetition.
fn repetition(
    scenes: &[Scene],
    groups: &[Vec<usize>],
    tallies: &Tallies,
    scoring: &Scoring,
    (null, stream, number): (Null, &Stream, u32),
) -> Vec<f64> {
    let heading = &tallies.heading;
    let mut partner: Vec<usize> = (0..scenes.len()).collect();
    if null == Null::Permutation {
        let mut numbers = stream.at(number, 0);
        for group in groups {
            for (place, other) in group.iter().zip(numbers.permutation(group.len())) {
                partner[*place] = group[other];
            }
        }
    }
    let mut sums = Sums::new(scoring.counted, heading);
    for (place, scene) in scenes.iter().enumerate() {
        let other = &scenes[partner[place]];
        let moved;
        let regions = if null == Null::Shift {
            let [height, width] = [scene.masks.height as u64, scene.masks.width as u64];
            // Any place but its own: the first number is the distance along the rows, read as one line.
            let distance = 1 + stream.at(number, place as u64).below(height * width - u64::from(height * width > 1));
            moved = shifted(&other.regions, [height, width].map(|side| side as usize), distance as usize);
            &moved
        } else {
            &other.regions
        };
        let units = scene.tally.units.iter().zip(&scene.masks.runs);
        let units = units.map(|(unit, runs)| UnitTally {
            unit: unit.unit,
            pixels: unit.pixels,
            overlaps: under(regions, runs, unit.pixels),
        });
        let tally = ImageTally { labels: other.tally.labels.clone(), units: units.collect(), ..scene.tally };
        sums.add(&tally, &heading.primary, 1);
    }
    (0..heading.units.len()).map(|unit| sums.largest(unit, &heading.primary)).collect()
}

/// Counts pixels of labels under a mask.
fn under(regions: &[(u32, Region)], runs: &Runs, pixels: u32) -> Vec<(u32, u32)> {
    merge(regions.iter().map(|(label, region)| match region {
        Region::Everywhere => (*label, pixels),
        Region::Bits(bits) => {
            let mut at = 0_usize;
            let counts = runs.iter().map(|&(gap, length)| {
                let start = at + gap as usize;
                at = start + length as usize;
                ones(bits, start, at)
            });
            (*label, counts.sum())
        }
    }))
}

/// Counts the ones from bit `start` up to `end`.
fn ones(bits: &[u64], start: usize, end: usize) -> u32 {
    let end = end.min(bits.len() * 64);
    if start >= end {
        return 0;
    }
    let (first, last) = (start / 64, (end - 1) / 64);
    let (head, tail) = (!0_u64 << (start % 64), !0_u64 >> (63 - (end - 1) % 64));
    if first == last {
        return (bits[first] & head & tail).count_ones();
    }
    let middle: u32 = bits[first + 1..last].iter().map(|word| word.count_ones()).sum();
    (bits[first] & head).count_ones() + middle + (bits[last] & tail).count_ones()
}

/// Moves regions down and right, and what leaves the image on one side comes in on the other.
fn shifted(regions: &[(u32, Region)], [height, width]: [usize; 2], distance: usize) -> Vec<(u32, Region)> {
    let (down, right) = (distance / width, distance % width);
    let moved = |bits: &Vec<u64>| {
        let mut moved = vec![0_u64; bits.len()];
        for (word, &left) in bits.iter().enumerate() {
            let mut left = left;
            while left != 0 {
                let pixel = word * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                let (y, x) = ((pixel / width + down) % height, (pixel % width + right) % width);
                moved[(y * width + x) / 64] |= 1 << ((y * width + x) % 64);
            }
        }
        moved
    };
    let region = |region: &Region| match region {
        Region::Bits(bits) => Region::Bits(moved(bits)),
        Region::Everywhere => Region::Everywhere,
    };
    regions.iter().map(|(label, found)| (*label, region(found))).collect()
}

/// Adjusts p-values so that those up to q form a set of which at most the share q is expected to be false (Benjamini and
/// Hochberg 1995).
fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let count = p_values.len() as f64;
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[b].total_cmp(&p_values[a]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least = 1.0_f64;
    for (from_top, place) in order.into_iter().enumerate() {
        least = least.min(p_values[place] * count / (count - from_top as f64));
        adjusted[place] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::super::record::{Heading, UnitSummary};
    use super::*;
    use crate::domain::dissection::{Counted, Measurement};
    use crate::domain::seed::Seed;

    const IMAGES: usize = 40;

    /// Images of 6 × 8 pixels, each with label 1 or 2 on a square; unit 0 marks the square of label 1, unit 1 a fixed
    /// place, unit 2 nothing.
    fn sample() -> (Tallies, Vec<ImageMasks>, Vec<Segmentation>) {
        let (mut images, mut masks, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for image in 0..IMAGES {
            let (top, left) = (image % 4, (image / 4) % 6);
            let label = 1 + (image % 2) as u32;
            let mut layer = vec![0; 48];
            let square: Vec<usize> = [0, 1, 8, 9].map(|offset| top * 8 + left + offset).to_vec();
            square.iter().for_each(|&pixel| layer[pixel] = label);
            let marks = [if label == 1 { square.clone() } else { Vec::new() }, vec![27, 28]];
            let (mut runs, mut units): (Vec<Runs>, Vec<UnitTally>) = (Vec::new(), Vec::new());
            for (unit, pixels) in marks.iter().enumerate().filter(|(_, pixels)| !pixels.is_empty()) {
                let mut bits = vec![0_u64];
                pixels.iter().for_each(|pixel| bits[0] |= 1 << pixel);
                let mut numbers = Vec::new();
                super::super::masks::append(&bits, &mut numbers);
                runs.push(numbers[1..].chunks(2).map(|pair| (pair[0], pair[1])).collect());
                let shared = pixels.iter().filter(|&&pixel| layer[pixel] == label).count() as u32;
                let overlaps = if shared > 0 { vec![(label, shared)] } else { Vec::new() };
                units.push(UnitTally { unit: unit as u32, pixels: pixels.len() as u32, overlaps });
            }
            images.push(ImageTally {
                row: image as u32,
                area: 48,
                labels: vec![(label, 4)],
                units,
                ..ImageTally::default()
            });
            masks.push(ImageMasks { height: 6, width: 8, runs });
            labels.push(Segmentation { height: 6, width: 8, whole: Vec::new(), layers: vec![layer] });
        }
        let heading = Heading {
            measurement: Measurement::lite("layer"),
            categories: vec!["object".to_owned()],
            labels: ["", "a", "b"].map(str::to_owned).to_vec(),
            primary: vec![0; 3],
            units: vec![UnitSummary::default(); 3],
        };
        (Tallies { heading, images }, masks, labels)
    }

    fn run(null: Null, threads: usize) -> Chance {
        let (tallies, masks, labels) = sample();
        let scoring =
            Scoring { counted: Counted::Category, iou: 0.04, above: false, choose: Portion::All, on: Portion::All };
        let test = NullTest { null, times: 199, seed: Seed { root: 3, stream: Vec::new() } };
        let masks = masks.into_iter().map(Ok);
        null_test(&tallies, masks, &mut |row| Ok(labels[row].clone()), &scoring, &test, threads, &mut ()).unwrap()
    }

    #[test]
    fn a_unit_that_follows_its_label_stands_out_and_others_do_not() {
        for null in [Null::Permutation, Null::Shift] {
            let chance = run(null, 2);
            assert!((chance.p_values[0] - 1.0 / 200.0).abs() < 1e-12, "{null:?}");
            assert!(chance.p_values[1] > 0.05, "{null:?}: {}", chance.p_values[1]);
            assert!((chance.p_values[2] - 1.0).abs() + chance.expected[2].abs() < 1e-12);
            assert!(chance.adjusted[0] <= 0.05 && chance.adjusted[1] > 0.05);
            assert!(chance.expected[0] > 0.0 && chance.expected[0] < 0.5, "{:?}", chance.expected);
            assert_eq!(chance.units.len(), 199);
            assert_eq!(run(null, 1), chance, "threads change nothing");
        }
    }

    #[test]
    fn ones_are_counted_between_any_bits() {
        let bits = [0xDEAD_BEEF_0123_4567_u64, 0xF0F0_F0F0_1234_5678, 0x8000_0000_0000_0001];
        for start in 0..190 {
            for end in start..192 {
                let plain = (start..end).filter(|&bit| bits[bit / 64] >> (bit % 64) & 1 == 1).count() as u32;
                assert_eq!(ones(&bits, start, end), plain, "{start} {end}");
            }
        }
    }

    #[test]
    fn regions_come_round() {
        let bits = vec![1 | 1 << 47];
        let [(_, Region::Bits(moved))] = &shifted(&[(1, Region::Bits(bits))], [6, 8], 8 + 1)[..] else { panic!() };
        // From (0, 0) to (1, 1), from (5, 7) to (0, 0).
        assert_eq!(moved[0], 1 | 1 << 9);
    }

    #[test]
    fn adjusted_values_are_those_of_the_paper() {
        // Benjamini and Hochberg (1995), section 3.2: of 15 values the first four are significant at 0.05.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.000,
        ];
        let adjusted = benjamini_hochberg(&p);
        assert_eq!(adjusted.iter().filter(|&&q| q <= 0.05).count(), 4);
        assert!((adjusted[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12);
    }
}

//! How counts would vary with other images: the bootstrap over images, with Poisson weights.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::record::Tallies;
use super::score::{Sums, Unit, reaches};
use super::{DissectError, Watch, start};
use crate::domain::dissection::{Resampling, Scoring};
use crate::nn::rng::{Rng, Stream};

/// Repetitions between two looks at whoever waits.
const ROUND: u32 = 16;

/// Interpretable units and their concepts in one repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resampled {
    /// Units.
    pub units: u64,
    /// Distinct labels of these.
    pub concepts: u64,
}

/// Draws each image a Poisson number of times, of mean 1, and scores again, as often as told.
///
/// # Errors
/// If threads are not to be had, or `watch` says to stop.
pub fn bootstrap(
    tallies: &Tallies,
    scoring: &Scoring,
    resampling: &Resampling,
    threads: usize,
    watch: &mut dyn Watch,
) -> Result<Vec<Resampled>, DissectError> {
    let stream = Stream::new(&resampling.seed, "bootstrap");
    let pool = start(threads)?;
    let mut found = Vec::new();
    for first in (0..resampling.times).step_by(ROUND as usize) {
        let last = (first + ROUND).min(resampling.times);
        let round: Vec<Resampled> =
            pool.install(|| (first..last).into_par_iter().map(|n| repetition(tallies, scoring, stream, n)).collect());
        found.extend(round);
        watch.progress(last as usize, resampling.times as usize);
        if watch.stop() {
            return Err(DissectError::Stopped);
        }
    }
    Ok(found)
}

fn repetition(tallies: &Tallies, scoring: &Scoring, stream: Stream, number: u32) -> Resampled {
    let heading = &tallies.heading;
    let mut sums = Sums::new(scoring.counted, heading);
    for (place, image) in tallies.images.iter().enumerate() {
        let times = poisson(&mut stream.at(number, place as u64));
        if times > 0 {
            sums.add(image, &heading.primary, times);
        }
    }
    let units = (0..heading.units.len()).map(|unit| Unit { unit, by_category: sums.best(unit, &heading.primary) });
    let labels: Vec<u32> =
        units.filter_map(|unit| unit.best().filter(|best| reaches(scoring, best.iou)).map(|best| best.label)).collect();
    let concepts = labels.iter().collect::<BTreeSet<_>>().len() as u64;
    Resampled { units: labels.len() as u64, concepts }
}

/// Draws from the Poisson distribution of mean 1 (Knuth: how many uniform numbers until their product is below 1/e).
fn poisson(numbers: &mut Rng) -> u64 {
    let mut product = numbers.uniform();
    let mut count = 0;
    while product > 0.367_879_441_171_442_33 {
        product *= numbers.uniform();
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::record::{Heading, UnitSummary};
    use super::super::tally::{ImageTally, UnitTally};
    use super::*;
    use crate::domain::dissection::{Counted, Measurement, Portion};
    use crate::domain::seed::Seed;

    #[test]
    fn numbers_of_times_have_mean_and_variance_one() {
        let stream = Stream::new(&Seed { root: 5, stream: Vec::new() }, "bootstrap");
        let draws: Vec<f64> = (0..20_000).map(|at| poisson(&mut stream.at(0, at)) as f64).collect();
        let mean = draws.iter().sum::<f64>() / 20_000.0;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!((mean - 1.0).abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    #[test]
    fn a_unit_that_one_image_decides_comes_and_goes() {
        // Unit 0 fits its label in all images, unit 1 in the first only.
        let image = |place: u32| ImageTally {
            area: 10,
            labels: vec![(1, 5)],
            units: (0..if place == 0 { 2 } else { 1 })
                .map(|unit| UnitTally { unit, pixels: 5, overlaps: vec![(1, 5)] })
                .collect(),
            ..ImageTally::default()
        };
        let tallies = Tallies {
            heading: Heading {
                measurement: Measurement::lite("layer"),
                categories: vec!["object".to_owned()],
                labels: ["", "a"].map(str::to_owned).to_vec(),
                primary: vec![0; 2],
                units: vec![UnitSummary::default(); 2],
            },
            images: (0..20).map(image).collect(),
        };
        let scoring =
            Scoring { counted: Counted::All, iou: 0.01, above: false, choose: Portion::All, on: Portion::All };
        let resampling = Resampling { times: 400, seed: Seed { root: 1, stream: Vec::new() } };
        let found = bootstrap(&tallies, &scoring, &resampling, 2, &mut ()).unwrap();
        assert!(found.iter().all(|round| round.units >= 1 && round.concepts == 1));
        // The image is drawn at least once in the share 1 − 1/e of repetitions.
        let both = found.iter().filter(|round| round.units == 2).count() as f64 / 400.0;
        assert!((both - 0.632).abs() < 0.08, "{both}");
        assert_eq!(bootstrap(&tallies, &scoring, &resampling, 1, &mut ()).unwrap(), found);
    }
}

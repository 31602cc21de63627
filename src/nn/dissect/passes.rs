//! The two passes over the images.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::enlarge::{Enlarger, Scratch, Sizes};
use super::record::{Heading, UnitSummary};
use super::rotation::Turn;
use super::tally::ImageTally;
use super::threshold::{EXACT, Finder, Place};
use super::{Activations, BATCH, Bench, DissectError, Maps, TOP, Watch, masks, record, start, tally};
use crate::domain::dissection::{Activations as Of, Measurement};
use crate::nn::data::DataError;
use crate::nn::data::broden::Selection;

/// Number of units, rows and columns of their maps.
type MapShape = [usize; 3];

/// What goes over the images.
pub(super) struct Passes<'a> {
    network: &'a mut dyn Activations,
    bench: &'a Bench<'a>,
    spec: &'a Measurement,
    selection: &'a Selection,
    watch: &'a mut dyn Watch,
    pool: rayon::ThreadPool,
    batch: usize,
    /// Known after the first batch.
    shape: MapShape,
    /// For every size of labels.
    enlargers: BTreeMap<[usize; 2], Enlarger>,
    turn: Option<Turn>,
    /// How many more values may be kept.
    room: usize,
    /// Maps of the first batches.
    kept: Vec<Vec<f32>>,
    /// Images done.
    done: usize,
}

/// What the first pass gathers of a unit.
struct Gathered {
    finder: Finder,
    peak: f32,
    positive: u64,
    count: u64,
    /// Sums of the first four powers.
    sums: [f64; 4],
    /// Images with the largest activations, by falling activation; of equal ones the earlier.
    top: Vec<(u32, f32)>,
}

impl Gathered {
    /// Takes in the raw map of an image; says whether it is finite.
    fn add(&mut self, row: usize, map: &[f32]) -> bool {
        let mut peak = f32::NEG_INFINITY;
        for &value in map {
            if !value.is_finite() {
                return false;
            }
            peak = peak.max(value);
            self.positive += u64::from(value > 0.0);
            let (value, square) = (f64::from(value), f64::from(value) * f64::from(value));
            let powers = [value, square, square * value, square * square];
            self.sums.iter_mut().zip(powers).for_each(|(sum, power)| *sum += power);
        }
        self.count += map.len() as u64;
        self.peak = self.peak.max(peak);
        let place = self.top.partition_point(|&(_, other)| other >= peak);
        if place < TOP {
            self.top.insert(place, (row as u32, peak));
            self.top.truncate(TOP);
        }
        true
    }

    fn finish(self) -> UnitSummary {
        let n = self.count as f64;
        let [mean, second, third, fourth] = self.sums.map(|sum| sum / n);
        let variance = (second - mean * mean).max(0.0);
        let central = fourth - 4.0 * mean * third + 6.0 * mean * mean * second - 3.0 * mean.powi(4);
        let kurtosis = if variance > 0.0 { central / (variance * variance) - 3.0 } else { 0.0 };
        UnitSummary {
            threshold: self.finder.finish(),
            peak: self.peak,
            positive: self.positive as f64 / n,
            mean,
            sd: variance.sqrt(),
            kurtosis,
            top: self.top,
        }
    }
}

impl<'a> Passes<'a> {
    pub(super) fn new(
        network: &'a mut dyn Activations,
        bench: &'a Bench<'a>,
        spec: &'a Measurement,
        selection: &'a Selection,
        watch: &'a mut dyn Watch,
    ) -> Result<Self, DissectError> {
        Ok(Self {
            network,
            bench,
            spec,
            selection,
            watch,
            pool: start(bench.threads)?,
            batch: if spec.batch == 0 { BATCH } else { spec.batch },
            shape: [0; 3],
            enlargers: BTreeMap::new(),
            turn: None,
            room: bench.room,
            kept: Vec::new(),
            done: 0,
        })
    }

    /// Computes the maps of images.
    fn run(&mut self, images: &[usize]) -> Result<Vec<f32>, DissectError> {
        let (probe, shape) = (self.bench.probe, self.bench.probe.shape());
        let plane = shape.height * shape.width;
        let mut pixels = vec![0.0; images.len() * shape.channels * plane];
        let bgr = self.spec.pixels.is_some_and(|pixels| pixels.bgr);
        self.pool
            .install(|| {
                let each = pixels.par_chunks_exact_mut(shape.channels * plane).zip(images);
                let filled = each.map(|(pixels, &image)| {
                    probe.fill(image, pixels)?;
                    if bgr {
                        let (red, rest) = pixels.split_at_mut(plane);
                        red.swap_with_slice(&mut rest[plane..]);
                    }
                    Ok(())
                });
                filled.collect::<Vec<Result<(), DataError>>>()
            })
            .into_iter()
            .collect::<Result<(), _>>()?;
        let maps = self.network.maps(&pixels, images.len()).map_err(DissectError::Activations)?;
        self.accept(maps, images.len())
    }

    /// Checks the shape of maps, which the first ones set, and turns them.
    fn accept(&mut self, maps: Maps, images: usize) -> Result<Vec<f32>, DissectError> {
        let Maps { units, height, width, mut values } = maps;
        if values.len() != images * units * height * width || values.is_empty() {
            let problem = "the layer has no maps, or not those it announces";
            return Err(DissectError::Activations(problem.into()));
        }
        if self.shape == [0; 3] {
            self.shape = [units, height, width];
            self.turn = self.spec.rotation.as_ref().map(|rotation| Turn::new(rotation, units));
            self.prepare()?;
        }
        if self.shape != [units, height, width] {
            return Err(DissectError::Activations("the layer's maps change their size from batch to batch".into()));
        }
        if let Some(turn) = &self.turn {
            let plane = height * width;
            self.pool.install(|| values.par_chunks_exact_mut(units * plane).for_each(|maps| turn.apply(maps, plane)));
        }
        Ok(values)
    }

    /// Prepares for every size of labels.
    fn prepare(&mut self) -> Result<(), DissectError> {
        let [units, height, width] = self.shape;
        let image = self.bench.probe.shape();
        for &row in &self.selection.images {
            let mask = self.bench.probe.label_size(row);
            if !self.enlargers.contains_key(&mask) {
                let sizes = Sizes { map: [height, width], mask, image: [image.height, image.width] };
                let enlarger = Enlarger::new(self.spec.enlarge, sizes, self.bench.field);
                self.enlargers.insert(mask, enlarger.map_err(DissectError::Parameters)?);
            }
        }
        match self.bench.frozen {
            Some(frozen) if frozen.len() != units => Err(DissectError::Parameters(format!(
                "the thresholds to be used are of {} units, but the layer has {units}",
                frozen.len()
            ))),
            _ => Ok(()),
        }
    }

    /// Goes on or stops after a batch.
    fn step(&mut self, images: usize) -> Result<(), DissectError> {
        self.done += images;
        self.watch.progress(self.done, 2 * self.selection.images.len());
        if self.watch.stop() { Err(DissectError::Stopped) } else { Ok(()) }
    }

    /// Number of values that a threshold is a quantile of.
    fn population(&self) -> u64 {
        let areas = self.selection.images.iter().map(|&row| match self.spec.quantile_on {
            Of::Raw => self.shape[1] * self.shape[2],
            Of::Enlarged => self.bench.probe.label_size(row).iter().product(),
        });
        areas.sum::<usize>() as u64
    }

    /// First pass: threshold and summary of every unit.
    pub(super) fn summaries(&mut self) -> Result<Heading, DissectError> {
        let selection = self.selection;
        let mut gathered: Vec<Gathered> = Vec::new();
        for images in selection.images.chunks(self.batch) {
            let values = self.run(images)?;
            if gathered.is_empty() {
                let count = self.population();
                let place = Place::new(self.spec.estimate, self.spec.quantile, count);
                gathered = (0..self.shape[0])
                    .map(|_| Gathered {
                        finder: Finder::new(place, count, EXACT / self.shape[0]),
                        peak: f32::NEG_INFINITY,
                        positive: 0,
                        count: 0,
                        sums: [0.0; 4],
                        top: Vec::new(),
                    })
                    .collect();
            }
            self.gather(&mut gathered, images, &values)?;
            // Only the first batches are kept, so that one index tells which.
            self.room = self.room.saturating_sub(values.len());
            if self.room > 0 {
                self.kept.push(values);
            }
            self.step(images.len())?;
        }
        let mut units: Vec<UnitSummary> = gathered.into_iter().map(Gathered::finish).collect();
        for (unit, &frozen) in units.iter_mut().zip(self.bench.frozen.unwrap_or_default()) {
            unit.threshold = frozen;
        }
        let labels = (0..self.bench.probe.labels()).map(|label| self.bench.probe.label(label as u32).to_owned());
        Ok(Heading {
            measurement: self.spec.clone(),
            categories: selection.categories.clone(),
            labels: labels.collect(),
            primary: selection.primary.clone(),
            units,
        })
    }

    /// Takes in the maps of images.
    fn gather(&self, gathered: &mut [Gathered], images: &[usize], values: &[f32]) -> Result<(), DissectError> {
        let [units, height, width] = self.shape;
        let plane = height * width;
        let raw = self.spec.quantile_on == Of::Raw;
        let (probe, enlargers) = (self.bench.probe, &self.enlargers);
        let odd = self.pool.install(|| {
            let each = gathered.par_iter_mut().enumerate().map_init(
                || (Scratch::default(), Vec::new()),
                |(scratch, enlarged), (unit, gathered): (usize, &mut Gathered)| {
                    let maps = values.chunks_exact(plane).skip(unit).step_by(units);
                    for (map, &row) in maps.zip(images) {
                        if !gathered.add(row, map) {
                            return Some((row, unit));
                        }
                        if raw {
                            map.iter().for_each(|&value| gathered.finder.add(value));
                        } else {
                            enlargers[&probe.label_size(row)].enlarge(map, scratch, enlarged);
                            enlarged.iter().for_each(|&value| gathered.finder.add(value));
                        }
                    }
                    None
                },
            );
            each.flatten().min()
        });
        match odd {
            Some((image, unit)) => Err(DissectError::NotFinite { unit: unit + 1, image: image + 1 }),
            None => Ok(()),
        }
    }

    /// Second pass: the counts and the masks of every image as bytes.
    pub(super) fn counts(&mut self, heading: &Heading) -> Result<(Vec<u8>, Vec<u8>), DissectError> {
        let unwritten = |error| DissectError::System(format!("the counts cannot be written: {error}"));
        let selection = self.selection;
        let thresholds: Vec<f32> = heading.units.iter().map(|unit| unit.threshold).collect();
        let mut tallies = record::Recorder::new(heading, selection.images.len()).map_err(unwritten)?;
        let mut masks = masks::Recorder::new(selection.images.len()).map_err(unwritten)?;
        for (number, images) in selection.images.chunks(self.batch).enumerate() {
            let values = match self.kept.get_mut(number) {
                Some(kept) => std::mem::take(kept),
                None => self.run(images)?,
            };
            for (row, counted) in images.iter().zip(self.count(&thresholds, images, &values)) {
                let (tally, runs) = counted?;
                tallies.add(&tally).map_err(unwritten)?;
                masks.add(self.bench.probe.label_size(*row), &runs).map_err(unwritten)?;
            }
            self.step(images.len())?;
        }
        Ok((tallies.finish().map_err(unwritten)?, masks.finish().map_err(unwritten)?))
    }

    /// Counts images.
    fn count(
        &self,
        thresholds: &[f32],
        images: &[usize],
        values: &[f32],
    ) -> Vec<Result<(ImageTally, Vec<u32>), DataError>> {
        let (probe, selection, enlargers) = (self.bench.probe, self.selection, &self.enlargers);
        let [units, height, width] = self.shape;
        let (plane, repeats) = (height * width, self.spec.repeats);
        let one = |scratch: &mut Scratch, (maps, &row): (&[f32], &usize)| {
            let segmentation = probe.segmentation(row, selection)?;
            let enlarger = &enlargers[&[segmentation.height, segmentation.width]];
            let mut runs = Vec::new();
            let rules = (enlarger, repeats);
            let counted = tally::tally(maps, plane, thresholds, &segmentation, rules, (scratch, &mut runs));
            let tally = ImageTally { row: row as u32, held_out: probe.held_out(row), ..counted };
            Ok((tally, runs))
        };
        self.pool
            .install(|| values.par_chunks_exact(units * plane).zip(images).map_init(Scratch::default, one).collect())
    }
}

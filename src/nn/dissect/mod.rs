//! Network dissection (Bau et al. 2017) by the rules of NetDissect-Lite (`lite2018`): which concepts do the units of a
//! layer detect?
//!
//! A unit's threshold T is the smallest of its activations, over all images and positions, that at most the share
//! `quantile` of them exceeds (NetDissect-Lite estimates the same from a sketch). Its mask in an image is where its map,
//! enlarged like a picture to the size of the labels, is above T. Sums over all images give, for every label c,
//! IoU = I / (A + G − I): I pixels of mask and label, G pixels of the label, A pixels of the mask **in those images in
//! which it overlaps some label whose primary category is c's**. Labels of a whole image count all its pixels; label 0
//! is none. Images without a label in the chosen categories are left out of everything.
//!
//! Images pass twice, once for thresholds and once for counts; what is kept between is bounded, and no result depends
//! on the size of batches or the number of threads.

mod record;
mod resize;
mod score;
mod table;
mod tally;
mod threshold;

use std::collections::BTreeMap;
use std::error::Error;

use rayon::prelude::*;

use self::record::Recorder;
use self::resize::Scratch;
use self::score::{Sums, measures};
use self::threshold::{Largest, rank};
use super::data::DataError;
use super::data::broden::{Broden, Selection};
use crate::domain::dissection::{Dissection, Preset};

pub use self::record::Tallies;
pub use self::score::{Match, Unit};
pub use self::tally::{ImageTally, UnitTally};
pub use self::threshold::Threshold;

/// Categories of NetDissect-Lite: Broden's without materials.
pub const LITE_CATEGORIES: [&str; 5] = ["object", "part", "scene", "texture", "color"];
/// Images per forward pass where the description leaves it open.
const BATCH: usize = 32;
/// Activations kept from the first pass for the second, in floats (256 MiB).
const KEPT: usize = 1 << 26;

/// Activations of a layer for a batch of images.
#[derive(Clone, Debug, PartialEq)]
pub struct Maps {
    /// Number of units.
    pub units: usize,
    /// Rows of a map.
    pub height: usize,
    /// Columns of a map.
    pub width: usize,
    /// Image by image, unit by unit, row by row.
    pub values: Vec<f32>,
}

/// What computes activations may fail with.
pub type Failure = Box<dyn Error + Send + Sync>;

/// A network up to the dissected layer.
pub trait Activations {
    /// Computes the maps of a batch: `images` normalised images of the probe, channel by channel, row by row. The maps
    /// of an image must not depend on the others in the batch.
    ///
    /// # Errors
    /// Whatever the network fails with.
    fn maps(&mut self, pixels: &[f32], images: usize) -> Result<Maps, Failure>;
}

impl<F: FnMut(&[f32], usize) -> Result<Maps, Failure>> Activations for F {
    fn maps(&mut self, pixels: &[f32], images: usize) -> Result<Maps, Failure> {
        self(pixels, images)
    }
}

/// Whoever waits for a dissection.
pub trait Watch {
    /// Hears how many of how many images have been read, both passes together.
    fn progress(&mut self, done: usize, total: usize);
    /// Says whether to stop; asked between batches.
    fn stop(&mut self) -> bool;
}

/// Nobody waits.
impl Watch for () {
    fn progress(&mut self, _: usize, _: usize) {}

    fn stop(&mut self) -> bool {
        false
    }
}

/// The result of a dissection.
#[derive(Clone, Debug, PartialEq)]
pub struct Dissected {
    /// Categories that took part, in the order of the probe's `category.csv`.
    pub categories: Vec<String>,
    /// Units in order.
    pub units: Vec<Unit>,
    /// `tally.csv` in NetDissect-Lite's columns.
    pub table: Vec<u8>,
    /// Every count of every image, for [`Tallies::decode`].
    pub tallies: Vec<u8>,
    /// Figures by name: `units`, `concepts`, `share`, `mean_iou`, `unique_detectors`, `total`, `images`, `dead`,
    /// `zero_thresholds`, and `units_<category>` and `concepts_<category>`.
    pub measures: BTreeMap<String, f64>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum DissectError {
    /// The probe cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network failed.
    #[error("the activations cannot be computed: {0}")]
    Activations(Failure),
    /// An activation is infinite or not a number.
    #[error("unit {unit} has an activation that is not a finite number in image {image} of the probe")]
    NotFinite {
        /// Number from 1.
        unit: usize,
        /// Row of the index, from 1.
        image: usize,
    },
    /// The description makes no sense.
    #[error("{0}")]
    Parameters(String),
    /// Threads or memory for the output are not to be had.
    #[error("{0}")]
    System(String),
    /// The user stopped it.
    #[error("the dissection was stopped")]
    Stopped,
}

/// Dissects a layer on at most `threads` threads; the network's own are its own.
///
/// # Errors
/// If the description is out of range, the probe or the network fails, or `watch` says to stop.
pub fn dissect(
    network: &mut dyn Activations,
    probe: &Broden,
    spec: &Dissection,
    threads: usize,
    watch: &mut dyn Watch,
) -> Result<Dissected, DissectError> {
    dissect_within(KEPT, network, probe, spec, threads, watch)
}

/// As [`dissect`], with room for `room` values between the passes.
fn dissect_within(
    room: usize,
    network: &mut dyn Activations,
    probe: &Broden,
    spec: &Dissection,
    threads: usize,
    watch: &mut dyn Watch,
) -> Result<Dissected, DissectError> {
    let Preset::Lite2018 = spec.preset;
    if !(spec.quantile > 0.0 && spec.quantile < 1.0) {
        return Err(DissectError::Parameters(format!("the quantile {} is not between 0 and 1", spec.quantile)));
    }
    let selection = probe.select(&spec.categories)?;
    if selection.images.is_empty() {
        return Err(DissectError::Parameters("no image of the probe has a label in the chosen categories".to_owned()));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build();
    let pool = pool.map_err(|error| DissectError::System(format!("threads cannot be started: {error}")))?;
    let batch = if spec.batch == 0 { BATCH } else { spec.batch };
    let mut passes =
        Passes { network, probe, selection: &selection, pool, batch, watch, room, kept: Vec::new(), done: 0 };
    let (shape, thresholds) = passes.thresholds(spec.quantile)?;
    let (sums, tallies) = passes.counts(shape, &thresholds)?;
    let units: Vec<Unit> = passes.pool.install(|| {
        let each = thresholds.par_iter().enumerate();
        each.map(|(unit, &threshold)| sums.unit(unit, &selection.primary, threshold)).collect()
    });
    let name = |label: u32| probe.label(label).to_owned();
    let table = table::write(&units, &selection.categories, &name)
        .map_err(|error| DissectError::System(format!("the table cannot be written: {error}")))?;
    let mut measures = measures(&units, &selection.categories, spec.iou);
    measures.insert("images".to_owned(), selection.images.len() as f64);
    Ok(Dissected { categories: selection.categories, units, table, tallies, measures })
}

/// Number of units, rows and columns of their maps.
type MapShape = [usize; 3];

/// The two passes over the images.
struct Passes<'a> {
    network: &'a mut dyn Activations,
    probe: &'a Broden,
    selection: &'a Selection,
    pool: rayon::ThreadPool,
    batch: usize,
    watch: &'a mut dyn Watch,
    /// How many more values may be kept.
    room: usize,
    /// Maps of the first batches.
    kept: Vec<Vec<f32>>,
    /// Images done.
    done: usize,
}

impl Passes<'_> {
    /// Computes the maps of images.
    fn run(&mut self, images: &[usize]) -> Result<Maps, DissectError> {
        let shape = self.probe.shape();
        let one = shape.channels * shape.height * shape.width;
        let mut pixels = vec![0.0; images.len() * one];
        let probe = self.probe;
        self.pool
            .install(|| {
                let each = pixels.par_chunks_exact_mut(one).zip(images);
                each.map(|(pixels, &image)| probe.fill(image, pixels)).collect::<Vec<_>>()
            })
            .into_iter()
            .collect::<Result<(), _>>()?;
        let maps = self.network.maps(&pixels, images.len()).map_err(DissectError::Activations)?;
        if maps.values.len() == images.len() * maps.units * maps.height * maps.width && !maps.values.is_empty() {
            Ok(maps)
        } else {
            Err(DissectError::Activations("the layer has no maps, or not those it announces".into()))
        }
    }

    /// Goes on or stops after a batch.
    fn step(&mut self, images: usize) -> Result<(), DissectError> {
        self.done += images;
        self.watch.progress(self.done, 2 * self.selection.images.len());
        if self.watch.stop() { Err(DissectError::Stopped) } else { Ok(()) }
    }

    /// First pass: the threshold of every unit.
    fn thresholds(&mut self, quantile: f64) -> Result<(MapShape, Vec<Threshold>), DissectError> {
        let mut shape = [0; 3];
        let mut largest = Vec::new();
        for images in self.selection.images.chunks(self.batch) {
            let maps = self.run(images)?;
            if largest.is_empty() {
                shape = [maps.units, maps.height, maps.width];
                let rank = rank(quantile, (self.selection.images.len() * maps.height * maps.width) as u64);
                largest = (0..maps.units).map(|_| Largest::new(rank)).collect();
            }
            same(shape, &maps)?;
            let plane = maps.height * maps.width;
            let odd = self.pool.install(|| {
                let each = largest.par_iter_mut().enumerate().map(|(unit, largest): (usize, &mut Largest)| {
                    let maps = maps.values.chunks_exact(plane).skip(unit).step_by(shape[0]);
                    let odd = maps.zip(images).find(|(map, _)| !largest.add(map));
                    odd.map(|(_, &image)| (image, unit))
                });
                each.flatten().min()
            });
            if let Some((image, unit)) = odd {
                return Err(DissectError::NotFinite { unit: unit + 1, image: image + 1 });
            }
            // Only the first batches are kept, so that one index tells which.
            self.room = self.room.saturating_sub(maps.values.len());
            if self.room > 0 {
                self.kept.push(maps.values);
            }
            self.step(images.len())?;
        }
        Ok((shape, largest.into_iter().map(Largest::finish).collect()))
    }

    /// Second pass: the sums over all images, and the counts of each as bytes.
    fn counts(&mut self, shape: MapShape, thresholds: &[Threshold]) -> Result<(Sums, Vec<u8>), DissectError> {
        let selection = self.selection;
        let mut sums = Sums::new(shape[0], selection.primary.len(), selection.categories.len());
        let mut recorder = Recorder::new(thresholds, selection.images.len());
        let unwritten = |error| DissectError::System(format!("the tallies cannot be written: {error}"));
        for (number, images) in selection.images.chunks(self.batch).enumerate() {
            let values = match self.kept.get_mut(number) {
                Some(kept) => std::mem::take(kept),
                None => self.run(images).and_then(|maps| same(shape, &maps).map(|()| maps.values))?,
            };
            let [units, height, width] = shape;
            let probe = self.probe;
            let tallies: Vec<Result<ImageTally, DataError>> = self.pool.install(|| {
                let each = values.par_chunks_exact(units * height * width).zip(images);
                each.map_init(Scratch::default, |scratch, (maps, &image)| {
                    let segmentation = probe.segmentation(image, selection)?;
                    Ok(tally::tally(maps, [height, width], thresholds, &segmentation, scratch))
                })
                .collect()
            });
            for tally in tallies {
                let tally = tally?;
                sums.add(&tally, &selection.primary);
                recorder.add(&tally).map_err(unwritten)?;
            }
            self.step(images.len())?;
        }
        Ok((sums, recorder.finish().map_err(unwritten)?))
    }
}

/// Complains if maps change their shape.
fn same(shape: MapShape, maps: &Maps) -> Result<(), DissectError> {
    if [maps.units, maps.height, maps.width] == shape {
        Ok(())
    } else {
        Err(DissectError::Activations("the layer's maps change their size from batch to batch".into()))
    }
}

#[cfg(test)]
mod tests;

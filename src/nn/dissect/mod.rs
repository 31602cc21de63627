//! Network dissection (Bau et al. 2017): which concepts do the units of a layer detect?
//!
//! A unit's threshold T is an upper quantile of its activations over all images and positions. Its mask in an image is
//! where its map, enlarged to the size of the labels, is above T. Sums over images give, for every label c,
//! IoU = I / (A + G − I): I pixels of mask and label, G pixels of the label, A pixels of the mask that count against it.
//! Labels of a whole image count all its pixels; label 0 is none. The four tools that made the published numbers differ in
//! every step; [`Measurement`] and [`Scoring`] name each choice.
//!
//! Images pass twice, once for thresholds and once for counts; what is kept between is bounded, and no result depends
//! on the size of batches or the number of threads. The counts of every image are kept, and so are the masks: everything
//! else (scores, null distributions, intervals, comparisons) follows from these without the network.

mod bootstrap;
mod drift;
mod enlarge;
mod masks;
mod null;
mod numbers;
mod passes;
mod portraits;
mod record;
mod rotation;
mod score;
mod sketch;
mod summary;
mod table;
mod tally;
mod threshold;

use std::collections::BTreeMap;
use std::error::Error;
use std::io;

use self::passes::Passes;
use self::summary::Subject;
use super::data::DataError;
use super::data::broden::Broden;
use crate::domain::arch::Field;
use crate::domain::dissection::{Measurement, Scoring};

pub use self::bootstrap::{Resampled, bootstrap};
pub use self::drift::{Drift, drift};
pub use self::masks::{ImageMasks, Masks};
pub use self::null::{Chance, null_test};
pub use self::portraits::{Layout, Picture, portraits};
pub use self::record::{Heading, Tallies, UnitSummary};
pub use self::score::{Match, Scored, Unit, score};
pub use self::tally::{ImageTally, UnitTally};

/// Images per forward pass where the description leaves it open.
const BATCH: usize = 32;
/// Activations kept from the first pass for the second, in floats (256 MiB).
const KEPT: usize = 1 << 26;
/// Images with the largest activations that are noted for each unit.
pub const TOP: usize = 20;

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
    /// Every count of every image, for [`Tallies::decode`].
    pub tallies: Vec<u8>,
    /// Every mask, for [`Masks::open`].
    pub masks: Vec<u8>,
    /// Figures by name: `images`, `total`.
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

/// What a dissection works with.
pub struct Bench<'a> {
    /// Images and labels.
    pub probe: &'a Broden,
    /// Where the layer's positions stand on the image, if that is known.
    pub field: Option<Field>,
    /// Thresholds of another dissection, to be used as they are.
    pub frozen: Option<&'a [f32]>,
    /// Threads; the network's own are its own.
    pub threads: usize,
    /// Values that may be kept from the first pass for the second.
    pub room: usize,
}

impl<'a> Bench<'a> {
    /// Sets up for a probe.
    pub fn new(probe: &'a Broden, threads: usize) -> Self {
        Self { probe, field: None, frozen: None, threads, room: KEPT }
    }
}

/// Dissects a layer.
///
/// # Errors
/// If the description is out of range, the probe or the network fails, or `watch` says to stop.
pub fn dissect(
    network: &mut dyn Activations,
    bench: &Bench<'_>,
    spec: &Measurement,
    watch: &mut dyn Watch,
) -> Result<Dissected, DissectError> {
    if !(spec.quantile > 0.0 && spec.quantile < 1.0) {
        return Err(DissectError::Parameters(format!("the quantile {} is not between 0 and 1", spec.quantile)));
    }
    let selection = bench.probe.select(&spec.categories)?.within(bench.probe, spec.images, spec.first);
    if selection.images.is_empty() {
        return Err(DissectError::Parameters("no image of the probe has a label in the chosen categories".to_owned()));
    }
    let mut passes = Passes::new(network, bench, spec, &selection, watch)?;
    let heading = passes.summaries()?;
    let (tallies, masks) = passes.counts(&heading)?;
    let measures = [("images", selection.images.len()), ("total", heading.units.len())];
    let measures = measures.into_iter().map(|(name, value)| (name.to_owned(), value as f64)).collect();
    Ok(Dissected { tallies, masks, measures })
}

/// Starts threads.
fn start(threads: usize) -> Result<rayon::ThreadPool, DissectError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build();
    pool.map_err(|error| DissectError::System(format!("threads cannot be started: {error}")))
}

/// Files in which other tools keep a scored dissection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// `tally.csv` in the columns of NetDissect and NetDissect-Lite.
    pub table: Vec<u8>,
    /// `dissect.json` in the entries of quick-netdissect.
    pub summary: Vec<u8>,
}

/// Writes a scored dissection as other tools do.
///
/// # Errors
/// If a file cannot be written in memory.
pub fn files(tallies: &Tallies, units: &[Unit], scoring: &Scoring) -> Result<Files, io::Error> {
    let heading = &tallies.heading;
    let name = |label: u32| heading.labels.get(label as usize).cloned().unwrap_or_default();
    let table = table::write(units, &heading.categories, &name).map_err(io::Error::other)?;
    let summary = Subject { tallies, units, scoring }.write()?;
    Ok(Files { table, summary })
}

#[cfg(test)]
mod tests;

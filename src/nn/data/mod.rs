//! Images and labels, as the trainer and the evaluator read them, and where they come from.

mod augment;
pub mod broden;
pub mod digits;
mod error;
mod fingerprint;
mod notes;
mod picture;
mod pixels;
pub mod shapes;
mod stand_in;
mod stored;
mod upkeep;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::domain::arch::Shape;
use crate::domain::data::{Augment, Damaged, DataSet, Place, Probe, Split, Task};
use crate::domain::dissection::Pixels;

use super::rng::Rng;

use self::broden::Broden;
use self::notes::Notes;
use self::stand_in::{Excerpt, StandIn};
use self::stored::Stored;

pub use self::error::DataError;
pub use self::fingerprint::{of_data, of_probe};
pub use self::pixels::Normalisation;
pub use self::upkeep::{Summary, Verified, prepare, summarise, unpack, verify};

/// Where data sets lie on disk, by their names under `data:` in the profile.
pub type Roots = BTreeMap<String, Place>;

/// One split of a data set. Reading is by index, from any thread, and always gives the same values.
pub trait Images: Send + Sync {
    /// Returns the number of images.
    fn len(&self) -> usize;

    /// Whether there are no images.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of classes.
    fn classes(&self) -> usize;

    /// Returns the size of one image.
    fn shape(&self) -> Shape;

    /// Returns the class of an image, below `classes()`.
    fn label(&self, index: usize) -> usize;

    /// Writes the normalised values of an image, channel by channel, row by row.
    ///
    /// # Errors
    /// If its file cannot be read.
    fn fill(&self, index: usize, pixels: &mut [f32]) -> Result<(), DataError>;

    /// Writes the values of an image after random `changes`, which draw from `rng` in order and nowhere else.
    ///
    /// # Errors
    /// If its file cannot be read.
    fn fill_changed(
        &self,
        index: usize,
        changes: &[Augment],
        rng: &mut Rng,
        pixels: &mut [f32],
    ) -> Result<(), DataError>;

    /// What is to be done with images that cannot be read.
    fn damaged(&self) -> Damaged {
        Damaged::Stop
    }

    /// Describes the first damaged images that were left out.
    fn skipped(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns the images for another thread, if reading them takes so long that it should be done ahead.
    fn shared(&self) -> Option<Arc<dyn Images>> {
        None
    }
}

/// Opens one part of a task's images. What was found out about large data is noted in the directory `notes`.
///
/// # Errors
/// If the data are not there, are not what the task says (classes, image size, counts), or need something that this
/// version cannot do.
pub fn open_task(task: &Task, split: Split, roots: &Roots, notes: Option<&Path>) -> Result<Box<dyn Images>, DataError> {
    let normalisation = task.normalisation.as_ref();
    let images: Box<dyn Images> = match &task.data {
        DataSet::Digits => {
            let for_bytes = |change: &Augment| matches!(change, Augment::ResizedCrop { .. } | Augment::Jitter { .. });
            if task.preparation.is_some() || task.augment.iter().any(for_bytes) {
                return Err(DataError::parameters(augment::NO_PICTURE));
            }
            Box::new(digits::Digits::open(split, normalisation)?)
        }
        DataSet::Shapes(set) => Box::new(shapes::ShapesImages::open(set, split, normalisation)?),
        DataSet::Stored { name } => Box::new(Stored::open(task, split, place(name, roots)?, &Notes::new(notes))?),
        DataSet::Excerpt { of, train, val, test } => {
            let whole = Task { data: (**of).clone(), train: *train, val: *val, test: *test, ..task.clone() };
            Box::new(Excerpt::new(open_task(&whole, split, roots, notes)?, task.images(split)))
        }
        DataSet::StandIn { name } => Box::new(StandIn::new(name, task, split)),
    };
    let count = task.images(split);
    let (shape, classes) = (images.shape(), images.classes());
    let problem = if shape != task.input {
        let Shape { channels, height, width } = task.input;
        let offered = format!("{}×{}×{}", shape.channels, shape.height, shape.width);
        format!("the task expects images of {channels}×{height}×{width}, the data are {offered}")
    } else if classes != task.classes {
        format!("the task says {} classes, the data have {classes}", task.classes)
    } else if images.len() as u64 != count {
        format!("the task says {count} images in this part, the data have {}", images.len())
    } else {
        return Ok(images);
    };
    Err(DataError::parameters(problem))
}

/// Opens the images and labels that a dissection measures with. Shapes are written into `cache` when first needed.
///
/// Generated scenes are normalised as in training ([`Normalisation::SHAPES`]), a directory in Broden's layout as `pixels`
/// says.
///
/// # Errors
/// If the data are not there, are damaged or of another size, or the cache cannot be written.
pub fn open_probe(probe: &Probe, pixels: Option<Pixels>, roots: &Roots, cache: &Path) -> Result<Broden, DataError> {
    match probe {
        Probe::Shapes(set) => Broden::open(&shapes::write(set, cache)?, Normalisation::SHAPES),
        Probe::Broden { name, size, images } => {
            let place = place(name, roots)?;
            let normalisation =
                pixels.map_or(Normalisation::PLAIN, |Pixels { mean, sd, .. }| Normalisation { mean, sd });
            let mut broden = Broden::open(&place.root, normalisation)?;
            broden.demand(name, *size, *images)?;
            if place.damaged == Damaged::Skip {
                broden.leave_out_damaged(&Notes::new(Some(cache)))?;
            }
            Ok(broden)
        }
    }
}

/// Finds the place of a data set that the profile names.
fn place<'a>(name: &str, roots: &'a Roots) -> Result<&'a Place, DataError> {
    let place = roots.get(name).ok_or_else(|| DataError::Unnamed { name: name.to_owned() })?;
    if place.root.exists() {
        Ok(place)
    } else {
        Err(DataError::Missing { what: format!("the directory of the data set `{name}`,"), path: place.root.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Shapes;

    fn digits() -> Task {
        Task { augment: vec![Augment::PadCrop { pad: 1 }], ..Task::digits() }
    }

    fn failure(task: &Task, roots: &Roots) -> String {
        open_task(task, Split::Train, roots, None).err().unwrap().to_string()
    }

    #[test]
    fn tasks_open_in_every_part() {
        for split in [Split::Train, Split::Val, Split::Test] {
            assert!(!open_task(&digits(), split, &Roots::new(), None).unwrap().is_empty());
        }
        let shapes = Task { augment: vec![Augment::Flip], ..Task::shapes(Shapes { size: 16, images: 20, seed: 1 }) };
        assert_eq!(open_task(&shapes, Split::Test, &Roots::new(), None).unwrap().len(), 2);
    }

    #[test]
    fn a_description_that_does_not_fit_is_refused() {
        let roots = Roots::new();
        let wide = Shape { channels: 1, height: 8, width: 9 };
        assert!(failure(&Task { input: wide, ..digits() }, &roots).contains("1×8×9, the data are 1×8×8"));
        assert!(failure(&Task { classes: 9, ..digits() }, &roots).contains("9 classes"));
        assert!(failure(&Task { train: 5, ..digits() }, &roots).contains("5 images"));
        let task = Task { augment: vec![Augment::ResizedCrop { area: 0.08, aspect: 1.25 }], ..digits() };
        assert!(failure(&task, &roots).contains("resized_crop"));
    }

    #[test]
    fn probes_open_and_must_have_the_size_of_the_program() {
        let cache = tempfile::tempdir().unwrap();
        let set = Shapes { size: 16, images: 5, seed: 1 };
        let probe = open_probe(&Probe::Shapes(set.clone()), None, &Roots::new(), cache.path()).unwrap();
        assert_eq!(probe.len(), 5);
        let roots = Roots::from([("broden".to_owned(), Place::at(shapes::write(&set, cache.path()).unwrap()))]);
        let broden = |size| Probe::Broden { name: "broden".to_owned(), size, images: 5 };
        assert!(open_probe(&broden(16), None, &roots, cache.path()).is_ok());
        let error = open_probe(&broden(224), None, &roots, cache.path()).unwrap_err().to_string();
        assert!(error.contains("224×224") && error.contains("16×16"), "{error}");
    }

    #[test]
    fn folders_that_are_not_there_are_told_from_those_that_hold_no_data() {
        let task = Task { data: DataSet::Stored { name: "imagenet".to_owned() }, ..digits() };
        let here = tempfile::tempdir().unwrap();
        let at = |path: &Path| Roots::from([("imagenet".to_owned(), Place::at(path))]);
        assert!(failure(&task, &Roots::new()).contains("names no directory"));
        assert!(failure(&task, &at(&here.path().join("gone"))).contains("does not exist"));
        assert!(failure(&task, &at(here.path())).contains("holds no folders of pictures"));
    }
}

//! Images and labels, as the trainer and the evaluator read them, and where they come from.

mod augment;
pub mod broden;
pub mod digits;
mod error;
mod fingerprint;
mod pixels;
pub mod shapes;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::arch::Shape;
use crate::domain::data::{Augment, DataSet, Probe, Split, Task};
use crate::domain::dissection::Pixels;

use super::rng::Rng;

use self::broden::Broden;

pub use self::error::DataError;
pub use self::fingerprint::{of_data, of_probe};
pub use self::pixels::Normalisation;

/// Directories of data sets on disk, by their names under `data:` in the profile.
pub type Roots = BTreeMap<String, PathBuf>;

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
    fn fill(&self, index: usize, pixels: &mut [f32]) -> io::Result<()>;

    /// Writes the values of an image after random `changes`, which draw from `rng` in order and nowhere else.
    ///
    /// # Errors
    /// If its file cannot be read.
    fn fill_changed(&self, index: usize, changes: &[Augment], rng: &mut Rng, pixels: &mut [f32]) -> io::Result<()>;
}

/// Opens one part of a task's images.
///
/// # Errors
/// If the data are not there, are not what the task says (classes, image size, counts), or need something that this
/// version cannot do.
pub fn open_task(task: &Task, split: Split, roots: &Roots) -> Result<Box<dyn Images>, DataError> {
    if task.augment.contains(&Augment::ResizedCrop) {
        return Err(DataError::Unsupported { what: augment::RESIZED_CROP.to_owned() });
    }
    let images: Box<dyn Images> = match &task.data {
        DataSet::Digits => Box::new(digits::Digits::open(split)?),
        DataSet::Shapes(set) => Box::new(shapes::ShapesImages::open(set, split)?),
        DataSet::ImageFolder { name } => {
            let folder = folder(name, roots)?;
            let what = format!("reading images from a folder is not in this version of pdsl: `{}`", folder.display());
            return Err(DataError::Unsupported { what });
        }
    };
    let count = match split {
        Split::Train => task.train,
        Split::Val => task.val,
        Split::Test => task.test,
    };
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
            let normalisation =
                pixels.map_or(Normalisation::PLAIN, |Pixels { mean, sd, .. }| Normalisation { mean, sd });
            let broden = Broden::open(folder(name, roots)?, normalisation)?;
            broden.demand(name, *size, *images)?;
            Ok(broden)
        }
    }
}

/// Finds the directory of a data set that the profile names.
fn folder<'a>(name: &str, roots: &'a Roots) -> Result<&'a Path, DataError> {
    let path = roots.get(name).ok_or_else(|| DataError::Unnamed { name: name.to_owned() })?;
    if path.is_dir() {
        Ok(path)
    } else {
        Err(DataError::Missing { what: format!("the directory of the data set `{name}`,"), path: path.clone() })
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
        open_task(task, Split::Train, roots).err().unwrap().to_string()
    }

    #[test]
    fn tasks_open_in_every_part() {
        for split in [Split::Train, Split::Val, Split::Test] {
            assert!(!open_task(&digits(), split, &Roots::new()).unwrap().is_empty());
        }
        let shapes = Task { augment: vec![Augment::Flip], ..Task::shapes(Shapes { size: 16, images: 20, seed: 1 }) };
        assert_eq!(open_task(&shapes, Split::Test, &Roots::new()).unwrap().len(), 2);
    }

    #[test]
    fn a_description_that_does_not_fit_is_refused() {
        let roots = Roots::new();
        let wide = Shape { channels: 1, height: 8, width: 9 };
        assert!(failure(&Task { input: wide, ..digits() }, &roots).contains("1×8×9, the data are 1×8×8"));
        assert!(failure(&Task { classes: 9, ..digits() }, &roots).contains("9 classes"));
        assert!(failure(&Task { train: 5, ..digits() }, &roots).contains("5 images"));
        let task = Task { augment: vec![Augment::ResizedCrop], ..digits() };
        assert!(failure(&task, &roots).contains("resized_crop"));
    }

    #[test]
    fn probes_open_and_must_have_the_size_of_the_program() {
        let cache = tempfile::tempdir().unwrap();
        let set = Shapes { size: 16, images: 5, seed: 1 };
        let probe = open_probe(&Probe::Shapes(set.clone()), None, &Roots::new(), cache.path()).unwrap();
        assert_eq!(probe.len(), 5);
        let roots = Roots::from([("broden".to_owned(), shapes::write(&set, cache.path()).unwrap())]);
        let broden = |size| Probe::Broden { name: "broden".to_owned(), size, images: 5 };
        assert!(open_probe(&broden(16), None, &roots, cache.path()).is_ok());
        let error = open_probe(&broden(224), None, &roots, cache.path()).unwrap_err().to_string();
        assert!(error.contains("224×224") && error.contains("16×16"), "{error}");
    }

    #[test]
    fn folders_that_are_not_there_are_told_from_those_that_cannot_be_read_yet() {
        let task = Task { data: DataSet::ImageFolder { name: "imagenet".to_owned() }, ..digits() };
        let here = tempfile::tempdir().unwrap();
        let at = |path: PathBuf| Roots::from([("imagenet".to_owned(), path)]);
        assert!(failure(&task, &Roots::new()).contains("names no directory"));
        assert!(failure(&task, &at(here.path().join("gone"))).contains("does not exist"));
        assert!(failure(&task, &at(here.path().to_owned())).contains("not in this version"));
    }
}

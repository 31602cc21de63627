//! Images on disk, in whatever form they lie there. The form changes no value: shards packed from folders hold the same
//! images in the same order.

mod arrays;
mod folder;
mod npz;
#[cfg(feature = "parquet")]
mod parquet;
mod shards;
mod source;
mod tar;

use std::path::Path;
use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use super::notes::Notes;
use super::picture::{Raster, Window};
use super::{DataError, Images, Normalisation, augment};
use crate::domain::arch::Shape;
use crate::domain::data::{Augment, Damaged, Place, Preparation, Split, Task};
use crate::domain::seed::Seed;
use crate::nn::rng::{Rng, Stream};

pub(super) use self::source::{Content, Parts, Source};
pub(super) use self::tar::{Archive, members};

/// Names of damaged images that are kept for a message.
const NAMED: usize = 3;

/// Finds out in which form data lie at a root, and reads which images there are.
///
/// # Errors
/// If it is no known form, or files cannot be read.
pub(super) fn recognise(root: &Path, notes: &Notes<'_>) -> Result<Parts, DataError> {
    if root.is_file() {
        return arrays::open_npz(root)?.ok_or_else(|| unknown(root));
    }
    let mut roots = vec![root.to_owned()];
    // Archives unpack into a directory of their own, and data sets of Hugging Face keep theirs in `data`.
    let inner = source::names(root)?;
    let below: Vec<_> = inner.iter().map(|name| root.join(name)).filter(|path| path.is_dir()).collect();
    match below.as_slice() {
        [only] => roots.push(only.clone()),
        several => roots.extend(several.iter().filter(|path| path.ends_with("data")).cloned()),
    }
    for root in &roots {
        let found = match shards::open(root, notes)? {
            Some(found) => Some(found),
            None => open_parquet(root)?,
        };
        let found = found.map_or_else(|| arrays::open_cifar(root), |found| Ok(Some(found)))?;
        let found = found.map_or_else(|| arrays::open_idx(root), |found| Ok(Some(found)))?;
        if let Some(found) = found.map_or_else(|| arrays::open_npz(root), |found| Ok(Some(found)))? {
            return Ok(found);
        }
    }
    folder::open(root)?.ok_or_else(|| unknown(root))
}

#[cfg(feature = "parquet")]
fn open_parquet(root: &Path) -> Result<Option<Parts>, DataError> {
    parquet::open(root)
}

#[cfg(not(feature = "parquet"))]
fn open_parquet(root: &Path) -> Result<Option<Parts>, DataError> {
    match source::names(root)?.into_iter().find(|name| source::ends(name, "parquet")) {
        None => Ok(None),
        Some(name) => Err(DataError::Unsupported {
            what: format!("this pdsl was built without the feature `parquet`: `{}`", root.join(name).display()),
        }),
    }
}

fn unknown(root: &Path) -> DataError {
    let problem = "holds no folders of pictures, tar shards, parquet, CIFAR, idx or npz files";
    DataError::form(root, problem)
}

/// Identifies stored images: equal digests, equal classes and bytes in the same order, in whatever form.
///
/// # Errors
/// If a file cannot be read.
pub(super) fn digest(root: &Path, notes: &Notes<'_>) -> Result<String, DataError> {
    let parts = recognise(root, notes)?;
    notes.remember("stored", &parts.files, || {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"pdsl/stored/1");
        for (part, source) in &parts.sources {
            let hash = |index: usize| match source.read(index)? {
                Content::File(bytes) => Ok(blake3::hash(&bytes)),
                Content::Pixels(raster) => {
                    let sizes = [raster.height, raster.width, raster.channels].map(|size| (size as u64).to_le_bytes());
                    Ok(blake3::Hasher::new().update(&sizes.concat()).update(&raster.bytes).finalize())
                }
            };
            let hashes: Vec<blake3::Hash> =
                (0..source.labels().len()).into_par_iter().map(hash).collect::<Result<_, DataError>>()?;
            hasher.update(&[*part as u8]).update(&(hashes.len() as u64).to_le_bytes());
            for (label, hash) in source.labels().iter().zip(&hashes) {
                hasher.update(&label.to_le_bytes()).update(hash.as_bytes());
            }
        }
        Ok(hasher.finalize().to_hex().to_string())
    })
}

/// One part of a task on disk.
#[derive(Clone)]
pub(super) struct Stored(Arc<Inner>);

struct Inner {
    source: Arc<dyn Source>,
    /// Images of this part, as places in the source; all of them if there is no list.
    chosen: Option<Vec<usize>>,
    classes: usize,
    input: Shape,
    preparation: Option<Preparation>,
    normalisation: Normalisation,
    damaged: Damaged,
    /// The first damaged images that were left out.
    skipped: Mutex<Vec<String>>,
}

impl Stored {
    /// Opens a part of a task at its place.
    ///
    /// # Errors
    /// If there are no such data, or they have other classes than the task says.
    pub(super) fn open(task: &Task, split: Split, place: &Place, notes: &Notes<'_>) -> Result<Self, DataError> {
        let parts = recognise(&place.root, notes)?;
        let (source, chosen) =
            choose(task, split, &parts).ok_or_else(|| DataError::form(&place.root, "has no part for training"))?;
        let largest = source.labels().iter().max().map_or(0, |label| *label as usize + 1);
        let classes = parts.classes.unwrap_or(if largest > task.classes { largest } else { task.classes });
        Ok(Self(Arc::new(Inner {
            source,
            chosen,
            classes,
            input: task.input,
            preparation: task.preparation.clone(),
            normalisation: task.normalisation.as_ref().map_or(Normalisation::PLAIN, Normalisation::from),
            damaged: place.damaged,
            skipped: Mutex::default(),
        })))
    }
}

/// A source, and which of its images; all of them if there is no list.
type Choice = (Arc<dyn Source>, Option<Vec<usize>>);

/// Chooses the images of a part. What has no part of its own is taken from training: of a fixed permutation of its
/// images, tests get the first, validation the next. This is the same on every machine and in every form.
fn choose(task: &Task, split: Split, parts: &Parts) -> Option<Choice> {
    if split != Split::Train
        && let Some(source) = parts.sources.get(&split)
    {
        return Some((source.clone(), None));
    }
    let source = parts.sources.get(&Split::Train)?;
    let count = source.labels().len();
    let missing = |part: Split, wanted: u64| if parts.sources.contains_key(&part) { 0 } else { wanted as usize };
    let test = missing(Split::Test, task.test).min(count);
    let val = missing(Split::Val, task.val).min(count - test);
    if test + val == 0 && split == Split::Train {
        return Some((source.clone(), None));
    }
    let seed = Seed { root: 0, stream: Vec::new() };
    let order = Stream::new(&seed, "parts").at(0, 0).permutation(count);
    let mut chosen = match split {
        Split::Test => order[..test].to_vec(),
        Split::Val => order[test..test + val].to_vec(),
        Split::Train => order[test + val..].to_vec(),
    };
    chosen.sort_unstable();
    Some((source.clone(), Some(chosen)))
}

impl Inner {
    fn place(&self, index: usize) -> usize {
        self.chosen.as_ref().map_or(index, |chosen| chosen[index])
    }

    /// Reads an image and brings it to the input size, with random changes if there are any.
    fn picture(&self, index: usize, changes: &[Augment], rng: Option<&mut Rng>) -> Result<Raster, DataError> {
        let content = self.source.read(self.place(index))?;
        self.make(&content, changes, rng).map_err(|problem| self.source.complaint(self.place(index), problem))
    }

    fn make(&self, content: &Content, changes: &[Augment], rng: Option<&mut Rng>) -> Result<Raster, String> {
        let Shape { channels, height, width } = self.input;
        let decode = |window: &mut dyn FnMut(usize, usize) -> Window| match content {
            Content::File(bytes) => Raster::decode(bytes, window).map(|picture| picture.with_channels(channels)),
            Content::Pixels(picture) => Ok(picture.cut(window(picture.width, picture.height)).with_channels(channels)),
        };
        let picture = match (changes, rng) {
            ([Augment::ResizedCrop { area, aspect }, rest @ ..], Some(rng)) => {
                // Only the part that is cut out has to be decoded.
                let mut draw = |width, height| augment::random_window(width, height, *area, *aspect, rng);
                let picture = decode(&mut draw)?.scale(width, height);
                augment::apply(picture, self.input, rest, rng)
            }
            (_, Some(rng)) => {
                let cropped = changes.iter().any(|change| matches!(change, Augment::ResizedCrop { .. }));
                let picture = decode(&mut Window::whole)?;
                let picture = if cropped { picture } else { self.prepare(picture) };
                augment::apply(picture, self.input, changes, rng)
            }
            (_, None) => self.prepare(decode(&mut Window::whole)?),
        };
        if (picture.width, picture.height) == (width, height) {
            return Ok(picture);
        }
        let (wide, high) = (picture.width, picture.height);
        Err(format!("has {wide}×{high} pixels (width × height), but the task expects {width}×{height}: use `prepared`"))
    }

    fn prepare(&self, picture: Raster) -> Raster {
        match &self.preparation {
            None => picture,
            Some(Preparation { shorter }) => {
                picture.scale_shorter(*shorter).cut_centre(self.input.width, self.input.height)
            }
        }
    }

    fn fill(&self, made: Result<Raster, DataError>, pixels: &mut [f32]) -> Result<(), DataError> {
        let picture = made.inspect_err(|error| self.note(error))?;
        self.normalisation.fill(&picture, pixels);
        Ok(())
    }

    /// Remembers the names of the first damaged images.
    fn note(&self, error: &DataError) {
        if self.damaged == Damaged::Skip
            && let Ok(mut skipped) = self.skipped.lock()
        {
            let text = error.to_string();
            if skipped.len() < NAMED && !skipped.contains(&text) {
                skipped.push(text);
            }
        }
    }
}

impl Images for Stored {
    fn len(&self) -> usize {
        self.0.chosen.as_ref().map_or(self.0.source.labels().len(), Vec::len)
    }

    fn classes(&self) -> usize {
        self.0.classes
    }

    fn shape(&self) -> Shape {
        self.0.input
    }

    fn label(&self, index: usize) -> usize {
        self.0.source.labels()[self.0.place(index)] as usize
    }

    fn fill(&self, index: usize, pixels: &mut [f32]) -> Result<(), DataError> {
        self.0.fill(self.0.picture(index, &[], None), pixels)
    }

    fn fill_changed(
        &self,
        index: usize,
        changes: &[Augment],
        rng: &mut Rng,
        pixels: &mut [f32],
    ) -> Result<(), DataError> {
        self.0.fill(self.0.picture(index, changes, Some(rng)), pixels)
    }

    fn damaged(&self) -> Damaged {
        self.0.damaged
    }

    fn skipped(&self) -> Vec<String> {
        self.0.skipped.lock().map(|names| names.clone()).unwrap_or_default()
    }

    fn shared(&self) -> Option<Arc<dyn Images>> {
        Some(Arc::new(self.clone()))
    }
}

#[cfg(test)]
mod tests;

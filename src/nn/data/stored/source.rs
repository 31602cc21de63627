//! What every form of stored data offers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::data::Split;
use crate::nn::data::DataError;
use crate::nn::data::picture::Raster;

/// Images of one part in a fixed order, readable from any thread.
pub(in crate::nn::data) trait Source: Send + Sync {
    /// Classes of all images.
    fn labels(&self) -> &[u32];

    /// What messages call an image: its file, and its name in there.
    fn name(&self, index: usize) -> (PathBuf, String);

    /// Reads an image.
    ///
    /// # Errors
    /// If its bytes cannot be read; whether they are a picture is seen later.
    fn read(&self, index: usize) -> Result<Content, DataError>;

    /// Complains about an image.
    fn complaint(&self, index: usize, problem: String) -> DataError {
        let (path, member) = self.name(index);
        let problem = if member.is_empty() { problem } else { format!("`{member}` {problem}") };
        DataError::Picture { path, problem }
    }
}

/// An image as it is stored.
pub(in crate::nn::data) enum Content {
    /// The bytes of a picture's file.
    File(Vec<u8>),
    /// Pixels.
    Pixels(Raster),
}

/// What was found at a root.
pub(in crate::nn::data) struct Parts {
    /// How the data lie there, in words.
    pub form: &'static str,
    /// Images by part; those that are not there may be taken from training.
    pub sources: BTreeMap<Split, Arc<dyn Source>>,
    /// Number of classes, where the form tells it; elsewhere labels are only known to be smaller than it.
    pub classes: Option<usize>,
    /// All files that say something, in a fixed order.
    pub files: Vec<PathBuf>,
}

/// Finds the word for a part in a name such as `imagenet-train-000012.tar`.
pub(super) fn part_of(name: &str) -> Option<Split> {
    let words = name.split(|c: char| !c.is_ascii_alphabetic());
    words.into_iter().find_map(|word| match word.to_ascii_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "val" | "valid" | "validation" => Some(Split::Val),
        "test" => Some(Split::Test),
        _ => None,
    })
}

/// Lists the names in a directory, sorted, without hidden ones.
///
/// # Errors
/// If it cannot be read.
pub(super) fn names(directory: &Path) -> Result<Vec<String>, DataError> {
    let failed = |error| DataError::reading("the directory", directory, error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether a name has an ending, in whatever case.
pub(super) fn ends(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

/// Reads a whole file.
///
/// # Errors
/// If it cannot be read.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, DataError> {
    std::fs::read(path).map_err(|error| DataError::reading("the file", path, error))
}

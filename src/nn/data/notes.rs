//! What was found out about large data, kept as long as the files stay as they are.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::DataError;

/// Longest step between two times that a file system can tell apart.
const TICK: Duration = Duration::from_secs(3);

/// A directory of notes, if there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notes<'a> {
    directory: Option<&'a Path>,
    /// Notes are written, but none is believed.
    afresh: bool,
}

impl<'a> Notes<'a> {
    pub(super) fn new(directory: Option<&'a Path>) -> Self {
        Self { directory, afresh: false }
    }

    /// Notes of which none is believed.
    pub(super) fn afresh(directory: Option<&'a Path>) -> Self {
        Self { directory, afresh: true }
    }

    /// Returns what was noted of these files, or finds it out and notes it under their sizes, times and inodes.
    ///
    /// # Errors
    /// If a file is missing, and what `find` says.
    pub(super) fn remember<T: Serialize + DeserializeOwned>(
        &self,
        kind: &str,
        files: &[PathBuf],
        find: impl FnOnce() -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        let Some(directory) = self.directory else { return find() };
        let metadata = files
            .par_iter()
            .map(|path| fs::metadata(path).map_err(|error| DataError::reading("the file", path, error)))
            .collect::<Result<Vec<Metadata>, _>>()?;
        let note = directory.join(format!("{kind}-{}", state(files, &metadata)));
        if !self.afresh
            && let Some(known) = fs::read(&note).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
        {
            return Ok(known);
        }
        let found = find()?;
        // A file that has only just been written may change again without a new time. Without a note nothing is wrong.
        let old = |file: &Metadata| file.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age > TICK));
        if metadata.iter().all(old)
            && let Ok(bytes) = serde_json::to_vec(&found)
        {
            let draft = note.with_extension(std::process::id().to_string());
            // The directory belongs to a store; where there is none yet, nothing is made that would look like half a one.
            let _ = fs::create_dir(directory);
            let _ = fs::write(&draft, bytes).and_then(|()| fs::rename(&draft, &note));
        }
        Ok(found)
    }
}

/// What the file system says of files without reading them.
fn state(files: &[PathBuf], metadata: &[Metadata]) -> String {
    let mut hasher = blake3::Hasher::new();
    for (path, file) in files.iter().zip(metadata) {
        let name = path.as_os_str().as_encoded_bytes();
        let numbers = [name.len() as u64, file.len(), file.ino(), file.mtime() as u64, file.mtime_nsec() as u64];
        hasher.update(name).update(&numbers.map(u64::to_le_bytes).concat());
    }
    hasher.finalize().to_hex().to_string()
}

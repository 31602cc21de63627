//! The store: objects by digest, records of finished stages by key, resume points by trajectory.
//!
//! ```text
//! store.yaml                    format of the layout
//! objects/ab/<digest>           immutable bytes
//! actions/ab/<key>.yaml         records of finished stages
//! trajectories/<base>/          stored points of a training: named ones refer to their record,
//!                               rolling ones hold their own bytes and go when the training is done
//! leases/<key>                  who computes what at the moment
//! roots/<experiment>.yaml       which keys the last run of each experiment used
//! quarantine/                   damaged files, for inspection
//! tmp/                          drafts
//! ```
//! Nothing is ever changed in place: a file appears under its name whole, by renaming, or not at all.

mod collect;
mod error;
mod lease;
mod objects;
mod points;
mod publish;
mod records;
mod verify;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::manifest::record;

pub use collect::{Collected, Collection, Item, Root, RootEntry};
pub use error::{Result, StoreError};
pub(crate) use lease::host;
pub use lease::{Claim, Holder, Lease, STALE_AFTER};
pub use objects::{Digest, MalformedDigest};
pub use points::{Point, PointKind};
pub use verify::{Finding, Verification};

/// The format that this pdsl writes, and the highest that it reads.
const FORMAT: u32 = 1;

/// A store on a file system.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// `store.yaml`.
#[derive(Debug, Serialize, Deserialize)]
struct Label {
    format: u32,
    written_by: String,
}

impl Store {
    /// Opens a store, or makes one where there is nothing or an empty directory.
    ///
    /// # Errors
    /// If a newer pdsl wrote it, the directory holds something else, or the file system refuses.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(store) = Self::existing(path)? {
            return Ok(store);
        }
        let known = |name: &std::ffi::OsStr| name == CACHE || PARTS.iter().any(|part| name == *part);
        let occupied = fs::read_dir(path)
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| !known(&entry.file_name()))));
        if occupied {
            return Err(StoreError::NotAStore { path: path.to_path_buf() });
        }
        let store = Self { root: path.to_path_buf() };
        for part in PARTS {
            publish::create_directory(&path.join(part))?;
        }
        let label = Label { format: FORMAT, written_by: format!("pdsl {}", env!("CARGO_PKG_VERSION")) };
        publish::write(&store.tmp(), &path.join("store.yaml"), encode(path, &label)?.as_bytes())?;
        Ok(store)
    }

    /// Opens a store if there is one, and writes nothing.
    ///
    /// # Errors
    /// If a newer pdsl wrote it, or it cannot be read.
    pub fn existing(path: &Path) -> Result<Option<Self>> {
        let file = path.join("store.yaml");
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(StoreError::io("read", &file))?,
        };
        let label: Label =
            record::document(&text).map_err(|reason| StoreError::Malformed { path: file.clone(), reason })?;
        if label.format > FORMAT {
            return Err(StoreError::Newer { path: path.to_path_buf(), found: label.format, known: FORMAT });
        }
        Ok(Some(Self { root: path.to_path_buf() }))
    }

    /// Returns the directory of the store.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }
}

/// Directory in a store where others keep what can be made again. What a program's data are is found out before anything
/// runs, so it may be there first.
const CACHE: &str = "data";
/// Directories of a store.
const PARTS: &[&str] = &["objects", "actions", "trajectories", "leases", "roots", "quarantine", "tmp"];

fn encode(path: &Path, value: &impl Serialize) -> Result<String> {
    record::write(value).map_err(|reason| StoreError::Malformed { path: path.to_path_buf(), reason })
}

/// Reads the entries of a directory, sorted by name; an absent directory has none.
fn entries(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(path).into_iter().flatten().filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests;

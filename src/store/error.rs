//! What can go wrong in a store.

use std::io;
use std::path::{Path, PathBuf};

use crate::manifest::record::RecordError;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A later pdsl wrote it.
    #[error("the store `{}` has format {found}, and this pdsl reads formats up to {known}", path.display())]
    Newer {
        /// The store.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The highest format that can be read.
        known: u32,
    },
    /// The directory holds other things.
    #[error("`{}` is not a store: it is not empty and has no `store.yaml`", path.display())]
    NotAStore {
        /// The directory.
        path: PathBuf,
    },
    /// An object's bytes are not those that were stored.
    #[error("the stored `{name}` was damaged and has been set aside")]
    Damaged {
        /// Digest of the bytes that were stored.
        digest: String,
        /// Readable names of the results that it is part of.
        name: String,
        /// Where the damaged bytes are now.
        quarantined: PathBuf,
    },
    /// An object is gone.
    #[error("the store lacks the bytes of `{name}`")]
    Missing {
        /// Digest of the bytes.
        digest: String,
        /// Readable names of the results that it is part of.
        name: String,
    },
    /// A file of the store cannot be read as what it should be.
    #[error("`{}` was unreadable and has been set aside: {reason}", path.display())]
    Malformed {
        /// The file, by its former name.
        path: PathBuf,
        /// Why.
        reason: RecordError,
    },
    /// The file system said no.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried: `write`, `read`, ….
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

impl StoreError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }

    /// Tells whether space, a quota or a limit on file sizes ran out.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }

    /// Tells whether the file system refuses to let this user write or read.
    pub fn is_denied(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem))
    }

    /// Returns the digest of an object that has to be made again.
    pub fn lost(&self) -> Option<&str> {
        match self {
            Self::Damaged { digest, .. } | Self::Missing { digest, .. } => Some(digest),
            _ => None,
        }
    }
}

/// A result of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

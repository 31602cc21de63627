//! Zip files in memory.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::FileError;

/// Bytes that any file may unfold to.
const UNFOLDED: u64 = 1 << 28;
/// Bytes that each byte of a file may unfold to on top.
const UNFOLDED_PER_BYTE: u64 = 64;

/// A zip file.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Bytes that may still be read: entries may overlap, and unfold to a thousand times their size.
    left: u64,
}

impl<'a> Archive<'a> {
    /// Reads the directory of a zip file.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, FileError> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| of_zip(&error))?;
        Ok(Self { zip, left: UNFOLDED + UNFOLDED_PER_BYTE * bytes.len() as u64 })
    }

    /// Lists the entries; those with unreadable names cannot be meant.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.zip.file_names().filter_map(|name| Some(name.ok()?.into_owned()))
    }

    /// Reads an entry.
    pub(super) fn entry(&mut self, name: &str) -> Result<Vec<u8>, FileError> {
        let file = self.zip.by_name(name).map_err(|error| of_zip(&error))?;
        let mut bytes = Vec::new();
        let read = file.take(self.left + 1).read_to_end(&mut bytes);
        read.map_err(|error| FileError::malformed(format!("`{name}`: {error}")))?;
        let read = bytes.len() as u64;
        self.left = self
            .left
            .checked_sub(read)
            .ok_or_else(|| FileError::malformed("it unfolds to far more than its own size"))?;
        Ok(bytes)
    }

    /// Whether there is an entry.
    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }
}

fn of_zip(error: &ZipError) -> FileError {
    FileError::malformed(error.to_string())
}

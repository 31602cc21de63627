//! Reading a pickle's bytes.

use crate::nn::weights::FileError;

/// A place in the bytes of a pickle.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Takes so many bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], FileError> {
        let taken = self.bytes[self.at..].get(..count).ok_or_else(cut_off)?;
        self.at += count;
        Ok(taken)
    }

    /// Takes an unsigned number of `width` bytes, the lowest first.
    pub(super) fn number(&mut self, width: usize) -> Result<u64, FileError> {
        Ok(self.take(width)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Takes bytes that a number of `width` bytes before them counts.
    pub(super) fn counted(&mut self, width: usize) -> Result<&'a [u8], FileError> {
        let count = usize::try_from(self.number(width)?).map_err(|_| cut_off())?;
        self.take(count)
    }

    /// Takes the rest of the line, and its end.
    pub(super) fn line(&mut self) -> Result<String, FileError> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or_else(cut_off)?;
        self.at += length + 1;
        Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
    }
}

fn cut_off() -> FileError {
    FileError::malformed("its pickle is cut off")
}

//! Variable-length integers in gzip: seven bits a byte, lowest first.

use std::io::{self, BufRead, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Writes numbers.
pub(super) struct Writer {
    sink: GzEncoder<Vec<u8>>,
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { sink: GzEncoder::new(Vec::new(), Compression::fast()), bytes: Vec::new() }
    }

    /// Appends a number.
    pub(super) fn put(&mut self, mut number: u32) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Appends a text with its length.
    pub(super) fn put_text(&mut self, text: &[u8]) {
        self.put(text.len() as u32);
        self.bytes.extend_from_slice(text);
    }

    /// Compresses what has been appended.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }

    /// Returns the bytes.
    pub(super) fn finish(mut self) -> io::Result<Vec<u8>> {
        self.flush()?;
        self.sink.finish()
    }
}

/// Says that stored bytes are damaged.
pub(super) fn damaged(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Reads numbers.
pub(super) struct Reader<'a> {
    source: io::BufReader<GzDecoder<&'a [u8]>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { source: io::BufReader::new(GzDecoder::new(bytes)) }
    }

    pub(super) fn next(&mut self) -> io::Result<u32> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let mut byte = [0];
            self.source.read_exact(&mut byte)?;
            let bits = u64::from(byte[0] & 0x7F) << shift;
            number |= u32::try_from(bits).map_err(|_| damaged("a stored number is too large"))?;
            if byte[0] < 0x80 {
                return Ok(number);
            }
        }
        Err(damaged("a stored number is too large"))
    }

    /// Adds a difference to the number before it.
    pub(super) fn step(&mut self, last: &mut u32) -> io::Result<u32> {
        *last = last.checked_add(self.next()?).ok_or_else(|| damaged("a stored number is too large"))?;
        Ok(*last)
    }

    /// Reads a text with its length.
    pub(super) fn text(&mut self) -> io::Result<Vec<u8>> {
        let length = u64::from(self.next()?);
        let mut text = Vec::new();
        if (&mut self.source).take(length).read_to_end(&mut text)? as u64 == length {
            Ok(text)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Whether everything has been read; this checks the sum at the end, too.
    pub(super) fn ended(&mut self) -> io::Result<bool> {
        Ok(self.source.fill_buf()?.is_empty())
    }
}

//! Masks of units in images as runs of pixels, from which pictures and null distributions follow without another pass
//! through the network.
//!
//! The bytes are gzip over variable-length integers: the format's number and the number of images; per image its rows and
//! columns and the length of what follows; per mask, in the order of the image's tally, the number of runs, then, for
//! each, the pixels since the last one and its own, row by row.

use std::io;

use super::numbers::{Reader, Writer, damaged};

/// Number of the format.
const FORMAT: u32 = 1;

/// Runs of ones: pixels before, pixels in it.
pub(super) type Runs = Vec<(u32, u32)>;

/// Appends a mask: the number of runs, then gap and length of each.
pub(super) fn append(mask: &[u64], out: &mut Vec<u32>) {
    let place = out.len();
    out.push(0);
    let (mut end, mut count) = (0_u32, 0);
    let mut at = 0;
    while let Some(start) = next(mask, at, true) {
        let stop = next(mask, start, false).unwrap_or(mask.len() * 64);
        out.push(start as u32 - end);
        out.push((stop - start) as u32);
        (end, at) = (stop as u32, stop);
        count += 1;
    }
    out[place] = count;
}

/// Finds the next bit of a kind, from `from` on.
fn next(mask: &[u64], from: usize, kind: bool) -> Option<usize> {
    let mut word = from / 64;
    let mut left = !0_u64 << (from % 64);
    while let Some(&bits) = mask.get(word) {
        let found = (if kind { bits } else { !bits }) & left;
        if found != 0 {
            return Some(word * 64 + found.trailing_zeros() as usize);
        }
        (word, left) = (word + 1, !0);
    }
    None
}

/// Writes the masks of images.
pub(super) struct Recorder(Writer);

impl Recorder {
    pub(super) fn new(images: usize) -> io::Result<Self> {
        let mut writer = Writer::new();
        writer.put(FORMAT);
        writer.put(images as u32);
        writer.flush()?;
        Ok(Self(writer))
    }

    /// Appends the masks of an image as [`append`] made them.
    pub(super) fn add(&mut self, [height, width]: [usize; 2], masks: &[u32]) -> io::Result<()> {
        let writer = &mut self.0;
        [height as u32, width as u32, masks.len() as u32].into_iter().for_each(|number| writer.put(number));
        masks.iter().for_each(|&number| writer.put(number));
        writer.flush()
    }

    /// Returns the bytes.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        self.0.finish()
    }
}

/// The masks of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageMasks {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Runs of pixels of each mask, in the order of the image's tally: pixels since the last run, and its own.
    pub runs: Vec<Runs>,
}

/// Reads masks image by image.
pub struct Masks<'a> {
    reader: Reader<'a>,
    left: u32,
}

impl<'a> Masks<'a> {
    /// Begins to read.
    ///
    /// # Errors
    /// If the bytes are of another format.
    pub fn open(bytes: &'a [u8]) -> io::Result<Self> {
        let mut reader = Reader::new(bytes);
        if reader.next()? != FORMAT {
            return Err(damaged("these masks are in a format of another version of pdsl"));
        }
        let left = reader.next()?;
        Ok(Self { reader, left })
    }

    fn read(&mut self) -> io::Result<ImageMasks> {
        let [height, width, mut length] = [self.reader.next()?, self.reader.next()?, self.reader.next()?];
        let mut runs = Vec::new();
        while length > 0 {
            let count = self.reader.next()?;
            length = count
                .checked_mul(2)
                .and_then(|numbers| length.checked_sub(numbers.checked_add(1)?))
                .ok_or_else(|| damaged("a mask in these is longer than its image's"))?;
            runs.push((0..count).map(|_| Ok((self.reader.next()?, self.reader.next()?))).collect::<io::Result<_>>()?);
        }
        Ok(ImageMasks { height: height as usize, width: width as usize, runs })
    }
}

impl Iterator for Masks<'_> {
    type Item = io::Result<ImageMasks>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(self.read())
    }
}

impl ImageMasks {
    /// Returns a mask as bits: pixel p is bit p mod 64 of word p / 64. Runs that go beyond the image are cut off.
    pub fn bits(&self, mask: usize) -> Vec<u64> {
        let area = self.height * self.width;
        let mut bits = vec![0_u64; area.div_ceil(64)];
        let mut at = 0_usize;
        for &(gap, length) in &self.runs[mask] {
            let start = (at + gap as usize).min(area);
            at = (start + length as usize).min(area);
            (start..at).for_each(|pixel| bits[pixel / 64] |= 1 << (pixel % 64));
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_come_back() {
        let mut roll = 1_u64;
        let mut masks = Vec::new();
        let mut plain = Vec::new();
        for kind in 0..20 {
            let mut bits = vec![0_u64; 3];
            for pixel in 0..180 {
                roll = roll.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let on = match kind {
                    0 => false,
                    1 => true,
                    _ => (roll >> 40) % 20 < kind,
                };
                bits[pixel / 64] |= u64::from(on) << (pixel % 64);
            }
            append(&bits, &mut masks);
            plain.push(bits);
        }
        let mut recorder = Recorder::new(2).unwrap();
        recorder.add([12, 15], &masks).unwrap();
        recorder.add([1, 1], &[]).unwrap();
        let bytes = recorder.finish().unwrap();
        let read: Vec<ImageMasks> = Masks::open(&bytes).unwrap().map(Result::unwrap).collect();
        assert_eq!((read.len(), read[1].runs.len()), (2, 0));
        let back: Vec<Vec<u64>> = (0..20).map(|mask| read[0].bits(mask)).collect();
        assert_eq!(back, plain);
        for length in 0..bytes.len() - 9 {
            let damaged = Masks::open(&bytes[..length]).is_err()
                || Masks::open(&bytes[..length]).unwrap().any(|image| image.is_err());
            assert!(damaged, "{length}");
        }
    }
}

//! All counts of a dissection as bytes, from which scores at any IoU threshold, of any part of the images, follow
//! without another pass through the network.
//!
//! The bytes are gzip over variable-length integers (seven bits a byte, lowest first): the format's number, units,
//! images; per unit the bits of its threshold and its largest activation; per image the number of labels, then label
//! (difference to the one before) and pixels of each, the number of units, then unit (difference), pixels, number of
//! overlaps, and label (difference) and pixels of each.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::tally::{ImageTally, UnitTally};
use super::threshold::Threshold;

/// Number of the format.
const FORMAT: u32 = 1;

/// Every count of a dissection.
#[derive(Clone, Debug, PartialEq)]
pub struct Tallies {
    /// Threshold of each unit.
    pub thresholds: Vec<Threshold>,
    /// Images in the order of the probe's index, without those that have no label in a chosen category.
    pub images: Vec<ImageTally>,
}

/// Writes tallies image by image.
pub(super) struct Recorder {
    sink: GzEncoder<Vec<u8>>,
    bytes: Vec<u8>,
}

impl Recorder {
    pub(super) fn new(thresholds: &[Threshold], images: usize) -> Self {
        let mut recorder = Self { sink: GzEncoder::new(Vec::new(), Compression::fast()), bytes: Vec::new() };
        recorder.put(FORMAT);
        recorder.put(thresholds.len() as u32);
        recorder.put(images as u32);
        for threshold in thresholds {
            recorder.put(threshold.value.to_bits());
            recorder.put(threshold.peak.to_bits());
        }
        recorder
    }

    fn put(&mut self, mut number: u32) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn put_counts(&mut self, counts: &[(u32, u32)]) {
        self.put(counts.len() as u32);
        let mut last = 0;
        for &(label, pixels) in counts {
            self.put(label - last);
            self.put(pixels);
            last = label;
        }
    }

    /// Appends an image.
    pub(super) fn add(&mut self, image: &ImageTally) -> io::Result<()> {
        self.put_counts(&image.labels);
        self.put(image.units.len() as u32);
        let mut last = 0;
        for unit in &image.units {
            self.put(unit.unit - last);
            self.put(unit.pixels);
            self.put_counts(&unit.overlaps);
            last = unit.unit;
        }
        self.sink.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }

    /// Returns the bytes.
    pub(super) fn finish(mut self) -> io::Result<Vec<u8>> {
        self.sink.write_all(&self.bytes)?;
        self.sink.finish()
    }
}

impl Tallies {
    /// Reads what a dissection has recorded.
    ///
    /// # Errors
    /// If the bytes are damaged or of another format.
    pub fn decode(bytes: &[u8]) -> io::Result<Self> {
        let mut numbers = Numbers { source: io::BufReader::new(GzDecoder::new(bytes)) };
        if numbers.next()? != FORMAT {
            return Err(damaged("these tallies are in a format of another version of pdsl"));
        }
        let (units, images) = (numbers.next()?, numbers.next()?);
        let mut threshold = || {
            let (value, peak) = (f32::from_bits(numbers.next()?), f32::from_bits(numbers.next()?));
            io::Result::Ok(Threshold { value, peak })
        };
        let thresholds = (0..units).map(|_| threshold()).collect::<io::Result<_>>()?;
        let images = (0..images).map(|_| numbers.image()).collect::<io::Result<_>>()?;
        if numbers.source.bytes().next().is_some() {
            return Err(damaged("tallies go on after their end"));
        }
        Ok(Self { thresholds, images })
    }
}

fn damaged(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Variable-length integers from a stream.
struct Numbers<R> {
    source: R,
}

impl<R: Read> Numbers<R> {
    fn next(&mut self) -> io::Result<u32> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let mut byte = [0];
            self.source.read_exact(&mut byte)?;
            let bits = u64::from(byte[0] & 0x7F) << shift;
            number |= u32::try_from(bits).map_err(|_| damaged("a number in these tallies is too large"))?;
            if byte[0] < 0x80 {
                return Ok(number);
            }
        }
        Err(damaged("a number in these tallies is too large"))
    }

    /// Adds a difference to the number before it.
    fn step(&mut self, last: &mut u32) -> io::Result<u32> {
        *last = last.checked_add(self.next()?).ok_or_else(|| damaged("a number in these tallies is too large"))?;
        Ok(*last)
    }

    fn counts(&mut self) -> io::Result<Vec<(u32, u32)>> {
        let mut last = 0;
        (0..self.next()?).map(|_| Ok((self.step(&mut last)?, self.next()?))).collect()
    }

    fn image(&mut self) -> io::Result<ImageTally> {
        let labels = self.counts()?;
        let mut last = 0;
        let units = (0..self.next()?)
            .map(|_| {
                let unit = self.step(&mut last)?;
                Ok(UnitTally { unit, pixels: self.next()?, overlaps: self.counts()? })
            })
            .collect::<io::Result<_>>()?;
        Ok(ImageTally { labels, units })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Tallies {
        let unit = |unit, pixels, overlaps: &[(u32, u32)]| UnitTally { unit, pixels, overlaps: overlaps.to_vec() };
        Tallies {
            thresholds: [(0.5, 2.0), (0.0, 0.0), (-1.5, f32::MAX)]
                .map(|(value, peak)| Threshold { value, peak })
                .to_vec(),
            images: vec![
                ImageTally {
                    labels: vec![(1, 64), (300, 12_544)],
                    units: vec![unit(0, 3, &[(1, 2)]), unit(2, 500, &[])],
                },
                ImageTally::default(),
                ImageTally { labels: vec![(65_535, 1)], units: vec![unit(1, u32::MAX, &[(65_535, 1)])] },
            ],
        }
    }

    fn encode(tallies: &Tallies) -> Vec<u8> {
        let mut recorder = Recorder::new(&tallies.thresholds, tallies.images.len());
        tallies.images.iter().for_each(|image| recorder.add(image).unwrap());
        recorder.finish().unwrap()
    }

    #[test]
    fn tallies_come_back() {
        assert_eq!(Tallies::decode(&encode(&sample())).unwrap(), sample());
    }

    #[test]
    fn damage_is_an_error() {
        let bytes = encode(&sample());
        for length in 0..bytes.len() {
            assert!(Tallies::decode(&bytes[..length]).is_err(), "{length}");
        }
        let mut recorder = Recorder::new(&[], 0);
        recorder.put(7);
        assert!(Tallies::decode(&recorder.finish().unwrap()).is_err());
    }
}

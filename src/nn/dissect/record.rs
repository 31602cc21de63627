//! All counts of a dissection as bytes, from which scores at any IoU threshold, of any part of the images, follow without
//! another pass through the network.
//!
//! The bytes are gzip over variable-length integers: the format's number; the heading as JSON; the number of images; per
//! image its row, whether it is held out, its area, the number of labels, then label (difference to the one before) and
//! pixels of each, the number of units, then unit (difference), pixels, number of overlaps, and label (difference) and
//! pixels of each.

use std::io;

use serde::{Deserialize, Serialize};

use super::numbers::{Reader, Writer, damaged};
use super::tally::{ImageTally, UnitTally};
use crate::domain::dissection::Measurement;

/// Number of the format.
const FORMAT: u32 = 2;

/// What the counts are about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heading {
    /// How units were measured.
    pub measurement: Measurement,
    /// Categories that took part, in the order of the probe's `category.csv`.
    pub categories: Vec<String>,
    /// Names of labels by number; empty for 0 and for numbers that are not in use.
    pub labels: Vec<String>,
    /// For each label number, the category that it covers most of, as an index into `categories`.
    pub primary: Vec<usize>,
    /// What is known of each unit.
    pub units: Vec<UnitSummary>,
}

/// A unit over all images.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitSummary {
    /// Masks are where the enlarged map is above this.
    pub threshold: f32,
    /// The largest activation.
    pub peak: f32,
    /// Share of activations above 0.
    pub positive: f64,
    /// Mean of activations.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
    /// Their excess kurtosis; 0 where they do not vary.
    pub kurtosis: f64,
    /// Rows of the images with the largest activations, and these, by falling activation.
    pub top: Vec<(u32, f32)>,
}

/// Every count of a dissection.
#[derive(Clone, Debug, PartialEq)]
pub struct Tallies {
    /// What they are about.
    pub heading: Heading,
    /// Images in the order of the probe's index, without those that took no part.
    pub images: Vec<ImageTally>,
}

/// Writes tallies image by image.
pub(super) struct Recorder(Writer);

impl Recorder {
    pub(super) fn new(heading: &Heading, images: usize) -> io::Result<Self> {
        let mut writer = Writer::new();
        writer.put(FORMAT);
        writer.put_text(&serde_json::to_vec(heading)?);
        writer.put(images as u32);
        writer.flush()?;
        Ok(Self(writer))
    }

    fn put_counts(&mut self, counts: &[(u32, u32)]) {
        self.0.put(counts.len() as u32);
        let mut last = 0;
        for &(label, pixels) in counts {
            self.0.put(label - last);
            self.0.put(pixels);
            last = label;
        }
    }

    /// Appends an image.
    pub(super) fn add(&mut self, image: &ImageTally) -> io::Result<()> {
        [image.row, u32::from(image.held_out), image.area].into_iter().for_each(|number| self.0.put(number));
        self.put_counts(&image.labels);
        self.0.put(image.units.len() as u32);
        let mut last = 0;
        for unit in &image.units {
            self.0.put(unit.unit - last);
            self.0.put(unit.pixels);
            self.put_counts(&unit.overlaps);
            last = unit.unit;
        }
        self.0.flush()
    }

    /// Returns the bytes.
    pub(super) fn finish(self) -> io::Result<Vec<u8>> {
        self.0.finish()
    }
}

impl Tallies {
    /// Reads what a dissection has recorded.
    ///
    /// # Errors
    /// If the bytes are damaged or of another format.
    pub fn decode(bytes: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(bytes);
        if reader.next()? != FORMAT {
            return Err(damaged("these tallies are in a format of another version of pdsl"));
        }
        let heading: Heading = serde_json::from_slice(&reader.text()?)?;
        let images = reader.next()?;
        let images: Vec<ImageTally> = (0..images).map(|_| image(&mut reader)).collect::<io::Result<_>>()?;
        if !reader.ended()? {
            return Err(damaged("tallies go on after their end"));
        }
        let tallies = Self { heading, images };
        if tallies.is_sound() { Ok(tallies) } else { Err(damaged("tallies count what their heading does not name")) }
    }

    /// Writes the tallies again.
    #[cfg(test)]
    pub(super) fn encode(&self) -> io::Result<Vec<u8>> {
        let mut recorder = Recorder::new(&self.heading, self.images.len())?;
        self.images.iter().try_for_each(|image| recorder.add(image))?;
        recorder.finish()
    }

    /// Whether labels, categories and units are those of the heading.
    fn is_sound(&self) -> bool {
        let Heading { categories, labels, primary, units, .. } = &self.heading;
        let named = |counts: &[(u32, u32)]| counts.iter().all(|&(label, _)| (label as usize) < labels.len());
        primary.len() == labels.len()
            && primary.iter().all(|&category| category < categories.len())
            && self.images.iter().all(|image| {
                let known = |unit: &UnitTally| (unit.unit as usize) < units.len() && named(&unit.overlaps);
                named(&image.labels) && image.units.iter().all(known)
            })
    }
}

fn counts(reader: &mut Reader<'_>) -> io::Result<Vec<(u32, u32)>> {
    let mut last = 0;
    (0..reader.next()?).map(|_| Ok((reader.step(&mut last)?, reader.next()?))).collect()
}

fn image(reader: &mut Reader<'_>) -> io::Result<ImageTally> {
    let [row, held_out, area] = [reader.next()?, reader.next()?, reader.next()?];
    let labels = counts(reader)?;
    let mut last = 0;
    let units = (0..reader.next()?)
        .map(|_| {
            let unit = reader.step(&mut last)?;
            Ok(UnitTally { unit, pixels: reader.next()?, overlaps: counts(reader)? })
        })
        .collect::<io::Result<_>>()?;
    Ok(ImageTally { row, held_out: held_out != 0, area, labels, units })
}

#[cfg(test)]
impl Heading {
    /// A heading of nothing.
    pub(super) fn empty() -> Self {
        let (categories, labels, primary, units) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { measurement: Measurement::lite("layer"), categories, labels, primary, units }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Tallies {
        let unit = |unit, pixels, overlaps: &[(u32, u32)]| UnitTally { unit, pixels, overlaps: overlaps.to_vec() };
        let summary = |threshold, peak| UnitSummary { threshold, peak, top: vec![(3, peak)], ..UnitSummary::default() };
        let labels = 65_536;
        Tallies {
            heading: Heading {
                measurement: Measurement::lite("layer"),
                categories: vec!["object".to_owned(), "scene".to_owned()],
                labels: (0..labels)
                    .map(|label| if label == 1 { "a \"b\"".to_owned() } else { String::new() })
                    .collect(),
                primary: (0..labels).map(|label| label % 2).collect(),
                units: [(0.5, 2.0), (0.0, 0.1), (-1.5, f32::MAX)].map(|(t, peak)| summary(t, peak)).to_vec(),
            },
            images: vec![
                ImageTally {
                    row: 7,
                    held_out: true,
                    area: 12_544,
                    labels: vec![(1, 64), (300, 12_544)],
                    units: vec![unit(0, 3, &[(1, 2)]), unit(2, 500, &[])],
                },
                ImageTally::default(),
                ImageTally {
                    labels: vec![(65_535, 1)],
                    units: vec![unit(1, u32::MAX, &[(65_535, 1)])],
                    ..ImageTally::default()
                },
            ],
        }
    }

    #[test]
    fn tallies_come_back() {
        assert_eq!(Tallies::decode(&sample().encode().unwrap()).unwrap(), sample());
    }

    #[test]
    fn damage_is_an_error() {
        let small = Tallies { heading: Heading::empty(), images: vec![ImageTally::default()] };
        let bytes = small.encode().unwrap();
        for length in 0..bytes.len() {
            assert!(Tallies::decode(&bytes[..length]).is_err(), "{length}");
        }
        let mut unknown = sample();
        unknown.heading.units.pop();
        assert!(Tallies::decode(&unknown.encode().unwrap()).is_err());
    }
}

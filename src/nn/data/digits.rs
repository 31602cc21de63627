//! The 1 797 handwritten digits that are part of the binary (see `data/README.md`).

use std::io::Read;

use flate2::read::GzDecoder;

use super::{DataError, Images, augment};
use crate::domain::arch::Shape;
use crate::domain::data::{Augment, Normalisation, Split};
use crate::nn::rng::Rng;

/// The data file, as shipped.
static FILE: &[u8] = include_bytes!("../../../data/digits.csv.gz");

/// BLAKE3 of the data file.
pub const DIGEST: &str = "6e6d08206f25ea2b4115da8d88938afa92b1e035f762278c06b5df6fb254188a";
/// Classes.
pub const CLASSES: usize = 10;
/// Side of an image in pixels.
pub const SIZE: usize = 8;
/// Mean of the training pixels on a scale of 0 to 1, to four places.
pub const MEAN: f32 = 0.3045;
/// Standard deviation of the training pixels on that scale, to four places.
pub const SD: f32 = 0.3757;
/// Largest pixel value in the file.
const WHITE: f32 = 16.0;
/// Rule of the split; part of the fingerprint.
pub(super) const VERSION: u32 = 1;

/// One part of the digits, in the order of the file.
#[derive(Debug)]
pub struct Digits {
    pixels: Vec<u8>,
    labels: Vec<u8>,
    mean: f32,
    sd: f32,
}

impl Digits {
    /// Decodes one part, normalised by [`MEAN`] and [`SD`] or as asked.
    ///
    /// # Errors
    /// If the embedded file is damaged, which a test excludes.
    pub fn open(split: Split, normalisation: Option<&Normalisation>) -> Result<Self, DataError> {
        let damaged = |problem: String| DataError::parameters(format!("the embedded digits are damaged: {problem}"));
        let mut text = String::new();
        GzDecoder::new(FILE).read_to_string(&mut text).map_err(|error| damaged(error.to_string()))?;
        let number = |numbers: Option<&Vec<f64>>, own| numbers.and_then(|list| list.first()).map_or(own, |v| *v as f32);
        let mean = number(normalisation.map(|given| &given.mean), MEAN);
        let sd = number(normalisation.map(|given| &given.sd), SD);
        let mut digits = Self { pixels: Vec::new(), labels: Vec::new(), mean, sd };
        let mut seen = [0_usize; CLASSES];
        for line in csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes()).into_deserialize() {
            let line: Vec<u8> = line.map_err(|error| damaged(error.to_string()))?;
            let (Some((&label, pixels)), true) = (line.split_last(), line.len() == SIZE * SIZE + 1) else {
                return Err(damaged(format!("{} values on a line", line.len())));
            };
            let Some(position) = seen.get_mut(usize::from(label)) else {
                return Err(damaged(format!("class {label}")));
            };
            if part(*position) == split {
                digits.pixels.extend_from_slice(pixels);
                digits.labels.push(label);
            }
            *position += 1;
        }
        Ok(digits)
    }
}

/// Part of the j-th image of a class, from 0 in file order.
fn part(position: usize) -> Split {
    match position % 20 {
        3 | 7 | 11 => Split::Val,
        5 | 9 | 13 => Split::Test,
        _ => Split::Train,
    }
}

impl Images for Digits {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn classes(&self) -> usize {
        CLASSES
    }

    fn shape(&self) -> Shape {
        Shape { channels: 1, height: SIZE, width: SIZE }
    }

    fn label(&self, index: usize) -> usize {
        usize::from(self.labels[index])
    }

    fn fill(&self, index: usize, pixels: &mut [f32]) -> Result<(), DataError> {
        let bytes = &self.pixels[index * SIZE * SIZE..(index + 1) * SIZE * SIZE];
        for (value, &byte) in pixels.iter_mut().zip(bytes) {
            *value = (f32::from(byte) / WHITE - self.mean) / self.sd;
        }
        Ok(())
    }

    fn fill_changed(
        &self,
        index: usize,
        changes: &[Augment],
        rng: &mut Rng,
        pixels: &mut [f32],
    ) -> Result<(), DataError> {
        self.fill(index, pixels)?;
        augment::apply_to_values(pixels, self.shape(), &[-self.mean / self.sd], changes, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Task;

    #[test]
    fn the_file_is_the_one_that_was_published() {
        assert_eq!(blake3::hash(FILE).to_hex().as_str(), DIGEST);
    }

    #[test]
    fn the_counts_are_right_and_classes_are_balanced() {
        let task = Task::digits();
        for (split, count) in [(Split::Train, task.train), (Split::Val, task.val), (Split::Test, task.test)] {
            let digits = Digits::open(split, None).unwrap();
            assert_eq!(digits.len() as u64, count, "{split:?}");
            let mut classes = [0; CLASSES];
            (0..digits.len()).for_each(|index| classes[digits.label(index)] += 1);
            if split == Split::Train {
                assert!(classes.iter().all(|n| (120..=129).contains(n)), "{classes:?}");
            } else {
                assert_eq!(classes, [27; CLASSES]);
            }
        }
    }

    #[test]
    fn training_pixels_have_mean_zero_and_variance_one() {
        let digits = Digits::open(Split::Train, None).unwrap();
        let mut image = [0.0; SIZE * SIZE];
        let (mut sum, mut squares) = (0.0, 0.0);
        for index in 0..digits.len() {
            digits.fill(index, &mut image).unwrap();
            sum += image.iter().map(|&v| f64::from(v)).sum::<f64>();
            squares += image.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>();
        }
        let n = (digits.len() * image.len()) as f64;
        assert!((sum / n).abs() < 1e-3, "{}", sum / n);
        assert!((squares / n - 1.0).abs() < 1e-3, "{}", squares / n);
    }

    #[test]
    fn the_first_training_image_is_a_zero() {
        let digits = Digits::open(Split::Train, None).unwrap();
        let mut image = [0.0; SIZE * SIZE];
        digits.fill(0, &mut image).unwrap();
        assert_eq!(digits.label(0), 0);
        assert_eq!(image[2].to_bits(), ((5.0 / WHITE - MEAN) / SD).to_bits());
    }
}

//! Images with pixel labels in the directory layout of Broden (Bau et al. 2017), of any size.
//!
//! `index.csv` has a row per image and a column per category, whose cells name pictures of labels (number = red +
//! 256 · green) or numbers that hold for the whole image; `label.csv`, `category.csv` and `c_<category>.csv` say what
//! the numbers mean. Number 0 is no label.

mod tables;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::tables::Entry;
use super::fingerprint::files;
use super::notes::Notes;
use super::picture::Raster;
use super::{DataError, Normalisation};
use crate::domain::arch::Shape;
use crate::domain::dissection::Portion;

pub(super) use self::tables::{Cell, Tables, read as read_tables};

/// The categories of Broden. Sets in its layout may lack some.
pub const CATEGORIES: [&str; 6] = ["object", "part", "scene", "material", "texture", "color"];

/// An opened directory in Broden's layout.
#[derive(Debug)]
pub struct Broden {
    directory: PathBuf,
    tables: Tables,
    normalisation: Normalisation,
    /// Rows that are left out because a picture is damaged, in order, with what is wrong.
    damaged: Vec<(usize, String)>,
}

/// Categories that take part in a measurement, and what follows from the choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Names, in the order of `category.csv`.
    pub categories: Vec<String>,
    /// For each label number, the chosen category that it covers most of, as an index into `categories`. Of equal
    /// ones the last; so it is for labels of no chosen category.
    pub primary: Vec<usize>,
    /// Rows of `index.csv` (from 0) with something in a chosen category, in order.
    pub images: Vec<usize>,
    /// Columns of the chosen categories.
    columns: Vec<usize>,
}

/// Labels of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmentation {
    /// Rows of every layer.
    pub height: usize,
    /// Columns of every layer.
    pub width: usize,
    /// Labels of the whole image.
    pub whole: Vec<u32>,
    /// Label of each pixel, row by row; 0 where there is none. Layers may overlap.
    pub layers: Vec<Vec<u32>>,
}

impl Selection {
    /// Keeps the images of a portion, and of these the `first` (0: all).
    #[must_use]
    pub fn within(mut self, broden: &Broden, portion: Portion, first: u64) -> Self {
        self.images.retain(|&image| match portion {
            Portion::All => true,
            Portion::Train => !broden.held_out(image),
            Portion::Val => broden.held_out(image),
        });
        if first > 0 {
            self.images.truncate(usize::try_from(first).unwrap_or(usize::MAX));
        }
        self
    }
}

impl Broden {
    /// Reads the tables of a directory; pictures are read when they are asked for.
    ///
    /// # Errors
    /// If the directory or a table is missing or malformed.
    pub fn open(directory: &Path, normalisation: Normalisation) -> Result<Self, DataError> {
        let tables = read_tables(directory)?;
        Ok(Self { directory: directory.to_owned(), tables, normalisation, damaged: Vec::new() })
    }

    /// Leaves out the rows of which a picture is damaged. Every picture is read; what was found is noted.
    ///
    /// # Errors
    /// If a picture is missing or the system does not let it be read.
    pub(super) fn leave_out_damaged(&mut self, notes: &Notes<'_>) -> Result<(), DataError> {
        let files: Vec<PathBuf> = files(&self.directory, &self.tables).into_iter().map(|(_, path)| path).collect();
        let found = notes.remember("damaged", &files, || {
            let check = |row: usize| match self.check(row) {
                Ok(()) => Ok(None),
                Err(error) if error.is_damage() => Ok(Some((row, error.to_string()))),
                Err(error) => Err(error),
            };
            (0..self.len()).into_par_iter().filter_map(|row| check(row).transpose()).collect::<Result<Vec<_>, _>>()
        })?;
        self.damaged = found;
        Ok(())
    }

    /// Returns the rows of `index.csv` (from 0) that are left out because a picture is damaged, with what is wrong.
    pub fn damaged(&self) -> &[(usize, String)] {
        &self.damaged
    }

    /// Reads all pictures of a row.
    fn check(&self, row: usize) -> Result<(), DataError> {
        let Entry { image, seg_height, seg_width, cells, .. } = &self.tables.images[row];
        decode(&picture(&self.directory, image), self.tables.height, self.tables.width)?;
        for cell in cells.iter().flatten() {
            if let Cell::Layer(name) = cell {
                self.layer(&picture(&self.directory, name), *seg_height, *seg_width)?;
            }
        }
        Ok(())
    }

    /// Compares the directory with what a program says of it.
    pub(super) fn demand(&self, name: &str, size: usize, images: u64) -> Result<(), DataError> {
        self.tables.demand(name, size, images)
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Returns the number of rows of `index.csv`.
    pub fn len(&self) -> usize {
        self.tables.images.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.tables.images.is_empty()
    }

    /// Returns the size of every image.
    pub fn shape(&self) -> Shape {
        Shape { channels: 3, height: self.tables.height, width: self.tables.width }
    }

    /// Returns the name of a label as it stands in `label.csv`; empty for 0 and for numbers that are not listed.
    pub fn label(&self, number: u32) -> &str {
        self.tables.labels.get(number as usize).map_or("", String::as_str)
    }

    /// Returns rows and columns of an image's labels.
    pub fn label_size(&self, image: usize) -> [usize; 2] {
        let entry = &self.tables.images[image];
        [entry.seg_height, entry.seg_width]
    }

    /// Whether the index marks an image `val`.
    pub fn held_out(&self, image: usize) -> bool {
        self.tables.images[image].held_out
    }

    /// Returns how many label numbers there are, 0 included.
    pub fn labels(&self) -> usize {
        self.tables.labels.len()
    }

    /// Chooses categories by name. Those of [`CATEGORIES`] may be missing from the directory; others must be there.
    ///
    /// # Errors
    /// If none of the names is in the directory, or one is unknown.
    pub fn select(&self, names: &[String]) -> Result<Selection, DataError> {
        let known: Vec<&str> = self.tables.categories.iter().map(|category| category.name.as_str()).collect();
        let odd = |name: &&String| !known.contains(&name.as_str()) && !CATEGORIES.contains(&name.as_str());
        if let Some(name) = names.iter().find(odd) {
            let path = self.directory.display();
            let problem = format!("`{path}` has no category `{name}`, only {}", known.join(", "));
            return Err(DataError::parameters(problem));
        }
        let columns: Vec<usize> =
            (0..known.len()).filter(|&column| names.iter().any(|name| name == known[column])).collect();
        if columns.is_empty() {
            let path = self.directory.display();
            let problem = format!("`{path}` has none of the chosen categories, only {}", known.join(", "));
            return Err(DataError::parameters(problem));
        }
        let coverage = |column: usize, label: usize| {
            self.tables.categories[column].coverage.get(&(label as u32)).copied().unwrap_or(0.0)
        };
        let primary = (0..self.labels())
            .map(|label| {
                (0..columns.len())
                    .fold((0, 0.0), |(best, most), place| {
                        let covered = coverage(columns[place], label);
                        if covered >= most { (place, covered) } else { (best, most) }
                    })
                    .0
            })
            .collect();
        let some = |cell: &Cell| !matches!(cell, Cell::Whole(0));
        let sound = |image: &usize| self.damaged.binary_search_by_key(image, |(row, _)| *row).is_err();
        let images = (0..self.len())
            .filter(sound)
            .filter(|&image| columns.iter().any(|&column| self.tables.images[image].cells[column].iter().any(some)))
            .collect();
        let categories = columns.iter().map(|&column| known[column].to_owned()).collect();
        Ok(Selection { categories, primary, images, columns })
    }

    /// Writes the normalised values of an image (row of `index.csv`), channel by channel, row by row.
    ///
    /// # Errors
    /// If the file is missing, damaged or of another size than `index.csv` says.
    pub fn fill(&self, image: usize, pixels: &mut [f32]) -> Result<(), DataError> {
        let path = picture(&self.directory, &self.tables.images[image].image);
        let rgb = decode(&path, self.tables.height, self.tables.width)?;
        self.normalisation.planes(&rgb.bytes, pixels);
        Ok(())
    }

    /// Reads an image (row of `index.csv`) as it is on disk.
    ///
    /// # Errors
    /// As [`Self::fill`].
    pub fn picture(&self, image: usize) -> Result<image::RgbImage, DataError> {
        let path = picture(&self.directory, &self.tables.images[image].image);
        let Raster { width, height, bytes, .. } = decode(&path, self.tables.height, self.tables.width)?;
        image::RgbImage::from_raw(width as u32, height as u32, bytes)
            .ok_or_else(|| DataError::picture(&path, "has not as many bytes as its size says"))
    }

    /// Reads the labels of an image in the chosen categories.
    ///
    /// # Errors
    /// As [`Self::fill`], and if a number is larger than those in `label.csv`.
    pub fn segmentation(&self, image: usize, selection: &Selection) -> Result<Segmentation, DataError> {
        let Entry { seg_height: height, seg_width: width, cells, .. } = &self.tables.images[image];
        let (height, width) = (*height, *width);
        let mut found = Segmentation { height, width, whole: Vec::new(), layers: Vec::new() };
        for cell in selection.columns.iter().flat_map(|&column| &cells[column]) {
            match cell {
                Cell::Whole(0) => {}
                Cell::Whole(label) => found.whole.push(*label),
                Cell::Layer(name) => found.layers.push(self.layer(&picture(&self.directory, name), height, width)?),
            }
        }
        Ok(found)
    }

    /// Reads a picture of labels.
    fn layer(&self, path: &Path, height: usize, width: usize) -> Result<Vec<u32>, DataError> {
        let rgb = decode(path, height, width)?;
        let pixels = rgb.bytes.chunks_exact(3);
        let numbers: Vec<u32> = pixels.map(|pixel| u32::from(pixel[0]) + 256 * u32::from(pixel[1])).collect();
        match numbers.iter().max() {
            Some(&largest) if largest as usize >= self.labels() => {
                let last = self.labels() - 1;
                let problem = format!("holds the label {largest}, but `label.csv` ends at {last}");
                Err(DataError::picture(path, problem))
            }
            _ => Ok(numbers),
        }
    }
}

/// Where a picture lies that a table names.
pub(super) fn picture(directory: &Path, name: &str) -> PathBuf {
    directory.join("images").join(name)
}

/// Decodes a picture of known size; grey ones get three equal channels.
fn decode(path: &Path, height: usize, width: usize) -> Result<Raster, DataError> {
    let bytes = std::fs::read(path).map_err(|error| DataError::reading("the picture", path, error))?;
    let picture = Raster::decode_whole(&bytes).map_err(|problem| DataError::picture(path, problem))?;
    if (picture.height, picture.width) == (height, width) {
        return Ok(picture);
    }
    let (wide, high) = (picture.width, picture.height);
    let problem = format!("has {wide}×{high} pixels (width × height), but `index.csv` says {width}×{height}");
    Err(DataError::picture(path, problem))
}

#[cfg(test)]
mod tests;

//! Digests of data: equal digests, equal images and labels.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::domain::data::{DataSet, Probe, Shapes};

use super::broden::{Cell, picture, read_tables};
use super::{DataError, Roots, digits, folder, shapes};

/// Identifies a data set; nothing if the profile does not say where it is.
///
/// # Errors
/// If the directory is missing, or this version cannot read such data.
pub fn of_data(data: &DataSet, roots: &Roots) -> Result<Option<String>, DataError> {
    match data {
        DataSet::Digits => {
            Ok(Some(digest("digits", [digits::VERSION.to_string().as_bytes(), digits::DIGEST.as_bytes()])))
        }
        DataSet::Shapes(set) => Ok(Some(of_shapes(set))),
        DataSet::ImageFolder { name } if !roots.contains_key(name) => Ok(None),
        DataSet::ImageFolder { name } => Err(DataError::Unsupported {
            what: format!(
                "reading images from a folder is not in this version of pdsl: `{}`",
                folder(name, roots)?.display()
            ),
        }),
    }
}

/// Identifies a probe; nothing if the profile does not say where it is. Of a directory it takes the tables' contents and the
/// names and sizes of all pictures.
///
/// # Errors
/// If the directory is missing, malformed or incomplete, or is not what the program says.
pub fn of_probe(probe: &Probe, roots: &Roots) -> Result<Option<String>, DataError> {
    match probe {
        Probe::Shapes(set) => Ok(Some(of_shapes(set))),
        Probe::Broden { name, .. } if !roots.contains_key(name) => Ok(None),
        Probe::Broden { name, size, images } => of_directory(folder(name, roots)?, (name, *size, *images)).map(Some),
    }
}

/// Identifies a generated set.
fn of_shapes(set: &Shapes) -> String {
    let numbers = [u64::from(shapes::VERSION), set.size as u64, set.images, set.seed].map(u64::to_le_bytes);
    digest("shapes", [numbers.concat().as_slice()])
}

/// Identifies a directory in Broden's layout that should have a name, a size of images and a number of them.
fn of_directory(directory: &Path, (name, size, images): (&str, usize, u64)) -> Result<String, DataError> {
    let tables = read_tables(directory)?;
    tables.demand(name, size, images)?;
    let mut pieces = Vec::new();
    let names = tables.categories.iter().map(|category| format!("c_{}.csv", category.name));
    for name in ["index.csv", "label.csv", "category.csv"].map(str::to_owned).into_iter().chain(names) {
        let path = directory.join(&name);
        let bytes = fs::read(&path).map_err(|error| DataError::reading("the table", &path, error))?;
        pieces.extend([name.into_bytes(), bytes]);
    }
    let mut pictures = BTreeSet::new();
    for entry in &tables.images {
        pictures.insert(entry.image.as_str());
        pictures.extend(entry.cells.iter().flatten().filter_map(|cell| match cell {
            Cell::Layer(name) => Some(name.as_str()),
            Cell::Whole(_) => None,
        }));
    }
    for name in pictures {
        let path = picture(directory, name);
        let size = fs::metadata(&path).map_err(|error| DataError::reading("the picture", &path, error))?.len();
        pieces.extend([name.as_bytes().to_vec(), size.to_le_bytes().to_vec()]);
    }
    Ok(digest("broden", pieces.iter().map(Vec::as_slice)))
}

/// Hashes pieces with their lengths, so that no two lists of pieces are confused.
fn digest<'a>(kind: &'a str, pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = blake3::Hasher::new();
    for piece in [b"pdsl/data/1".as_slice(), kind.as_bytes()].into_iter().chain(pieces) {
        hasher.update(&(piece.len() as u64).to_le_bytes()).update(piece);
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: Shapes = Shapes { size: 16, images: 6, seed: 1 };

    #[test]
    fn generated_and_embedded_data_always_have_a_digest() {
        let roots = Roots::new();
        let digits = of_data(&DataSet::Digits, &roots).unwrap().unwrap();
        let shapes = of_data(&DataSet::Shapes(SET), &roots).unwrap().unwrap();
        let others = [Shapes { size: 32, ..SET }, Shapes { images: 7, ..SET }, Shapes { seed: 2, ..SET }];
        let mut digests: BTreeSet<_> = others.into_iter().map(|set| of_shapes(&set)).collect();
        digests.extend([digits, shapes.clone()]);
        assert_eq!(digests.len(), 5);
        assert_eq!(of_probe(&Probe::Shapes(SET), &roots).unwrap(), Some(shapes));
    }

    #[test]
    fn unnamed_folders_have_none_and_absent_ones_are_named() {
        let folder = DataSet::ImageFolder { name: "x".to_owned() };
        let probe = Probe::Broden { name: "x".to_owned(), size: 224, images: 1 };
        assert_eq!(of_data(&folder, &Roots::new()).unwrap(), None);
        assert_eq!(of_probe(&probe, &Roots::new()).unwrap(), None);
        let gone = Roots::from([("x".to_owned(), "/does/not/exist".into())]);
        for error in [of_data(&folder, &gone).unwrap_err(), of_probe(&probe, &gone).unwrap_err()] {
            assert!(error.to_string().contains("/does/not/exist"), "{error}");
        }
    }

    #[test]
    fn a_directory_must_be_what_the_program_says() {
        let cache = tempfile::tempdir().unwrap();
        let roots = Roots::from([("x".to_owned(), shapes::write(&SET, cache.path()).unwrap())]);
        let failure = |size, images| {
            let probe = Probe::Broden { name: "x".to_owned(), size, images };
            of_probe(&probe, &roots).unwrap_err().to_string()
        };
        assert!(failure(32, 6).contains("32×32 pixels, but they have 16×16"), "{}", failure(32, 6));
        assert!(failure(16, 7).contains("7 images, but it has 6"), "{}", failure(16, 7));
    }

    #[test]
    fn a_directory_is_known_by_its_tables_and_its_pictures() {
        let cache = tempfile::tempdir().unwrap();
        let directory = shapes::write(&SET, cache.path()).unwrap();
        let roots = Roots::from([("x".to_owned(), directory.clone())]);
        let probe = Probe::Broden { name: "x".to_owned(), size: 16, images: 6 };
        let now = || of_probe(&probe, &roots).map(Option::unwrap);
        let before = now().unwrap();
        fs::write(directory.join("notes.txt"), "nothing to do with it").unwrap();
        assert_eq!(now().unwrap(), before);
        let picture = directory.join("images/shapes/000000.png");
        let mut bytes = fs::read(&picture).unwrap();
        bytes.push(0);
        fs::write(&picture, bytes).unwrap();
        assert_ne!(now().unwrap(), before);
        fs::remove_file(&picture).unwrap();
        assert!(now().unwrap_err().to_string().contains("000000.png"));
    }
}

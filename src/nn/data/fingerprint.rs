//! Digests of data: equal digests, equal images and labels.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::broden::{Cell, Tables, picture, read_tables};
use super::notes::Notes;
use super::{DataError, Roots, digits, place, shapes, stored};
use crate::domain::data::{Damaged, DataSet, Place, Probe, Shapes};

/// Identifies a data set; nothing if the profile does not say where it is. As for probes, what was found is noted.
///
/// # Errors
/// If the directory is missing or is no data set.
pub fn of_data(data: &DataSet, roots: &Roots, notes: Option<&Path>) -> Result<Option<String>, DataError> {
    match data {
        DataSet::Digits => {
            Ok(Some(digest("digits", [digits::VERSION.to_string().as_bytes(), digits::DIGEST.as_bytes()])))
        }
        DataSet::Shapes(set) => Ok(Some(of_shapes(set))),
        DataSet::Excerpt { of, .. } => of_data(of, roots, notes),
        DataSet::StandIn { .. } => Ok(None),
        DataSet::Stored { name } if !roots.contains_key(name) => Ok(None),
        DataSet::Stored { name } => of_place(place(name, roots)?, &Notes::new(notes)).map(Some),
    }
}

/// Identifies stored images by their classes and bytes, and by whether damaged ones are left out.
pub(super) fn of_place(place: &Place, notes: &Notes<'_>) -> Result<String, DataError> {
    Ok(with_policy(stored::digest(&place.root, notes)?, place))
}

/// The identity of data of which damaged images may be left out differs from that of the same data taken as a whole.
fn with_policy(found: String, place: &Place) -> String {
    match place.damaged {
        Damaged::Stop => found,
        Damaged::Skip => digest("skip", [found.as_bytes()]),
    }
}

/// Identifies a probe by the contents of its tables and pictures; nothing if the profile does not say where it is.
///
/// Reading a large directory takes a while. What was found is noted in the directory `notes`, if there is one, under the
/// sizes, times and inodes of all files, and is taken from there as long as these stay.
///
/// # Errors
/// If the directory is missing, malformed or incomplete, or is not what the program says.
pub fn of_probe(probe: &Probe, roots: &Roots, notes: Option<&Path>) -> Result<Option<String>, DataError> {
    match probe {
        Probe::Shapes(set) => Ok(Some(of_shapes(set))),
        Probe::Broden { name, .. } if !roots.contains_key(name) => Ok(None),
        Probe::Broden { name, size, images } => {
            let place = place(name, roots)?;
            let tables = read_tables(&place.root)?;
            tables.demand(name, *size, *images)?;
            of_directory(&place.root, &tables, &Notes::new(notes)).map(|found| Some(with_policy(found, place)))
        }
    }
}

/// Identifies a generated set.
fn of_shapes(set: &Shapes) -> String {
    let numbers = [u64::from(shapes::VERSION), set.size as u64, set.images, set.seed].map(u64::to_le_bytes);
    digest("shapes", [numbers.concat().as_slice()])
}

/// Identifies a directory in Broden's layout.
pub(super) fn of_directory(directory: &Path, tables: &Tables, notes: &Notes<'_>) -> Result<String, DataError> {
    let files = files(directory, tables);
    let paths: Vec<PathBuf> = files.iter().map(|(_, path)| path.clone()).collect();
    notes.remember("broden", &paths, || {
        let hash = |(what, path): &(&str, PathBuf)| {
            let mut hasher = blake3::Hasher::new();
            File::open(path)
                .and_then(|file| Ok(hasher.update_reader(file)?.finalize()))
                .map_err(|error| DataError::reading(what, path, error))
        };
        let hashes: Vec<blake3::Hash> = files.par_iter().map(hash).collect::<Result<_, _>>()?;
        let mut pieces: Vec<&[u8]> = Vec::with_capacity(2 * files.len());
        for ((_, path), hash) in files.iter().zip(&hashes) {
            let name = path.strip_prefix(directory).unwrap_or(path);
            pieces.extend([name.as_os_str().as_encoded_bytes(), hash.as_bytes()]);
        }
        Ok(digest("broden", pieces))
    })
}

/// All files of a directory that say something, in a fixed order.
pub(super) fn files(directory: &Path, tables: &Tables) -> Vec<(&'static str, PathBuf)> {
    let names = tables.categories.iter().map(|category| format!("c_{}.csv", category.name));
    let names = ["index.csv", "label.csv", "category.csv"].map(str::to_owned).into_iter().chain(names);
    let mut files: Vec<_> = names.map(|name| ("the table", directory.join(name))).collect();
    let mut pictures = BTreeSet::new();
    for entry in &tables.images {
        pictures.insert(entry.image.as_str());
        pictures.extend(entry.cells.iter().flatten().filter_map(|cell| match cell {
            Cell::Layer(name) => Some(name.as_str()),
            Cell::Whole(_) => None,
        }));
    }
    files.extend(pictures.into_iter().map(|name| ("the picture", picture(directory, name))));
    files
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
    use std::fs;
    use std::time::Duration;

    use super::*;

    const SET: Shapes = Shapes { size: 16, images: 6, seed: 1 };

    #[test]
    fn generated_and_embedded_data_always_have_a_digest() {
        let roots = Roots::new();
        let digits = of_data(&DataSet::Digits, &roots, None).unwrap().unwrap();
        let shapes = of_data(&DataSet::Shapes(SET), &roots, None).unwrap().unwrap();
        let others = [Shapes { size: 32, ..SET }, Shapes { images: 7, ..SET }, Shapes { seed: 2, ..SET }];
        let mut digests: BTreeSet<_> = others.into_iter().map(|set| of_shapes(&set)).collect();
        digests.extend([digits, shapes.clone()]);
        assert_eq!(digests.len(), 5);
        assert_eq!(of_probe(&Probe::Shapes(SET), &roots, None).unwrap(), Some(shapes));
    }

    #[test]
    fn unnamed_folders_have_none_and_absent_ones_are_named() {
        let folder = DataSet::Stored { name: "x".to_owned() };
        let probe = Probe::Broden { name: "x".to_owned(), size: 224, images: 1 };
        assert_eq!(of_data(&folder, &Roots::new(), None).unwrap(), None);
        assert_eq!(of_probe(&probe, &Roots::new(), None).unwrap(), None);
        let gone = Roots::from([("x".to_owned(), Place::at("/does/not/exist"))]);
        for error in [of_data(&folder, &gone, None).unwrap_err(), of_probe(&probe, &gone, None).unwrap_err()] {
            assert!(error.to_string().contains("/does/not/exist"), "{error}");
        }
    }

    #[test]
    fn a_directory_must_be_what_the_program_says() {
        let cache = tempfile::tempdir().unwrap();
        let roots = Roots::from([("x".to_owned(), Place::at(shapes::write(&SET, cache.path()).unwrap()))]);
        let failure = |size, images| {
            let probe = Probe::Broden { name: "x".to_owned(), size, images };
            of_probe(&probe, &roots, None).unwrap_err().to_string()
        };
        assert!(failure(32, 6).contains("32×32 pixels, but they have 16×16"), "{}", failure(32, 6));
        assert!(failure(16, 7).contains("7 images, but it has 6"), "{}", failure(16, 7));
    }

    #[test]
    fn a_directory_is_known_by_its_tables_and_its_pictures() {
        let cache = tempfile::tempdir().unwrap();
        let directory = shapes::write(&SET, cache.path()).unwrap();
        let roots = Roots::from([("x".to_owned(), Place::at(&directory))]);
        let probe = Probe::Broden { name: "x".to_owned(), size: 16, images: 6 };
        let now = || of_probe(&probe, &roots, None).map(Option::unwrap);
        let before = now().unwrap();
        fs::write(directory.join("notes.txt"), "nothing to do with it").unwrap();
        assert_eq!(now().unwrap(), before);
        let picture = directory.join("images/shapes/000000.png");
        let mut bytes = fs::read(&picture).unwrap();
        bytes.push(0);
        fs::write(&picture, &bytes).unwrap();
        assert_ne!(now().unwrap(), before);
        let longer = now().unwrap();
        *bytes.last_mut().unwrap() = 1;
        fs::write(&picture, bytes).unwrap();
        assert_ne!(now().unwrap(), longer, "contents count, not sizes");
        fs::remove_file(&picture).unwrap();
        assert!(now().unwrap_err().to_string().contains("000000.png"));
    }

    #[test]
    fn what_was_found_is_noted_until_a_file_changes() {
        let (cache, notes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let directory = shapes::write(&SET, cache.path()).unwrap();
        let roots = Roots::from([("x".to_owned(), Place::at(&directory))]);
        let probe = Probe::Broden { name: "x".to_owned(), size: 16, images: 6 };
        let now = || of_probe(&probe, &roots, Some(notes.path())).unwrap().unwrap();
        let noted = || fs::read_dir(notes.path()).unwrap().map(|note| note.unwrap().path()).collect::<Vec<_>>();
        let found = now();
        assert_eq!(noted().len(), 0, "files of this moment may still change");
        let tables = read_tables(&directory).unwrap();
        for (_, path) in files(&directory, &tables) {
            let file = File::options().append(true).open(path).unwrap();
            file.set_modified(std::time::SystemTime::now() - Duration::from_secs(100)).unwrap();
        }
        assert_eq!(now(), found);
        let [note] = noted().try_into().unwrap();
        fs::write(&note, format!("\"{}\"", "f".repeat(64))).unwrap();
        assert_eq!(now(), "f".repeat(64), "the note is read");
        let picture = directory.join("images/shapes/000000.png");
        let bytes = fs::read(&picture).unwrap();
        fs::write(&picture, bytes).unwrap();
        assert_eq!(now(), found, "a new time makes the files be read again");
    }
}

//! One folder per class, below `train/`, `val/` and `test/` or, for training alone, at the root.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::source::{Content, Parts, Source, names, part_of, read_file};
use crate::domain::data::Split;
use crate::nn::data::DataError;

/// Endings of the names of pictures; other files are no part of the data.
const ENDINGS: [&str; 9] = ["jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"];

/// The pictures of a part, class by class, then by path.
struct Folder {
    directory: PathBuf,
    labels: Vec<u32>,
    /// Paths below the directory.
    pictures: Vec<Box<str>>,
}

/// Reads which pictures there are; nothing if the root has no folders of pictures.
pub(super) fn open(root: &Path) -> Result<Option<Parts>, DataError> {
    let mut parts = BTreeMap::new();
    for name in names(root)?.into_iter().filter(|name| root.join(name).is_dir()) {
        if let Some(part) = part_of(&name).filter(|_| name.bytes().all(|byte| byte.is_ascii_alphabetic())) {
            parts.entry(part).or_insert(root.join(name));
        }
    }
    if parts.is_empty() {
        parts.insert(Split::Train, root.to_owned());
    }
    let mut listed = BTreeMap::new();
    for (part, directory) in parts {
        let classes = classes(&directory)?;
        listed.insert(part, (directory, classes));
    }
    let all: BTreeSet<&String> = listed.values().flat_map(|(_, classes)| classes.keys()).collect();
    let numbers: BTreeMap<&String, u32> = all.into_iter().zip(0..).collect();
    let count = numbers.len();
    let (mut sources, mut files) = (BTreeMap::<Split, Arc<dyn Source>>::new(), Vec::new());
    for (part, (directory, classes)) in &listed {
        let mut folder = Folder { directory: directory.clone(), labels: Vec::new(), pictures: Vec::new() };
        for (class, pictures) in classes {
            folder.labels.extend(std::iter::repeat_n(numbers[class], pictures.len()));
            folder.pictures.extend(pictures.iter().cloned());
        }
        files.extend(folder.pictures.iter().map(|picture| directory.join(&**picture)));
        if !folder.pictures.is_empty() {
            sources.insert(*part, Arc::new(folder));
        }
    }
    if sources.is_empty() {
        return Ok(None);
    }
    Ok(Some(Parts { form: "folders of pictures", sources, classes: Some(count), files }))
}

/// Pictures below a directory by class.
fn classes(directory: &Path) -> Result<BTreeMap<String, Vec<Box<str>>>, DataError> {
    let classes: Vec<String> = names(directory)?.into_iter().filter(|name| directory.join(name).is_dir()).collect();
    let listed = classes.into_par_iter().map(|class| {
        let mut pictures = Vec::new();
        walk(directory, &class, &mut pictures)?;
        Ok((class, pictures))
    });
    listed
        .filter(|listed: &Result<(_, Vec<_>), _>| !matches!(listed, Ok((_, pictures)) if pictures.is_empty()))
        .collect()
}

/// Adds all pictures below a path, which is relative to the directory.
fn walk(directory: &Path, below: &str, pictures: &mut Vec<Box<str>>) -> Result<(), DataError> {
    for name in names(&directory.join(below))? {
        let path = format!("{below}/{name}");
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        if ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) {
            pictures.push(path.into());
        } else if directory.join(&path).is_dir() {
            walk(directory, &path, pictures)?;
        }
    }
    Ok(())
}

impl Source for Folder {
    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn name(&self, index: usize) -> (PathBuf, String) {
        (self.directory.join(&*self.pictures[index]), String::new())
    }

    fn read(&self, index: usize) -> Result<Content, DataError> {
        read_file(&self.directory.join(&*self.pictures[index])).map(Content::File)
    }
}

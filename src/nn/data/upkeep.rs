//! What is done with data sets apart from experiments: looking, checking, packing.

use std::fs::{self, File};
use std::io::BufWriter;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

use super::broden::Broden;
use super::fingerprint::of_directory;
use super::notes::Notes;
use super::picture::Raster;
use super::stored::{Archive, Content, Source, digest, members, recognise};
use super::{DataError, Normalisation};
use crate::domain::data::Split;

/// What lies at a root.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// In which form, in words.
    pub form: &'static str,
    /// Images by part; of images with pixel labels all count as one part.
    pub parts: Vec<(Option<Split>, u64)>,
    /// Classes, where the form tells their number.
    pub classes: Option<usize>,
}

/// What reading everything found.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Identity of the images and classes.
    pub digest: String,
    /// Number of images.
    pub images: u64,
    /// What is wrong with the damaged ones.
    pub damaged: Vec<String>,
}

/// Says what lies at a root. What was found out about large data is noted in the directory `notes`.
///
/// # Errors
/// If it is no data set, or files cannot be read.
pub fn summarise(root: &Path, notes: Option<&Path>) -> Result<Summary, DataError> {
    if is_broden(root) {
        let broden = Broden::open(root, Normalisation::PLAIN)?;
        return Ok(Summary { form: "Broden's layout", parts: vec![(None, broden.len() as u64)], classes: None });
    }
    let parts = recognise(root, &Notes::new(notes))?;
    let count = |(part, source): (&Split, &std::sync::Arc<dyn Source>)| (Some(*part), source.labels().len() as u64);
    Ok(Summary { form: parts.form, parts: parts.sources.iter().map(count).collect(), classes: parts.classes })
}

/// Reads and decodes every image, whatever was noted before, and notes what it finds.
///
/// # Errors
/// If it is no data set, or files cannot be read.
pub fn verify(root: &Path, notes: Option<&Path>) -> Result<Verified, DataError> {
    let notes = Notes::afresh(notes);
    if is_broden(root) {
        let mut broden = Broden::open(root, Normalisation::PLAIN)?;
        broden.leave_out_damaged(&notes)?;
        let damaged = broden.damaged().iter().map(|(_, problem)| problem.clone()).collect();
        return Ok(Verified { digest: broden.digest(&notes)?, images: broden.len() as u64, damaged });
    }
    let parts = recognise(root, &notes)?;
    let (mut images, mut damaged) = (0, Vec::new());
    for source in parts.sources.values() {
        images += source.labels().len() as u64;
        let found: Vec<Option<String>> = (0..source.labels().len())
            .into_par_iter()
            .map(|index| match source.read(index) {
                Ok(Content::File(bytes)) => {
                    Ok(Raster::decode_whole(&bytes).err().map(|problem| source.complaint(index, problem).to_string()))
                }
                Ok(Content::Pixels(_)) => Ok(None),
                Err(error) if error.is_damage() => Ok(Some(error.to_string())),
                Err(error) => Err(error),
            })
            .collect::<Result<_, _>>()?;
        damaged.extend(found.into_iter().flatten());
    }
    Ok(Verified { digest: digest(root, &notes)?, images, damaged })
}

/// Packs the pictures at a root into tar shards of about `bytes` bytes in the directory `out`: `train-000000.tar`, ….
/// They are the same data set, with the same digest. Equal pictures give equal shards.
///
/// # Errors
/// If the data are not files of pictures, `out` holds shards already, or files cannot be read or written.
pub fn prepare(root: &Path, out: &Path, bytes: u64) -> Result<Vec<PathBuf>, DataError> {
    let parts = recognise(root, &Notes::new(None))?;
    fs::create_dir_all(out).map_err(|error| DataError::writing(out, error))?;
    let listed = fs::read_dir(out).map_err(|error| DataError::reading("the directory", out, error))?;
    if listed.flatten().any(|entry| entry.path().extension().is_some_and(|kind| kind == "tar")) {
        return Err(DataError::parameters(format!("`{}` holds shards already", out.display())));
    }
    let mut shards = Vec::new();
    for (part, source) in &parts.sources {
        let name = match part {
            Split::Train => "train",
            Split::Val => "val",
            Split::Test => "test",
        };
        pack(&**source, &out.join(name), bytes, &mut shards)?;
    }
    Ok(shards)
}

/// Packs a part into shards whose names begin with `stem`.
fn pack(source: &dyn Source, stem: &Path, bytes: u64, shards: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let (count, mut next, mut number) = (source.labels().len(), 0, 0);
    while next < count {
        let path = PathBuf::from(format!("{}-{number:06}.tar", stem.display()));
        let draft = path.with_extension("tar.part");
        let failed = |error| DataError::writing(&draft, error);
        let mut archive = Archive::new(BufWriter::new(File::create(&draft).map_err(failed)?));
        let mut written = 0;
        while next < count && written < bytes {
            let Content::File(picture) = source.read(next)? else {
                let what = "only pictures in files of their own can be packed into shards".to_owned();
                return Err(DataError::Parameters { problem: what });
            };
            archive.add(&format!("{next:09}.cls"), source.labels()[next].to_string().as_bytes()).map_err(failed)?;
            archive.add(&format!("{next:09}.{}", ending(source, next)), &picture).map_err(failed)?;
            written += picture.len() as u64;
            next += 1;
        }
        archive.finish().map_err(failed)?;
        fs::rename(&draft, &path).map_err(failed)?;
        shards.push(path);
        number += 1;
    }
    Ok(())
}

/// Ending of the name of a picture in a shard.
fn ending(source: &dyn Source, index: usize) -> &'static str {
    let (path, member) = source.name(index);
    let name = if member.is_empty() { path.to_string_lossy().into_owned() } else { member };
    if name.to_ascii_lowercase().ends_with(".png") { "png" } else { "jpg" }
}

/// Unpacks a compressed tar archive into a directory; files of the right size that are there already are kept. Returns
/// the number of files.
///
/// # Errors
/// If the archive is damaged or names files elsewhere, or files cannot be written.
pub fn unpack(archive: &Path, into: &Path) -> Result<usize, DataError> {
    let packed = File::open(archive).map_err(|error| DataError::reading("the archive", archive, error))?;
    let plain = archive.with_extension("unpacked");
    let failed = |error| DataError::writing(&plain, error);
    let mut file = File::create(&plain).map_err(failed)?;
    std::io::copy(&mut flate2::read::MultiGzDecoder::new(packed), &mut file)
        .map_err(|error| DataError::form(archive, format!("cannot be unpacked: {error}")))?;
    let file = File::open(&plain).map_err(failed)?;
    let listed = members(&file).map_err(|problem| DataError::form(archive, problem))?;
    for member in &listed {
        if Path::new(&member.name).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(DataError::form(archive, format!("holds `{}`, which lies elsewhere", member.name)));
        }
        let target = into.join(&member.name);
        if target.metadata().is_ok_and(|found| found.len() == member.len) {
            continue;
        }
        let failed = |error| DataError::writing(&target, error);
        fs::create_dir_all(target.parent().unwrap_or(into)).map_err(failed)?;
        let mut bytes = vec![0; member.len as usize];
        file.read_exact_at(&mut bytes, member.offset).map_err(failed)?;
        fs::write(&target, bytes).map_err(failed)?;
    }
    fs::remove_file(&plain).map_err(failed)?;
    Ok(listed.len())
}

fn is_broden(root: &Path) -> bool {
    root.join("index.csv").is_file() && root.join("label.csv").is_file()
}

impl Broden {
    /// Identifies the directory by its tables and pictures.
    fn digest(&self, notes: &Notes<'_>) -> Result<String, DataError> {
        of_directory(self.directory(), self.tables(), notes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn packed(at: &Path, name: &str) -> PathBuf {
        let mut archive = Archive::new(Vec::new());
        archive.add(name, b"some bytes").unwrap();
        let path = at.join("set.tar.gz");
        let mut gzip = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
        gzip.write_all(&archive.finish().unwrap()).unwrap();
        gzip.finish().unwrap();
        path
    }

    #[test]
    fn archives_are_unpacked_inside_and_never_outside() {
        let here = tempfile::tempdir().unwrap();
        let archive = packed(here.path(), "below/set.bin");
        for _ in 0..2 {
            assert_eq!(unpack(&archive, here.path()).unwrap(), 1);
            assert_eq!(fs::read(here.path().join("below/set.bin")).unwrap(), b"some bytes");
        }
        for name in ["../outside", "/tmp/outside", "a/../../outside"] {
            let error = unpack(&packed(here.path(), name), here.path()).unwrap_err().to_string();
            assert!(error.contains("lies elsewhere"), "{error}");
        }
        fs::write(&archive, "text").unwrap();
        assert!(unpack(&archive, here.path()).unwrap_err().to_string().contains("cannot be unpacked"));
    }
}

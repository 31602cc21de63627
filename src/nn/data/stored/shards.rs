//! Tar shards as WebDataset lays them out: the files of a sample follow each other and share their name up to the first
//! dot; one is the picture, one tells the class.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::source::{Content, Parts, Source, ends, names, part_of};
use super::tar::{self, Member};
use crate::domain::data::Split;
use crate::nn::data::DataError;
use crate::nn::data::notes::Notes;

/// Endings of pictures.
const PICTURES: [&str; 3] = ["jpg", "jpeg", "png"];

/// A picture in a shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sample {
    name: Box<str>,
    label: u32,
    offset: u64,
    len: u64,
}

/// The shards of a part, in the order of their names.
struct Shards {
    paths: Vec<PathBuf>,
    labels: Vec<u32>,
    /// Shard and sample.
    samples: Vec<(u32, Sample)>,
}

/// Reads where the samples are; nothing if the root has no shards. Large indices are noted.
pub(super) fn open(root: &Path, notes: &Notes) -> Result<Option<Parts>, DataError> {
    let mut parts: BTreeMap<Split, Vec<PathBuf>> = BTreeMap::new();
    for name in names(root)?.into_iter().filter(|name| ends(name, "tar")) {
        parts.entry(part_of(&name).unwrap_or(Split::Train)).or_default().push(root.join(name));
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let files: Vec<PathBuf> = parts.values().flatten().cloned().collect();
    let mut sources = BTreeMap::<Split, Arc<dyn Source>>::new();
    for (part, paths) in parts {
        let indices = notes.remember("shards", &paths, || {
            paths.par_iter().map(|path| index(path)).collect::<Result<Vec<Vec<Sample>>, _>>()
        })?;
        let samples: Vec<(u32, Sample)> = (0..)
            .zip(indices)
            .flat_map(|(shard, samples)| samples.into_iter().map(move |sample| (shard, sample)))
            .collect();
        let labels = samples.iter().map(|(_, sample)| sample.label).collect();
        sources.insert(part, Arc::new(Shards { paths, labels, samples }));
    }
    Ok(Some(Parts { form: "tar shards", sources, classes: None, files }))
}

/// Reads where the samples of a shard are.
fn index(path: &Path) -> Result<Vec<Sample>, DataError> {
    let file = File::open(path).map_err(|error| DataError::reading("the shard", path, error))?;
    let members = tar::members(&file).map_err(|problem| DataError::form(path, problem))?;
    let key = |name: &str| {
        let file = name.rfind('/').map_or(0, |slash| slash + 1);
        file + name[file..].find('.').unwrap_or(name.len() - file)
    };
    let mut samples = Vec::new();
    for group in members.chunk_by(|a, b| a.name[..key(&a.name)] == b.name[..key(&b.name)]) {
        let ending = |member: &Member| member.name[key(&member.name)..].trim_start_matches('.').to_ascii_lowercase();
        let Some(picture) = group.iter().find(|member| PICTURES.contains(&ending(member).as_str())) else { continue };
        let mut label = None;
        for member in group.iter().filter(|member| member.len < 1 << 20) {
            label =
                label.or(read_label(&file, member, &ending(member)).map_err(|problem| DataError::form(path, problem))?);
        }
        let label =
            label.ok_or_else(|| DataError::form(path, format!("has no class for its member `{}`", picture.name)))?;
        samples.push(Sample { name: picture.name.as_str().into(), label, offset: picture.offset, len: picture.len });
    }
    Ok(samples)
}

/// Reads a class: a number in a file `.cls`, or `label` or `cls` in a file `.json`.
fn read_label(file: &File, member: &Member, ending: &str) -> Result<Option<u32>, String> {
    if !matches!(ending, "cls" | "json") {
        return Ok(None);
    }
    let mut bytes = vec![0; member.len as usize];
    file.read_exact_at(&mut bytes, member.offset).map_err(|error| format!("cannot be read: {error}"))?;
    let text = String::from_utf8_lossy(&bytes);
    let found = if ending == "cls" {
        text.trim().parse().ok()
    } else {
        let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let Some(label) = value.get("label").or(value.get("cls")) else { return Ok(None) };
        label.as_u64().and_then(|label| u32::try_from(label).ok())
    };
    found.map(Some).ok_or_else(|| format!("has a member `{}` that holds no class", member.name))
}

impl Source for Shards {
    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn name(&self, index: usize) -> (PathBuf, String) {
        let (shard, sample) = &self.samples[index];
        (self.paths[*shard as usize].clone(), sample.name.to_string())
    }

    fn read(&self, index: usize) -> Result<Content, DataError> {
        let (shard, sample) = &self.samples[index];
        let path = &self.paths[*shard as usize];
        let failed = |error| DataError::reading("the shard", path, error);
        let file = File::open(path).map_err(failed)?;
        let mut bytes = vec![0; sample.len as usize];
        file.read_exact_at(&mut bytes, sample.offset).map_err(failed)?;
        Ok(Content::File(bytes))
    }
}

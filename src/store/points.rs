//! Stored points of training trajectories.
//!
//! Every point lies under the key of its trajectory's static part, named by its iteration and its chain key, so that
//! the longest stored beginning of a training is found even when later rates differ. Rolling points hold their own
//! bytes, apart from the shared objects: removing one can never take bytes away from anybody else.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Result, StoreError};
use super::objects::Digest;
use super::{Store, encode, entries, publish};
use crate::graph::Key;
use crate::manifest::record;

/// A stored point of a trajectory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Iterations done.
    pub step: u64,
    /// The trajectory's key there.
    pub key: Key,
    /// Whether it stays.
    pub kind: PointKind,
}

/// Kinds of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// The program names it; it has a record.
    Named,
    /// Saved on the way, for resuming.
    Rolling,
}

/// `point.yaml` of a rolling point.
#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    /// Seconds spent on the training so far.
    seconds: f64,
    /// Digest of each file by name.
    files: BTreeMap<String, String>,
}

const SUFFIX: &str = ".point";

impl Point {
    /// Returns the name of its file or directory.
    fn name(&self) -> String {
        let suffix = if self.kind == PointKind::Rolling { SUFFIX } else { "" };
        format!("{:010}-{}{suffix}", self.step, self.key)
    }

    fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let (name, kind) = match name.strip_suffix(SUFFIX) {
            Some(name) => (name, PointKind::Rolling),
            None => (name, PointKind::Named),
        };
        let (step, key) = name.split_once('-')?;
        Some(Self { step: step.parse().ok()?, key: key.parse().ok()?, kind })
    }
}

impl Store {
    /// Returns the stored points of a trajectory, latest first, named before rolling.
    pub fn points(&self, base: Key) -> Vec<Point> {
        let mut points: Vec<Point> =
            entries(&self.trajectory_path(base)).iter().filter_map(|path| Point::parse(path)).collect();
        points.sort_by_key(|point| (std::cmp::Reverse(point.step), point.kind == PointKind::Rolling, point.key));
        points
    }

    /// Saves a rolling point: everything that continuing needs, by name, and the seconds spent so far.
    ///
    /// # Errors
    /// If the file system refuses; earlier points stay.
    pub fn save_point(
        &self,
        base: Key,
        step: u64,
        key: Key,
        files: &BTreeMap<String, Vec<u8>>,
        seconds: f64,
    ) -> Result<Point> {
        let point = Point { step, key, kind: PointKind::Rolling };
        let target = self.point_path(base, &point);
        if target.exists() {
            return Ok(point);
        }
        let draft = publish::temporary(&self.tmp());
        let saved = write_point(&draft, files, seconds).and_then(|()| publish::rename(&draft, &target));
        match saved {
            Ok(()) => Ok(point),
            // Another process reached the same iteration first; equal keys have equal bytes.
            Err(_) if target.exists() => {
                let _ = fs::remove_dir_all(&draft);
                Ok(point)
            }
            Err(error) => {
                let _ = fs::remove_dir_all(&draft);
                Err(error)
            }
        }
    }

    /// Reads a rolling point's files, checked, and the seconds spent up to it.
    ///
    /// # Errors
    /// If it is gone or damaged: then it is set aside, and an earlier point serves.
    pub fn load_point(&self, base: Key, point: &Point) -> Result<(BTreeMap<String, Vec<u8>>, f64)> {
        let directory = self.point_path(base, point);
        let loaded = read_point(&directory);
        if matches!(loaded, Err(StoreError::Damaged { .. } | StoreError::Malformed { .. } | StoreError::Io { .. })) {
            let _ = self.set_aside(&directory);
        }
        loaded
    }

    /// Removes a rolling point.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn drop_point(&self, base: Key, point: &Point) -> Result<()> {
        let directory = self.point_path(base, point);
        // Renamed first: a reader sees the whole point or none of it.
        let doomed = publish::temporary(&self.tmp());
        match fs::rename(&directory, &doomed).and_then(|()| fs::remove_dir_all(&doomed)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", &directory)(error)),
            _ => Ok(()),
        }
    }

    pub(super) fn name_point(&self, base: Key, step: u64, key: Key) -> Result<()> {
        let path = self.named_point(base, step, key);
        if path.exists() { Ok(()) } else { publish::write(&self.tmp(), &path, b"") }
    }

    pub(super) fn point_path(&self, base: Key, point: &Point) -> PathBuf {
        self.trajectory_path(base).join(point.name())
    }

    pub(super) fn named_point(&self, base: Key, step: u64, key: Key) -> PathBuf {
        self.point_path(base, &Point { step, key, kind: PointKind::Named })
    }

    pub(super) fn trajectory_path(&self, base: Key) -> PathBuf {
        self.root().join("trajectories").join(base.to_string())
    }
}

fn write_point(draft: &Path, files: &BTreeMap<String, Vec<u8>>, seconds: f64) -> Result<()> {
    publish::create_directory(draft)?;
    for (name, bytes) in files {
        let path = draft.join(name);
        publish::write_file(&path, bytes).map_err(StoreError::io("write", &path))?;
    }
    let digests = files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes).to_string())).collect();
    let path = draft.join("point.yaml");
    let text = encode(&path, &Contents { seconds, files: digests })?;
    publish::write_file(&path, text.as_bytes()).map_err(StoreError::io("write", &path))?;
    publish::sync(draft).map_err(StoreError::io("write", draft))
}

fn read_point(directory: &Path) -> Result<(BTreeMap<String, Vec<u8>>, f64)> {
    let path = directory.join("point.yaml");
    let text = fs::read_to_string(&path).map_err(StoreError::io("read", &path))?;
    let contents: Contents = record::document(&text).map_err(|reason| StoreError::Malformed { path, reason })?;
    let mut files = BTreeMap::new();
    for (name, digest) in contents.files {
        let path = directory.join(&name);
        let bytes = fs::read(&path).map_err(StoreError::io("read", &path))?;
        if Digest::of(&bytes).to_string() != digest {
            return Err(StoreError::Damaged {
                digest,
                name: format!("{name} of a resume point"),
                quarantined: directory.to_path_buf(),
            });
        }
        files.insert(name, bytes);
    }
    Ok((files, contents.seconds))
}

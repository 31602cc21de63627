//! Objects: immutable bytes, named by their digest.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::SystemTime;

use super::error::{Result, StoreError};
use super::{Store, publish};

/// The BLAKE3 digest of an object's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Computes the digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// The text is not a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits")]
pub struct MalformedDigest;

impl FromStr for Digest {
    type Err = MalformedDigest;

    fn from_str(text: &str) -> std::result::Result<Self, MalformedDigest> {
        blake3::Hash::from_hex(text).map(|hash| Self(*hash.as_bytes())).map_err(|_| MalformedDigest)
    }
}

impl Store {
    /// Stores bytes; equal bytes are stored once.
    ///
    /// # Errors
    /// If the file system does not take them; the store is then as it was.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::of(bytes);
        let path = self.object_path(&digest.to_string());
        match fs::metadata(&path) {
            Ok(known) if known.len() == bytes.len() as u64 => {
                // A young file is safe from collection, so that sharing an old object with a record that is about
                // to be published cannot race with its removal.
                if File::open(&path).and_then(|file| file.set_modified(SystemTime::now())).is_ok() && path.exists() {
                    return Ok(digest);
                }
            }
            Ok(_) => drop(self.set_aside(&path)),
            Err(_) => {}
        }
        publish::write(&self.tmp(), &path, bytes)?;
        Ok(digest)
    }

    /// Returns an object's bytes after checking them.
    ///
    /// # Errors
    /// If the object is gone, or damaged: then it is set aside, so that the next plan makes it again.
    pub fn get(&self, digest: &Digest) -> Result<Vec<u8>> {
        let text = digest.to_string();
        let path = self.object_path(&text);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::Missing { name: self.owners(&text), digest: text });
            }
            other => other.map_err(StoreError::io("read", &path))?,
        };
        if Digest::of(&bytes) == *digest {
            return Ok(bytes);
        }
        let name = self.owners(&text);
        let quarantined = self.set_aside(&path)?;
        Err(StoreError::Damaged { digest: text, name, quarantined })
    }

    /// Tells whether an object is there, without reading it.
    pub fn contains(&self, digest: &str) -> bool {
        self.object_path(digest).is_file()
    }

    /// Returns an object's size in bytes.
    pub fn size(&self, digest: &str) -> Option<u64> {
        fs::metadata(self.object_path(digest)).ok().map(|known| known.len())
    }

    /// Tells whether a file of this name, an object or a record, was damaged and set aside.
    pub fn is_set_aside(&self, name: &str) -> bool {
        self.root().join("quarantine").join(name).exists()
    }

    pub(super) fn object_path(&self, digest: &str) -> PathBuf {
        self.root().join("objects").join(digest.get(..2).unwrap_or("__")).join(digest)
    }

    /// Moves a file out of the way and keeps it for inspection.
    pub(super) fn set_aside(&self, path: &Path) -> Result<PathBuf> {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let quarantine = self.root().join("quarantine");
        let target = (0..10_000)
            .map(|count| quarantine.join(if count == 0 { name.clone() } else { format!("{name}.{count}") }))
            .find(|target| !target.exists())
            .unwrap_or_else(|| quarantine.join(&name));
        publish::rename(path, &target)?;
        Ok(target)
    }

    /// Returns the readable names of the results that an object is part of.
    pub(super) fn owners(&self, digest: &str) -> String {
        let mut names: Vec<String> = self
            .records()
            .filter_map(std::result::Result::ok)
            .flat_map(|record| {
                let roles = record.outcome.objects.iter().filter(|(_, known)| *known == digest);
                roles.map(|(role, _)| format!("{role} of {}", record.name)).collect::<Vec<_>>()
            })
            .collect();
        names.sort();
        names.dedup();
        match names.len() {
            0 => format!("object {}", digest.get(..12).unwrap_or(digest)),
            1 => names.remove(0),
            more => format!("{} and {} more", names[0], more - 1),
        }
    }
}

//! Records: what each key stands for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{Result, StoreError};
use super::{Store, entries, publish};
use crate::graph::{Key, Preimage};
use crate::manifest::record::Record;

impl Store {
    /// Makes a stage's result visible under its key. Its objects must be stored.
    ///
    /// # Errors
    /// If the file system refuses; the store is then as it was.
    pub fn publish(&self, record: &Record, preimage: &Preimage) -> Result<()> {
        let path = self.record_path(record.key);
        let text = record.encode(preimage).map_err(|reason| StoreError::Malformed { path: path.clone(), reason })?;
        publish::write(&self.tmp(), &path, text.as_bytes())?;
        if let Some(place) = record.trajectory {
            self.name_point(place.base, place.step, record.key)?;
        }
        Ok(())
    }

    /// Finds the record of a key. A record whose objects are not all there does not count.
    ///
    /// # Errors
    /// If the record is unreadable: then it is set aside, and the next look finds none.
    pub fn lookup(&self, key: Key) -> Result<Option<Record>> {
        let record = self.record(key)?;
        Ok(record.filter(|record| record.outcome.objects.values().all(|digest| self.contains(digest))))
    }

    /// Tells whether a key has a record, without reading it.
    pub fn has_record(&self, key: Key) -> bool {
        self.record_path(key).is_file()
    }

    /// Finds the record of a key, whether its objects are there or not.
    ///
    /// # Errors
    /// If the record is unreadable: then it is set aside.
    pub fn record(&self, key: Key) -> Result<Option<Record>> {
        let path = self.record_path(key);
        let Some(text) = read(&path)? else { return Ok(None) };
        match Record::decode(&text) {
            Ok(record) if record.key == key => Ok(Some(record)),
            Ok(_) => {
                self.set_aside(&path)?;
                Ok(None)
            }
            Err(reason) => {
                self.set_aside(&path)?;
                Err(StoreError::Malformed { path, reason })
            }
        }
    }

    /// Returns what a stored key was computed from.
    ///
    /// # Errors
    /// If the record is unreadable.
    pub fn preimage(&self, key: Key) -> Result<Option<Preimage>> {
        let path = self.record_path(key);
        let Some(text) = read(&path)? else { return Ok(None) };
        Record::decode_preimage(&text).map(Some).map_err(|reason| StoreError::Malformed { path, reason })
    }

    /// Returns every record, by key.
    pub fn records(&self) -> impl Iterator<Item = Result<Record>> {
        entries(&self.root().join("actions"))
            .into_iter()
            .flat_map(|directory| entries(&directory))
            .filter_map(|path| path.file_stem()?.to_str()?.parse::<Key>().ok())
            .filter_map(|key| self.record(key).transpose())
    }

    pub(super) fn record_path(&self, key: Key) -> PathBuf {
        let name = key.to_string();
        self.root().join("actions").join(&name[..2]).join(format!("{name}.yaml"))
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", path)(error)),
    }
}

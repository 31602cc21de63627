//! The editor's open files: they count, not what is on disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::world::World;

/// Texts of open files by path.
pub(super) type Open = BTreeMap<PathBuf, Arc<str>>;

/// The world with open files in place of those on disk.
pub(super) struct Buffers<'a> {
    pub(super) world: &'a dyn World,
    pub(super) open: &'a Open,
}

impl World for Buffers<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        let known = self.open.get(path).or_else(|| self.open.get(&self.world.canonical(path).ok()?));
        known.map_or_else(|| self.world.read(path), |text| Ok(text.to_string()))
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        let found = self.world.canonical(path);
        match found {
            Err(_) if self.open.contains_key(path) => Ok(path.to_path_buf()),
            found => found,
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.world.variable(name)
    }

    fn now(&self) -> SystemTime {
        self.world.now()
    }
}

//! Everything impure that the language side may ask for, behind one trait, so that tests run in memory.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The outside world.
pub trait World: Sync {
    /// Reads a text file.
    ///
    /// # Errors
    /// As the file system reports them; text that is not UTF-8 is `InvalidData`.
    fn read(&self, path: &Path) -> io::Result<String>;
    /// Resolves a path to the one form under which a file is known.
    ///
    /// # Errors
    /// If the file does not exist.
    fn canonical(&self, path: &Path) -> io::Result<PathBuf>;
    /// Reads an environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// Tells the time.
    fn now(&self) -> SystemTime;
}

/// The machine pdsl runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl World for Machine {
    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        std::fs::canonicalize(path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

//! Writing so that a reader sees all of a file or nothing of it, whenever the writer dies.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::error::{Result, StoreError};

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Returns a name under `tmp` that no process has used.
pub(super) fn temporary(tmp: &Path) -> PathBuf {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    tmp.join(format!("{}-{nanos:x}-{count}", std::process::id()))
}

/// Writes `bytes` to `target`: a temporary file in `tmp`, on disk, renamed, the directory on disk.
pub(super) fn write(tmp: &Path, target: &Path, bytes: &[u8]) -> Result<()> {
    let draft = temporary(tmp);
    let written =
        write_file(&draft, bytes).map_err(StoreError::io("write", target)).and_then(|()| rename(&draft, target));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Writes a file and waits until it is on disk.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Moves a finished draft to its place and waits until the directory is on disk.
pub(super) fn rename(draft: &Path, target: &Path) -> Result<()> {
    let directory = target.parent().unwrap_or(Path::new("."));
    match fs::rename(draft, target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !directory.exists() => {
            create_directory(directory)?;
            fs::rename(draft, target)
        }
        other => other,
    }
    .and_then(|()| sync(directory))
    .map_err(StoreError::io("write", target))
}

/// Creates a directory and those around it.
pub(super) fn create_directory(path: &Path) -> Result<()> {
    fs::create_dir_all(path).and_then(|()| path.parent().map_or(Ok(()), sync)).map_err(StoreError::io("create", path))
}

/// Waits until a directory's entries are on disk.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

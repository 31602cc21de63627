//! Leases: one stage is computed by one process at a time, on all machines that share the store.
//!
//! A lease is a file made by `link`, so that exactly one of several processes gets it, and kept alive by its holder's
//! heartbeat. It only saves work: if two processes do hold one, both publish the same bytes under the same key.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::error::{Result, StoreError};
use super::{Store, encode, entries, publish};
use crate::graph::Key;
use crate::manifest::record;

/// A lease without a heartbeat for this long belongs to whoever wants it. On one machine a holder that no longer
/// runs loses it at once.
pub const STALE_AFTER: Duration = Duration::from_mins(1);
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Who computes a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Readable name of the stage.
    pub stage: String,
    /// Name of the machine.
    pub host: String,
    /// Process number on it.
    pub process: u32,
    /// Since when, in RFC 3339.
    pub since: String,
    /// Tells apart machines, and containers on one machine, where process numbers mean different processes.
    machine: String,
    /// Tells apart leases.
    token: String,
}

/// The answer to a claim.
#[derive(Debug)]
pub enum Claim {
    /// The caller computes the stage.
    Granted(Lease),
    /// Somebody else does.
    Busy(Holder),
}

/// The right to compute a stage, given back when dropped.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    token: String,
    heart: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl Store {
    /// Asks for the right to compute a stage; `stage` is what others are shown.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn claim(&self, key: Key, stage: &str) -> Result<Claim> {
        let path = self.lease_path(key);
        loop {
            let draft = publish::temporary(&self.tmp());
            let holder = Holder::this(stage, &draft);
            fs::write(&draft, encode(&path, &holder)?).map_err(StoreError::io("write", &draft))?;
            let linked = fs::hard_link(&draft, &path);
            let _ = fs::remove_file(&draft);
            match linked {
                Ok(()) => return Ok(Claim::Granted(Lease::start(path, holder.token))),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io("create", &path)(error)),
            }
            match read(&path) {
                Some((_, other)) if !other.stale => return Ok(Claim::Busy(other.holder)),
                Some((text, _)) => self.evict(&path, &text),
                None => {}
            }
        }
    }

    /// Returns who computes a stage at the moment.
    pub fn holder(&self, key: Key) -> Option<Holder> {
        read(&self.lease_path(key)).filter(|(_, seen)| !seen.stale).map(|(_, seen)| seen.holder)
    }

    /// Returns the keys of all stages that are being computed.
    pub(super) fn leased(&self) -> Vec<Key> {
        entries(&self.root().join("leases"))
            .into_iter()
            .filter(|path| read(path).is_some_and(|(_, seen)| !seen.stale))
            .filter_map(|path| path.file_name()?.to_str()?.parse().ok())
            .collect()
    }

    /// Takes a stale lease away, unless it changed hands in between.
    fn evict(&self, path: &Path, stale: &str) {
        let taken = publish::temporary(&self.tmp());
        if fs::rename(path, &taken).is_ok() {
            if fs::read_to_string(&taken).is_ok_and(|text| text != stale) {
                let _ = fs::hard_link(&taken, path);
            }
            let _ = fs::remove_file(&taken);
        }
    }

    fn lease_path(&self, key: Key) -> PathBuf {
        self.root().join("leases").join(key.to_string())
    }
}

impl Lease {
    fn start(path: PathBuf, token: String) -> Self {
        let (sender, receiver) = mpsc::channel::<()>();
        let file = path.clone();
        let beat = move || {
            while receiver.recv_timeout(HEARTBEAT) == Err(mpsc::RecvTimeoutError::Timeout) {
                if let Ok(file) = File::options().write(true).open(&file) {
                    let _ = file.set_modified(SystemTime::now());
                }
            }
        };
        // Without a heartbeat the lease still works; it goes stale earlier.
        let thread = std::thread::Builder::new().name("heartbeat".to_owned()).spawn(beat).ok();
        Self { path, token, heart: thread.map(|thread| (sender, thread)) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.heart.take() {
            drop(sender);
            let _ = thread.join();
        }
        if read(&self.path).is_some_and(|(_, seen)| seen.holder.token == self.token) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Holder {
    fn this(stage: &str, draft: &Path) -> Self {
        let host = host();
        Self {
            stage: stage.to_owned(),
            process: std::process::id(),
            since: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            machine: machine(&host),
            host,
            token: draft.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        }
    }

    /// Tells whether the holder was on this machine and its process is gone.
    fn is_dead(&self) -> bool {
        self.machine == machine(&host()) && !runs(self.process)
    }
}

struct Seen {
    holder: Holder,
    stale: bool,
}

/// Reads a lease and judges it. An unreadable one counts as one whose holder died while writing it, once it is old.
fn read(path: &Path) -> Option<(String, Seen)> {
    let text = fs::read_to_string(path).ok()?;
    let age = fs::metadata(path).and_then(|known| known.modified()).ok()?.elapsed().unwrap_or_default();
    let holder: Holder = record::document(&text).unwrap_or_else(|_| Holder {
        stage: String::new(),
        host: String::new(),
        process: 0,
        since: String::new(),
        machine: String::new(),
        token: String::new(),
    });
    let stale = age > STALE_AFTER || holder.is_dead();
    Some((text, Seen { holder, stale }))
}

/// Returns the name of this machine.
pub(crate) fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

/// Returns what tells this set of process numbers apart from all others: the boot and the process name space.
fn machine(host: &str) -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{host} {} {}", boot.trim(), space.display())
}

/// Tells whether a process of this machine runs.
fn runs(process: u32) -> bool {
    match i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw) {
        Some(process) => rustix::process::test_kill_process(process) != Err(rustix::io::Errno::SRCH),
        None => false,
    }
}

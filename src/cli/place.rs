//! Where things are: the store, the profile, the directory for results.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Exit, Failure};
use crate::diag::codes::invocation;
use crate::diag::{Diagnostic, Severity};
use crate::exec;
use crate::manifest::profile::{self, Profile};
use crate::source::Sources;
use crate::store::{Store, StoreError};
use crate::world::World;

/// Options that name the store.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct StoreOptions {
    /// Directory of the store (default: PDSL_STORE, then the profile's, then `.pdsl` beside the program).
    #[arg(long, value_name = "DIR")]
    pub(super) store: Option<PathBuf>,
    /// YAML file that says where things are on this machine.
    #[arg(long, value_name = "FILE")]
    pub(super) profile: Option<PathBuf>,
}

/// Options of a command that needs a store and no program.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct StoreAlone {
    #[command(flatten)]
    options: StoreOptions,
    /// The program beside which the store lies.
    #[arg(long = "for", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl StoreOptions {
    /// Reads the profile, if one is named, and adds its text to the sources.
    pub(super) fn read_profile(&self, world: &dyn World, sources: &mut Sources) -> Result<Profile, Failure> {
        let Some(path) = &self.profile else { return Ok(Profile::default()) };
        let text = read(world, path)?;
        let file = sources.add(path.display().to_string(), Some(path.clone()), text.clone());
        let directory = path.parent().unwrap_or(Path::new(""));
        profile::parse(file, &text, directory).map_err(|found| Failure::invalid(sources.clone(), found))
    }

    /// Finds the directory of the store: option, environment, profile, beside the program.
    pub(super) fn directory(&self, world: &dyn World, profile: &Profile, program: Option<&Path>) -> PathBuf {
        let told = self.store.clone();
        let variable = || world.variable("PDSL_STORE").filter(|path| !path.is_empty()).map(PathBuf::from);
        let beside = || program.and_then(Path::parent).unwrap_or(Path::new("")).join(".pdsl");
        told.or_else(variable).or_else(|| profile.store.clone()).unwrap_or_else(beside)
    }
}

impl StoreAlone {
    /// Opens the store, which must exist.
    pub(super) fn open(&self, world: &dyn World) -> Result<Store, Failure> {
        let profile = self.options.read_profile(world, &mut Sources::default())?;
        let path = self.options.directory(world, &profile, self.file.as_deref());
        Store::existing(&path).map_err(refused)?.ok_or_else(|| absent(&path))
    }
}

fn absent(path: &Path) -> Failure {
    let message = format!("there is no store at `{}`", path.display());
    let help = "name it with `--store DIR`, or the program beside which it lies with `--for FILE`";
    Failure::outside(Diagnostic::error(&invocation::NO_STORE, message).help(help), Exit::Invalid)
}

/// Reads a text file that the command line names.
pub(super) fn read(world: &dyn World, path: &Path) -> Result<String, Failure> {
    world.read(path).map_err(|error| Failure::outside(unreadable(path, &error), Exit::Invalid))
}

/// Reads standard input as text.
pub(super) fn read_input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| Failure::outside(unreadable(Path::new("standard input"), &error), Exit::Invalid))?;
    Ok(text)
}

/// Writes a file that the user named or a result.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| Failure::outside(unwritable(path, &error), Exit::Failed))
}

/// Describes why a result cannot be written.
pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> Diagnostic {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull};
    let (reason, help) = match error.kind() {
        PermissionDenied => ("this user may not write there", "name another directory with `--out`"),
        ReadOnlyFilesystem => ("the file system is read-only", "name another directory with `--out`"),
        StorageFull => ("no space is left", "make room and run again: nothing is computed twice"),
        NotFound => ("the directory does not exist", "make it, or name another"),
        NotADirectory => ("a part of the path is a file", "name another directory with `--out`"),
        _ => ("", "name another directory with `--out`"),
    };
    let reason = if reason.is_empty() { error.to_string() } else { reason.to_owned() };
    Diagnostic::error(&invocation::UNWRITABLE, format!("cannot write `{}`: {reason}", path.display())).help(help)
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    use std::io::ErrorKind::{InvalidData, IsADirectory, NotFound, PermissionDenied};
    let shown = path.display();
    let told = |reason: &str| Diagnostic::error(&invocation::UNREADABLE, format!("`{shown}` {reason}"));
    match error.kind() {
        InvalidData => Diagnostic::error(&invocation::NOT_TEXT, format!("`{shown}` is not UTF-8 text"))
            .help("convert it, for example with `iconv -f latin1 -t utf-8`"),
        NotFound => told("does not exist").help("paths are relative to the current directory"),
        IsADirectory => told("is a directory, not a file").help("name a file in it"),
        PermissionDenied => told("may not be read by this user").help("change its permissions"),
        _ => told(&format!("cannot be read: {error}")),
    }
}

/// Turns an error of the store into a failure of the command.
pub(super) fn refused(error: StoreError) -> Failure {
    let unusable = matches!(error, StoreError::Newer { .. } | StoreError::NotAStore { .. });
    let exit = if unusable { Exit::Invalid } else { Exit::Failed };
    Failure::outside(exec::store_diagnostic(error, Severity::Error), exit)
}

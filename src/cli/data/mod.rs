//! `pdsl data`: looking at data sets, fetching, checking and packing them.

mod fetch;

use std::path::{Path, PathBuf};

use serde_json::json;

use self::fetch::{FetchError, Fetched, fetch};
use super::figures;
use super::output;
use super::place::StoreOptions;
use super::{Ended, Exit, Failure};
use crate::diag::codes::data as codes;
use crate::diag::{Diagnostic, Severity};
use crate::domain::data::Split;
use crate::exec::{self, Problem};
use crate::manifest::profile::Profile;
use crate::nn::data::{self, DataError};
use crate::source::Sources;
use crate::world::World;

/// Look at the data sets of a profile, fetch, check or pack them.
#[derive(Debug, clap::Args)]
pub(super) struct DataCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the data sets of a profile: where they are, in which form, how many images they have.
    Ls(List),
    /// Fetch the files of data sets, go on with transfers that were interrupted, and check their checksums.
    Fetch(Chosen),
    /// Read and decode every image, and name the damaged ones.
    Verify(Verify),
    /// Pack folders of pictures into tar shards, which are the same data set.
    Prepare(Prepare),
}

/// Data sets of a profile.
#[derive(Debug, clap::Args)]
struct Chosen {
    #[command(flatten)]
    place: StoreOptions,
    /// Names of data sets (default: all of the profile).
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    chosen: Chosen,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    chosen: Chosen,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Prepare {
    /// Directory with one folder per class, below `train`, `val` and `test` or at its root.
    from: PathBuf,
    /// Directory for the shards.
    to: PathBuf,
    /// Megabytes of pictures in a shard.
    #[arg(long, value_name = "MB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..))]
    shard: u64,
}

impl DataCommand {
    pub(super) fn run(&self, world: &dyn World) -> Ended {
        match &self.action {
            Action::Ls(command) => command.run(world),
            Action::Fetch(command) => command.fetch(world),
            Action::Verify(command) => command.run(world),
            Action::Prepare(command) => command.run(),
        }
    }
}

/// What a command about data sets works with.
struct Context {
    profile: Profile,
    names: Vec<String>,
    /// Where the store notes what it knows of data, if there is a store.
    notes: Option<PathBuf>,
}

impl Chosen {
    fn context(&self, world: &dyn World) -> Result<Context, Failure> {
        let profile = self.place.read_profile(world, &mut Sources::default())?;
        if let Some(name) = self.names.iter().find(|name| !profile.data.contains_key(*name)) {
            return Err(failed(DataError::Unnamed { name: name.clone() }));
        }
        let names = if self.names.is_empty() { profile.data.keys().cloned().collect() } else { self.names.clone() };
        let store = self.place.directory(world, &profile, None);
        let notes = store.is_dir().then(|| store.join("data"));
        Ok(Context { profile, names, notes })
    }

    fn fetch(&self, world: &dyn World) -> Ended {
        let Context { profile, names, .. } = self.context(world)?;
        let mut lines = String::new();
        for name in &names {
            let place = &profile.data[name];
            for download in profile.downloads.get(name).into_iter().flatten() {
                let (path, fetched) = fetch(download, &place.root).map_err(|error| refused(&error))?;
                let did = match fetched {
                    Fetched::Kept => "is here".to_owned(),
                    Fetched::Bytes(bytes) => format!("fetched, {}", figures::bytes(bytes)),
                };
                lines += &format!("{name}: {} {did}\n", path.display());
                if is_archive(&path) {
                    let count = data::unpack(&path, &place.root).map_err(failed)?;
                    lines += &format!("{name}: {} unpacked\n", figures::counted(count, "file"));
                }
            }
        }
        output::data(if lines.is_empty() { "the profile names no files to fetch\n" } else { &lines })?;
        Ok(Exit::Done)
    }
}

/// Tells whether a file is to be unpacked: shards are read as they are.
fn is_archive(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.ends_with(".tar.gz") || name.ends_with(".tgz")
}

impl List {
    fn run(&self, world: &dyn World) -> Ended {
        let Context { profile, names, notes } = self.chosen.context(world)?;
        let mut rows = vec![["NAME", "FORM", "IMAGES", "CLASSES", "ROOT"].map(str::to_owned).to_vec()];
        let mut listed = Vec::new();
        for name in &names {
            let root = &profile.data[name].root;
            let known = if root.exists() { data::summarise(root, notes.as_deref()).map(Some) } else { Ok(None) };
            let (form, images, classes) = match known {
                Ok(Some(found)) => {
                    let images: Vec<String> = found.parts.iter().map(|(part, count)| shown(*part, *count)).collect();
                    let classes = found.classes.map_or_else(|| "-".to_owned(), |classes| classes.to_string());
                    (found.form.to_owned(), images.join(", "), classes)
                }
                Ok(None) => ("not here".to_owned(), "-".to_owned(), "-".to_owned()),
                Err(error) => (error.to_string(), "-".to_owned(), "-".to_owned()),
            };
            listed.push(json!({ "name": name, "form": form, "images": images, "classes": classes, "root": root }));
            rows.push(vec![name.clone(), form, images, classes, root.display().to_string()]);
        }
        output::data(&if self.json { output::json(&listed)? } else { figures::columns(&rows, &[3]) })?;
        Ok(Exit::Done)
    }
}

fn shown(part: Option<Split>, count: u64) -> String {
    match part {
        None => count.to_string(),
        Some(Split::Train) => format!("train {count}"),
        Some(Split::Val) => format!("val {count}"),
        Some(Split::Test) => format!("test {count}"),
    }
}

impl Verify {
    fn run(&self, world: &dyn World) -> Ended {
        let Context { profile, names, notes } = self.chosen.context(world)?;
        let (mut lines, mut listed, mut sound) = (String::new(), Vec::new(), true);
        for name in &names {
            let root = &profile.data[name].root;
            let found = data::verify(root, notes.as_deref()).map_err(failed)?;
            sound &= found.damaged.is_empty();
            for problem in &found.damaged {
                lines += &format!("{problem}\n");
            }
            let (images, damaged) = (figures::counted(found.images as usize, "image"), found.damaged.len());
            lines += &format!("{name}: {images}, {damaged} damaged, digest {}\n", &found.digest[..12]);
            listed.push(json!({
                "name": name, "images": found.images, "damaged": found.damaged, "digest": found.digest,
            }));
        }
        output::data(&if self.json { output::json(&listed)? } else { lines })?;
        Ok(if sound { Exit::Done } else { Exit::Failed })
    }
}

impl Prepare {
    fn run(&self) -> Ended {
        let shards = data::prepare(&self.from, &self.to, self.shard * 1_000_000).map_err(failed)?;
        let count = figures::counted(shards.len(), "shard");
        output::data(&format!("{count} in `{}`: name it as `root` of the data set\n", self.to.display()))?;
        Ok(Exit::Done)
    }
}

/// Turns a problem with data into a failure of the command.
fn failed(error: DataError) -> Failure {
    Failure::outside(exec::describe(&Problem::from(error), Severity::Error), Exit::Failed)
}

/// Turns a failed transfer into a failure of the command.
fn refused(error: &FetchError) -> Failure {
    let (code, help) = match error {
        FetchError::Nameless(_) => (&codes::FETCH_FAILED, "name a file in the profile's `url`"),
        FetchError::Refused { .. } => (&codes::FETCH_FAILED, "check the `url`, and run again: what came is kept"),
        FetchError::Local { .. } => (&codes::FETCH_FAILED, "make room, or make the directory writable, and run again"),
        FetchError::Sum { .. } => {
            (&codes::FETCH_SUM, "check the `sha256` of the profile, or fetch from another server")
        }
    };
    Failure::outside(Diagnostic::error(code, error.to_string()).help(help), Exit::Failed)
}

//! Files of a report: `tables/*.csv`, `plots/*.svg`, `plots/*.vl.json`, `claims.json`, `report.html`.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::claims::{Judgement, judge};
use super::contents::{Contents, Gate};
use super::drawing::Drawing;
use super::{html, table};

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// Paths of all files, in the order written.
    pub files: Vec<PathBuf>,
    /// The verdicts, one per claim, in source order.
    pub judgements: Vec<Judgement>,
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`: {error}", path.display())]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub error: io::Error,
}

/// Judges every claim; an expectation that does not hold, or that could not be checked, voids them all.
pub fn judgements(contents: &Contents) -> Vec<Judgement> {
    let unmet = contents.expectations.iter().find(|expectation| expectation.gate != Gate::Met);
    let broken = unmet.filter(|_| contents.smoke.is_none());
    let judged = contents.claims.iter().map(|claim| match broken {
        Some(expectation) => {
            let how = if expectation.gate == Gate::Failed { "does not hold" } else { "could not be checked" };
            let at = expectation.place.as_ref().map(|place| format!(" (line {})", place.line)).unwrap_or_default();
            Judgement::void(&claim.spec, format!("the expectation `{}`{at} {how}", expectation.text))
        }
        None => judge(&claim.spec),
    });
    judged
        .map(|mut judgement| {
            judgement.notes.splice(0..0, contents.smoke.map(str::to_owned));
            judgement
        })
        .collect()
}

/// Writes every file of the report into `dir`, which is made if need be. Each file is complete or absent.
///
/// # Errors
/// The first file that cannot be written.
pub fn write(dir: &Path, contents: &Contents) -> Result<Written, WriteError> {
    let judgements = judgements(contents);
    let mut files = Vec::new();
    let mut put = |path: PathBuf, bytes: &[u8]| -> Result<(), WriteError> {
        replace(&path, bytes).map_err(|error| WriteError { path: path.clone(), error })?;
        files.push(path);
        Ok(())
    };
    for entry in &contents.tables {
        put(dir.join("tables").join(format!("{}.csv", file_stem(&entry.name))), &table::csv(&entry.spec))?;
    }
    let drawings: Vec<Drawing> = contents.plots.iter().map(|entry| Drawing::of(&entry.spec)).collect();
    for (entry, drawing) in contents.plots.iter().zip(&drawings) {
        let stem = file_stem(&entry.name);
        put(dir.join("plots").join(format!("{stem}.svg")), drawing.svg(&entry.name).as_bytes())?;
        if let Some(vega) = drawing.vega(&entry.name) {
            put(dir.join("plots").join(format!("{stem}.vl.json")), vega.as_bytes())?;
        }
    }
    put(dir.join("claims.json"), claims_json(contents, &judgements).as_bytes())?;
    put(dir.join("report.html"), html::render(contents, &judgements, &drawings).as_bytes())?;
    Ok(Written { files, judgements })
}

/// Returns the text of `claims.json`: a list with one object per claim.
pub fn claims_json(contents: &Contents, judgements: &[Judgement]) -> String {
    let entries: Vec<Value> = contents
        .claims
        .iter()
        .zip(judgements)
        .map(|(claim, judgement)| judgement.to_json(&claim.name, &claim.text))
        .collect();
    format!("{:#}\n", Value::Array(entries))
}

/// Returns a name as a file stem: everything but letters, digits, `-` and `_` becomes `_`.
pub fn file_stem(name: &str) -> String {
    let stem: String =
        name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect();
    if stem.is_empty() { "_".to_string() } else { stem }
}

/// Writes beside the file and renames, so that readers never see half of it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.part", std::process::id()));
    let written = fs::File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // The part file is of no use; that it cannot be removed adds nothing to the first error.
        drop(fs::remove_file(&beside));
    }
    written
}

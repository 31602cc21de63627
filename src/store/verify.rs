//! Verification: every stored byte is read and checked.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use super::error::StoreError;
use super::points::PointKind;
use super::{Digest, Store, entries};
use crate::graph::Key;
use crate::manifest::record::Record;

/// The result of reading the whole store.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verification {
    /// Records read.
    pub records: usize,
    /// Objects read.
    pub objects: usize,
    /// Bytes read.
    pub bytes: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Something that is wrong in a store.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What it belongs to, by its readable name.
    pub name: String,
    /// What is wrong, and what became of it.
    pub problem: String,
}

impl Store {
    /// Reads and checks everything. Damaged files are set aside, so that the next run makes them again.
    pub fn verify(&self) -> Verification {
        let mut verification = Verification::default();
        let mut owned: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for record in self.records() {
            verification.records += 1;
            match record {
                Ok(record) => {
                    self.check_record(&record, &mut verification.findings);
                    for (role, digest) in &record.outcome.objects {
                        owned.entry(digest.clone()).or_default().insert(format!("{role} of {}", record.name));
                    }
                }
                Err(error) => verification.findings.push(finding(&error)),
            }
        }
        self.check_objects(&owned, &mut verification);
        self.check_points(&mut verification);
        verification
    }

    /// Checks that a key is the digest of the pre-image stored beside it.
    fn check_record(&self, record: &Record, findings: &mut Vec<Finding>) {
        let problem = match self.preimage(record.key) {
            Ok(Some(preimage)) if preimage.key() == record.key => return,
            Ok(_) => "its key does not follow from what is stored beside it".to_owned(),
            Err(error) => error.to_string(),
        };
        let aside = self.set_aside(&self.record_path(record.key)).is_ok();
        let problem = if aside { format!("{problem}; set aside") } else { problem };
        findings.push(Finding { name: record.name.clone(), problem });
    }

    fn check_objects(&self, owned: &BTreeMap<String, BTreeSet<String>>, verification: &mut Verification) {
        let stored: BTreeSet<String> = entries(&self.root().join("objects"))
            .iter()
            .flat_map(|directory| entries(directory))
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect();
        let checked: Vec<_> = stored
            .union(&owned.keys().cloned().collect())
            .map(String::clone)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|digest| {
                let read = digest.parse::<Digest>().map_err(|_| "it is not an object".to_owned());
                let read = read.and_then(|known| self.get(&known).map_err(|error| describe(&error)));
                (digest, read.map(|bytes| bytes.len() as u64))
            })
            .collect();
        for (digest, read) in checked {
            verification.objects += 1;
            match read {
                Ok(bytes) => verification.bytes += bytes,
                Err(problem) => {
                    let names = owned.get(&digest).map(|names| names.iter().cloned().collect::<Vec<_>>().join(", "));
                    let name = names.unwrap_or_else(|| format!("object {}", digest.get(..12).unwrap_or(&digest)));
                    verification.findings.push(Finding { name, problem });
                }
            }
        }
    }

    fn check_points(&self, verification: &mut Verification) {
        for directory in entries(&self.root().join("trajectories")) {
            let name = directory.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<Key>().ok());
            let Some(base) = name else { continue };
            for point in self.points(base).iter().filter(|point| point.kind == PointKind::Rolling) {
                match self.load_point(base, point) {
                    Ok((files, _)) => verification.bytes += files.values().map(|bytes| bytes.len() as u64).sum::<u64>(),
                    Err(error) => verification.findings.push(finding(&error)),
                }
            }
        }
    }
}

fn finding(error: &StoreError) -> Finding {
    let name = match error {
        StoreError::Damaged { name, .. } | StoreError::Missing { name, .. } => name.clone(),
        StoreError::Malformed { path, .. } | StoreError::Io { path, .. } => path.display().to_string(),
        other => other.to_string(),
    };
    Finding { name, problem: describe(error) }
}

fn describe(error: &StoreError) -> String {
    match error {
        StoreError::Damaged { quarantined, .. } => format!("damaged; set aside as {}", quarantined.display()),
        StoreError::Missing { .. } => "missing".to_owned(),
        other => other.to_string(),
    }
}

//! Garbage collection: what the last run of each known experiment used stays, the rest goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{Result, StoreError};
use super::points::PointKind;
use super::{Store, encode, entries, publish};
use crate::graph::Key;
use crate::manifest::record::{self, Record};

/// What the last run of an experiment used: nothing of it is collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Name of the experiment.
    pub experiment: String,
    /// When it ran, in RFC 3339.
    pub time: String,
    /// Every stage of its plan.
    pub stages: Vec<RootEntry>,
}

/// A stage of a root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootEntry {
    /// Its key.
    pub key: Key,
    /// Key of its trajectory's static part, if it is training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Key>,
}

/// What to collect.
#[derive(Clone, Debug)]
pub struct Collection {
    /// Removes nothing, only tells.
    pub dry: bool,
    /// Younger files stay, whoever they belong to: a running process may be about to use them.
    pub grace: Duration,
    /// Experiments that no longer protect anything.
    pub forget: Vec<String>,
}

/// What was collected, or would be.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Collected {
    /// Results without a root, cheapest to rebuild per byte first.
    pub items: Vec<Item>,
    /// Bytes freed, leftovers of killed processes included.
    pub bytes: u64,
    /// Results that stay.
    pub kept: usize,
}

/// A result that goes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Readable name.
    pub name: String,
    /// Kind of stage; `resume point` for rolling points, `leftover` for bytes that belong to no result.
    pub op: String,
    /// Key, where it has one.
    pub key: Option<Key>,
    /// Bytes that go with it.
    pub bytes: u64,
    /// Seconds since it was stored.
    pub age: u64,
    /// Seconds that making it took.
    pub rebuild: f64,
}

/// The default age under which nothing is collected.
const GRACE: Duration = Duration::from_hours(1);

impl Default for Collection {
    fn default() -> Self {
        Self { dry: true, grace: GRACE, forget: Vec::new() }
    }
}

impl Store {
    /// Notes what a run of an experiment uses, before it starts.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn set_root(&self, root: &Root) -> Result<()> {
        let path = self.root_path(&root.experiment);
        publish::write(&self.tmp(), &path, encode(&path, root)?.as_bytes())
    }

    /// Returns the roots of all experiments, by name.
    ///
    /// # Errors
    /// If one is unreadable: then nothing may be collected.
    pub fn roots(&self) -> Result<Vec<Root>> {
        entries(&self.root().join("roots"))
            .into_iter()
            .map(|path| {
                let text = fs::read_to_string(&path).map_err(StoreError::io("read", &path))?;
                record::document(&text).map_err(|reason| StoreError::Malformed { path, reason })
            })
            .collect()
    }

    /// Removes what no root needs, or tells what would go.
    ///
    /// # Errors
    /// If a root is unreadable or the file system refuses.
    pub fn collect(&self, collection: &Collection) -> Result<Collected> {
        let mut roots = self.roots()?;
        roots.retain(|root| !collection.forget.contains(&root.experiment));
        let (doomed, kept) = self.partition_records(&roots, collection.grace);
        let needed: BTreeSet<&String> = kept.iter().flat_map(|record| record.outcome.objects.values()).collect();
        let mut collected = Collected { kept: kept.len(), ..Collected::default() };
        let mut sweep = Sweep { dry: collection.dry, grace: collection.grace, collected: &mut collected };
        if !collection.dry {
            for name in &collection.forget {
                remove(&self.root_path(name))?;
            }
        }
        let mut gone = BTreeSet::new();
        for record in &doomed {
            self.sweep_record(record, &needed, &mut gone, &mut sweep)?;
        }
        self.sweep_objects(&needed, &gone, &mut sweep)?;
        self.sweep_points(&roots, &mut sweep)?;
        for path in entries(&self.tmp()) {
            sweep.leftover(&path, "draft of a killed process")?;
        }
        let per_byte = |item: &Item| item.rebuild / (item.bytes.max(1) as f64);
        collected.items.sort_by(|a, b| per_byte(a).total_cmp(&per_byte(b)).then_with(|| a.name.cmp(&b.name)));
        Ok(collected)
    }

    /// Separates the records that no root needs.
    fn partition_records(&self, roots: &[Root], grace: Duration) -> (Vec<Record>, Vec<Record>) {
        let rooted: BTreeSet<Key> = roots.iter().flat_map(|root| root.stages.iter().map(|entry| entry.key)).collect();
        let records: BTreeMap<Key, Record> =
            self.records().filter_map(|record| record.ok().map(|record| (record.key, record))).collect();
        let young = |record: &Record| age(&self.record_path(record.key)) < grace;
        let mut open: Vec<Key> = records.values().filter(|record| young(record)).map(|record| record.key).collect();
        open.extend(self.leased());
        open.extend(rooted);
        let mut alive = BTreeSet::new();
        while let Some(key) = open.pop() {
            if alive.insert(key) {
                open.extend(records.get(&key).into_iter().flat_map(|record| record.inputs.values().copied()));
            }
        }
        records.into_values().partition(|record| !alive.contains(&record.key))
    }

    fn sweep_record(
        &self,
        record: &Record,
        needed: &BTreeSet<&String>,
        gone: &mut BTreeSet<String>,
        sweep: &mut Sweep<'_>,
    ) -> Result<()> {
        let path = self.record_path(record.key);
        let mut bytes = size(&path);
        let old = age(&path);
        if !sweep.dry {
            remove(&path)?;
            if let Some(place) = record.trajectory {
                remove(&self.named_point(place.base, place.step, record.key))?;
            }
        }
        for digest in record.outcome.objects.values().filter(|digest| !needed.contains(digest)) {
            let object = self.object_path(digest);
            if age(&object) >= sweep.grace && gone.insert(digest.clone()) {
                bytes += size(&object);
                if !sweep.dry {
                    remove(&object)?;
                }
            }
        }
        sweep.note(Item {
            name: record.name.clone(),
            op: record.op.clone(),
            key: Some(record.key),
            bytes,
            age: old.as_secs(),
            rebuild: record.run.seconds,
        });
        Ok(())
    }

    /// Removes objects that no record names: their writer died before publishing.
    fn sweep_objects(&self, needed: &BTreeSet<&String>, gone: &BTreeSet<String>, sweep: &mut Sweep<'_>) -> Result<()> {
        for path in entries(&self.root().join("objects")).iter().flat_map(|directory| entries(directory)) {
            let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
            if !needed.contains(&name) && !gone.contains(&name) {
                sweep.leftover(&path, "object of no result")?;
            }
        }
        Ok(())
    }

    /// Removes rolling points that no unfinished training of a root can use.
    fn sweep_points(&self, roots: &[Root], sweep: &mut Sweep<'_>) -> Result<()> {
        let unfinished: BTreeSet<Key> = roots
            .iter()
            .flat_map(|root| &root.stages)
            .filter(|entry| !self.record_path(entry.key).exists())
            .filter_map(|entry| entry.base)
            .collect();
        for directory in entries(&self.root().join("trajectories")) {
            let base = directory.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<Key>().ok());
            let Some(base) = base.filter(|base| !unfinished.contains(base)) else { continue };
            for point in self.points(base).into_iter().filter(|point| point.kind == PointKind::Rolling) {
                let path = self.point_path(base, &point);
                let old = age(&path);
                if old < sweep.grace {
                    continue;
                }
                let bytes = entries(&path).iter().map(|file| size(file)).sum();
                if !sweep.dry {
                    self.drop_point(base, &point)?;
                }
                sweep.note(Item {
                    name: format!("training {} at iteration {}", &base.short(), point.step),
                    op: "resume point".to_owned(),
                    key: Some(point.key),
                    bytes,
                    age: old.as_secs(),
                    rebuild: 0.0,
                });
            }
            if !sweep.dry {
                // Succeeds only if nothing is left.
                let _ = fs::remove_dir(&directory);
            }
        }
        Ok(())
    }

    fn root_path(&self, experiment: &str) -> PathBuf {
        let plain = experiment.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' });
        let digest = blake3::hash(experiment.as_bytes()).to_hex();
        self.root().join("roots").join(format!("{}-{}.yaml", plain.collect::<String>(), &digest[..8]))
    }
}

struct Sweep<'a> {
    dry: bool,
    grace: Duration,
    collected: &'a mut Collected,
}

impl Sweep<'_> {
    fn note(&mut self, item: Item) {
        self.collected.bytes += item.bytes;
        self.collected.items.push(item);
    }

    fn leftover(&mut self, path: &Path, name: &str) -> Result<()> {
        let old = age(path);
        if old < self.grace {
            return Ok(());
        }
        let bytes = size(path);
        if !self.dry {
            remove(path)?;
        }
        let op = "leftover".to_owned();
        self.note(Item { name: name.to_owned(), op, key: None, bytes, age: old.as_secs(), rebuild: 0.0 });
        Ok(())
    }
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

fn age(path: &Path) -> Duration {
    fs::metadata(path).and_then(|known| known.modified()).ok().and_then(|time| time.elapsed().ok()).unwrap_or_default()
}

fn size(path: &Path) -> u64 {
    match fs::metadata(path) {
        Ok(known) if known.is_dir() => entries(path).iter().map(|entry| size(entry)).sum(),
        Ok(known) => known.len(),
        Err(_) => 0,
    }
}

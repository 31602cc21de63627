//! `pdsl store ls|gc|verify`.

use std::fmt::Write;
use std::time::Duration;

use clap::Subcommand;
use serde_json::json;

use super::output;
use super::place::{StoreAlone, refused};
use super::{Ended, Exit, Failure, figures};
use crate::manifest::record::Record;
use crate::store::{Collection, Store};
use crate::world::World;

/// Look at the store, tidy it, check it.
#[derive(Debug, clap::Args)]
pub(super) struct StoreCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the results in the store, by name.
    Ls(List),
    /// Remove what the last run of no experiment needs.
    Gc(Collect),
    /// Read every stored byte and check it.
    Verify(Verify),
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    place: StoreAlone,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Collect {
    #[command(flatten)]
    place: StoreAlone,
    /// Print what would go, and remove nothing.
    #[arg(long)]
    dry_run: bool,
    /// Keep what is younger than this, whomever it belongs to.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = humantime::parse_duration)]
    keep: Duration,
    /// An experiment whose results need not stay.
    #[arg(long, value_name = "NAME")]
    forget: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    place: StoreAlone,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl StoreCommand {
    pub(super) fn run(&self, world: &dyn World) -> Ended {
        match &self.action {
            Action::Ls(command) => command.run(world),
            Action::Gc(command) => command.run(world),
            Action::Verify(command) => command.run(world),
        }
    }
}

impl List {
    fn run(&self, world: &dyn World) -> Ended {
        let store = self.place.open(world)?;
        let mut records = store.records().collect::<Result<Vec<_>, _>>().map_err(refused)?;
        records.sort_by(|a, b| natural(&a.name).cmp(&natural(&b.name)).then(a.key.cmp(&b.key)));
        output::data(&if self.json { json(&store, &records)? } else { text(&store, &records) })?;
        Ok(Exit::Done)
    }
}

fn text(store: &Store, records: &[Record]) -> String {
    let mut rows = vec![["STAGE", "KEY", "BYTES", "TOOK", "FINISHED"].map(str::to_owned).to_vec()];
    let mut total = 0;
    for record in records {
        let bytes = size(store, record);
        total += bytes;
        rows.push(vec![
            record.name.clone(),
            record.key.short(),
            figures::bytes(bytes),
            figures::duration(record.run.seconds),
            record.run.finished.clone(),
        ]);
    }
    let referred = figures::bytes(total);
    format!(
        "{}{}, {referred} referred to\n",
        figures::columns(&rows, &[2, 3]),
        figures::counted(records.len(), "result")
    )
}

fn json(store: &Store, records: &[Record]) -> Result<String, Failure> {
    let list: Vec<_> = records
        .iter()
        .map(|record| {
            json!({
                "key": record.key, "op": record.op, "name": record.name, "bytes": size(store, record),
                "seconds": record.run.seconds, "finished": record.run.finished, "measures": record.outcome.measures,
            })
        })
        .collect();
    Ok(output::json(&list)?)
}

/// Bytes that a result refers to; what several results share is counted for each.
fn size(store: &Store, record: &Record) -> u64 {
    record.outcome.objects.values().filter_map(|digest| store.size(digest)).sum()
}

/// A sorting key in which `round 10` comes after `round 9`.
fn natural(name: &str) -> Vec<(u64, String)> {
    name.split(' ').map(|word| (word.parse().unwrap_or(u64::MAX), word.to_owned())).collect()
}

impl Collect {
    fn run(&self, world: &dyn World) -> Ended {
        let store = self.place.open(world)?;
        let collection = Collection { dry: self.dry_run, grace: self.keep, forget: self.forget.clone() };
        let collected = store.collect(&collection).map_err(refused)?;
        if self.json {
            output::data(&output::json(&collected)?)?;
            return Ok(Exit::Done);
        }
        let mut rows = Vec::new();
        for item in &collected.items {
            let age = format!("{} old", figures::duration(item.age as f64));
            let rebuild = format!("took {}", figures::duration(item.rebuild));
            rows.push(vec![item.name.clone(), figures::bytes(item.bytes), age, rebuild]);
        }
        let verb = if self.dry_run { "would be removed" } else { "removed" };
        let count = figures::counted(collected.items.len(), "item");
        let bytes = figures::bytes(collected.bytes);
        let kept = figures::counted(collected.kept, "result");
        output::data(&format!("{}{count} {verb}, {bytes}; {kept} kept\n", figures::columns(&rows, &[1])))?;
        Ok(Exit::Done)
    }
}

impl Verify {
    fn run(&self, world: &dyn World) -> Ended {
        let found = self.place.open(world)?.verify();
        if self.json {
            output::data(&output::json(&found)?)?;
        } else {
            let mut lines = String::new();
            for finding in &found.findings {
                let _ = writeln!(lines, "{}: {}", finding.name, finding.problem);
            }
            let (records, objects) =
                (figures::counted(found.records, "result"), figures::counted(found.objects, "object"));
            let problems = figures::counted(found.findings.len(), "problem");
            let bytes = figures::bytes(found.bytes);
            output::data(&format!("{lines}{records}, {objects}, {bytes} read; {problems}\n"))?;
        }
        Ok(if found.findings.is_empty() { Exit::Done } else { Exit::Failed })
    }
}

//! `pdsl show STAGE`: everything the store knows about a stage. `pdsl show FILE`: what a file of weights holds.

use std::fmt::Write;
use std::path::Path;

use super::output::{self, Output};
use super::place::{StoreAlone, refused};
use super::{Ended, Exit, Failure, figures, network, sparsity};
use crate::diag::Diagnostic;
use crate::diag::codes::invocation;
use crate::manifest::record::Record;
use crate::store::Store;
use crate::world::World;

/// Show a stored stage (arguments, inputs, measures, objects, circumstances) or a file of weights; the sparsity of either.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// A file (safetensors, PyTorch's .pth, npz, ONNX), or the stage's key, the beginning of it, or its name.
    #[arg(value_name = "STAGE|FILE")]
    stage: String,
    #[command(flatten)]
    place: StoreAlone,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let file = Path::new(&self.stage);
        if sparsity::is_meant(file) {
            return sparsity::show(file, output, self.json);
        }
        let store = self.place.open(world)?;
        let record = find(&store, &self.stage)?;
        let preimage = store.preimage(record.key).map_err(refused)?;
        // A stage whose objects are gone or damaged can still be looked at.
        let weights = network::weights(&store, &record).ok().flatten();
        let zeros = weights.and_then(|weights| crate::nn::weights::sparsity::of(&weights).ok());
        output::data(&if self.json {
            output::json(&serde_json::json!({ "record": record, "preimage": preimage, "sparsity": zeros }))?
        } else {
            let mut text = text(output, &store, &record);
            if let Some(zeros) = &zeros {
                lines(&mut text, "sparsity", &sparsity::table(zeros));
            }
            if let Some(args) = preimage.and_then(|preimage| serde_json::to_string_pretty(&preimage.args).ok()) {
                lines(&mut text, "arguments", &args);
            }
            text
        })?;
        Ok(Exit::Done)
    }
}

/// Finds the one stage whose key begins as told, or whose name is as told.
pub(super) fn find(store: &Store, told: &str) -> Result<Record, Failure> {
    let prefix = told.to_ascii_lowercase();
    let fits =
        |record: &Record| record.name == told || !prefix.is_empty() && record.key.to_string().starts_with(&prefix);
    let mut found: Vec<Record> = store.records().flatten().filter(fits).collect();
    if found.len() == 1
        && let Some(record) = found.pop()
    {
        return Ok(record);
    }
    let diagnostic = if found.is_empty() {
        Diagnostic::error(&invocation::NO_STAGE, format!("the store has no stage `{told}`"))
            .help("list the stages with `pdsl store ls`")
    } else {
        let some: Vec<_> = found.iter().take(3).map(|r| format!("`{}` ({})", r.key.short(), r.name)).collect();
        Diagnostic::error(&invocation::NO_STAGE, format!("`{told}` means {} stages", found.len()))
            .help(format!("write more of the key, for example {}", some.join(", ")))
    };
    Err(Failure::outside(diagnostic, Exit::Invalid))
}

fn text(output: Output, store: &Store, record: &Record) -> String {
    let mut text = format!("{}\n", output.bold(&record.name));
    let mut rows = vec![
        vec!["key".to_owned(), record.key.to_string()],
        vec!["stage".to_owned(), format!("{}, version {}", record.op, record.version)],
    ];
    if let Some(place) = record.trajectory {
        rows.push(vec!["trajectory".to_owned(), format!("{} at iteration {}", place.base.short(), place.step)]);
    }
    rows.extend(record.inputs.iter().map(|(role, key)| {
        let name = store.record(*key).ok().flatten().map(|input| format!("  {}", input.name)).unwrap_or_default();
        vec![role.clone(), format!("{}{name}", key.short())]
    }));
    let run = &record.run;
    let _ = write!(text, "{}", figures::columns(&rows, &[]));
    let took = figures::duration(run.seconds);
    let threads = figures::counted(run.threads, "thread");
    let peak = run.peak_bytes.map(|bytes| format!(", {} of memory", figures::bytes(bytes))).unwrap_or_default();
    let _ =
        writeln!(text, "finished {} on {}, pdsl {}, took {took}, {threads}{peak}", run.finished, run.host, run.pdsl);
    section(
        &mut text,
        "measures",
        record.outcome.measures.iter().map(|(name, value)| vec![name.clone(), value.to_string()]),
    );
    section(
        &mut text,
        "objects",
        record.outcome.objects.iter().map(|(role, digest)| {
            let size = store.size(digest).map_or_else(|| "missing".to_owned(), figures::bytes);
            vec![role.clone(), size, digest.clone()]
        }),
    );
    section(&mut text, "notes", run.notes.iter().map(|note| vec![note.clone()]));
    text
}

fn section(text: &mut String, heading: &str, rows: impl Iterator<Item = Vec<String>>) {
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        lines(text, heading, &figures::columns(&rows, &[]));
    }
}

fn lines(text: &mut String, heading: &str, body: &str) {
    let _ = writeln!(text, "\n{heading}");
    for line in body.lines() {
        let _ = writeln!(text, "  {line}");
    }
}

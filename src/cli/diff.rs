//! `pdsl diff A [B]`: which stages two programs share, and where they part.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use serde_json::json;

use super::device::DeviceOptions;
use super::locate::{self, excerpt, locate};
use super::output::{self, Output};
use super::place::StoreOptions;
use super::program::{Loaded, ProgramOptions};
use super::{Ended, Exit, Failure, figures};
use crate::diag::Diagnostic;
use crate::diag::codes::invocation;
use crate::plan::diff::{Change, Diff, Lone, Side, diff};
use crate::world::World;

/// Names that are written out; more are counted.
const NAMED: usize = 3;

/// Compare the stages of two programs, or of one under two settings. Exits with 0 if they are the same, with 1 if not.
#[derive(Debug, clap::Args)]
pub(super) struct Compare {
    /// The first program.
    #[arg(value_name = "A")]
    first: PathBuf,
    /// The second program (default: the first under the settings of `--set-b`).
    #[arg(value_name = "B")]
    second: Option<PathBuf>,
    /// Set a parameter of both programs: `--set replicates=5`.
    #[arg(long = "set", value_name = "NAME=EXPRESSION")]
    settings: Vec<String>,
    /// Set a parameter of the first program alone.
    #[arg(long, value_name = "NAME=EXPRESSION")]
    set_a: Vec<String>,
    /// Set a parameter of the second program alone: `pdsl diff study.pd --set-b rate=30%`.
    #[arg(long, value_name = "NAME=EXPRESSION")]
    set_b: Vec<String>,
    #[command(flatten)]
    place: StoreOptions,
    #[command(flatten)]
    device: DeviceOptions,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        if self.second.is_none() && self.set_a.is_empty() && self.set_b.is_empty() {
            let diagnostic =
                Diagnostic::error(&invocation::NOTHING_TO_COMPARE, "there is nothing to compare the program with")
                    .help("name a second program, or a setting: `--set-b rate=30%`");
            return Err(Failure::outside(diagnostic, Exit::Invalid));
        }
        let first = self.options(&self.first, &self.set_a).load(world, output)?;
        let second = self.options(self.second.as_ref().unwrap_or(&self.first), &self.set_b).load(world, output)?;
        let wanted = [&first, &second].map(|loaded| loaded.program.demands().all());
        let [a, b] = &wanted;
        let found =
            diff(Side { graph: &first.program.graph, wanted: a }, Side { graph: &second.program.graph, wanted: b });
        let params = params(&first, &second);
        if self.json {
            let value = json!({
                "stages": found,
                "params": params.iter().map(|(name, a, b)| json!({ "name": name, "a": a, "b": b })).collect::<Vec<_>>(),
            });
            output::data(&output::json(&value)?)?;
        } else {
            output::data(&self.text(&found, &params, &second, output))?;
        }
        Ok(if found.is_empty() { Exit::Done } else { Exit::Failed })
    }

    fn options(&self, file: &std::path::Path, own: &[String]) -> ProgramOptions {
        ProgramOptions {
            file: file.to_path_buf(),
            settings: self.settings.iter().chain(own).cloned().collect(),
            place: self.place.clone(),
            device: self.device.clone(),
        }
    }

    fn text(&self, found: &Diff, params: &[(String, String, String)], second: &Loaded, output: Output) -> String {
        let shared = figures::counted(found.shared, "stage");
        if found.is_empty() {
            return format!("the same {shared}\n");
        }
        let mut text = format!("shared   {shared}\n");
        for (name, a, b) in params {
            let _ = writeln!(text, "param    {name} {a} -> {b}");
        }
        for change in &found.changes {
            text += &described(change, second, output);
        }
        if found.cascade > 0 {
            let stages = figures::counted(found.cascade, "stage");
            let _ = writeln!(text, "cascade  {stages} differ only in what comes before them");
        }
        for (until, names) in beginnings(found) {
            let _ = writeln!(text, "training {}: agree up to {until}", list(&names));
        }
        let [a, b] = self.names();
        text += &lone(&format!("only in {a}"), &found.only_a);
        text += &lone(&format!("only in {b}"), &found.only_b);
        text
    }

    /// What to call the two sides.
    fn names(&self) -> [String; 2] {
        let shown = |file: &PathBuf, own: &[String]| {
            let file = file.display().to_string();
            std::iter::once(&file).chain(own).map(String::as_str).collect::<Vec<_>>().join(" ")
        };
        [shown(&self.first, &self.set_a), shown(self.second.as_ref().unwrap_or(&self.first), &self.set_b)]
    }
}

fn params(a: &Loaded, b: &Loaded) -> Vec<(String, String, String)> {
    let find = |loaded: &Loaded, name: &str| {
        let found = loaded.program.params.iter().find(|param| param.name == name);
        found.map_or_else(|| "not there".to_owned(), |param| param.value.clone())
    };
    let mut names: Vec<&String> = a.program.params.iter().chain(&b.program.params).map(|param| &param.name).collect();
    names.sort();
    names.dedup();
    let pairs = names.into_iter().map(|name| (name.clone(), find(a, name), find(b, name)));
    pairs.filter(|(_, before, after)| before != after).collect()
}

fn described(change: &Change, second: &Loaded, output: Output) -> String {
    let [before, after] = &change.names;
    let names = if before == after { after.clone() } else { format!("{before} | {after}") };
    let mut text = format!("{}  {names}: {}\n", output.bold("differs"), locate::sentences(&change.differences));
    let origin = second.program.graph.node(change.id).origins.first();
    let site = origin.zip(change.differences.first());
    let site = site.map(|(origin, difference)| locate(&second.typed, &second.program, origin.span, difference));
    for line in site
        .iter()
        .flat_map(|site| excerpt(&second.typed.linked.sources, site).lines().map(str::to_owned).collect::<Vec<_>>())
    {
        let _ = writeln!(text, "         {line}");
    }
    if change.stages > 1 {
        let _ = writeln!(text, "         the same change in {}", figures::counted(change.stages - 1, "further stage"));
    }
    text
}

fn beginnings(found: &Diff) -> Vec<(String, Vec<&str>)> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for beginning in &found.beginnings {
        groups.entry(&beginning.until).or_default().push(&beginning.name);
    }
    groups.into_iter().map(|(until, names)| (until.to_owned(), names)).collect()
}

fn list(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED { format!("{shown} and {} more", names.len() - NAMED) } else { shown }
}

fn lone(heading: &str, stages: &[Lone]) -> String {
    if stages.is_empty() {
        return String::new();
    }
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for stage in stages {
        groups.entry(stage.op).or_default().push(&stage.name);
    }
    let mut text = format!("{heading}: {}\n", figures::counted(stages.len(), "stage"));
    for (op, names) in groups {
        let _ = writeln!(text, "         {op} × {}: {}", names.len(), list(&names));
    }
    text
}

//! What the report is made from: the program's outputs with their numbers, and the facts of the run.

use std::path::Path;

use super::program::{Loaded, params};
use super::{smoke, warnings};
use crate::eval::Resolved;
use crate::eval::program::Output;
use crate::exec::Report;
use crate::graph::NodeId;
use crate::plan::{Plan, Status};
use crate::report::{Claim, Contents, Entry, Expectation, Gate, Parameter, Place, RunFacts, Stage, StageStatus};
use crate::source::{Sources, Span};
use crate::store::Store;

/// Puts together what the report shows.
pub(super) fn contents(
    file: &Path,
    loaded: &Loaded,
    plan: &Plan,
    outcome: &Report,
    resolved: &Resolved,
    (run, store): (RunFacts, &Store),
) -> Contents {
    let sources = &loaded.typed.linked.sources;
    let root = loaded.typed.linked.module(loaded.typed.linked.root);
    let docs_of = |name: &str| params(&loaded.typed.linked).find(|(_, param)| &*param.name.text == name);
    Contents {
        file: file.display().to_string(),
        docs: root.file.docs.join("\n"),
        source: sources.get(root.file.id).text.to_string(),
        run,
        params: loaded
            .program
            .params
            .iter()
            .map(|param| Parameter {
                name: param.name.clone(),
                value: param.value.clone(),
                docs: docs_of(&param.name).map_or_else(|| param.docs.clone(), |(docs, _)| docs.join("\n")),
                overridden: param.overridden,
            })
            .collect(),
        tables: resolved.tables.iter().map(|table| entry(sources, table)).collect(),
        plots: resolved.plots.iter().map(|plot| entry(sources, plot)).collect(),
        claims: resolved
            .claims
            .iter()
            .map(|claim| Claim {
                name: claim.name.clone(),
                text: claim.text.clone(),
                place: Some(place(sources, claim.span)),
                spec: claim.spec.clone(),
            })
            .collect(),
        expectations: loaded
            .program
            .expects
            .iter()
            .zip(&resolved.expects)
            .map(|(expect, (holds, detail))| Expectation {
                text: expect.text.clone(),
                place: Some(place(sources, expect.span)),
                gate: match holds {
                    Some(true) => Gate::Met,
                    Some(false) => Gate::Failed,
                    None => Gate::Unknown,
                },
                detail: detail.clone(),
            })
            .collect(),
        smoke: loaded.smoke.as_ref().map(|_| smoke::MEANINGLESS),
        warnings: if let Some(omissions) = &loaded.smoke {
            vec![smoke::warning(omissions)]
        } else {
            let mut found = warnings::stated(&loaded.program.warnings, sources);
            found.extend(warnings::warnings(&loaded.program.graph, outcome, store));
            found
        },
        stages: stages(loaded, plan, outcome),
        provenance: provenance(loaded),
    }
}

fn entry<T: Clone>(sources: &Sources, output: &Output<T>) -> Entry<T> {
    let place = Some(place(sources, output.span));
    Entry { name: output.name.clone(), docs: output.docs.clone(), place, spec: output.spec.clone() }
}

fn place(sources: &Sources, span: Span) -> Place {
    let file = sources.get(span.file);
    Place { file: file.name.to_string(), line: file.line_column(span.start).0 }
}

/// What became of each stage of the plan.
fn stages(loaded: &Loaded, plan: &Plan, outcome: &Report) -> Vec<Stage> {
    let sources = &loaded.typed.linked.sources;
    plan.stages
        .iter()
        .map(|stage| {
            let node = loaded.program.graph.node(stage.id);
            let record = outcome.records.get(&stage.id);
            Stage {
                name: stage.name.clone(),
                op: stage.op.to_owned(),
                key: stage.key.to_string(),
                status: status(stage.id, stage.status, outcome),
                seconds: record.map(|record| record.run.seconds),
                place: node.origins.first().map(|origin| place(sources, origin.span)),
                message: message(loaded, stage.id, outcome),
            }
        })
        .collect()
}

/// What became of one stage.
pub(super) fn status(id: NodeId, planned: Status, outcome: &Report) -> StageStatus {
    if outcome.failed.contains_key(&id) {
        StageStatus::Failed
    } else if outcome.blocked.contains_key(&id) {
        StageStatus::Blocked
    } else if outcome.unneeded.contains(&id) {
        StageStatus::Unneeded
    } else if outcome.finished.contains(&id) {
        StageStatus::Done
    } else if planned == Status::Cached {
        StageStatus::Cached
    } else {
        StageStatus::NotRun
    }
}

fn message(loaded: &Loaded, id: NodeId, outcome: &Report) -> Option<String> {
    let failed = outcome.failed.get(&id).map(|problem| problem.message.clone());
    failed.or_else(|| {
        let by = outcome.blocked.get(&id)?;
        Some(format!("waits for `{}`", loaded.program.graph.node(*by).facts.name))
    })
}

/// Digests of the data and versions of the stages.
fn provenance(loaded: &Loaded) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut note = |entry: (String, String)| {
        if !found.contains(&entry) {
            found.push(entry);
        }
    };
    for (_, node) in loaded.program.graph.iter() {
        for (name, digest) in &node.data {
            let digest = digest.as_deref().map_or("not on this machine", |digest| digest.get(..16).unwrap_or(digest));
            note((format!("data {name}"), digest.to_owned()));
        }
    }
    for (_, node) in loaded.program.graph.iter() {
        note((format!("stage {}", node.op), format!("version {}", node.version)));
    }
    found
}

/// The name of a status as `run.yaml` writes it.
pub(super) fn word(status: StageStatus) -> &'static str {
    match status {
        StageStatus::Cached => "cached",
        StageStatus::Done => "done",
        StageStatus::Failed => "failed",
        StageStatus::Blocked => "blocked",
        StageStatus::NotRun => "not run",
        StageStatus::Unneeded => "not needed",
    }
}

//! `pdsl plan FILE`: what a run would do.

use std::collections::HashMap;

use super::forecast::MaxOptions;
use super::output::{self, Output};
use super::place::refused;
use super::program::{Loaded, ProgramOptions};
use super::{Ended, Exit, figures, forecast, listing, smoke};
use crate::diag::Severity;
use crate::exec;
use crate::ops::run::{self, Demand};
use crate::plan::{self, Status};
use crate::store::Store;
use crate::world::World;

/// List every stage of a program: cached, to run, or resuming; with epochs, operations and bytes.
#[derive(Debug, clap::Args)]
pub(super) struct Plan {
    #[command(flatten)]
    program: ProgramOptions,
    /// List every stage by itself, however many there are.
    #[arg(long)]
    all: bool,
    /// Plan small trials of all stages instead, as `pdsl run --smoke` runs them.
    #[arg(long)]
    smoke: bool,
    #[command(flatten)]
    max: MaxOptions,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Plan {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let mut loaded = self.program.load(world, output)?;
        if self.smoke {
            loaded.try_out();
        }
        let store = Store::existing(&loaded.store).map_err(refused)?;
        let mut plan = plan::against(&loaded.program.graph, &loaded.program.demands(), store.as_ref());
        for complaint in std::mem::take(&mut plan.complaints) {
            output.diagnostics(&[exec::store_diagnostic(complaint, Severity::Warning)], &loaded.typed.linked.sources);
        }
        output.diagnostics(&loaded.unusable_data(&plan), &loaded.typed.linked.sources);
        self.max.enforce(&loaded, &plan, store.as_ref())?;
        let prediction = loaded.predict(&plan, store.as_ref());
        let prospects = if self.smoke { Vec::new() } else { loaded.prospects(&plan) };
        if self.json {
            output::data(&output::json(&Foreseen {
                plan: &plan,
                time: forecast::time_json(&prediction, &plan),
                claims: forecast::power_json(&prospects),
            })?)?;
            return Ok(Exit::Done);
        }
        let mut text = listing::text(output, &loaded.program.graph, &plan, &prediction, self.all);
        let absent = loaded.absent_data(&plan);
        if !absent.is_empty() {
            text += &format!("not on this machine: the data {}\n", absent.join(", "));
        }
        text += &memory(&loaded, &plan);
        text += &forecast::time(&prediction, &plan, &loaded.device);
        text += &forecast::power(&prospects);
        if let Some(omissions) = &loaded.smoke {
            text += &smoke::told(omissions);
        } else if plan.totals.cached > 0 && plan.totals.run > 0 {
            text += &format!("`pdsl why {}` says why stages run again\n", self.program.file.display());
        }
        output::data(&text)?;
        Ok(Exit::Done)
    }
}

/// A plan with what it foretells, for scripts.
#[derive(serde::Serialize)]
struct Foreseen<'a> {
    #[serde(flatten)]
    plan: &'a plan::Plan,
    time: serde_json::Value,
    claims: serde_json::Value,
}

/// Says which stage that is still to run takes the most memory.
fn memory(loaded: &Loaded, plan: &plan::Plan) -> String {
    let due = plan.stages.iter().filter(|stage| stage.status != Status::Cached);
    // Stages of a sweep differ in little that takes memory.
    let mut known: HashMap<Demand, Option<u64>> = HashMap::new();
    let needs = due.filter_map(|stage| {
        let demand = run::demand(stage.op, &loaded.program.graph.node(stage.id).args)?;
        let measure = |demand: &Demand| run::peak_bytes(demand, &loaded.device, loaded.recompute).ok();
        let bytes = match known.get(&demand) {
            Some(bytes) => *bytes,
            None => *known.entry(demand.clone()).or_insert_with(|| measure(&demand)),
        };
        Some((bytes?, &stage.name))
    });
    needs.max_by_key(|(bytes, _)| *bytes).map_or_else(String::new, |(bytes, name)| {
        format!("memory   {} for the largest stage ({name}) on {}\n", figures::bytes(bytes), loaded.device)
    })
}

//! `pdsl plan FILE`: what a run would do.

use std::collections::HashMap;

use super::output::{self, Output};
use super::place::refused;
use super::program::{Loaded, ProgramOptions};
use super::{Ended, Exit, figures, listing};
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
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Plan {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let loaded = self.program.load(world, output)?;
        let store = Store::existing(&loaded.store).map_err(refused)?;
        let mut plan = plan::against(&loaded.program.graph, &loaded.program.demands(), store.as_ref());
        for complaint in std::mem::take(&mut plan.complaints) {
            output.diagnostics(&[exec::store_diagnostic(complaint, Severity::Warning)], &loaded.typed.linked.sources);
        }
        output.diagnostics(&loaded.unusable_data(&plan), &loaded.typed.linked.sources);
        if self.json {
            output::data(&output::json(&plan)?)?;
            return Ok(Exit::Done);
        }
        let mut text = listing::text(output, &loaded.program.graph, &plan, self.all);
        let absent = loaded.absent_data(&plan);
        if !absent.is_empty() {
            text += &format!("not on this machine: the data {}\n", absent.join(", "));
        }
        text += &memory(&loaded, &plan);
        output::data(&text)?;
        Ok(Exit::Done)
    }
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

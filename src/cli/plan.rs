//! `pdsl plan FILE`: what a run would do.

use super::output::{self, Output};
use super::place::refused;
use super::program::{ProgramOptions, missing_data};
use super::{Ended, Exit, listing};
use crate::diag::Severity;
use crate::exec;
use crate::plan;
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
        let wanted: Vec<_> = loaded.program.wanted().into_iter().collect();
        let mut plan = plan::against(&loaded.program.graph, &wanted, store.as_ref());
        for complaint in std::mem::take(&mut plan.complaints) {
            output.diagnostics(&[exec::store_diagnostic(complaint, Severity::Warning)], &loaded.typed.linked.sources);
        }
        if self.json {
            output::data(&output::json(&plan)?)?;
            return Ok(Exit::Done);
        }
        let mut text = listing::text(output, &loaded.program.graph, &plan, self.all);
        let missing: Vec<_> = missing_data(&loaded.program, &plan).into_iter().map(|(name, _)| name).collect();
        if !missing.is_empty() {
            text += &format!("not on this machine: the data {}\n", missing.join(", "));
        }
        output::data(&text)?;
        Ok(Exit::Done)
    }
}

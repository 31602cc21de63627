//! `pdsl graph FILE`: a picture of the stages.

use std::path::PathBuf;

use super::output::{self, Output};
use super::place;
use super::program::ProgramOptions;
use super::{Ended, Exit};
use crate::graph::export::{self, Picture};
use crate::world::World;

/// More stages than this are folded.
const FOLD_ABOVE: usize = 60;

/// Draw the stages of a program.
#[derive(Debug, clap::Args)]
pub(super) struct Draw {
    #[command(flatten)]
    program: ProgramOptions,
    /// Format of the picture.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// File to write instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw every stage by itself, however many there are.
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Format {
    /// A picture for browsers.
    #[default]
    Svg,
    /// Graphviz.
    Dot,
    /// A flowchart for Markdown.
    Mermaid,
    /// For programs.
    Json,
}

impl Draw {
    pub(super) fn run(&self, world: &dyn World, output: Output) -> Ended {
        let graph = self.program.load(world, output)?.program.graph;
        let folded = !self.all && graph.len() > FOLD_ABOVE;
        let picture = if folded { Picture::folded(&graph) } else { Picture::of(&graph) };
        let text = match self.format {
            Format::Svg => export::svg(&picture),
            Format::Dot => export::dot(&picture),
            Format::Mermaid => export::mermaid(&picture),
            Format::Json => export::json(&picture),
        };
        match &self.output {
            None => output::data(&text)?,
            Some(path) => place::write(path, text.as_bytes())?,
        }
        if folded {
            let (shapes, stages) = (picture.shapes.len(), graph.len());
            output::note(&format!("{stages} stages are drawn as {shapes}; `--all` draws each by itself"));
        }
        Ok(Exit::Done)
    }
}

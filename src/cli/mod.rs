//! The command line: one file per command.
//!
//! Results go to standard output, progress and logs to standard error. A command returns how it ended as an [`Exit`];
//! what it cannot do it returns as a `Failure`, which is rendered here and nowhere else.

mod check;
mod completions;
mod contents;
mod data;
mod device;
mod diff;
mod doc;
mod execute;
mod explain;
mod export;
pub(crate) mod figures;
mod fmt;
mod forecast;
mod graph;
mod listing;
mod locate;
mod lsp;
mod network;
mod output;
mod place;
mod plan;
mod program;
mod progress;
mod repl;
mod run;
mod show;
mod smoke;
mod sparsity;
mod store;
mod test;
mod warnings;
mod why;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::diag::Diagnostic;
use crate::exec;
use crate::source::Sources;
use crate::world::{Machine, World};
use output::{Closed, Color, Output};

/// A language for experiments on pruned neural networks.
#[derive(Debug, Parser)]
#[command(name = "pdsl", version, disable_help_subcommand = true, max_term_width = 100)]
struct Arguments {
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Plan(plan::Plan),
    Why(why::Why),
    Diff(diff::Compare),
    Check(check::Check),
    Test(test::Test),
    Fmt(fmt::Format),
    Graph(graph::Draw),
    Show(show::Show),
    Export(export::Export),
    Store(store::StoreCommand),
    Data(data::DataCommand),
    Explain(explain::Explain),
    Doc(doc::Doc),
    Repl(repl::Repl),
    Lsp(lsp::LanguageServer),
    Completions(completions::Completions),
    /// Compute one stage for another pdsl.
    #[command(hide = true)]
    Worker,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything was done.
    Done,
    /// A stage or an `expect` failed, or results could not be written.
    Failed,
    /// The file or the arguments are wrong.
    Invalid,
    /// A claim was refuted under `--require-claims`.
    Refuted,
    /// Stopped by a signal; what was reached is saved.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Invalid => 2,
            Exit::Refuted => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// Why a command could not be carried out.
#[derive(Debug)]
enum Failure {
    /// Something to tell the user.
    Told {
        /// The texts that the diagnostics point into.
        sources: Sources,
        /// What is wrong.
        diagnostics: Vec<Diagnostic>,
        /// How the process ends.
        exit: Exit,
    },
    /// Standard output took no more.
    Closed(Closed),
}

impl Failure {
    /// Wraps diagnostics about the file or the arguments.
    fn invalid(sources: Sources, diagnostics: Vec<Diagnostic>) -> Self {
        Self::Told { sources, diagnostics, exit: Exit::Invalid }
    }

    /// Wraps a diagnostic about something outside every file.
    fn outside(diagnostic: Diagnostic, exit: Exit) -> Self {
        Self::Told { sources: Sources::default(), diagnostics: vec![diagnostic], exit }
    }
}

impl From<Closed> for Failure {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

/// What a command returns.
type Ended = Result<Exit, Failure>;

/// Runs the command that the arguments name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let world = Machine;
    confess();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = match Arguments::try_parse_from(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&world, &error, &arguments).into(),
    };
    let output = Output::new(&world, parsed.color);
    let ended = match parsed.command {
        Command::Worker => return exec::worker::main(),
        Command::Run(command) => command.run(&world, output),
        Command::Plan(command) => command.run(&world, output),
        Command::Why(command) => command.run(&world, output),
        Command::Diff(command) => command.run(&world, output),
        Command::Graph(command) => command.run(&world, output),
        Command::Check(command) => command.run(&world, output),
        Command::Test(command) => command.run(&world, output),
        Command::Doc(command) => command.run(&world, output),
        Command::Repl(command) => command.run(&world, output),
        Command::Fmt(command) => command.run(&world, output),
        Command::Show(command) => command.run(&world, output),
        Command::Export(command) => command.run(&world),
        Command::Data(command) => command.run(&world),
        Command::Store(command) => command.run(&world),
        Command::Explain(command) => command.run(),
        Command::Lsp(command) => Ok(command.run(&world)),
        Command::Completions(command) => command.run(),
    };
    ended.unwrap_or_else(|failure| tell(output, &failure)).into()
}

/// Says of a panic what it is: a bug in pdsl, not a mistake of its user.
fn confess() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        output::note(concat!(
            "\nThis is a bug in pdsl ",
            env!("CARGO_PKG_VERSION"),
            ", not in your program. What was stored is safe.\nPlease report it with the lines above and the command."
        ));
    }));
}

/// Prints what clap has to say: help and version are results, everything else is a mistake in the arguments. The help
/// of a command on a program ends with the program's parameters.
fn usage(world: &dyn World, error: &clap::Error, arguments: &[OsString]) -> Exit {
    let _ = error.print();
    if error.kind() == clap::error::ErrorKind::DisplayHelp {
        let named = arguments.iter().skip(2).map(Path::new).find(|path| path.extension().is_some_and(|e| e == "pd"));
        if let Some((path, typed)) = named.and_then(|path| Some((path, program::check(world, path).ok()?))) {
            let params = program::describe_params(&typed.linked);
            let _ = output::data(&format!("\nParameters of {}:\n{params}", path.display()));
        }
    }
    if error.use_stderr() { Exit::Invalid } else { Exit::Done }
}

fn tell(output: Output, failure: &Failure) -> Exit {
    match failure {
        Failure::Told { sources, diagnostics, exit } => {
            output.diagnostics(diagnostics, sources);
            *exit
        }
        Failure::Closed(Closed::Reader) => Exit::Done,
        Failure::Closed(Closed::Failed(error)) => {
            output::note(&format!("error: standard output cannot be written: {error}"));
            Exit::Failed
        }
    }
}

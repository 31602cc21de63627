//! The real binary, as a user or a script sees it.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bad_input;
mod commands;
mod data;
mod reference;
mod weights;
mod why;

use std::path::Path;
use std::process::{Command, Output};

/// A program that is quick to run: nothing is trained.
const SMALL: &str = r#"import std.data.{digits}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude}
import std.stats.{not_worse}

/// Share of the weights that goes.
param rate: Ratio = 20%

let task = digits()
let runs = sweep seed in seeds(2) {
  let dense = tiny_resnet(classes: task.classes) |> init(seed)
  for s in [dense, dense |> prune(global_magnitude(rate))] {
    { round: s.round, sparsity: s.sparsity, top1: evaluate(s, task.test).top1 }
  }
}

table levels = runs |> summary(by: [.round], over: .seed, show: [mean])
plot curve = line(runs, x: .sparsity, y: .top1)
claim same "Chance is chance"
  = not_worse(runs.at(round: 1).top1, than: runs.at(round: 0).top1, margin: 90pp, over: .seed)
"#;

fn here() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A directory with a program called `small.pd`.
fn program(text: &str) -> tempfile::TempDir {
    let home = here();
    std::fs::write(home.path().join("small.pd"), text).unwrap();
    home
}

/// Runs a command that must succeed, and returns its standard output.
#[track_caller]
fn succeeds(directory: &Path, arguments: &[&str]) -> String {
    let output = pdsl(directory, arguments);
    assert_eq!(exit(&output), 0, "{arguments:?}\n{}{}", out(&output), err(&output));
    out(&output)
}

/// Starts `pdsl` in a directory, with an environment that says nothing.
fn pdsl(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().unwrap()
}

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pdsl"));
    command
        .current_dir(directory)
        .args(arguments)
        .env_remove("PDSL_STORE")
        .env("PDSL_DEVICE", "cpu")
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1");
    command
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn exit(output: &Output) -> i32 {
    output.status.code().unwrap()
}

//! Every example of the catalogue of diagnostics: the wrong one gives its code first, the right one gives nothing.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::process::Command;

use pdsl::diag::{Code, Diagnostic, codes, render};
use pdsl::eval::{self, External, Fingerprints, Overrides, Weights};
use pdsl::resolve::{self, library};
use pdsl::syntax::words;
use pdsl::types;
use pdsl::world::Machine;

/// Examples that no test can carry out in passing, and why.
const EXCUSED: [(&str, &str); 26] = [
    ("PD0101", "needs the file that it imports"),
    ("PD0103", "shows two files"),
    ("PD0106", "shows a file that another imports"),
    ("PD0329", "needs the file of weights"),
    ("PD0110", "needs the file that it imports"),
    ("PD0402", "a command on a store of the user's"),
    ("PD0503", "needs a run"),
    ("PD0507", "needs a run"),
    ("PD0508", "needs a GPU"),
    ("PD0510", "needs a run"),
    ("PD0511", "needs a run"),
    ("PD0601", "needs data on disk"),
    ("PD0603", "needs data on disk"),
    ("PD0605", "needs files of weights"),
    ("PD0606", "needs files of weights"),
    ("PD0607", "needs a run"),
    ("PD0620", "shows Python"),
    ("PD0621", "shows Python"),
    ("PD0702", "needs a file of weights"),
    ("PD0708", "writes outside of the test's directory"),
    ("PD0710", "needs a stage that was run"),
    ("PD0712", "needs a store"),
    ("PD0715", "needs a GPU"),
    ("PD0717", "needs times of earlier runs"),
    ("PD0720", "needs a stage that was run"),
    ("PD0742", "looks at every file below"),
];

/// Definitions that examples take for granted, each by the name it defines.
const GIVEN: [(&str, &str); 11] = [
    ("task", "let task = digits()"),
    ("recipe", "let recipe = sgd(lr: 0.1, momentum: 0.9, batch: 64)"),
    ("seed", "let seed = seeds(1)[0]"),
    ("net", "let net = tiny_resnet(classes: 10)"),
    ("dense", "let dense = tiny_resnet(classes: 10) |> init(seed) |> train(task, recipe, until: 8ep)"),
    ("pruned", "let pruned = dense |> prune(one_shot(50%))"),
    ("a", "let a = dense"),
    ("b", "let b = tiny_resnet(classes: 10, width: 16) |> init(seed) |> train(task, recipe, until: 8ep)"),
    ("probe", "let probe = shapes_probe(size: 16, images: 500)"),
    ("s", "let s = tiny_resnet(classes: 8, channels: 3, size: 16, width: 8) |> init(seed)"),
    (
        "runs",
        "let runs = sweep seed in seeds(3) {\n  let net = tiny_resnet(classes: 10) |> init(seed) |> train(task, recipe, \
         until: 8ep)\n  for state in imp(net, rate: 20%, rounds: 2, rewind: 1ep) {\n    { round: state.round, sparsity: \
         state.sparsity, top1: evaluate(state, task.test).top1 }\n  }\n}",
    ),
];

/// A machine without data and weights.
struct Nothing;

impl Fingerprints for Nothing {
    fn digest(&self, _: External<'_>) -> Option<String> {
        None
    }

    fn weights(&self, _: &str) -> io::Result<Weights> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// The names that an example defines or imports itself.
fn defined(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> = pieces(text).collect();
    let bound = words.windows(2).filter(|pair| ["let", "fn", "param"].contains(&pair[0])).map(|pair| pair[1]);
    let imported = text.lines().filter(|line| line.starts_with("import")).flat_map(pieces);
    bound.chain(imported).map(ToOwned::to_owned).collect()
}

/// The example as a program: with the definitions and imports that it takes for granted.
fn program(code: &Code, example: &str) -> String {
    let first = pieces(example).next().unwrap();
    let whole = words::is_declaration(first) || codes::syntax::ALL.iter().any(|other| other.id == code.id);
    let mut text = if whole { example.to_owned() } else { format!("let example = {example}") };
    let mut own = defined(&text);
    while let Some((name, definition)) =
        GIVEN.iter().find(|(name, _)| !own.contains(*name) && pieces(&text).any(|word| word == *name))
    {
        own.insert((*name).to_owned());
        text = format!("{definition}\n{text}");
    }
    for (module, name) in library::exports() {
        if !own.contains(name) && pieces(&text).any(|word| word == name) {
            text = format!("import std.{module}.{{{name}}}\n{text}");
        }
    }
    text + "\n"
}

fn said(text: &str) -> (Vec<Diagnostic>, String) {
    let mut typed = types::check(resolve::link_text(&Machine, "example.pd", text));
    if typed.is_sound() {
        match eval::evaluate(&typed, &Overrides::default(), &Nothing) {
            Ok(program) => {
                let failures = program.tests.iter().flat_map(|test| &test.failures);
                let failed = |found: &eval::program::Failure| {
                    Diagnostic::error(&codes::invocation::TEST_FAILED, "a test does not hold").label(found.span, "")
                };
                typed.diagnostics.extend(failures.map(failed));
                typed.diagnostics.extend(program.warnings);
            }
            Err(errors) => typed.diagnostics.extend(errors),
        }
    }
    let shown = render::short(&typed.diagnostics, &typed.linked.sources);
    (typed.diagnostics, shown)
}

/// What `pdsl` says to a command line of an example, run where the experiments are; nothing is ever trained.
fn command(line: &str) -> (String, bool) {
    let home = env!("CARGO_MANIFEST_DIR");
    let arguments = line.split_whitespace().skip(1).map(|word| match word {
        "run" => "plan",
        "experiment.pd" | "quickstart.pd" => "experiments/quickstart.pd",
        other => other,
    });
    let store = std::env::temp_dir().join("pdsl-catalogue");
    let output = Command::new(env!("CARGO_BIN_EXE_pdsl"))
        .args(arguments)
        .current_dir(home)
        .env("PDSL_STORE", store)
        .output()
        .unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.code() != Some(2))
}

/// What `pdsl` says to a profile.
fn profile(text: &str) -> (String, bool) {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("small.pd"), "let a = 1\n").unwrap();
    fs::write(home.path().join("profile.yaml"), text).unwrap();
    let arguments = ["plan", "small.pd", "--profile", "profile.yaml"];
    let output = Command::new(env!("CARGO_BIN_EXE_pdsl")).args(arguments).current_dir(home.path()).output().unwrap();
    (String::from_utf8(output.stderr).unwrap(), output.status.success())
}

#[test]
fn excuses_are_needed() {
    for (id, _) in EXCUSED {
        let code = codes::find(id).unwrap();
        assert!(!code.wrong.is_empty() || !code.right.is_empty(), "{id} has no example and needs no excuse");
    }
}

#[test]
fn every_example_says_what_it_shows() {
    let mut mistakes = String::new();
    for code in codes::all() {
        if code.wrong.is_empty() || EXCUSED.iter().any(|(id, _)| *id == code.id) {
            continue;
        }
        let in_profile = matches!(code.id, "PD0704" | "PD0705" | "PD0706");
        if code.wrong.starts_with("pdsl ") || in_profile {
            let say = |example: &str| if in_profile { profile(example) } else { command(example) };
            let (wrong, _) = say(code.wrong);
            let first = wrong.find("PD0").map(|at| &wrong[at..at + 6]);
            if first != Some(code.id) {
                mistakes += &format!("{}: `{}` says\n{wrong}\n", code.id, code.wrong);
            }
            let (right, good) = say(code.right);
            if !good {
                mistakes += &format!("{}: right: `{}` says\n{right}\n", code.id, code.right);
            }
            continue;
        }
        let wrong = program(code, code.wrong);
        let (found, shown) = said(&wrong);
        if found.first().is_none_or(|found| found.code.id != code.id) {
            mistakes += &format!("{}: wrong:\n{wrong}says\n{shown}\n", code.id);
        }
        let right = program(code, code.right);
        let (found, shown) = said(&right);
        if !found.is_empty() {
            mistakes += &format!("{}: right:\n{right}says\n{shown}\n", code.id);
        }
    }
    assert!(mistakes.is_empty(), "{mistakes}");
}

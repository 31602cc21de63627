use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::interpreter::Interpreter;
use super::*;
use crate::diag::Checked;
use crate::resolve::{self, Linked, library};
use crate::syntax::tree::ItemKind;
use crate::types;
use crate::value::output::{Cell, ClaimSpec, TableSpec};
use crate::world::World;

mod choices;
mod language;
mod stages;

struct Nowhere;

impl World for Nowhere {
    fn read(&self, _: &Path) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    fn canonical(&self, _: &Path) -> std::io::Result<PathBuf> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    fn variable(&self, _: &str) -> Option<String> {
        None
    }
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

struct Known;

impl Fingerprints for Known {
    fn digest(&self, data: External<'_>) -> Option<String> {
        matches!(data.name(), "digits" | "shapes").then(|| format!("digest of {}", data.name()))
    }
    fn weights(&self, file: &str) -> std::io::Result<Weights> {
        match file {
            "here.safetensors" => {
                Ok(Weights { digest: "abc".to_owned(), path: PathBuf::from("/data/here.safetensors") })
            }
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }
}

/// Every declaration that the standard library needs for the programs of these tests.
const IMPORTS: &str = "import std.data.{digits, shapes, shapes_probe, stored, augmented, flip, pad_crop, jitter, normalised, prepared, resized_crop}
import std.dissect.{ablate, bootstrap, dissect, drift, frozen, held_out, lite2018, netdissect, null_test, rotated, score}
import std.math.{clamp, cos, exp, ln, monotone, pi}
import std.models.{tiny_resnet, resnet20, resnet50}
import std.prune.{
  global_magnitude, imp, layer_magnitude, magnitude, nearest, one_shot, protect_concepts, random_mask, reinit,
  rewind_and_retrain, shuffle_mask,
}
import std.schedule.{cosine, cubic}
import std.stats.{differs, equivalent, not_worse}
";

fn typed(text: &str) -> Typed {
    types::check(resolve::link_text(&Nowhere, "test.pd", text))
}

fn run_with(text: &str, settings: &[(&str, &str)]) -> Checked<Program> {
    let mut linked: Linked = resolve::link_text(&Nowhere, "test.pd", text);
    let mut overrides = Overrides::default();
    for (name, value) in settings {
        overrides.add(&mut linked.sources, name, value, None)?;
    }
    let typed = types::check(linked);
    assert!(typed.is_sound(), "{text}\n{:#?}", typed.diagnostics);
    evaluate(&typed, &overrides, &Known)
}

/// Evaluates a program that begins with [`IMPORTS`].
fn run(text: &str) -> Checked<Program> {
    run_with(&format!("{IMPORTS}{text}"), &[])
}

/// Evaluates without the checker's approval, to see that evaluation alone reports what it finds.
fn run_unchecked(text: &str) -> Checked<Program> {
    let typed = typed(&format!("{IMPORTS}{text}"));
    evaluate(&typed, &Overrides::default(), &Known)
}

/// Evaluates expectations as a test and returns those that do not hold.
fn failures(body: &str) -> Vec<String> {
    let program = run(&format!("test \"t\" {{\n{body}\n}}")).unwrap_or_else(|errors| panic!("{body}\n{errors:#?}"));
    program.tests[0].failures.iter().map(|failure| failure.detail.clone()).collect()
}

/// The message and id of the only mistake of a program.
fn mistake(text: &str) -> (String, &'static str) {
    let errors = run_unchecked(text).expect_err(text);
    assert_eq!(errors.len(), 1, "{errors:#?}");
    (errors[0].message.clone(), errors[0].code.id)
}

fn experiment(name: &str) -> Program {
    let path = format!("{}/experiments/{name}.pd", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    run_with(&text, &[]).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"))
}

fn count(program: &Program, op: &str) -> usize {
    program.graph.iter().filter(|(_, node)| node.op == op).count()
}

#[test]
fn the_library_and_the_interpreter_agree_on_what_is_built_in() {
    let linked = resolve::link_text(&Nowhere, "all.pd", &all_modules());
    let mut declared: Vec<String> = Vec::new();
    let mut values: Vec<String> = Vec::new();
    for module in &linked.modules {
        for item in &module.file.items {
            match &item.kind {
                ItemKind::Function(function) if function.body.is_none() => {
                    declared.push(function.name.text.to_string());
                }
                ItemKind::Binding(binding) if binding.builtin => {
                    values.extend(binding.pattern.names().iter().map(|name| name.text.to_string()));
                }
                _ => {}
            }
        }
    }
    let mut built: Vec<String> = builtins::FUNCTIONS.iter().map(|(name, _)| (*name).to_owned()).collect();
    built.extend(crate::ops::stages::ALL.iter().map(|op| op.name.to_owned()));
    declared.sort();
    built.sort();
    assert_eq!(declared, built);
    let mut constants = builtins::CONSTANTS.map(str::to_owned).to_vec();
    values.sort();
    constants.sort();
    assert_eq!(values, constants);
    assert!(constants.iter().all(|name| builtins::constant(name).is_some()));
}

fn all_modules() -> String {
    let names = library::MODULES.iter().map(|(name, _)| *name).filter(|name| *name != library::PRELUDE);
    names.map(|name| format!("import std.{name} as the_{name}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tests_of_the_library_pass() {
    let typed = typed(&all_modules());
    let overrides = Overrides::default();
    let mut vm = Interpreter::new(&typed, &overrides, &Known);
    let mut seen = 0;
    for module in typed.linked.module_ids() {
        for item in &typed.linked.module(module).file.items {
            if let ItemKind::Test(test) = &item.kind {
                let failed = vm.test(module, test).unwrap_or_else(|stop| panic!("{}: {stop:?}", test.name));
                assert!(failed.is_empty(), "{}: {failed:?}", test.name);
                seen += 1;
            }
        }
    }
    assert!(seen >= 4, "only {seen}");
    assert!(vm.diagnostics.is_empty(), "{:?}", vm.diagnostics);
}

#[test]
fn the_quickstart_becomes_a_graph() {
    let program = experiment("quickstart");
    // 3 seeds × (12 + 5 rounds + both dense networks + 1 epoch of each) trainings.
    assert_eq!(count(&program, "train"), 3 * (12 + 2 + 5 + 2));
    assert_eq!(count(&program, "evaluate"), 3 * (13 + 6));
    assert_eq!(count(&program, "dissect"), 3 * (6 + 1));
    assert_eq!((program.tables.len(), program.plots.len(), program.claims.len()), (3, 5, 3));
    assert_eq!(program.expects.len(), 1);
    let wanted = program.demands().all();
    assert_eq!(wanted.len(), 3 * (13 + 6 + 7) + 1, "what is measured, and a gallery");
    let resolved = program.resolve(&|_, name| Some(if name == "top1" { 0.95 } else { 7.0 }));
    assert_eq!(resolved.expects[0], (Some(true), "95% >= 90%".to_owned()));
    assert_eq!(program.resolve(&|_, _| None).expects[0].0, None);
    let names: Vec<_> = program.graph.iter().map(|(_, node)| node.facts.name.clone()).collect();
    assert!(names.contains(&"train round 3 · seed 2".to_owned()), "{names:?}");
}

#[test]
fn the_schedule_experiment_becomes_a_graph() {
    let program = experiment("my_schedule");
    assert!(program.tests_pass(), "{:?}", program.tests);
    // The dense networks of both rules are the same stages.
    assert_eq!(count(&program, "init"), 3);
    assert_eq!(count(&program, "train"), 3 * (2 + 2 * 4));
    assert_eq!(count(&program, "prune"), 3 * 2 * 4);
}

#[test]
fn the_paper_becomes_a_graph() {
    let program = experiment("dissecting_pruned");
    // Per seed: dense and its first 6 epochs, 14 levels, 14 random masks, 14 fresh starts.
    assert_eq!(count(&program, "train"), 3 * (2 + 14 + 14 + 14));
    let node = program.graph.iter().find(|(_, node)| node.op == "init").map(|(_, node)| node.clone()).unwrap();
    let fact = |name: &str| serde_json::to_value(&node.facts.more[name]).unwrap();
    assert_eq!(fact("parameters"), 25_557_032);
    assert_eq!(fact("prunable"), 25_502_912);
    assert_eq!(fact("macs"), 4_089_184_256_u64);
    let epochs: f64 = program.graph.iter().filter_map(|(_, node)| node.facts.epochs).sum();
    assert!((epochs - 3.0 * (96.0 + 28.0 * 84.0 + 14.0 * 90.0)).abs() < 1e-6, "{epochs}");
    assert!(program.graph.iter().all(|(_, node)| node.data.values().all(Option::is_none)));
}

fn sample_height(spec: &ClaimSpec<Cell>) -> (usize, usize) {
    (spec.sample.height(), spec.reference.height())
}

#[test]
fn claims_of_the_paper_compare_levels_with_the_dense_networks() {
    let program = experiment("dissecting_pruned");
    let resolved = program.resolve(&|_, _| Some(1.0));
    // Ten levels lie above 0 % and up to 90 %.
    assert_eq!(sample_height(&resolved.claims[0].spec), (30, 3));
    let TableSpec::Summary { rows, .. } = &resolved.tables[0].spec else { panic!("not a summary") };
    assert_eq!(rows.height(), 3 * (15 + 14 + 14 + 1));
}

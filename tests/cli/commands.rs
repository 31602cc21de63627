//! What each command prints.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::{SMALL, command, err, exit, here, out, pdsl, program, succeeds};

#[test]
fn help_lists_every_command() {
    insta::assert_snapshot!(out(&pdsl(here().path(), &["--help"])));
}

#[test]
fn the_help_of_a_command_lists_the_parameters_of_the_program() {
    let home = program(SMALL);
    let text = succeeds(home.path(), &["run", "small.pd", "--help"]);
    assert!(text.contains("rate: Ratio") && text.contains("--require-claims"), "{text}");
}

#[test]
fn explain_prints_the_catalogue_entry() {
    insta::assert_snapshot!(succeeds(here().path(), &["explain", "pd0703"]));
}

#[test]
fn explain_lists_every_code_once() {
    let text = succeeds(here().path(), &["explain"]);
    let mut codes: Vec<&str> = text.lines().map(|line| &line[..6]).collect();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count);
    assert!(codes.contains(&"PD0701"), "{text}");
}

#[test]
fn completions_exist_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(succeeds(here().path(), &["completions", shell]).contains("pdsl"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = program(SMALL);
    for arguments in [["completions", "zsh"], ["plan", "small.pd"]] {
        let mut command = command(home.path(), &arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((exit(&output), err(&output)), (0, String::new()));
    }
}

#[test]
fn check_writes_its_messages_in_four_forms() {
    let home = program("let until = 160epochs\nlet a = 50%, b = 3\n");
    let check = |format: &str| {
        let output = pdsl(home.path(), &["check", "small.pd", "--format", format]);
        assert_eq!(exit(&output), 2);
        (out(&output), err(&output))
    };
    let (nothing, full) = check("full");
    assert!(nothing.is_empty() && full.contains("`epochs` is not a unit") && full.contains("2 errors"), "{full}");
    let (short, nothing) = check("short");
    assert!(nothing.is_empty() && short.starts_with("small.pd:1:13: error[PD0007]: `epochs` is not a unit"), "{short}");
    let (github, nothing) = check("github");
    let first =
        "::error file=small.pd,line=1,endLine=1,col=13,endColumn=21,title=PD0007::`epochs` is not a unit%0Ahelp: ";
    assert!(nothing.is_empty() && github.starts_with(first) && github.lines().count() == 2, "{github}");
    let (json, nothing) = check("json");
    let messages: Value = serde_json::from_str(&json).unwrap();
    assert!(nothing.is_empty() && messages[0]["code"] == "PD0007", "{json}");
    assert_eq!(json, out(&pdsl(home.path(), &["check", "small.pd", "--json"])));
    assert_eq!(exit(&pdsl(home.path(), &["check", "small.pd", "--json", "--format", "short"])), 2);
}

#[test]
fn check_is_silent_about_a_sound_program() {
    let home = program(SMALL);
    let output = pdsl(home.path(), &["check", "small.pd"]);
    assert_eq!((exit(&output), out(&output), err(&output)), (0, String::new(), String::new()));
}

#[test]
fn check_reports_every_mistake_and_lists_parameters() {
    let home = program("let a = 20% + 1\nparam n: Int = \"x\"\n");
    let output = pdsl(home.path(), &["check", "small.pd"]);
    assert_eq!(exit(&output), 2);
    insta::assert_snapshot!(err(&output));
    let list: Value = serde_json::from_str(&out(&pdsl(home.path(), &["check", "small.pd", "--json"]))).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 2);
    let home = program(SMALL);
    insta::assert_snapshot!(succeeds(home.path(), &["check", "small.pd", "--params"]));
}

#[test]
fn check_runs_the_tests_of_a_program() {
    let home = program("test \"halves\" {\n  expect 0.5 * 1.0 == 0.4\n}\n");
    let output = pdsl(home.path(), &["check", "small.pd"]);
    assert!(exit(&output) == 2 && err(&output).contains("PD0713"), "{}", err(&output));
}

#[test]
fn formatting_is_stable_and_keeps_what_is_formatted() {
    let home = program("let   a=1+2 // sum\n");
    assert_eq!(exit(&pdsl(home.path(), &["fmt", "--check", "small.pd"])), 1);
    succeeds(home.path(), &["fmt", "small.pd"]);
    assert_eq!(fs::read_to_string(home.path().join("small.pd")).unwrap(), "let a = 1 + 2 // sum\n");
    succeeds(home.path(), &["fmt", "--check", "small.pd"]);
}

/// Writes dots for keys, which change with the versions of stages.
fn without_keys(text: &str) -> String {
    let is_key = |word: &str| word.len() == 12 && word.chars().all(|c| c.is_ascii_hexdigit());
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        if is_key(word.trim_end()) { word.replace(|c: char| c.is_ascii_hexdigit(), ".") } else { word.to_owned() }
    });
    words.collect()
}

#[test]
fn plan_lists_stages_and_sums() {
    let home = program(SMALL);
    insta::assert_snapshot!(without_keys(&succeeds(home.path(), &["plan", "small.pd"])));
    assert!(!home.path().join(".pdsl").exists(), "a plan makes no store");
}

#[test]
fn plan_counts_a_resnet50() {
    let home = program(
        "import std.data.{imagenet}\nimport std.models.{resnet50}\nlet task = imagenet()\n\
         let runs = sweep seed in seeds(1) {\n  { top1: evaluate(resnet50(classes: task.classes) |> init(seed), task.val).top1 }\n}\n\
         table t = runs\n",
    );
    let text = succeeds(home.path(), &["plan", "small.pd"]);
    assert!(text.contains("25 557 032 parameters, 25 502 912 prunable, 4 089 184 256 MACs"), "{text}");
    assert!(text.contains("not on this machine: the data imagenet"), "{text}");
}

#[test]
fn plan_has_json_for_scripts() {
    let home = program(SMALL);
    let plan: Value = serde_json::from_str(&succeeds(home.path(), &["plan", "small.pd", "--json"])).unwrap();
    assert_eq!(plan["totals"]["stages"], 8);
    for name in ["cached", "run", "trainings", "epochs", "bytes"] {
        assert!(plan["totals"][name].is_number(), "{name}");
    }
    for stage in plan["stages"].as_array().unwrap() {
        assert_eq!((stage["status"].as_str(), stage["key"].as_str().unwrap().len()), (Some("run"), 64));
        assert!(stage["facts"].is_object() && stage["op"].is_string() && stage["name"].is_string());
    }
}

#[test]
fn large_plans_and_graphs_are_folded() {
    let home = program(&SMALL.replace("seeds(2)", "seeds(20)"));
    let text = succeeds(home.path(), &["plan", "small.pd"]);
    assert!(text.lines().count() < 15 && text.contains("× 20"), "{text}");
    assert!(succeeds(home.path(), &["plan", "small.pd", "--all"]).lines().count() > 80);
    let dot = succeeds(home.path(), &["graph", "small.pd", "--format", "dot"]);
    assert!(dot.lines().count() < 20 && dot.contains("× 20"), "{dot}");
}

#[test]
fn graph_draws_in_every_format() {
    let home = program(SMALL);
    for (format, mark) in [("svg", "<svg"), ("dot", "digraph"), ("mermaid", "flowchart"), ("json", "\"shapes\"")] {
        let text = succeeds(home.path(), &["graph", "small.pd", "--format", format]);
        assert!(text.contains(mark) && text.contains("prune"), "{format}: {text}");
    }
    succeeds(home.path(), &["graph", "small.pd", "-o", "stages.svg"]);
    assert!(home.path().join("stages.svg").exists());
}

/// The number of stages that a plan would run.
fn to_run(directory: &Path, more: &[&str]) -> u64 {
    let arguments: Vec<&str> = ["plan", "small.pd", "--json"].iter().chain(more).copied().collect();
    let plan: Value = serde_json::from_str(&succeeds(directory, &arguments)).unwrap();
    plan["totals"]["run"].as_u64().unwrap()
}

#[test]
fn a_run_writes_its_results_and_a_second_one_computes_nothing() {
    let home = program(SMALL);
    let text = succeeds(home.path(), &["run", "small.pd"]);
    assert!(text.contains("supported  same") && text.contains("8 stages: 0 cached, 8 run"), "{text}");
    let results = home.path().join("results/small");
    for file in ["tables/levels.csv", "claims.json", "report.html", "run.yaml", "events.jsonl", "plots/curve.svg"] {
        assert!(results.join(file).exists(), "{file}");
    }
    let claims: Value = serde_json::from_str(&fs::read_to_string(results.join("claims.json")).unwrap()).unwrap();
    assert_eq!(claims[0]["verdict"], "supported");
    let table = fs::read(results.join("tables/levels.csv")).unwrap();

    assert_eq!(to_run(home.path(), &[]), 0);
    let again: Value = serde_json::from_str(&succeeds(home.path(), &["run", "small.pd", "--json"])).unwrap();
    assert_eq!((&again["stages"]["cached"], &again["stages"]["run"]), (&Value::from(8), &Value::from(0)));
    assert_eq!(fs::read(results.join("tables/levels.csv")).unwrap(), table);
}

#[test]
fn only_what_means_something_reruns() {
    let home = program(SMALL);
    succeeds(home.path(), &["run", "small.pd"]);
    let write = |text: &str| fs::write(home.path().join("small.pd"), text).unwrap();
    write(&format!("// a remark\n{}", SMALL.replace("dense", "whole")));
    assert_eq!(to_run(home.path(), &[]), 0, "a comment and a new name");
    assert_eq!(to_run(home.path(), &["--set", "rate=20.0%"]), 0, "the same value");
    assert_eq!(to_run(home.path(), &["--set", "rate=30%"]), 4, "two prunings and what measures them");
}

#[test]
fn the_store_can_be_looked_at_checked_and_tidied() {
    let home = program(SMALL);
    succeeds(home.path(), &["run", "small.pd"]);
    let list = succeeds(home.path(), &["store", "ls"]);
    assert!(list.contains("prune") && list.contains("8 results"), "{list}");
    let entries: Value = serde_json::from_str(&succeeds(home.path(), &["store", "ls", "--json"])).unwrap();
    let find = |op: &str| entries.as_array().unwrap().iter().find(|entry| entry["op"] == op).unwrap().clone();
    let key = find("prune")["key"].as_str().unwrap()[..10].to_owned();
    let shown = succeeds(home.path(), &["show", &key]);
    assert!(shown.contains("mask") && shown.contains("weights") && shown.contains("arguments"), "{shown}");
    succeeds(home.path(), &["export", &key, "-o", "net.safetensors"]);
    assert!(fs::read(home.path().join("net.safetensors")).unwrap().len() > 10_000);
    let evaluation = find("evaluate")["key"].as_str().unwrap().to_owned();
    assert_eq!(exit(&pdsl(home.path(), &["export", &evaluation, "-o", "no.safetensors"])), 2);
    assert!(succeeds(home.path(), &["store", "verify"]).contains("0 problems"));
    let tidied = succeeds(home.path(), &["store", "gc", "--keep", "0s"]);
    assert!(tidied.contains("8 results kept"), "{tidied}");
    assert_eq!(to_run(home.path(), &[]), 0);
    succeeds(home.path(), &["run", "small.pd", "--set", "rate=60%"]);
    let dry = succeeds(home.path(), &["store", "gc", "--keep", "0s", "--dry-run"]);
    assert!(dry.contains("would be removed") && dry.contains("prune"), "{dry}");
}

#[test]
fn the_store_is_where_the_user_says() {
    let home = program(SMALL);
    succeeds(home.path(), &["run", "small.pd", "--store", "elsewhere"]);
    assert!(home.path().join("elsewhere/store.yaml").exists() && !home.path().join(".pdsl").exists());
    assert_eq!(to_run(home.path(), &["--store", "elsewhere"]), 0);
    fs::write(home.path().join("lab.yaml"), "store: elsewhere\nparams:\n  rate: 30%\n").unwrap();
    assert_eq!(to_run(home.path(), &["--profile", "lab.yaml"]), 4);
    assert_eq!(to_run(home.path(), &["--profile", "lab.yaml", "--set", "rate=20%"]), 0, "the command line wins");
    let mut command = command(home.path(), &["plan", "small.pd", "--json"]);
    let output = command.env("PDSL_STORE", home.path().join("elsewhere")).output().unwrap();
    assert!(out(&output).contains("\"cached\": 8"), "{}", out(&output));
}

#[test]
fn exit_codes_tell_expectations_and_refuted_claims() {
    let home =
        program(&SMALL.replace("margin: 90pp", "margin: 0.001pp").replace("rate: Ratio = 20%", "rate: Ratio = 99%"));
    let output = pdsl(home.path(), &["run", "small.pd", "--require-claims"]);
    let verdict = out(&output);
    assert_eq!(exit(&output), if verdict.contains("refuted") { 3 } else { 0 }, "{verdict}");
    let home = program(&format!("{SMALL}\nexpect mean(runs.at(round: 0).top1, over: .seed) >= 99%\n"));
    let output = pdsl(home.path(), &["run", "small.pd"]);
    assert!(exit(&output) == 1 && out(&output).contains("void  same"), "{}", out(&output));
    assert!(err(&output).contains("PD0714") && err(&output).contains("small.pd:22"), "{}", err(&output));
}

#[test]
fn an_interrupted_run_saves_and_the_next_one_goes_on() {
    let home = program(
        "import std.data.{digits}\nimport std.models.{tiny_resnet}\nlet task = digits()\n\
         let runs = sweep seed in seeds(1) {\n  let s = tiny_resnet(classes: task.classes) |> init(seed)\n    \
         |> train(task, sgd(lr: 0.1, batch: 64), until: 2000ep)\n  { top1: evaluate(s, task.test).top1 }\n}\ntable t = runs\n",
    );
    let mut command = command(home.path(), &["run", "small.pd", "--resume-every", "1it"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let events = home.path().join("results/small/events.jsonl");
    for _ in 0..600 {
        if fs::read_to_string(&events).is_ok_and(|text| text.contains("\"event\":\"progress\"")) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(exit(&output), 130, "{}", err(&output));
    assert!(home.path().join("results/small/report.html").exists());
    let plan = succeeds(home.path(), &["plan", "small.pd"]);
    assert!(plan.contains("resume at"), "{plan}");
}

#[test]
fn a_device_that_is_not_there_is_an_error_with_a_way_out() {
    let home = program(SMALL);
    for (arguments, said) in [
        (vec!["plan", "small.pd", "--device", "cuda:99"], "CUDA cannot be used"),
        (vec!["plan", "small.pd", "--device", "cpu", "--precision", "bf16"], "the processor computes in float32"),
    ] {
        let output = pdsl(home.path(), &arguments);
        let text = err(&output);
        assert!(
            exit(&output) == 2 && text.contains("PD0715") && text.contains(said) && text.contains("help"),
            "{text}"
        );
    }
    let output = pdsl(home.path(), &["plan", "small.pd", "--device", "gpu"]);
    assert!(exit(&output) == 2 && err(&output).contains("`cuda:0`"), "{}", err(&output));
}

/// A program that dissects an untrained network before and after pruning.
const PICTURED: &str = r#"import std.data.{shapes_probe}
import std.dissect.{concept_bars, concept_changes, dissect, gallery, lite2018}
import std.models.{tiny_resnet}
import std.prune.{global_magnitude}

let dense = tiny_resnet(classes: 6, channels: 3, size: 16) |> init(first(seeds(1)))
let rules = { ..lite2018, quantile: 0.02 }
let probe = shapes_probe(size: 16, images: 60)
let found = dissect(dense, data: probe, layer: "layer2", rules: rules)
let pruned = dense |> prune(global_magnitude(99.9%))
let after = dissect(pruned, data: probe, layer: "layer2", rules: rules)

plot faces = gallery(found, top: 3, side: 24)
plot concepts = concept_bars(found)
plot moves = concept_changes(found, to: after)
"#;

#[test]
fn units_are_pictured_from_a_program() {
    let home = program(PICTURED);
    let text = succeeds(home.path(), &["run", "small.pd"]);
    assert!(text.contains("warning  ") && text.contains("fewer weights than outputs"), "{text}");
    let results = home.path().join("results/small");
    let page = fs::read_to_string(results.join("report.html")).unwrap();
    assert_eq!(page.matches("<img ").count(), 16, "a strip per unit of layer2");
    for part in ["units of layer2", "Units of each concept", "data-kind=\"lost\"", "prune round 1: "] {
        assert!(page.contains(part), "{part}");
    }
    assert!(fs::read_to_string(results.join("plots/faces.svg")).unwrap().contains("data:image/jpeg;base64,"));
    assert_eq!(to_run(home.path(), &[]), 0);
    succeeds(home.path(), &["run", "small.pd"]);
    let again = fs::read_to_string(results.join("report.html")).unwrap();
    assert!(again.contains("prune round 1: "), "what a stored pruning has noted is shown again");

    fs::write(home.path().join("small.pd"), PICTURED.replace("top: 3", "top: 21")).unwrap();
    let output = pdsl(home.path(), &["run", "small.pd"]);
    assert!(exit(&output) == 2 && err(&output).contains("must be at most 20"), "{}", err(&output));
}

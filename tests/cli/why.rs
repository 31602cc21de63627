//! `pdsl why`, `pdsl diff`, predictions and trials.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{SMALL, err, exit, out, pdsl, program, succeeds};

/// Writes dots for keys, times, names of machines and directories.
fn steady(text: &str, home: &Path) -> String {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let text = text.replace(&*home.canonicalize().unwrap().to_string_lossy(), "HOME");
    let text = text.replace(&format!("on {host} by"), "on HOST by");
    let words = text.split_inclusive([' ', '\n', ',', ':']).map(|word| {
        let bare = word.trim_end_matches([' ', '\n', ',', ':']);
        let is_key = bare.len() == 12 && bare.chars().all(|c| c.is_ascii_hexdigit());
        let is_date = bare.starts_with("20") && bare.contains('T') && bare.contains('-');
        match () {
            () if is_key => word.replace(bare, "............"),
            () if is_date => word.replace(bare, "DATE"),
            () => word.to_owned(),
        }
    });
    let text: String = words.collect();
    // What is left of a time after its date: `04:15Z`.
    text.split("DATE:").enumerate().fold(String::new(), |all, (at, part)| {
        if at == 0 { part.to_owned() } else { all + "DATE" + part.get(6..).unwrap_or_default() }
    })
}

fn json(directory: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&succeeds(directory, arguments)).unwrap()
}

#[test]
fn causes_are_told_apart_from_what_follows() {
    let home = program(SMALL);
    let why =
        |arguments: &[&str]| steady(&succeeds(home.path(), &[&["why", "small.pd"], arguments].concat()), home.path());
    insta::assert_snapshot!("why_nothing_was_run", why(&[]));
    succeeds(home.path(), &["run", "small.pd"]);
    insta::assert_snapshot!("why_everything_is_cached", why(&[]));
    insta::assert_snapshot!("why_a_stage_is_cached", why(&["evaluate round 1 · seed 2"]));
    insta::assert_snapshot!("why_a_rate_was_changed", why(&["--set", "rate=30%"]));
    insta::assert_snapshot!("why_an_evaluation_follows", why(&["evaluate round 1", "--set", "rate=30%"]));
    let text = SMALL.replace("seeds(2)", "seeds(3)");
    fs::write(home.path().join("small.pd"), text).unwrap();
    insta::assert_snapshot!("why_a_seed_was_added", why(&[]));
}

#[test]
fn lost_and_damaged_results_are_told_apart() {
    let home = program(SMALL);
    succeeds(home.path(), &["run", "small.pd"]);
    let stage = |name: &str| {
        let plan = json(home.path(), &["plan", "small.pd", "--json"]);
        let stages = plan["stages"].as_array().unwrap().clone();
        stages.iter().find(|stage| stage["name"] == name).unwrap()["key"].as_str().unwrap().to_owned()
    };
    let reason = |name: &str| {
        let told = json(home.path(), &["why", "small.pd", name, "--json"]);
        told[0]["stage"]["reason"].clone()
    };
    let (prune, evaluate) = (stage("prune round 1 · seed 1"), stage("evaluate round 1 · seed 1"));
    let store = home.path().join(".pdsl");
    let record = |key: &str| store.join("actions").join(&key[..2]).join(format!("{key}.yaml"));
    let shown = json(home.path(), &["show", &prune, "--json"]);
    let mask = shown["record"]["outcome"]["objects"]["mask"].as_str().unwrap().to_owned();
    // What it leads to is stored, so it is not needed until that is gone too.
    fs::remove_file(record(&evaluate)).unwrap();
    fs::remove_file(store.join("objects").join(&mask[..2]).join(&mask)).unwrap();
    let lost = reason("prune round 1 · seed 1");
    assert_eq!((lost["kind"].as_str(), lost["objects"][0]["role"].as_str()), (Some("lost"), Some("mask")));
    assert_eq!(lost["objects"][0]["set_aside"], false);
    let unfinished = reason("evaluate round 1 · seed 1");
    assert_eq!(unfinished["kind"], "unfinished", "the last run planned it: {unfinished}");
    fs::write(record(&evaluate), "what").unwrap();
    pdsl(home.path(), &["plan", "small.pd"]);
    assert_eq!(reason("evaluate round 1 · seed 1")["kind"], "damaged");
    fs::remove_file(record(&prune)).unwrap();
    assert_eq!(reason("prune round 1 · seed 1")["kind"], "unfinished");
}

#[test]
fn stages_that_do_not_exist_are_refused() {
    let home = program(SMALL);
    let output = pdsl(home.path(), &["why", "small.pd", "evalute"]);
    assert!(exit(&output) == 2 && err(&output).contains("PD0710"), "{}", err(&output));
}

#[test]
fn programs_are_compared_stage_by_stage() {
    let home = program(SMALL);
    let text = SMALL.replace("seeds(2)", "seeds(3)").replace("= 20%", "= 30%");
    fs::write(home.path().join("other.pd"), text).unwrap();
    let compare = |arguments: &[&str]| pdsl(home.path(), &[&["diff", "small.pd"], arguments].concat());
    let same = compare(&["small.pd"]);
    assert_eq!((exit(&same), out(&same).as_str()), (0, "the same 8 stages\n"));
    let settings = compare(&["--set-b", "rate=30%"]);
    assert_eq!(exit(&settings), 1);
    insta::assert_snapshot!("diff_of_settings", steady(&out(&settings), home.path()));
    insta::assert_snapshot!("diff_of_programs", steady(&out(&compare(&["other.pd"])), home.path()));
    let output = compare(&["--json", "--set-a", "rate=30%", "--set-b", "rate=30%"]);
    let found: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((exit(&output), found["stages"]["shared"].as_u64()), (0, Some(8)));
    let nothing = compare(&[]);
    assert!(exit(&nothing) == 2 && err(&nothing).contains("PD0716"), "{}", err(&nothing));
}

#[test]
fn a_run_that_would_take_too_long_does_not_start() {
    let home = program(SMALL);
    let unknown = pdsl(home.path(), &["run", "small.pd", "--max", "40h"]);
    assert_eq!(exit(&unknown), 2);
    insta::assert_snapshot!("max_without_history", err(&unknown));
    assert!(!home.path().join("results").exists(), "nothing was begun");
    succeeds(home.path(), &["run", "small.pd", "--max", "40h", "--max-unknown"]);
    // One second of another program's evaluations is known by now.
    let text = SMALL.replace("seeds(2)", "seeds(400)");
    fs::write(home.path().join("large.pd"), text).unwrap();
    for command in ["plan", "run"] {
        let output = pdsl(home.path(), &[command, "large.pd", "--max", "0.1s"]);
        assert!(exit(&output) == 2 && err(&output).contains("PD0717"), "{}", err(&output));
        assert!(err(&output).contains("evaluate × "), "{}", err(&output));
    }
    succeeds(home.path(), &["plan", "large.pd", "--max", "1000h"]);
    let wrong = pdsl(home.path(), &["plan", "large.pd", "--max", "40"]);
    assert!(exit(&wrong) == 2 && err(&wrong).contains("40h"), "{}", err(&wrong));
}

#[test]
fn a_plan_tells_times_and_what_claims_can_show() {
    let home = program(SMALL);
    let text = succeeds(home.path(), &["plan", "small.pd"]);
    assert!(text.contains("time     unknown: the store knows no times of evaluate × 4\n"), "{text}");
    assert!(text.contains("2 pairs: holds with power 80 % for a margin of 5.79 sd"), "{text}");
    succeeds(home.path(), &["run", "small.pd"]);
    let plan = json(home.path(), &["plan", "small.pd", "--set", "rate=30%", "--json"]);
    assert_eq!(plan["time"]["known"], true);
    assert!(plan["time"]["total"]["likely"].as_f64().unwrap() > 0.0);
    assert_eq!(plan["time"]["stages"].as_object().unwrap().len(), 4);
    assert_eq!(plan["claims"][0]["prospect"]["n"], 2);
    let cached = json(home.path(), &["plan", "small.pd", "--json"]);
    assert!(cached["claims"][0]["prospect"]["observed"]["sd"].as_f64().unwrap() > 0.0);
}

/// Trains on data that are on no machine.
const LARGE: &str = r#"import std.data.{imagenet}
import std.models.{resnet50}
import std.prune.{global_magnitude}
import std.stats.{not_worse}

let task = imagenet()
let recipe = sgd(lr: drops(0.4, at: [3ep], by: 0.1), momentum: 0.9, batch: 1024)
let runs = sweep seed in seeds(2) {
  let dense = resnet50(classes: task.classes) |> init(seed) |> train(task, recipe, until: 4ep)
  let pruned = dense |> prune(global_magnitude(50%)) |> rewind(to: dense.at(500it)) |> retrain(like: dense)
  for s in [dense, pruned] {
    { round: s.round, top1: evaluate(s, task.val).top1 }
  }
}
table levels = runs
claim same "Pruning costs nothing"
  = not_worse(runs.at(round: 1).top1, than: runs.at(round: 0).top1, margin: 1pp, over: .seed)
expect mean(runs.at(round: 0).top1, over: .seed) >= 75%
"#;

#[test]
fn a_trial_runs_every_stage_apart_from_all_results() {
    let home = program(LARGE);
    let output = pdsl(home.path(), &["run", "small.pd", "--smoke"]);
    let text = out(&output);
    assert_eq!(exit(&output), 0, "{text}{}", err(&output));
    assert!(text.contains("smoke: means nothing") && text.contains("no number here means anything"), "{text}");
    let results = home.path().join("results/small-smoke");
    let claims: Value = serde_json::from_str(&fs::read_to_string(results.join("claims.json")).unwrap()).unwrap();
    assert_eq!(claims[0]["notes"][0], "smoke: means nothing");
    assert!(fs::read_to_string(results.join("report.html")).unwrap().contains("stand in for the data imagenet"));
    assert!(!home.path().join("results/small").exists());
    let again = json(home.path(), &["plan", "small.pd", "--smoke", "--json"]);
    assert_eq!(again["totals"]["run"], 0, "a second trial has nothing to do");
    let full = json(home.path(), &["plan", "small.pd", "--json"]);
    assert_eq!(full["totals"]["cached"], 0, "a trial is no result");
    assert_eq!(full["time"]["known"], false, "nor does it tell times");
    let roots: Vec<_> = fs::read_dir(home.path().join(".pdsl/roots")).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(roots.len() == 1 && roots[0].file_name().to_string_lossy().contains("smoke"), "{roots:?}");
}

/// Small layers round: the second pruning asks for a sparsity that the first has passed there, and not at full scale.
#[test]
fn a_trial_survives_the_rounding_of_few_weights() {
    let text = r"import std.data.{digits}
import std.models.{resnet50}
import std.prune.{global_magnitude, one_shot}
let task = digits()
let start = resnet50(classes: 10) |> init(first(seeds(1)))
let once = start |> prune(global_magnitude(20%))
let twice = once |> prune(one_shot(once.sparsity))
table t = sweep seed in seeds(1) {
  { size: footprint(twice).compression }
}
";
    let home = program(text);
    let output = pdsl(home.path(), &["run", "small.pd", "--smoke"]);
    assert_eq!(exit(&output), 0, "{}{}", out(&output), err(&output));
}

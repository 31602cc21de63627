//! Data sets on disk, from the command line.

use std::fs;
use std::path::{Path, PathBuf};

use super::{err, exit, here, out, pdsl, succeeds};

const PROGRAM: &str = r#"import std.data.{augmented, flip, jitter, normalised, prepared, resized_crop, stored}
import std.models.{tiny_resnet}

let task = stored("photographs", classes: 2, size: 8, train: 4, val: 2)
  |> normalised(mean: [0.5, 0.5, 0.5], sd: [0.25, 0.25, 0.25])
  |> prepared(shorter: 9)
  |> augmented(by: [resized_crop(area: 0.3), flip(), jitter(brightness: 0.4, hue: 0.1)])
let recipe = sgd(lr: 0.01, batch: 2)
let runs = sweep seed in seeds(2) {
  let s = tiny_resnet(classes: 2, channels: 3, size: 8) |> init(seed) |> train(task, recipe, until: 2ep)
  { round: s.round, top1: evaluate(s, task.val).top1 }
}

table levels = runs |> summary(by: [.round], over: .seed, show: [mean])
"#;

fn pictures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data/pictures")
}

/// A directory with a program, six photographs in folders, and profiles that find them there and in `shards`.
fn home() -> tempfile::TempDir {
    let home = here();
    let names = ["train/a/1", "train/a/2", "train/b/1", "train/b/2", "val/a/1", "val/b/1"];
    for (name, picture) in names.iter().zip(["s420", "s422", "grey", "cmyk", "progressive", "restart"]) {
        let to = home.path().join("folders").join(name).with_extension("jpg");
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(pictures().join(picture).with_extension("jpg"), to).unwrap();
    }
    fs::write(home.path().join("program.pd"), PROGRAM).unwrap();
    for form in ["folders", "shards"] {
        fs::write(home.path().join(format!("{form}.yaml")), format!("data:\n  photographs: {form}\n")).unwrap();
    }
    let skip = "data:\n  photographs:\n    root: folders\n    damaged: skip\n";
    fs::write(home.path().join("skip.yaml"), skip).unwrap();
    home
}

fn damage(home: &Path) {
    let path = home.join("folders/train/b/2.jpg");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
}

fn keys(home: &Path, profile: &str) -> Vec<String> {
    let plan = succeeds(home, &["plan", "program.pd", "--profile", profile, "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    plan["stages"].as_array().unwrap().iter().map(|stage| stage["key"].to_string()).collect()
}

#[test]
fn folders_and_the_shards_made_of_them_are_the_same_data() {
    let home = home();
    let listed = succeeds(home.path(), &["data", "ls", "--profile", "folders.yaml"]);
    assert!(listed.contains("folders of pictures") && listed.contains("train 4, val 2"), "{listed}");
    let listed = succeeds(home.path(), &["data", "ls", "--profile", "shards.yaml"]);
    assert!(listed.contains("not here"), "{listed}");
    succeeds(home.path(), &["data", "prepare", "folders", "shards"]);
    let listed = succeeds(home.path(), &["data", "ls", "--profile", "shards.yaml", "--json"]);
    assert!(listed.contains("tar shards") && listed.contains("train 4, val 2"), "{listed}");
    assert_eq!(keys(home.path(), "folders.yaml"), keys(home.path(), "shards.yaml"));
    assert_ne!(keys(home.path(), "folders.yaml"), keys(home.path(), "skip.yaml"));

    assert!(!home.path().join(".pdsl").exists(), "a plan leaves nothing that is no store");
    succeeds(home.path(), &["run", "program.pd", "--profile", "folders.yaml"]);
    let again = succeeds(home.path(), &["plan", "program.pd", "--profile", "shards.yaml"]);
    assert!(again.contains(" 0 to run") || !again.contains("run "), "{again}");
}

#[test]
fn damage_is_named_stops_a_run_or_is_counted() {
    let home = home();
    let sound = succeeds(home.path(), &["data", "verify", "--profile", "folders.yaml"]);
    assert!(sound.contains("6 images, 0 damaged"), "{sound}");
    damage(home.path());
    let found = pdsl(home.path(), &["data", "verify", "photographs", "--profile", "folders.yaml"]);
    assert!(exit(&found) == 1 && out(&found).contains("train/b/2.jpg`: ends in the middle"), "{}", out(&found));

    let stopped = pdsl(home.path(), &["run", "program.pd", "--profile", "folders.yaml"]);
    assert_eq!(exit(&stopped), 1, "{}", err(&stopped));
    assert!(err(&stopped).contains("PD0602") && err(&stopped).contains("2.jpg"), "{}", err(&stopped));

    let skipped = pdsl(home.path(), &["run", "program.pd", "--profile", "skip.yaml"]);
    assert_eq!(exit(&skipped), 0, "{}", err(&skipped));
    let events = fs::read_to_string(home.path().join("results/program/events.jsonl")).unwrap();
    assert!(events.contains("damaged images are left out") && events.contains("2.jpg"), "{events}");
    let stages = succeeds(home.path(), &["store", "ls", "--json", "--for", "program.pd"]);
    assert!(stages.contains("\"skipped\": 1.0"), "{stages}");
}

#[test]
fn names_that_the_profile_does_not_have_are_refused() {
    let home = home();
    let output = pdsl(home.path(), &["data", "verify", "holiday", "--profile", "folders.yaml"]);
    assert!(exit(&output) == 1 && err(&output).contains("names no directory"), "{}", err(&output));
    let nothing = succeeds(home.path(), &["data", "fetch", "--profile", "folders.yaml"]);
    assert!(nothing.contains("no files to fetch"), "{nothing}");
}

//! Bad input: each gets its message, and nothing is lost.

use std::fs;
use std::path::Path;

use crate::{SMALL, command, err, exit, here, out, pdsl, program, succeeds};

/// A program that trains for a moment.
const TRAINED: &str = r"import std.data.{digits}
import std.models.{tiny_resnet}

let task = digits()
let recipe = sgd(lr: drops(0.1, at: [1ep], by: 0.1), batch: 64)
let runs = sweep seed in seeds(1) {
  let dense = tiny_resnet(classes: task.classes) |> init(seed) |> train(task, recipe, until: 1ep)
  { top1: evaluate(dense, task.test).top1 }
}
table levels = runs |> summary(by: [], over: .seed, show: [mean])
";

/// A program that dissects with a probe on disk.
const DISSECTED: &str = r#"import std.data.{broden_folder, shapes_probe}
import std.dissect.{netdissect}
import std.models.{tiny_resnet}

let probe = broden_folder("scenes", size: 16, images: 30)
let runs = sweep seed in seeds(1) {
  let dense = tiny_resnet(classes: 4, channels: 3, size: 16) |> init(seed)
  { units: netdissect(dense, layer: "layer1", data: probe).units }
}
table levels = runs |> summary(by: [], over: .seed, show: [mean])
"#;

/// What is done to which file, its new content, the code, what the message names, and the exit code: 2 before anything
/// runs, 1 when a stage fails.
type Damage<'a> = (&'a str, &'a Path, Option<Vec<u8>>, &'a str, &'a str, i32);

/// Runs a command that must fail with a code, and returns its message.
#[track_caller]
fn fails(directory: &Path, arguments: &[&str], code: &str, exits: i32) -> String {
    let output = pdsl(directory, arguments);
    let message = err(&output);
    assert!(message.contains(code), "{code} is missing in:\n{message}");
    assert_eq!(exit(&output), exits, "{message}");
    assert!(!message.contains("panicked"), "{message}");
    message
}

#[test]
fn no_command_and_an_unknown_one_are_mistakes_in_the_arguments() {
    let home = here();
    assert_eq!(exit(&pdsl(home.path(), &[])), 2);
    assert_eq!(exit(&pdsl(home.path(), &["traain"])), 2);
}

#[test]
fn an_unknown_code_has_no_explanation() {
    fails(here().path(), &["explain", "PD9999"], "PD0709", 2);
}

#[test]
fn a_store_that_is_not_there_is_not_made_by_looking() {
    let home = here();
    fails(home.path(), &["store", "ls"], "PD0712", 2);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_store_of_a_newer_pdsl_is_left_alone() {
    let home = here();
    fs::create_dir(home.path().join("store")).unwrap();
    fs::write(home.path().join("store/store.yaml"), "format: 999\nwritten_by: pdsl 99\n").unwrap();
    let message = fails(home.path(), &["store", "ls", "--store", "store"], "PD0401", 2);
    assert!(message.contains("999"), "{message}");
}

#[test]
fn an_unknown_key_shows_nothing() {
    let home = here();
    fs::create_dir(home.path().join(".pdsl")).unwrap();
    fs::write(home.path().join(".pdsl/store.yaml"), "format: 1\nwritten_by: pdsl\n").unwrap();
    fails(home.path(), &["show", "abc"], "PD0710", 2);
}

#[test]
fn a_profile_says_where_it_is_wrong() {
    let home = here();
    fs::write(home.path().join("lab.yaml"), "jobs: 2\nstroe: /scratch\n").unwrap();
    let message = fails(home.path(), &["store", "ls", "--profile", "lab.yaml"], "PD0705", 2);
    assert!(message.contains("lab.yaml:2:1") && message.contains("did you mean `store`?"), "{message}");
}

#[test]
fn a_profile_that_is_no_yaml_or_missing_or_a_directory() {
    let home = here();
    fs::write(home.path().join("lab.yaml"), "jobs: [2\n").unwrap();
    fails(home.path(), &["store", "ls", "--profile", "lab.yaml"], "PD0704", 2);
    fails(home.path(), &["store", "ls", "--profile", "other.yaml"], "PD0701", 2);
    fails(home.path(), &["store", "ls", "--profile", "."], "PD0701", 2);
}

#[test]
fn a_program_that_is_missing_or_a_directory_or_no_text() {
    let home = here();
    fs::write(home.path().join("latin.pd"), b"let caf\xe9 = 1\n").unwrap();
    for verb in ["check", "plan", "run", "graph", "fmt"] {
        fails(home.path(), &[verb, "missing.pd"], "PD0701", 2);
        fails(home.path(), &[verb, "."], "PD0701", 2);
        fails(home.path(), &[verb, "latin.pd"], "PD0702", 2);
    }
}

#[test]
fn settings_that_are_malformed_unknown_or_of_another_type() {
    let home = program(SMALL);
    fails(home.path(), &["plan", "small.pd", "--set", "rate:20%"], "PD0703", 2);
    let message = fails(home.path(), &["plan", "small.pd", "--set", "rat=20%"], "PD0307", 2);
    assert!(message.contains("did you mean `rate`?"), "{message}");
    fails(home.path(), &["plan", "small.pd", "--set", "rate=2ep"], "PD02", 2);
    fails(home.path(), &["plan", "small.pd", "--set", "rate=(20%"], "PD00", 2);
    let several = fails(home.path(), &["plan", "small.pd", "--set", "rate=1", "--set", "a"], "PD0703", 2);
    assert!(several.contains("PD02"), "all of them are reported: {several}");
}

#[test]
fn a_setting_in_a_profile_is_labelled_there() {
    let home = program(SMALL);
    fs::write(home.path().join("lab.yaml"), "params:\n  rat: 20%\n").unwrap();
    let message = fails(home.path(), &["plan", "small.pd", "--profile", "lab.yaml"], "PD0307", 2);
    assert!(message.contains("lab.yaml:2:3"), "{message}");
}

#[test]
fn results_that_cannot_be_written_are_refused_before_anything_runs() {
    let home = program(SMALL);
    fs::write(home.path().join("file"), "").unwrap();
    for place in ["file", "file/below", "/proc/pdsl"] {
        fails(home.path(), &["run", "small.pd", "--out", place], "PD0708", 2);
    }
    let plan = succeeds(home.path(), &["plan", "small.pd"]);
    assert!(plan.contains("0 cached"), "{plan}");
    fails(home.path(), &["graph", "small.pd", "-o", "/proc/pdsl.svg"], "PD0708", 1);
}

#[test]
fn a_store_that_is_a_file_or_another_directory() {
    let home = program(SMALL);
    fs::create_dir(home.path().join("thesis")).unwrap();
    fs::write(home.path().join("thesis/chapter.tex"), "").unwrap();
    fails(home.path(), &["run", "small.pd", "--store", "thesis"], "PD0402", 2);
    assert_eq!(fs::read_dir(home.path().join("thesis")).unwrap().count(), 1);
    fails(home.path(), &["run", "small.pd", "--store", "small.pd"], "PD04", 1);
}

#[test]
fn data_that_are_not_here_are_asked_for_before_anything_runs() {
    let home = program(
        &SMALL
            .replace("digits()", "stored(\"birds\", classes: 10, size: 8, train: 100, val: 10)")
            .replace("{digits}", "{stored}")
            .replace("task.test", "task.val")
            .replace("classes: task.classes", "classes: 10, channels: 3"),
    );
    let message = fails(home.path(), &["run", "small.pd"], "PD0601", 2);
    assert!(message.contains("birds"), "{message}");
}

#[test]
fn a_damaged_object_is_found_set_aside_and_made_again() {
    let home = program(SMALL);
    succeeds(home.path(), &["run", "small.pd"]);
    let before = fs::read(home.path().join("results/small/tables/levels.csv")).unwrap();
    for directory in fs::read_dir(home.path().join(".pdsl/objects")).unwrap() {
        for object in fs::read_dir(directory.unwrap().path()).unwrap() {
            let path = object.unwrap().path();
            let mut bytes = fs::read(&path).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            let mut writable = fs::metadata(&path).unwrap().permissions();
            #[expect(clippy::permissions_set_readonly_false, reason = "a file that the test is about to damage")]
            writable.set_readonly(false);
            fs::set_permissions(&path, writable).unwrap();
            fs::write(&path, bytes).unwrap();
        }
    }
    let output = pdsl(home.path(), &["store", "verify"]);
    assert!(exit(&output) == 1 && out(&output).contains("damaged"), "{}", out(&output));
    succeeds(home.path(), &["run", "small.pd", "--set", "rate=20%"]);
    assert_eq!(fs::read(home.path().join("results/small/tables/levels.csv")).unwrap(), before);
    let text = succeeds(home.path(), &["run", "small.pd", "--set", "rate=50%"]);
    assert!(text.contains("supported  same"), "the lost weights are made again: {text}");
}

#[test]
fn a_full_disk_behind_standard_output_is_told() {
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let output = command(here().path(), &["explain"]).stdout(full).output().unwrap();
    assert!(exit(&output) == 1 && err(&output).contains("standard output"), "{}", err(&output));
}

// From here on, one test for each kind of bad input that a run may meet, in the order of the design's list.

#[test]
fn all_syntax_errors_come_in_one_pass() {
    let home = program("let a = (1\nlet b = 2 +\nlet c 3\nlet d = [1, 2\nlet e = 1 && 2\nlet f = 'x'\n");
    let message = fails(home.path(), &["check", "small.pd"], "PD00", 2);
    for line in 1..=6 {
        assert!(message.contains(&format!("small.pd:{line}:")), "line {line} is missing in:\n{message}");
    }
}

#[test]
fn units_that_do_not_fit_are_told_with_the_remedy() {
    let home = program(&SMALL.replace("= 20%", "= 0.2"));
    let message = fails(home.path(), &["run", "small.pd"], "PD02", 2);
    assert!(message.contains("small.pd:7:") && message.contains("20%"), "{message}");
}

#[test]
fn an_unknown_name_has_a_suggestion() {
    let home = program(&SMALL.replace("evaluate(s", "evalute(s"));
    let message = fails(home.path(), &["run", "small.pd"], "PD01", 2);
    assert!(message.contains("did you mean `evaluate`?"), "{message}");
}

#[test]
fn imports_in_a_circle_name_the_circle() {
    let home = program("import \"./other.pd\".{x}\nlet y = x\n");
    fs::write(home.path().join("other.pd"), "import \"./small.pd\".{y}\npub let x = y\n").unwrap();
    let message = fails(home.path(), &["check", "small.pd"], "PD0103", 2);
    assert!(message.contains("`small.pd` → `other.pd` → `small.pd`"), "{message}");
}

#[test]
fn as_many_outputs_as_classes() {
    let home = program(&TRAINED.replace("classes: task.classes", "classes: 7"));
    let message = fails(home.path(), &["run", "small.pd"], "PD0314", 2);
    assert!(message.contains("7 outputs") && message.contains("10 classes"), "{message}");
}

#[test]
fn states_of_two_architectures_do_not_mix() {
    let home = program(
        &TRAINED
            .replace("  { top1", "  let other = tiny_resnet(classes: 10, width: 4) |> init(seed)\n  { top1")
            .replace("evaluate(dense", "evaluate(dense |> rewind(to: other)"),
    );
    let message = fails(home.path(), &["run", "small.pd"], "PD0322", 2);
    assert!(message.contains("not of the same network"), "{message}");
}

#[test]
fn weights_that_are_damaged_or_of_another_network_are_named() {
    let header = |shape: &str, length: u64| {
        let header = format!(r#"{{"conv1.weight":{{"dtype":"F32","shape":{shape},"data_offsets":[0,576]}}}}"#);
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; length as usize]].concat()
    };
    let cases: [(&str, &str, Vec<u8>); 6] = [
        ("empty", "PD0606", Vec::new()),
        ("no safetensors file", "PD0606", b"PK\x03\x04 this is no safetensors file".to_vec()),
        ("a header longer than the file", "PD0606", [&(1u64 << 60).to_le_bytes(), b"{}".as_slice()].concat()),
        ("data cut short", "PD0606", header("[16,1,3,3]", 100)),
        ("a size that overflows", "PD0606", header("[1099511627776,1099511627776]", 576)),
        ("another network", "PD0605", header("[16,1,3,3]", 576)),
    ];
    for (what, code, bytes) in cases {
        let home = program(
            &TRAINED
                .replace("|> init(seed) |> train(task, recipe, until: 1ep)", "|> loaded")
                .replace("let runs", "fn loaded(net: Arch) -> State { load(\"w.safetensors\", net) }\nlet runs"),
        );
        fs::write(home.path().join("w.safetensors"), bytes).unwrap();
        let message = fails(home.path(), &["run", "small.pd"], code, 1);
        assert!(message.contains("w.safetensors`: "), "{what}:\n{message}");
        let verified = succeeds(home.path(), &["store", "verify"]);
        assert!(verified.contains("0 problems"), "{verified}");
    }
}

#[test]
fn yaml_that_grows_without_bound_is_refused() {
    let home = program(SMALL);
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        bomb += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", "));
    }
    for (what, text) in [
        ("aliases", format!("{bomb}data: *a8\n")),
        ("depth", "a: {".repeat(5_000)),
        ("length", format!("data: [{}]\n", "x, ".repeat(100_000))),
    ] {
        fs::write(home.path().join("lab.yaml"), text).unwrap();
        let message = fails(home.path(), &["plan", "small.pd", "--profile", "lab.yaml"], "PD0707", 2);
        assert!(message.contains("the profile"), "{what}:\n{message}");
    }
}

#[test]
fn a_loss_that_is_no_number_stops_the_training_and_says_where() {
    let home = program(&TRAINED.replace("0.1, at", "1000000.0, at"));
    let message = fails(home.path(), &["run", "small.pd"], "PD0503", 1);
    assert!(message.contains("the loss is NaN at epoch 0, iteration"), "{message}");
    assert!(message.contains("small.pd:7:"), "{message}");
    let verified = succeeds(home.path(), &["store", "verify"]);
    assert!(verified.contains("0 problems"), "{verified}");
}

/// A probe on disk under the name `scenes`, made by pdsl itself, and a program that uses it.
fn probe() -> tempfile::TempDir {
    let home = program(
        &DISSECTED.replace("broden_folder(\"scenes\", size: 16, images: 30)", "shapes_probe(size: 16, images: 30)"),
    );
    succeeds(home.path(), &["run", "small.pd"]);
    let made = fs::read_dir(home.path().join(".pdsl/data")).unwrap().next().unwrap().unwrap().path();
    fs::rename(made, home.path().join("scenes")).unwrap();
    fs::remove_dir_all(home.path().join(".pdsl")).unwrap();
    fs::write(home.path().join("small.pd"), DISSECTED).unwrap();
    fs::write(home.path().join("lab.yaml"), "data:\n  scenes: scenes\n").unwrap();
    succeeds(home.path(), &["run", "small.pd", "--profile", "lab.yaml"]);
    fs::remove_dir_all(home.path().join(".pdsl")).unwrap();
    home
}

#[test]
fn labelled_images_that_are_missing_damaged_or_others_are_named() {
    let home = probe();
    let root = home.path().join("scenes");
    let index = fs::read_to_string(root.join("index.csv")).unwrap();
    let labels = fs::read_to_string(root.join("label.csv")).unwrap();
    let picture = root.join("images").join(index.lines().nth(1).unwrap().split(',').next().unwrap());
    let image = fs::read(&picture).unwrap();
    let mut bomb = image.clone();
    bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    let first_rows: Vec<&str> = index.lines().take(11).collect();
    let cases: [Damage<'_>; 8] = [
        ("cut short", &picture, Some(image[..40].to_vec()), "PD0602", ".png`", 1),
        ("claims a size", &picture, Some(bomb), "PD0602", ".png`", 1),
        ("missing", &picture, None, "PD0601", ".png`", 2),
        ("no table", &root.join("label.csv"), None, "PD0601", "label.csv`", 2),
        ("no header", &root.join("index.csv"), Some(b"garbage".to_vec()), "PD0602", "index.csv`, line 1", 2),
        (
            "ragged",
            &root.join("index.csv"),
            Some(index.replacen("\nshapes", "\nx,y,shapes", 1).into()),
            "PD0602",
            "line 2",
            2,
        ),
        (
            "fewer images",
            &root.join("index.csv"),
            Some((first_rows.join("\n") + "\n").into()),
            "PD0603",
            "30 images, but it has 10",
            2,
        ),
        (
            "a number",
            &root.join("label.csv"),
            Some(labels.replacen("\n1,", "\n99999999999999999999,", 1).into()),
            "PD0602",
            "line 2",
            2,
        ),
    ];
    for (what, file, content, code, names, exits) in cases {
        let whole = fs::read(file).unwrap();
        match content {
            Some(bytes) => fs::write(file, bytes).unwrap(),
            None => fs::remove_file(file).unwrap(),
        }
        let message = fails(home.path(), &["run", "small.pd", "--profile", "lab.yaml"], code, exits);
        assert!(message.contains(names) && message.contains("small.pd:"), "{what}:\n{message}");
        fs::write(file, whole).unwrap();
    }
    fs::write(home.path().join("lab.yaml"), "data:\n  scenes: elsewhere\n").unwrap();
    let message = fails(home.path(), &["run", "small.pd", "--profile", "lab.yaml"], "PD0601", 2);
    assert!(message.contains("elsewhere` does not exist"), "{message}");
    fs::write(home.path().join("lab.yaml"), "data:\n  scenes: scenes\n").unwrap();
    succeeds(home.path(), &["run", "small.pd", "--profile", "lab.yaml"]);
}

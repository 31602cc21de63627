//! Bad input: each gets its message, and nothing is lost.

use std::fs;
use std::path::Path;

use crate::{SMALL, command, err, exit, here, out, pdsl, program, succeeds};

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
            .replace("digits()", "image_folder(\"birds\", classes: 10, size: 8, train: 100, val: 10)")
            .replace("{digits}", "{image_folder}")
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

//! The arrows between the rooms of `src/`: who may use whom.
//!
//! Reads every `crate::room` in the sources and fails on a wrong arrow, naming the rule.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each room may use, apart from itself. `domain` and `source` are plain data that everyone may use.
const RULES: [(&str, &[&str], &str); 22] = [
    ("source", &[], "`source` knows nothing"),
    ("domain", &[], "`domain` is plain data and uses no one"),
    ("world", &[], "`world` is the outside, behind one trait"),
    ("diag", &[], "`diag` knows source texts only"),
    ("syntax", &["diag"], "`syntax` turns text into trees and knows nothing after that"),
    ("resolve", &["diag", "syntax", "world", "ops"], "`resolve` comes before types"),
    ("types", &["diag", "syntax", "resolve", "ops", "world"], "`types` comes before values"),
    ("value", &["diag", "syntax", "resolve", "types", "graph"], "`value` stands between types and eval"),
    (
        "eval",
        &["diag", "syntax", "resolve", "types", "value", "graph", "ops", "world"],
        "`eval` turns checked programs into a graph and runs nothing",
    ),
    ("graph", &["diag", "value", "ops"], "`graph` is made by eval and read by plan"),
    (
        "ops",
        &["diag", "value", "graph", "nn", "store", "manifest", "syntax", "types", "eval"],
        "`ops` is the one door between the language and `nn`",
    ),
    ("plan", &["diag", "graph", "ops", "store", "manifest", "value"], "`plan` compares the graph with the store"),
    (
        "exec",
        &["diag", "graph", "ops", "store", "plan", "value", "world", "manifest", "nn"],
        "`exec` carries out plans and knows no syntax",
    ),
    ("report", &["diag", "value", "stats"], "`report` sees output specifications and numbers only"),
    ("stats", &[], "`stats` is mathematics and knows nothing of the language"),
    ("nn", &[], "`nn` uses `domain` only and knows nothing of the language"),
    ("store", &["manifest", "graph"], "`store` knows only bytes, keys and manifests"),
    ("manifest", &["diag", "graph"], "`manifest` is the only place that knows YAML"),
    ("reference", &["diag", "syntax", "resolve", "ops", "world"], "`reference` describes modules as they are written"),
    ("cli", &["*"], "`cli` is on top"),
    ("lsp", &["*"], "`lsp` is on top"),
    ("main", &["*"], "`main` calls `cli`"),
];

/// What `store` and `manifest` may take from `graph`: keys, and what they are made of.
const KEYS: [&str; 4] = ["Key", "Preimage", "Canon", "key"];

/// Crates that only some rooms may name.
const DOORS: [(&str, &[&str]); 11] = [
    ("candle_core", &["nn"]),
    ("candle_nn", &["nn"]),
    ("cudarc", &["nn"]),
    ("prost", &["nn"]),
    ("zip", &["nn"]),
    ("serde_yaml", &["manifest"]),
    ("pest", &["syntax"]),
    ("lsp_server", &["lsp"]),
    ("lsp_types", &["lsp"]),
    ("rustyline", &["cli"]),
    ("petgraph", &["graph", "plan"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The text without comments, strings and the test module at its end.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The rooms named after `crate::`, also inside `use crate::{a, b::c}`.
fn rooms_used(code: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut rooms = BTreeSet::new();
    for piece in code.split("crate::").skip(1) {
        let Some(group) = piece.strip_prefix('{') else {
            rooms.insert(word(piece));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && (c.is_alphabetic() || c == '_') => {
                    rooms.insert(word(&group[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    rooms.remove("");
    rooms
}

/// The names right after a path, also inside braces.
fn names_of(code: &str, path: &str) -> Vec<String> {
    let word = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for piece in code.split(path).skip(1) {
        match piece.strip_prefix('{') {
            Some(group) => names.extend(group.split('}').next().unwrap_or("").split(',').map(word)),
            None => names.push(word(piece)),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn room_of(path: &Path, root: &Path) -> String {
    let first = path.strip_prefix(root).unwrap().components().next().unwrap();
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

#[test]
fn arrows_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rules: BTreeMap<&str, (&[&str], &str)> = RULES.iter().map(|(room, may, rule)| (*room, (*may, *rule))).collect();
    let mut files = Vec::new();
    sources(&root, &mut files);
    files.sort();
    let mut wrong = Vec::new();
    for path in files {
        let room = room_of(&path, &root);
        if room == "lib" {
            continue;
        }
        let shown = path.strip_prefix(&root).unwrap().display();
        let Some((may, rule)) = rules.get(room.as_str()) else {
            wrong.push(format!("src/{shown}: room `{room}` has no rule in tests/layers.rs"));
            continue;
        };
        let code = code(&std::fs::read_to_string(&path).unwrap());
        for used in rooms_used(&code) {
            let known = rules.contains_key(used.as_str());
            let free = used == room || used == "domain" || (used == "source" && room != "domain") || may.contains(&"*");
            if known && !free && !may.contains(&used.as_str()) {
                wrong.push(format!("src/{shown} uses `crate::{used}`: {rule}"));
            }
        }
        if room == "store" || room == "manifest" {
            for name in names_of(&code, "crate::graph::").into_iter().filter(|name| !KEYS.contains(&name.as_str())) {
                wrong.push(format!("src/{shown} uses `crate::graph::{name}`: {rule}"));
            }
        }
        for (name, doors) in DOORS {
            let named = code.contains(&format!("{name}::"));
            if named && !doors.contains(&room.as_str()) {
                wrong.push(format!("src/{shown} names `{name}`: only {} may", doors.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn uses_are_found_in_every_form() {
    let code = "use crate::a::b;\nuse crate::{c, d::{e, f}, g};\nlet x = crate::h::y();\npub(crate) fn z() {}";
    assert_eq!(rooms_used(code).into_iter().collect::<Vec<_>>(), ["a", "c", "d", "g", "h"]);
}

//! What changes a key and what does not, over every experiment that ships.

use std::collections::{BTreeMap, BTreeSet};

use pdsl::domain::data::{DataSet, Probe};
use pdsl::eval::{self, External, Fingerprints, Overrides, Weights};
use pdsl::graph::Graph;
use pdsl::resolve;
use pdsl::syntax;
use pdsl::types;
use pdsl::world::Machine;
use proptest::prelude::*;

const EXPERIMENTS: [(&str, &str); 3] = [
    ("quickstart", include_str!("../experiments/quickstart.pd")),
    ("dissecting_pruned", include_str!("../experiments/dissecting_pruned.pd")),
    ("my_schedule", include_str!("../experiments/my_schedule.pd")),
];

/// Gives every data set a digest that depends on its description only, so that keys do not depend on this machine.
struct Described;

impl Fingerprints for Described {
    fn digest(&self, data: External<'_>) -> Option<String> {
        match data {
            External::Data(DataSet::Stored { .. }) | External::Probe(Probe::Broden { .. }) => None,
            External::Data(data) => serde_json::to_string(data).ok(),
            External::Probe(probe) => serde_json::to_string(probe).ok(),
        }
    }

    fn weights(&self, _: &str) -> std::io::Result<Weights> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// Evaluates a program and returns the graph with the stages that its outputs need.
fn graph(text: &str) -> Result<(Graph, BTreeSet<String>), String> {
    let typed = types::check(resolve::link_text(&Machine, "experiment.pd", text));
    let tell = |diagnostics: &[pdsl::diag::Diagnostic]| {
        format!("{}\n{text}", pdsl::diag::render::short(diagnostics, &typed.linked.sources))
    };
    if !typed.is_sound() {
        return Err(tell(&typed.diagnostics));
    }
    let program = eval::evaluate(&typed, &Overrides::default(), &Described).map_err(|found| tell(&found))?;
    let wanted = pdsl::graph::Dependencies::of(&program.graph, program.demands().all());
    let keys = wanted.order().into_iter().map(|id| program.graph.key(id).to_string()).collect();
    Ok((program.graph, keys))
}

fn keys(text: &str) -> BTreeSet<String> {
    match graph(text) {
        Ok((_, keys)) => keys,
        Err(message) => panic!("{message}"),
    }
}

/// Replaces a name wherever it stands as a word of its own, outside comments, strings, fields, labels and columns.
fn rename(text: &str, from: &str, to: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut lines = Vec::new();
    for line in text.lines() {
        let code = line.find("//").map_or(line, |at| &line[..at]);
        let mut renamed = String::new();
        let mut rest = code;
        while let Some(at) = rest.find(from) {
            let (before, after) = (&rest[..at], &rest[at + from.len()..]);
            let quoted = (renamed.clone() + before).matches('"').count() % 2 == 1;
            let alone = !before.ends_with(|c| word(c) || c == '.') && !after.starts_with(word);
            renamed += before;
            renamed += if alone && !quoted { to } else { from };
            rest = after;
        }
        lines.push(renamed + rest + &line[code.len()..]);
    }
    lines.join("\n") + "\n"
}

/// Names bound by `let` that are neither labels nor columns anywhere in the text, so that renaming them is safe.
fn renamable(text: &str) -> Vec<String> {
    let mut names = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.trim_start().strip_prefix("let ") {
            names.insert(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>());
        }
    }
    names
        .into_iter()
        .filter(|name| !text.contains(&format!("{name}:")) && !text.contains(&format!(".{name}")))
        .collect()
}

/// Turns `let name = …` at top level into a function without parameters and a call of it.
fn move_into_function(text: &str, name: &str) -> String {
    text.replace(&format!("\nlet {name} = "), &format!("\nlet {name} = moved_{name}()\n\nfn moved_{name}() {{ "))
}

/// Closes the functions that `move_into_function` opened: a block ends where its item ends.
fn move_binding(text: &str, name: &str) -> Option<String> {
    let opened = move_into_function(text, name);
    let start = opened.find(&format!("fn moved_{name}() {{ "))?;
    let mut depth = 0i32;
    let mut in_comment = false;
    let mut end = None;
    for (at, c) in opened[start..].char_indices() {
        match c {
            '/' if opened[start + at..].starts_with("//") => in_comment = true,
            '\n' => {
                in_comment = false;
                let next = opened[start + at + 1..].chars().next();
                if depth == 1 && next.is_none_or(|c| !matches!(c, ' ' | ')' | '}' | ']')) {
                    end = Some(start + at);
                    break;
                }
            }
            '(' | '[' | '{' if !in_comment => depth += 1,
            ')' | ']' | '}' if !in_comment => depth -= 1,
            _ => {}
        }
    }
    let end = end?;
    Some(format!("{} }}{}", &opened[..end], &opened[end..]))
}

/// Puts the items of a file in another order.
fn reorder(text: &str, seed: u64) -> String {
    let (mut items, mut head) = (Vec::<String>::new(), String::new());
    // An item ends at an empty line that something in column 0 follows.
    let marked = text.replace("\n\n ", "\n\0\n ");
    for block in marked.split("\n\n").map(|block| block.replace('\0', "")) {
        if block.starts_with("//!") || block.starts_with("import") {
            head += &block;
            head += "\n\n";
        } else {
            items.push(block);
        }
    }
    let mut state = seed | 1;
    for at in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(at, (state >> 33) as usize % (at + 1));
    }
    head + &items.join("\n\n") + "\n"
}

fn format(text: &str) -> String {
    let mut sources = pdsl::source::Sources::default();
    let id = sources.add("experiment.pd", None, text);
    let (file, found) = syntax::parse(id, text);
    assert!(found.is_empty(), "{}", pdsl::diag::render::short(&found, &sources));
    syntax::print(&file, text)
}

/// Adds comments and empty lines between lines, and spaces at the ends of lines.
fn comment(text: &str, every: usize) -> String {
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if at % every == 0 && !line.starts_with("//!") && !line.starts_with("///") {
            lines.push("  // a remark {that} (closes nothing".to_owned());
            lines.push(String::new());
        }
        lines.push(format!("{line}   "));
    }
    lines.join("\n") + "\n"
}

#[test]
fn comments_and_format_change_no_key() {
    for (name, text) in EXPERIMENTS {
        let before = keys(text);
        assert_eq!(before, keys(&comment(text, 3)), "{name}");
        assert_eq!(before, keys(&format(&comment(text, 5))), "{name}");
        assert_eq!(before, keys(&text.replace('\n', "\r\n")), "{name}");
    }
}

#[test]
fn every_rename_and_every_move_into_a_function_changes_no_key() {
    for (name, text) in EXPERIMENTS {
        let before = keys(text);
        let names = renamable(text);
        assert!(names.len() >= 4, "{name}: {names:?}");
        for old in names {
            assert_eq!(before, keys(&rename(text, &old, "renamed_by_test")), "{name}: {old}");
        }
        let top: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("let ")?.split(" = ").next()).collect();
        for binding in top {
            let moved = move_binding(text, binding).unwrap_or_else(|| panic!("{name}: {binding} has no end"));
            assert_ne!(moved, text);
            assert_eq!(before, keys(&moved), "{name}: {binding}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn harmless_edits_together_change_no_key(which in 0..EXPERIMENTS.len(), seed: u64, every in 2usize..9, pick: prop::sample::Index) {
        let text = EXPERIMENTS[which].1;
        let names = renamable(text);
        let edited = rename(text, &names[pick.index(names.len())], "x_1");
        let edited = comment(&reorder(&edited, seed), every);
        let edited = if seed % 2 == 0 { format(&edited) } else { edited };
        prop_assert_eq!(keys(text), keys(&edited));
    }
}

/// `(experiment, text, replacement, operations whose stages must change, operations whose stages must stay)`
type Edit = (&'static str, &'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const EDITS: [Edit; 14] = [
    ("quickstart", "rate: 20%", "rate: 30%", &["prune", "rewind"], &["init", "dissect"]),
    ("quickstart", "rewind: 1ep", "rewind: 2ep", &["rewind"], &["init"]),
    ("quickstart", "drops(0.1, at: [5ep]", "drops(0.2, at: [5ep]", &["train", "evaluate"], &["init", "dissect"]),
    ("quickstart", "momentum: 0.9", "momentum: 0.8", &["train"], &["init"]),
    ("quickstart", "weight_decay: 5e-4", "weight_decay: 1e-4", &["train"], &["init"]),
    ("quickstart", "batch: 64", "batch: 128", &["train"], &["init"]),
    ("quickstart", "iou: 0.04", "iou: 0.05", &["score"], &["init", "train", "prune", "rewind", "evaluate", "dissect"]),
    ("quickstart", "digit_task.test)", "digit_task.val)", &["evaluate"], &["init", "train", "prune", "dissect"]),
    ("quickstart", "size: 8, width: 4", "size: 8, width: 12", &["init", "train"], &["dissect"]),
    ("dissecting_pruned", "rewind_to: Step = 6ep", "rewind_to: Step = 6006it", &["rewind"], &["init"]),
    ("dissecting_pruned", "warmup(5ep)", "warmup(6ep)", &["train"], &["init"]),
    (
        "dissecting_pruned",
        "order: seed.order)\n  let pruned",
        "order: seed.other)\n  let pruned",
        &["train"],
        &["init"],
    ),
    ("my_schedule", "abs(p.weight) *", "abs(p.weight) +", &["prune"], &["init"]),
    (
        "my_schedule",
        "triangle(0.15, top: 2ep, until: 8ep), momentum",
        "triangle(0.15, top: 3ep, until: 8ep), momentum",
        &["train"],
        &["init"],
    ),
];

fn by_operation(text: &str) -> Option<BTreeMap<&'static str, BTreeSet<String>>> {
    let (graph, wanted) = graph(text).ok()?;
    let mut found: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for (id, node) in graph.iter().filter(|(id, _)| wanted.contains(&graph.key(*id).to_string())) {
        found.entry(node.op).or_default().insert(graph.key(id).to_string());
    }
    Some(found)
}

#[test]
fn a_change_of_meaning_changes_what_it_touches_and_nothing_else() {
    for (experiment, from, to, changed, kept) in EDITS {
        let text = EXPERIMENTS.iter().find(|(name, _)| *name == experiment).unwrap().1;
        assert!(text.contains(from), "{experiment}: {from}");
        let edited = text.replacen(from, to, 1);
        let before = by_operation(text).unwrap();
        let after = by_operation(&edited).unwrap_or_else(|| panic!("{experiment}: {to}: {:?}", graph(&edited).err()));
        for op in changed {
            assert_ne!(before[op], after[op], "{experiment}: {from} → {to} leaves {op} alone");
        }
        for op in kept {
            assert_eq!(before[op], after[op], "{experiment}: {from} → {to} touches {op}");
        }
    }
}

#[test]
fn a_later_drop_keeps_the_part_before_it() {
    let text = EXPERIMENTS[0].1;
    let moved = text.replacen("drops(0.1, at: [5ep]", "drops(0.1, at: [6ep]", 1);
    let (before, _) = graph(text).unwrap();
    let (after, _) = graph(&moved).unwrap();
    let trained = |graph: &Graph| {
        let (id, node) =
            graph.iter().find(|(_, node)| node.trajectory.as_ref().is_some_and(|t| t.until > 2 * t.per_epoch)).unwrap();
        (id, node.trajectory.clone().unwrap())
    };
    let ((one, trajectory), (other, _)) = (trained(&before), trained(&after));
    let epoch = trajectory.per_epoch;
    assert_eq!(before.chain_base(one), after.chain_base(other));
    assert_eq!(before.chain_key(one, 5 * epoch), after.chain_key(other, 5 * epoch));
    assert_ne!(before.chain_key(one, 5 * epoch + 1), after.chain_key(other, 5 * epoch + 1));
    assert!(keys(text).intersection(&keys(&moved)).count() > 0);
}

/// Keys are a promise to everybody who has a store. If this fails, raise the `version` of the operation that changed.
#[test]
fn keys_are_frozen() {
    for (name, text) in EXPERIMENTS {
        let (graph, wanted) = graph(text).unwrap();
        let lines: Vec<_> = graph
            .iter()
            .filter(|(id, _)| wanted.contains(&graph.key(*id).to_string()))
            .map(|(id, node)| format!("{} {}", graph.key(id), node.op))
            .collect();
        insta::assert_snapshot!(format!("keys_{name}"), lines.join("\n"));
    }
}

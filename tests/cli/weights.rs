//! Weights that come in and go out.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{SMALL, err, exit, here, out, pdsl, program, succeeds};

/// A directory with a fixture of `tests/fixtures/checkpoints` in it.
fn with(file: &str) -> tempfile::TempDir {
    let home = here();
    copy(file, home.path());
    home
}

fn copy(file: &str, to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints").join(file);
    fs::copy(from, to.join(file)).unwrap();
}

/// The key of the first stage of a kind.
fn key(directory: &Path, op: &str) -> String {
    let entries: Value = serde_json::from_str(&succeeds(directory, &["store", "ls", "--json"])).unwrap();
    let found = entries.as_array().unwrap().iter().find(|entry| entry["op"] == op).unwrap();
    found["key"].as_str().unwrap().to_owned()
}

fn json(directory: &Path, shown: &str) -> Value {
    serde_json::from_str(&succeeds(directory, &["show", shown, "--json"])).unwrap()
}

#[test]
fn show_counts_zeros_in_a_file() {
    insta::assert_snapshot!(succeeds(with("pruned.pth").path(), &["show", "pruned.pth"]));
}

#[test]
fn every_format_is_shown() {
    for (file, format) in [
        ("zip.pth", "PyTorch"),
        ("legacy.pth", "PyTorch before 1.6"),
        ("plain.npz", "npz"),
        ("expected.safetensors", "safetensors"),
    ] {
        let shown = json(with(file).path(), file);
        assert_eq!((shown["format"].as_str(), &shown["sparsity"]["prunable"]["weights"]), (Some(format), &204.into()));
        assert_eq!(shown["sparsity"]["prunable"]["zeros"], 51, "{file}");
    }
    assert_eq!(json(with("small.onnx").path(), "small.onnx")["format"], "ONNX");
}

#[test]
fn a_file_that_is_not_there_is_no_stage() {
    let output = pdsl(here().path(), &["show", "gone.pth"]);
    assert!(exit(&output) == 2 && err(&output).contains("PD0701"), "{}", err(&output));
}

#[test]
fn a_hostile_file_is_refused_with_a_way_out() {
    let output = pdsl(with("hostile.pth").path(), &["show", "hostile.pth"]);
    assert_eq!((exit(&output), out(&output)), (2, String::new()));
    insta::assert_snapshot!(err(&output));
}

#[test]
fn exports_have_the_sparsity_of_their_stage() {
    let home = program(SMALL);
    succeeds(home.path(), &["run", "small.pd"]);
    let pruned = key(home.path(), "prune");
    let stage = json(home.path(), &pruned)["sparsity"].clone();
    assert!(stage["prunable"]["sparsity"].as_f64().unwrap() > 0.19, "{stage}");
    for (file, format) in [("a.safetensors", None), ("a.npz", None), ("a.onnx", None), ("a.net", Some("onnx"))] {
        let told = format.map(|format| vec!["--format", format]).unwrap_or_default();
        succeeds(home.path(), &[vec!["export", &pruned, "-o", file], told].concat());
        assert_eq!(json(home.path(), file)["sparsity"], stage, "{file}");
    }
    succeeds(home.path(), &["export", &pruned, "-o", "folded.onnx", "--fold-batch-norm"]);
    assert_eq!(json(home.path(), "folded.onnx")["sparsity"]["prunable"], stage["prunable"]);
    let text = succeeds(home.path(), &["show", &pruned]);
    assert!(text.contains("LAYER") && text.contains("prunable weights"), "{text}");
}

#[test]
fn a_rewound_network_has_the_architecture_of_what_it_was_made_from() {
    let home = program(
        &SMALL.replace("prune(global_magnitude(rate))]", "prune(global_magnitude(rate)) |> rewind(to: dense)]"),
    );
    succeeds(home.path(), &["run", "small.pd"]);
    let rewound = key(home.path(), "rewind");
    succeeds(home.path(), &["export", &rewound, "-o", "rewound.onnx"]);
    assert_eq!(json(home.path(), "rewound.onnx")["sparsity"], json(home.path(), &rewound)["sparsity"]);
}

#[test]
fn export_refuses_formats_that_cannot_be() {
    let home = program(SMALL);
    succeeds(home.path(), &["run", "small.pd"]);
    let pruned = key(home.path(), "prune");
    for arguments in [vec!["-o", "net.pth"], vec!["-o", "net.npz", "--fold-batch-norm"]] {
        let output = pdsl(home.path(), &[vec!["export", pruned.as_str()], arguments].concat());
        assert!(exit(&output) == 2 && err(&output).contains("PD0720"), "{}", err(&output));
    }
}

/// The network of `tests/reference/networks/checkpoints.py`.
const LOADING: &str = r#"import std.data.{digits}
let task = digits()
let network = arch(
  {
    conv1: conv(4, kernel: 3, pad: 1),
    bn1: batch_norm(),
    relu1: relu(),
    conv2: conv(6, kernel: 3, stride: 2, groups: 2, bias: true),
    pool: global_avg_pool(),
    fc: linear(10),
  },
  channels: 1,
  size: 8,
)
let runs = sweep seed in seeds(1) { { top1: evaluate(load("zip.pth", network), task.test).top1 } }
table each = runs
"#;

#[test]
fn a_checkpoint_of_pytorch_is_loaded_and_compared_with_the_architecture() {
    let home = program(LOADING);
    copy("zip.pth", home.path());
    succeeds(home.path(), &["run", "small.pd"]);
    assert_eq!(json(home.path(), &key(home.path(), "load"))["sparsity"], json(home.path(), "zip.pth")["sparsity"]);
    fs::write(home.path().join("small.pd"), LOADING.replace("conv(6,", "conv(8,")).unwrap();
    let output = pdsl(home.path(), &["run", "small.pd"]);
    let text = err(&output);
    assert!(
        exit(&output) == 1 && text.contains("PD0605") && text.contains("`conv2.weight` has shape [6, 2, 3, 3]"),
        "{text}"
    );
}

#[test]
fn loading_refuses_what_would_run_and_what_is_no_state_dict() {
    for (file, code) in [("hostile.pth", "PD0620"), ("several.pth", "PD0621"), ("small.onnx", "PD0606")] {
        let home = program(&LOADING.replace("zip.pth", file));
        copy(file, home.path());
        let output = pdsl(home.path(), &["run", "small.pd"]);
        assert!(exit(&output) == 1 && err(&output).contains(code), "{file}: {}", err(&output));
    }
}

//! Files written by `tests/reference/networks/checkpoints.py`, and what PyTorch says is in them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;

use super::onnx::Norms;
use super::sparsity::Count;
use super::*;
use crate::domain::arch::samples::cifar_resnet;
use crate::domain::arch::{Arch, Shape};
use crate::domain::seed::Seed;
use crate::nn::checkpoint;
use crate::nn::init::initialize;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoints").join(name)).unwrap()
}

/// Everything in a state dict, as bytes that can be compared.
fn content(weights: &Weights) -> Vec<u8> {
    checkpoint::encode(weights, &BTreeMap::new()).unwrap()
}

fn taken(name: &str) -> Weights {
    read_state_dict(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn refusal(name: &str) -> String {
    read_state_dict(&fixture(name)).unwrap_err().to_string()
}

#[test]
fn one_network_is_the_same_in_every_form() {
    let expected = content(&taken("expected.safetensors"));
    let forms = ["zip", "legacy", "protocol4", "protocol5", "wrapped", "model", "parameters", "views", "views_legacy"];
    for name in
        forms.map(|form| format!("{form}.pth")).into_iter().chain(["plain.npz", "compressed.npz"].map(Into::into))
    {
        assert!(content(&taken(&name)) == expected, "{name} differs");
    }
}

#[test]
fn formats_are_told_by_contents() {
    let formats = ["expected.safetensors", "zip.pth", "legacy.pth", "plain.npz", "small.onnx"]
        .map(|name| read(&fixture(name)).unwrap().format);
    let expected = [Format::Safetensors, Format::Torch, Format::LegacyTorch, Format::Npz, Format::Onnx];
    assert_eq!(formats, expected);
}

#[test]
fn the_length_of_a_header_is_no_mark_of_another_format() {
    // 0x80 begins a pickle, 0x08 an ONNX graph.
    for length in [0x80u64, 0x108] {
        let header = r#"{"w":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}"#;
        let header = format!("{header:length$}", length = length as usize);
        let bytes = [&length.to_le_bytes(), header.as_bytes(), &[1, 0]].concat();
        let file = read(&bytes).unwrap();
        assert_eq!((file.format, file.tensors["w"].to_vec1::<i64>().unwrap()), (Format::Safetensors, vec![1, 0]));
    }
}

#[test]
fn narrow_floats_are_widened_and_pruned_layers_multiplied_out() {
    assert!(content(&taken("half.pth")) == content(&taken("half.safetensors")));
    assert!(content(&taken("pruned.pth")) == content(&taken("pruned.safetensors")));
}

#[test]
fn parallel_and_compiled_networks_are_adopted() {
    let root = serde_json::from_value(serde_json::json!({ "layer": "sequence", "members": [
        ["conv1", { "layer": "conv", "out": 4, "kernel": [3, 3], "stride": 1, "pad": 1, "dilation": 1, "groups": 1,
                    "bias": false }],
        ["bn1", { "layer": "batch_norm", "zero_scale": false }],
        ["conv2", { "layer": "conv", "out": 6, "kernel": [3, 3], "stride": 2, "pad": 0, "dilation": 1, "groups": 2,
                    "bias": true }],
        ["pool", { "layer": "global_avg_pool" }],
        ["fc", { "layer": "linear", "out": 10 }],
    ]}));
    let input = Shape { channels: 1, height: 8, width: 8 };
    let survey = Arch { root: root.unwrap(), input }.survey().unwrap();
    let adopted = checkpoint::adopt(&survey, taken("module.pth")).unwrap();
    assert!(content(&adopted) == content(&taken("expected.safetensors")));
}

#[test]
fn what_would_run_is_refused_and_named() {
    let expected = "the file asks to run `posix.system`; refused, and nothing was run";
    assert_eq!(refusal("hostile.pth"), expected);
    assert_eq!(refusal("hostile_legacy.pth"), expected);
    assert_eq!(
        refusal("whole.pth"),
        "the file asks to run `torch.nn.modules.conv.Conv2d`; refused, and nothing was run"
    );
    let sparse = pickle::read(b"\x80\x02ctorch._utils\n_rebuild_sparse_tensor\n.").unwrap_err().to_string();
    assert!(sparse.contains("tensors of the kind `torch._utils._rebuild_sparse_tensor`"), "{sparse}");
    let built = pickle::read(b"\x80\x02c__builtin__\nset\n)}\x92.").unwrap_err();
    assert_eq!(built, FileError::Instruction(0x92));
    let other = pickle::read(b"\x80\x02csubprocess\nPopen\n)\x81.").unwrap_err().to_string();
    assert!(other.contains("asks to run `subprocess.Popen`"), "{other}");
    assert!(!PathBuf::from("/tmp/pdsl-hostile").exists());
}

#[test]
fn what_is_no_state_dict_is_told_apart() {
    assert_eq!(refusal("several.pth"), "the file holds several state dicts: `model`, `net`");
    assert_eq!(refusal("empty.pth"), "the file holds no named tensors");
    assert_eq!(refusal("script.pt"), "the file is a TorchScript model, not a state dict");
    assert_eq!(refusal("small.onnx"), "the file is an ONNX graph, not a state dict");
    assert!(refusal("list.pkl").contains("`torch.save` did not write it"));
    let message = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert!(message(b"").contains("it is empty"));
    assert!(message(b"<html>").contains("unknown"));
    assert!(message(b"version https://git-lfs.github.com/spec/v1\n").contains("git lfs pull"));
    assert_eq!(
        message(&checkpoint::encode(&Weights::new(), &BTreeMap::new()).unwrap()),
        "the file holds no named tensors"
    );
    let whole = fixture("legacy.pth");
    assert!(message(&whole[..whole.len() - 1]).contains("is not all there"));
}

#[test]
fn all_ways_of_holding_numbers_in_a_graph_are_read() {
    let (graph, expected) = (read(&fixture("small.onnx")).unwrap().tensors, taken("expected.safetensors"));
    let numbers = |weights: &Weights, name: &str| weights[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for name in ["conv1.weight", "fc.weight", "fc.bias"] {
        assert_eq!(numbers(&graph, name), numbers(&expected, name));
        assert_eq!(graph[name].dims(), expected[name].dims());
    }
    assert_eq!(graph["steps"].to_vec1::<i64>().unwrap(), [5, 6]);
}

#[test]
fn zeros_are_counted_by_layer_and_in_all() {
    let sparsity = sparsity::of(&taken("pruned.pth")).unwrap();
    let layers: Vec<(&str, u64, u64)> =
        sparsity.layers.iter().map(|layer| (layer.name.as_str(), layer.count.weights, layer.count.zeros)).collect();
    assert_eq!(layers, [("conv1.weight", 36, 18), ("conv2.weight", 108, 54), ("fc.weight", 60, 30)]);
    assert_eq!(sparsity.prunable, Count { weights: 204, zeros: 102, sparsity: 0.5 });
    // Biases of conv2 and fc, scale and shift of bn1.
    assert_eq!(sparsity.parameters.weights, 204 + 6 + 10 + 8);
}

#[test]
fn layers_are_listed_as_a_reader_counts() {
    let tensor = candle_core::Tensor::zeros((1, 1), candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
    let names = ["layer.10.w", "layer.2.w", "conv.w"];
    let weights = names.map(|name| (name.to_owned(), tensor.clone())).into();
    let listed: Vec<String> = sparsity::of(&weights).unwrap().layers.into_iter().map(|layer| layer.name).collect();
    assert_eq!(listed, ["conv.w", "layer.2.w", "layer.10.w"]);
}

#[test]
fn arrays_survive_a_round_trip_and_have_fixed_bytes() {
    let weights = taken("expected.safetensors");
    let bytes = npz::encode(&weights).unwrap();
    assert!(content(&read(&bytes).unwrap().tensors) == content(&weights));
    assert_eq!(bytes, npz::encode(&weights).unwrap());
}

#[test]
fn graphs_hold_the_parameters_and_folded_ones_no_normalisations() {
    let arch = cifar_resnet(1, 8, 10, 1, 8);
    let mut weights = initialize(&arch, &Seed { root: 1, stream: Vec::new() }).unwrap();
    let pruned = candle_core::Tensor::zeros((8, 1, 3, 3), candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
    weights.insert("conv1.weight".to_owned(), pruned);
    let graph = |norms| read(&onnx::encode(&arch, &weights, norms, &BTreeMap::new()).unwrap()).unwrap().tensors;
    let mut without_counters = weights.clone();
    without_counters.retain(|name, _| !name.ends_with("num_batches_tracked"));
    assert!(content(&graph(Norms::Keep)) == content(&without_counters));
    let folded = graph(Norms::Fold);
    assert!(folded.keys().all(|name| !name.contains("bn") && !name.contains("running")), "{:?}", folded.keys());
    assert!(folded.contains_key("layer2.0.downsample.0.bias"));
    let sparsity = sparsity::of(&folded).unwrap();
    assert_eq!((sparsity.layers[0].name.as_str(), sparsity.layers[0].count.zeros), ("conv1.weight", 72));
    weights.remove("fc.bias");
    assert!(onnx::encode(&arch, &weights, Norms::Keep, &BTreeMap::new()).is_err());
}

#[test]
fn claims_beyond_the_file_are_refused() {
    let malformed = |bytes: &[u8]| matches!(pickle::read(bytes), Err(FileError::Malformed(_)));
    assert!(malformed(b"X\xff\xff\xff\xff"), "a text of 4 GiB");
    assert!(malformed(b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff"), "bytes of 2^64");
    assert!(malformed(b"j\xff\xff\xff\xff."), "a place that was never filled");
    assert!(malformed(b"(."), "nothing but a mark");
    let nested = [vec![b')'], vec![0x85; 1_000_000], vec![b'.']].concat();
    assert!(pickle::read(&nested).is_ok(), "tuples a million deep");
    for instruction in *b"N](" {
        assert!(pickle::read(&vec![instruction; 1 << 24]).is_err(), "more than any state dict has");
    }
}

#[test]
fn tensors_far_larger_than_their_file_are_refused() {
    // Two billion times the one number of the storage.
    let mut pickle = b"\x80\x02}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n(".to_vec();
    pickle.extend(b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ");
    pickle.extend(b"K\x00J\xff\xff\xff\x7f\x85K\x00\x85tRs.");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in [("a/data.pkl", pickle.as_slice()), ("a/data/0", &[0; 4])] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, bytes).unwrap();
    }
    let error = read(&zip.finish().unwrap().into_inner()).unwrap_err().to_string();
    assert!(error.contains("`w` is larger than the whole file"), "{error}");
}

const FILES: [&str; 8] = [
    "legacy.pth",
    "views_legacy.pth",
    "hostile_legacy.pth",
    "zip.pth",
    "wrapped.pth",
    "compressed.npz",
    "expected.safetensors",
    "small.onnx",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn damaged_files_are_errors_and_nothing_worse(
        file in 0..FILES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = fixture(FILES[file]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = read(&bytes);
    }

    #[test]
    fn any_pickle_is_read_or_refused(bytes in prop::collection::vec(prop::sample::select(
        b"\x80\x02}]()(tue.sa0125NX\x00\x01\x85\x86\x87\x94h\x00q\x00K\x05J\x88RQbcl\n2".to_vec()), 0..200))
    {
        let _ = pickle::read(&bytes);
    }
}

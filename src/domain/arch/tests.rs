use super::samples::{cifar_resnet, conv, norm, resnet50, sequence};
use super::{Arch, ArchError, Layer, Shape};

fn arch(root: Layer, channels: usize, size: usize) -> Arch {
    Arch { root, input: Shape { channels, height: size, width: size } }
}

#[test]
fn resnet50_counts_are_torchvisions() {
    let survey = resnet50(1000, 224).survey().unwrap();
    assert_eq!(survey.parameter_count(), 25_557_032);
    assert_eq!(survey.prunable_count(), 25_502_912);
    assert_eq!(survey.macs(), 4_089_184_256);
    assert_eq!(survey.output, Shape { channels: 1000, height: 1, width: 1 });
    assert_eq!(survey.layer("layer4").unwrap().shape, Shape { channels: 2048, height: 7, width: 7 });
    assert_eq!(survey.layer("layer1.0").unwrap().shape, Shape { channels: 256, height: 56, width: 56 });
    assert_eq!(survey.parameters.len(), 320);
}

#[test]
fn names_are_torchvisions_in_its_order() {
    let survey = resnet50(1000, 224).survey().unwrap();
    let names: Vec<&str> = survey.parameters.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(
        names[..8],
        [
            "conv1.weight",
            "bn1.weight",
            "bn1.bias",
            "bn1.running_mean",
            "bn1.running_var",
            "bn1.num_batches_tracked",
            "layer1.0.conv1.weight",
            "layer1.0.bn1.weight",
        ]
    );
    let first_block: Vec<&str> =
        names.iter().copied().filter(|name| name.starts_with("layer1.0.") && name.ends_with(".weight")).collect();
    assert_eq!(first_block.last(), Some(&"layer1.0.downsample.1.weight"));
    assert_eq!(names[names.len() - 2..], ["fc.weight", "fc.bias"]);
}

/// The first block of a stage of a wide residual network (Zagoruyko and Komodakis 2016).
#[test]
fn a_shared_start_comes_first_and_feeds_both_branches() {
    let block = Layer::Residual {
        before: Some(Box::new(sequence(vec![("bn1", norm()), ("relu1", Layer::Relu)]))),
        body: Box::new(sequence(vec![("conv1", conv(8, 3, 2, 1)), ("bn2", norm())])),
        shortcut: Box::new(sequence(vec![("project", conv(8, 1, 2, 0))])),
        after: Box::new(Layer::Identity),
    };
    let network = arch(sequence(vec![("stem", conv(4, 3, 1, 1)), ("block", block)]), 3, 8);
    let survey = network.survey().unwrap();
    let weights: Vec<(&str, &[usize])> = survey
        .parameters
        .iter()
        .filter(|entry| entry.name.ends_with(".weight"))
        .map(|entry| (entry.name.as_str(), entry.shape.as_slice()))
        .collect();
    let expected: [(&str, &[usize]); 5] = [
        ("stem.weight", &[4, 3, 3, 3]),
        ("block.bn1.weight", &[4]),
        ("block.conv1.weight", &[8, 4, 3, 3]),
        ("block.bn2.weight", &[8]),
        ("block.project.weight", &[8, 4, 1, 1]),
    ];
    assert_eq!(weights, expected);
    assert_eq!(survey.layer("block.relu1").unwrap().shape, Shape { channels: 4, height: 8, width: 8 });
    assert_eq!(survey.output, Shape { channels: 8, height: 4, width: 4 });
    assert_eq!(network.writers("block"), ["block.conv1.weight", "block.project.weight"]);
    assert_eq!(network.writers("block.relu1"), ["stem.weight"]);
    assert_eq!(network.field("block").map(|field| (field.size, field.step)), Some((5, 2)));
    let changed = network.with_after("block.bn1", "extra", &norm()).unwrap().survey().unwrap();
    assert!(changed.parameter("block.extra.weight").is_some());
}

#[test]
fn a_block_without_a_start_is_written_as_before() {
    let text = serde_json::to_string(&cifar_resnet(1, 4, 10, 3, 8)).unwrap();
    assert!(text.contains("residual") && !text.contains("before"), "{text}");
}

#[test]
fn resnet20_has_the_prunable_weights_of_open_lth() {
    assert_eq!(cifar_resnet(3, 16, 10, 3, 32).survey().unwrap().prunable_count(), 270_896);
}

#[test]
fn a_window_that_does_not_fit_is_named_with_both_sizes() {
    let error = arch(sequence(vec![("conv1", conv(4, 7, 1, 1))]), 1, 4).survey().unwrap_err();
    assert_eq!(error.to_string(), "`conv1` slides a 7×7 window over an input of 1×4×4, which is 6×6 with its border");
    assert_eq!(error.path(), "conv1");
}

#[test]
fn branches_that_do_not_fit_are_named_with_both_sizes() {
    let block = Layer::Residual {
        before: None,
        body: Box::new(sequence(vec![("conv1", conv(4, 3, 2, 1))])),
        shortcut: Box::new(Layer::Identity),
        after: Box::new(Layer::Relu),
    };
    let error = arch(sequence(vec![("block", block)]), 2, 8).survey().unwrap_err();
    assert_eq!(error.to_string(), "the branches of `block` do not fit: the body gives 4×4×4, the shortcut 2×8×8");
}

#[test]
fn names_must_differ_and_be_single_steps() {
    let twice = arch(sequence(vec![("a", norm()), ("a", norm())]), 1, 4).survey().unwrap_err();
    assert!(matches!(twice, ArchError::Duplicate { .. }), "{twice}");
    let dotted = arch(sequence(vec![("a.b", norm())]), 1, 4).survey().unwrap_err();
    assert!(matches!(dotted, ArchError::Name { .. }), "{dotted}");
}

#[test]
fn groups_must_divide_channels_and_counts_must_fit() {
    let grouped = Layer::Conv { out: 6, kernel: [1; 2], stride: 1, pad: 0, dilation: 1, groups: 4, bias: true };
    assert!(matches!(arch(grouped, 4, 4).survey(), Err(ArchError::Groups { .. })));
    let huge = Layer::Linear { out: usize::MAX };
    assert!(matches!(arch(huge, 4, 4).survey(), Err(ArchError::TooLarge { .. })));
    let empty = Layer::Linear { out: 0 };
    assert!(matches!(arch(empty, 4, 4).survey(), Err(ArchError::Zero { .. })));
}

/// ShrinkBench's convolution counts: 10 → 10 channels over 4×5 with a 3×2 filter, 100·6·8 multiply-accumulates.
#[test]
fn convolution_cost_is_that_of_shrinkbench() {
    let layer = Layer::Conv { out: 10, kernel: [3, 2], stride: 1, pad: 0, dilation: 1, groups: 1, bias: false };
    let network = Arch { root: layer, input: Shape { channels: 10, height: 4, width: 5 } };
    assert_eq!(network.survey().unwrap().macs(), 100 * 6 * 8);
}

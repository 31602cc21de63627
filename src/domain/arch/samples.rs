//! Architectures built by hand, for tests.

use super::{Arch, Layer, Shape};

pub(crate) fn conv(out: usize, kernel: usize, stride: usize, pad: usize) -> Layer {
    Layer::Conv { out, kernel: [kernel; 2], stride, pad, dilation: 1, groups: 1, bias: false }
}

pub(crate) fn norm() -> Layer {
    Layer::BatchNorm { zero_scale: false }
}

pub(crate) fn sequence(members: Vec<(&str, Layer)>) -> Layer {
    Layer::Sequence { members: members.into_iter().map(|(name, layer)| (name.to_owned(), layer)).collect() }
}

fn list(members: Vec<Layer>) -> Layer {
    Layer::Sequence { members: members.into_iter().enumerate().map(|(i, layer)| (i.to_string(), layer)).collect() }
}

fn block(body: Vec<(&str, Layer)>, out: usize, stride: usize, project: bool) -> Layer {
    let shortcut = if project {
        sequence(vec![("downsample", list(vec![conv(out, 1, stride, 0), norm()]))])
    } else {
        Layer::Identity
    };
    Layer::Residual {
        before: None,
        body: Box::new(sequence(body)),
        shortcut: Box::new(shortcut),
        after: Box::new(Layer::Relu),
    }
}

fn basic(width: usize, stride: usize) -> Layer {
    let body = vec![
        ("conv1", conv(width, 3, stride, 1)),
        ("bn1", norm()),
        ("relu1", Layer::Relu),
        ("conv2", conv(width, 3, 1, 1)),
        ("bn2", norm()),
    ];
    block(body, width, stride, stride > 1)
}

fn bottleneck(width: usize, stride: usize, project: bool) -> Layer {
    let body = vec![
        ("conv1", conv(width, 1, 1, 0)),
        ("bn1", norm()),
        ("relu1", Layer::Relu),
        ("conv2", conv(width, 3, stride, 1)),
        ("bn2", norm()),
        ("relu2", Layer::Relu),
        ("conv3", conv(4 * width, 1, 1, 0)),
        ("bn3", norm()),
    ];
    block(body, 4 * width, stride, project)
}

/// torchvision's ResNet-50 (v1.5).
pub(crate) fn resnet50(classes: usize, size: usize) -> Arch {
    let stage = |width, blocks, stride| {
        list((0..blocks).map(|i| bottleneck(width, if i == 0 { stride } else { 1 }, i == 0)).collect())
    };
    let root = sequence(vec![
        ("conv1", conv(64, 7, 2, 3)),
        ("bn1", norm()),
        ("relu", Layer::Relu),
        ("maxpool", Layer::MaxPool { kernel: 3, stride: 2, pad: 1 }),
        ("layer1", stage(64, 3, 1)),
        ("layer2", stage(128, 4, 2)),
        ("layer3", stage(256, 6, 2)),
        ("layer4", stage(512, 3, 2)),
        ("avgpool", Layer::GlobalAvgPool),
        ("fc", Layer::Linear { out: classes }),
    ]);
    Arch { root, input: Shape { channels: 3, height: size, width: size } }
}

/// The CIFAR residual network with `blocks` blocks per stage and 1×1 projections.
pub(crate) fn cifar_resnet(blocks: usize, width: usize, classes: usize, channels: usize, size: usize) -> Arch {
    let stage =
        |width, stride| list((0..blocks).map(|i| basic(width, if i == 0 { stride } else { 1 })).collect::<Vec<_>>());
    let root = sequence(vec![
        ("conv1", conv(width, 3, 1, 1)),
        ("bn1", norm()),
        ("relu", Layer::Relu),
        ("layer1", stage(width, 1)),
        ("layer2", stage(2 * width, 2)),
        ("layer3", stage(4 * width, 2)),
        ("avgpool", Layer::GlobalAvgPool),
        ("fc", Layer::Linear { out: classes }),
    ]);
    Arch { root, input: Shape { channels, height: size, width: size } }
}

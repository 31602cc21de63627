"""Writes tests/fixtures/torchvision.json: the state dicts of published networks (names, shapes, their order), their
numbers of parameters, and logits of networks whose layers nothing else here has.

torchvision's networks are its own. WRN and open_lth's VGG are written down below from their publications, with the names of
WideResNet-pytorch and open_lth. Weights and images come from `values.py`, so the fixture holds results only. Nothing is read
from a pretrained file.

Run: python tests/reference/networks/torchvision_names.py (needs torch, torchvision, numpy; 4 GiB of memory, a minute).
"""

import json
import pathlib

import torch
import torchvision
from torch import nn

from values import fill, values

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"
CLASSES, SMALL_CLASSES = 1000, 10
RESNETS = [f"resnet{depth}" for depth in (18, 34, 50, 101, 152)] + ["wide_resnet50_2", "wide_resnet101_2"]
VGGS = [f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")]
STAGES = {11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4]}


class PreactivationBlock(nn.Module):
    """Zagoruyko and Komodakis 2016: BN, ReLU, 3×3, BN, ReLU, 3×3; a projection reads the first rectifier's output."""

    def __init__(self, given, width, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(given), nn.Conv2d(given, width, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(width), nn.Conv2d(width, width, 3, 1, 1, bias=False)
        if given != width:
            self.convShortcut = nn.Conv2d(given, width, 1, stride, bias=False)

    def forward(self, x):
        start = self.bn1(x).relu()
        change = self.conv2(self.bn2(self.conv1(start)).relu())
        return change + (self.convShortcut(start) if hasattr(self, "convShortcut") else x)


class WideResNet(nn.Module):
    def __init__(self, blocks, width):
        super().__init__()
        self.conv1, given = nn.Conv2d(3, 16, 3, 1, 1, bias=False), 16
        for at in range(3):
            out, stage = 16 * width * 2**at, nn.Module()
            inputs = [given] + [out] * (blocks - 1)
            strides = [1 if at == 0 else 2] + [1] * (blocks - 1)
            stage.layer = nn.Sequential(*[PreactivationBlock(i, out, s) for i, s in zip(inputs, strides)])
            self.add_module(f"block{at + 1}", stage)
            given = out
        self.bn1, self.fc = nn.BatchNorm2d(given), nn.Linear(given, SMALL_CLASSES)

    def forward(self, x):
        x = self.conv1(x)
        for stage in (self.block1, self.block2, self.block3):
            x = stage.layer(x)
        return self.fc(self.bn1(x).relu().mean((2, 3)))


class CifarVgg(nn.Module):
    """open_lth's: convolutions with bias, batch normalisation, four poolings by two and a mean over what is left."""

    def __init__(self, stages):
        super().__init__()
        layers, given = [], 3
        for at, (depth, width) in enumerate(zip(stages, (64, 128, 256, 512, 512))):
            for _ in range(depth):
                part = nn.Module()
                part.conv, part.bn = nn.Conv2d(given, width, 3, padding=1), nn.BatchNorm2d(width)
                layers.append(part)
                given = width
            if at < 4:
                layers.append(nn.MaxPool2d(2, 2))
        self.layers, self.fc = nn.Sequential(*layers), nn.Linear(512, SMALL_CLASSES)

    def forward(self, x):
        for part in self.layers:
            x = part(x) if isinstance(part, nn.MaxPool2d) else part.bn(part.conv(x)).relu()
        return self.fc(x.mean((2, 3)))


def described(name, more, model, classes, size):
    state = [[key, list(tensor.shape)] for key, tensor in model.state_dict().items()]
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {"name": name, "more": more, "classes": classes, "size": size, "parameters": parameters, "state": state}


def logits(model, size):
    """Logits of one image, computed in double precision."""
    fill(model, 10)
    image = values(100_000, (3, size, size)) + values(50_000, (3, size, size)) * 0.5
    with torch.no_grad():
        return [float(f"{z:.8g}") for z in model.double().eval()(image[None].double()).flatten().tolist()]


def main():
    torch.set_num_threads(2)
    networks, numbers = [], []
    for name in RESNETS + VGGS:
        model = getattr(torchvision.models, name)(num_classes=CLASSES)
        networks.append(described(name, "", model, CLASSES, 224))
    small = [(f"wrn_{6 * n + 4}_{k}", "", WideResNet(n, k)) for n, k in ((4, 10), (2, 8))]
    small += [("wide_resnet", f"blocks: {n}, width: {k}, ", WideResNet(n, k)) for n, k in ((1, 1), (1, 2))]
    small += [(f"cifar_vgg{depth}", "", CifarVgg(stages)) for depth, stages in STAGES.items()]
    networks += [described(name, more, model, SMALL_CLASSES, 32) for name, more, model in small]
    for name, more, model in small[2:5]:
        numbers.append({"name": name, "more": more, "classes": SMALL_CLASSES, "size": 32, "logits": logits(model, 32)})
    # Small images, to be quick: without the pooling to 7×7, which does nothing at 224 pixels.
    model = torchvision.models.vgg11_bn(num_classes=SMALL_CLASSES)
    model.avgpool, model.classifier[0] = nn.Identity(), nn.Linear(512 * 2 * 2, 4096)
    numbers.append({"name": "vgg11_bn", "more": "", "classes": SMALL_CLASSES, "size": 64, "logits": logits(model, 64)})
    fixture = {"torch": torch.__version__, "torchvision": torchvision.__version__, "networks": networks, "logits": numbers}
    FIXTURES.joinpath("torchvision.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
    for case in numbers:
        print(case["name"], case["logits"][:10])


if __name__ == "__main__":
    main()

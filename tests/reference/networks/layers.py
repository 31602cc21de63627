"""PyTorch modules from the layer descriptions that pdsl serialises."""

from torch import nn


def build(layer, shape):
    """Returns the module for an input of (channels, height, width) and its output's shape."""
    kind = layer["layer"]
    channels, height, width = shape

    def slid(kernel, stride, pad, dilation=1):
        size = [(extent + 2 * pad - dilation * (side - 1) - 1) // stride + 1 for extent, side in zip((height, width), kernel)]
        return size

    if kind == "conv":
        made = nn.Conv2d(channels, layer["out"], tuple(layer["kernel"]), layer["stride"], layer["pad"], layer["dilation"], layer["groups"], layer["bias"])
        return made, (layer["out"], *slid(layer["kernel"], layer["stride"], layer["pad"], layer["dilation"]))
    if kind == "batch_norm":
        return nn.BatchNorm2d(channels), shape
    if kind == "relu":
        return nn.ReLU(), shape
    if kind in ("max_pool", "avg_pool"):
        pool = nn.MaxPool2d if kind == "max_pool" else nn.AvgPool2d
        kernel, stride, pad = layer["kernel"], layer["stride"], layer["pad"]
        return pool(kernel, stride, pad), (channels, *slid((kernel, kernel), stride, pad))
    if kind == "global_avg_pool":
        return nn.AdaptiveAvgPool2d(1), (channels, 1, 1)
    if kind == "linear":
        return Flat(channels * height * width, layer["out"]), (layer["out"], 1, 1)
    if kind == "identity":
        return nn.Identity(), shape
    if kind == "sequence":
        made = nn.Sequential()
        for name, member in layer["members"]:
            part, shape = build(member, shape)
            made.add_module(name, part)
        return made, shape
    if kind == "residual":
        made = Block()
        made.body, out = made.adopt(layer["body"], shape)
        made.shortcut, other = made.adopt(layer["shortcut"], shape)
        assert out == other, (out, other)
        made.after = [build(layer["after"], out)[0]]
        return made, out
    raise ValueError(kind)


class Flat(nn.Linear):
    def forward(self, x):
        return super().forward(x.flatten(1))[:, :, None, None]


class Block(nn.Module):
    """Members of both branches are the block's own children, as in torchvision."""

    def adopt(self, branch, shape):
        if branch["layer"] == "identity":
            return [], shape
        names = []
        for name, member in branch["members"]:
            part, shape = build(member, shape)
            self.add_module(name, part)
            names.append(name)
        return names, shape

    def forward(self, x):
        y, z = x, x
        for name in self.body:
            y = self.get_submodule(name)(y)
        for name in self.shortcut:
            z = self.get_submodule(name)(z)
        return self.after[0](y + z)


def conv(out, kernel, stride=1, pad=0, dilation=1, groups=1, bias=False):
    kernel = [kernel, kernel] if isinstance(kernel, int) else list(kernel)
    return {"layer": "conv", "out": out, "kernel": kernel, "stride": stride, "pad": pad, "dilation": dilation, "groups": groups, "bias": bias}


NORM = {"layer": "batch_norm", "zero_scale": False}
RELU = {"layer": "relu"}
IDENTITY = {"layer": "identity"}
GLOBAL_MEAN = {"layer": "global_avg_pool"}


def pool(kind, kernel, stride, pad=0):
    return {"layer": f"{kind}_pool", "kernel": kernel, "stride": stride, "pad": pad}


def linear(out):
    return {"layer": "linear", "out": out}


def sequence(**members):
    return {"layer": "sequence", "members": [[name, layer] for name, layer in members.items()]}


def numbered(layers):
    return {"layer": "sequence", "members": [[str(at), layer] for at, layer in enumerate(layers)]}


def residual(body, shortcut=IDENTITY, after=RELU):
    return {"layer": "residual", "body": body, "shortcut": shortcut, "after": after}


def projection(out, stride):
    return sequence(downsample=numbered([conv(out, 1, stride), NORM]))


def basic(width, stride):
    body = sequence(conv1=conv(width, 3, stride, 1), bn1=NORM, relu1=RELU, conv2=conv(width, 3, 1, 1), bn2=NORM)
    return residual(body, projection(width, stride) if stride > 1 else IDENTITY)


def cifar_resnet(blocks, width, classes):
    def stage(width, stride):
        return numbered([basic(width, stride if at == 0 else 1) for at in range(blocks)])

    return sequence(
        conv1=conv(width, 3, 1, 1), bn1=NORM, relu=RELU, layer1=stage(width, 1), layer2=stage(2 * width, 2),
        layer3=stage(4 * width, 2), avgpool=GLOBAL_MEAN, fc=linear(classes),
    )


def bottleneck(width, stride, project):
    body = sequence(
        conv1=conv(width, 1), bn1=NORM, relu1=RELU, conv2=conv(width, 3, stride, 1), bn2=NORM, relu2=RELU,
        conv3=conv(4 * width, 1), bn3=NORM,
    )
    return residual(body, projection(4 * width, stride) if project else IDENTITY)


def resnet50(classes):
    def stage(width, blocks, stride):
        return numbered([bottleneck(width, stride if at == 0 else 1, at == 0) for at in range(blocks)])

    return sequence(
        conv1=conv(64, 7, 2, 3), bn1=NORM, relu=RELU, maxpool=pool("max", 3, 2, 1), layer1=stage(64, 3, 1),
        layer2=stage(128, 4, 2), layer3=stage(256, 6, 2), layer4=stage(512, 3, 2), avgpool=GLOBAL_MEAN, fc=linear(classes),
    )

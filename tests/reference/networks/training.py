"""Writes tests/fixtures/training.json: losses of short training runs and logits of ResNet-50, from PyTorch.

Each run is done in single and in double precision: networks with rectifiers and batch normalisation amplify rounding, so
two correct single-precision programs part after a few steps. How far PyTorch itself parts tells what can be asked for.

Run: python tests/reference/networks/training.py (needs torch, numpy).
"""

import json
import pathlib

import torch

from layers import NORM, build, cifar_resnet, conv, linear, pool, resnet50, sequence
from values import fill, values

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"


# Nothing in it amplifies rounding, so its losses must agree closely.
SMOOTH = sequence(
    conv1=conv(8, 3, 1, 1, bias=True), bn1=NORM, pool=pool("avg", 2, 2), conv2=conv(6, 3, 2, 1, groups=2), fc=linear(5)
)


def images(first, count, shape, classes):
    """Image i is noise plus its class's pattern; its class is i modulo the number of classes."""
    labels = torch.arange(first, first + count) % classes
    noise = torch.stack([values(100_000 + at, shape) for at in range(first, first + count)])
    patterns = torch.stack([values(50_000 + label, shape) for label in range(classes)])
    return noise + patterns[labels] * 0.5, labels


def train(run, precision):
    shape, classes, batch = tuple(run["input"].values()), run["classes"], run["batch"]
    model, _ = build(run["layers"], shape)
    fill(model, 10)
    model.to(precision)
    masks = {}
    if run["masked"]:
        for at, (name, parameter) in enumerate(model.named_parameters()):
            if parameter.dim() > 1:
                masks[name] = (values(5000 + at, tuple(parameter.shape)) >= 0).to(precision)
    norms = [p for name, p in model.named_parameters() if "bn" in name or "downsample.1" in name]
    others = [p for name, p in model.named_parameters() if not ("bn" in name or "downsample.1" in name)]
    decay = run["weight_decay"]
    groups = [{"params": others}, {"params": norms, "weight_decay": 0.0 if run["decay"] == "except_norm" else decay}]
    if run["betas"]:
        optimizer = torch.optim.AdamW(groups, lr=0.0, betas=tuple(run["betas"]), eps=1e-8, weight_decay=decay)
    else:
        optimizer = torch.optim.SGD(groups, lr=0.0, momentum=run["momentum"], nesterov=run["nesterov"], weight_decay=decay)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=run["label_smoothing"])
    losses = []
    for step, rate in enumerate(run["rates"]):
        with torch.no_grad():
            for name, mask in masks.items():
                model.get_parameter(name).mul_(mask)
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, labels = images(step * batch, batch, shape, classes)
        optimizer.zero_grad()
        loss = loss_of(model(x.to(precision)).flatten(1), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def run(layers, shape, classes, batch, rates, **settings):
    described = {
        "layers": layers, "input": dict(zip(("channels", "height", "width"), shape)), "classes": classes, "batch": batch,
        "rates": rates, "momentum": 0.9, "nesterov": False, "weight_decay": 1e-4, "decay": "all", "label_smoothing": 0.0,
        "masked": False, "betas": None, **settings,
    }
    return {**described, "losses": train(described, torch.float32), "exact": train(described, torch.float64)}


def main():
    torch.set_num_threads(1)
    ramp = [0.1 * min(1.0, (step + 1) / 10) for step in range(20)]
    runs = [
        run(cifar_resnet(3, 16, 10), (3, 32, 32), 10, 16, [0.1] * 20),
        # At this rate the network does not amplify rounding, so that every step can be held to 5e-5.
        run(cifar_resnet(3, 16, 10), (3, 32, 32), 10, 16, [0.0001] * 20),
        run(
            cifar_resnet(1, 8, 10), (1, 8, 8), 10, 32, ramp,
            nesterov=True, weight_decay=5e-4, decay="except_norm", label_smoothing=0.1, masked=True,
        ),
    ]
    runs.append(run(SMOOTH, (3, 9, 7), 5, 12, ramp, nesterov=True, weight_decay=1e-2, label_smoothing=0.1, masked=True))
    runs.append(run(SMOOTH, (3, 9, 7), 5, 12, ramp, weight_decay=1e-2, decay="except_norm"))
    slow = [0.01 * rate for rate in ramp]
    runs.append(run(SMOOTH, (3, 9, 7), 5, 12, slow, betas=[0.9, 0.999], weight_decay=0.1, decay="except_norm", masked=True))
    runs.append(run(cifar_resnet(1, 16, 10), (3, 16, 16), 10, 16, slow, betas=[0.8, 0.99], weight_decay=0.05))
    shape = (3, 64, 64)
    model, _ = build(resnet50(1000), shape)
    fill(model, 10)
    model.eval()
    x, _ = images(0, 2, shape, 10)
    with torch.no_grad():
        logits = model(x).flatten().tolist()
    fixture = {"torch": torch.__version__, "runs": runs, "resnet50": {"layers": resnet50(1000), "logits": [float(f"{z:.6g}") for z in logits]}}
    FIXTURES.joinpath("training.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

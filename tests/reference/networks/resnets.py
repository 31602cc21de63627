"""Writes tests/fixtures/resnets.json: logits and twenty training steps of torchvision's own residual networks.

Weights and images come from `values.py`, so the fixture holds results only. Nothing is read from a pretrained file.

Why the training below is not chaotic. A ResNet-50 with random weights amplifies rounding: at learning rate 0.001 the losses
of PyTorch's own single and double precision differ by 1 % at step 2 and by 10 % at step 7, so no other program could be held
to them. Two settings calm it, and both are usual: the last scale of every block begins small (zero-gamma, Goyal et al. 2017,
with 0.1 instead of 0, so that every weight has a gradient from the first step on), and the learning rate is that of a warm-up.
The loss still falls from 6.7 to 5.3, and PyTorch parts from itself by less than 1e-5: the script prints it. What a wrong
optimiser would change is printed, too; it is five times (no weight decay) and a hundred times (momentum 0.89) the 1e-4 that
the test allows.

Run: python tests/reference/networks/resnets.py (needs torch, torchvision, numpy; two minutes).
"""

import json
import pathlib

import torch
import torchvision

from values import fill, values

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"
CLASSES, PATTERNS = 1000, 10
RECIPE = {"rate": 3e-4, "momentum": 0.9, "weight_decay": 0.05}
STEPS, BATCH, SIZE, DAMPING = 20, 8, 64, 0.1


def images(first, count, size):
    """Image i is noise plus the pattern of its class, i modulo 10."""
    shape = (3, size, size)
    labels = torch.arange(first, first + count) % PATTERNS
    noise = torch.stack([values(100_000 + at, shape) for at in range(first, first + count)])
    patterns = torch.stack([values(50_000 + label, shape) for label in range(PATTERNS)])
    return noise + patterns[labels] * 0.5, labels


def network(name):
    """Logits are of the usual size, up to 10, as the last scale of every block is small."""
    model = getattr(torchvision.models, name)(num_classes=CLASSES)
    fill(model, 10)
    last = "bn2.weight" if name in ("resnet18", "resnet34") else "bn3.weight"
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if key.endswith(last):
                parameter.mul_(DAMPING)
    return model


def logits(model, count, size):
    x, _ = images(0, count, size)
    with torch.no_grad():
        return model.double().eval()(x.double()).flatten().tolist()


def train(precision, form, rate, momentum, weight_decay):
    """Returns the losses, and the logits of two images after the last step."""
    model = network("resnet50")
    model.to(precision).to(memory_format=form).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum, weight_decay=weight_decay)
    losses = []
    for step in range(STEPS):
        x, labels = images(step * BATCH, BATCH, SIZE)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x.to(precision).contiguous(memory_format=form)), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, logits(model, 2, SIZE)


def apart(losses, exact):
    return " ".join(f"{abs(loss / true - 1):.0e}" for loss, true in zip(losses, exact))


def training():
    exact, after = train(torch.float64, torch.contiguous_format, **RECIPE)
    print("losses", " ".join(f"{loss:.3f}" for loss in exact))
    largest = max(map(abs, after))
    for form in (torch.contiguous_format, torch.channels_last):
        losses, single = train(torch.float32, form, **RECIPE)
        error = max(abs(a - b) for a, b in zip(single, after)) / largest
        print(f"float32, {form}:", apart(losses, exact), f"logits {error:.0e}", flush=True)
    for what, changes in (("no decay", {"weight_decay": 0.0}), ("momentum 0.89", {"momentum": 0.89})):
        print(f"{what}:", apart(train(torch.float32, torch.contiguous_format, **{**RECIPE, **changes})[0], exact), flush=True)
    return {**RECIPE, "losses": exact, "logits": [float(f"{z:.8g}") for z in after]}


def main():
    torch.set_num_threads(2)
    fixture = {
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "logits": [
            {"network": name, "size": size, "logits": [float(f"{z:.8g}") for z in logits(network(name), 1, size)]}
            for name, size in (("resnet18", 224), ("resnet50", 224), ("resnet18", 64))
        ],
        "batch": BATCH, "size": SIZE, "damping": DAMPING,
        "training": training(),
    }
    FIXTURES.joinpath("resnets.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

"""Trains ResNet-20 on the handwritten digits in pdsl and in PyTorch, same recipe, same split, and compares test results.

Same in both: 1 257 training and 270 test images by the rule of src/nn/data/digits.rs, normalisation, no augmentation, batches
of 64 in random order with a smaller last one, He initialisation, 12 epochs, the settings of `same_recipe.pd`. Not the same are
the random numbers, so the runs are independent, and means are compared by Welch's interval.

Three seeds are too few: their losses once lay so close together that the interval excluded 0, and with twelve the
difference was gone. PyTorch runs on one thread: on two, beside other work, it is thirty times slower on images this small.

Run: python tests/reference/networks/same_recipe.py [--seeds 12] (needs torch, numpy, and target/release/pdsl).
"""

import argparse
import csv
import gzip
import math
import pathlib
import statistics
import subprocess
import tempfile

import numpy
import torch
from torch import nn

from layers import build, cifar_resnet

ROOT = pathlib.Path(__file__).parents[3]
EPOCHS, BATCH, RATE, DROPS = 12, 64, 0.05, (8, 11)
MEAN, SD = 0.3045, 0.3757


def digits():
    """Returns images and labels of the training and of the test part."""
    with gzip.open(ROOT / "data/digits.csv.gz", "rt") as file:
        rows = numpy.loadtxt(file, delimiter=",", dtype=numpy.float32)
    seen, parts = [0] * 10, {"train": [], "test": [], "val": []}
    for at, label in enumerate(rows[:, -1].astype(int)):
        place = seen[label] % 20
        parts["val" if place in (3, 7, 11) else "test" if place in (5, 9, 13) else "train"].append(at)
        seen[label] += 1
    for part in ("train", "test"):
        chosen = torch.from_numpy(rows[parts[part]])
        yield (chosen[:, :-1].reshape(-1, 1, 8, 8) / 16 - MEAN) / SD, chosen[:, -1].long()


def train(seed, x, labels):
    torch.manual_seed(seed)
    model, _ = build(cifar_resnet(3, 16, 10), (1, 8, 8))
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    optimizer = torch.optim.SGD(model.parameters(), RATE, momentum=0.9, weight_decay=5e-4)
    for epoch in range(EPOCHS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * 0.1 ** sum(epoch >= drop for drop in DROPS)
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[batch]).flatten(1), labels[batch]).backward()
            optimizer.step()
    return model.eval()


def pytorch(seeds):
    (x, labels), (test, truth) = digits()
    assert (len(x), len(test)) == (1257, 270), (len(x), len(test))
    found = []
    for seed in range(1, seeds + 1):
        model = train(seed, x, labels)
        with torch.no_grad():
            logits = model(test).flatten(1)
        top1 = (logits.argmax(1) == truth).double().mean().item()
        found.append((top1, nn.functional.cross_entropy(logits, truth).item()))
    return found


def pdsl(seeds):
    with tempfile.TemporaryDirectory() as place:
        program = [ROOT / "target/release/pdsl", "run", ROOT / "tests/reference/networks/same_recipe.pd", "--set", f"replicates={seeds}"]
        subprocess.run([*program, "--store", f"{place}/store", "--out", place], check=True, capture_output=True)
        with open(f"{place}/tables/each.csv") as file:
            return [(float(row["top1"]), float(row["loss"])) for row in csv.DictReader(file)]


def quantile(degrees):
    """The 97.5 % point of Student's t, by bisection over Simpson's rule."""

    def density(x):
        log = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - 0.5 * math.log(degrees * math.pi)
        return math.exp(log - (degrees + 1) / 2 * math.log1p(x * x / degrees))

    def below(end, steps=2000):
        width = end / steps
        inner = sum((4 if at % 2 else 2) * density(at * width) for at in range(1, steps))
        return 0.5 + width / 3 * (density(0) + inner + density(end))

    low, high = 0.0, 100.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < 0.975 else (low, middle)
    return low


def compare(what, ours, theirs, scale, unit):
    count = len(ours)
    means, spreads = zip(*((statistics.mean(side), statistics.stdev(side)) for side in (ours, theirs)))
    errors = [spread**2 / count for spread in spreads]
    degrees = sum(errors) ** 2 / sum(error**2 / (count - 1) for error in errors)
    half = quantile(degrees) * math.sqrt(sum(errors))
    difference = means[0] - means[1]
    figures = (means[0], spreads[0], means[1], spreads[1], difference, difference - half, difference + half)
    shown = [f"{figure * scale:.3f}" for figure in figures]
    print("| {} | {} ± {} | {} ± {} | {} [{}, {}] {} |".format(what, *shown, unit))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)
    ours, theirs = pdsl(seeds), pytorch(seeds)
    print("pdsl   ", " ".join(f"{top1:.2%}" for top1, _ in ours))
    print("PyTorch", " ".join(f"{top1:.2%}" for top1, _ in theirs))
    print("| test set | pdsl, mean ± sd | PyTorch, mean ± sd | difference [95 %] |")
    print("|---|---|---|---|")
    compare("top-1", *([top1 for top1, _ in side] for side in (ours, theirs)), 100, "pp")
    compare("loss", *([loss for _, loss in side] for side in (ours, theirs)), 1, "")


if __name__ == "__main__":
    main()

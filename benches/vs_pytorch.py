#!/usr/bin/env python3
"""Training steps and inference of pdsl and of PyTorch on the same machine and threads, interleaved.

    python3 benches/vs_pytorch.py                      # everything: half an hour
    python3 benches/vs_pytorch.py --only resnet20 --threads 2 --rounds 3

Installs PyTorch from PyPI into target/vs_pytorch (3 GB) and builds `benches/step.rs` at the first call. Every round is a
process of its own for each side: pdsl, PyTorch with channels first, PyTorch with channels last. Printed are the medians of
all rounds' medians, the ratio of the faster PyTorch to pdsl (above 1: pdsl is faster), and peak memory.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLACE = ROOT / "target" / "vs_pytorch"
# mode, network, classes, image size, batch, steps
CASES = [
    ("train", "resnet50", 1000, 224, 8, 4),
    ("train", "resnet50", 1000, 224, 32, 2),
    ("train", "resnet20", 10, 32, 128, 10),
    ("train", "resnet18", 1000, 64, 64, 6),
    ("infer", "resnet50", 1000, 224, 8, 8),
    ("infer", "resnet50", 1000, 224, 32, 3),
    ("infer", "resnet20", 10, 32, 128, 20),
    ("infer", "resnet18", 1000, 64, 64, 12),
]


def peer(mode, network, classes, size, batch, steps, threads, last):
    """One process of PyTorch: prints a line of JSON like `benches/step.rs`."""
    import resource
    import time

    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)

    class Block(nn.Module):
        def __init__(self, inputs, width, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)
            self.downsample = None
            if stride > 1:
                projection = nn.Conv2d(inputs, width, 1, stride, bias=False)
                self.downsample = nn.Sequential(projection, nn.BatchNorm2d(width))

        def forward(self, x):
            y = torch.relu(self.bn1(self.conv1(x)))
            y = self.bn2(self.conv2(y))
            return torch.relu(y + (x if self.downsample is None else self.downsample(x)))

    def resnet20():
        layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
        inputs = 16
        for width in (16, 32, 64):
            for nth in range(3):
                layers.append(Block(inputs, width, 2 if width > 16 and nth == 0 else 1))
                inputs = width
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))

    if network == "resnet20":
        model = resnet20()
    else:
        import torchvision

        model = getattr(torchvision.models, network)(num_classes=classes)
    form = torch.channels_last if last else torch.contiguous_format
    model = model.to(memory_format=form)
    images = torch.randn(batch, 3, size, size).to(memory_format=form)
    labels = torch.randint(0, classes, (batch,))
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)
    times = []
    for _ in range(steps + 1):
        began = time.perf_counter()
        if mode == "train":
            model.train()
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
        else:
            model.eval()
            with torch.inference_mode():
                model(images)
        times.append((time.perf_counter() - began) * 1e3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"ms": times[1:], "peak_mib": peak}))


def install():
    """Returns an interpreter that has PyTorch."""
    python = PLACE / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", PLACE], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "torch", "torchvision"], check=True)
    return python


def build():
    """Returns the program of `benches/step.rs`."""
    built = subprocess.run(
        ["cargo", "bench", "--bench", "step", "--no-run", "--message-format=json"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE,
    ).stdout.splitlines()
    programs = [json.loads(line).get("executable") for line in built if b'"step"' in line]
    return [program for program in programs if program][-1]


def measure(command):
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout
    found = json.loads(out.splitlines()[-1])
    return statistics.median(found["ms"]), found["peak_mib"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="only cases whose description contains this text")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", help="an interpreter that has torch and torchvision, instead of a new environment")
    options = parser.parse_args()
    python, step = options.python or install(), build()
    version = subprocess.run([python, "-c", "import torch; print(torch.__version__)"], stdout=subprocess.PIPE)
    print(f"PyTorch {version.stdout.decode().strip()}, {platform.machine()}, {os.cpu_count()} cores, {options.rounds} rounds")
    print("| work | threads | pdsl ms | PyTorch ms | channels last ms | ratio | MiB | PyTorch MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for mode, network, classes, size, batch, steps in CASES:
        name = f"{network} {mode}, {size} px, batch {batch}"
        if options.only and options.only not in name:
            continue
        for threads in options.threads:
            sizes = ["--classes", classes, "--size", size, "--batch", batch, "--threads", threads, "--steps", steps]
            own = [str(step), mode, network, *map(str, sizes)]
            peers = [
                [str(python), __file__, "peer", mode, network, *map(str, (classes, size, batch, steps, threads, last))]
                for last in (0, 1)
            ]
            rounds = [[measure(command) for command in (own, *peers)] for _ in range(options.rounds)]
            times = [statistics.median(times[side][0] for times in rounds) for side in range(3)]
            memory = [max(times[side][1] for times in rounds) for side in range(3)]
            ratio = statistics.median(min(times[1][0], times[2][0]) / times[0][0] for times in rounds)
            columns = [name, threads, *(f"{time:.0f}" for time in times), f"**{ratio:.2f}**", memory[0], min(memory[1:])]
            print("| " + " | ".join(map(str, columns)) + " |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["peer"]:
        mode, network, *numbers = sys.argv[2:]
        peer(mode, network, *map(int, numbers))
    else:
        main()

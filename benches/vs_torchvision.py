#!/usr/bin/env python3
"""Reading pictures for training with pdsl and with torchvision on Pillow, one core each, interleaved.

    python3 benches/vs_torchvision.py                       # 2 000 generated pictures of 224 pixels and of 500 x 375
    python3 benches/vs_torchvision.py --pictures DIR        # cut from the JPEG files of DIR instead of generated

Needs torchvision, Pillow and numpy, and builds `benches/loader.rs`. Every round is a process of its own for each side, both
with random resized crops to 224 pixels, flips and normalisation to floats. Printed are the medians of images per second.
"""

import argparse
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZES = [(224, 224), (500, 375)]


def generate(root, count, size, pictures):
    import numpy as np
    from PIL import Image

    numbers = np.random.default_rng(1)
    sources = [Image.open(path).convert("RGB") for path in sorted(pathlib.Path(pictures).glob("*.jp*g"))] if pictures else []
    for index in range(count):
        if sources:
            source = sources[index % len(sources)]
            scale = max(size[0] / source.width, size[1] / source.height) * numbers.uniform(1, 1.3)
            image = source.resize((int(source.width * scale) + 1, int(source.height * scale) + 1), Image.LANCZOS)
            image = image.crop((0, 0, *size))
        else:
            # Noise of several sizes on top of each other compresses like a photograph.
            layers = [Image.fromarray(numbers.integers(0, 256, (side, side, 3), dtype=np.uint8)).resize(size, Image.BICUBIC)
                      for side in (3, 9, 27, 81)]
            image = Image.fromarray(np.mean([np.asarray(layer) for layer in layers], axis=0).astype(np.uint8))
        folder = root / "train" / f"{index % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        image.save(folder / f"{index:06}.jpg", quality=90)


def peer(root, evaluate):
    """One process of torchvision: prints images per second."""
    import torch
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    torch.set_num_threads(1)
    ends = [transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
    starts = [transforms.Resize(256), transforms.CenterCrop(224)] if evaluate else [
        transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip()]
    images = ImageFolder(root / "train", transforms.Compose(starts + ends))
    order = list(range(len(images)))
    random.Random(1).shuffle(order)
    began = time.perf_counter()
    for index in order:
        images[index]
    print(len(order) / (time.perf_counter() - began))


def ours(program, root, count, evaluate):
    changes = "0" if evaluate else "1"
    command = ["taskset", "-c", "0", program, str(root), "--train", str(count), "--changes", changes]
    return json.loads(subprocess.check_output(command))["epochs"][0]["images_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", help="directory of JPEG files to cut pictures from")
    parser.add_argument("--peer", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--evaluate", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return peer(options.peer, options.evaluate)
    built = subprocess.check_output(
        ["cargo", "bench", "-q", "--bench", "loader", "--no-run", "--message-format", "json"], cwd=ROOT, text=True)
    lines = [json.loads(line) for line in built.splitlines()]
    program = next(line["executable"] for line in lines if line.get("executable") and line["target"]["name"] == "loader")
    for size in SIZES:
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            generate(root, options.count, size, options.pictures)
            for evaluate in (False, True):
                times = {"pdsl": [], "torchvision": []}
                for _ in range(options.rounds):
                    times["pdsl"].append(ours(program, root, options.count, evaluate))
                    command = ["taskset", "-c", "0", sys.executable, __file__, "--peer", str(root)]
                    times["torchvision"].append(float(subprocess.check_output(command + ["--evaluate"] * evaluate)))
                pdsl, peers = (statistics.median(times[side]) for side in ("pdsl", "torchvision"))
                name = "resize and centre crop" if evaluate else "random resized crop and flip"
                print(f"{size[0]}x{size[1]}, {name}: pdsl {pdsl:.0f} img/s, torchvision {peers:.0f} img/s, ratio {pdsl / peers:.2f}")


main()

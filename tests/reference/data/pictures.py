"""Writes tests/fixtures/data/pictures: small pictures of every kind, and what torchvision makes of them.

Needs Pillow, torchvision and scikit-learn, whose two photographs (`china.jpg`, `flower.jpg`, CC BY 2.0) are cut up.
Run from the root of the repository: python tests/reference/data/pictures.py
"""

import hashlib
import json
import pathlib

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images
from torchvision.transforms import functional as F
from torchvision.transforms.functional import InterpolationMode

OUT = pathlib.Path("tests/fixtures/data/pictures")
china, flower = (Image.fromarray(image) for image in load_sample_images().images)


def write_pictures():
    OUT.mkdir(parents=True, exist_ok=True)
    photograph = china.crop((180, 120, 319, 219))
    bloom = flower.crop((200, 100, 331, 201))
    save = lambda image, name, **options: image.save(OUT / name, quality=82, **options)
    save(photograph, "s444.jpg", subsampling=0)
    save(photograph, "s422.jpg", subsampling=1)
    save(photograph, "s420.jpg", subsampling=2)
    save(bloom, "progressive.jpg", progressive=True)
    save(bloom, "restart.jpg", restart_marker_blocks=3)
    save(bloom, "rgb.jpg", keep_rgb=True)
    save(bloom.convert("L"), "grey.jpg")
    save(photograph.convert("CMYK"), "cmyk.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    save(photograph, "turned.jpg", exif=exif)
    save(china.crop((300, 200, 301, 201)), "one.jpg")
    save(china.crop((300, 200, 303, 317)), "narrow.jpg", subsampling=2)
    bloom.convert("P").save(OUT / "palette.png")
    bloom.convert("RGBA").save(OUT / "alpha.png")
    rows, columns = np.mgrid[0:2600, 0:4000]
    smooth = np.stack([columns / 16, rows / 11, (rows + columns) / 27], axis=2).astype(np.uint8)
    Image.fromarray(smooth).save(OUT / "huge.jpg", quality=20, optimize=True)
    bloom.convert("L").crop((40, 40, 56, 56)).save(OUT.parent / "grey16.jpg", quality=90)


def transforms(image):
    """What is done to a picture, by the names of the results."""
    image = image.convert("RGB")
    width, height = image.size
    crop = (height // 3, width // 5, max(height // 2, 1), max(width // 2, 1))
    yield "prepared", F.center_crop(F.resize(image, 36), [32, 32])
    yield "cropped", F.resized_crop(image, *crop, [32, 32], InterpolationMode.BILINEAR)


def colours(image):
    yield "brightness", 0.6, F.adjust_brightness(image, 0.6)
    yield "brightness", 1.4, F.adjust_brightness(image, 1.4)
    yield "contrast", 0.6, F.adjust_contrast(image, 0.6)
    yield "contrast", 1.7, F.adjust_contrast(image, 1.7)
    yield "saturation", 0.2, F.adjust_saturation(image, 0.2)
    yield "saturation", 1.9, F.adjust_saturation(image, 1.9)
    yield "hue", 0.1, F.adjust_hue(image, 0.1)
    yield "hue", -0.37, F.adjust_hue(image, -0.37)


def main():
    write_pictures()
    listed = []
    for path in sorted(OUT.iterdir()):
        image = Image.open(path)
        pixels = np.asarray(image.convert("RGB"))
        results = {name: np.asarray(result).reshape(-1).tolist() for name, result in transforms(image)}
        listed.append({
            "file": path.name,
            "width": image.width,
            "height": image.height,
            "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
            "prepared": bytes(results["prepared"]).hex(),
            "cropped": bytes(results["cropped"]).hex(),
        })
    image = flower.crop((200, 100, 224, 124))
    changes = [
        {"kind": name, "by": by, "result": np.asarray(result).tobytes().hex()} for name, by, result in colours(image)
    ]
    document = {"pictures": listed, "colours": {"image": np.asarray(image).tobytes().hex(), "changes": changes}}
    (OUT.parent / "pictures.json").write_text(json.dumps(document, indent=1) + "\n")


main()

"""Writes fixtures/pillow_resize.csv: maps enlarged and reduced by Pillow's bilinear filter on 32-bit floats.

Run with Pillow 13.0.0: python tests/reference/pillow_resize.py

Each line: height, width, new height, new width, then the map's values and the first, middle and last rows of the
result, all as the hexadecimal bits of 32-bit floats; fields are separated by commas, values by spaces.
"""

import pathlib
import struct

from PIL import Image

SIZES = [
    ((4, 4), (16, 16)),
    ((7, 7), (112, 112)),
    ((2, 2), (8, 8)),
    ((1, 1), (5, 5)),
    ((13, 13), (113, 113)),
    ((3, 5), (10, 4)),
    ((16, 16), (8, 8)),
    ((32, 32), (16, 16)),
    ((6, 6), (6, 6)),
]


def values(count, seed):
    """Pseudo-random floats in [-1, 3), some of them exactly zero, as after a rectifier."""
    state, found = seed, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        value = (state >> 40) / 2**22 - 1.0
        found.append(0.0 if value < -0.5 else value)
    return found


def bits(floats):
    return " ".join(f"{struct.unpack('<I', struct.pack('<f', v))[0]:08x}" for v in floats)


lines = []
for seed, ((h, w), (to_h, to_w)) in enumerate(SIZES, start=1):
    source = values(h * w, seed)
    picture = Image.frombytes("F", (w, h), struct.pack(f"<{h * w}f", *source))
    resized = picture.resize((to_w, to_h), resample=Image.Resampling.BILINEAR)
    result = struct.unpack(f"<{to_h * to_w}f", resized.tobytes())
    rows = [result[y * to_w : (y + 1) * to_w] for y in (0, to_h // 2, to_h - 1)]
    lines.append(f"{h},{w},{to_h},{to_w},{bits(source)},{bits(v for row in rows for v in row)}\n")
path = pathlib.Path(__file__).parent / "fixtures" / "pillow_resize.csv"
path.write_text("".join(lines))

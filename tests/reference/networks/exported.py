"""Takes networks that pdsl has trained and pruned to torchvision and back.

`pdsl export` writes safetensors; torchvision's own ResNet-18 and ResNet-50 load them with strict=True. On the 270 test digits
both classify alike, and the mean losses, which see every logit, agree. What torchvision saves, as safetensors and in both
forms of PyTorch's own files, pdsl loads, and evaluates to the same bits as before. Digits have one channel: torchvision's first convolution is made for one as well.

Run: python tests/reference/networks/exported.py (needs torch, torchvision, safetensors, and target/release/pdsl).
"""

import csv
import json
import pathlib
import subprocess
import tempfile

import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn

from same_recipe import digits

PDSL = pathlib.Path(__file__).parents[3] / "target/release/pdsl"
COMMON = """
import std.data.{{digits}}
import std.models.{{{network}}}
import std.prune.{{one_shot}}
let task = digits()
let network = {network}(classes: task.classes, channels: 1, size: 8)
let recipe = sgd(lr: drops(0.02, at: [2ep], by: 0.1), momentum: 0.9, weight_decay: 5e-4, batch: 64)
"""
TRAINED = """
let runs = sweep seed in seeds(1) {{
  let trained = network |> init(seed) |> train(task, recipe, until: 3ep)
  let found = evaluate(trained |> prune(one_shot(30%)), task.test)
  {{ top1: found.top1, loss: found.loss }}
}}
table each = runs
"""
LOADED = """
let runs = sweep seed in seeds(1) {{
  let found = evaluate(load("{file}", network), task.test)
  {{ top1: found.top1, loss: found.loss }}
}}
table each = runs
"""


def call(place, *words):
    done = subprocess.run([PDSL, *words, "--store", place / "store"], cwd=place, check=True, capture_output=True, text=True)
    return done.stdout


def evaluated(place, network, program, file=""):
    """Runs a program and returns its single row, as written."""
    place.joinpath("program.pd").write_text((COMMON + program).format(network=network, file=file))
    call(place, "run", "program.pd", "--out", place / "out")
    with open(place / "out/tables/each.csv") as file:
        (row,) = csv.DictReader(file)
    return float(row["top1"]), float(row["loss"])


def check(network, place):
    top1, loss = evaluated(place, network, TRAINED)
    stages = json.loads(call(place, "plan", "program.pd", "--json"))["stages"]
    (pruned,) = (stage["key"] for stage in stages if stage["op"] == "prune")
    call(place, "export", pruned, "-o", place / "out.safetensors")

    model = getattr(torchvision.models, network)(num_classes=10)
    model.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    weights = load_file(place / "out.safetensors")
    model.load_state_dict(weights, strict=True)
    zeros = sum((tensor == 0).sum().item() for tensor in weights.values() if tensor.dim() > 1)
    _, (test, truth) = digits()
    with torch.no_grad():
        logits = model.double().eval()(test.double())
    theirs = nn.functional.cross_entropy(logits, truth).item()
    hits = (logits.argmax(1) == truth).double().mean().item()
    assert abs(hits - top1) < 1e-9 and abs(theirs / loss - 1) < 1e-5, (hits, top1, theirs, loss)

    state = model.float().state_dict()
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, place / "back.safetensors")
    torch.save({"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}, place / "back.pth")
    torch.save(state, place / "legacy.pth", _use_new_zipfile_serialization=False)
    for file in ("back.safetensors", "back.pth", "legacy.pth"):
        again = evaluated(place, network, LOADED, file)
        assert again == (top1, loss), (file, again, top1, loss)
    entries = len(weights)
    print(
        f"{network}: {entries} entries loaded with strict=True, {zeros} pruned weights; top-1 {top1:.2%} in both; "
        f"loss {loss:.9f}, torchvision {theirs:.9f} ({abs(theirs / loss - 1):.0e}), back in pdsl {again[1]:.9f}"
    )


def main():
    torch.set_num_threads(1)
    for network in ("resnet18", "resnet50"):
        with tempfile.TemporaryDirectory() as place:
            check(network, pathlib.Path(place))


main()

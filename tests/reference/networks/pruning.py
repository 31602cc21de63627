"""Writes tests/fixtures/pruning.json: masks of torch.nn.utils.prune.

Run: python tests/reference/networks/pruning.py (needs torch, numpy).
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn.utils import prune

from layers import build, cifar_resnet
from values import fill

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"


def gone(module, names):
    """Lists the pruned places of each parameter."""
    masks = {}
    for name in names:
        mask = module.get_submodule(name).weight_mask
        masks[f"{name}.weight"] = (mask.flatten() == 0).nonzero().flatten().tolist()
    return masks


def main():
    layers, shape = cifar_resnet(1, 4, 5), (1, 8, 8)
    cases = []
    for scope in ("global", "per_layer"):
        for rates in (["1/5"], ["1/5", "1/5", "1/5"], ["1/2", "1/4"], ["5/14"]):
            model, _ = build(layers, shape)
            fill(model, 20)
            names = [name for name, part in model.named_modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
            for rate in rates:
                amount = int(rate.split("/")[0]) / int(rate.split("/")[1])
                if scope == "global":
                    parts = [(model.get_submodule(name), "weight") for name in names]
                    prune.global_unstructured(parts, pruning_method=prune.L1Unstructured, amount=amount)
                else:
                    for name in names:
                        prune.l1_unstructured(model.get_submodule(name), "weight", amount=amount)
            cases.append({"scope": scope, "rates": rates, "gone": gone(model, names)})
    counts = [[share, total, round(share * total)] for share, total in [(0.4, 17), (0.5, 5), (0.5, 7), (1.0, 15), (0.1, 25)]]
    fixture = {"torch": torch.__version__, "layers": layers, "input": dict(zip(("channels", "height", "width"), shape)), "cases": cases, "counts": counts}
    FIXTURES.joinpath("pruning.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


main()

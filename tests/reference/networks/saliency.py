"""Writes tests/fixtures/saliency.json: what SNIP, GraSP, SynFlow and filter pruning remove, from PyTorch in double
precision. Scores are computed from their definitions, with exact second derivatives.

Run: python tests/reference/networks/saliency.py (needs torch, numpy).
"""

import json
import pathlib

import torch
from torch import nn
from torch.nn.utils import prune

from layers import build, cifar_resnet
from training import images
from values import fill

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"
SPARSITIES = ["1/5", "1/2", "9/10", "99/100"]
SHAPE, CLASSES, BATCH = (3, 12, 12), 10, 40
TEMPERATURE = 200.0


def prunable(model):
    return {f"{name}.weight": part.weight for name, part in model.named_modules() if isinstance(part, (nn.Conv2d, nn.Linear))}


def loss_of(model, temperature):
    x, labels = images(0, BATCH, SHAPE, CLASSES)
    return nn.functional.cross_entropy(model(x.double()).flatten(1) / temperature, labels)


def sensitivity(model):
    weights = prunable(model)
    slopes = torch.autograd.grad(loss_of(model, 1.0), list(weights.values()))
    return {name: (weight * slope).abs() for (name, weight), slope in zip(weights.items(), slopes)}


def gradient_flow(model):
    weights = prunable(model)
    slopes = torch.autograd.grad(loss_of(model, TEMPERATURE), list(weights.values()), create_graph=True)
    product = sum((slope.detach() * slope).sum() for slope in slopes)
    curved = torch.autograd.grad(product, list(weights.values()))
    return {name: weight * curve for (name, weight), curve in zip(weights.items(), curved)}


def synaptic_flow(model):
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.abs_()
    model.eval()
    weights = prunable(model)
    slopes = torch.autograd.grad(model(torch.ones(1, *SHAPE).double()).sum(), list(weights.values()))
    return {name: (weight * slope).abs() for (name, weight), slope in zip(weights.items(), slopes)}


def lowest(scores, sparsity):
    """Lists the places, counted through all parameters, of the lowest scores."""
    flat = torch.cat([score.flatten() for score in scores.values()])
    share, whole = map(int, sparsity.split("/"))
    gone = len(flat) - round((whole - share) * len(flat) / whole)
    return torch.argsort(flat)[:gone].sort().values.tolist()


def filters(model, share):
    gone = {}
    for name, part in model.named_modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            prune.ln_structured(part, "weight", amount=share, n=1, dim=0)
            gone[f"{name}.weight"] = (part.weight_mask.flatten(1).sum(1) == 0).nonzero().flatten().tolist()
    return gone


def main():
    layers = cifar_resnet(1, 8, CLASSES)

    def made():
        model, _ = build(layers, SHAPE)
        fill(model, 30)
        return model.double()

    rules = {"sensitivity": sensitivity, "gradient_flow": gradient_flow, "synaptic_flow": synaptic_flow}
    cases = []
    for rule, score in rules.items():
        scores = score(made())
        cases.extend({"rule": rule, "sparsity": sparsity, "gone": lowest(scores, sparsity)} for sparsity in SPARSITIES)
    fixture = {
        "torch": torch.__version__, "layers": layers, "input": dict(zip(("channels", "height", "width"), SHAPE)),
        "classes": CLASSES, "batch": BATCH, "temperature": TEMPERATURE, "cases": cases, "filters": filters(made(), 0.25),
    }
    FIXTURES.joinpath("saliency.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

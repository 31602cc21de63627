"""Writes tests/fixtures/operations.{json,safetensors}: outputs and gradients of single layers, from PyTorch.

Run: python tests/reference/networks/operations.py (needs torch, numpy, safetensors).
"""

import json
import pathlib

import torch
from safetensors.torch import save_file

from layers import GLOBAL_MEAN, IDENTITY, NORM, RELU, build, conv, linear, pool, residual, sequence
from values import fill, values

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"

CASES = [
    # layer, (channels, height, width), images
    (conv(4, 1), (3, 5, 4), 2),
    (conv(17, 1, bias=True), (9, 3, 3), 3),
    (conv(5, 1, stride=2), (4, 7, 6), 2),
    (conv(3, 1, stride=3, pad=1), (2, 8, 5), 1),
    (conv(8, 3, pad=1), (8, 6, 6), 2),
    (conv(16, 3, pad=1), (1, 8, 8), 2),
    (conv(33, 3, stride=2, pad=1), (5, 7, 9), 1),
    (conv(6, 3, pad=2, dilation=2, bias=True), (4, 7, 8), 2),
    (conv(6, 3, stride=2, pad=3, dilation=3), (4, 9, 8), 2),
    (conv(6, 3, pad=1, groups=3), (9, 5, 6), 2),
    (conv(8, 3, pad=1, groups=8), (8, 6, 5), 2),
    (conv(8, 3, stride=2, pad=1, groups=2, bias=True), (4, 6, 7), 1),
    (conv(4, 2, stride=2), (3, 6, 8), 2),
    (conv(4, 4, stride=2, pad=1), (3, 9, 7), 2),
    (conv(4, 2, stride=5, pad=1), (3, 11, 8), 2),
    (conv(3, (2, 3), pad=1), (2, 5, 7), 2),
    (conv(3, (1, 5), stride=2, pad=2), (2, 6, 9), 2),
    (conv(4, 7, stride=2, pad=3), (3, 15, 14), 1),
    (conv(5, (6, 4)), (2, 6, 4), 3),
    (conv(3, 1, pad=2), (2, 3, 2), 2),
    (linear(7), (5, 1, 1), 4),
    (linear(10), (3, 4, 2), 3),
    (linear(20), (70, 1, 1), 1),
    (NORM, (3, 4, 5), 4),
    (NORM, (8, 3, 3), 3),
    (NORM, (16, 5, 5), 2),
    (NORM, (20, 3, 2), 2),
    (NORM, (24, 1, 1), 6),
    (RELU, (3, 4, 5), 2),
    (pool("max", 2, 2), (3, 6, 8), 2),
    (pool("max", 3, 2, 1), (4, 7, 8), 2),
    (pool("max", 3, 1, 1), (2, 5, 5), 1),
    (pool("max", 2, 3), (2, 9, 8), 2),
    (pool("max", 2, 2), (2, 7, 5), 2),
    (pool("avg", 2, 2), (3, 7, 5), 2),
    (pool("avg", 3, 2, 1), (4, 7, 8), 2),
    (pool("avg", 2, 3), (2, 9, 8), 1),
    (GLOBAL_MEAN, (5, 4, 3), 2),
    (residual(sequence(conv1=conv(4, 3, pad=1), bn1=NORM), after=RELU), (4, 5, 5), 3),
    (residual(sequence(relu=RELU, conv1=conv(4, 3, pad=1)), after=IDENTITY), (4, 5, 5), 3),
    (residual(sequence(conv1=conv(6, 3, stride=2, pad=1)), sequence(down=conv(6, 1, stride=2)), RELU), (4, 6, 5), 2),
    # Channels in sixteens take the way of Winograd.
    (conv(16, 3, pad=1), (16, 6, 6), 2),
    (conv(32, 3, pad=1), (16, 5, 7), 2),
    (conv(16, 3), (32, 6, 5), 1),
    (conv(16, 3, pad=2, bias=True), (16, 4, 3), 2),
    # What is joined with a normalisation.
    (residual(sequence(conv1=conv(16, 3, pad=1), bn1=NORM), after=RELU), (16, 5, 5), 2),
    (residual(sequence(bn1=NORM), after=RELU), (4, 3, 3), 3),
    (residual(sequence(conv1=conv(6, 1), bn1=NORM, relu=RELU), sequence(down=conv(6, 1), bn=NORM), RELU), (4, 3, 5), 3),
    (residual(sequence(conv1=conv(6, 1), bn1=NORM), sequence(down=conv(6, 1), bn=NORM), RELU), (4, 3, 5), 3),
]


def main():
    torch.set_num_threads(1)
    described, tensors = [], {}
    for at, (layer, shape, count) in enumerate(CASES):
        described.append({"layer": sequence(op=layer), "input": dict(zip(("channels", "height", "width"), shape)), "images": count})
        module, out = build(sequence(op=layer), shape)
        stream = 1000 * (at + 1)
        fill(module, stream)
        x = values(stream + 900, (count, *shape)).requires_grad_()
        module.eval()
        tensors[f"{at}/evaluated"] = module(x).detach().clone()
        module.train()
        y = module(x)
        (y * values(stream + 901, tuple(y.shape))).sum().backward()
        assert tuple(y.shape[1:]) == out, (layer, y.shape, out)
        tensors[f"{at}/output"] = y.detach().clone()
        tensors[f"{at}/input"] = x.grad.clone()
        for name, parameter in module.named_parameters():
            tensors[f"{at}/gradient/{name}"] = parameter.grad.clone()
        for name, buffer in module.named_buffers():
            if "running" in name:
                tensors[f"{at}/buffer/{name}"] = buffer.clone()
    FIXTURES.joinpath("operations.json").write_text(json.dumps(described, separators=(",", ":")) + "\n")
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(tensors, FIXTURES / "operations.safetensors", {"torch": torch.__version__})


main()

"""Writes `tests/fixtures/checkpoints/`: one small network in every form in which PyTorch saves weights, and hostile files.

`expected.safetensors` holds what each of them must be read as, computed by PyTorch; `half.safetensors` and
`pruned.safetensors` what the files of those names must be read as.

Run: python tests/reference/networks/checkpoints.py (needs torch, safetensors, numpy, onnx).
"""

import argparse
import collections
import os
import pathlib
import pickle

import numpy
import onnx
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils import prune

HERE = pathlib.Path(__file__).parents[2] / "fixtures/checkpoints"


def network():
    torch.manual_seed(7)
    net = nn.Sequential(
        collections.OrderedDict(
            conv1=nn.Conv2d(1, 4, 3, padding=1, bias=False),
            bn1=nn.BatchNorm2d(4),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(4, 6, 3, stride=2, groups=2),
            pool=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
            fc=nn.Linear(6, 10),
        )
    )
    net(torch.randn(8, 1, 8, 8))  # running statistics that are not 0 and 1
    return net.eval()


def plain(tensors):
    return {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}


def zeroed(net):
    """A quarter of the weights of each layer, the smallest, as zeros."""
    with torch.no_grad():
        for layer in (net.conv1, net.conv2, net.fc):
            flat = layer.weight.abs().flatten()
            layer.weight[layer.weight.abs() < flat.kthvalue(flat.numel() // 4 + 1).values] = 0
    return net


class Hostile:
    """Runs a command when Python reads it."""

    def __reduce__(self):
        return os.system, ("echo hostile > /tmp/pdsl-hostile",)


def save(name, value, **how):
    torch.save(value, HERE / name, **how)


def write_whole(net):
    state = net.state_dict()
    save_file(plain(state), HERE / "expected.safetensors", metadata={"format": "pt"})
    save("zip.pth", state)
    save("legacy.pth", state, _use_new_zipfile_serialization=False)
    for protocol in (4, 5):
        save(f"protocol{protocol}.pth", state, pickle_protocol=protocol)
    numpy.savez(HERE / "plain.npz", **{name: tensor.numpy() for name, tensor in plain(state).items()})
    numpy.savez_compressed(
        HERE / "compressed.npz", **{name: numpy.array(tensor.numpy(), order="F") for name, tensor in plain(state).items()}
    )


def write_wrapped(net):
    state = net.state_dict()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[3, 5])
    net(torch.randn(2, 1, 8, 8)).sum().backward()
    optimizer.step()
    net.load_state_dict(torch.load(HERE / "zip.pth"))
    beside = {
        "epoch": 3,
        "arch": "small",
        "best": torch.tensor(0.5),
        "score": numpy.float64(0.25),
        "seed": 2**70,
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "args": argparse.Namespace(lr=0.1, output=pathlib.Path("runs"), widths=[4, 6]),
    }
    save("wrapped.pth", {**beside, "state_dict": net.state_dict()})
    save("model.pth", {"model": {"model_state_dict": state}, "settings": {"widths": (4, 6), "dtype": torch.float32}})
    save("module.pth", {f"module._orig_mod.{name}": tensor for name, tensor in state.items()})
    save("parameters.pth", {**state, **dict(net.named_parameters())})


def write_odd(net):
    state = plain(net.state_dict())
    odd = collections.OrderedDict(state)
    odd["conv2.weight"] = state["conv2.weight"].permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0)
    both = torch.cat([torch.ones(5), state["bn1.weight"], state["bn1.bias"]])
    odd["bn1.weight"], odd["bn1.bias"] = both[5:9], both[9:13]
    odd["fc.weight"] = state["fc.weight"].double()
    odd["bn1.num_batches_tracked"] = state["bn1.num_batches_tracked"].int()
    for name, how in (("views.pth", {}), ("views_legacy.pth", {"_use_new_zipfile_serialization": False})):
        save(name, odd, **how)

    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    half["fc.weight"] = state["fc.weight"].bfloat16()
    save("half.pth", half)
    save_file({name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in half.items()},
              HERE / "half.safetensors")


def write_pruned(net):
    for layer in (net.conv1, net.conv2, net.fc):
        prune.l1_unstructured(layer, "weight", amount=0.5)
    save("pruned.pth", net.state_dict())
    for layer in (net.conv1, net.conv2, net.fc):
        prune.remove(layer, "weight")
    save_file(plain(net.state_dict()), HERE / "pruned.safetensors")


def write_refused(net):
    save("hostile.pth", {"conv1.weight": torch.zeros(1), "x": Hostile()})
    save("hostile_legacy.pth", {"x": Hostile()}, _use_new_zipfile_serialization=False)
    save("whole.pth", net.conv1)
    save("several.pth", {"net": net.state_dict(), "model": net.state_dict()})
    save("empty.pth", {"epoch": 3, "notes": ["none", 1.5, None, True, {1, 2}]})
    (HERE / "list.pkl").write_bytes(pickle.dumps([1, 2, 3]))
    torch.jit.trace(net.fc, torch.zeros(1, 6)).save(HERE / "script.pt")


def write_graph(net):
    """A graph with each of the ways in which initialisers hold numbers."""
    weights = plain(net.state_dict())
    make = onnx.helper.make_tensor
    held = [
        onnx.numpy_helper.from_array(weights["conv1.weight"].numpy(), "conv1.weight"),
        make("fc.weight", onnx.TensorProto.FLOAT, [10, 6], weights["fc.weight"].flatten().tolist()),
        make("fc.bias", onnx.TensorProto.DOUBLE, [10], weights["fc.bias"].double().tolist()),
        make("steps", onnx.TensorProto.INT64, [2], [5, 6]),
    ]
    info = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 6]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "small", info[:1], info[1:], held)
    onnx.save(onnx.helper.make_model(graph), HERE / "small.onnx")


def main():
    HERE.mkdir(parents=True, exist_ok=True)
    write_whole(zeroed(network()))
    write_wrapped(zeroed(network()))
    write_odd(zeroed(network()))
    write_pruned(zeroed(network()))
    write_refused(zeroed(network()))
    write_graph(zeroed(network()))


main()

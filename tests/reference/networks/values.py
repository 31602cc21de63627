"""Numbers that Python and Rust make alike, so that fixtures need to hold results only.

value(stream, i) hashes (stream, i) to 32 bits, keeps the upper 24 and maps them to [-1, 1): exact in float32.
`tests/numerics/values.rs` is the same in Rust.
"""

import numpy
import torch


def mixed(x):
    x = x ^ (x >> numpy.uint32(16))
    x = x * numpy.uint32(0x7FEB352D)
    x = x ^ (x >> numpy.uint32(15))
    x = x * numpy.uint32(0x846CA68B)
    return x ^ (x >> numpy.uint32(16))


def values(stream, shape, first=0):
    """Returns value(stream, first), value(stream, first + 1), … as a tensor of the shape given."""
    count = int(numpy.prod(shape)) if len(shape) else 1
    with numpy.errstate(over="ignore"):
        place = mixed(numpy.arange(first, first + count, dtype=numpy.uint32))
        bits = mixed(place + numpy.uint32(stream) * numpy.uint32(0x9E3779B9))
    numbers = (bits >> numpy.uint32(8)).astype(numpy.float32) * numpy.float32(2.0**-23) - numpy.float32(1)
    return torch.from_numpy(numbers.reshape(shape))


def fill(module, stream):
    """Fills a state dict: weights of spread sqrt(6 / fan-in), scales and variances around 1, the rest small."""
    for at, (name, tensor) in enumerate(module.state_dict().items()):
        if name.endswith("num_batches_tracked"):
            continue
        numbers = values(stream + at, tuple(tensor.shape))
        if tensor.dim() > 1:
            fan_in = tensor[0].numel()
            numbers = numbers * numpy.float32(numpy.sqrt(6.0 / fan_in))
        elif name.endswith("running_var") or is_scale(module, name):
            numbers = numbers * 0.5 + 1
        else:
            numbers = numbers * 0.125
        tensor.copy_(numbers)


def is_scale(module, name):
    owner = module.get_submodule(name.rpartition(".")[0])
    return isinstance(owner, torch.nn.BatchNorm2d) and name.endswith(".weight")

"""Holds exported networks to pdsl's own logits.

Runs `onnx_check.pd` (three networks, trained and pruned), exports each in every format, and asks of the graphs, with
batch normalisations kept and folded: that ONNX's checker accepts them; that onnxruntime computes, for one image and for
many, the logits that pdsl computes (`examples/logits.rs`) to 1e-4; that `pdsl show` counts the same sparsity in the stage and
in every file; and that NumPy finds as many zeros.

Run: python tests/reference/networks/onnx_check.py (needs numpy, onnx, onnxruntime; target/release/pdsl and
target/release/examples/logits).
"""

import json
import os
import pathlib
import subprocess
import tempfile

import numpy
import onnx
import onnxruntime

HERE = pathlib.Path(__file__).parent
RELEASE = HERE.parents[2] / "target/release"
TOLERANCE = 1e-4


def call(place, *words):
    command = [RELEASE / "pdsl", *words]
    settings = {**os.environ, "PDSL_STORE": str(place / "store"), "PDSL_DEVICE": "cpu"}
    return subprocess.run(command, cwd=place, env=settings, check=True, stdout=subprocess.PIPE, text=True).stdout


def own_logits(place, arch, images):
    """What pdsl computes from the exported state dict."""
    place.joinpath("arch.json").write_text(json.dumps(arch))
    images.tofile(place / "images.f32")
    files = [place / name for name in ("arch.json", "out.safetensors", "images.f32", "logits.f32")]
    subprocess.run([RELEASE / "examples/logits", *files], check=True)
    return numpy.fromfile(place / "logits.f32", numpy.float32).reshape(len(images), -1)


def graph_logits(path, images):
    """What onnxruntime computes, image by image and all together."""
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (whole,) = session.run(["logits"], {"images": images})
    (first,) = session.run(["logits"], {"images": images[:1]})
    assert numpy.allclose(first, whole[:1], atol=1e-5 * abs(whole).max()), "the batch matters"
    return whole


def sparsity(place, shown):
    return json.loads(call(place, "show", shown, "--json"))["sparsity"]


def check(place, key):
    for words in (["out.safetensors"], ["out.npz"], ["kept.onnx"], ["folded.onnx", "--fold-batch-norm"]):
        call(place, "export", key, "-o", *words)
    stage = json.loads(call(place, "show", key, "--json"))
    arch = stage["preimage"]["args"]["arch"]
    size = arch["input"]
    shape = (6, size["channels"], size["height"], size["width"])
    images = numpy.random.default_rng(11).normal(size=shape).astype(numpy.float32)
    expected = own_logits(place, arch, images)

    errors = {}
    for how in ("kept", "folded"):
        found = graph_logits(place / f"{how}.onnx", images)
        assert found.shape == expected.shape, (found.shape, expected.shape)
        errors[how] = abs(found - expected).max()
        assert errors[how] <= TOLERANCE, (how, errors[how])
    nodes = {how: [node.op_type for node in onnx.load(place / f"{how}.onnx").graph.node] for how in errors}
    assert nodes["folded"].count("BatchNormalization") < nodes["kept"].count("BatchNormalization")

    stored = stage["sparsity"]
    assert stored["prunable"]["zeros"] > 0.59 * stored["prunable"]["weights"]
    for file in ("out.safetensors", "out.npz", "kept.onnx"):
        assert sparsity(place, file) == stored, file
    assert sparsity(place, "folded.onnx")["prunable"] == stored["prunable"]
    arrays = numpy.load(place / "out.npz")
    assert sum(int((arrays[layer["name"]] == 0).sum()) for layer in stored["layers"]) == stored["prunable"]["zeros"]
    share, layers = stored["prunable"]["sparsity"], len(stored["layers"])
    print(
        f"{layers} layers, {shape[2]} px, {share:.2%} of the weights pruned: logits up to {abs(expected).max():.1f}, in "
        f"onnxruntime {errors['kept']:.0e} apart with normalisations, {errors['folded']:.0e} with them folded"
    )


def main():
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        program = HERE / "onnx_check.pd"
        call(place, "run", program)
        stages = json.loads(call(place, "plan", program, "--json"))["stages"]
        pruned = [stage for stage in stages if stage["op"] == "prune"]
        assert len(pruned) == 3
        for stage in pruned:
            check(place, stage["key"])


main()

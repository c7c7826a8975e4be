"""How long an export takes: our rules, torch's exporter, and the old TorchScript exporter. CPU seconds, one thread.

Each cell runs in a process of its own, ``fresh`` (torch was just imported) or ``trained`` (one optimizer step was
taken, as in a process of a study: that step loads much of torch that a recording needs too). ``first_s`` is the first
export in the process with all its imports, ``second_s`` the next one. Finished cells are kept.

Run: python benchmarks/export_time.py [--out DIR]
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NETS = ("plain", "tabular", "convnet", "resnet")
WAYS = ("rules", "general", "torchscript")


def made(net: str) -> tuple[Any, Any, Any]:
    """Return the shape of an image or None, what the net is told of the data, and the net, its weights jittered."""
    import torch

    from temperance.models import ModelInfo, build

    shape = (32, 32, 3) if net in ("convnet", "resnet") else None
    info = ModelInfo(0 if shape else 20, () if shape else (5, 30, 3), 3, "multiclass", shape, 10_000)
    module = build(net, info, 0).eval()
    with torch.no_grad():
        for p in module.parameters():
            p.add_(torch.randn(p.shape, generator=torch.Generator().manual_seed(1)) * 0.05)
    return shape, info, module


def difference(data: bytes, module: Any, args: tuple[Any, ...]) -> float:
    """Return the largest difference between the exported graph and torch on these inputs."""
    import numpy as np
    import torch

    from temperance.deployment.bundle import session

    runner = session(data)
    with torch.no_grad():
        expected = module(*args).double().numpy()
    names = [entry.name for entry in runner.get_inputs()]
    actual = runner.run(None, dict(zip(names, (a.numpy() for a in args), strict=True)))[0]
    return float(np.abs(actual - expected).max())


def cell(net: str, way: str, process: str) -> dict[str, float]:
    """Export ``net`` twice by ``way`` and return CPU seconds of each, and the largest difference to torch."""
    import io
    import warnings

    import numpy as np
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    shape, info, module = made(net)

    def feed(rows: int) -> tuple[tuple[torch.Tensor, ...], dict[str, torch.Tensor]]:
        generator = torch.Generator().manual_seed(rows)
        if shape:
            return (torch.randn(rows, 3, 32, 32, generator=generator),), {}
        codes = torch.stack([torch.randint(0, c, (rows,), generator=generator) for c in info.cardinalities], 1)
        return (torch.randn(rows, 20, generator=generator), codes), {}

    def export() -> bytes:
        if way == "torchscript":
            file = io.BytesIO()
            names = ["a", "b"][: len(feed(1)[0])]
            axes = {name: {0: "b"} for name in names}
            torch.onnx.export(
                module, feed(5)[0], file, dynamo=False, input_names=names, dynamic_axes=axes, opset_version=20
            )
            return file.getvalue()
        return ours(way)

    def ours(exporter: str) -> bytes:
        from temperance.deployment.aten import draw_module
        from temperance.deployment.general import draw_general
        from temperance.deployment.sketch import Sketch, onnx_package
        from temperance.records.schema import Column, Schema, Target

        sketch = Sketch(Schema((Column("x", "numeric"),), Target("y", "regression")))
        helper, kinds = onnx_package().helper, onnx_package().TensorProto
        entries = [("a", kinds.FLOAT, list(feed(1)[0][0].shape[1:]))]
        if not shape:
            entries.append(("b", kinds.INT64, [3]))
        sketch._inputs = [helper.make_tensor_value_info(name, kind, ["b", *size]) for name, kind, size in entries]
        draw = draw_module if exporter == "rules" else draw_general
        value = draw(sketch, module, feed, [name for name, _, _ in entries])
        return sketch.finish(
            {"out": (sketch.cast(value.name, np.float64), ["b", *value.shape[1:]])}
        ).SerializeToString()

    if process == "trained":
        optimizer = torch.optim.AdamW(module.parameters(), lr=1e-4)
        module(*feed(8)[0]).sum().backward()
        optimizer.step()
        module.zero_grad()
    seconds = []
    for _ in range(2):
        begin = time.process_time()
        data = export()
        seconds.append(time.process_time() - begin)
    return {"first_s": seconds[0], "second_s": seconds[1], "difference": difference(data, module, feed(64)[0])}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "records" / "export_time")
    parser.add_argument("--cell", nargs=3)
    options = parser.parse_args()
    if options.cell:
        print(json.dumps(cell(*options.cell)))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    for net in NETS:
        for way, process in itertools.product(WAYS, ("fresh", "trained")):
            path = options.out / f"{net}-{way}-{process}.json"
            if not path.exists():
                path.write_text(json.dumps(measured(net, way, process), indent=1) + "\n")
            print(net, way, process, json.loads(path.read_text())["figures"])


def measured(net: str, way: str, process: str) -> dict[str, object]:
    import numpy
    import onnx
    import onnxruntime
    import torch

    command = [sys.executable, __file__, "--cell", net, way, process]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    figures = json.loads(lines[-1]) if done.returncode == 0 else {"failed": done.stderr.strip().splitlines()[-1][:300]}
    versions = {m.__name__: m.__version__ for m in (torch, onnx, onnxruntime, numpy)}
    return {
        "command": f"python benchmarks/export_time.py --cell {net} {way} {process}",
        "seed": 0,
        "python": platform.python_version(),
        "versions": versions,
        "threads": 1,
        "figures": figures,
        "not_verified": "wall clock; the machine was shared, so CPU seconds of the process are given",
    }


if __name__ == "__main__":
    main()

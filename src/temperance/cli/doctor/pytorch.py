"""PyTorch: which build it is, whether it works, and what does not go with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Any, ClassVar

from temperance.cli.doctor.base import BROKEN, FINE, LOOK, Check, Condition
from temperance.cli.doctor.probe import attempt

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
GPU_PARTS = ("nvidia-", "cuda-", "triton")
BESIDE = ("torchvision", "torchaudio")  # built for one build of torch each; only they can break by being there
# A step of training, and NumPy both ways: what a build for another NumPy or another processor fails at.
STEP = """
import warnings, torch, numpy
x = torch.from_numpy(numpy.ones((4, 3), dtype=numpy.float32))
net = torch.nn.Linear(3, 1)
net(x).sum().backward()
assert net.weight.grad.numpy().shape == (1, 3)
mps = getattr(torch.backends, "mps", None)
tell(version=torch.__version__, cuda_build=torch.version.cuda, hip_build=getattr(torch.version, "hip", None),
     cuda=torch.cuda.is_available(), mps=bool(mps and mps.is_available()), threads=torch.get_num_threads())
"""
ON_DEVICE = """
import torch
net = torch.nn.Linear(3, 1).to({device!r})
net(torch.ones(4, 3, device={device!r})).sum().backward()
name = torch.cuda.get_device_name(0) if {device!r} == "cuda" else "Apple GPU"
tell(name=name, grad=float(net.weight.grad.sum().cpu()))
"""


@dataclass(frozen=True)
class PyTorch(Check):
    """Looks at PyTorch and its neighbours."""

    name: ClassVar[str] = "PyTorch"

    def examine(self) -> Iterator[Condition]:
        tried = attempt(STEP)
        if not tried.worked:
            yield Condition(
                "PyTorch", BROKEN, f"PyTorch does not work here: {tried.why}.",
                f"pip install --force-reinstall torch --index-url {CPU_INDEX}", {"why": tried.why},
            )  # fmt: skip
        else:
            yield build_of(tried.facts, has_driver=_has_driver())
            yield from _devices(tried.facts)
        yield from neighbours(_installed(), str(tried.facts.get("version", "")))


def build_of(facts: dict[str, Any], *, has_driver: bool) -> Condition:
    """Say which build of PyTorch this is and whether it fits the machine.

    Args:
        facts: what PyTorch told about itself.
        has_driver: a driver of NVIDIA is installed.

    """
    version = facts["version"]
    made_for = facts.get("cuda_build") and f"CUDA {facts['cuda_build']}"
    made_for = made_for or (facts.get("hip_build") and f"ROCm {facts['hip_build']}")
    if facts["cuda"]:
        return Condition("PyTorch", FINE, f"PyTorch {version} for {made_for} takes a step and sees a GPU.", facts=facts)
    if made_for and has_driver:
        return Condition(
            "PyTorch", LOOK, f"PyTorch {version} is built for {made_for}, but cannot use the GPU of this machine.",
            "Update the driver, or choose the build for it at https://pytorch.org/get-started/locally", facts,
        )  # fmt: skip
    if made_for:
        return Condition(
            "PyTorch", LOOK, f"PyTorch {version} is built for {made_for} and works, but there is no GPU here.",
            f"To save gigabytes: pip install --force-reinstall torch --index-url {CPU_INDEX}", facts,
        )  # fmt: skip
    if has_driver:
        return Condition(
            "PyTorch", LOOK, f"PyTorch {version} is a build without CUDA, but this machine has a driver of NVIDIA.",
            "Small tables need no GPU; else choose a build at https://pytorch.org/get-started/locally", facts,
        )  # fmt: skip
    words = "and Apple's GPU (MPS)" if facts["mps"] else "for the processor alone"
    return Condition("PyTorch", FINE, f"PyTorch {version} takes a step; a build {words}.", facts=facts)


def _devices(facts: dict[str, Any]) -> Iterator[Condition]:
    for device in ("cuda", "mps"):
        if not facts[device]:
            continue
        tried = attempt(ON_DEVICE.format(device=device))
        if tried.worked:
            yield Condition(device, FINE, f"A step on {device} works ({tried.facts['name']}).", facts=tried.facts)
        else:
            yield Condition(
                device, BROKEN, f"PyTorch sees {device}, but a step on it fails: {tried.why}.",
                "Use --device cpu until that is mended", {"why": tried.why},
            )  # fmt: skip


def neighbours(installed: dict[str, str], torch: str) -> Iterator[Condition]:
    """Yield what does not go with this build of PyTorch.

    Args:
        installed: distributions with their versions.
        torch: PyTorch's version with its local part, e.g. ``2.13.0+cpu``.

    """
    own = torch.partition("+")[2]
    foreign = sorted(name for name in installed if name.startswith(GPU_PARTS))
    if own == "cpu" and foreign:
        yield Condition(
            "GPU packages", LOOK, f"{_few(foreign)} {'stand' if len(foreign) > 1 else 'stands'} beside the CPU build "
            "of PyTorch, which never loads them.", f"pip uninstall {' '.join(foreign)}", {"packages": foreign},
        )  # fmt: skip
    for name in BESIDE:
        if name not in installed:
            continue
        tried = attempt(f"import torch, {name}\ntell(version={name}.__version__)")
        other = installed[name].partition("+")[2]
        if not tried.worked or (own and other and own != other):
            why = tried.why or f"it is built for {other!r}, PyTorch for {own!r}"
            index = f" --index-url {CPU_INDEX}" if own == "cpu" else ""
            yield Condition(
                name, LOOK, f"{name} {installed[name]} does not fit PyTorch {torch}: {why}. Temperance does not "
                "need it, but what imports it (transformers, timm) breaks.",
                f"pip uninstall {name}, or pip install --force-reinstall {name}{index}", {"why": why},
            )  # fmt: skip
    pair = [name for name in ("onnxruntime", "onnxruntime-gpu") if name in installed]
    if len(pair) == 2:
        yield Condition(
            "ONNX Runtime", LOOK, "onnxruntime and onnxruntime-gpu are both installed; they write over each other.",
            "pip uninstall onnxruntime onnxruntime-gpu, then install one of them", {"packages": pair},
        )  # fmt: skip


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _installed() -> dict[str, str]:
    return {d.name.lower().replace("_", "-"): d.version for d in metadata.distributions() if d.name}


def _has_driver() -> bool:
    import shutil

    return shutil.which("nvidia-smi") is not None

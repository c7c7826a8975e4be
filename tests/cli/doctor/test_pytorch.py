import pytest

from temperance.cli.doctor import pytorch
from temperance.cli.doctor.probe import Tried
from temperance.cli.doctor.pytorch import PyTorch, build_of, neighbours

CPU = {"version": "2.13.0+cpu", "cuda_build": None, "hip_build": None, "cuda": False, "mps": False, "threads": 1}
CUDA = {**CPU, "version": "2.13.0+cu130", "cuda_build": "13.0"}


@pytest.mark.parametrize(
    ("facts", "driver", "state", "word"),
    [
        (CPU, False, "fine", "processor alone"),
        ({**CPU, "mps": True}, False, "fine", "MPS"),
        ({**CUDA, "cuda": True}, True, "fine", "sees a GPU"),
        (CUDA, False, "look", "there is no GPU"),
        (CUDA, True, "look", "cannot use the GPU"),
        (CPU, True, "look", "a driver of NVIDIA"),
    ],
)
def test_each_build_gets_its_sentence(facts, driver: bool, state: str, word: str) -> None:
    one = build_of(facts, has_driver=driver)
    assert one.state == state
    assert word in one.said
    assert bool(one.remedy) == (state == "look")


def test_this_one_takes_a_step() -> None:
    first = next(iter(PyTorch().examine()))
    assert first.name == "PyTorch"
    assert first.state in ("fine", "look")
    assert first.facts["version"]


def test_one_that_does_not_load_is_broken(monkeypatch) -> None:
    monkeypatch.setattr(pytorch, "attempt", lambda code: Tried(False, why="ImportError: libtorch.so"))
    monkeypatch.setattr(pytorch, "_installed", dict)
    (one,) = PyTorch().examine()
    assert one.state == "broken"
    assert "libtorch.so" in one.said


def test_a_device_that_is_seen_but_fails_is_broken(monkeypatch) -> None:
    answers = iter([Tried(True, {**CUDA, "cuda": True}), Tried(False, why="CUDA error: no kernel image")])
    monkeypatch.setattr(pytorch, "attempt", lambda code: next(answers))
    monkeypatch.setattr(pytorch, "_installed", dict)
    states = {one.name: one for one in PyTorch().examine()}
    assert states["cuda"].state == "broken"
    assert "--device cpu" in states["cuda"].remedy


def test_gpu_packages_beside_the_cpu_build_are_named() -> None:
    there = {"nvidia-cublas-cu12": "12.1", "triton": "3.0", "torch": "2.13.0+cpu"}
    (one,) = neighbours(there, "2.13.0+cpu")
    assert one.facts["packages"] == ["nvidia-cublas-cu12", "triton"]
    assert one.remedy == "pip uninstall nvidia-cublas-cu12 triton"
    assert not list(neighbours(there, "2.13.0+cu130"))


def test_torchvision_of_another_index_is_told(monkeypatch) -> None:
    monkeypatch.setattr(pytorch, "attempt", lambda code: Tried(False, why="RuntimeError: operator torchvision::nms"))
    (one,) = neighbours({"torchvision": "0.28.0"}, "2.13.0+cpu")
    assert one.state == "look"
    assert "torchvision::nms" in one.said
    monkeypatch.setattr(pytorch, "attempt", lambda code: Tried(True))
    assert not list(neighbours({"torchvision": "0.28.0+cpu"}, "2.13.0+cpu"))
    assert [c.name for c in neighbours({"torchvision": "0.28.0+cu130"}, "2.13.0+cpu")] == ["torchvision"]


def test_two_onnx_runtimes_are_told() -> None:
    (one,) = neighbours({"onnxruntime": "1", "onnxruntime-gpu": "1"}, "2.13.0+cpu")
    assert "write over each other" in one.said

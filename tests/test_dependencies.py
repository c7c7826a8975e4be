"""What the package needs: declared, pinned for the tests, and free of GPU packages beside the CPU build of torch."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GPU = re.compile(r"^(nvidia|cuda|triton)([-_].*)?$")


def plain(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-")


def declared() -> set[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    return {plain(one) for part in (PROJECT["project"]["dependencies"], *extras) for one in part}


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {plain(name): version for name, version in pairs}


def imported() -> dict[str, str]:
    """Return third-party packages that the source imports, with one file that does."""
    found = {}
    for path in (ROOT / "src").rglob("*.py"):
        if "testing" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                top = name.split(".")[0]
                if top and top != "temperance" and top not in sys.stdlib_module_names:
                    found[top] = path.name
    return found


def test_what_is_imported_is_declared() -> None:
    homes = packages_distributions()
    known = declared() | {"markupsafe"}  # comes with jinja2, which is made of it
    for name, file in imported().items():
        makers = {plain(one) for one in homes.get(name, [name])}
        assert makers & known, f"{file} imports {name}, which pyproject.toml does not name"


def test_what_is_declared_is_pinned() -> None:
    groups = [one for part in PROJECT["dependency-groups"].values() for one in part]
    assert declared() | {plain(one) for one in groups} <= set(pinned())


def test_no_pin_is_of_a_gpu_package() -> None:
    assert not [name for name in pinned() if GPU.match(name)]
    assert pinned()["torch"] == "2.13.0"


def test_what_must_stay_out_stays_out() -> None:
    unwanted = {"torchvision", "torchaudio", "pandas", "deepchecks", "torchcp", "alibi-detect", "fastdup", "xgboost"}
    assert not unwanted & set(pinned())


@pytest.mark.slow
def test_an_install_beside_cpu_torch_brings_no_gpu_package(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    words = ["install", "--dry-run", "--quiet", "--report", str(report), "-c", "constraints.txt"]
    words.append(f"{ROOT}[serve,boosting,transformers,accelerate,peft]")
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode and re.search(r"(connection|resolution|network|timed out)", done.stderr, flags=re.I):
        pytest.skip("there is no package index within reach")
    assert done.returncode == 0, done.stderr
    names = [item["metadata"]["name"].lower() for item in json.loads(report.read_text())["install"]]
    assert not [name for name in names if GPU.match(name)]


def test_what_is_installed_here_has_no_gpu_package_beside_a_cpu_torch() -> None:
    import torch

    if not torch.__version__.endswith("+cpu"):
        pytest.skip("this is not a CPU build of torch")
    names = {plain(one) for makers in packages_distributions().values() for one in makers}
    assert not [name for name in names if GPU.match(name)]

"""What loads what: the package is light, the server needs no torch, nothing unfinished or private is in it."""

import ast
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "temperance"
FILES = sorted(SOURCE.rglob("*.py"))
HEAVY = ("torch", "sklearn", "polars", "optuna", "scipy")


def loaded_after(code: str) -> tuple[set[str], float]:
    """Return which heavy packages a fresh Python has loaded after ``code``, and its processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ask = f"{code}\nimport sys; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return set(done.stdout.split()), seconds


def test_import_is_fast_and_loads_nothing_heavy() -> None:
    heavy, seconds = loaded_after("import temperance")
    assert not heavy
    assert min(seconds, loaded_after("import temperance")[1]) < 0.3


@pytest.mark.parametrize("room", ["deployment.serve.launch", "deployment.serve.application", "monitoring.monitor",
                                  "adaptation.guard", "control", "records.rows", "cli.application"])  # fmt: skip
def test_rooms_that_must_stay_light(room: str) -> None:
    heavy, _ = loaded_after(f"import temperance.{room}")
    assert not heavy - {"scipy"} if room.startswith(("monitoring", "adaptation")) else not heavy


def test_controllers_import_without_torch() -> None:
    heavy, _ = loaded_after("from temperance import GapFeedback, Only, Clamp, EarlyStopping, Task, Measurement")
    assert not heavy


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_nothing_is_unfinished(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Raise):
            assert "NotImplementedError" not in ast.unparse(node)
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, "a bare except hides everything"
            assert [type(one) for one in node.body] != [ast.Pass], "an error is swallowed"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_no_regularizer_file_imports_another(path: Path) -> None:
    room = SOURCE / "regularizers"
    if room not in path.parents or path.name == "__init__.py":
        return
    found = re.findall(r"^from temperance\.regularizers\.([\w.]+) import", path.read_text(encoding="utf-8"), flags=re.M)
    assert not found


def test_no_path_of_a_machine_is_in_the_project() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    private = re.compile(r"/(work|home|root|Users)/[a-z]")
    found = []
    for name in listed:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".json", ".txt", ".yaml", ".sh", ".jsonl") and path.exists():
            text = path.read_text(encoding="utf-8", errors="replace")
            if path != Path(__file__).resolve() and private.search(text):
                found.append(name)
    assert not found

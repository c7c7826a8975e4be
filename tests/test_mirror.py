"""Each source file has its test file, and files and functions stay small."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE, TESTS = ROOT / "src" / "temperance", ROOT / "tests"
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
# Files that another test stands for, with the reason.
STANDS_FOR = {
    "proof": "each rule names its no-ops and is silent on sound runs in proof/test_watch.py",
    "deployment/aten": "each rule is tested by name in deployment/aten/test_aten.py",
    "deployment/torch_graph": "each operator against ONNX Runtime in deployment/torch_graph/test_graph.py",
    "testing/checks.py": "each check runs in regularizers/test_conformance.py",
    "testing/effects.py": "each effect runs in regularizers/test_conformance.py",
    "testing/problems.py": "each problem runs in regularizers/test_conformance.py",
    "testing/regularizers.py": "the suite runs in regularizers/test_conformance.py",
    "core/origin.py": "what made a number that is none is named in core/test_finite.py",
    "core/attaching.py": "each session begins there: core/test_session.py",
    "core/steering.py": "what moves strengths is in core/test_session.py and core/test_signal.py",
    "testing/standing.py": "each check runs in regularizers/test_conformance.py",
    "testing/training.py": "the suite runs in regularizers/test_conformance.py",
    **{
        f"data/{name}.py": "one table in each format: data/test_formats.py"
        for name in ("arff_file", "arrow_file", "database", "packed", "records_file", "workbook")
    },
    "study/worker.py": "the process is driven in study/test_pool.py",
}


def sources() -> list[Path]:
    return [p for p in sorted(SOURCE.rglob("*.py")) if p.name != "__init__.py"]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def excused(path: Path) -> bool:
    name = path.relative_to(SOURCE).as_posix()
    return any(name == one or name.startswith(f"{one}/") for one in STANDS_FOR)


@pytest.mark.parametrize("path", sources(), ids=named)
def test_each_source_file_has_a_test_file(path: Path) -> None:
    name = path.relative_to(SOURCE)
    expected = TESTS / name.parent / f"test_{name.name}"
    assert expected.is_file() or excused(path), f"write tests/{expected.relative_to(TESTS).as_posix()}"


@pytest.mark.parametrize("name", STANDS_FOR)
def test_excuses_are_for_files_that_exist(name: str) -> None:
    assert (SOURCE / name).exists()


@pytest.mark.parametrize(
    "path", [*sources(), *sorted(TESTS.rglob("*.py"))], ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and SOURCE in path.parents:
            first = node.body[0]
            after = first.end_lineno if ast.get_docstring(node) else node.body[0].lineno - 1
            assert (node.end_lineno or 0) - (after or 0) <= LONGEST_FUNCTION, f"{node.name} is too long"


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=named)
def test_each_test_checks_something(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    helpers = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _checks(node, set())}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            assert _checks(node, helpers), f"{node.name} asserts nothing"


def _checks(node: ast.FunctionDef, helpers: set[str]) -> bool:
    for part in ast.walk(node):
        if isinstance(part, ast.Assert):
            return True
        if isinstance(part, ast.Call):
            called = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
            if called in helpers or called.startswith(("assert_", "check", "raises", "warns", "fail")):
                return True
    return False

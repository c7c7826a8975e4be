"""The checks of structure themselves: circles of files are seen, and docstrings that lack shapes, units or errors."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import check_circles  # noqa: E402
import check_docstrings  # noqa: E402


def test_no_circle_in_the_package_and_no_allowance_without_need() -> None:
    graph = check_circles.imports()
    assert check_circles.circles(graph) == []
    assert check_circles.unused(graph) == []
    assert len(check_circles.ALLOWED) == 1


def test_each_knot_is_reported_and_an_allowance_opens_one() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    found = check_circles.circles(graph, set())
    assert [sorted(set(circle)) for circle in found] in ([["a", "b", "c"], ["d", "e"]], [["d", "e"], ["a", "b", "c"]])
    for circle in found:
        assert circle[0] == circle[-1]
        assert all(after in graph[before] for before, after in pairwise(circle))
    assert [sorted(set(circle)) for circle in check_circles.circles(graph, {("c", "a")})] == [["d", "e"]]


@pytest.mark.parametrize(
    "second",
    [
        "from knotted import first\n",
        "def f():\n    from knotted.first import x\n    return x\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from knotted.first import x\n",
    ],
    ids=["at the top", "inside a function", "for types"],
)
def test_imports_anywhere_in_a_file_make_a_circle(second: str, tmp_path: Path) -> None:
    (tmp_path / "knotted").mkdir()
    (tmp_path / "knotted" / "__init__.py").write_text("")
    (tmp_path / "knotted" / "first.py").write_text("from knotted import second\nx = 1\n")
    (tmp_path / "knotted" / "second.py").write_text(second)
    code = f"import sys; sys.path[:0] = {[str(tmp_path), str(ROOT / 'scripts')]!r}\n" \
        "import check_circles as c; print(*c.circles(c.imports('knotted'), set())[0])"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"knotted.first", "knotted.second"}


def lacking(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    found = check_docstrings.faults([path], check_docstrings.errors_of_the_package())
    return [line.split(": ", 1)[1] for line in found]


def test_no_docstring_of_the_package_lacks_something() -> None:
    errors = check_docstrings.errors_of_the_package()
    assert {"SettingError", "RecipeError", "DataError"} <= errors
    assert check_docstrings.faults(check_docstrings.SOURCE.rglob("*.py"), errors) == []


@pytest.mark.parametrize(
    ("text", "lack"),
    [
        ("def f():\n    return 1\n", "f has no docstring"),
        ('def f(x: Tensor) -> int:\n    """Return the count."""\n', "f takes or gives arrays"),
        ('def f() -> NDArray[Any] | None:\n    """Return f(x) (the mean)."""\n', "f takes or gives arrays"),
        ('def f(x):\n    """Double it."""\n    if x:\n        raise SettingError("a", "b")\n', "f raises SettingError"),
        ('def f(timeout: float) -> None:\n    """Wait."""\n', "f takes timeout"),
        ('class A:\n    """A."""\n    def g(self):\n        return 1\n', "A.g has no docstring"),
    ],
)
def test_what_a_docstring_lacks_is_said(text: str, lack: str, tmp_path: Path) -> None:
    assert any(line.startswith(lack) for line in lacking(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "def _f():\n    return 1\n",
        'def f(x: Tensor) -> Tensor:\n    """Return the logits (b, c)."""\n',
        'def f(x: Tensor) -> None:\n    """Take a tensor of any shape."""\n',
        'def f(x: Mapping[str, Tensor]) -> None:\n    """Take parameters by name."""\n',
        'def f(x):\n    """Go.\n\n    Raises:\n        SettingError: x.\n\n    """\n    raise SettingError("a")\n',
        'def f():\n    """Return a rule."""\n    def g():\n        raise SettingError("a", "b")\n    return g\n',
        'def f(timeout: float) -> None:\n    """Wait so many seconds."""\n',
        'class A:\n    def g(self):\n        """Go."""\nclass B(A):\n    def g(self):\n        return 1\n',
        'def f(out: Annotated[Tensor, 1]) -> None:\n    """Help of a command."""\n    raise SettingError("a", "b")\n',
    ],
)  # fmt: skip
def test_what_is_said_is_enough(text: str, tmp_path: Path) -> None:
    assert lacking(tmp_path, text) == []

"""The checks of structure themselves: a circle of files is seen, wherever its imports stand."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import check_circles  # noqa: E402


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

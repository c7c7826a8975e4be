"""The parts that act on a session know all of it that they use, and no more than there is."""

import ast
from pathlib import Path
from types import FunctionType

import pytest

from temperance import Dropout, Recipe
from temperance.core import attached
from temperance.core.attached import Attached
from temperance.testing.problems import PROBLEMS
from temperance.testing.training import attach

CORE = Path(attached.__file__).parent
METHODS = {n for n, v in vars(Attached).items() if isinstance(v, (property, FunctionType)) and not n.startswith("__")}
DECLARED = set(Attached.__annotations__) | METHODS


def test_a_session_has_everything_that_is_declared() -> None:
    session = attach(Recipe(Dropout(0.1)), PROBLEMS["mlp"])
    assert {name for name in DECLARED if not hasattr(session, name)} == set()


@pytest.mark.parametrize("part", ["checkpoint", "proof", "readings"])
def test_what_is_used_of_a_session_is_declared(part: str) -> None:
    tree = ast.parse((CORE / f"{part}.py").read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "session"
    }
    assert used
    assert used <= DECLARED

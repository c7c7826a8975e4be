"""What ``temperance`` gives its users: complete, documented, and each name loads."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import temperance
from temperance import regularizers
from temperance.core.regularizer import techniques

SOURCE = Path(temperance.__file__).parent
ROOMS = sorted(p.parent.name for p in SOURCE.glob("*/__init__.py"))


@pytest.mark.parametrize("name", temperance.__all__)
def test_each_public_name_loads_and_is_documented(name: str) -> None:
    value = getattr(temperance, name)
    if name != "__version__":
        assert inspect.getdoc(value), f"{name} has no docstring"


def test_every_technique_is_exported_and_registered() -> None:
    own = {name for name, cls in techniques.items() if cls.__module__.startswith("temperance.regularizers")}
    assert own == set(regularizers.__all__)
    assert own <= set(temperance.__all__)
    files = [p for p in (SOURCE / "regularizers").rglob("*.py") if "@techniques.add" in p.read_text(encoding="utf-8")]
    assert len(own) == sum(p.read_text(encoding="utf-8").count("@techniques.add\n") for p in files)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Dropuot"):
        _ = temperance.Dropuot
    with pytest.raises(AttributeError):
        _ = temperance._private


@pytest.mark.parametrize(
    "name", ["control.Linear", "regularizers.Dropout", "signals.Gap", "models.build", "population.member"]
)
def test_names_stand_by_room_after_a_plain_import(name: str) -> None:
    code = f"import temperance; temperance.{name}"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_every_room_that_people_program_with_is_reached_and_completion_is_short() -> None:
    shown = dir(temperance)
    assert set(ROOMS) - {"app", "cli"} <= set(shown)
    assert "Dropout" not in shown
    assert "Linear" not in shown
    assert {"Recipe", "Session", "fit"} <= set(shown)
    assert len(shown) < 60
    assert temperance.control.Linear is temperance.Linear
    assert temperance.regularizers.Dropout is temperance.Dropout


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names} - {"*"}
    assert seen == set(temperance.__all__) - set(regularizers.__all__) - {"__version__"}


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_says_what_it_is_for_and_its_exports_load(room: str) -> None:
    module = importlib.import_module(f"temperance.{room}")
    assert module.__doc__
    assert module.__doc__ != f"Room {room}.", "say what the room is for"
    for name in getattr(module, "__all__", ()):
        assert getattr(module, name) is not None

"""What the room exports, and the examples in its docstrings."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

import temperance.estimators as room


def test_every_exported_name_is_there() -> None:
    assert all(getattr(room, name).__name__ == name for name in room.__all__)
    with pytest.raises(AttributeError, match="no_such"):
        _ = room.no_such


@pytest.mark.parametrize("name", ["classifier", "regressor", "fit"])
def test_examples_run_as_written(name: str) -> None:
    found = doctest.testmod(import_module(f"temperance.estimators.{name}"))
    assert found.attempted >= 3
    assert found.failed == 0

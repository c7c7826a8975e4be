from __future__ import annotations

import pytest

from temperance.models import ModelInfo
from temperance.records.errors import SettingError


def test_inputs_are_numbers_and_categories() -> None:
    assert ModelInfo(5, (2, 4, 30), 3, "multiclass").inputs == 8


@pytest.mark.parametrize(
    "shape", [{"outputs": 0}, {"cardinalities": (0,)}, {"numeric": 0, "cardinalities": ()}, {"edges": ()}]
)
def test_impossible_shapes_are_refused(shape: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        ModelInfo(**{"numeric": 1, "cardinalities": (2,), "outputs": 2, "task": "binary", **shape})  # type: ignore[arg-type]

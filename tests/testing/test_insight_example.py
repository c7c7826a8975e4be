from __future__ import annotations

import json
from typing import Any

import pytest

from temperance.testing.insight_example import insight_example


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_part_is_filled_and_is_json(task: Any) -> None:
    made = insight_example(task)
    assert all(made[part] for part in ("influence", "effects", "examples", "mistakes"))
    assert made["left_out"] == []
    json.dumps(made, allow_nan=False)
    assert insight_example(task) == made

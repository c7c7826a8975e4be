from __future__ import annotations

import pytest

from temperance.models import (
    RECIPES,
    ModelInfo,
    architecture,
    build,
    candidates_for,
    recipes_for,
    size_for,
    training_for,
)
from temperance.records.schema import Task


@pytest.mark.parametrize("rows", [30, 999, 1000, 4_999, 5_000, 15_000, 10_000_000])
def test_every_size_has_settings_that_build(rows: int) -> None:
    size = size_for(rows)
    settings = architecture("tabular", ModelInfo(3, (), 1, "regression", train_rows=rows))
    assert (settings.members, settings.width) == (size.members, size.width)  # type: ignore[attr-defined]
    for name in ("tabular", "plain", "convnet", "resnet"):
        training = training_for(name, "binary", rows)
        assert training.epochs >= 1
        assert 1 <= training.batch_size <= 256
        assert training.lr > 0


def test_larger_tables_get_fewer_passes_and_fewer_wider_members() -> None:
    epochs = [training_for("tabular", "binary", rows).epochs for rows in (500, 2_000, 8_000, 50_000)]
    assert epochs == sorted(epochs, reverse=True)
    assert size_for(1_000).members > size_for(100_000).members
    assert size_for(1_000).width < size_for(100_000).width


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_recipes_rise_in_strength(task: Task) -> None:
    found = recipes_for(task)
    assert [r.name for r in found] == ["light", "medium", "strong"]
    assert [r.weight_decay for r in found] == sorted(r.weight_decay for r in found)
    assert [r.dropout for r in found] == sorted(r.dropout for r in found)


def test_regression_wants_less_decay() -> None:
    assert recipes_for("binary") == RECIPES
    assert all(a.weight_decay < b.weight_decay for a, b in zip(recipes_for("regression"), RECIPES, strict=True))


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_every_candidate_names_strengths_and_views_that_exist(task: Task) -> None:
    known = {r.name for r in recipes_for(task)}
    names = [c.name for c in candidates_for(task)]
    assert len(set(names)) == len(names)
    for candidate in candidates_for(task):
        assert candidate.strengths in known
        assert 0 < candidate.epochs_share <= 1
        info = ModelInfo(2, (), 2 if task == "binary" else 1, task)
        assert build("tabular", info, 0, views=candidate.views, members=2, width=4) is not None

from __future__ import annotations

import pytest

from temperance.models import RECIPES, ModelInfo, architecture, size_for, training_for


@pytest.mark.parametrize("rows", [30, 999, 1000, 4_999, 5_000, 15_000, 10_000_000])
def test_every_size_has_settings_that_build(rows: int) -> None:
    size = size_for(rows)
    settings = architecture("tabular", ModelInfo(3, (), 1, "regression", train_rows=rows))
    assert (settings.members, settings.width) == (size.members, size.width)  # type: ignore[attr-defined]
    for name in ("tabular", "plain", "resnet"):
        training = training_for(name, "binary", rows)
        assert training.epochs >= 1
        assert 1 <= training.batch_size <= 256
        assert training.lr > 0


def test_larger_tables_get_fewer_passes_and_fewer_wider_members() -> None:
    epochs = [training_for("tabular", "binary", rows).epochs for rows in (500, 2_000, 8_000, 50_000)]
    assert epochs == sorted(epochs, reverse=True)
    assert size_for(1_000).members > size_for(100_000).members
    assert size_for(1_000).width < size_for(100_000).width


def test_recipes_rise_in_strength() -> None:
    assert [r.name for r in RECIPES] == ["light", "medium", "strong"]
    assert [r.weight_decay for r in RECIPES] == sorted(r.weight_decay for r in RECIPES)
    assert [r.dropout for r in RECIPES] == sorted(r.dropout for r in RECIPES)

"""The model in use, opened."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from temperance.deployment.manifest import write_manifest
from temperance.lifecycle.champion import Champion, Served, open_champion
from temperance.records.errors import BundleError
from temperance.records.schema import UNSEEN, Rows


def test_members_settings_and_course_come_from_the_recipe(champion: Champion) -> None:
    assert [weight for weight, _ in champion.members] == [0.5, 0.5]
    assert champion.metric == "log_loss"
    assert list(champion.chosen("t001")) == ["grid"]
    assert champion.chosen("t002") == {}
    assert champion.course("t002") == (1.0, [])
    assert champion.course("t001") == (1.0, [])
    assert len(champion.data) == 64


def test_categories_after_the_vocabulary_count_as_unseen(champion: Champion) -> None:
    served = Served(champion.bundle)
    size = len(champion.bundle.schema.categorical[0].vocabulary)
    numeric = np.zeros((3, 2))
    new = served.predict(Rows(numeric, np.array([[size], [size + 7], [0]], dtype=np.int32)))
    unseen = champion.bundle.predict(Rows(numeric, np.array([[UNSEEN], [UNSEEN], [0]], dtype=np.int32)))
    assert np.array_equal(new, unseen)
    assert served.interval(Rows(numeric, np.zeros((3, 1), dtype=np.int32))) is None
    assert served.schema == champion.bundle.schema


@pytest.mark.parametrize(
    ("recipe", "words"),
    [(None, "has no recipe.json"), ({"members": []}, "not complete"), ({"members": [], "metric": "rmse"}, "no model")],
)
def test_a_bundle_without_a_whole_recipe_is_refused(
    pair: Path, tmp_path: Path, recipe: dict[str, object] | None, words: str
) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(pair, folder)
    (folder / "recipe.json").unlink()
    if recipe is not None:
        (folder / "recipe.json").write_text(json.dumps(recipe))
    write_manifest(folder)
    with pytest.raises(BundleError, match=words):
        open_champion(folder)

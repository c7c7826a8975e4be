"""The model in use, opened."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from temperance.deployment.manifest import write_manifest
from temperance.lifecycle.champion import Champion, Served, check_trainable, open_champion
from temperance.lifecycle.retraining import retrain
from temperance.records.errors import BundleError, StudyError
from temperance.records.plain_names import is_plain
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


def changed(pair: Path, folder: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    shutil.copytree(pair, folder, dirs_exist_ok=True)
    recipe = json.loads((pair / "recipe.json").read_text())
    edit(recipe)
    (folder / "recipe.json").write_text(json.dumps(recipe))
    write_manifest(folder)
    return folder


HOSTILE = st.one_of(
    st.sampled_from(["../../../x", "/tmp/x", "..", ".", "a/b", "a\\b", "a\0b", "~root", "", "x\n", "x" * 300]),
    st.text(max_size=40),
    st.none(), st.integers(), st.lists(st.text(max_size=3), max_size=2),
)  # fmt: skip


@given(name=HOSTILE, inner=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_id_in_a_foreign_recipe_names_nothing_outside(pair: Path, tmp_path: Path, name: object, inner: bool) -> None:
    def edit(recipe: dict[str, Any]) -> None:
        member = recipe["members"][0]
        if inner:
            member["teacher"] = {**member, "id": name}
        else:
            member["id"] = name

    folder = changed(pair, tmp_path / "b", edit)
    try:
        champion = open_champion(folder)
    except BundleError:
        return
    for _, spec in champion.members:
        assert is_plain(spec.id) or spec.id == ""


def test_code_that_a_bundle_names_is_not_run(pair: Path, tmp_path: Path, made: SimpleNamespace) -> None:
    def outside(recipe: dict[str, Any]) -> None:
        recipe["members"][0].update(model="Outside")
        recipe["chosen"]["t001"] = {"origin": "antigravity:geohash"}

    folder = changed(pair, tmp_path / "b", outside)
    with pytest.raises(StudyError, match="would run code from outside: 'antigravity:geohash'"):
        retrain(folder, made.table(200), out=tmp_path / "out", budget="20s")
    assert not (tmp_path / "out").exists()
    assert "antigravity" not in sys.modules
    champion = open_champion(folder)
    assert check_trainable(champion, "", ("antigravity:geohash",)) is None


def test_a_recipe_that_leads_out_of_the_folder_writes_nothing(
    pair: Path, tmp_path: Path, made: SimpleNamespace
) -> None:
    folder = changed(pair, tmp_path / "b", lambda recipe: recipe["members"][0].update(id="../../../x"))
    with pytest.raises(BundleError, match="the id of a trial is"):
        retrain(folder, made.table(200), out=tmp_path / "deep" / "out", budget="20s")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b"]

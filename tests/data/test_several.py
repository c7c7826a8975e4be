from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from temperance.data import read
from temperance.data.choices import choose
from temperance.data.several import readings_of, split_together, strata
from temperance.records.errors import DataError
from temperance.records.schema import Schema

LABELS = ("red;blue", "red", "green;red", "blue", "blue;green")


def written(path: Path, lines: list[str]) -> Path:
    (path / "rows.csv").write_text("\n".join([*lines, ""]))
    return path / "rows.csv"


def numbers(path: Path, rows: int = 80) -> Path:
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 2)).round(3)
    lines = [f"{a},{b},{2 * a:.3f},{'yes' if b > 0 else 'no'}" for a, b in x]
    lines[3] = f"{x[3][0]},{x[3][1]},,yes"  # no heat
    lines[5] = f"{x[5][0]},{x[5][1]},1.5,"  # no alarm
    return written(path, ["a,b,heat,alarm", *lines])


def labelled(path: Path, rows: int = 150, rare: int = 3) -> Path:
    cells = [LABELS[i % len(LABELS)] for i in range(rows)]
    cells[:rare] = ["red;rare"] * rare
    return written(path, ["x,tags", *(f"{i % 7},{cell}" for i, cell in enumerate(cells)), "3,"])


def test_several_targets_share_rows_and_are_no_inputs(tmp_path: Path) -> None:
    both = readings_of(read(numbers(tmp_path), target="heat", beside=("alarm",)))
    heat, alarm = (one.table for one in both)
    assert [c.name for c in heat.schema.columns] == [c.name for c in alarm.schema.columns] == ["a", "b"]
    assert (heat.schema.target.task, alarm.schema.target.classes) == ("regression", ("no", "yes"))
    assert len(heat) == len(alarm) == 78
    assert {"rows": 2, "column": None, "why": "One of the targets is missing."} in both[0].dropped
    np.testing.assert_allclose(heat.target, 2 * heat.rows.numeric[:, 0], atol=2e-3)
    np.testing.assert_array_equal(alarm.target, (alarm.rows.numeric[:, 1] > 0).astype(int))
    assert both[1].profile["target"]["name"] == "alarm"


def test_one_of_them_is_read_again_without_the_others(tmp_path: Path) -> None:
    schema = readings_of(read(numbers(tmp_path), target="heat", beside=("alarm",)))[1].table.schema
    again = read(numbers(tmp_path), target="alarm", schema=Schema.from_dict(schema.to_dict())).table
    assert len(again) == 79  # the row without heat counts here
    whole = read(numbers(tmp_path), target="alarm", schema=schema)
    assert not any("further columns" in note for note in whole.notes)
    bare = read(written(tmp_path, ["a,b", "1,2", "3,4"]), schema=schema).table
    assert len(bare) == 2
    assert (bare.target == -1).all()


def test_each_label_of_a_cell_is_a_target(tmp_path: Path) -> None:
    source = labelled(tmp_path)
    found = readings_of(read(source, target="tags", task="multilabel"))
    cells = pl.read_csv(source)["tags"].to_list()[:-1]
    assert [one.table.schema.target.name for one in found] == ["tags has blue", "tags has green", "tags has red"]
    for one, word in zip(found, ("blue", "green", "red"), strict=True):
        np.testing.assert_array_equal(one.table.target, [word in cell.split(";") for cell in cells])
        assert one.table.schema.target.classes == ("no", "yes")
        known = read(source, target="tags", schema=Schema.from_dict(one.table.schema.to_dict())).table
        np.testing.assert_array_equal(known.target, one.table.target)
    assert any("Fewer than 20 rows have, or lack, 'rare': left out" in note for note in found[0].notes)


@pytest.mark.parametrize("cells", [("red", "blue"), ("red;blue", "red;blue")])
def test_no_labels_no_targets(tmp_path: Path, cells: tuple[str, ...]) -> None:
    source = written(tmp_path, ["x,tags", *(f"{i},{cells[i % 2]}" for i in range(60))])
    with pytest.raises(DataError, match="No cell of the target 'tags' holds several labels"):
        read(source, target="tags", task="multilabel")


def test_the_sign_between_labels_may_be_told(tmp_path: Path) -> None:
    cells = [cell.replace(";", "+") for cell in LABELS]
    source = written(tmp_path, ["x,tags", *(f"{i % 7},{cells[i % 5]}" for i in range(150))])
    with pytest.raises(DataError, match="holds several labels"):
        read(source, target="tags", task="multilabel")
    told = read(source, target="tags", task="multilabel", choices=choose(["tags=set,sep=+"]))
    assert len(readings_of(told)) == 3


def test_multilabel_takes_one_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="One column whose cells hold labels"):
        read(numbers(tmp_path), target="heat", beside=("alarm",), task="multilabel")


def test_roles_are_one_for_all_targets_and_spread_their_answers(tmp_path: Path) -> None:
    tables = [one.table for one in readings_of(read(labelled(tmp_path, 300), target="tags", task="multilabel"))]
    roles = split_together(tables, seed=0)
    for table in tables:
        share = table.target.mean()
        assert abs(table.target[roles.test].mean() - share) < 0.05
        assert all(set(np.unique(table.target[held])) == {0, 1} for _, held in roles.folds)
    again = split_together(tables, seed=0)
    np.testing.assert_array_equal(roles.test, again.test)


def test_rare_sets_of_answers_are_spread_by_their_rarest_answer() -> None:
    first = np.array([0] * 40 + [1] * 40 + [0] * 4 + [1] * 4)
    second = np.array([0] * 80 + [1] * 8)
    codes = strata([first, second])
    assert len(set(codes[:40])) == len(set(codes[40:80])) == 1
    assert len(set(codes[80:])) == 1  # eight rows of the rare answer, four of each set
    assert len(strata([first.astype(float), second])) == 88


def test_none_is_no_label_where_it_stands_alone(tmp_path: Path) -> None:
    cells = ("red;blue", "none", "red", "blue", "none", "green;red", "blue;green", "green")
    source = written(tmp_path, ["x,tags", *(f"{i % 7},{cells[i % 8]}" for i in range(160))])
    found = readings_of(read(source, target="tags", task="multilabel"))
    assert [one.table.schema.target.name for one in found] == ["tags has blue", "tags has green", "tags has red"]
    assert len(found[0].table) == 160
    assert any("The word 'none' always stands alone" in note for note in found[0].notes)

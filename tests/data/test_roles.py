from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from temperance import data
from temperance.data.roles import load_roles, save_roles
from temperance.records.errors import DataError, StudyError
from temperance.records.roles import Roles
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table

NAMES = ("train", "controller", "selection", "calibration", "test")


def table(rows: int, *, classes: int = 2, seed: int = 0, **extra: Any) -> Table:
    rng = np.random.default_rng(seed)
    names = tuple(str(c) for c in range(classes))
    target = Target("y", "regression" if classes == 0 else "multiclass", names)
    y = rng.normal(size=rows) if classes == 0 else rng.integers(0, classes, rows)
    values = Rows(rng.normal(size=(rows, 2)), np.empty((rows, 0), dtype=np.int32))
    schema = Schema((Column("a", "numeric"), Column("b", "numeric")), target)
    return Table(schema, **{"rows": values, "target": y, **extra})


def parts(roles: Roles) -> list[np.ndarray]:
    return [getattr(roles, name) for name in NAMES]


def assert_covers(roles: Roles, rows: int) -> None:
    joined = np.concatenate(parts(roles))
    assert np.array_equal(np.sort(joined), np.arange(rows))


@pytest.mark.parametrize("classes", [0, 2, 7])
def test_many_rows_get_roles(classes: int) -> None:
    roles = data.split(table(20_000, classes=classes), seed=1)
    assert_covers(roles, 20_000)
    assert [len(part) for part in parts(roles)] == [13_600, 0, 1600, 800, 4000]
    assert roles.folds == ()


@pytest.mark.parametrize(("rows", "folds"), [(2499, 5), (374, 3), (376, 5), (30, 3)])
def test_few_rows_get_folds(rows: int, folds: int) -> None:
    roles = data.split(table(rows), seed=1)
    assert_covers(roles, rows)
    assert len(roles.folds) == folds
    assert len(roles.controller) == len(roles.selection) == len(roles.calibration) == 0
    held = np.concatenate([h for _, h in roles.folds])
    assert np.array_equal(np.sort(held), roles.train)
    for train, out in roles.folds:
        assert np.array_equal(np.sort(np.concatenate([train, out])), roles.train)


def test_a_separate_test_table_leaves_all_rows_for_development() -> None:
    roles = data.split(table(2000), seed=0, test=table(50))
    assert roles.test_is_separate
    assert np.array_equal(roles.test, np.arange(50))
    assert len(roles.train) == 2000
    assert len(roles.folds) == 5


def test_where_each_fold_is_a_training_there_are_roles_sooner() -> None:
    roles = data.split(table(2000), seed=0, test=table(50), banked=False)
    assert [len(part) for part in parts(roles)[:4]] == [1700, 0, 200, 100]
    assert roles.scheme.endswith("1,700 train, 200 selection, 100 calibration.")


def test_many_rows_leave_no_more_than_needed_out_of_the_training() -> None:
    roles = data.split(table(120_000), seed=0)
    assert [len(part) for part in parts(roles)[1:4]] == [0, 5000, 2500]


def test_same_seed_same_roles_other_seed_other_roles() -> None:
    one, two, other = (data.split(table(3000), seed=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(parts(one), parts(two), strict=True))
    assert not np.array_equal(one.test, other.test)


def test_classes_are_spread_evenly_and_rare_ones_train() -> None:
    y = np.array([0] * 4500 + [1] * 480 + [2] * 17 + [3] * 2 + [4])
    roles = data.split(table(5000, classes=5, target=y), seed=0, banked=False)
    assert set(y[roles.train]) == {0, 1, 2, 3, 4}
    for part in (part for part in parts(roles) if len(part)):
        assert np.mean(y[part] == 1) == pytest.approx(0.096, abs=0.005)


def test_folds_are_spread_evenly() -> None:
    y = np.array([0] * 450 + [1] * 50)
    roles = data.split(table(500, target=y), seed=0)
    assert [int(y[held].sum()) for _, held in roles.folds] == [8] * 5


@pytest.mark.parametrize(("rows", "groups"), [(6000, 300), (600, 40), (3000, 5), (60_000, 25_000)])
def test_no_group_crosses(rows: int, groups: int) -> None:
    group = np.random.default_rng(0).integers(0, groups, rows)
    roles = data.split(table(rows, group=group), seed=0)
    assert_covers(roles, rows)
    for one, two in combinations(parts(roles), 2):
        assert not set(group[one]) & set(group[two])
    for train, held in roles.folds:
        assert len(held)
        assert not set(group[train]) & set(group[held])
    assert len(roles.test) / rows == pytest.approx(0.2, abs=0.15 if groups == 5 else 0.03)


def test_time_keeps_the_future_out() -> None:
    moments = np.random.default_rng(0).permutation(5000).astype(float) // 3
    roles = data.split(table(5000, time=moments), seed=0)
    assert_covers(roles, 5000)
    ends = [(moments[part].min(), moments[part].max()) for part in parts(roles) if len(part)]
    assert all(before[1] < after[0] for before, after in pairwise(ends))
    assert len(roles.test) == pytest.approx(1000, abs=3)


def test_folds_in_time_train_on_the_past_only() -> None:
    moments = np.random.default_rng(0).permutation(1000).astype(float)
    roles = data.split(table(1000, time=moments), seed=0)
    assert len(roles.folds) == 5
    for train, held in roles.folds:
        assert moments[train].max() < moments[held].min()
    assert moments[roles.train].max() < moments[roles.test].min()


def test_groups_in_time_stay_whole() -> None:
    group = np.arange(4000) // 20
    moments = np.arange(4000.0)[::-1]
    roles = data.split(table(4000, group=group, time=moments), seed=0)
    assert_covers(roles, 4000)
    assert moments[roles.train].max() < moments[roles.test].min()
    assert not set(group[roles.train]) & set(group[roles.test])


def test_exact_copies_share_a_role_where_they_are_few() -> None:
    source = table(5000)
    index = np.concatenate([np.arange(4500), np.arange(500)])
    copied = source.take(index)
    roles = data.split(copied, seed=0)
    assert_covers(roles, 5000)
    for one, two in combinations(parts(roles), 2):
        assert not set(index[one]) & set(index[two])
    assert "Exact copies" in roles.scheme
    assert len(roles.test) == pytest.approx(1000, abs=2)


def test_many_copies_are_normal() -> None:
    source = table(200).take(np.arange(5000) % 200)
    assert "normal" in data.split(source, seed=0).scheme


@pytest.mark.parametrize(
    ("rows", "extra", "why"),
    [
        (9, {}, "9 rows"),
        (100, {"group": np.arange(100) % 3}, "3 groups"),
        (100, {"time": np.ones(100)}, "same time"),
    ],
)
def test_what_cannot_be_split_is_refused(rows: int, extra: dict[str, Any], why: str) -> None:
    with pytest.raises(DataError, match=why) as caught:
        data.split(table(rows, **extra), seed=0)
    assert caught.value.remedy


def test_roles_survive_the_file(tmp_path: Path) -> None:
    for rows in (300, 3000):
        roles = data.split(table(rows), seed=0, test=table(20))
        save_roles(roles, tmp_path / "roles.npz")
        again = load_roles(tmp_path / "roles.npz")
        assert all(np.array_equal(a, b) for a, b in zip(parts(roles), parts(again), strict=True))
        assert len(again.folds) == len(roles.folds)
        assert all(np.array_equal(a[1], b[1]) for a, b in zip(roles.folds, again.folds, strict=True))
        assert (again.scheme, again.test_is_separate) == (roles.scheme, True)
    assert [p.name for p in tmp_path.iterdir()] == ["roles.npz"]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "roles.npz").write_bytes(b"nonsense")
    with pytest.raises(StudyError):
        load_roles(tmp_path / "roles.npz")


@pytest.mark.parametrize(("rows", "folds"), [(1240, 3), (1260, 0)])
def test_a_thousand_images_get_roles(rows: int, folds: int) -> None:
    schema = Schema((), Target("y", "multiclass", ("0", "1")), kind="images", image_shape=(4, 4, 1))
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (rows, 4, 4, 1)).astype(np.uint8)
    values = Rows(np.empty((rows, 0)), np.empty((rows, 0), dtype=np.int32), pictures)
    roles = data.split(Table(schema, rows=values, target=rng.integers(0, 2, rows)), seed=1)
    assert len(roles.folds) == folds
    assert (len(roles.selection) > 0) == (folds == 0)
    if not folds:
        assert len(roles.train) == 857  # of 1,008
        assert len(roles.controller) == 0
        assert roles.scheme.endswith("857 train, 101 selection, 50 calibration.")

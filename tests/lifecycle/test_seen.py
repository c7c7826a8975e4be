from pathlib import Path

import numpy as np
import pytest

from temperance.data import read
from temperance.lifecycle.seen import digests, find, split_unseen
from temperance.records.errors import DataError


def frame(rows: int, seed: int) -> dict[str, list]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows).round(6)
    x[: int(seed == 0)] = np.nan
    words = [["a", "b", "c"][i] for i in rng.integers(0, 3, rows)]
    return {"x": x.tolist(), "c": words, "y": ["yes" if v > 0 else "no" for v in np.nan_to_num(x)]}


def joined(*frames: dict[str, list]) -> dict[str, list]:
    return {name: [v for one in frames for v in one[name]] for name in frames[0]}


def written(path: Path, rows: dict[str, list]) -> Path:
    names = list(rows)
    lines = [",".join("" if v != v else str(v) for v in line) for line in zip(*rows.values(), strict=True)]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return path


def test_rows_of_the_first_training_are_recognised_and_never_test(tmp_path: Path) -> None:
    old, new = frame(200, 0), frame(150, 1)
    path = written(tmp_path / "old.csv", old)
    table = read(written(tmp_path / "new.csv", joined(old, new)), target="y").table
    seen = find(table, same=False, champion_data=path)
    assert seen.rows[:200].all()
    assert seen.rows[200:].sum() == 0
    roles = split_unseen(table, seen, seed=0)
    assert (roles.test >= 200).all()
    assert len(roles.test) >= 20
    assert np.intersect1d(roles.test, roles.train).size == 0
    assert len(roles.train) + len(roles.test) == 350
    assert all(np.intersect1d(roles.test, np.concatenate(pair)).size == 0 for pair in roles.folds)
    assert "200 rows" in roles.scheme


def test_digests_do_not_mind_the_order_of_words_or_signs_of_zero(tmp_path: Path) -> None:
    one = read(written(tmp_path / "a.csv", frame(60, 0)), target="y").table
    rows = frame(60, 0)
    back = {name: values[::-1] for name, values in rows.items()}
    other = read(written(tmp_path / "b.csv", back), target="y").table
    assert sorted(digests(one)) == sorted(digests(other))
    assert len(np.unique(digests(one))) == 60


def test_the_very_same_data_leave_nothing_to_test(tmp_path: Path) -> None:
    table = read(written(tmp_path / "a.csv", frame(80, 0)), target="y").table
    seen = find(table, same=True)
    assert seen.known
    with pytest.raises(DataError, match="80 of 80 rows"):
        split_unseen(table, seen, seed=0)


def test_groups_with_a_seen_row_are_not_test(tmp_path: Path) -> None:
    rows = joined(frame(100, 0), frame(200, 1))
    rows["who"] = [f"p{i % 60}" for i in range(300)]
    table = read(written(tmp_path / "a.csv", rows), target="y", group="who").table
    known = np.zeros(300, dtype=bool)
    known[:10] = True
    seen = find(table, same=False, lookup=lambda _: known)
    roles = split_unseen(table, seen, seed=0)
    told = np.array(rows["who"])
    assert not set(told[roles.test]) & set(told[:10])
    assert not set(told[roles.test]) & set(told[roles.train])


def test_nothing_known_is_said_and_splits_as_ever(tmp_path: Path) -> None:
    from temperance.data import split

    table = read(written(tmp_path / "a.csv", frame(80, 0)), target="y").table
    seen = find(table, same=False)
    assert not seen.known
    assert seen.to_dict() == {"rows": 0, "of": 80, "known": False, "how": ""}
    assert np.array_equal(split_unseen(table, seen, seed=3).test, split(table, seed=3).test)


def test_marks_and_the_named_data_are_joined(tmp_path: Path) -> None:
    rows = frame(120, 0)
    table = read(written(tmp_path / "a.csv", rows), target="y").table
    old = written(tmp_path / "old.csv", {name: values[:30] for name, values in rows.items()})
    known = np.zeros(120, dtype=bool)
    known[20:50] = True
    seen = find(table, same=False, lookup=lambda _: known, champion_data=old)
    assert np.flatnonzero(seen.rows).tolist() == list(range(50))
    assert "marks" in seen.how
    assert "data that the model in use was made from" in seen.how

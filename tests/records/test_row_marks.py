import numpy as np
import pytest

from temperance.records.errors import DataError
from temperance.records.row_marks import Known, RowMarks, mark, row_marks
from temperance.records.schema import Column, Rows, Schema, Target

SALT = b"0123456789abcdef"
SCHEMA = Schema(
    (Column("x", "numeric"), Column("z", "numeric"), Column("c", "categorical", vocabulary=("a", "b")),
     Column("t", "text")),
    Target("y", "binary", ("no", "yes")),
)  # fmt: skip


def rows(n=200, seed=0):
    random = np.random.default_rng(seed)
    numeric = random.normal(size=(n, 2))
    numeric[::7, 0] = np.nan
    text = np.array([None if i % 5 == 0 else f"text {i}" for i in range(n)], dtype=object)[:, None]
    return Rows(numeric, random.integers(-2, 2, (n, 1)).astype(np.int32), text=text), random.integers(0, 2, n)


def made(most=10**6):
    data, y = rows()
    first, second = np.arange(120), np.arange(120, 160)
    return row_marks(
        SCHEMA,
        learned=Known(data.take(first), y[first]),
        tested=Known(data.take(second), y[second]),
        salt=SALT,
        most=most,
    )


def test_rows_are_known_again_by_their_part() -> None:
    data, y = rows()
    seen = made().seen(data, SCHEMA, y)
    assert seen.learned.tolist() == [True] * 120 + [False] * 80
    assert seen.tested.tolist() == [False] * 120 + [True] * 40 + [False] * 40
    assert seen.unseen.sum() == 40


@pytest.mark.parametrize("part", ["x", "c", "t", "y"])
def test_a_row_that_differs_anywhere_is_another(part) -> None:
    data, y = rows()
    if part == "x":
        data = data._replace(numeric=data.numeric + np.array([0, 1e-3]))
    elif part == "c":
        data = data._replace(categorical=((data.categorical + 3) % 4 - 2).astype(np.int32))
    elif part == "t":
        data = data._replace(text=np.array([[f"{t[0]}!"] for t in data.text], dtype=object))
    else:
        y = 1 - y
    assert not made().seen(data, SCHEMA, y).learned.any()


def test_float32_files_order_of_columns_and_longer_vocabularies_do_no_harm() -> None:
    data, y = rows()
    columns = (
        SCHEMA.columns[1],
        SCHEMA.columns[0],
        Column("c", "categorical", vocabulary=("b", "new", "a")),
        SCHEMA.columns[3],
    )
    wider = Schema((*columns, Column("extra", "numeric")), Target("y", "binary", ("yes", "no")))
    codes = np.array([-2, -1, 2, 0])[data.categorical + 2].astype(np.int32)
    numeric = np.column_stack([data.numeric[:, ::-1].astype(np.float32).astype(np.float64), np.ones(len(y))])
    seen = made().seen(Rows(numeric, codes, text=data.text), wider, 1 - y)
    assert seen.learned.sum() == 120


def test_minus_zero_is_zero() -> None:
    data, y = rows(4)
    flat = data._replace(numeric=np.zeros((4, 2)))
    negative = data._replace(numeric=np.full((4, 2), -0.0))
    names = [c.name for c in SCHEMA.columns]
    one, two = (mark(d, y, SCHEMA, salt=SALT, columns=names) for d in (flat, negative))
    assert np.array_equal(one, two)


def test_another_salt_gives_other_marks_and_the_same_salt_the_same() -> None:
    data, y = rows()
    names = [c.name for c in SCHEMA.columns]
    one, again, other = (mark(data, y, SCHEMA, salt=salt, columns=names) for salt in (SALT, SALT, b"another salt 123"))
    assert np.array_equal(one, again)
    assert not np.isin(one, other).any()


def test_round_trip_and_damage(tmp_path) -> None:
    np.savez(tmp_path / "m.npz", allow_pickle=False, **made().arrays())
    with np.load(tmp_path / "m.npz", allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    back = RowMarks.from_arrays(found)
    data, y = rows()
    assert back.seen(data, SCHEMA, y).learned.sum() == 120
    assert back.columns == ("x", "z", "c", "t")
    for broken in (
        {"learned": np.ones(3)},
        {"version": np.array(2)},
        {"share": np.array(0.0)},
        {"salt": np.array([1])},
    ):
        with pytest.raises(DataError, match="marks of training rows"):
            RowMarks.from_arrays({**found, **broken})
    with pytest.raises(DataError, match="not complete"):
        RowMarks.from_arrays({k: v for k, v in found.items() if k != "learned"})


def test_a_missing_column_is_an_error() -> None:
    data, y = rows()
    fewer = Schema(SCHEMA.columns[1:], SCHEMA.target)
    with pytest.raises(DataError, match="no column 'x'"):
        made().seen(data._replace(numeric=data.numeric[:, 1:]), fewer, y)


def test_above_the_limit_a_part_is_marked_and_said() -> None:
    data, y = rows()
    found = made(most=60)
    assert found.share == 0.5
    assert found.seen(data, SCHEMA, y).learned.sum() == 60


def test_copies_are_counted() -> None:
    data, y = rows(50)
    twice, both = Rows.stack([data, data]), np.concatenate([y, y])
    found = row_marks(SCHEMA, learned=Known(twice, both), tested=None, salt=SALT)
    assert found.repeated == pytest.approx(0.5)
    assert not len(found.tested)


def test_pictures_and_series() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (20, 4, 4, 1)).astype(np.uint8)
    empty = np.zeros((20, 0)), np.zeros((20, 0), np.int32)
    pictures = Schema((), Target("y", "regression"), "images", (4, 4, 1))
    y = random.normal(size=20)
    found = row_marks(pictures, learned=Known(Rows(*empty, images), y), tested=None, salt=SALT)
    changed = images.copy()
    changed[:5, 0, 0, 0] ^= 1
    assert found.seen(Rows(*empty, changed), pictures, y).learned.sum() == 15
    series = Schema((Column("s", "series"),), Target("y", "regression"))
    values = random.normal(size=(20, 1, 8)).astype(np.float32)
    found = row_marks(series, learned=Known(Rows(*empty, series=values), y), tested=None, salt=SALT)
    assert found.seen(Rows(*empty, series=values), series, y).learned.all()
    assert not found.seen(Rows(*empty, series=values + 1), series, y).learned.any()

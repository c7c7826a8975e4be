from difflib import SequenceMatcher

import numpy as np
import pytest

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.noise import Noise
from temperance.evaluation.corruption.registry import CORRUPTIONS, families
from temperance.records.errors import SettingError
from temperance.records.schema import Column, Rows, Schema, Target
from temperance.records.table import Table

DATES = Schema(
    (
        Column("age", "numeric", "age"),
        Column("flat", "numeric", "flat"),
        Column("day_days", "numeric", "day", "days"),
        Column("day_month", "numeric", "day", "month"),
        Column("city", "categorical", "city", "", ("a", "b")),
    ),
    Target("y", "regression"),
)
ROWS = Rows(
    np.array([[1.0, 5, 10, 1], [3.0, 5, 20, 2], [np.nan, 5, 30, 3], [np.inf, 5, 40, 4]]), np.zeros((4, 1), np.int32)
)


def test_reference_measures_what_is_finite():
    facts = reference(DATES, ROWS)
    assert facts.spread[:2].tolist() == [1.0, 0.0]
    assert facts.measured.tolist() == [0]  # constant columns and parts of dates are no measured quantities
    assert facts.columns == 4
    assert facts.sources[0].tolist() == [0, 1, 2, 2]
    assert facts.sources[1].tolist() == [3]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_family_keeps_its_promises(name, binary, pictures):
    """Five sizes; arguments untouched; same draw, same damage; more damage at more severity."""
    family = CORRUPTIONS[name]()
    table, _ = pictures if family.kind == "images" else binary
    if not family.applies(reference(table.schema, table.rows)):
        table = rich()
    facts = reference(table.schema, table.rows)
    assert family.applies(facts)
    assert len(family.levels(facts)) == 5
    assert family.name == name
    before = [None if part is None else part.copy() for part in table.rows]
    far = []
    for severity in (1, 2, 3, 4, 5):
        first, again = (
            family(table.rows, severity=severity, reference=facts, generator=np.random.default_rng(7)) for _ in "ab"
        )
        for x, y, z in zip(first, again, table.rows, strict=True):
            if z is not None:
                assert np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
                assert x.shape == z.shape
                assert x.dtype == z.dtype
        far.append(distance(first, table.rows))
    for old, new in zip(before, table.rows, strict=True):
        assert old is None or np.array_equal(old, new)
    assert far[0] <= 1.02 * far[2]  # of pixels that know nothing of each other, any shift is as far as another
    assert far[2] <= 1.02 * far[4]
    assert far[4] > 0


def distance(damaged, clean):
    if clean.images is not None:
        return float(np.abs(damaged.images.astype(float) - clean.images).mean())
    gap = np.abs(np.nan_to_num(damaged.numeric, nan=1e3) - clean.numeric)
    total = float(np.minimum(gap, 1e3).mean() if gap.size else 0.0)
    total += float((damaged.categorical != clean.categorical).mean()) if clean.categorical.size else 0.0
    if clean.text is not None:
        pairs = zip(damaged.text.ravel(), clean.text.ravel(), strict=True)
        total += sum(1 - SequenceMatcher(None, a, b, autojunk=False).ratio() for a, b in pairs)
    if clean.series is not None:
        total += float(np.abs(np.nan_to_num(damaged.series, nan=9.0) - clean.series).mean())
    return total


def rich():
    """A table with a date, a text and two channels."""
    g = np.random.default_rng(5)
    columns = (
        Column("day", "numeric", "day", "days"), Column("note", "text", "note"), Column("one", "series", "one"),
        Column("two", "series", "two"),
    )  # fmt: skip
    text = np.array([["the Quick brown fox jumps over the café"]] * 60, dtype=object)
    series = np.sin(np.arange(40) / 4 + g.uniform(0, 6, (60, 2, 1))).astype(np.float32)
    rows = Rows(np.arange(19000.0, 19060.0)[:, None], np.zeros((60, 0), np.int32), None, text, series)
    return Table(Schema(columns, Target("y", "binary", ("a", "b"))), rows, np.arange(60) % 2)


def test_severity_is_checked(binary):
    facts = reference(binary[0].schema, binary[0].rows)
    with pytest.raises(SettingError, match="1, 2, 3, 4 or 5"):
        Noise()(binary[0].rows, severity=6, reference=facts, generator=np.random.default_rng(0))


def test_a_table_without_numbers_has_fewer_families():
    words = Schema((Column("city", "categorical", "city", "", ("a", "b")),), Target("y", "regression"))
    facts = reference(words, Rows(np.zeros((3, 0)), np.zeros((3, 1), np.int32)))
    assert [f.name for f in families(facts)] == ["missing", "swap"]

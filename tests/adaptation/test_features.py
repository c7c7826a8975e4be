import numpy as np

from temperance.adaptation.features import REACH, WORDS, Features
from temperance.monitoring.reference import build
from temperance.records.schema import Column, Rows, Schema, Target


def made():
    rng = np.random.default_rng(0)
    schema = Schema(
        (Column("a", "numeric"), Column("still", "numeric"), Column("c", "categorical", vocabulary=("x", "y"))),
        Target("t", "binary", ("0", "1")),
    )
    numeric = np.stack([rng.normal(5, 2, 400), np.full(400, 7.0)], axis=1)
    rows = Rows(numeric, (rng.random((400, 1)) < 0.2).astype(np.int32))
    p = rng.random(400)
    return Features(build(rows, np.stack([1 - p, p], axis=1), schema), schema), rows


def test_numbers_stand_in_usual_spreads() -> None:
    features, rows = made()
    found = features.of(rows)
    assert found.shape == (400, features.width) == (400, 1 + WORDS)
    assert abs(np.median(found[:, 0])) < 0.05
    assert abs(found[:, 0].std() - 1) < 0.15
    assert found[:, 1].mean() > 0.7  # the most frequent category stands first


def test_missing_unknown_and_wild_cells() -> None:
    features, _ = made()
    numeric = np.array([[np.nan, 7.0], [1e12, 7.0], [-np.inf, 7.0]])
    found = features.of(Rows(numeric, np.array([[-1], [-2], [0]], dtype=np.int32)))
    assert found[:, 0].tolist() == [0.0, REACH, -REACH]
    assert found[:2, 1:].sum() == 0

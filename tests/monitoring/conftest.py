from types import SimpleNamespace

import numpy as np
import pytest

from temperance.monitoring import reference
from temperance.records.schema import Column, Rows, Schema, Target

WORDS = ("a", "b", "c", "d")


@pytest.fixture
def world():
    """A small binary problem: three numeric columns, two categorical ones, a model that knows the truth."""
    columns = [Column(f"x{i}", "numeric") for i in range(3)]
    columns += [Column(f"c{i}", "categorical", vocabulary=WORDS) for i in range(2)]
    schema = Schema(tuple(columns), Target("y", "binary", ("no", "yes")))

    def draw(b, *, seed, shift=0.0, missing=0.0, unseen=0.0):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(b, 3))
        x[:, 0] += shift
        p = 1 / (1 + np.exp(-2 * x[:, 0]))
        x[rng.random(b) < missing, 1] = np.nan
        c = rng.choice(4, p=[0.5, 0.3, 0.15, 0.05], size=(b, 2)).astype(np.int32)
        c[rng.random(b) < unseen, 0] = -2
        y = (rng.random(b) < p).astype(np.int64)
        return Rows(x, c), np.stack([1 - p, p], axis=1), y

    rows, predictions, target = draw(800, seed=0)
    return SimpleNamespace(
        schema=schema, draw=draw, reference=reference.build(rows, predictions, schema, target=target)
    )

from types import SimpleNamespace

import numpy as np
import pytest

from temperance.monitoring import reference
from temperance.records.schema import Column, Rows, Schema, Target

MEANS = np.array([0.9, 0.4])


@pytest.fixture(scope="session")
def world():
    """Two normal classes at ±MEANS, equally common; the model is their true posterior."""
    schema = Schema((Column("a", "numeric"), Column("b", "numeric")), Target("y", "binary", ("no", "yes")))

    def model(x):
        p = 1 / (1 + np.exp(-2 * (x @ MEANS)))
        return np.stack([1 - p, p], axis=1)

    def draw(labels, *, seed):
        rng = np.random.default_rng(seed)
        return rng.normal(size=(len(labels), 2)) + np.outer(2 * labels - 1, MEANS)

    def labels(b, share, *, seed):
        return (np.random.default_rng(seed).random(b) < share).astype(np.int64)

    y = labels(1000, 0.5, seed=0)
    x = draw(y, seed=1)
    arrays = reference.build(Rows(x, np.empty((1000, 0), np.int32)), model(x), schema, target=y)
    return SimpleNamespace(model=model, draw=draw, labels=labels, reference=arrays, schema=schema)

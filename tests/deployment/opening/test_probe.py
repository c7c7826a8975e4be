import numpy as np

from temperance.deployment import load
from temperance.deployment.opening.probe import probe
from temperance.records.schema import Schema, Target


def test_the_probe_has_every_kind_of_cell(shipped) -> None:
    rows = probe(load(shipped).schema)
    assert np.isnan(rows.numeric[0]).all()
    assert rows.categorical.min() >= -2
    assert np.asarray(load(shipped).predict(rows)).shape == (16, 2)
    pictures = probe(Schema((), Target("y", "regression"), "images", (4, 5, 3)))
    assert pictures.images.shape == (16, 4, 5, 3)

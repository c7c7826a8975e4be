from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from temperance.models.basic import Majority, Sample


def test_majority_is_the_mean_and_the_shares(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("regression")
    fitted = Majority().fit(rows, target, schema=schema, valid=(rows, target))
    assert fitted.predict(rows.take([0]))[0] == pytest.approx(target.mean())
    rows, target, schema = kit.made("binary")
    shares = Majority().fit(rows, target, schema=schema, valid=(rows, target)).predict(rows.take([0, 1]))
    np.testing.assert_allclose(shares[0], (np.bincount(target) + 1) / 402)


def test_it_has_one_path_and_weights_count(kit: SimpleNamespace) -> None:
    rows, target, schema = kit.made("binary")
    weight = 1.0 + target
    fitted = Majority().fit(rows, target, schema=schema, valid=None, weight=weight)
    expected = np.bincount(target, weights=weight) + 1
    np.testing.assert_allclose(fitted.predict(rows.take([0]))[0], expected / expected.sum())
    paths = list(Majority().paths(Sample(rows, target), Sample(rows, target), schema=schema, seed=0))
    assert len(paths) == len(paths[0].curve) == 1

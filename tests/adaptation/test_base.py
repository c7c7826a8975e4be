import subprocess
import sys

import numpy as np
import pytest

from temperance.adaptation.adapters import load
from temperance.adaptation.base import ADAPTERS
from temperance.adaptation.rollback import digest

load()


@pytest.mark.parametrize("name", list(ADAPTERS))
def test_every_adapter_is_pure_and_starts_neutral(world, name):
    adapter = ADAPTERS[name]()
    state = adapter.begin(world.reference)
    p = world.model(world.draw(world.labels(500, 0.9, seed=2), seed=3))
    before, given = digest(state), p.copy()
    np.testing.assert_allclose(adapter.apply(state, p), p, atol=1e-12)
    np.testing.assert_array_equal(adapter.log_ratio(state, state, p), np.zeros(500))
    moved = adapter.adapt(state, p)
    assert digest(state) == before
    np.testing.assert_array_equal(p, given)
    assert digest(adapter.adapt(state, p)) == digest(moved)
    out = adapter.apply(moved, p)
    np.testing.assert_allclose(out.sum(axis=1), 1)
    assert 0 <= adapter.fit(moved) <= 1
    assert adapter.slack(state) > 0
    assert adapter.describe(moved)


def test_neither_torch_nor_polars_nor_sklearn_is_loaded():
    code = (
        "import sys; import temperance.adaptation.guard; from temperance.adaptation.adapters import load; load(); "
        "print([m for m in ('torch', 'polars', 'sklearn', 'scipy', 'temperance.core') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

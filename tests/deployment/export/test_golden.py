import numpy as np

from temperance.deployment.export.golden import golden_rows


def test_golden_rows_get_the_answers_that_were_shipped(net, trees, line):
    for one in (net, trees, line):
        rows = golden_rows(one.bundle)
        expected = np.load(one.bundle.folder / "parity.npz")["expected"]
        assert len(expected) == rows.size > 0
        assert np.allclose(one.bundle.predict(rows), expected, equal_nan=True)

import numpy as np
import pytest

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.outliers import Outliers


def test_a_share_of_the_numbers_is_far_off(binary):
    table, _ = binary
    facts = reference(table.schema, table.rows)
    made = [Outliers()(table.rows, severity=s, reference=facts, generator=np.random.default_rng(0)) for s in (1, 3, 5)]
    shares = [(d.numeric != table.rows.numeric).mean() for d in made]
    assert shares == pytest.approx([0.01, 0.05, 0.2], abs=0.015)
    hit = [d.numeric != table.rows.numeric for d in made]
    assert not (hit[0] & ~hit[1]).any()  # the same cells, and more of them
    far = np.abs(made[2].numeric - table.rows.numeric)[hit[2]] / np.broadcast_to(facts.spread, hit[2].shape)[hit[2]]
    assert np.median(far) == pytest.approx(3 * 0.8165, rel=0.15)  # the median of |t| with 2 degrees is 0.8165

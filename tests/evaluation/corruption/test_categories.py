import numpy as np
import pytest

from temperance.evaluation.corruption.base import reference
from temperance.evaluation.corruption.categories import UnknownCategory, WrongCategory
from temperance.records.schema import MISSING, UNSEEN


def test_unknown_and_wrong_categories(binary):
    table, _ = binary
    codes = table.rows.categorical.copy()
    codes[:50] = MISSING
    rows = table.rows._replace(categorical=codes)
    facts = reference(table.schema, rows)
    unknown = (
        UnknownCategory().corrupt(rows, level=0.3, reference=facts, generator=np.random.default_rng(0)).categorical
    )
    assert (unknown == UNSEEN).mean() == pytest.approx(0.3, abs=0.05)
    assert np.array_equal(unknown[unknown != UNSEEN], codes[unknown != UNSEEN])
    wrong = WrongCategory().corrupt(rows, level=0.3, reference=facts, generator=np.random.default_rng(0)).categorical
    assert (wrong != codes).mean() == pytest.approx(0.3, abs=0.05)
    assert set(np.unique(wrong[wrong != codes])) <= {0, 1, 2}
    for old in (0, 1, 2):
        new = np.unique(wrong[(codes == old) & (wrong != codes)])
        assert old not in new
        assert len(new) == 2


def test_they_need_categories(regression):
    facts = reference(regression[0].schema, regression[0].rows)
    assert not UnknownCategory().applies(facts)
    assert not WrongCategory().applies(facts)

import numpy as np

from temperance.records.digests import digest_columns
from temperance.records.schema import Rows


def test_equal_texts_and_series_have_equal_numbers() -> None:
    texts = np.array([["a", None], ["a", "b"], ["b", ""]], dtype=object)
    series = np.zeros((3, 1, 4), dtype=np.float32)
    series[2, 0, 1] = 1.0
    rows = Rows(np.empty((3, 0)), np.empty((3, 0), dtype=np.int32), text=texts, series=series)
    first, second, third = digest_columns(rows)
    assert first[0] == first[1] != first[2]
    assert second[0] == 0
    assert len(set(second.tolist())) == 3  # a missing text, a text, an empty one
    assert third[0] == third[1] != third[2]
    assert digest_columns(rows._replace(text=None, series=None)) == []

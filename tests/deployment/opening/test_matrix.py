import numpy as np
import pytest

from temperance.deployment.opening.matrix import channels_first, frame, numbers
from temperance.records.errors import DataError
from temperance.records.schema import Rows


def test_numbers_and_frames(tables) -> None:
    table = tables.mixed
    assert numbers(tables.numbers.rows, tables.numbers.schema, what="a graph").shape == (200, 2)
    with pytest.raises(DataError, match="no numbers: c"):
        numbers(table.rows, table.schema, what="a graph")
    found = frame(table.rows, table.schema, ["c", "a"])
    assert found.columns == ["c", "a"]
    assert set(found["c"].to_list()) == {"red", "blue"}
    gone = frame(table.rows._replace(categorical=np.full((200, 1), -1, np.int32)), table.schema)
    assert gone["c"].null_count() == 200
    with pytest.raises(DataError, match="'zip'"):
        frame(table.rows, table.schema, ["zip"])


def test_pictures() -> None:
    images = np.full((2, 4, 5, 3), 255, dtype=np.uint8)
    rows = Rows(np.zeros((2, 0)), np.zeros((2, 0), np.int32), images)
    assert channels_first(rows).shape == (2, 3, 4, 5)
    assert channels_first(rows).max() == 1.0
    with pytest.raises(DataError, match="without images"):
        channels_first(rows._replace(images=None))

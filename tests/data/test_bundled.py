from __future__ import annotations

import pytest

from temperance import data
from temperance.records.errors import DataError


@pytest.mark.parametrize(
    ("name", "task", "columns"),
    [
        ("iris", "multiclass", 4),
        ("sklearn:breast_cancer", "binary", 30),
        ("wine", "multiclass", 13),
        ("diabetes", "regression", 10),
        ("sklearn:digits_table", "multiclass", 64),
    ],
)
def test_bundled_sets(name: str, task: str, columns: int) -> None:
    schema = data.read(name).table.schema
    assert schema.target.task == task
    assert len(schema.columns) == columns


def test_digits_are_images_and_it_is_said() -> None:
    reading = data.read("digits")
    assert reading.table.schema.image_shape == (8, 8, 1)
    assert reading.table.rows.numeric.shape == (1797, 0)
    assert "digits_table" in reading.notes[0]


def test_noisy_digits_say_what_was_done_to_them_and_share_no_row_with_their_test() -> None:
    noisy, test = data.read("noisy_digits"), data.read("noisy_digits_test")
    assert any(
        "120 of these 400 digits of scikit-learn carry a wrong answer on purpose" in note for note in noisy.notes
    )
    assert any("1,397" in note and "right answers" in note for note in test.notes)
    rows = [{row.tobytes() for row in one.table.rows.numeric} for one in (noisy, test)]
    assert not rows[0] & rows[1]


def test_an_unknown_bundled_set_names_the_nearest() -> None:
    with pytest.raises(DataError, match="Did you mean 'iris'"):
        data.read("sklearn:irs")

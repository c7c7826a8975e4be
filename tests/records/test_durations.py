from __future__ import annotations

import pytest

from temperance.records.durations import words_for_seconds


@pytest.mark.parametrize(
    ("seconds", "words"), [(-3, "0 s"), (8.4, "8 s"), (125, "2 min 05 s"), (3600, "1 h 00 min"), (4200, "1 h 10 min")]
)
def test_seconds_in_words(seconds: float, words: str) -> None:
    assert words_for_seconds(seconds) == words

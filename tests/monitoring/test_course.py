import numpy as np
import pytest

from temperance.monitoring.course import MOST, WINDOW, Course
from temperance.records.errors import DataError

CUTS = [-1.2, -0.8, -0.5, -0.25, 0, 0.25, 0.5, 0.8, 1.2]


def walk(shift, windows: int = 20, seed: int = 0) -> Course:
    rng = np.random.default_rng(seed)
    counts = np.bincount(np.digitize(rng.normal(size=800), CUTS), minlength=10)[None]
    course = Course(counts)
    for k in range(windows):
        course.observe(np.digitize(rng.normal(size=WINDOW) + shift(k), CUTS)[None].astype(np.int8))
    return course


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("way", "shift", "row"),
    [
        ("none", lambda k: 0.0, -1),
        ("sudden", lambda k: 1.0 * (k > 8), 9),
        ("slow", lambda k: k / 20, None),
        ("passing", lambda k: 1.0 * (8 < k < 14), 9),
        ("recurring", lambda k: 1.0 * ((k // 4) % 2), 4),
    ],
)
def test_ways_are_told_apart(way: str, shift, row: int | None, seed: int) -> None:
    found, first = walk(shift, seed=seed).way(0)
    assert found == way
    if row is not None:
        assert first == (row * WINDOW if row >= 0 else -1)


def test_it_says_so_in_words_and_not_too_early() -> None:
    assert "slowly" in walk(lambda k: k / 20).sentence(0)
    assert "comes and goes" in walk(lambda k: 1.0 * ((k // 4) % 2)).sentence(0)
    assert walk(lambda k: 1.0, windows=3).way(0) == ("too early to say", -1)
    assert walk(lambda k: 0.0).sentence(0) == ""


def test_old_windows_are_joined_so_that_memory_stays() -> None:
    course = walk(lambda k: 1.0 * (k > 60), windows=120)
    assert len(course.windows) <= MOST
    assert course.rows.sum() == 120 * WINDOW
    assert course.way(0)[0] == "sudden"


def test_rows_that_say_nothing_are_not_counted() -> None:
    course = Course(np.ones((1, 4)))
    course.observe(np.full((1, WINDOW), -1, dtype=np.int8))
    assert course.windows.sum() == 0


def test_its_state_goes_on() -> None:
    one = walk(lambda k: k / 20)
    other = Course(one.reference)
    other.load_state_dict(one.state_dict())
    assert other.way(0) == one.way(0)
    with pytest.raises(DataError, match="state"):
        Course(np.ones((2, 4))).load_state_dict(one.state_dict())

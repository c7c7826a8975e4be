import io
import math
import sys

import pytest

from temperance.cli.progress import Bar, Lines, Silent, fraction, progress, words

EVENT = {
    "part": "search", "done": 3, "left_seconds": 30.0, "elapsed": 90.0, "planned": None, "message": "plain net: 0.31",
    "best": {"name": "plain net", "quality": 0.31234}, "metric": "log_loss",
}  # fmt: skip


def test_the_share_that_is_done_is_of_the_time_or_of_the_trials() -> None:
    assert fraction(EVENT) == 0.75
    assert fraction({**EVENT, "left_seconds": -5.0}) == 1.0
    assert fraction({"done": 3, "planned": 12, "left_seconds": math.inf}) == 0.25
    assert fraction({"part": "read"}) == 0.0


def test_words_have_the_time_left_and_the_best_so_far() -> None:
    assert words(EVENT) == "3 trials, 30 s left, best so far: plain net (log_loss 0.3123)"
    assert words({**EVENT, "best": None, "left_seconds": math.inf}) == "3 trials"


def test_lines_come_at_a_new_part_and_now_and_then() -> None:
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, clock=lambda: now[0])
    for moment, part in ((0.0, "search"), (1.0, "search"), (2.0, "refit"), (13.0, "refit")):
        now[0] = moment
        lines({**EVENT, "part": part})
    said = stream.getvalue().splitlines()
    assert [line.split("]")[0] for line in said] == ["[search", "[refit", "[refit"]
    assert "plain net: 0.31" in said[0]


def test_the_bar_shows_and_goes() -> None:
    pytest.importorskip("rich")
    with Bar() as bar:
        bar(EVENT)
        task = bar._progress.tasks[0]
        assert task.completed == 0.75
        assert "30 s left" in task.fields["said"]


def test_the_place_decides(monkeypatch) -> None:
    assert type(progress(quiet=True)) is Silent
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert type(progress(quiet=False)) is Lines
    with progress(quiet=True) as silent:
        assert silent(EVENT) is None

"""A training ends by the clock, or when the desk asks for it."""

import math
import operator
import time

import pytest

from temperance.study import deadline
from temperance.study.deadline import Deadline, deadline_of


def test_it_is_a_moment():
    now = time.monotonic()
    assert now > Deadline(now - 1)
    assert not now > Deadline(now + 100)
    assert not now > Deadline()
    assert min(Deadline(3.0), 5.0) == 3.0


def test_a_file_brings_it_forward_wherever_it_is_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(deadline, "LOOK_EVERY", 0.0)
    until = deadline_of({"seconds": 1000.0, "stop": str(tmp_path / "stop")})
    assert not time.monotonic() > until
    assert not until.asked
    (tmp_path / "stop").touch()
    assert time.monotonic() > until
    assert until.asked


@pytest.mark.parametrize(
    ("come", "open_"), [("gt", "le"), ("ge", "lt")], ids=["now > deadline, now <= deadline", "now >= …, now < …"]
)
def test_it_is_heard_whichever_way_round_it_is_compared(tmp_path, monkeypatch, come, open_):
    monkeypatch.setattr(deadline, "LOOK_EVERY", 0.0)
    until = Deadline(time.monotonic() + 1000.0, tmp_path / "stop")
    come, open_ = getattr(operator, come), getattr(operator, open_)
    assert open_(time.monotonic(), until)
    assert not come(time.monotonic(), until)
    (tmp_path / "stop").touch()
    assert come(time.monotonic(), until)
    assert not open_(time.monotonic(), until)


def test_it_does_not_look_at_every_step(tmp_path):
    until = Deadline(math.inf, tmp_path / "stop")
    assert not time.monotonic() > until
    (tmp_path / "stop").touch()
    assert not time.monotonic() > until  # within the tenth of a second since the last look
    time.sleep(1.5 * deadline.LOOK_EVERY)
    assert time.monotonic() > until


def test_a_job_without_either_never_ends_early():
    assert deadline_of({}) == math.inf
    assert deadline_of({"seconds": 0.0}) <= time.monotonic()  # 0 seconds are a limit, not none

"""A training ends by the clock, or when the desk asks for it."""

import math
import time

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

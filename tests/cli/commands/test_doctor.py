import pytest

from temperance.cli.commands import doctor
from temperance.cli.doctor.base import Check, Condition


def checks_of(*found: Condition):
    class Given(Check):
        name = "given"

        def examine(self):
            yield from found

    return lambda: [Given()]


FINE = Condition("Python", "fine", "Python 3.12 is well.")
LOOK = Condition("disk", "look", "It is full.", "Free some space")
BROKEN = Condition("PyTorch", "broken", "It does not load.", "Install it again")
ABSENT = Condition("extra orc", "absent", "Not installed: pyarrow.", "pip install 'temperance[orc]'")


@pytest.mark.parametrize(
    ("found", "status", "end"),
    [
        ((FINE, ABSENT), 0, "All is well."),
        ((FINE, LOOK), 0, "could be better."),
        ((LOOK, BROKEN), 1, "must be mended first."),
    ],
)
def test_it_says_what_is_what_and_ends_with_a_status(temperance, monkeypatch, found, status: int, end: str) -> None:
    monkeypatch.setattr(doctor, "checks", checks_of(*found))
    done = temperance("doctor")
    assert done.status == status
    assert done.out.rstrip().endswith(end)
    for one in found:
        assert one.said in done.out
    assert ("What to do: Free some space." in done.out) == (LOOK in found)
    told = temperance("doctor", "--json")
    assert told.status == status
    assert [row["name"] for row in told.json["conditions"]] == [one.name for one in found]
    assert temperance("doctor", "--quiet").out == ""


def test_a_check_that_raises_is_no_traceback(temperance, monkeypatch) -> None:
    class Falls(Check):
        name = "falls"

        def examine(self):
            raise RuntimeError("boom")
            yield

    monkeypatch.setattr(doctor, "checks", lambda: [Falls()])
    done = temperance("doctor", "--json")
    assert done.status == 1
    assert "RuntimeError: boom" in done.json["conditions"][0]["said"]
    assert "Traceback" not in done.err


def test_all_four_checks_are_made() -> None:
    assert [one.name for one in doctor.checks()] == ["machine", "terminal", "PyTorch", "packages"]

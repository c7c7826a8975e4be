from __future__ import annotations

import pytest

from temperance.records.moments import parse_days
from temperance.records.plainer import lasting, plain_moment, plain_number


@pytest.mark.parametrize(
    ("word", "plain"),
    [("655,-", "655"), ("5,– €", "5 €"), ("$(12)", "($12)"), ("１２", "12"), ("\u22125", "-5"), ("12D3", "12D3")],
)
def test_numbers(word: str, plain: str) -> None:
    assert plain_number(word) == plain


@pytest.mark.parametrize(
    ("word", "hours"),
    [
        ("1h 30m", 1.5), ("PT1H30M", 1.5), ("P1DT2H", 26.0), ("2 days 03:30:00", 51.5), ("15h30", 15.5), ("3 PM", 15.0),
        ("12 am", 0.0), ("1 hour 3 minutes", 1.05), ("2m 30s", 150 / 3600),
    ],
)  # fmt: skip
def test_durations(word: str, hours: float) -> None:
    assert lasting(word) == pytest.approx(hours / 24)
    assert parse_days(word, pattern="clock") == pytest.approx(hours / 24)


def test_what_lasts_not() -> None:
    for word in ("P", "PT", "13 PM", "5", "5 m", "red"):
        assert lasting(word) is None


@pytest.mark.parametrize(
    ("word", "pattern", "days"),
    [
        ("[02/Jan/2023:12:00:00 +0000]", "%d/%b/%Y", 19359.5),
        ("Mon Jan 02 12:00:00 2023", "%d %b %Y", 19359.5),
        ("02JAN2023:12:00:00", "%d%b%Y", 19359.5),
        ("January 2nd, 2023", "%B %d, %Y", 19359.0),
        ("2 de enero de 2023", "%d %B %Y", 19359.0),
        ("02.01.2023, 12:00 Uhr", "%d.%m.%Y", 19359.5),
        ("2023-01-02T13:00:00+01:00[Europe/Berlin]", "iso", 19359.5),
        ("2023-01-02 07:00:00 EST", "iso", 19359.5),
        ("2023-W01-1", "%G-W%V-%u", 19359.0),
        ("Jan-23", "%b-%y", 19358.0),
        ("44928", "excel", 19359.0),
        ("20230102120000", "%Y%m%d%H%M%S", 19359.5),
        ("1672660800000000", "epoch_us", 19359.5),
    ],
)
def test_moments(word: str, pattern: str, days: float) -> None:
    assert parse_days(word, pattern=pattern) == pytest.approx(days)
    assert plain_moment("2023-01-02") == "2023-01-02"

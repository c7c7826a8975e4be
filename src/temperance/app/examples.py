"""The three built-in examples. Each tells a story; nothing is downloaded."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from temperance.data.bundled import NOISY, NOISY_TEST


@dataclass(frozen=True)
class Example:
    """One example.

    Attributes:
        key: in addresses.
        title: of the project.
        test: name of a bundled set that is the test; empty: a part of the rows is.
        bundled: name of the set that comes with scikit-learn; empty where ``make`` writes a file.
        name: of the file.
        make: returns the file.
        target: what is predicted.
        options: of its study.

    """

    key: str
    title: str
    target: str
    test: str = ""
    bundled: str = ""
    name: str = ""
    make: Callable[[], str] | None = None
    options: dict[str, str] = field(default_factory=dict)


def machines(rows: int = 1500, seed: int = 7) -> str:
    """Return a table of machines, made up: about one in twelve fails within a month."""
    made = random.Random(seed)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["machine", "age_years", "hours_last_month", "temperature", "vibration", "site", "oil", "failed"])
    for number in range(rows):
        age, hours = made.uniform(0, 15), made.uniform(50, 700)
        site, oil = made.choice(["Harbour", "Mill", "Quarry"]), made.choice(["new", "used", "used", "old"])
        heat = made.gauss(62, 6) + 0.01 * hours + (4 if site == "Quarry" else 0)
        shake = abs(made.gauss(2.2, 0.7)) + 0.08 * age
        risk = 0.22 * age + 0.10 * (heat - 68) + 0.9 * (shake - 2.8) + {"new": -0.8, "used": 0.0, "old": 0.9}[oil]
        failed = made.random() < 1 / (1 + pow(2.718281828, 5.0 - risk))
        temperature = "" if made.random() < 0.04 else f"{heat:.1f}"
        row = [f"M{number:04d}", f"{age:.1f}", round(hours), temperature, f"{shake:.2f}", site, oil]
        writer.writerow([*row, "yes" if failed else "no"])
    return out.getvalue()


EXAMPLES = (
    Example("few", "Digits that lie: few rows, wrong answers", "target", NOISY_TEST, NOISY, options={"budget": "75s"}),
    Example(
        "rare", "Machines: failures are rare and dear", "failed", name="machines.csv", make=machines,
        options={"budget": "1m", "cost": "yes->no=20,no->yes=1"},
    ),
    Example("digits", "Digits: small pictures", "target", bundled="digits", options={"budget": "1m"}),
)  # fmt: skip


def example(key: str) -> Example | None:
    """Return the example of a key; None for any other."""
    return next((one for one in EXAMPLES if one.key == key), None)

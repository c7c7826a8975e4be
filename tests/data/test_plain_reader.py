"""The road of numbers and the road of texts say the same of every column, word for word and number for number."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.data.test_columns import alike

from temperance.data import dates, doubts, evidence, judge, plain_columns, read
from temperance.data.choices import Choices, choose
from temperance.data.csv_file import CsvFile
from temperance.data.reading import Reading

KINDS = {
    "points": lambda rng: f"{rng.normal():.3f}", "commas": lambda rng: f"{rng.normal():.2f}".replace(".", ","),
    "thousands": lambda rng: f"{abs(rng.normal(scale=300)):.3f}".replace(".", ","),
    "groups": lambda rng: f"{rng.integers(1, 999)},{rng.integers(100, 999)}",
    "lone": lambda rng: f"{rng.integers(1, 999)}.{rng.integers(100, 999)}",
    "whole": lambda rng: str(rng.integers(-5, 500)), "bits": lambda rng: str(rng.integers(0, 2)),
    "versions": lambda rng: f"{rng.integers(1, 4)}.{rng.integers(1, 13)}",
    "exponents": lambda rng: f"{rng.normal():.2e}", "codes": lambda rng: f"{rng.integers(1, 9)}e{rng.integers(1, 9)}",
    "days": lambda rng: f"2023{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}",
    "seconds": lambda rng: str(rng.integers(1_600_000_000, 1_700_000_000)),
    "gone": lambda rng: str(rng.choice([-999, *range(20)])), "same": lambda rng: "4",
    "euros": lambda rng: f"{rng.lognormal(5, 2):.2f}".replace(".", ","),
    "zip": lambda rng: f"{rng.integers(0, 99999):05d}",
}  # fmt: skip
ODD = (
    "", "", "NA", "x", "007", "0", "-0", "00", "1.5", "1,5", "1.234", "1,234", "1.234,5", "5.", ",5", ".5", "inf",
    "nan", "1e5", "3E5", "1e400", " 4", "4 ", "+7", "9007199254740993", "12345678901234567890", "2,3,5", "5 %",
    "12 kg", "-999",
)  # fmt: skip


def both(path: Path, folder: Path, choices: Choices) -> tuple[Reading, Reading]:
    texts = read(CsvFile(path, large_bytes=1, plain=False), target="y", workdir=folder / "t", choices=choices)
    numbers = read(CsvFile(path, large_bytes=1, apart=("y",)), target="y", workdir=folder / "n", choices=choices)
    return texts, numbers


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kinds=st.lists(
        st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(ODD), st.integers(0, 3)), min_size=1, max_size=6
    ),
    separator=st.sampled_from(",;|"), seed=st.integers(0, 2**32 - 1), rows=st.integers(60, 260),
    small=st.booleans(), keep=st.booleans(),
)  # fmt: skip
def test_both_roads_say_the_same(
    kinds: list[tuple[str, str, int]], separator: str, seed: int, rows: int, small: bool, keep: bool
) -> None:
    rng = np.random.default_rng(seed)
    columns = {name: rng.choice(["yes", "no"], rows).tolist() for name in ("y", "k")}
    for number, (kind, odd, count) in enumerate(kinds):
        cells = [KINDS[kind](rng) for _ in range(rows)]
        for place in rng.integers(rows // 3, rows, count):
            cells[place] = odd
        columns[f"c{number}"] = ["" if separator in cell else cell for cell in cells]
    choices = choose(keep=["c0"] if keep else ())
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        path = Path(name) / "table.csv"
        lines = [separator.join(columns), *(separator.join(row) for row in zip(*columns.values(), strict=True))]
        path.write_text("\n".join(lines) + "\n")
        forced = [(judge, "WHOLE", 50), (judge, "LOOK", 16), (plain_columns, "CHUNK", 700)]
        forced += [(dates, "SAMPLE", 10), (doubts, "HEAD", 5), (evidence, "REPEATED", 5), (evidence, "SAMPLE", 4)]
        for module, constant, value in forced if small else forced[:3]:
            patch.setattr(module, constant, value)
        alike(*both(path, Path(name), choices))


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("separator", [",", ";"])
def test_each_kind_of_column_alone(kind: str, separator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    cells = [KINDS[kind](rng) for _ in range(400)]
    if separator in "".join(cells):
        separator = "|"
    path = tmp_path / "table.csv"
    rows = [separator.join([one, "ab"[i // 2 % 2], "ab"[i % 2]]) for i, one in enumerate(cells)]
    path.write_text("\n".join([separator.join("cky"), *rows]))
    for constant, value in (("WHOLE", 100), ("LOOK", 30)):
        monkeypatch.setattr(judge, constant, value)
    alike(*both(path, tmp_path, Choices()))

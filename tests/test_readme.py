"""The README holds: its snippet runs, its picture is real, its figures are those of the linked records."""

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_opens_with_purpose_users_picture_and_the_two_commands() -> None:
    order = [
        TEXT.index(mark) for mark in ("It is for ", "![", "make demo", "make test", "```python", "## What is there")
    ]
    assert order == sorted(order)


def test_the_picture_is_a_real_one() -> None:
    data = (ROOT / "docs" / "pictures" / "report.png").read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    assert data.startswith(b"\x89PNG")
    assert min(width, height) > 500


def test_the_three_lines_run() -> None:
    import torch

    code = re.search(r"```python\n(.*?)```", TEXT, flags=re.S)
    assert code is not None
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    space: dict[str, Any] = {
        "model": model,
        "optimizer": torch.optim.AdamW(model.parameters(), weight_decay=0.0),
        "loss": torch.nn.CrossEntropyLoss(reduction="none"),
        "epochs": 3,
        "batches": [(torch.randn(16, 4), torch.randint(0, 2, (16,))) for _ in range(3)],
        "valid": [(torch.randn(16, 4), torch.randint(0, 2, (16,)))],
    }
    exec(code[1], space)
    assert space["best"] is model
    session = space["session"]
    assert session.chosen.value <= session.chosen.single
    assert [move.strength for move in session.trace] == ["weights"]  # something was chosen, and said so
    with torch.no_grad():
        rows = [space["loss"](model(x), y) for x, y in space["valid"]]
    assert float(torch.cat(rows).mean()) == pytest.approx(session.chosen.value, rel=1e-5)


def test_each_figure_is_in_its_record() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("|") and "**" in line]
    assert rows
    for row in rows:
        records = re.findall(r"\((benchmarks/records/[^)]+)\)", row)
        assert records, f"no record is linked: {row}"
        known = {
            number for name in records for number in numbers(json.loads((ROOT / name).read_text(encoding="utf-8")))
        }
        for figure in re.findall(r"\*\*([\d.,]+)\*\*", row):
            digits = len(figure.partition(".")[2])
            value = float(figure.replace(",", ""))
            assert any(round(number, digits) == value for number in known), f"{figure} is not in {records}"


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [n for item in value.values() for n in numbers(item)]
    if isinstance(value, list):
        return [n for item in value for n in numbers(item)]
    return [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []

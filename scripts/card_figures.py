"""Price and measured effect of a technique, from the records under benchmarks/, as lines of its card."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

RECORDS = Path(__file__).resolve().parent.parent / "benchmarks" / "records"


def price_lines(address: str, records: Path = RECORDS) -> list[str]:
    """Return the section on what the technique costs; nothing where it was not measured."""
    record = read_record(records / "prices.json")
    row = record.get("techniques", {}).get(address)
    if row is None:
        return []
    lines = ["## Price", ""]
    if "ratio" not in row:
        return [*lines, f"Not priced: {row['why_not']}", ""]
    net = record["plain"] if row["net"] == "the plain one" else f"{record['plain']}; {row['net']}"
    return [
        *lines,
        f"Measured with `{row['technique']}` on {net}; {record['machine']}.",
        "",
        "| | beside the plain step |",
        "|---|---|",
        f"| time of a step | × {row['ratio']:.2f} (quartiles {row['ratio_low']:.2f} to {row['ratio_high']:.2f}, "
        f"{row['steps']} pairs) |",
        f"| kept between steps | {_size(row['memory_bytes'])} |",
        f"| time of a prediction | × {row['inference_ratio']:.2f} |",
        "",
        "On your own net and machine: `temperance price`.",
        "",
    ]


def shape_lines(address: str, records: Path = RECORDS) -> list[str]:
    """Return what the technique did in ``make reproduce``; nothing where no shape covers it."""
    shapes = read_record(records / "reproduce.json").get("shapes", {})
    lines: list[str] = []
    for shape in shapes.values():
        own = [check for check in shape.get("checks", ()) if address in check["techniques"]]
        if own and shape["verdict"] in ("reproduced", "not reproduced"):
            lines += [f"{shape['id']}, {shape['claim']} ({shape['paper']}.)", "", f"On {shape['settings']}:", ""]
            lines += [f"- {_sentence(check)}" for check in own]
            lines.append("")
    return lines


def _sentence(check: dict[str, Any]) -> str:
    figure = (
        f"{check['words']}: {check['mean']:.3f} [{check['low']:.3f}, {check['high']:.3f}], {check['n']} seeds; "
        f"wanted: {check['bound']}"
    )
    if not check["holds"]:
        return f"**we could not confirm** {figure}"
    return figure if check["clear"] else f"{figure}; the mean agrees, but the interval does not rule out the opposite"


def _size(size: int) -> str:
    return "nothing" if size == 0 else f"{size / 1e6:.2f} MB" if size >= 10_000 else f"{size} bytes"


@cache
def read_record(path: Path) -> dict[str, Any]:
    """Return a record of benchmarks/records; empty where there is none."""
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found

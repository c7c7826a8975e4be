"""``temperance export --target``: reads what a bundle needs, and says in a table what was weighed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from temperance.cli.console import table as columns
from temperance.cli.models import open_bundle
from temperance.cli.quantities import bytes_of, milliseconds
from temperance.records.errors import DataError, SettingError, nearest

if TYPE_CHECKING:
    from temperance.deployment.export import Limits, Outcome

NAMES = ("cpu", "edge", "gpu", "torch", "onnx", "mlflow", "container")
RUNTIMES = {"onnxruntime": "By ONNX Runtime", "numpy": "By NumPy alone"}
PACKED = NAMES[-2:]  # the bundle as it is, in other clothes
Say = Callable[[str], None]


def check_target(target: str) -> None:
    """Refuse a target that is not known.

    Raises:
        SettingError: see above.

    """
    if target not in NAMES:
        raise SettingError(
            f"--target got {target!r}", "one of " + ", ".join(NAMES), nearest(target, NAMES) or "Use --target cpu"
        )


def share(text: str) -> float:
    """Read ``0.5%`` or ``0.005`` as a share.

    Raises:
        SettingError: not of this form, or not in 0 … 1.

    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)\s*(%?)", text.strip())
    value = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= value <= 1:
        raise SettingError(f"--max-drop got {text!r}", "a share such as 0.5% or 0.005", "Write --max-drop 0.5%")
    return value


def limits_of(time: str | None, size: str | None) -> Limits:
    """Return the limits that two options say: ``time`` such as ``5ms``, ``size`` such as ``2MB``."""
    from temperance.deployment.export import Limits

    return Limits(None if time is None else milliseconds(time), None if size is None else bytes_of(size))


def from_bundle(
    folder: Path, target: str, *, data: str | None, out: Path | None, max_drop: float, limits: Limits, say: Say
) -> Outcome:
    """Export a bundle; ``data`` is a file with known answers, or None. Rows that it learned from judge nothing.

    Raises:
        DataError: the model learned from all rows of ``data``.

    """
    from temperance.deployment.export import export_bundle

    bundle = open_bundle(folder)
    place = out or folder.resolve().with_name(f"{folder.resolve().name}-{target}")
    if data is None:
        return export_bundle(bundle, target, place, max_drop=max_drop, limits=limits, say=say)
    from temperance.data import read
    from temperance.deployment.opening.of_bundle import own_rows_of

    with tempfile.TemporaryDirectory(prefix="temperance-export-", ignore_cleanup_errors=True) as scratch:
        table = read(data, target=bundle.schema.target.name, schema=bundle.schema, workdir=Path(scratch) / "data").table
        own = own_rows_of(bundle, table)
        if own.all_learned:
            raise DataError(
                f"{data} holds only rows that the model learned from", "rows that it has not seen",
                "Give others, or the folder of the study, whose test rows judge",
            )  # fmt: skip
        rows = table.rows.take(own.unseen)
        done = export_bundle(
            bundle, target, place, rows=rows, truth=table.target[own.unseen], max_drop=max_drop, limits=limits, say=say
        )
    learned = int(own.learned.sum())
    note = f"{learned:,} of {len(table):,} rows are rows that the model learned from: they were left out."
    return replace(done, notes=(*done.notes, note)) if learned else done


def packed(
    folder: Path, target: str, *, trial: str | None, data: str | None, out: Path | None
) -> tuple[dict[str, Any], str]:
    """Write a bundle as it is for ``mlflow`` or a ``container``; return what was done, and that in words.

    Raises:
        SettingError: options that need a choice among forms.

    """
    if trial is not None or data is not None:
        raise SettingError(
            f"--trial or --data with --target {target}", "a bundle as it is",
            "Export the trial or the smaller form first, then give that bundle",
        )  # fmt: skip
    bundle = open_bundle(folder)
    place = out or bundle.folder.resolve().with_name(f"{bundle.folder.resolve().name}-{target}")
    if target == "mlflow":
        from temperance.integrations.mlflow_model import save_model

        save_model(bundle, place)
        how = f"Serve it with: mlflow models serve -m {place}"
    else:
        from temperance.deployment.export.container import write_container

        write_container(bundle, place)
        how = f"How to build it is in {place / 'README.txt'}."
    value = {"target": target, "folder": str(place), "model": bundle.name, "version": bundle.version}
    return value, f"{bundle.name} {bundle.version} is written to {place}. {how}"


def words(outcome: Outcome, trial: str | None) -> str:
    """Return the table, what ships and every note, as lines."""
    from temperance.deployment.export.targets import TARGETS, table

    lines = [columns([tuple(row) for row in table(outcome)], indent="")]
    judged = next((one.n for one in outcome.candidates if one.n), 0)
    if judged:
        lines.append(f"Loss and answers are measured on {judged:,} rows, paired with the graph as it is.")
    lines += [*outcome.notes, *_measured(outcome)]
    of = f" of {trial}" if trial else ""
    lines.append(f"{outcome.chosen}{of} ({TARGETS[outcome.target].by}) is written to {outcome.folder}.")
    return "\n".join(lines)


def _measured(outcome: Outcome) -> list[str]:
    lines: list[str] = []
    for name, run in (outcome.edge or {}).items():
        runtime = RUNTIMES[name]
        if "refused" in run:
            lines.append(f"{runtime}: {run['refused']}.")
            continue
        held = "" if run["resident_mb"] is None else f", {run['resident_mb']:.0f} MB resident"
        torch = "with" if run["torch"] else "without"
        lines.append(
            f"{runtime}, on one core with {run['cap_mb']} MB, {torch} torch: {run['p50_ms']:.3f} ms a row "
            f"(99 % within {run['p99_ms']:.3f}){held}."
        )
    if outcome.program is not None:
        size, apart = outcome.program["bytes"], outcome.program["difference"]
        lines.append(f"model.pt2 has {size:,} bytes; its answers differ by {apart:.1e} at most.")
    return lines

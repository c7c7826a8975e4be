"""Export a bundle for a target: make the forms that fit there, gate and time them, ship the best that may."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.bundle import Bundle
from temperance.deployment.export import edge
from temperance.deployment.export.choice import Limits, fastest, smallest, within
from temperance.deployment.export.derive import derive
from temperance.deployment.export.forms import FORMS
from temperance.deployment.export.gate import Candidate, Judge
from temperance.deployment.export.golden import golden_rows
from temperance.deployment.export.papers import restate
from temperance.deployment.export.program.write import graph_of, write_program
from temperance.deployment.manifest import add_texts
from temperance.governance.provenance import EXPORT
from temperance.records.errors import BundleError
from temperance.records.plain_json import dumps
from temperance.records.schema import Rows

Say = Callable[[str], None]
TABLE = "export.json"


@dataclass(frozen=True)
class Target:
    """Where a model is to run.

    Attributes:
        forms: tried, in this order.
        best: picks among those that passed.
        by: that choice in words.

    """

    forms: tuple[str, ...]
    best: Callable[[Sequence[Candidate]], Candidate | None]
    by: str


def first(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the first that may ship."""
    return next((one for one in candidates if not one.refused), None)


def last(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the last that may ship."""
    return first([*candidates][::-1])


TARGETS = {
    "cpu": Target(("as it is", "int8 weights", "int8 dynamic", "int8 static"), fastest, "the fastest for one row"),
    "edge": Target(
        ("as it is", "float16 weights", "bfloat16 weights", "int8 weights", "int8 dynamic", "int8 static"), smallest,
        "the smallest",
    ),
    "gpu": Target(("as it is", "float16 products"), last, "products in float16 where they may"),
    "onnx": Target(("as it is", "float16 weights", "int8 weights"), first, "as it is where the limits allow"),
    "torch": Target(("as it is",), first, "a torch program of the graph as it is"),
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What an export did.

    Attributes:
        target: its name.
        candidates: all forms, with why some may not ship.
        chosen: the name of the one that shipped.
        folder: what was written.
        notes: in words.
        edge: figures of the run on one core with 256 MB, for the target ``edge``.
        program: ``{"bytes", "difference"}`` of the torch program.

    """

    target: str
    candidates: tuple[Candidate, ...]
    chosen: str
    folder: Path
    notes: tuple[str, ...] = ()
    edge: dict[str, Any] | None = None
    program: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "target": self.target, "chosen": self.chosen, "folder": str(self.folder), "notes": list(self.notes),
            "edge": self.edge, "program": self.program, "candidates": [one.to_dict() for one in self.candidates],
        }  # fmt: skip


def export_bundle(
    bundle: Bundle,
    target: str,
    out: Path,
    *,
    rows: Rows | None = None,
    truth: NDArray[Any] | None = None,
    weight: NDArray[Any] | None = None,
    ranges: Rows | None = None,
    max_drop: float = 0.005,
    limits: Limits | None = None,
    say: Say | None = None,
) -> Outcome:
    """Write the best form of a bundle for a target to ``out``.

    Args:
        bundle: as a study wrote it.
        target: one of ``TARGETS``.
        out: a new folder.
        rows: rows with known answers, to measure loss and time on.
        truth: their class numbers or values (b,).
        weight: how much each row counts (b,), or None.
        ranges: rows to take ranges of numbers from; None: ``rows``.
        max_drop: largest relative loss of the score, e.g. 0.005.
        limits: on latency and size.
        say: told of every step.

    Raises:
        BundleError: nothing passes, or ``out`` cannot be written.

    """
    limits, say = limits or Limits(), say or (lambda _: None)
    plan = TARGETS[target]
    judge = Judge(bundle, rows, truth, weight, ranges, max_drop)
    model = graph_of(bundle)
    found = []
    for name in plan.forms:
        say(f"Trying {name}")
        found.append(judge.judge(FORMS[name], model, bundle.blocks))
    notes = (
        []
        if rows is not None or target == "torch"
        else ["There are no rows with known answers, so only the graph as it is may ship."]
    )
    found = within(found, limits)
    if target == "torch":
        return _program(bundle, model, out, rows, found, notes)
    if target == "gpu":
        notes += _of_gpu()
    outcome = _shipped(bundle, target, found, out, say)
    outcome = replace(outcome, notes=tuple(notes))
    add_texts(out, {TABLE: dumps({**outcome.to_dict(), "folder": None}, indent=1) + "\n"})
    restate(out, bundle, how=EXPORT, told={"export": {"target": target, "form": outcome.chosen}})
    return outcome


def _shipped(bundle: Bundle, target: str, found: list[Candidate], out: Path, say: Say) -> Outcome:
    """Write the best; for ``edge`` one that also runs on one core within the cap."""
    plan = TARGETS[target]
    while True:
        best = plan.best(found)
        if best is None:
            raise nothing_left(found)
        made = derive(bundle, best, out, told={"target": target, "by": plan.by})
        if target != "edge":
            return Outcome(target, tuple(found), best.name, out)
        say("Running it on one core with 256 MB")
        try:
            return Outcome(target, tuple(found), best.name, out, edge=edge.measure(made.folder))
        except BundleError as fault:
            shutil.rmtree(made.folder)
            found = [replace(one, refused=str(fault)) if one.name == best.name else one for one in found]


def nothing_left(found: Sequence[Candidate]) -> BundleError:
    """Return the refusal that says what each form failed by."""
    why = "; ".join(f"{one.name}: {one.refused}" for one in found)
    return BundleError(f"no form of the model may ship ({why})", "", "Loosen a limit, or choose another --trial")


def _program(
    bundle: Bundle, model: Any, out: Path, rows: Rows | None, found: list[Candidate], notes: list[str]
) -> Outcome:
    if found[0].refused:
        raise nothing_left(found)
    done = write_program(bundle, model, out, golden_rows(bundle) if rows is None else rows)
    return Outcome("torch", tuple(found), found[0].name, out, tuple(notes), program=done)


def _of_gpu() -> list[str]:
    import onnxruntime as ort

    if "CUDAExecutionProvider" in ort.get_available_providers():
        return []
    return ["ONNX Runtime reaches no GPU here: answers were compared on the CPU, speed on a GPU is not known."]


def table(outcome: Outcome) -> list[list[str]]:
    """Return the candidates as rows of text, a head first."""
    score = next((one.metric for one in outcome.candidates if one.metric), "score")
    lines = [["form", "bytes", "1 row", "256 rows", "largest difference", score, "lost", ""]]
    for one in outcome.candidates:
        state = "ships" if one.name == outcome.chosen else one.refused or "may ship"
        lines.append([
            one.name, _text(one.bytes, "{:,}"), _text(one.latency_1_ms, "{:.3f} ms"),
            _text(one.latency_256_ms, "{:.2f} ms"), _text(one.difference, "{:.1e}"), _text(one.score, "{:.4g}"),
            _lost(one), state,
        ])  # fmt: skip
    return lines


def _lost(one: Candidate) -> str:
    if one.drop is None or one.drop_low is None or one.drop_high is None or not np.isfinite(one.drop):
        return "" if one.drop is None else "∞"
    return f"{100 * one.drop:.2f} % [{100 * one.drop_low:.2f}, {100 * one.drop_high:.2f}]"


def _text(value: Any, form: str) -> str:
    return "" if value is None else form.format(value)

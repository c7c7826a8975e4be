"""Why a row got its answer: how far the answer moves when a column takes the values of other rows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.cells import belongs
from temperance.evaluation.effects import told
from temperance.evaluation.influence import Asked, put
from temperance.evaluation.slicing import said
from temperance.records.schema import Rows, Schema

OTHERS = 50  # rows whose values a column takes in turn
REASONS = 4
LEAST_CHANCE = 0.005  # a smaller move of a chance is no reason
LONGEST = 80  # signs of a text that are shown
LEAST_SHARE = 0.05  # nor is a smaller share of the largest move


@dataclass(frozen=True)
class Example:
    """One row with its answer and the columns that moved it most.

    Attributes:
        kind: why this row is shown: ``sure``, ``unsure``, ``mistake``; ``typical``, ``highest``, ``farthest``.
        row: its number in the table.
        truth: true class or value.
        predicted: predicted class or value.
        chance: of the predicted class; None for regression.
        reasons: ``columns``, their ``values`` in this row and the ``shift``: the answer minus its mean over copies of
            the row in which these columns are those of other rows.

    """

    kind: str
    row: int
    truth: Any
    predicted: Any
    chance: float | None
    reasons: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "kind": self.kind, "row": self.row, "truth": self.truth, "predicted": self.predicted,
            "chance": self.chance, "reasons": list(self.reasons),
        }  # fmt: skip


def examples(
    asked: Asked,
    schema: Schema,
    rows: NDArray[np.int64],
    groups: list[tuple[str, ...]],
    *,
    seed: int = 0,
    deadline: float | None = None,
) -> tuple[tuple[Example, ...], tuple[tuple[str, str], ...]]:
    """Return three rows with their reasons, and what was left out.

    Shapes: rows (n,).

    Args:
        asked: the model on these rows.
        schema: of the table.
        rows: their numbers in the table.
        groups: columns that are exchanged together.
        seed: of the choice of other rows.
        deadline: ``time.perf_counter()`` from which on no further row is begun.

    """
    generator = np.random.default_rng([seed, 0xE4A])
    others = generator.choice(asked.n, size=min(OTHERS, asked.n), replace=False)
    found: list[Example] = []
    answers = asked.answered(asked.before) if asked.classes else np.zeros(asked.n, dtype=np.int64)
    for kind, i in _chosen(asked).items():
        if deadline is not None and time.perf_counter() >= deadline:
            return tuple(found), (("reasons of example rows", "no time left"),)
        number = int(answers[i]) if asked.classes else 0
        names = schema.target.classes
        found.append(
            Example(
                kind,
                int(rows[i]),
                names[int(asked.truth[i])] if asked.classes else float(asked.truth[i]),
                names[number] if asked.classes else float(asked.before[i]),
                float(asked.before[i, number]) if asked.classes else None,
                _reasons(asked, schema, i, number, groups, others),
            )
        )
    return tuple(found), ()


def _chosen(asked: Asked) -> dict[str, int]:
    """Return a position by kind, each row once."""
    loss = asked.base
    if asked.classes:
        sure = asked.before[np.arange(asked.n), asked.answered(asked.before)]
        right = asked.base_wrong == 0
        order = {
            "sure": np.argsort(-np.where(right, sure, -1.0), kind="stable"),
            "unsure": np.argsort(sure, kind="stable"),
            "mistake": np.argsort(-np.where(right, -1.0, loss), kind="stable")[: int((~right).sum())],
        }
    else:
        order = {
            "typical": np.argsort(np.abs(loss - np.median(loss)), kind="stable"),
            "highest": np.argsort(-asked.before, kind="stable"),
            "farthest": np.argsort(-loss, kind="stable"),
        }
    chosen: dict[str, int] = {}
    for kind in reversed(order):  # a mistake is shown as one
        place = next((int(i) for i in order[kind] if int(i) not in chosen.values()), None)
        if place is not None:
            chosen[kind] = place
    return {kind: chosen[kind] for kind in order if kind in chosen}


def _reasons(
    asked: Asked, schema: Schema, i: int, number: int, groups: list[tuple[str, ...]], others: NDArray[np.int64]
) -> tuple[dict[str, Any], ...]:
    """Ask for all groups at once: one row for each group and each other row."""
    here, k = float(told(asked.before[[i]], number)[0]), len(others)
    pair = np.concatenate([np.full(k, i), others])  # the row itself k times, then the others
    twice = asked.clean.take(pair)
    swapped = [put(twice, schema, g, np.concatenate([np.arange(k, 2 * k)] * 2)).take(np.arange(k)) for g in groups]
    answers = told(asked.predict(_stacked(swapped)), number).reshape(len(groups), k)
    shifts = here - answers.mean(axis=1)
    top = np.argsort(-np.abs(shifts), kind="stable")[:REASONS]
    least = max(LEAST_CHANCE if asked.classes else 0.0, LEAST_SHARE * float(np.abs(shifts[top[0]])))
    row = asked.clean.take(np.array([i]))
    return tuple(
        {"columns": list(groups[g]), "values": _values(row, schema, groups[g]), "shift": float(shifts[g])}
        for g in top
        if np.isfinite(shifts[g]) and abs(shifts[g]) >= least and shifts[g] != 0
    )


def _stacked(parts: list[Rows]) -> Rows:
    return Rows.stack(parts)


def _values(row: Rows, schema: Schema, names: tuple[str, ...]) -> list[str]:
    """Write the values of a row's columns; of a date its day."""
    numeric = [(c, float(v)) for c, v in zip(schema.numeric, row.numeric[0], strict=True) if belongs(c, names)]
    texts = [said(c, v) if np.isfinite(v) else "(missing)" for c, v in numeric if c.part in ("", "days")]
    codes = [(c, int(v)) for c, v in zip(schema.categorical, row.categorical[0], strict=True) if belongs(c, names)]
    texts += [c.vocabulary[v] if v >= 0 else "(missing)" for c, v in codes]
    cells = [] if row.text is None else zip(schema.text, row.text[0], strict=True)
    count = 0 if row.series is None else sum(belongs(c, names) for c in schema.series)
    return [*texts, *(_short(cell) for c, cell in cells if belongs(c, names)), *["(a series)"] * count]


def _short(text: str | None) -> str:
    """Return the beginning of a text."""
    if not text:
        return "(missing)"
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"

"""The table of the bar: medians and spread over tasks and seeds, and which bars hold."""

from __future__ import annotations

import statistics
from typing import Any

GAIN, LOSS, HELD = 0.95, 0.05, 0.10
TOLD = ("kl_second_half", "kl_swing", "forgetting_second_half", "forgetting_end")


def summary(rows: list[dict[str, Any]], plain: str, numbers: dict[str, tuple[str, float]]) -> dict[str, Any]:
    """Return figures per method; a gain is a share of that of plain fine-tuning on the same task and seed.

    ``number_holds``: cells in which what is held was within a tenth of its number, as a mean of the second half of the
    steps.

    Args:
        rows: the runs.
        plain: the method that the others are beside.
        numbers: per method that holds one, the figure of a run that says how, and the number.

    """
    base = {(row["task"], row["seed"]): row for row in rows if row["method"] == plain}
    found: dict[str, Any] = {}
    for name in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == name]
        gains = [row["gain"] / base[row["task"], row["seed"]]["gain"] for row in own]
        exact = [row["new_exact"] - base[row["task"], row["seed"]]["new_exact"] for row in own]
        rises, drops = ([row[key] for row in own] for key in ("old_loss_rise", "old_exact_drop"))
        found[name] = {
            "cells": len(own),
            "gain_share": _spread(gains),
            "new_exact": _spread([row["new_exact"] for row in own]),
            "new_exact_minus_plain": _spread(exact),
            "old_loss_rise": _spread(rises),
            "old_exact_drop": _spread(drops),
            "kl_test": _spread([row["kl_test"] for row in own]),
            "kl_held": _spread([row["kl_held"] for row in own if row["kl_held"] is not None]),
            **{key: _spread([row[key] for row in own if row.get(key) is not None]) for key in TOLD},
            "number_holds": _held(own, *numbers[name]) if name in numbers else None,
            "gain_holds": sum(g >= GAIN for g in gains),
            "loss_holds": sum(r <= LOSS for r in rises),
            "both_hold": sum(g >= GAIN and r <= LOSS for g, r in zip(gains, rises, strict=True)),
        }
    return {"bars": {"gain_share": GAIN, "old_loss_rise": LOSS, "kl_held": HELD}, "methods": found}


def _held(rows: list[dict[str, Any]], figure: str, number: float) -> int:
    return sum(abs(row[figure] / number - 1) <= HELD for row in rows)


def _spread(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}

"""Is more, less or other regularization needed now? The recipe on the new rows, weaker and stronger, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.core.regularizer import techniques
from temperance.records.errors import SettingError
from temperance.study.spec import TrialSpec

FACTORS = {"weaker": 1 / 3, "stronger": 3.0}
Need = Literal["more", "less", "the same", "unclear"]


@dataclass(frozen=True)
class Answer:
    """What the probe found.

    Attributes:
        need: ``more``, ``less``, ``the same`` or ``unclear``.
        sentence: in words.
        changes: per strength: ``{"address", "before", "now"}``.
        losses: mean loss on rows held out, per variant.
        differences: against the recipe as it was: ``{"value", "low", "high"}`` per variant (below 0: better).

    """

    need: Need
    sentence: str
    changes: tuple[dict[str, Any], ...]
    losses: dict[str, float]
    differences: dict[str, dict[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {"need": self.need, "sentence": self.sentence, "changes": list(self.changes), "losses": self.losses,
                "differences": self.differences}  # fmt: skip


def scaled(spec: TrialSpec, factor: float) -> TrialSpec:
    """Return the trial with every strength ``factor`` times as far from its neutral value, within its range.

    Slots keep their own strengths where those are neutral. A trial without strengths comes back as it is.
    """
    recipe = spec.recipe or {}
    rows = [_scaled(row, factor) for row in recipe.get("regularizers", [])]
    return spec.changed(recipe={**recipe, "regularizers": rows})


def strengths(spec: TrialSpec) -> dict[str, float]:
    """Return the strengths of a recipe by address, ``weight_decay.rate`` → value; ranges and schedules are left out."""
    found: dict[str, float] = {}
    for row in (spec.recipe or {}).get("regularizers", []):
        for name in _known(row):
            value = row.get(name)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                found[f"{row['name']}.{name}"] = float(value)
    return found


def judge(
    before: TrialSpec, tried: dict[str, TrialSpec], losses: dict[str, NDArray[np.float64]], *, metric: str
) -> tuple[str, Answer]:
    """Choose between the recipe as it was (``as it was``) and its variants by losses on the same held-out rows.

    A variant wins only where its mean difference is below 0 by more than 1.96 standard errors of the paired rows.

    Args:
        before: the recipe as it was.
        tried: variants by name, ``weaker`` and ``stronger``.
        losses: (n,) per name, ``as it was`` among them.
        metric: its name, for the words.

    """
    usual = losses["as it was"]
    found = {}
    for name in tried:
        gap = losses[name] - usual
        half = 1.96 * float(gap.std(ddof=1)) / np.sqrt(len(gap)) if len(gap) > 1 else np.inf
        found[name] = {"value": float(gap.mean()), "low": float(gap.mean() - half), "high": float(gap.mean() + half)}
    clear = {name: row["value"] for name, row in found.items() if row["high"] < 0}
    chosen = min(clear, key=lambda name: clear[name]) if clear else "as it was"
    means = {name: float(one.mean()) for name, one in losses.items()}
    winner = tried.get(chosen, before)
    old, new = strengths(before), strengths(winner)
    changes = tuple({"address": a, "before": old[a], "now": new[a]} for a in old if a in new and new[a] != old[a])
    return chosen, Answer(*_worded(chosen, found, changes, metric), changes, means, found)


def _worded(
    chosen: str, found: dict[str, dict[str, float]], changes: tuple[dict[str, Any], ...], metric: str
) -> tuple[Need, str]:
    name = metric.replace("_", " ")
    if not found:
        return "unclear", "Whether more or less regularization is needed now was not tried: no strength, or no time."
    if chosen == "as it was":
        worse = all(row["low"] > 0 for row in found.values())
        told = "; ".join(f"{k} by a factor of 3: {row['value']:+.3g}" for k, row in found.items())
        said = "The strengths are right as they were" if worse else "No change of strengths is clearly better"
        return ("the same" if worse else "unclear"), f"{said} ({name} on held-out rows, {told})."
    row = found[chosen]
    need: Need = "more" if chosen == "stronger" else "less"
    moved = ", ".join(f"{c['address']} {c['before']:.3g} → {c['now']:.3g}" for c in changes)
    return need, (
        f"{need.capitalize()} regularization is needed now: {chosen} by a factor of 3 changes {name} on held-out rows "
        f"by {row['value']:+.3g} ({row['low']:+.3g} to {row['high']:+.3g}). {moved}."
    )


def _known(row: dict[str, Any]) -> dict[str, Any]:
    try:
        return dict(techniques[str(row.get("name"))].strengths)
    except SettingError:  # a technique of a plug-in that is not installed: its numbers stay as they are
        return {}


def _scaled(row: dict[str, Any], factor: float) -> dict[str, Any]:
    out = dict(row)
    for name, strength in _known(row).items():
        value = row.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        if value == strength.neutral:
            continue
        if np.isfinite(strength.neutral):
            moved = strength.neutral + (value - strength.neutral) * factor
        else:
            moved = value * factor if strength.stronger == "up" else value / factor
        out[name] = float(min(max(moved, strength.low), strength.high))
    return out

"""What a change costs, where it comes from and what to do: one diagnosis from all that the monitor and labels say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from temperance.monitoring.claims import Claim
from temperance.monitoring.degradation import LossMonitor
from temperance.records.measurement import Measurement
from temperance.records.verdict import Verdict

Cause = Literal["none", "data source", "cases", "class shares", "relation"]
Step = Literal["nothing", "check the data", "adapt", "relabel", "retrain"]
ENOUGH = 300  # labelled rows of now, from which training again makes sense
COSTLY = 2.0  # right answers in 100 below which a change of inputs is no reason to act
SHOWN = 5
_INPUTS = ("feature", "missing", "unseen")


@dataclass(frozen=True)
class Diagnosis:
    """What is going on.

    Attributes:
        cause: ``none``; ``data source``: a column is empty, unknown or in another unit; ``cases``: other cases come;
            ``class shares``: outcomes are more or less common; ``relation``: inputs mean another outcome than before.
        step: what to do next.
        columns: columns in alarm with the points that each alone would cost, the costliest first; None where unknown.
        impact: what it costs, in words.
        why: what the cause is concluded from, in words.
        action: the step in words.
        labels: labelled rows that would settle it; 0 where none are needed.

    """

    cause: Cause
    step: Step
    columns: tuple[tuple[str, float | None], ...]
    impact: str
    why: str
    action: str
    labels: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {**asdict(self), "columns": [list(pair) for pair in self.columns]}

    def __str__(self) -> str:
        return " ".join(part for part in (self.impact, self.why, self.action) if part)


def diagnose(
    verdicts: Sequence[Verdict],
    *,
    quality: Measurement | None = None,
    loss: LossMonitor | None = None,
    claim: Claim | None = None,
    adaptation: Mapping[str, Any] | None = None,
) -> Diagnosis:
    """Say what a change costs, where it comes from and what to do.

    Args:
        verdicts: of ``Monitor.verdicts``.
        quality: label-free estimate, of ``expected_quality``.
        loss: losses of labelled answers against the loss at release.
        claim: labelled answers against the label-free estimate.
        adaptation: ``summary()`` of a guard or a steward, where one runs.

    """
    loud = [v for v in verdicts if v.state == "alarm"]
    inputs = [v for v in loud if v.channel.partition(":")[0] in _INPUTS]
    worse = loss is not None and loss.verdict().state == "alarm"
    refuted = claim is not None and claim.refuted
    columns = _columns(inputs)
    impact = _impact(quality, loss if worse else None, claim)
    if worse or refuted:
        return _relation(inputs, columns, impact, loss, claim)
    if not loud:
        return Diagnosis("none", "nothing", (), "", "No channel is in alarm and no label speaks against the model.", "")
    source = [v for v in inputs if _is_source(v)]
    if source and len(source) == len(inputs):
        return _source(source, columns, impact, adaptation)
    if inputs and _serving(adaptation) != "shares":
        return _cases(inputs, columns, impact, quality)
    labels = _labels(quality)
    doing = "The class shares are being corrected." if _serving(adaptation) == "shares" else (
        "Serve at level shadow, to see what correcting the class shares would do."
    )  # fmt: skip
    return Diagnosis(
        "class shares", "adapt", columns, impact, "What the model answers has another mix than at release.",
        f"{doing} About {labels:,} labels of recent rows would show whether it is right.", labels,
    )  # fmt: skip


def _relation(
    inputs: list[Verdict], columns: tuple[tuple[str, float | None], ...], impact: str, loss: LossMonitor | None,
    claim: Claim | None,
) -> Diagnosis:  # fmt: skip
    known = max(0 if loss is None else loss.n, 0 if claim is None else claim.n)
    names = ", ".join(name for name, _ in columns[:SHOWN])
    why = (
        f"Labels show it, and inputs have changed too ({names}): they mean another outcome than before."
        if inputs else "Labels show it while the inputs look as they did: the same inputs mean another outcome now."
    )  # fmt: skip
    if known >= ENOUGH:
        action = (
            "Train again with recent labelled rows: temperance retrain BUNDLE DATA. Until then adaptation with labels "
            "(level shadow, then adapt) wins back a part."
        )
        return Diagnosis("relation", "retrain", columns, impact, why, action)
    action = (
        f"Label about {ENOUGH - known:,} more recent rows, then train again: temperance retrain BUNDLE DATA. "
        "Check answers by hand until then."
    )
    return Diagnosis("relation", "relabel", columns, impact, why, action, ENOUGH - known)


def _source(
    source: list[Verdict],
    columns: tuple[tuple[str, float | None], ...],
    impact: str,
    adaptation: Mapping[str, Any] | None,
) -> Diagnosis:  # fmt: skip
    names = ", ".join(f"“{name}”" for name, _ in columns[:SHOWN])
    kinds = {v.channel.partition(":")[0] for v in source}
    what = "is empty or unknown more or less often" if kinds <= {"missing", "unseen"} else "has left its usual range"
    doing = " Its values are being moved back meanwhile." if _serving(adaptation) == "alignment" else ""
    return Diagnosis(
        "data source", "check the data", columns, impact,
        f"{names} {what} while the other columns look as before: rather a source, a unit or a sensor than other cases.",
        f"Ask whoever delivers {names}, and compare raw values of before and now.{doing}",
    )  # fmt: skip


def _cases(
    inputs: list[Verdict], columns: tuple[tuple[str, float | None], ...], impact: str, quality: Measurement | None
) -> Diagnosis:  # fmt: skip
    names = ", ".join(f"“{name}”" for name, _ in columns[:SHOWN])
    more = f" and {len(columns) - SHOWN} more" if len(columns) > SHOWN else ""
    why = f"Other cases come than at release: {names}{more} changed."
    unknown = quality is None or quality.low is None
    cost = sum(-points for _, points in columns if points is not None and points < 0)
    labels = _labels(quality)
    if not unknown and cost < COSTLY:
        return Diagnosis(
            "cases", "nothing", columns, impact, why,
            "Nothing has to be done for that alone; look again when labels have come.",
        )  # fmt: skip
    return Diagnosis(
        "cases", "relabel", columns, impact, why,
        f"Label about {labels:,} recent rows: enough to show a loss that matters. If they do, train again with them.",
        labels,
    )  # fmt: skip


def _is_source(verdict: Verdict) -> bool:
    """Return whether a channel looks like a fault of the data: gaps, unknown words, or nearly all rows outside."""
    kind = verdict.channel.partition(":")[0]
    up = float(verdict.details.get("up", 0.5))
    return kind in ("missing", "unseen") or up > 0.95 or up < 0.05


def _columns(inputs: Sequence[Verdict]) -> tuple[tuple[str, float | None], ...]:
    found: dict[str, float | None] = {}
    for verdict in inputs:
        name, points = verdict.channel.partition(":")[2], verdict.details.get("points")
        before = found.get(name)
        found[name] = before if points is None else float(points) if before is None else min(before, float(points))
    return tuple(sorted(found.items(), key=lambda pair: math.inf if pair[1] is None else pair[1]))


def _impact(quality: Measurement | None, loss: LossMonitor | None, claim: Claim | None) -> str:
    if claim is not None and claim.refuted:
        return claim.sentence()
    if loss is not None:
        mean = loss.measure()
        return f"The mean loss of {mean.n:,} labelled answers is {mean.value:.3f}; up to {loss.ceiling:.3f} was usual."
    if quality is None:
        return "What it costs is not known: the bundle's reference holds no truth."
    if quality.low is None or quality.high is None:
        reason = next((flag for flag in quality.flags if flag.startswith("unknown")), "unknown")
        return f"What it costs cannot be told without labels ({reason.removeprefix('unknown: ')})."
    if quality.name == "expected_accuracy":
        return (
            f"If only the mix of cases changed, {100 * quality.value:.0f} of 100 answers are right now "
            f"({100 * quality.low:.0f} to {100 * quality.high:.0f})."
        )
    return f"If only the mix of cases changed, the mean squared error is {quality.value:.3g} now."


def _labels(quality: Measurement | None) -> int:
    """Return how many labels show a loss of 10 points at 95 % with 80 % chance: (1.96 + 0.84)² · p(1 − p) / 0.1²."""
    share = 0.8 if quality is None or quality.name != "expected_accuracy" else min(max(quality.value, 0.5), 0.95)
    return 10 * math.ceil(7.85 * share * (1 - share) / 0.01 / 10)


def _serving(adaptation: Mapping[str, Any] | None) -> str:
    """Return what is being served: ``source``, ``shares``, ``alignment``, ``experts``."""
    if adaptation is None:
        return "source"
    found = str(adaptation.get("serving", "source"))
    return "shares" if found == "adapted" else found

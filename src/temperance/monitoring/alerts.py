"""Alerts for people: what happened, what it may cost, why, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from temperance.records.measurement import Measurement
from temperance.records.verdict import Verdict


@dataclass(frozen=True)
class Alert:
    """One thing to act on.

    Attributes:
        title: what happened, one plain sentence.
        impact: what it means for the results.
        cause: what the likely reason is.
        action: what to do now.
        severity: ``act`` or ``look``.
        channels: the channels it rests on.

    """

    title: str
    impact: str
    cause: str
    action: str
    severity: Literal["act", "look"]
    channels: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {**asdict(self), "channels": list(self.channels)}

    def __str__(self) -> str:
        return " ".join((self.title, self.impact, self.cause, self.action))


_ADVICE = {
    "missing": (
        "A source of the data may have stopped filling this column.",
        "Ask whoever delivers the column; until then, check predictions for those rows by hand.",
    ),
    "unseen": (
        "New categories have appeared, or the spelling has changed.",
        "Look at the new values; map them to known ones, or retrain with rows that hold them.",
    ),
    "feature": (
        "The cases that come in have changed, or a unit or a sensor has.",
        "Compare recent rows with older ones; if the change is real, collect labels and retrain.",
    ),
    "confidence": (
        "The model meets cases that are easier or harder than before.",
        "Label a sample of recent cases and compare the error with the one at release.",
    ),
    "prediction": (
        "The mix of outcomes may have changed, or the inputs have.",
        "Check the features that changed too; label a sample; consider the prior correction in shadow mode.",
    ),
    "loss": (
        "How cases relate to the outcome has changed, or the inputs have.",
        "Retrain with recent labelled rows: temperance retrain BUNDLE DATA --target COLUMN.",
    ),
}


def alerts_from(verdicts: Sequence[Verdict], *, quality: Measurement | None = None) -> list[Alert]:
    """Return one alert per kind of change, the most urgent first; channels that are calm give none.

    Args:
        verdicts: verdicts of a monitor and of a ``LossMonitor``.
        quality: label-free estimate of ``expected_quality``, used for the impact.

    """
    loud = [v for v in verdicts if v.state == "alarm"]
    groups: dict[str, list[Verdict]] = {}
    for verdict in loud:
        groups.setdefault(verdict.channel.partition(":")[0], []).append(verdict)
    alerts = [_alert(kind, group, quality) for kind, group in groups.items()]
    return sorted(alerts, key=lambda alert: alert.severity != "act")


def _alert(kind: str, group: list[Verdict], quality: Measurement | None) -> Alert:
    ranked = sorted(group, key=lambda v: -float(v.details.get("psi", 0.0)))
    title = ranked[0].sentence
    if len(ranked) > 1:
        others = ", ".join(v.channel.partition(":")[2] or v.channel for v in ranked[1:6])
        more = f" and {len(ranked) - 6} more" if len(ranked) > 6 else ""
        title += f" The same holds for {others}{more}."
    cause, action = _ADVICE.get(kind, _ADVICE["feature"])
    large = any(v.details.get("size") == "large" for v in ranked)
    severity: Literal["act", "look"] = "act" if kind in ("loss", "missing") or large else "look"
    return Alert(title, _impact(kind, ranked[0], quality), cause, action, severity, tuple(v.channel for v in ranked))


def _impact(kind: str, verdict: Verdict, quality: Measurement | None) -> str:
    if kind == "loss":
        loss = verdict.details["loss"]
        return f"The mean loss is {loss['value']:.3f}, between {loss['low']:.3f} and {loss['high']:.3f}."
    own = verdict.details.get("points")
    if own is not None and quality is not None and quality.name == "expected_accuracy":
        return f"{_estimate(quality)} This column alone changes {own:+.1f} of 100 right answers."
    return _estimate(quality)


def _estimate(quality: Measurement | None) -> str:
    if quality is None or quality.low is None or quality.high is None:
        return "Its effect on quality is not known without labels."
    if quality.name == "expected_accuracy":
        low, high = 100 * quality.low, 100 * quality.high
        return (
            f"If only the mix of cases changed, {100 * quality.value:.0f} of 100 answers are right "
            f"(between {low:.0f} and {high:.0f})."
        )
    return f"If only the mix of cases changed, the mean squared error is {quality.value:.3g}."

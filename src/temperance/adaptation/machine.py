"""Observe → shadow → canary → adapted → back: when a change of the answers is served, on labels that prove it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation import reasons
from temperance.adaptation.evidence import STAKES
from temperance.records.errors import DataError, SettingError

Phase = Literal["source", "canary", "adapted"]
RECENT = 256  # labelled rows that must not speak against a change


@dataclass(frozen=True)
class Rules:
    """When the machine moves.

    Attributes:
        worth: bounded loss (0 to 1) per row that a change must win to be begun; what proves to win less than half of it
            ends. Less is not worth a risk, and wrong labels can fake it.
        promote_at: evidence of gain for a change: labelled rows without any gain until one is needlessly begun, on
            average, at least.
        return_at: evidence of harm that ends it.
        trial: labels of rows that were sent changed that must come without proof of harm in the canary phase.
        credit: wrong answers (values: variances of the target) that a change may cost before it has won anything; see
            ``reach``.
        most_unlabelled: rows served changed since the last label.
        cooldown: rows after a return before anything begins; doubles with each return, up to eight times.
        lost: sum of bounded losses from which a change counts as lost: on its rows that were sent, as labels tell.
        holdoff: rows after a lost change before anything begins; doubles with each lost one, up to eight times. A
            stream that turns faster than its labels come would lose with every change.

    """

    worth: float = 0.005
    promote_at: float = 500.0
    return_at: float = 1000.0
    trial: int = 50
    credit: float = 5.0
    most_unlabelled: int = 4000
    cooldown: int = 200
    lost: float = 2.0
    holdoff: int = 2000

    def __post_init__(self) -> None:
        fine = self.promote_at > 1 and self.return_at > 1 and self.trial >= 0
        fine = fine and self.credit > 0 and 0 <= self.worth < 0.1
        if not (fine and self.most_unlabelled > 0 <= self.cooldown and self.lost > 0 <= self.holdoff):
            raise SettingError("a rule of the machine is out of range", "see its docstring", "Use the defaults")


class Restarting:
    """Shiryaev-Roberts evidence that differences in [−1, 1] have a mean above 0, per stake: R ← (1 + R) · (1 + λd).

    Under "no gain", E[d | past] ≤ 0, the mean number of rows until R passes A is at least A; earlier losses never hold
    it down, so a change that has long been good and turns bad is seen as soon as one that never was good.
    """

    def __init__(self) -> None:
        self.evidence = np.zeros(len(STAKES))

    def observe(self, differences: NDArray[Any]) -> None:
        """Take differences (b,), in order.

        Raises:
            DataError: one is outside [−1, 1].

        """
        if len(differences) and not np.abs(differences).max() <= 1:
            raise DataError("differences outside [-1, 1]", "losses in [0, 1]", "Bound the losses")
        stakes = np.array(STAKES)
        for one in differences.tolist():
            self.evidence = np.minimum((1 + self.evidence) * (1 + stakes * one), 1e30)

    @property
    def value(self) -> float:
        """The mean over the stakes."""
        return float(self.evidence.mean())


class Machine:
    """The phases of one change, moved by paired losses of labelled rows.

    Args:
        rules: when it moves.

    """

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.phase: Phase = "source"
        self.gain, self.harm, self.errors = Restarting(), Restarting(), Restarting()
        self.recent = np.empty((0, 2))
        self.labels = self.tried = self.since = self.quiet = self.returns = 0
        self.balance = 0.0  # what the last change was worth on rows that were sent, so far as labels tell
        self.losses, self.over = 0, 0  # lost changes; rows since the last change ended
        self.frozen = False

    def rest(self, rows: int) -> None:
        """Count rows while nothing of the experts is in force."""
        self.quiet = max(0, self.quiet - rows)
        self.over += rows

    def tick(self, rows: int) -> str:
        """Count served rows; return why it went back, or an empty text."""
        self.rest(rows)
        self.since += rows
        if self.phase != "source" and self.since > self.rules.most_unlabelled:
            return self.back(reasons.NO_LABELS, forced=False)
        return ""

    def judge(
        self, losses: NDArray[Any], errors: NDArray[Any], *, sent: NDArray[np.bool_] | None = None,
        worth: NDArray[Any] | None = None, may_begin: bool = True,
    ) -> str:  # fmt: skip
        """Take labelled rows; return what happened: ``promote``, ``settle``, a reason to go back, or an empty text.

        Args:
            losses: loss of the source minus loss of the change (b,), bounded losses in [0, 1].
            errors: the same in wrong answers, −1, 0 or 1 (values: as ``losses``).
            sent: rows to which a changed answer was sent (b,); None: all, while a change is in force.
            worth: mean of both differences for what was sent (b,); None: as ``losses`` and ``errors`` say.
            may_begin: a change may begin now.

        """
        count = len(losses)
        self.labels, self.since = self.labels + count, 0
        both = np.stack([losses, errors], axis=1)
        self.recent = np.concatenate([self.recent, both])[-RECENT:]
        half = (losses + errors) / 2
        self.gain.observe(np.maximum(half - self.rules.worth, -1.0))
        told = np.full(count, self.phase != "source") if sent is None else sent
        self.balance += float((half if worth is None else worth)[told].sum())
        if self.phase == "source":
            return self._begin() if may_begin else ""
        self.tried += int(told.sum())
        self.harm.observe(np.minimum(self.rules.worth / 2 - half, 1.0))
        self.errors.observe(-errors)
        if max(self.harm.value, self.errors.value) >= self.rules.return_at:
            return self.back(reasons.NO_GAIN, forced=True)
        if self.phase == "canary" and self.tried >= self.rules.trial:
            self.phase = "adapted"
            return "settle"
        return ""

    def start(self) -> None:
        """Begin the canary phase."""
        self.losses += self.balance < -self.rules.lost
        self.phase, self.tried, self.since, self.balance = "canary", 0, 0, 0.0
        self.harm, self.errors = Restarting(), Restarting()

    def back(self, reason: str, *, forced: bool) -> str:
        """Go back to the source; return ``reason``."""
        self.phase, self.over = "source", 0
        self.returns += forced
        self.quiet = self.rules.cooldown * 2 ** min(max(0, self.returns - 1), 3) if forced else 0
        self.gain = Restarting()
        return reason

    def _begin(self) -> str:
        speaks = (self.recent.mean(axis=0) >= 0).all()
        burnt = self.balance < -self.rules.lost and self.over < self.rules.holdoff * 2 ** min(self.losses, 3)
        if burnt or self.frozen or self.quiet or self.gain.value < self.rules.promote_at or not speaks:
            return ""
        self.start()
        return "promote"

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return all that changes, as arrays."""
        counts = [self.labels, self.tried, self.since, self.quiet, self.returns, self.frozen, self.losses, self.over]
        evidence = np.stack([self.gain.evidence, self.harm.evidence, self.errors.evidence])
        return {
            "phase": np.array(self.phase), "evidence": evidence, "recent": self.recent.copy(),
            "counts": np.array(counts, dtype=np.int64), "balance": np.array(self.balance),
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where ``state_dict`` was taken."""
        self.phase = str(state["phase"])  # type: ignore[assignment]  # written by state_dict
        for part, evidence in zip((self.gain, self.harm, self.errors), state["evidence"], strict=True):
            part.evidence = np.array(evidence)
        self.recent = np.array(state["recent"])
        self.labels, self.tried, self.since, self.quiet, self.returns = (int(n) for n in state["counts"][:5])
        self.frozen, self.losses, self.over = bool(state["counts"][5]), int(state["counts"][6]), int(state["counts"][7])
        self.balance = float(state["balance"])

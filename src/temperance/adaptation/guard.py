"""The guard: an adaptation is served only on evidence, and one step takes it back.

Use in a server (``deployment.serve``)::

    guarded = Guarded(LabelShift(), reference.load(folder / "reference.npz"), level="observe")
    served = guarded.transform(probabilities)         # (b, c) of the source model → what is sent
    GET /metrics, /health:  guarded.summary()
    POST labels:            guarded.feedback(probabilities, labels)     # the source's probabilities of those rows
    admin:                  guarded.rollback("owner asked"); guarded.freeze()

Levels: ``observe`` (default) hands every array back untouched, the same object; ``shadow`` does the whole reckoning and
still serves the source; ``adapt`` serves the adaptation while its evidence holds.

From source to adapted, all of these must hold: a Shiryaev-Roberts e-detector of "the candidate explains fresh traffic
better than what is served" passes ``average_run_length`` (the candidate is fitted on earlier rows only; what the finite
reference may fake is taken off); the traffic fits the adapter's assumption; no cooldown is on. Back to the source, bit
for bit and at once: the e-detector of "the source explains the traffic better" passes ``return_run_length``; the
assumption breaks; labels prove harm; ``max_dwell`` rows without proof by labels; a freeze or a call. Then ``cooldown``
rows pass before anything starts again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from temperance.adaptation.base import Adapter, State
from temperance.adaptation.evidence import PairedBets, half_brier, restart
from temperance.adaptation.rollback import SOURCE, Log, Snapshots
from temperance.records.errors import SettingError

Level = Literal["observe", "shadow", "adapt"]
BLOCK = 64


class PostProcessor(Protocol):
    """What a server calls after the model: probabilities in, probabilities out."""

    def transform(self, probabilities: NDArray[Any]) -> NDArray[Any]:
        """Return what is served for the source model's ``probabilities`` (b, c)."""
        ...


class Guarded:
    """An adapter behind its guard.

    Args:
        adapter: what learns from traffic.
        reference: arrays of ``monitoring.reference.build`` with targets.
        level: ``observe``, ``shadow`` or ``adapt``.
        average_run_length: rows of unchanged traffic until a needless adaptation, on average.
        return_run_length: rows until a right adaptation is needlessly taken back, on average. A wrong one is taken back
            once it has lost about log(``return_run_length``) nats to the source since it last was ahead.
        harm_level: labels prove harm, or gain, with at most this chance of error.
        least_fit: smallest p-value of the adapter's assumption at which it may start; a hundredth of it ends it.
        max_dwell: rows served adapted without proof by labels.
        cooldown: rows after a return during which nothing starts; doubles with each return that evidence forced.
        inputs: p-value that the inputs look as class shares (c,) would have them, best ``InputCheck(monitor)``; None
            leaves the inputs unchecked, and a small move of the inputs may then pass for a change of class shares.
        log: the log of an earlier run to go on with. A restarted server begins with the source: the safe side.
        clock: wall clock for the log; None leaves times out, so a replay writes the same log.

    """

    def __init__(
        self,
        adapter: Adapter,
        reference: State,
        *,
        level: Level = "observe",
        average_run_length: float = 100_000,
        return_run_length: float = 10_000,
        harm_level: float = 0.05,
        least_fit: float = 0.05,
        max_dwell: int = 50_000,
        cooldown: int = 2_000,
        inputs: Callable[[NDArray[np.float64]], float] | None = None,
        log: Log | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        if level not in ("observe", "shadow", "adapt"):
            raise SettingError(f"level={level!r}", "observe, shadow or adapt", "Start with observe")
        if not (average_run_length >= 1 and 0 < harm_level < 1 and 0 < least_fit < 1 and max_dwell > 0 <= cooldown):
            raise SettingError("a setting of the guard is out of range", "see its docstring", "Use the defaults")
        self.adapter, self.level = adapter, level
        self.average_run_length, self.harm_level, self.least_fit = average_run_length, harm_level, least_fit
        self.return_run_length = return_run_length
        self.max_dwell, self.cooldown, self.clock = max_dwell, cooldown, clock
        self.inputs, self.log, self.frozen = inputs, log or Log(), False
        self._lock = threading.Lock()
        self.source: State = {} if level == "observe" else adapter.begin(reference)
        self.snapshots = Snapshots(self.source)
        self.candidate, self.served, self.version = self.source, self.source, SOURCE
        self.for_candidate, self.for_source = 0.0, 0.0
        self.labels = PairedBets()
        self.rows = self.dwell = self.quiet = self.changed = self.returns = 0
        self.gain = 0.0
        self._ring: list[NDArray[Any]] = []
        self._held = 0

    @property
    def adapted(self) -> bool:
        """An adaptation is in force (in shadow: it would be)."""
        return self.version != SOURCE

    def transform(self, probabilities: NDArray[Any]) -> NDArray[Any]:
        """Return what is served; while the source is served that is the very array that came in.

        The answer rests on earlier rows only; these rows are judged afterwards.
        """
        if self.level == "observe":
            self.rows += len(probabilities)
            return probabilities
        with self._lock:
            out = probabilities
            if self.adapted:
                out = self.adapter.apply(self.served, probabilities)
                if not np.isfinite(out).all():
                    self._back("the adapted output was not a number")
                    out = probabilities
                self.changed += int((out.argmax(axis=1) != probabilities.argmax(axis=1)).sum())
            self._learn(probabilities)
        return out if self.level == "adapt" else probabilities

    def feedback(self, probabilities: NDArray[Any], labels: NDArray[Any]) -> None:
        """Take labels (b,) of rows with the source's ``probabilities`` (b, c); proof of harm takes the adaptation back.

        Compared are the source and the adaptation in force, by half the Brier score.
        """
        with self._lock:
            if not self.adapted:
                return
            adapted = self.adapter.apply(self.served, probabilities)
            self.labels.observe(half_brier(probabilities, labels) - half_brier(adapted, labels))
            if self.labels.harm >= 1 / self.harm_level:
                self._back("labels prove harm", forced=True)

    def rollback(self, reason: str = "asked for") -> None:
        """Serve the source from the next row on; calling it again changes nothing."""
        with self._lock:
            if self.adapted:
                self._back(reason)

    def freeze(self) -> None:
        """Go back to the source and stay there until ``thaw``."""
        self.rollback("frozen")
        self.frozen = True

    def thaw(self) -> None:
        """Allow adaptation again."""
        self.frozen = False

    def summary(self) -> dict[str, Any]:
        """Return a snapshot for ``/metrics``, ``/health`` and the shadow report: JSON-safe."""
        with self._lock:
            return {
                "level": self.level,
                "state": "frozen" if self.frozen else "adapted" if self.adapted else "source",
                "serving": "adapted" if self.adapted and self.level == "adapt" else "source",
                "version": self.version,
                "rows": self.rows,
                "dwell": self.dwell,
                "cooldown_left": self.quiet,
                "evidence_for_candidate": self.for_candidate,
                "evidence_for_source": self.for_source,
                "answers_changed": self.changed,
                "log_score_gain": self.gain,
                "labels": self.labels.n,
                "events": len(self.log.events),
                "candidate": self.adapter.describe(self.candidate) if self.candidate else {},
            }

    def state_dict(self) -> State:
        """Return all that changes, the log among it."""
        with self._lock:
            ring = np.concatenate(self._ring) if self._ring else np.empty((0, 0))
            counts = [self.rows, self.dwell, self.quiet, self.changed, self.returns, self.version, self.frozen]
            return {
                **{f"candidate/{k}": np.array(v) for k, v in self.candidate.items()},
                **{f"served/{k}": np.array(v) for k, v in self.served.items()},
                **{f"labels/{k}": v for k, v in self.labels.state_dict().items()},
                "counts": np.array([*counts, self.snapshots.next], dtype=np.int64), "ring": ring,
                "evidence": np.array([self.for_candidate, self.for_source, self.gain]), "log": self.log.packed(),
            }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where ``state_dict`` was taken."""
        with self._lock:
            part = {
                name: {k.partition("/")[2]: np.array(v) for k, v in state.items() if k.startswith(f"{name}/")}
                for name in ("candidate", "served", "labels")
            }
            self.candidate = part["candidate"]
            self.labels.load_state_dict(part["labels"])
            counts = [int(n) for n in state["counts"]]
            self.rows, self.dwell, self.quiet, self.changed, self.returns, self.version = counts[:6]
            self.frozen, self.served = bool(counts[6]), self.source
            if self.adapted:
                self.snapshots.put(part["served"], version=self.version)
                self.served = self.snapshots.get(self.version)
            self.snapshots.next = counts[7]
            self._ring = [np.array(state["ring"])] if len(state["ring"]) else []
            self._held = len(state["ring"])
            self.for_candidate, self.for_source, self.gain = (float(x) for x in state["evidence"])
            self.log = Log.unpacked(state["log"])

    def _learn(self, probabilities: NDArray[Any]) -> None:
        """Judge rows at once while adapted, else in blocks."""
        self.rows += len(probabilities)
        if self.adapted:
            self._watch(probabilities)
        self._ring.append(np.array(probabilities, dtype=np.float64))
        self._held += len(probabilities)
        if self._held >= BLOCK:
            block = np.concatenate(self._ring)
            self._ring, self._held = [], 0
            for first in range(0, len(block), BLOCK):
                self._consider(block[first : first + BLOCK])

    def _watch(self, probabilities: NDArray[Any]) -> None:
        """While adapted: does the source explain these rows better?"""
        against = -self.adapter.log_ratio(self.served, self.source, probabilities)
        self.gain -= float(against.sum())
        self.dwell += len(probabilities)
        self.for_source = restart(self.for_source, against, most=self.return_run_length)
        if self.for_source >= self.return_run_length:
            self._back("the source explains the traffic better", forced=True)
        elif self.dwell >= self.max_dwell and self.labels.gain < 1 / self.harm_level:
            self._back("the longest time without proof by labels is over")

    def _consider(self, block: NDArray[np.float64]) -> None:
        """Test the candidate of earlier rows on this block, then let it learn from the block."""
        self.quiet = max(0, self.quiet - len(block))
        ratios = self.adapter.log_ratio(self.candidate, self.served, block) - self.adapter.slack(self.source)
        self.for_candidate = restart(self.for_candidate, ratios, most=self.average_run_length)
        self.candidate = self.adapter.adapt(self.candidate, block)
        ready = self.for_candidate >= self.average_run_length and not self.quiet and not self.frozen
        if not (ready or self.adapted):
            return
        fit = self._fit()
        if self.adapted and fit < self.least_fit / 100:
            self._back("the traffic no longer fits the assumption", forced=True, fit=fit)
        elif ready and fit >= self.least_fit:
            self._promote(fit)

    def _fit(self) -> float:
        """Return the p-value of the adapter's assumption: outputs, and inputs where they are checked."""
        fit = self.adapter.fit(self.candidate)
        shares = self.adapter.shares(self.candidate)
        return fit if self.inputs is None or shares is None else min(fit, self.inputs(shares))

    def _promote(self, fit: float) -> None:
        evidence, before = self.for_candidate, self.version
        self.version = self.snapshots.put(self.candidate)
        self.served = self.snapshots.get(self.version)
        self.for_candidate = self.for_source = 0.0
        if before == SOURCE:
            self.labels, self.dwell = PairedBets(), 0
        self._note("promote", before, "the candidate explains fresh traffic better", evidence=evidence, fit=fit)

    def _back(self, reason: str, *, forced: bool = False, **figures: float) -> None:
        before, self.version, self.served = self.version, SOURCE, self.source
        figures |= {"evidence": self.for_source, "harm": self.labels.harm, "labels": float(self.labels.n)}
        self.returns += forced
        self.quiet, self.dwell = self.cooldown * 2 ** min(max(0, self.returns - 1), 10), 0
        self.for_candidate = self.for_source = 0.0
        self.candidate = self.source
        self._note("rollback", before, reason, **figures)

    def _note(self, event: str, before: int, reason: str, **figures: float) -> None:
        row: dict[str, Any] = {
            "event": event,
            "row": self.rows,
            "from": before,
            "to": self.version,
            "reason": reason,
            "level": self.level,
            "figures": figures,
            "snapshot": self.snapshots.digest(self.version),
        }
        if self.clock is not None:
            row["time"] = self.clock()
        self.log.add(row)

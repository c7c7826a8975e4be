"""What the owner of a server may ask and do: labels, a report in words, rollback, freeze, reset. Behind a token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.bundle import Bundle
from temperance.deployment.serve.ownership import Token
from temperance.deployment.serve.recent import NONE, Answered, Recent
from temperance.records.errors import RequestError
from temperance.records.measurement import Measurement
from temperance.records.verdict import Verdict

if TYPE_CHECKING:
    from temperance.adaptation.steward import Steward
    from temperance.monitoring.claims import Claim
    from temperance.monitoring.degradation import LossMonitor
    from temperance.monitoring.diagnosis import Diagnosis
    from temperance.monitoring.monitor import Monitor

JUDGED = 4000  # latest answers that the label-free estimate is made from
MOST_LABELS = 100_000


class Admin:
    """Answers ``/admin/…`` for one served bundle.

    Args:
        bundle: the model.
        token: that requests carry as ``Authorization: Bearer TOKEN``; empty: nobody is let in.
        monitor: of the traffic.
        recent: answers by request id.
        loss: takes the losses of labelled answers; None where the bundle's reference holds no truth.
        claim: holds labelled answers against the label-free estimate; None likewise.
        adapter: the steward, where one runs.

    """

    def __init__(
        self, bundle: Bundle, token: str, *, monitor: Monitor, recent: Recent, loss: LossMonitor | None = None,
        claim: Claim | None = None, adapter: Steward | None = None,
    ) -> None:  # fmt: skip
        self.bundle, self.check = bundle, Token(token).check
        self.monitor, self.recent, self.loss, self.claim, self.adapter = monitor, recent, loss, claim, adapter
        self.reads: dict[str, Callable[[], Any]] = {"/admin/report": self.report, "/admin/log": self.log}
        self.acts: dict[str, Callable[[Any], Any]] = {
            "/admin/labels": self.labels, "/admin/reset": self.reset, "/admin/rollback": self.rollback,
            "/admin/freeze": self.freeze, "/admin/thaw": self.thaw,
        }  # fmt: skip

    def report(self) -> dict[str, Any]:
        """Return state, alerts in words, and what quality is to be expected."""
        from temperance.monitoring.alerts import alerts_from

        verdicts = self.monitor.verdicts()
        loss = [] if self.loss is None else [self.loss.verdict()]
        quality = self._quality(verdicts)
        alerts = alerts_from([*verdicts, *loss], quality=quality)
        return {
            "monitor": self.monitor.summary(),
            "alerts": [{**alert.to_dict(), "text": str(alert)} for alert in alerts],
            "expected_quality": None if quality is None else quality.to_dict(),
            "diagnosis": said_of(self.diagnosis(verdicts, quality)),
            "loss": loss[0].to_dict() if loss else None,
            "adaptation": None if self.adapter is None else self.adapter.summary(),
        }

    def diagnosis(self, verdicts: Sequence[Verdict] | None = None, quality: Measurement | None = None) -> Diagnosis:
        """Return what a change costs, where it comes from and what to do.

        Args:
            verdicts: of the monitor; asked where left out.
            quality: the label-free estimate; without it the impact rests on labels alone.

        """
        from temperance.monitoring.diagnosis import diagnose

        adaptation = None if self.adapter is None else self.adapter.summary()
        given = self.monitor.verdicts() if verdicts is None else verdicts
        return diagnose(given, quality=quality, loss=self.loss, claim=self.claim, adaptation=adaptation)

    def log(self) -> dict[str, Any]:
        """Return what adaptation did, with labels and (``shares``) without, and whether its logs are whole."""
        steward = self._steward()
        shares = None if steward.unlabelled is None else steward.unlabelled.log
        intact = steward.log.intact() and (shares is None or shares.intact())
        return {"events": steward.log.events, "shares": [] if shares is None else shares.events, "intact": intact}

    def labels(self, body: Any) -> dict[str, Any]:
        """Take labels of answered requests: ``{"labels": [{"id", "label" or "labels": one for each row}]}``.

        All are checked before any counts; null is not known yet. A request's labels count once.

        Raises:
            RequestError: an unknown id, a label that is no class or value, another count than rows.

        """
        pairs = [self._pair(one) for one in _entries(body)]
        if len({ident for ident, _, _ in pairs}) < len(pairs):
            raise RequestError("a request id comes twice", "each id once", status=422)
        taken = used = 0
        for ident, answered, truth in pairs:
            known = np.isfinite(truth)
            taken += int(known.sum())
            used += self._learn(answered.answers[known], answered.tickets[known], truth[known])
            self.recent.take(ident)
        loss = None if self.loss is None else self.loss.verdict().to_dict()
        return {"taken": taken, "used_for_adaptation": used, "loss": loss}

    def reset(self, body: Any) -> dict[str, Any]:
        """Begin the watch anew; ``{"accept": true}`` keeps the calm traffic so far in the reference.

        Raises:
            RequestError: ``accept`` is no true or false.

        """
        accept = body.get("accept", False)
        if not isinstance(accept, bool):
            raise RequestError("'accept' is no true or false", "true or false, or leave it out")
        self.monitor.reset(accept=accept)
        if self.claim is not None:
            self.claim.reset()
        return self.monitor.summary()

    def rollback(self, body: Any) -> dict[str, Any]:
        """Serve the source model from the next row on."""
        self._steward().rollback(str(body.get("reason", "owner asked"))[:200])
        return self._steward().summary()

    def freeze(self, body: Any) -> dict[str, Any]:
        """Serve the source model and stay there."""
        self._steward().freeze()
        return self._steward().summary()

    def thaw(self, body: Any) -> dict[str, Any]:
        """Allow adaptation again."""
        self._steward().thaw()
        return self._steward().summary()

    def _steward(self) -> Steward:
        if self.adapter is None:
            raise RequestError("no adaptation runs here", "a server at level shadow or adapt", status=409)
        return self.adapter

    def _quality(self, verdicts: Any) -> Any:
        from temperance.monitoring.degradation import expected_quality

        answers = self.recent.last(JUDGED)
        if "sample_target" not in self.monitor.reference or not len(answers):
            return None
        measured = self.loss.measure() if self.loss is not None and self.loss.n and self.bundle.classes else None
        return expected_quality(
            self.monitor.reference, answers, verdicts=verdicts, measured=measured, claim=self.claim
        )  # fmt: skip

    def _pair(self, entry: Any) -> tuple[str, Answered, NDArray[np.float64]]:
        ident = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(ident, str) or ("label" in entry) == ("labels" in entry):
            raise RequestError("an entry is no label", '{"id": text, "label": value} or "labels": a list', status=422)
        answered = self.recent.get(ident)
        values = entry["labels"] if "labels" in entry else [entry["label"]]
        if not isinstance(values, list) or len(values) != len(answered.answers):
            raise RequestError(
                f"the labels of {ident[:80]!r} do not fit", f"{len(answered.answers)}, one for each row", status=422
            )
        return ident, answered, np.array([self._truth(value) for value in values], dtype=np.float64)

    def _truth(self, value: Any) -> float:
        if value is None:
            return float("nan")
        classes = self.bundle.classes
        if classes and str(value) in classes:
            return float(classes.index(str(value)))
        if not classes and isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value):
            return float(value)
        accepted = f"one of {', '.join(classes[:20])}" if classes else "a number"
        raise RequestError(f"the label {str(value)[:80]!r}", accepted, "Correct it, or send null", status=422)

    def _learn(self, answers: NDArray[Any], tickets: NDArray[np.int64], truth: NDArray[np.float64]) -> int:
        """Let all that learns from labels have them; return for how many the adapter still knew the row."""
        if not len(truth):
            return 0
        if self.claim is not None:
            self.claim.observe(answers, truth)
        if self.loss is not None and self.bundle.classes:
            self.loss.observe((answers.argmax(axis=1) != truth).astype(np.float64))
        elif self.loss is not None:
            low, high = self.bundle.bounds(answers)
            self.loss.observe(((truth < low) | (truth > high)).astype(np.float64))
        seen = tickets != NONE
        return 0 if self.adapter is None or not seen.any() else self.adapter.feedback(tickets[seen], truth[seen])


def said_of(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis with its sentences in one, JSON-safe."""
    return {**diagnosis.to_dict(), "text": str(diagnosis)}


def _entries(body: Any) -> list[Any]:
    entries = body.get("labels")
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_LABELS:
        raise RequestError("the body has no list 'labels'", f"1 to {MOST_LABELS} entries", status=422)
    return entries

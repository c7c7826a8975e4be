"""What the owner of a server may ask and do: labels, a report in words, rollback, freeze, reset. Behind a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from temperance.deployment.bundle import Bundle
from temperance.deployment.serve.ownership import Token
from temperance.deployment.serve.recent import Recent
from temperance.records.errors import RequestError

if TYPE_CHECKING:
    from temperance.adaptation.guard import Guarded
    from temperance.monitoring.degradation import LossMonitor
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
        adapter: the guarded adapter, where one runs.

    """

    def __init__(
        self, bundle: Bundle, token: str, *, monitor: Monitor, recent: Recent, loss: LossMonitor | None = None,
        adapter: Guarded | None = None,
    ) -> None:  # fmt: skip
        self.bundle, self.check = bundle, Token(token).check
        self.monitor, self.recent, self.loss, self.adapter = monitor, recent, loss, adapter
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
            "loss": loss[0].to_dict() if loss else None,
            "adaptation": None if self.adapter is None else self.adapter.summary(),
        }

    def log(self) -> dict[str, Any]:
        """Return what the guard did, and whether its log is whole."""
        guard = self._guard()
        return {"events": guard.log.events, "intact": guard.log.intact()}

    def labels(self, body: Any) -> dict[str, Any]:
        """Take labels of answered requests: ``{"labels": [{"id", "label" or "labels": one for each row}]}``.

        All are checked before any counts; null is not known yet. A request's labels count once.

        Raises:
            RequestError: an unknown id, a label that is no class or value, another count than rows.

        """
        pairs = [self._pair(one) for one in _entries(body)]
        if len({ident for ident, _, _ in pairs}) < len(pairs):
            raise RequestError("a request id comes twice", "each id once", status=422)
        for ident, answers, truth in pairs:
            known = np.isfinite(truth)
            self._learn(answers[known], truth[known])
            self.recent.take(ident)
        taken = sum(int(np.isfinite(truth).sum()) for _, _, truth in pairs)
        return {"taken": taken, "loss": None if self.loss is None else self.loss.verdict().to_dict()}

    def reset(self, body: Any) -> dict[str, Any]:
        """Begin the watch anew; ``{"accept": true}`` keeps the calm traffic so far in the reference.

        Raises:
            RequestError: ``accept`` is no true or false.

        """
        accept = body.get("accept", False)
        if not isinstance(accept, bool):
            raise RequestError("'accept' is no true or false", "true or false, or leave it out")
        self.monitor.reset(accept=accept)
        return self.monitor.summary()

    def rollback(self, body: Any) -> dict[str, Any]:
        """Serve the source model from the next row on."""
        self._guard().rollback(str(body.get("reason", "owner asked"))[:200])
        return self._guard().summary()

    def freeze(self, body: Any) -> dict[str, Any]:
        """Serve the source model and stay there."""
        self._guard().freeze()
        return self._guard().summary()

    def thaw(self, body: Any) -> dict[str, Any]:
        """Allow adaptation again."""
        self._guard().thaw()
        return self._guard().summary()

    def _guard(self) -> Guarded:
        if self.adapter is None:
            raise RequestError("no adaptation runs here", "a server at level shadow or adapt", status=409)
        return self.adapter

    def _quality(self, verdicts: Any) -> Any:
        from temperance.monitoring.degradation import expected_quality

        answers = self.recent.last(JUDGED)
        if "sample_target" not in self.monitor.reference or not len(answers):
            return None
        measured = self.loss.measure() if self.loss is not None and self.loss.n and self.bundle.classes else None
        return expected_quality(self.monitor.reference, answers, verdicts=verdicts, measured=measured)

    def _pair(self, entry: Any) -> tuple[str, NDArray[Any], NDArray[np.float64]]:
        ident = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(ident, str) or ("label" in entry) == ("labels" in entry):
            raise RequestError("an entry is no label", '{"id": text, "label": value} or "labels": a list', status=422)
        answers = self.recent.get(ident)
        values = entry["labels"] if "labels" in entry else [entry["label"]]
        if not isinstance(values, list) or len(values) != len(answers):
            raise RequestError(
                f"the labels of {ident[:80]!r} do not fit", f"{len(answers)}, one for each row", status=422
            )
        return ident, answers, np.array([self._truth(value) for value in values], dtype=np.float64)

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

    def _learn(self, answers: NDArray[Any], truth: NDArray[np.float64]) -> None:
        if not len(truth):
            return
        if self.bundle.classes:
            known = truth.astype(np.int64)
            if self.loss is not None:
                self.loss.observe((answers.argmax(axis=1) != known).astype(np.float64))
            if self.adapter is not None:
                self.adapter.feedback(answers, known)
        elif self.loss is not None:
            low, high = self.bundle.bounds(answers)
            self.loss.observe(((truth < low) | (truth > high)).astype(np.float64))


def _entries(body: Any) -> list[Any]:
    entries = body.get("labels")
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_LABELS:
        raise RequestError("the body has no list 'labels'", f"1 to {MOST_LABELS} entries", status=422)
    return entries

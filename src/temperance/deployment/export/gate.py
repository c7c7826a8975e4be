"""The gate: what another form of a graph changes in its answers, its quality, its size and its speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data.blocks import Block
from temperance.deployment.bundle import Bundle
from temperance.deployment.export.forms import Form
from temperance.deployment.export.golden import golden_rows
from temperance.deployment.parity import stress_rows
from temperance.deployment.write import Exported
from temperance.records.errors import BundleError
from temperance.records.schema import Rows
from temperance.training.price import latency_ms

MOST_CHANGED = 0.01  # of the answers, or of the spread of the values
MOST_ROWS = 20_000
LEAST_ROWS = 50
LEAST_SHARE = 1e-15
Z95 = 1.959964
Data = bytes  # the name is taken within ``Candidate``


@dataclass(frozen=True)
class Candidate:
    """One form of a model and what it is worth.

    Attributes:
        name: of the form.
        says: what it does.
        bytes: of the graph, and of what stands beside it to compute inputs.
        latency_1_ms: median time of one row, in process.
        latency_256_ms: of 256 rows.
        difference: largest difference of probabilities, or of values as a share of their spread.
        changed: share of rows whose class is another; for values the mean difference as a share of their spread.
        metric: ``log loss`` or ``RMSE``.
        score: mean log loss, or root mean squared error.
        drop: relative loss of the score against the graph as it is, e.g. 0.002 is 0.2 % worse.
        drop_low, drop_high: 95 % interval of ``drop``, rows paired.
        n: rows that ``score`` and ``drop`` rest on.
        refused: why it may not ship; empty: it may.

    """

    name: str
    says: str = ""
    bytes: int | None = None
    latency_1_ms: float | None = None
    latency_256_ms: float | None = None
    difference: float | None = None
    changed: float | None = None
    metric: str = ""
    score: float | None = None
    drop: float | None = None
    drop_low: float | None = None
    drop_high: float | None = None
    n: int = 0
    refused: str = ""
    graph: Data = field(default=b"", repr=False)
    tolerance: float = 1e-5

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields, without the graph."""
        row = asdict(self)
        del row["graph"], row["tolerance"]
        return row


@dataclass(frozen=True, eq=False)
class Judge:
    """Judges forms of one bundle on rows with known answers.

    Attributes:
        bundle: what the forms are compared with.
        rows: real rows; None: only made-up rows are there, and nothing can be said of quality.
        truth: (b,) class numbers or values.
        weight: (b,) how much each row counts, or None.
        ranges: rows that ranges of numbers are taken from, best not those that judge; None: ``rows``.
        most_drop: largest relative loss of the score.

    """

    bundle: Bundle
    rows: Rows | None
    truth: NDArray[Any] | None = None
    weight: NDArray[Any] | None = None
    ranges: Rows | None = None
    most_drop: float = 0.005

    def judge(self, form: Form, model: Any, blocks: Sequence[Block]) -> Candidate:
        """Convert, compare, time; a form that fails somewhere comes back with the reason."""
        try:
            ranges = self.rows if self.ranges is None else self.ranges
            feed = None if ranges is None else self.bundle.feed(ranges.take(slice(0, 512)))
            data = form.convert(model, feed).SerializeToString()
            made = Exported(self.bundle.schema, data, blocks)
            found = self._measured(Candidate(form.name, form.says, graph=data, tolerance=form.tolerance), made)
        except BundleError as fault:
            return Candidate(form.name, form.says, refused=fault.received)
        return replace(found, refused=self._refusal(found))

    def _measured(self, one: Candidate, made: Exported) -> Candidate:
        rows = self._timed()
        one = replace(
            one, bytes=made.size, latency_1_ms=latency_ms(made, rows, 1), latency_256_ms=latency_ms(made, rows, 256)
        )
        self._check_finite(made, rows)
        if self.rows is None or self.truth is None:
            return self._compared(one, made, rows)
        cut = slice(0, MOST_ROWS)
        sample, truth = self.rows.take(cut), np.asarray(self.truth)[cut]
        weight = np.ones(len(truth)) if self.weight is None else np.asarray(self.weight, dtype=np.float64)[cut]
        before, after = self.bundle.predict(sample), made.predict(sample)
        first, second = (losses(answer, truth) for answer in (before, after))
        drop, low, high = relative(first, second, weight, squared=not self.bundle.classes)
        score = float(np.average(second, weights=weight))
        one = self._differences(one, before, after)
        return replace(
            one, metric="log loss" if self.bundle.classes else "RMSE", n=len(truth),
            score=score if self.bundle.classes else score**0.5, drop=drop, drop_low=low, drop_high=high,
        )  # fmt: skip

    def _compared(self, one: Candidate, made: Exported, rows: Rows) -> Candidate:
        return self._differences(one, self.bundle.predict(rows), made.predict(rows))

    def _differences(self, one: Candidate, before: NDArray[Any], after: NDArray[Any]) -> Candidate:
        apart = np.abs(after - before)
        if self.bundle.classes:
            changed = float(np.mean(self.bundle.answers(before) != self.bundle.answers(after)))
            return replace(one, difference=float(apart.max()), changed=changed)
        spread = float(np.std(before)) or float(np.abs(before).max()) or 1.0
        return replace(one, difference=float(apart.max()) / spread, changed=float(apart.mean()) / spread)

    def _timed(self) -> Rows:
        if self.rows is not None:
            return self.rows.take(slice(0, 512))
        return golden_rows(self.bundle)

    def _check_finite(self, made: Exported, rows: Rows) -> None:
        stressed = stress_rows(rows, self.bundle.schema)
        known = np.isfinite(self.bundle.predict(stressed))
        if not np.isfinite(made.predict(stressed))[known].all():
            raise BundleError("rows with extreme or missing values get no finite answer in this form", "", "Leave it")

    def _refusal(self, one: Candidate) -> str:
        if one.name == "as it is":
            return ""
        if one.drop is None:
            return "no rows with known answers to measure its loss on: give --data FILE, or the folder of the study"
        if one.n < LEAST_ROWS:
            return f"{one.n} rows with known answers are too few to judge by; at least {LEAST_ROWS}"
        if np.isnan(one.drop) or not np.isfinite(one.difference or 0.0):
            return "some rows get no finite answer in this form"
        if one.drop > self.most_drop:
            return f"it loses {100 * one.drop:.2f} % of the score; at most {100 * self.most_drop:g} % (--max-drop)"
        if one.changed is not None and one.changed > MOST_CHANGED:
            what = "of the answers are other classes" if self.bundle.classes else "of the spread is its mean difference"
            return f"{100 * one.changed:.2f} % {what}; at most {100 * MOST_CHANGED:g} %"
        return ""


def losses(answers: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
    """Return the loss of each row: −log p of the true class, or the squared error.

    Shapes: answers (b, c) or (b,), truth (b,) → (b,).
    """
    if answers.ndim == 1:
        squared: NDArray[np.float64] = np.square(answers.astype(np.float64) - truth)
        return squared
    picked = answers[np.arange(len(truth)), truth.astype(np.int64)]
    loss: NDArray[np.float64] = -np.log(np.clip(picked.astype(np.float64), LEAST_SHARE, None))
    return loss


def relative(
    before: NDArray[np.float64], after: NDArray[np.float64], weight: NDArray[np.float64], *, squared: bool
) -> tuple[float, float, float]:
    """Return the relative rise of the mean loss with its 95 % interval: (Σ w after / Σ w before) − 1, rows paired.

    With ``squared`` of the root of the means. The interval is the delta method's for a ratio of means: the standard
    error of mean(after − r · before) / mean(before) at r, halved for roots.

    Shapes: all (b,).
    """
    first, second = np.average(before, weights=weight), np.average(after, weights=weight)
    if first <= 0:
        return (0.0, 0.0, 0.0) if second <= 0 else (np.inf, np.inf, np.inf)
    ratio = second / first
    spread = weight * (after - ratio * before)
    error = float(np.sqrt(np.sum(np.square(spread))) / np.sum(weight) / first)
    value = ratio**0.5 - 1 if squared else ratio - 1
    error = error * 0.5 / max(ratio, 1e-12) ** 0.5 if squared else error
    return float(value), float(value - Z95 * error), float(value + Z95 * error)

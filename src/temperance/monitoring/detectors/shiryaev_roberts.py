"""A sequential test with a stated false-alarm rate: Shiryaev-Roberts on conformal p-values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.monitoring.base import DETECTORS, Detector, column
from temperance.monitoring.channels import BINS, cut
from temperance.monitoring.panel import Panel
from temperance.monitoring.reference import LEAST, edges_of
from temperance.monitoring.shift import size_of, words
from temperance.records.errors import DataError
from temperance.records.verdict import Verdict


@DETECTORS.add
@dataclass(frozen=True)
class ShiryaevRoberts(Detector):
    """Alarm when bets against "nothing changed" have won too much.

    p-value of a row: its rank among the reference and all earlier rows, binned, ties broken at random. Per bet f:
    R ← f(p) · (1 + R); the evidence is the mean R over the bets; alarm from 2 · ``average_run_length`` up.
    See ``panel`` for the guarantee. One channel of what ``Monitor`` runs for all features at once.

    Use when: false alarms cost trust, and drift of unknown size must be seen as soon as the data allow.
    Avoid when: rows depend on each other in time (a slow daily cycle is a change for this test).

    Attributes:
        average_run_length: undrifted rows until a false alarm, on average, at least.
        tolerance: shift in standard deviations that is not worth an alarm.
        seed: of the split of the reference and the tie breaks.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> detector = ShiryaevRoberts(channel="age")
        >>> detector.start(rng.normal(size=2000))
        >>> detector.observe(rng.normal(size=500)).state
        'calm'
        >>> detector.observe(rng.normal(1.0, size=200)).state
        'alarm'

    Reference:
        Shin, Ramdas, Rinaldo (2022), arXiv 2203.03532; Vovk, Petej, Nouretdinov, Ahlberg, Carlsson, Gammerman (2021),
        "Retrain or not retrain: conformal test martingales for change-point detection".

    """

    average_run_length: float = 100_000
    tolerance: float = 0.0
    seed: int = 0

    def start(self, reference: NDArray[Any]) -> None:
        """Take half of ``reference`` (m,) for the bins and count the other half.

        Raises:
            DataError: too few reference values.

        """
        values = column(reference, what="the reference")
        if len(values) < LEAST:
            raise DataError(f"{len(values)} reference values", f"at least {LEAST}", "Give more of them")
        order = np.random.Generator(np.random.PCG64(self.seed)).permutation(len(values))
        edges = edges_of(values[order[: len(values) // 2]])[None, :]
        codes = cut(values[order[len(values) // 2 :], None], edges)[0]
        counts = np.bincount(codes[codes >= 0], minlength=BINS)[None, :]
        self._keep(self._panel(counts), edges, counts)

    def observe(self, values: NDArray[Any]) -> Verdict:
        """Take values (b,), NaN = missing = skipped, and decide."""
        state = self.ready()
        panel = self._panel(state["start"])
        panel.load_state_dict({name: array for name, array in state.items() if name not in ("edges", "start")})
        evidence = float(panel.observe(cut(column(values, what="values")[:, None], state["edges"]))[0])
        self._keep(panel, state["edges"], state["start"])
        alarm, watch = bool(panel.alarmed[0]), evidence >= panel.threshold / 10
        level = "alarm" if alarm else "watch" if watch else "calm"
        shift = size_of(panel.counts[0], panel.trace[0])
        sentence = words(f"feature:{self.channel}", level, shift)
        return Verdict(
            self.channel,
            "alarm" if alarm else "watch" if watch else "calm",
            evidence,
            panel.threshold,
            int(panel.n[0]),
            sentence,
            shift,
        )

    def _panel(self, counts: NDArray[Any]) -> Panel:
        return Panel(counts, average_run_length=self.average_run_length, tolerance=self.tolerance, seed=self.seed + 1)

    def _keep(self, panel: Panel, edges: NDArray[np.float64], start: NDArray[Any]) -> None:
        self.state.clear()
        self.state.update({**panel.state_dict(), "edges": edges, "start": start})

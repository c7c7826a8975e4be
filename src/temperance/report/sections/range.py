"""The range that the model states around a number: what it promises, what it held, and where it is wide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from temperance.report.base import Section, Study
from temperance.report.charts.strip import Row, Strip
from temperance.report.node import Node


@dataclass(frozen=True)
class Range(Section):
    """Stands where numbers come with a range."""

    name: ClassVar[str] = "range"

    def applies(self, study: Study) -> bool:
        """Need a range that was tested."""
        return bool(study.root["winner"]["interval"]["tested"])

    def context(self, study: Study) -> dict[str, Any]:
        """Collect promise, coverage and width, of all rows and by size of the prediction."""
        found = study.root["winner"]["interval"]
        tested = found["tested"]
        return {
            "found": found,
            "tested": tested,
            "way": kept(tested["coverage"], tested["promised"]),
            "parts": self._strip(study, tested),
        }

    @staticmethod
    def _strip(study: Study, tested: Node) -> Markup:
        say, fig = study.words.say, study.figures.figure
        rows = []
        for part in tested["parts"]:
            label = say("mistakes.size", low=fig(part["low"]), high=fig(part["high"]))
            way = kept(part["coverage"], tested["promised"])
            note = say(f"range.part.{way}", width=fig(part["width"]))
            rows.append(Row(label, part["coverage"], note))
        head = tuple(say(f"range.head.{key}") for key in ("size", "coverage", "width"))
        promised = tested["promised"].number
        return Strip(say("range.parts"), head, form="percent", reference=promised).draw(study, rows)


def kept(coverage: Node, promised: Node) -> str:
    """Say whether a promise was kept, by the interval of the coverage: ``kept``, ``short``, ``over`` or ``unknown``."""
    low, high, wanted = coverage["low"].number, coverage["high"].number, promised.number
    if low is None or high is None or wanted is None:
        return "unknown"
    return "short" if high < wanted else "over" if low > wanted else "kept"

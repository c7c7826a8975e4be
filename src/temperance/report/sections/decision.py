"""What mistakes cost: the answers under the user's costs beside simpler rules, and what other thresholds would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from temperance.report.base import Section, Study
from temperance.report.charts.strip import Row, Strip
from temperance.report.metrics import moved, verdict_of
from temperance.report.node import Node

PRICES = 12
COLUMNS = ("answered", "caught", "missed", "false")


@dataclass(frozen=True)
class Decision(Section):
    """Stands where the user named costs."""

    name: ClassVar[str] = "decision"

    def applies(self, study: Study) -> bool:
        """Need costs."""
        return bool(study.root["winner"]["decision"])

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the costs, the mean cost beside other rules, and the table of thresholds."""
        found = study.root["winner"]["decision"]
        prices = list(found["prices"])
        return {
            "found": found,
            "prices": prices[:PRICES],
            "more": max(0, len(prices) - PRICES),
            "others": self._strip(study, found),
            "head": [study.words.say(f"decision.head.{key}") for key in ("threshold", *COLUMNS, "cost")],
            "table": [self._row(study, row) for row in found["table"]],
        }

    @staticmethod
    def _rule(study: Study, other: Node) -> Markup:
        say = study.words.say
        if not other["answer"].text:
            return say("decision.rule.probable")
        return say("decision.rule.always", name=study.figures.quote(other["answer"], 40))

    def _against(self, study: Study, other: Node) -> Markup:
        way = verdict_of(other["difference"]) if other["verdict"].raw in ("better", "worse") else "unclear"
        return study.words.say(f"decision.against.{way}", moved=moved(study, other["difference"], "number"))

    def _strip(self, study: Study, found: Node) -> Markup:
        say = study.words.say
        rows = [Row(say("decision.rule.ours"), found["expected"], Markup(""))]
        rows += [
            Row(self._rule(study, other), other["expected"], self._against(study, other)) for other in found["others"]
        ][:PRICES]
        head = tuple(say(f"decision.strip.{key}") for key in ("rule", "cost", "note"))
        return Strip(say("decision.strip"), head).draw(study, rows)

    @staticmethod
    def _row(study: Study, row: Node) -> tuple[Markup, ...]:
        fig = study.figures.figure
        limit = fig(row["threshold"], form="percent", listed=False)
        first = study.words.say("decision.used", limit=limit) if row["used"].raw else limit
        counts = (fig(row[key], form="count", listed=False) for key in COLUMNS)
        return (first, *counts, fig(row["cost"], listed=False))

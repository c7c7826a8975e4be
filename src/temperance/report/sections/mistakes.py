"""How it is wrong: what is taken for what, how many are caught, what a threshold costs, where numbers miss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from temperance.report.base import Section, Study
from temperance.report.charts.strip import Row, Strip
from temperance.report.charts.tradeoff import Tradeoff
from temperance.report.charts.truth import Truth
from temperance.report.node import Node

CLASSES = 10  # of the table and of the list
SENTENCES = 3


@dataclass(frozen=True)
class Mistakes(Section):
    """Block 3 of the owner's outline."""

    name: ClassVar[str] = "mistakes"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the table of classes, recall and precision, the thresholds; residuals for numbers."""
        found = study.root["winner"]["insight"]["mistakes"]
        classes = list(found["classes"])
        return {
            "found": found,
            "classes": classes[:CLASSES],
            "confusion": self._confusion(study, found, classes) if 2 <= len(classes) <= CLASSES else (),
            "recall": self._strip(study, classes[:CLASSES]),
            "sentences": self._sentences(study, classes) if len(classes) <= SENTENCES else [],
            "more": max(0, len(classes) - CLASSES),
            "tradeoff": Tradeoff().draw(study),
            "used": found["threshold"],
            "same": all(trial["model"].raw == "majority" for trial in study.members) and bool(study.members),
            "truth": Truth().draw(study),
            "sizes": self._sizes(study, list(found["sizes"])),
        }

    @staticmethod
    def _confusion(study: Study, found: Node, classes: list[Node]) -> tuple[tuple[Markup, ...], ...]:
        fig, quote = study.figures.figure, study.figures.quote
        return tuple(
            (quote(one["class"], 40), *(fig(found["confusion"][i][j], form="count") for j in range(len(classes))))
            for i, one in enumerate(classes)
        )

    @staticmethod
    def _sentences(study: Study, classes: list[Node]) -> list[Markup]:
        lines = []
        for one in classes:
            fig, name = study.figures.figure, study.figures.quote(one["class"], 40)
            if one["recall"]["value"].number is not None:
                recall = fig(one["recall"]["value"], form="hundred")
                lines.append(study.words.say("mistakes.caught", name=name, value=recall))
            if one["precision"]["value"].number is None:
                lines.append(study.words.say("mistakes.never", name=name))
            else:
                precision = fig(one["precision"]["value"], form="hundred")
                lines.append(study.words.say("mistakes.sure", name=name, value=precision))
        return lines

    @staticmethod
    def _strip(study: Study, classes: list[Node]) -> Markup:
        say = study.words.say
        rows = []
        for one in classes:
            label = say(
                "mistakes.class",
                name=study.figures.quote(one["class"], 40),
                n=study.figures.figure(one["n"], form="count"),
            )
            precision = (
                study.figures.interval(one["precision"], form="percent")
                if one["precision"]
                else say("mistakes.no_answer")
            )
            rows.append(Row(label, one["recall"], precision))
        head = tuple(say(f"mistakes.head.{key}") for key in ("class", "recall", "precision"))
        return Strip(say("mistakes.classes"), head, form="percent").draw(study, rows)

    @staticmethod
    def _sizes(study: Study, sizes: list[Node]) -> Markup:
        say, fig = study.words.say, study.figures.figure
        rows = []
        for one in sizes:
            label = say("mistakes.size", low=fig(one["low"]), high=fig(one["high"]))
            low, high = one["residual"]["low"].number, one["residual"]["high"].number
            way = "unknown" if low is None or high is None else "low" if low > 0 else "high" if high < 0 else "fair"
            rows.append(Row(label, one["residual"], say(f"mistakes.size.{way}"), form="signed"))
        head = tuple(say(f"mistakes.size.head.{key}") for key in ("range", "residual", "reading"))
        return Strip(say("mistakes.sizes"), head, reference=0.0).draw(study, rows)

"""What the answer depends on: columns that matter, how the answer moves with them, and why three rows got theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from temperance.report.base import Section, Study
from temperance.report.charts.effects import Effects
from temperance.report.charts.strip import Row, Strip
from temperance.report.node import Node

KINDS = ("sure", "unsure", "mistake", "typical", "highest", "farthest")
FIRST = 3  # columns that stand open on a phone
SHOWN = 8
NAMED = 4


@dataclass(frozen=True)
class Depends(Section):
    """Block 4 of the owner's outline."""

    name: ClassVar[str] = "depends"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the importance of columns, their effects, and the example rows."""
        insight = study.root["winner"]["insight"]
        every = list(insight["influence"])
        telling = [one for one in every if (one["loss"]["low"].number or 0.0) > 0]
        first, rest = self._strips(study, telling[:SHOWN])
        return {
            "insight": insight,
            "telling": first,
            "telling_rest": rest,
            "telling_rest_count": len(telling[FIRST:SHOWN]),
            "first": self._names(study, telling[0]["columns"]) if telling else None,
            "idle": [self._names(study, one["columns"]) for one in every if one not in telling][:20],
            "idle_count": len(every) - len(telling),
            "more": max(0, len(telling) - SHOWN),
            "effects": Effects().draw(study),
            "examples": [self._example(study, one) for one in insight["examples"]],
            "left_out": list(insight["left_out"])[:5],
        }

    @staticmethod
    def _names(study: Study, columns: Node) -> Markup:
        names = Markup(", ").join(study.figures.quote(c, 60) for c in list(columns)[:NAMED])
        more = len(columns) - NAMED
        return study.words.say("depends.and_more", names=names, count=more) if more > 0 else names

    def _strips(self, study: Study, rows: list[Node]) -> tuple[Markup, Markup]:
        say = study.words.say
        made = []
        for one in rows:
            several = len(one["columns"]) > 1
            label = self._names(study, one["columns"])
            label = say("depends.together", names=label) if several else label
            wrong = study.figures.interval(one["wrong"], form="signed_points") if one["wrong"] else Markup("–")
            made.append(Row(label, one["loss"], wrong))
        unit = "mae" if study.regression else "log_loss"
        keys = ("columns", unit) if study.regression else ("columns", unit, "wrong")
        head = tuple(say(f"depends.head.{key}") for key in keys)
        return Strip(say("depends.caption"), head, reference=0.0).draw_parts(study, made, FIRST)

    def _example(self, study: Study, one: Node) -> dict[str, Any]:
        say, quote, fig = study.words.say, study.figures.quote, study.figures.figure
        kind = one["kind"].raw if one["kind"].raw in KINDS else "typical"
        told = (
            say("example.number", predicted=fig(one["predicted"]), truth=fig(one["truth"]))
            if study.regression
            else say(
                "example.class",
                predicted=quote(one["predicted"], 40),
                chance=fig(one["chance"], form="hundred"),
                truth=quote(one["truth"], 40),
            )
        )
        return {
            "kind": say(f"example.{kind}"),
            "told": told,
            "reasons": [self._reason(study, r) for r in one["reasons"]],
        }

    def _reason(self, study: Study, reason: Node) -> Markup:
        shift = reason["shift"].number or 0.0
        way = "up" if shift > 0 else "down"
        form = "number" if study.regression else "points"
        values = Markup(", ").join(study.figures.quote(v, 40) for v in list(reason["values"])[:NAMED])
        return study.words.say(
            f"example.reason.{way}" if study.regression else f"example.reason.{way}.points",
            names=self._names(study, reason["columns"]),
            values=values,
            size=study.figures.figure(reason["shift"], form=form, rule="absolute", listed=False),
        )

"""Where it fails: worse inputs, weak groups, and whether its stated chances come true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from temperance.report.base import Section, Study
from temperance.report.charts.curves import Robustness, damage
from temperance.report.charts.reliability import Reliability
from temperance.report.charts.strip import Row, Strip
from temperance.report.metrics import form_of, metric_text, named
from temperance.report.node import Node

STATES = ("worse", "same", "too_small")


@dataclass(frozen=True)
class Fails(Section):
    """Block 5 of the owner's outline."""

    name: ClassVar[str] = "fails"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect robustness, slices and reliability."""
        slices = sorted(study.root["winner"]["slices"], key=self._urgency)
        told = [s for s in slices if s["state"].raw != "too_small"]
        return {
            "robustness": Robustness().draw(study),
            "untried": list(study.root["winner"]["robustness_summary"]["left_out"])[:10],
            "damage": lambda node: damage(study, node),
            "reliability": Reliability().draw(study),
            "calibrator": study.root["winner"]["calibration"]["calibrator"]["kind"].text,
            "slices": self._slices(study, told[:20]),
            "slices_more": max(0, len(told) - 20),
            "too_small": len(slices) - len(told),
            "worse": any(s["state"].raw == "worse" for s in slices),
            "tested": bool(slices),
        }

    @staticmethod
    def _urgency(item: Node) -> tuple[int, float]:
        state = STATES.index(item["state"].raw) if item["state"].raw in STATES else len(STATES)
        return state, -abs(item["difference"]["value"].number or 0.0)

    @staticmethod
    def _slices(study: Study, slices: list[Node]) -> Markup:
        if not slices:
            return Markup("")
        say, quote, fig = study.words.say, study.figures.quote, study.figures.figure
        metric = slices[0]["measurement"]["name"].text
        whole = study.root["winner"]["test"][metric]
        rows = []
        for item in slices:
            state = item["state"].raw if item["state"].raw in STATES else "too_small"
            label = say(
                "slices.group",
                column=quote(item["column"], 60),
                value=quote(item["value"], 60),
                n=fig(item["n"], form="count"),
            )
            rows.append(Row(label, item["measurement"], say(f"slices.{state}"), kind=state))
        head = (
            say("slices.head.group"),
            named(metric_text(study, slices[0]["measurement"]["name"])),
            say("slices.head.reading"),
        )
        strip = Strip(say("slices.caption"), head, form=form_of(metric), reference=whole["value"].number)
        return strip.draw(study, rows)

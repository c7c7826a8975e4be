"""Safety: what was tested, and, as large, what was not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from temperance.report.base import Section, Study
from temperance.report.node import Node
from temperance.report.placing import place, untested_topics

ATTACKS = ("loss", "lira", "rmia")
VERDICTS = {
    "no better than guessing": "none",
    "a little better than guessing": "little",
    "some rows can be recognised": "some",
    "serious": "serious",
    "too few rows to say": "few",
}


@dataclass(frozen=True)
class Safety(Section):
    """Block 9 of the owner's outline."""

    name: ClassVar[str] = "safety"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the findings on safety, what the model gives away, and the questions that nobody asked."""
        leakage = study.root["winner"]["leakage"]
        attacks = [one for one in leakage["attacks"] if one["attack"].raw in ATTACKS]
        untested = [topic for topic in untested_topics(study) if topic != "membership" or not attacks]
        return {
            "placed": place(study, self.name),
            "untested": untested,
            "leakage": leakage,
            "attacks": [self._attack(study, one) for one in attacks],
            "first": attacks[0] if attacks else None,
        }

    @staticmethod
    def _attack(study: Study, one: Node) -> tuple[Markup, ...]:
        say, figures = study.words.say, study.figures
        rates = list(one["rates"])
        found = figures.absent()
        if rates:
            alarms = figures.figure(rates[0]["at"], form="percent", listed=False)
            found = say("leakage.found", share=figures.interval(rates[0], form="percent"), alarms=alarms)
        verdict = VERDICTS[one["verdict"].text]
        area = figures.interval(one["auc"])
        return say(f"leakage.{one['attack'].raw}"), area, found, say(f"leakage.verdict.{verdict}")

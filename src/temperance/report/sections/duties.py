"""Duties: licence, cards, and what only the owner can write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from markupsafe import Markup

from temperance.governance.annex_iv import AnnexIV, counts
from temperance.governance.declared import expression_of
from temperance.governance.licence import Use, judge
from temperance.report.base import Section, Study

ANNEX = {
    "1": "description", "2": "process", "3": "monitoring", "4": "metrics", "5": "risks", "6": "changes",
    "7": "standards", "8": "declaration", "9": "market",
}  # fmt: skip


@dataclass(frozen=True)
class Duties(Section):
    """Block 11 of the owner's outline."""

    name: ClassVar[str] = "duties"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the licence with its verdicts, the cards, and how far technical documentation is filled."""
        cards = [(card, f"{card}.md" in study.files) for card in ("model_card", "dataset_card")]
        licence = study.root["data"]["licence"]
        expression = licence["expression"] if isinstance(licence.raw, dict) else licence
        told = expression_of(licence.raw)
        verdicts = [
            (study.words.say(f"use.{use}"), study.words.say(f"verdict.{judge(told, use=use).answer}"))
            for use in get_args(Use)
        ]
        return {"licence": expression, "verdicts": verdicts, "cards": cards, "annex": self._annex(study)}

    @staticmethod
    def _annex(study: Study) -> list[tuple[Markup, ...]]:
        raw = study.root.raw if isinstance(study.root.raw, dict) else {}
        say, found = study.words.say, counts(AnnexIV().rows(raw))
        return [(say(f"annex.{name}"), say(f"duties.annex.{_state(found[point])}")) for point, name in ANNEX.items()]


def _state(states: dict[str, int]) -> str:
    if states["blank"]:
        return "part" if states["filled"] else "blank"
    return "filled" if states["filled"] else "none"

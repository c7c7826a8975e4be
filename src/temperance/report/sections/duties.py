"""Duties: licence, cards, and what only the owner can write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from temperance.report.base import Section, Study

ANNEX = (
    ("description", "part", "answer"),
    ("process", "part", "method"),
    ("monitoring", "part", "using"),
    ("metrics", "part", "trust"),
    ("risks", "blank", ""),
    ("changes", "part", "using"),
    ("standards", "blank", ""),
    ("declaration", "blank", ""),
    ("market", "blank", ""),
)


@dataclass(frozen=True)
class Duties(Section):
    """Block 11 of the owner's outline."""

    name: ClassVar[str] = "duties"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the licence, the cards and the headings of technical documentation."""
        cards = [(card, f"{card}.md" in study.files) for card in ("model_card", "dataset_card")]
        return {"licence": study.root["data"]["licence"], "cards": cards, "annex": ANNEX}

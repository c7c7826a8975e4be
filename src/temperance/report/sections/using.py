"""Using it: the files, how to call them, what is watched, when to retrain, how to go back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from temperance.report.base import Section, Study

FILES = (
    "study.json", "leaderboard.csv", "ledger.jsonl", "roles.npz", "model_card.md", "dataset_card.md", "croissant.json",
    "annex_iv.md", "bundle",
)  # fmt: skip


@dataclass(frozen=True)
class Using(Section):
    """Block 10 of the owner's outline."""

    name: ClassVar[str] = "using"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the files that are there and the cost of a prediction."""
        return {
            "files": [name for name in FILES if name in study.files],
            "cost": study.root["winner"]["cost"],
            "bundle": study.root["bundle"],
        }

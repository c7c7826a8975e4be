"""The card of a model that was trained anew: what changed, how both do on the same rows, and the card before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from temperance.governance.base import Card, Study, bullets, code, escape, front_matter, interval, number, table
from temperance.governance.model_card import ModelCard

_FRONT = re.compile(r"\A---\n.*?\n---\n+", re.DOTALL)
_HEADING = re.compile(r"^(#{1,4}) ", re.MULTILINE)


@dataclass(frozen=True)
class RenewalCard(Card):
    """Write ``model_card.md`` from ``retrain.json``; every figure is copied from there.

    Args:
        before: card of the model whose recipe it follows; empty: it had none.

    """

    before: str = ""

    name: ClassVar[str] = "renewal_card"
    filename: ClassVar[str] = "model_card.md"

    def render(self, study: Study) -> str:
        """Return the card; ``study`` is the document of ``retrain``."""
        fresh, data = study["challenger"], study["data"]
        as_study = {"data": data, "winner": {"test": fresh["measurements"]}}
        changes = (f"{row['column']}: {row['what']}" for row in study.get("changes", ()))
        parts = [
            front_matter(ModelCard().fields(as_study)),
            f"# Model card: {escape(data['target'])}, trained anew",
            f"Trained anew on {escape(study['created'])} with the recipe of the model "
            f"{code(study['champion']['version'])}; nothing was searched again.",
            "## What it is",
            table(("", ""), self._details(study)),
            "## How good it is",
            "Both models on the same rows, which neither of them learned from.",
            table(("measure", "this model", "the model before"), self._results(study)),
            f"{escape(study['sentence'])} {escape(study['why'])}",
            "## Limits",
            bullets([*study.get("limits", ()), *fresh.get("notes", ()), *changes]) or "None were written down.",
            *self._before(),
        ]
        return "\n\n".join(parts) + "\n"

    def _details(self, study: Study) -> list[tuple[str, str]]:
        data, counts = study["data"], study["roles"]["counts"]
        return [
            ("predicts", f"{code(data['target'])} ({escape(data['task'])})"),
            ("trained on", f"{number(counts.get('train'))} rows of data {code(data['sha256'])}"),
            ("tested on", f"{number(counts.get('test'))} rows"),
            ("version", code(study["challenger"]["version"])),
        ]

    @staticmethod
    def _results(study: Study) -> list[tuple[str, str, str]]:
        old = study["champion"]["measurements"]
        return [
            (escape(name.replace("_", " ")), interval(row), interval(old.get(name)))
            for name, row in study["challenger"]["measurements"].items()
        ]

    def _before(self) -> list[str]:
        if not self.before:
            return []
        body = _HEADING.sub(r"##\1 ", _FRONT.sub("", self.before)).strip()
        return ["## The card of the model before", "Every figure below is of that model and of its data.", body]

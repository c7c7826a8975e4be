"""How this was done, for experts: settings, versions, seeds, budget, glossary, and where each figure comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from temperance.report.base import Section, Study
from temperance.report.figures import Shown
from temperance.report.metrics import metric_name, named

STATIONS = ("read", "audit", "search", "refit", "evaluation", "export", "report")
GLOSSARY = (
    "test_rows",
    "interval",
    "regularization",
    "strength",
    "controller",
    "gap",
    "recipe",
    "frontier",
    "toughness",
    "log_loss",
    "folded",
    "ensemble",
    "bundle",
)


@dataclass(frozen=True)
class Method(Section):
    """Block 12 of the owner's outline."""

    name: ClassVar[str] = "method"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the settings of the study and the sources of its figures."""
        root = study.root
        return {
            "budget": root["budget"],
            "stations": [(s, root["budget"]["reserved"][s], root["budget"]["spent"][s]) for s in STATIONS],
            "left_out": list(root["budget"]["left_out"])[:20],
            "left_out_more": max(0, len(root["budget"]["left_out"]) - 20),
            "limits": list(root["limits"])[:20],
            "citations": list(root["citations"])[:20],
            "citations_more": max(0, len(root["citations"]) - 20),
            "definitions": self._definitions(study),
            "glossary": GLOSSARY,
            "sources": _grouped(study.figures.shown),
        }

    @staticmethod
    def _definitions(study: Study) -> list[tuple[Markup, Markup]]:
        test = [m for m in study.root["winner"]["test"] if m["convention"]]
        return [(named(metric_name(study, m)), study.figures.quote(m["convention"], 200)) for m in test[:20]]


def _grouped(shown: list[Shown]) -> list[tuple[str, list[Shown], int]]:
    """Group figures by section, each source once, at most 20 a section."""
    groups: dict[str, dict[str, Shown]] = {}
    for figure in shown:
        groups.setdefault(figure.section, {}).setdefault(f"{figure.path} {figure.rule}", figure)
    return [(name, list(kept.values())[:20], max(0, len(kept) - 20)) for name, kept in groups.items()]

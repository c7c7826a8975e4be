"""Which finding stands in which section, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from temperance.records.finding import STATES
from temperance.report.base import Study, told_state
from temperance.report.node import Node

CAP = 20  # findings that a section prints; the others are counted
STEMS = {
    "trust": (
        "duplicate",
        "near_duplicate",
        "cop",
        "leak",
        "target",
        "group",
        "time",
        "contamin",
        "split",
        "preprocess",
    ),
    "safety": ("backdoor", "trigger", "poison", "attack", "adversarial", "membership", "extraction", "file", "pickle"),
}
TOPICS = {
    "triggers": ("backdoor", "trigger", "poison"),
    "attacks": ("attack", "adversarial"),
    "membership": ("membership", "extraction"),
    "files": ("file", "pickle"),
}
ORDER = tuple(STATES)


@dataclass(frozen=True)
class Placed:
    """The findings of one section: those that ask for something, what was not tested, what is fine, how many more."""

    urgent: tuple[Node, ...]
    untested: tuple[Node, ...]
    fine: tuple[Node, ...]
    more: int

    @property
    def shown(self) -> tuple[Node, ...]:
        """All that is printed, the most urgent first."""
        return self.urgent + self.fine + self.untested


def section_of(check: str) -> str:
    """Return the section of a check by its name; what is not known belongs to the data."""
    for section, stems in STEMS.items():
        if any(stem in check for stem in stems):
            return section
    return "data"


def findings(study: Study, section: str | None = None) -> list[Node]:
    """Return the findings of a section, the most urgent first."""
    kept = [f for f in study.root["findings"] if section is None or section_of(f["check"].text) == section]
    return sorted(kept, key=lambda f: ORDER.index(told_state(f)))


def place(study: Study, section: str) -> Placed:
    """Return what a section prints of its findings."""
    every = findings(study, section)
    by = {state: tuple(f for f in every[:CAP] if told_state(f) == state) for state in ORDER}
    urgent = by["fix_before_use"] + by["look_at_this"]
    return Placed(urgent, by["not_tested"], by["no_problem_found"], max(0, len(every) - CAP))


def counts(study: Study) -> dict[str, dict[str, Any]]:
    """Count findings by check and state: every check is listed, also one that found nothing."""
    table: dict[str, dict[str, Any]] = {}
    for finding in study.root["findings"]:
        row = table.setdefault(
            finding["check"].text,
            {
                "check": finding["check"],
                "finding": finding,
                "proof": finding["confidence"],
                "states": dict.fromkeys(ORDER, 0),
            },
        )
        if not row["proof"]["planted"].number:
            row["proof"] = finding["confidence"]
        row["states"][told_state(finding)] += 1
    return table


def untested_topics(study: Study) -> list[str]:
    """Return the questions of the safety section that no check of this study looked at."""
    checks = {f["check"].text for f in study.root["findings"]}
    return [topic for topic, stems in TOPICS.items() if not any(stem in check for check in checks for stem in stems)]

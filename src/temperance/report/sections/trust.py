"""Can I trust the numbers? How rows were kept apart, every test figure, and what the audit says about both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from temperance.report.base import Section, Study
from temperance.report.metrics import direction, form_of, metric_name, named
from temperance.report.node import Node
from temperance.report.placing import counts, place

ROLES = ("train", "controller", "selection", "calibration", "test")
SPLITS = {"shuffled": "trust.order.shuffled", "in order": "trust.order.forward"}
WRONG = ("false_alarms", "false_alarms_of")


@dataclass(frozen=True)
class Trust(Section):
    """Block 2 of the owner's outline."""

    name: ClassVar[str] = "trust"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the roles, the test figures and the findings on copies, leaks, groups and time."""
        test = [m for m in study.root["winner"]["test"] if m["value"].number is not None]
        simple = study.root["winner"]["simple_test"]["measurements"]
        checks = counts(study)
        folds = bool(study.root["roles"]["folds"].number) and not study.root["roles"]["counts"]["selection"].number
        names = {"train": "role.train.folds"} if folds else {}
        return {
            "roles": [(names.get(r, f"role.{r}"), study.root["roles"]["counts"][r]) for r in ROLES],
            "test": [
                (named(metric_name(study, m)), m, simple[m.key], form_of(m.key), direction(study, m["better"].text))
                for m in test[:20]
            ],
            "placed": place(study, self.name),
            "order": self._order(study),
            "checks": [self._check(study, row) for row in list(checks.values())[:20]],
            "checks_more": max(0, len(checks) - 20),
        }

    @staticmethod
    def _check(study: Study, row: dict[str, Any]) -> tuple[Markup, ...]:
        """Return the name of a check and its findings by state; a dash stands for none."""

        def cell(state: str) -> Markup:
            if not row["states"][state]:
                return Markup("–")
            rule = f"check:{row['check'].text}:{state}"
            return study.figures.figure(study.root["findings"], form="count", rule=rule, listed=False)

        told = [Trust._share(study, row["proof"], *pair) for pair in (("found", "planted"), WRONG)]
        return (study.check_name(row["finding"]), *told, *(cell(state) for state in row["states"]))

    @staticmethod
    def _share(study: Study, proof: Node, part: str, whole: str) -> Markup:
        """Return ``46 of 54`` of what a check planted in a copy of the data; a dash where it planted nothing."""
        if not proof[whole].number or proof[part].number is None:
            return Markup("–")
        k, n = (study.figures.figure(proof[one], form="count", listed=False) for one in (part, whole))
        return study.words.say("trust.checks.share", k=k, n=n)

    @staticmethod
    def _order(study: Study) -> list[tuple[Markup, ...]]:
        """Return the score of shuffled rows and of rows in order, each with its interval."""
        found = [f for f in study.root["findings"] if f["check"].text == "forward_split"]
        rows = [row for f in found for row in f["evidence"]["examples"] if row["split"].text in SPLITS]
        figure = study.figures.figure
        return [
            (study.words.say(SPLITS[row["split"].text]), *(figure(row[key]) for key in ("score", "low", "high")))
            for row in rows
        ]

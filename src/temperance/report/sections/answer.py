"""The answer in one screen: how often it is right, beside a simple rule, and what to do first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from temperance.report.base import Section, Study, told_state
from temperance.report.charts.strip import Row, Strip
from temperance.report.doubts import doubts
from temperance.report.forms import fitted
from temperance.report.metrics import direction, form_of, gainsaid, main_test, metric_name, named, standing, verdict_of
from temperance.report.node import Node
from temperance.report.placing import findings

URGENT = ("fix_before_use", "look_at_this")


@dataclass(frozen=True)
class Answer(Section):
    """Block 1 of the owner's outline."""

    name: ClassVar[str] = "answer"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the verdict, its rivals and the first three things to do."""
        main = main_test(study)
        todo = [f for f in findings(study) if told_state(f) in URGENT]
        fixes = [f for f in todo if told_state(f) == "fix_before_use"]
        rest = [f for f in todo if f not in fixes]
        return {
            "verdict": self._verdict(study, main),
            "status": self._status(study, main),
            "rivals": self._rivals(study, main),
            "fixes": fixes[:3],
            "fixes_all": len(fixes),
            "todo": rest[:3],
            "todo_more": max(0, len(rest) - 3) + max(0, len(fixes) - 3),
            "checked": any(told_state(f) != "not_tested" for f in findings(study)),
            "doubts": doubts(study) if main and self._simple_is_as_good(study, main) else [],
        }

    def _simple_is_as_good(self, study: Study, main: Node) -> bool:
        other = self._other(study, "simple", main)
        return self._is_winner(study, "simple") or (
            other["value"].number is not None
            and self._standing(study, "simple", main, other) in ("unclear", "overlap", "worse")
        )

    def _verdict(self, study: Study, main: Node) -> Markup:
        say = study.words.say
        if not main:
            return say("answer.none")
        ends = (
            {}
            if main["low"].number is None or main["high"].number is None
            else {"low": main["low"], "high": main["high"]}
        )
        share = main.key in ("accuracy", "balanced_accuracy")
        form = "hundred" if share else form_of(main.key)
        if ends and form == "number":
            form = fitted("number", main["low"].number or 0.0, main["high"].number or 0.0)
        told = {end: study.figures.figure(node, form=form) for end, node in {"value": main["value"], **ends}.items()}
        known = {"accuracy": "right", "balanced_accuracy": "balanced", "expected_cost": "cost"}
        kind = known.get(main.key, "error" if study.regression else "metric")
        extra = (
            {}
            if main.key in known
            else {
                "metric": metric_name(study, main),
                "unit": self._unit(study, main),
                "better": direction(study, main["better"].text),
            }
        )
        key = f"answer.{kind}" if ends else f"answer.{kind}.bare"
        return say(key, **told, **extra)

    @staticmethod
    def _unit(study: Study, main: Node) -> Markup:
        if main["unit"]:
            return study.figures.quote(main["unit"], 30)
        return study.words.say("answer.unit", target=study.figures.quote(study.root["data"]["target"], 40))

    def _status(self, study: Study, main: Node) -> list[Markup]:
        """Return one plain sentence against each rival; losses are told like gains."""
        lines = []
        for rival in ("simple", "plain", self._basic(study)):
            other = self._other(study, rival, main)
            if other["value"].number is None:
                found = self._without_strengths(study) if rival == "plain" else ""
                if found:
                    lines.append(study.words.say(f"answer.ingredients.{found}") + self._though(study, found))
                elif main and rival in ("simple", "plain"):
                    lines.append(study.words.say(f"answer.{rival}.unknown"))
                continue
            stands = "same_model" if self._is_winner(study, rival) else self._standing(study, rival, main, other)
            though = self._though(study, stands) if rival == "plain" else Markup("")
            lines.append(study.words.say(f"answer.{rival}.{stands}", **self._rule(study, rival, main, other)) + though)
        return lines

    @staticmethod
    def _though(study: Study, verdict: str) -> Markup:
        """Point at a comparison that says otherwise, so that both do not stand side by side without a word."""
        other = gainsaid(study, verdict)
        if not other:
            return Markup("")
        return Markup(" ") + study.words.say(f"answer.though.{verdict_of(other['difference'])}")

    @staticmethod
    def _rule(study: Study, rival: str, main: Node, other: Node) -> dict[str, Markup]:
        """Return what a sentence on the simple rule names: the rule and its figure."""
        if rival != "simple":
            return {}
        name = study.root["winner"]["simple_test"]["name"]
        return {
            "rule": study.figures.quote(name, 60) if name else study.words.say("answer.rule"),
            "value": study.figures.figure(other["value"], form=form_of(main.key)),
            "metric": metric_name(study, main),
        }

    @staticmethod
    def _standing(study: Study, rival: str, main: Node, other: Node) -> str:
        """Judge by the paired difference on the same rows where there is one, else by whether the ranges overlap."""
        paired = study.root["winner"][f"{rival}_test"]["winner_against_it"][main.key]["difference"]
        if paired:
            return verdict_of(paired)
        bought = [
            b for b in study.root["winner"]["bought"] if b["metric"].raw == main.key and b["rows"].raw != "selection"
        ]
        if bought and rival == "plain":
            return verdict_of(bought[0]["difference"])
        found = standing(main, other)
        return "overlap" if found == "unclear" and rival in ("plain", "simple") else found

    @staticmethod
    def _without_strengths(study: Study) -> str:
        """Return how the net stands against itself without regularization, where the study left it out in turn."""
        found = [b for b in study.root["winner"]["bought"] if b["ingredient"].raw == "the recipe's strengths"]
        verdict = verdict_of(found[0]["difference"]) if found else ""
        return verdict if verdict in ("better", "unclear", "worse") else ""

    @staticmethod
    def _is_winner(study: Study, rival: str) -> bool:
        winner = study.root["winner"]
        return bool(winner["trial"]) and winner[f"{rival}_test"]["trial"].raw == winner["trial"].raw

    @staticmethod
    def _basic(study: Study) -> str:
        """Return the basic model that it is held against: boosting, or the linear model of a study of images."""
        return "linear" if study.root["winner"]["linear_test"] else "boosting"

    @staticmethod
    def _other(study: Study, rival: str, main: Node) -> Node:
        return study.root["winner"][f"{rival}_test"]["measurements"][main.key]

    def _rivals(self, study: Study, main: Node) -> Markup:
        say = study.words.say
        rows = [Row(say("answer.row.ours"), main, kind="ours")]
        for rival in ("plain", self._basic(study), "simple"):
            if self._is_winner(study, rival):
                continue  # it stands in the first row already
            other = self._other(study, rival, main)
            label = say(f"answer.row.{rival}")
            name = study.root["winner"][f"{rival}_test"]["name"]
            if rival == "simple" and name:
                label = say("answer.row.simple.named", name=study.figures.quote(name, 60))
            rows.append(Row(label, other))
        caption = say(
            "answer.strip", metric=named(metric_name(study, main)), better=direction(study, main["better"].text)
        )
        head = (say("answer.strip.model"), named(metric_name(study, main)))
        return Strip(caption, head, form=form_of(main.key)).draw(study, rows)

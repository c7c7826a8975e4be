"""Where it fails: worse inputs, weak groups, and whether its stated chances come true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from markupsafe import Markup

from temperance.report.base import Section, Study
from temperance.report.charts.curves import Robustness, damage, families
from temperance.report.charts.reliability import Reliability
from temperance.report.charts.strip import Row, Strip
from temperance.report.metrics import form_of, metric_text, named, verdict_of
from temperance.report.node import Node

State = Literal["worse", "better", "same", "too_small"]
FALSE_CLAIMS = 0.1  # as the study corrects groups for their count


def state_of_slice(item: Node) -> State:
    """Return how a group stands against the rest, as its interval and its p value agree.

    A study of an older version calls a group that is clearly better ``same``, and may call one ``worse`` whose interval
    holds zero.
    """
    told = item["state"].raw
    if told not in ("worse", "better", "same"):
        return "too_small"
    better = item["measurement"]["better"].raw
    verdict = verdict_of(Node({**(item["difference"].raw or {}), "better": better}))
    p = item["p"].number
    if told == "worse" and verdict in ("worse", "unknown"):
        return "worse"
    return "better" if verdict == "better" and p is not None and p <= FALSE_CLAIMS else "same"


def is_answer(study: Study, item: Node) -> bool:
    """Return whether a slice holds the rows of one true class: its accuracy is a recall, not the quality of a group."""
    if item["kind"].raw in ("answer", "group"):
        return bool(item["kind"].raw == "answer")
    return not study.regression and item["column"].raw == study.root["data"]["target"].raw


@dataclass(frozen=True)
class Fails(Section):
    """Block 8 of the owner's outline."""

    name: ClassVar[str] = "fails"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect robustness, slices and reliability."""
        groups = [s for s in study.root["winner"]["slices"] if not is_answer(study, s)]
        by: dict[str, list[Node]] = {state: [] for state in ("worse", "better", "same", "too_small")}
        for item in sorted(groups, key=lambda s: -abs(s["difference"]["value"].number or 0.0)):
            by[state_of_slice(item)].append(item)
        fine = by["better"] + by["same"]
        return {
            "breaks": self._breaks(study),
            "robustness": Robustness().draw(study),
            "untried": list(study.root["winner"]["robustness_summary"]["left_out"])[:10],
            "damage": lambda node: damage(study, node),
            "reliability": Reliability().draw(study),
            "calibrator": study.root["winner"]["calibration"]["calibrator"]["kind"].text,
            "slices": self._slices(study, by["worse"][:20]),
            "slices_more": max(0, len(by["worse"]) - 20),
            "fine": self._slices(study, fine[:20]),
            "fine_more": max(0, len(fine) - 20),
            "counts": {state: len(items) for state, items in by.items()},
            "tested": bool(groups),
        }

    @staticmethod
    def _breaks(study: Study) -> Markup:
        """Say which kind of damage costs most at its strongest step, or that none clearly does."""
        say, fig, clean = study.words.say, study.figures.figure, Robustness.clean(study)
        strongest = [points[-1] for points in families(study.root["winner"]["robustness"]).values()]
        undamaged = clean["value"].number
        if not strongest or undamaged is None:
            return Markup("")
        ends = [(p["measurement"]["high"].number, p["measurement"]["value"].number, p) for p in strongest]
        known = [(high, value, p) for high, value, p in ends if high is not None and value is not None]
        clear = [(value, p) for high, value, p in known if high < undamaged]
        if not clear:
            return say("fails.breaks.none") if known else Markup("")
        worst = min(clear, key=lambda one: one[0])[1]
        form = "number" if study.regression else "percent"
        return say(
            "fails.breaks.number" if study.regression else "fails.breaks",
            damage=damage(study, worst["family"]),
            damaged=fig(worst["measurement"]["value"], form=form),
            clean=fig(clean["value"], form=form),
        )

    @staticmethod
    def _slices(study: Study, slices: list[Node]) -> Markup:
        if not slices:
            return Markup("")
        say, quote, fig = study.words.say, study.figures.quote, study.figures.figure
        metric = slices[0]["measurement"]["name"].text
        whole = study.root["winner"]["test"][metric]
        rows = []
        for item in slices:
            state = state_of_slice(item)
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

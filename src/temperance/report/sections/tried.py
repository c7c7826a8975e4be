"""What we tried: the frontier, why this one, what regularization bought and cost, how its strengths moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from temperance.report.base import Section, Study
from temperance.report.charts.frontier import Frontier
from temperance.report.charts.learning import Learning
from temperance.report.charts.strip import Row, Strip
from temperance.report.charts.traces import Traces
from temperance.report.metrics import direction, form_of, metric_text, moved, named, verdict_of
from temperance.report.node import Node


@dataclass(frozen=True)
class Tried(Section):
    """Block 4 of the owner's outline."""

    name: ClassVar[str] = "tried"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect charts, comparisons and the table of trials."""
        winner = study.root["winner"]
        trial = study.trial(winner["trial"])
        return {
            "trial": trial,
            "members": study.members[:10],
            "frontier": Frontier().draw(study),
            "traces": Traces().draw(study),
            "learning": Learning().draw(study),
            "comparison": [self._comparison(study, c) for c in list(winner["comparison"])[:10]],
            "bought": self._bought(study),
            "bought_lead": "tried.bought.lead.ingredients" if _by_ingredient(study) else "tried.bought.lead",
            "cost_ratio": next((b["cost_ratio"] for b in winner["bought"] if b["cost_ratio"].number is not None), None),
            "forms": form_of,
            "metric_words": named(metric_text(study, study.root["metric"]["name"])),
            "metric_better": direction(study, study.root["metric"]["better"].text),
            "acted": list(trial["acted"])[:20],
            "warnings": self._warnings(study)[:10],
            **self._table(study),
        }

    @staticmethod
    def _warnings(study: Study) -> list[Node]:
        """Return what was noted about the recipes of all members, each sentence once."""
        noted = {one.text: one for member in reversed(study.members) for one in reversed(list(member["warnings"]))}
        return list(reversed(noted.values()))

    @staticmethod
    def _comparison(study: Study, item: Node) -> dict[str, Any]:
        other = study.trial(item["against"])
        name = study.figures.quote(other["name"] if other["name"] else item["against"], 80)
        if item["against"].raw == study.root["winner"]["trial"].raw:
            name = study.words.say("chart.frontier.chosen", name=name)
        form = form_of(study.root["metric"]["name"].text)
        difference = moved(study, item["difference"], form)
        return {"name": name, "difference": difference, "p": item["p"], "decision": item["decision"]}

    @staticmethod
    def _bought(study: Study) -> Markup:
        say = study.words.say
        rows = []
        for item in list(study.root["winner"]["bought"])[:10]:
            verdict = verdict_of(item["difference"])
            reading = say(f"bought.{verdict}")
            other = None if item["ingredient"] else study.trial(item["trial"])
            if other:
                reading = say("bought.reading", verdict=reading, sentence=study.figures.quote(other["name"], 80))
            elif item["ingredient"]:
                reading = say("bought.ingredient", verdict=reading, name=study.figures.quote(item["ingredient"], 60))
            elif item["sentence"] and not item["rows"]:
                reading = say("bought.reading", verdict=reading, sentence=study.figures.quote(item["sentence"]))
            share = form_of(item["metric"].text) == "percent"
            rows_used = item["rows"].raw if item["rows"].raw in ("test", "selection") else "test"
            label = say(
                "bought.label.points" if share else "bought.label",
                rows=say(f"bought.rows.{rows_used}"),
                metric=named(metric_text(study, item["metric"])),
                better=direction(study, item["difference"]["better"].text),
            )
            rows.append(Row(label, item["difference"], reading, verdict, "signed_points" if share else "signed"))
        head = tuple(say(f"bought.head.{k}") for k in ("metric", "difference", "reading"))
        caption = say("bought.caption.ingredients" if _by_ingredient(study) else "bought.caption")
        return Strip(caption, head, form="signed", reference=0.0, shared=False).draw(study, rows)

    @staticmethod
    def _table(study: Study) -> dict[str, Any]:
        metric = study.root["metric"]
        lower = metric["better"].raw == "lower"

        def rank(trial: Node) -> tuple[bool, float]:
            value = trial["selection"][metric["name"].text]["value"].number
            return (value is None, 0.0 if value is None else value if lower else -value)

        trials = sorted(study.root["trials"], key=rank)
        top = trials[:20]
        chosen = [t for t in trials[20:] if t["id"].raw == study.root["winner"]["trial"].raw]
        return {"trials": top + chosen, "trials_more": max(0, len(trials) - len(top) - len(chosen)), "metric": metric}


def _by_ingredient(study: Study) -> bool:
    """Return whether the study left the ingredients of a net out in turn, instead of training a plain net beside it."""
    return any(item["ingredient"] for item in study.root["winner"]["bought"])

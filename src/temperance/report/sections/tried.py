"""What we tried: the frontier, why this one, and how each other try stands beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from temperance.report.base import Section, Study
from temperance.report.charts.frontier import Frontier
from temperance.report.charts.learning import Learning
from temperance.report.metrics import direction, form_of, metric_text, moved, named, verdict_of
from temperance.report.node import Node


@dataclass(frozen=True)
class Tried(Section):
    """Block 6 of the owner's outline."""

    name: ClassVar[str] = "tried"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect charts, comparisons and the table of trials."""
        winner = study.root["winner"]
        trial = study.trial(winner["trial"])
        return {
            "trial": trial,
            "members": study.members[:10],
            "told": any(member["explanation"] or member["recipe_text"] for member in study.members),
            "frontier": Frontier().draw(study),
            "learning": Learning().draw(study),
            "comparison": [self._comparison(study, c) for c in list(winner["comparison"])[:10]],
            "forms": form_of,
            "metric_words": named(metric_text(study, study.root["metric"]["name"])),
            "metric_better": direction(study, study.root["metric"]["better"].text),
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
        reading = study.words.say(f"tried.reading.{verdict_of(item['difference'])}")
        return {"name": name, "difference": difference, "p": item["p"], "reading": reading}

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

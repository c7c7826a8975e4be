"""What regularization bought, what it cost, what did it, and how its strengths moved: stands in every report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup

from temperance.report.base import Section, Study
from temperance.report.charts.strip import Row, Strip
from temperance.report.charts.traces import Traces
from temperance.report.metrics import direction, form_of, gainsaid, metric_text, moved, named, verdict_of
from temperance.report.node import Node

WHOLE = "the recipe's strengths"  # of a folded run: the ingredient that is all of its regularization


@dataclass(frozen=True)
class Bought(Section):
    """Block 7 of the owner's outline."""

    name: ClassVar[str] = "bought"

    def context(self, study: Study) -> dict[str, Any]:
        """Collect the comparison with the plain net, its price, the proof of each part and the moves of strengths."""
        winner = study.root["winner"]
        trial = study.trial(winner["trial"])
        every, main = list(winner["bought"])[:10], self._main(study)
        unclear = [b for b in every if b != main and b["ingredient"] and verdict_of(b["difference"]) == "unclear"]
        clear = [b for b in every if b not in unclear]
        return {
            "trial": trial,
            "answer": self._answer(study),
            "missing": self._missing(study),
            "bought": self._strip(study, clear),
            "unclear": self._strip(study, unclear),
            "unclear_count": len(unclear),
            "lead": "bought.lead.ingredients" if _by_ingredient(study) else "bought.lead",
            "price": self._price(study),
            "traces": Traces().draw(study),
            "acted": [row for member in study.members for row in member["acted"]][:20],
        }

    @staticmethod
    def _main(study: Study) -> Node:
        """Return the difference that the answer rests on: test rows first, all ingredients at once."""
        every = list(study.root["winner"]["bought"])
        whole = [b for b in every if not b["ingredient"] or b["ingredient"].raw == WHOLE]
        tested = [b for b in whole if b["rows"].raw != "selection"]
        return next(iter(tested or whole), Node(None, "/winner/bought"))

    def _answer(self, study: Study) -> Markup:
        """Say in one sentence what it bought."""
        main = self._main(study)
        if not main:
            return Markup("")
        verdict = verdict_of(main["difference"])
        first, other = self._told(study, main, f"answer.{verdict}"), gainsaid(study, verdict)
        if not other:
            return first
        part = ".part" if other["ingredient"] and other["ingredient"].raw != WHOLE else ""
        return first + Markup(" ") + self._told(study, other, f"though{part}.{verdict_of(other['difference'])}")

    @staticmethod
    def _told(study: Study, item: Node, key: str) -> Markup:
        """Say one comparison in words."""
        rows = item["rows"].raw if item["rows"].raw in ("test", "selection") else "test"
        part = {"name": study.figures.quote(item["ingredient"], 60)} if ".part." in key else {}
        return study.words.say(
            f"bought.{key}",
            metric=named(metric_text(study, item["metric"])),
            moved=moved(study, item["difference"], form_of(item["metric"].text)),
            rows=study.words.say(f"bought.rows.{rows}"),
            **part,
        )

    def _missing(self, study: Study) -> str:
        """Return the key of the reason why there is no comparison, or nothing where there is one."""
        if self._main(study):
            return ""
        done = [t for t in study.root["trials"] if t["status"].raw == "done"]
        nets = [t for t in done if t["kind"].raw not in ("basic", "ensemble")]
        if not nets:
            return "bought.missing.no_net"
        return "bought.missing.no_plain" if all(t["kind"].raw != "plain" for t in nets) else "bought.missing.only_plain"

    def _price(self, study: Study) -> Markup:
        """Say what it cost: the training time beside the plain net's, as the study measured it or from both trials."""
        say, fig = study.words.say, study.figures.figure
        ratio = next(
            (b["cost_ratio"] for b in study.root["winner"]["bought"] if b["cost_ratio"].number is not None), None
        )
        if ratio is not None:
            return say("bought.price", ratio=fig(ratio, form="times"))
        done = [t for t in study.root["trials"] if t["status"].raw == "done" and t["cost"]["seconds"].number]
        best = [study.trial(self._main(study)["trial"]), *study.members]
        ours = next((t for t in best if t in done and t["kind"].raw not in ("basic", "plain")), None)
        plain = next((t for t in done if t["kind"].raw == "plain"), None)
        if ours is None:
            return say("bought.price.none")
        seconds = fig(ours["cost"]["seconds"], form="seconds")
        if plain is None:
            return say("bought.price.alone", seconds=seconds)
        return say("bought.price.both", seconds=seconds, plain=fig(plain["cost"]["seconds"], form="seconds"))

    @staticmethod
    def _strip(study: Study, items: list[Node]) -> Markup:
        if not items:
            return Markup("")
        say = study.words.say
        rows = []
        for item in items:
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


def _by_ingredient(study: Study) -> bool:
    """Return whether the study left the ingredients of a net out in turn, instead of training a plain net beside it."""
    return any(item["ingredient"] for item in study.root["winner"]["bought"])

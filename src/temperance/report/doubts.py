"""Why a model may be no better than a simple rule: reasons that this study itself gives, each with its name."""

from __future__ import annotations

from markupsafe import Markup

from temperance.report.base import Study, told_state
from temperance.report.node import Node

FEW = 100  # test rows below which a real difference is easily missed
NAMED = 5


def doubts(study: Study) -> list[Markup]:
    """Return the reasons to suspect that more was possible, in the order in which they can be acted on."""
    found = (_unaudited(study), _dropped(study), _short(study), _few(study))
    return [line for line in found if line]


def _dropped(study: Study) -> Markup:
    columns = [d["column"] for d in study.root["data"]["dropped"] if d["column"]]
    if not columns:
        return Markup("")
    names = Markup(", ").join(study.figures.quote(c, 60) for c in columns[:NAMED])
    return study.words.say("doubt.dropped", names=names, count=len(columns), more=_rest(study, len(columns) - NAMED))


def _short(study: Study) -> Markup:
    """Say how many tries were not finished, and what there was no time for at all."""
    trials = list(study.root["trials"])
    left = [one for one in study.root["budget"]["left_out"] if "time" in one["why"].text or "budget" in one["why"].text]
    ended = [t for t in trials if t["status"].raw == "interrupted" or "time budget ended" in t["why"].text]
    nets = [t for t in trials if t["kind"].raw != "basic" and t["status"].raw == "done"]
    if not left and not ended:
        return Markup("")
    done = study.figures.figure(study.root["trials"], form="count", rule="status:done")
    every = study.figures.figure(study.root["trials"], form="count", rule="length")
    said = study.words.say("doubt.short" if nets else "doubt.short.no_net", done=done, all=every)
    if not left:
        return said
    names = Markup(", ").join(study.figures.quote(one["what"], 60) for one in left[:NAMED])
    return said + " " + study.words.say("doubt.left", names=names, more=_rest(study, len(left) - NAMED))


def _few(study: Study) -> Markup:
    rows: Node = study.root["roles"]["counts"]["test"]
    if rows.number is None or rows.number >= FEW:
        return Markup("")
    return study.words.say("doubt.few", n=study.figures.figure(rows, form="count"))


def _unaudited(study: Study) -> Markup:
    ran = any(told_state(f) != "not_tested" for f in study.root["findings"])
    return Markup("") if ran else study.words.say("doubt.unaudited")


def _rest(study: Study, count: int) -> Markup:
    return Markup(" ") + study.words.say("doubt.more", count=count) if count > 0 else Markup("")

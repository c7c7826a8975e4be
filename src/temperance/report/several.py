"""The page of a study of several targets: figures of all together, one line for each, and the way to its own report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from temperance.records.atomic import write_text
from temperance.report.base import Study
from temperance.report.figures import Figures
from temperance.report.metrics import direction, form_of, metric_name, named
from temperance.report.node import Node
from temperance.report.page import policy, stylesheet
from temperance.report.words import Words, check_language

SHARES = frozenset({"subset_accuracy", "mean_accuracy"})


def html(document: dict[str, Any], *, language: str = "en") -> str:
    """Return the whole page for ``several.json``."""
    words = Words(language)
    study = Study(Node(document), words, Figures(words))
    style = Markup("\n" + stylesheet())
    values = {
        "style": style, "policy": policy(str(style)), "language": language, "joint": _joint(study),
        "outputs": [_output(study, row) for row in study.root["outputs"]],
    }  # fmt: skip
    return str(study.template("several.html.j2", **values))


def render(folder: Path, document: dict[str, Any], *, language: str = "en") -> Path:
    """Write ``report.html`` of a study of several targets, whole or not at all, and return its path.

    Args:
        folder: of the study.
        document: its ``several.json``.
        language: of the page.

    Raises:
        SettingError: there are no words in this language.
        DataError: the disk is full or the folder cannot be written.

    """
    check_language(language)
    goal = folder / "report.html"
    write_text(goal, html(document, language=language))
    return goal


def _joint(study: Study) -> list[tuple[Markup, ...]]:
    """Return what is measured of all targets together: name, figure, which way is better."""
    return [
        (
            named(metric_name(study, one)),
            study.figures.interval(one, form="percent" if one.key in SHARES else "number"),
            direction(study, one["better"].text),
        )
        for one in study.root["together"]
    ]


def _output(study: Study, row: Node) -> tuple[Markup, ...]:
    """Return the line of a target: its name, its deciding figure, the simple rule's, the model, what to mend."""
    say, main = study.words.say, row["test"][row["metric"]["name"].text]
    name = study.figures.quote(row["target"], 60)
    if row["status"].raw == "waiting":
        return (name, say("several.waiting"), *[Markup("")] * 3)
    form = form_of(main.key)
    link = Markup('<a href="outputs/{}/report.html">{}</a>').format(row["folder"].text, name)
    told = f"{metric_name(study, main)}: {study.figures.interval(main, form=form)}"
    fixes = row["fix_before_use"]
    return (
        link,
        Markup(told),
        study.figures.interval(row["simple"], form=form) if row["simple"] else study.figures.absent(),
        study.figures.quote(row["winner"], 80),
        say("several.fix", n=study.figures.figure(fixes, form="count")) if fixes.number else say("several.fine"),
    )

"""``temperance report``: write the report of a study again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.models import is_several


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")],
    language: options.Language = "en",
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the report of a study again.

    report.html is made anew from study.json, and the cards where they are missing.
    """
    from temperance.cli.stations import read_study, write_cards
    from temperance.report import render
    from temperance.report import several as joint
    from temperance.study.several import opened

    if is_several(folder):
        whole = opened(folder)
        for row in whole["outputs"]:
            if row["status"] != "waiting":
                render(folder / "outputs" / row["folder"], language=language)
        page = joint.render(folder, whole, language=language)
        Console(as_json, quiet).result({"report": str(page), "cards": []}, f"Report: {page}")
        return
    document = read_study(folder)
    page = render(folder, language=language)
    cards = write_cards(folder, document, keep=True)
    value = {"report": str(page), "cards": [str(card) for card in cards]}
    Console(as_json, quiet).result(value, f"Report: {page}")

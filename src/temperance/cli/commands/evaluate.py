"""``temperance evaluate``: measure a model on rows with a known answer."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.models import open_bundle
from temperance.records.atomic import write_text
from temperance.records.plain_json import dumps


class Suite(StrEnum):
    """How much is measured."""

    quick = "quick"
    standard = "standard"
    publish = "publish"


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A bundle, or the folder of the study that wrote it.")],
    data: options.Data,
    suite: Annotated[Suite, typer.Option("--suite", help="How much to measure: more takes longer.")] = Suite.quick,
    weight: options.Weight = None,
    column: options.Columns = None,
    na_values: options.NaValues = None,
    sheet: options.Sheet = None,
    sep: options.Sep = None,
    schema: options.SchemaFile = None,
    rows: options.RowsInMemory = None,
    seed: options.Seed = 0,
    out: options.Out = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure a model on rows with known answers.

    Quality, calibration, robustness and weak spots, each figure with its interval.
    With --out DIR it writes evaluation.json there.
    """
    from temperance import evaluation
    from temperance.data import read
    from temperance.data.choices import choose

    choices = choose(column or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema, rows=rows)
    bundle = open_bundle(model)
    with tempfile.TemporaryDirectory(prefix="temperance-evaluate-", ignore_cleanup_errors=True) as scratch:
        reading = read(
            data,
            target=bundle.schema.target.name,
            weight=weight,
            schema=bundle.schema,
            workdir=Path(scratch) / "data",
            choices=choices,
        )
        measured = evaluation.evaluate(bundle, reading.table, suite=suite.value, seed=seed)
    notes = [*reading.notes, *_unweighed(bundle.card.get("details", {}).get("weight"), weight)]
    value: dict[str, Any] = {
        "model": str(bundle.folder), "version": bundle.version, "data": str(data), "notes": notes,
        "dropped": [dict(item) for item in reading.dropped], **measured.to_dict(),
    }  # fmt: skip
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        value["paths"] = {"evaluation": str(out / "evaluation.json")}
        write_text(out / "evaluation.json", dumps(value, indent=1))
    lines = [*notes, *evaluation.sentences(measured)]
    lines += [f"Left out: {item['what']} ({item['why']})." for item in value["left_out"]]
    lines += [f"Written: {path}" for path in value.get("paths", {}).values()]
    Console(as_json, quiet).result(value, "\n".join(lines))


def _unweighed(studied: str | None, weight: str | None) -> list[str]:
    """Say that the figures do not weigh rows as the study of the model did."""
    if studied is None or weight is not None:
        return []
    return [
        f"The study of this model weighed its rows by {studied!r}; here each row counts the same, those of weight 0 "
        f"too. To weigh them as it did: --weight {studied}."
    ]

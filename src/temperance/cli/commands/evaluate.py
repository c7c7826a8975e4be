"""``temperance evaluate``: measure a model on rows with a known answer."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.models import open_bundles
from temperance.records.atomic import write_text
from temperance.records.plain_json import dumps

if TYPE_CHECKING:
    from temperance.data.choices import Choices
    from temperance.deployment import Bundle
    from temperance.evaluation import Evaluation


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
    seed: options.Seed = 0,
    out: options.Out = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Measure a model on rows with known answers.

    Quality, calibration, robustness and weak spots, each figure with its interval.
    With --out DIR it writes evaluation.json there.
    """
    from temperance.cli import several
    from temperance.data.choices import choose

    choices = choose(column or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema)
    models = open_bundles(model)
    found = [_measured(one, data, suite=suite.value, weight=weight, choices=choices, seed=seed) for _, one in models]
    value, lines = found[0].value, found[0].lines
    if len(models) > 1:
        names = [target for target, _ in models]
        parts = [(name, bundle, one.measured) for (name, bundle), one in zip(models, found, strict=True)]
        joint, said = several.measured(parts)
        outputs = {name: one.value for name, one in zip(names, found, strict=True)}
        value = {"model": str(model), "data": str(data), "outputs": outputs, "together": joint}
        lines = [line for name, one in zip(names, found, strict=True) for line in (f"{name}:", *_inset(one.lines))]
        lines += ["All targets together:", *_inset(said)]
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        value["paths"] = {"evaluation": str(out / "evaluation.json")}
        write_text(out / "evaluation.json", dumps(value, indent=1))
    lines += [f"Written: {path}" for path in value.get("paths", {}).values()]
    Console(as_json, quiet).result(value, "\n".join(lines))


class _Found(NamedTuple):
    """What was measured of one model: as JSON, in sentences, and itself."""

    value: dict[str, Any]
    lines: list[str]
    measured: Evaluation


def _measured(
    bundle: Bundle, data: str, *, suite: Literal["quick", "standard", "publish"], weight: str | None, choices: Choices,
    seed: int,
) -> _Found:  # fmt: skip
    from temperance import evaluation
    from temperance.data import read

    with tempfile.TemporaryDirectory(prefix="temperance-evaluate-", ignore_cleanup_errors=True) as scratch:
        reading = read(
            data,
            target=bundle.schema.target.name,
            weight=weight,
            schema=bundle.schema,
            workdir=Path(scratch) / "data",
            choices=choices,
        )
        measured = evaluation.evaluate(bundle, reading.table, suite=suite, seed=seed)
    notes = [*reading.notes, *_unweighed(bundle.card.get("details", {}).get("weight"), weight)]
    value: dict[str, Any] = {
        "model": str(bundle.folder), "version": bundle.version, "data": str(data), "notes": notes,
        "dropped": [dict(item) for item in reading.dropped], **measured.to_dict(),
    }  # fmt: skip
    lines = [*notes, *evaluation.sentences(measured)]
    lines += [f"Left out: {item['what']} ({item['why']})." for item in value["left_out"]]
    return _Found(value, lines, measured)


def _inset(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _unweighed(studied: str | None, weight: str | None) -> list[str]:
    """Say that the figures do not weigh rows as the study of the model did."""
    if studied is None or weight is not None:
        return []
    return [
        f"The study of this model weighed its rows by {studied!r}; here each row counts the same, those of weight 0 "
        f"too. To weigh them as it did: --weight {studied}."
    ]

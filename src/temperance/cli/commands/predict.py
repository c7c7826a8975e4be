"""``temperance predict``: answers for a file of rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.models import open_bundles
from temperance.records.errors import SettingError

if TYPE_CHECKING:
    from temperance.cli.answer_file import Columns
    from temperance.data import Reading
    from temperance.data.choices import Choices
    from temperance.deployment import Bundle

ROWS = 20_000  # of a part where several models answer: all read the same rows


def predict(
    bundle: options.BundleFolder,
    data: options.Data,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="A .csv or .parquet file; else CSV to standard output."),
    ] = None,
    interval: options.Interval = None,
    column: options.Columns = None,
    na_values: options.NaValues = None,
    sheet: options.Sheet = None,
    sep: options.Sep = None,
    schema: options.SchemaFile = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Answer each row of a file, in its order.

    A large table is answered part by part, in bounded memory; --out is there whole or not at all.
    Columns: `prediction`, and `probability_<class>` for each class, or `low` and `high` for numbers; for images their
    `file`. Under costs, the class is the one of the least expected cost. Of several targets each column begins with
    its target: `price_prediction`.
    """
    from temperance.data.choices import choose

    if out is not None and out.suffix.lower() not in (".csv", ".parquet"):
        raise SettingError(f"--out {out}", "a file that ends in .csv or .parquet", "Write --out predictions.csv")
    choices = choose(column or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema)
    models = open_bundles(bundle)
    console = Console(as_json, quiet)
    given = _Given(models, data, choices, interval)
    first = models[0][1]
    place = first.folder if len(models) == 1 else first.folder.parent
    value: dict[str, Any] = {"model": str(place), "version": first.version}
    value |= {"rows": 0, "columns": [], "out": None if out is None else str(out)}
    if out is not None:
        from temperance.cli.answer_file import AnswerFile

        with AnswerFile(out) as file:
            said = _answer(given, file.add, value)
        console.result({**value, "notes": list(said)}, f"{value['rows']} predictions written to {out}.")
    elif as_json:
        predictions: Columns = {}
        said = _answer(given, lambda columns: _extend(predictions, columns), value)
        console.result({**value, "notes": list(said), "predictions": predictions}, "")
    else:
        said = _answer(given, lambda columns: _print(columns, header=not value["rows"]), value)
    for note in () if as_json else said:
        console.note(note)


class _Given(NamedTuple):
    models: list[tuple[str, Bundle]]
    data: str
    choices: Choices
    level: float | None


def _answer(given: _Given, add: Callable[[Columns], None], value: dict[str, Any]) -> tuple[str, ...]:
    """Answer part after part; count rows in ``value`` and return what is to be said about the whole."""
    from temperance.data.parts import Said, read_parts

    said, models = Said(), given.models
    rows = None if len(models) == 1 else ROWS
    with tempfile.TemporaryDirectory(prefix="temperance-predict-", ignore_cleanup_errors=True) as scratch:
        parts = [
            read_parts(
                given.data, schema=model.schema, workdir=Path(scratch) / f"data_{i}", choices=given.choices, rows=rows
            )
            for i, (_, model) in enumerate(models)
        ]
        for readings in zip(*parts, strict=True):
            columns = _columns(given, readings)
            add(columns)
            said.add(readings[0])
            value |= {"rows": said.rows, "columns": list(columns)}
    return said.sentences


def _columns(given: _Given, readings: Sequence[Reading]) -> Columns:
    """Answer one part, as each model reads it."""
    from temperance.cli.answers import answers, led_by
    from temperance.cli.several import columns_for

    many = len(given.models) > 1
    found = []
    for (target, model), reading in zip(given.models, readings, strict=True):
        level = None if many and model.classes else given.level
        found.append((target, answers(model, reading.table.rows, level=level)))
    columns = columns_for(found) if many else found[0][1]
    long, reading = given.models[0][1].schema.long, readings[0]
    if long is not None and reading.labels:
        columns = led_by(long.id, list(reading.labels), columns)
    if reading.files:
        columns = led_by("file", list(reading.files), columns)
    return columns


def _extend(whole: Columns, columns: Columns) -> None:
    for name, values in columns.items():
        whole.setdefault(name, []).extend(values)


def _print(columns: Columns, *, header: bool) -> None:
    from temperance.cli.answer_file import to_csv

    typer.echo(to_csv(columns, header=header), nl=False)

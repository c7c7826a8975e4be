"""``temperance predict``: answers for a file of rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.models import open_bundle
from temperance.records.errors import SettingError

if TYPE_CHECKING:
    from temperance.cli.answer_file import Columns
    from temperance.data.choices import Choices
    from temperance.deployment import Bundle


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
    `file`. Under costs, the class is the one of the least expected cost.
    """
    from temperance.data.choices import choose

    if out is not None and out.suffix.lower() not in (".csv", ".parquet"):
        raise SettingError(f"--out {out}", "a file that ends in .csv or .parquet", "Write --out predictions.csv")
    choices = choose(column or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema)
    model = open_bundle(bundle)
    console = Console(as_json, quiet)
    given = _Given(model, data, choices, interval)
    value: dict[str, Any] = {"model": str(model.folder), "version": model.version}
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
    model: Bundle
    data: str
    choices: Choices
    level: float | None


def _answer(given: _Given, add: Callable[[Columns], None], value: dict[str, Any]) -> tuple[str, ...]:
    """Answer part after part; count rows in ``value`` and return what is to be said about the whole."""
    from temperance.cli.answers import answers, led_by
    from temperance.data.parts import Said, read_parts

    said, model = Said(), given.model
    with tempfile.TemporaryDirectory(prefix="temperance-predict-", ignore_cleanup_errors=True) as scratch:
        parts = read_parts(given.data, schema=model.schema, workdir=Path(scratch) / "data", choices=given.choices)
        for reading in parts:
            columns = answers(model, reading.table.rows, level=given.level)
            long = model.schema.long
            if long is not None and reading.labels:
                columns = led_by(long.id, list(reading.labels), columns)
            if reading.files:
                columns = led_by("file", list(reading.files), columns)
            add(columns)
            said.add(reading)
            value |= {"rows": said.rows, "columns": list(columns)}
    return said.sentences


def _extend(whole: Columns, columns: Columns) -> None:
    for name, values in columns.items():
        whole.setdefault(name, []).extend(values)


def _print(columns: Columns, *, header: bool) -> None:
    from temperance.cli.answer_file import to_csv

    typer.echo(to_csv(columns, header=header), nl=False)

"""``temperance predict``: answers for a file of rows."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.models import open_bundles
from temperance.records.errors import SettingError


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

    Columns: `prediction`, and `probability_<class>` for each class, or `low` and `high` for numbers; for images their
    `file`. Under costs, the class is the one of the least expected cost. Of several targets each column begins with
    its target: `price_prediction`.
    """
    from temperance.cli.answers import answers, led_by, to_csv, write
    from temperance.cli.several import columns_for
    from temperance.data import read
    from temperance.data.choices import choose

    if out is not None and out.suffix.lower() not in (".csv", ".parquet"):
        raise SettingError(f"--out {out}", "a file that ends in .csv or .parquet", "Write --out predictions.csv")
    choices = choose(column or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema)
    models = open_bundles(bundle)
    parts = []
    with tempfile.TemporaryDirectory(prefix="temperance-predict-", ignore_cleanup_errors=True) as scratch:
        for i, (target, model) in enumerate(models):
            reading = read(data, schema=model.schema, workdir=Path(scratch) / f"data_{i}", choices=choices)
            level = interval if len(models) == 1 or not model.classes else None
            parts.append((target, answers(model, reading.table.rows, level=level)))
    columns = parts[0][1] if len(parts) == 1 else columns_for(parts)
    long = model.schema.long
    if long is not None and reading.labels:
        columns = led_by(long.id, list(reading.labels), columns)
    if reading.files:
        columns = led_by("file", list(reading.files), columns)
    console = Console(as_json, quiet)
    place = model.folder if len(models) == 1 else model.folder.parent
    value: dict[str, Any] = {
        "model": str(place), "version": model.version, "rows": len(reading.table), "columns": list(columns),
        "out": None if out is None else str(out), "notes": list(reading.notes),
    }  # fmt: skip
    if out is not None:
        write(columns, out)
        console.result(value, f"{len(reading.table)} predictions written to {out}.")
    elif as_json:
        console.result({**value, "predictions": {name: list(values) for name, values in columns.items()}}, "")
    else:
        typer.echo(to_csv(columns), nl=False)
    for note in () if as_json else reading.notes:
        console.note(note)

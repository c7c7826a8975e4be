"""``temperance audit``: look at the data before a model does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.records.atomic import write_text
from temperance.records.plain_json import dumps, plain


def audit(
    data: options.Data,
    target: options.Target = None,
    test: options.Test = None,
    group: options.Group = None,
    time_column: options.Time = None,
    series_id: options.SeriesId = None,
    lags: options.Lags = None,
    horizon: options.Horizon = None,
    by: options.By = None,
    weight: options.Weight = None,
    column: options.Columns = None,
    keep: options.Keep = None,
    drop: options.Drop = None,
    na_values: options.NaValues = None,
    sheet: options.Sheet = None,
    sep: options.Sep = None,
    schema: options.SchemaFile = None,
    rows: options.RowsInMemory = None,
    licence: options.Licence = None,
    use: options.Use = None,
    write_schema: Annotated[
        Path | None,
        typer.Option("--write-schema", metavar="FILE", help="Write how each column was read, to change and pass on."),
    ] = None,
    seed: options.Seed = 0,
    out: options.Out = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Check data before a model sees them.

    Looks for copies across splits, leaks, wrong labels, personal data and more. Nothing is changed.
    With --out DIR it writes audit.json, dataset_card.md and croissant.json there; --write-schema FILE writes how each
    column was read.
    """
    from temperance.audit import inspect
    from temperance.data import read, split
    from temperance.data.choices import choose
    from temperance.governance.declared import declared
    from temperance.governance.licence import check_expression, judge
    from temperance.governance.representativeness import every_check

    if licence is not None:
        check_expression(licence)
    choices = choose(
        column or (), keep=keep or (), drop=drop or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema,
        id_column=series_id, lags=lags, horizon=horizon, by=by, rows=rows,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="temperance-audit-", ignore_cleanup_errors=True) as scratch:
        place = Path(scratch)
        reading = read(
            data, target=target, group=group, time=time_column, weight=weight, workdir=place / "data", choices=choices,
        )  # fmt: skip
        second = None
        if test is not None:
            apart = choose(sheet=sheet, sep=sep, rows=rows)
            known = reading.table.schema
            second = read(test, target=target, schema=known, workdir=place / "test", choices=apart).table
        roles = split(reading.table, seed=seed, test=second)
        findings = [
            finding.to_dict() for finding in inspect(reading.table, roles, test=second, seed=seed, checks=every_check())
        ]
    stated = declared(licence, data)
    described = {**reading.to_dict(), "path": data, "licence": stated.to_dict() if stated else None}
    value: dict[str, Any] = {"data": described, "roles": roles.to_dict(), "findings": findings}
    if use is not None:
        value["licence"] = judge(stated.expression if stated else None, use=use.value).to_dict()
    if out is not None:
        value["paths"] = _write(out, value)
    if write_schema is not None:
        write_text(write_schema, reading.to_toml())
        value["paths"] = {**value.get("paths", {}), "schema": str(write_schema)}
    console = Console(as_json, quiet)
    console.result(value, text(value))


def text(value: dict[str, Any]) -> str:
    """Return the findings in words, the most urgent first."""
    from temperance.records.finding import STATES

    lines = [f"{value['data']['name']}: {value['data']['rows']} rows, target {value['data']['target']!r}."]
    lines += [f"  {note}" for note in value["data"]["notes"]]
    for state, words in STATES.items():
        found = [finding for finding in value["findings"] if finding["state"] == state]
        if not found:
            continue
        lines += ["", f"{words} ({len(found)})"]
        for finding in found:
            lines.append(f"  {finding['title']}")
            if state in ("fix_before_use", "look_at_this"):
                lines += [f"      → {step}" for step in finding["action"][:2]]
    if "licence" in value:
        lines += ["", *licence_lines(value["licence"])]
    lines += ["", *(f"Written: {path}" for path in value.get("paths", {}).values())]
    return "\n".join(lines).rstrip()


def licence_lines(verdict: dict[str, Any]) -> list[str]:
    """Return the verdict on a licence for a use, in words."""
    from temperance.governance.licence import USES

    said = verdict["expression"] or "not declared"
    lines = [f"Licence {said}, for {USES[verdict['use']]}: {verdict['answer']}"]
    return lines + [f"  {sentence}" for sentence in (*verdict["reasons"], *verdict["duties"])]


def _write(out: Path, value: dict[str, Any]) -> dict[str, str]:
    from temperance.governance import Croissant, DatasetCard

    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "audit.json", dumps(value, indent=1))
    cards = {card.name: str(card.write(plain(value), out)) for card in (DatasetCard(), Croissant())}
    return {"audit": str(out / "audit.json"), **cards}

"""``temperance audit``: look at the data before a model does."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.records.atomic import write_text
from temperance.records.plain_json import dumps, plain

ROW_NUMBERS = "count from 0: row 0 is the first below the header"  # in findings, galleries and answers


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
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="FILE",
            help="Another file, such as a public test set: are its rows among these? It needs the same columns.",
        ),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            "--answers",
            metavar="FILE",
            help="label_review.csv with your yes or no: how many of the suspicious labels are wrong.",
        ),
    ] = None,
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
    Each check plants faults in a copy of the data first, and says how many it found and how often it was wrong.
    With --out DIR it writes audit.json, dataset_card.md, croissant.json and, for suspicious labels, label_review.csv
    there; --write-schema FILE writes how each column was read. Rows are counted from 0: row 0 is the first below the
    header.
    """
    from temperance.audit import inspect
    from temperance.audit.review import gallery, read_answers
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
        other = None
        if against is not None:
            known, apart = reading.table.schema, choose(sheet=sheet, sep=sep)
            other = read(against, schema=known, workdir=place / "against", choices=apart).table
        roles = split(reading.table, seed=seed, test=second)
        judged = {} if answers is None else read_answers(answers)
        found = inspect(
            reading.table, roles, test=second, against=other, answers=judged, seed=seed, checks=every_check()
        )
        findings = [finding.to_dict() for finding in found]
        examples = [e for f in findings if f["check"] == "labels" for e in f["evidence"].get("examples", ())]
        review = gallery(examples, reading.table)
    stated = declared(licence, data)
    described = {**reading.to_dict(), "path": data, "licence": stated.to_dict() if stated else None}
    value: dict[str, Any] = {
        "data": described, "roles": roles.to_dict(), "findings": findings, "row_numbers": ROW_NUMBERS,
    }  # fmt: skip
    if answers is not None:
        value["answers"] = answers_told(judged, findings, reading.table.target.shape[0])
    if use is not None:
        value["licence"] = judge(stated.expression if stated else None, use=use.value).to_dict()
    if out is not None:
        value["paths"] = _write(out, value, review)
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
                lines += [f"      {_effect(finding['effect'])}"] if finding["effect"] else []
                lines += [f"      → {step}" for step in finding["action"][:2]]
            proof = _proof(finding["confidence"])
            lines += [f"      {proof}"] if proof else []
    if value.get("answers"):
        lines += ["", value["answers"]]
    if "licence" in value:
        lines += ["", *licence_lines(value["licence"])]
    lines += ["", *(f"Written: {path}" for path in value.get("paths", {}).values())]
    lines += [f"Row numbers {ROW_NUMBERS}."] if {"audit", "label_review"} & set(value.get("paths", {})) else []
    return "\n".join(lines).rstrip()


def answers_told(judged: Mapping[int, bool], findings: list[dict[str, Any]], rows: int) -> str:
    """Return what became of the answers of --answers: how many count, and by their rows those that do not.

    Args:
        judged: row → whether its label is wrong.
        findings: of the audit.
        rows: count of rows of the data.

    """
    if not judged:
        return "--answers: no line says yes or no. Fill in the column 'wrong' of label_review.csv."
    labels = next((finding for finding in findings if finding["check"] == "labels"), {})
    if labels.get("state") == "not_tested":
        return f"--answers: {len(judged)} read, and none counts: wrong labels were not tested, see why above."
    doubted = set(labels.get("evidence", {}).get("rows", ()))
    absent = sorted(row for row in judged if row >= rows)
    others = sorted(row for row in judged if row < rows and row not in doubted)
    counted = int(labels.get("confidence", {}).get("review", {}).get("judged", 0))
    said = f"--answers: {len(judged)} read, {counted} of them about labels that this check doubts."
    if others:
        said += f" {_rows(others)}: not doubted now, so what you said does not count."
    if absent:
        said += f" {_rows(absent)}: there are only rows 0 to {rows - 1} here. Is it the right file?"
    return said


def _rows(rows: list[int], most: int = 5) -> str:
    more = f" and {len(rows) - most} more" if len(rows) > most else ""
    return f"Row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows[:most]))}{more}"


def licence_lines(verdict: dict[str, Any]) -> list[str]:
    """Return the verdict on a licence for a use, in words."""
    from temperance.governance.licence import USES

    said = verdict["expression"] or "not declared"
    lines = [f"Licence {said}, for {USES[verdict['use']]}: {verdict['answer']}"]
    return lines + [f"  {sentence}" for sentence in (*verdict["reasons"], *verdict["duties"])]


def _proof(confidence: dict[str, Any]) -> str:
    """Return what the check did with faults planted in a copy, on one line."""
    if not confidence.get("planted"):
        return ""
    blamed, clean = confidence.get("false_alarms", 0), confidence.get("false_alarms_of", 0)
    wrong = f", false alarms {blamed} of {clean}" if clean else ""
    return f"Planted in a copy: found {confidence['found']} of {confidence['planted']}{wrong}."


def _effect(effect: dict[str, Any]) -> str:
    """Return a figure before and after, with its interval."""
    low, high = effect.get("low"), effect.get("high")
    wide = f" ({low:.3g} to {high:.3g})" if low is not None and high is not None else ""
    return f"{effect['metric']}: {effect['before']:.3g} before, {effect['after']:.3g}{wide} after."


def _write(out: Path, value: dict[str, Any], review: list[dict[str, Any]]) -> dict[str, str]:
    from temperance.cli.answer_file import to_csv
    from temperance.governance import Croissant, DatasetCard

    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "audit.json", dumps(value, indent=1))
    cards = {card.name: str(card.write(plain(value), out)) for card in (DatasetCard(), Croissant())}
    paths = {"audit": str(out / "audit.json"), **cards}
    if review:
        columns = {name: [line[name] for line in review] for name in review[0]}
        write_text(out / "label_review.csv", to_csv(columns))
        paths["label_review"] = str(out / "label_review.csv")
    return paths

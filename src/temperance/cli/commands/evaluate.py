"""``temperance evaluate``: measure any model on rows with a known answer."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from temperance.cli import options
from temperance.cli.console import Console
from temperance.cli.guard import FAILED
from temperance.records.errors import SettingError

if TYPE_CHECKING:
    from temperance.cli.vetting import Asked, Given
    from temperance.evaluation.requirements import Verdict
    from temperance.evaluation.vetting import Vetting


class Suite(StrEnum):
    """How much is measured."""

    quick = "quick"
    standard = "standard"
    publish = "publish"


class By(StrEnum):
    """What is held against a requirement."""

    interval = "interval"
    point = "point"


def evaluate(
    model: options.Model,
    data: options.Data,
    target: options.Target = None,
    task: options.VettedTask = "auto",
    suite: Annotated[Suite, typer.Option("--suite", help="How much to measure: more takes longer.")] = Suite.quick,
    aspect: options.Aspects = None,
    group: options.VettedGroup = None,
    time_column: options.VettedTime = None,
    weight: options.Weight = None,
    cost: options.Costs = None,
    rules: options.Rules = None,
    write_rules: Annotated[
        Path | None,
        typer.Option("--write-rules", metavar="FILE", help="Write rules of columns that hold in these rows, and stop."),
    ] = None,
    require: options.Require = None,
    by: Annotated[By, typer.Option("--by", help=options.BY_HELP)] = By.interval,
    uses: options.Uses = None,
    once: options.Once = False,
    budget: options.VettingBudget = None,
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
    """Measure any model on rows with known answers.

    Quality, calibration, robustness and weak spots, each figure with its interval; first of all which of these rows
    the model learned from, and what got worse since it was made. MODEL is a bundle, an ONNX file, module:function (a
    torch.nn.Module or a fitted scikit-learn estimator), a .skops file, http://127.0.0.1:PORT, or a file of predictions.
    With --out DIR it writes evaluation.json, evaluation.md and rows.parquet there. Exit status 1: a requirement of
    --require is not met.
    """
    from temperance.cli import vetting
    from temperance.data.choices import choose

    vetting.check_out(out)
    choices = choose(column or (), na_values=na_values, sheet=sheet, sep=sep, schema=schema, rows=rows)
    asked = vetting.Asked(data, choices, target, task, group, time_column, weight)
    console = Console(as_json, quiet)
    parts = vetting.parts_of(model)
    if len(parts) > 1:
        if require is not None or uses is not None or write_rules is not None:
            raise SettingError(
                "--require, --uses or --write-rules for the models of several targets", "one model at a time",
                f"Name one: {', '.join(place for _, place in parts)}",
            )  # fmt: skip
        how = {"suite": suite.value, "aspects": aspect, "cost": cost, "budget": budget, "seed": seed, "rules": rules}
        value, lines = _several(parts, asked, out, how)
        lines += [f"Written: {path}" for path in value.get("paths", {}).values()]
        console.result(value, "\n".join(lines))
        return
    with vetting.given([model], asked) as (one,):
        if write_rules is not None:
            path = vetting.propose_rules(one.reading.table, write_rules)
            console.result({"paths": {"rules": path}}, f"Written: {path}. Say in it which columns nobody can change.")
            return
        done, verdicts, extra = run(
            one, suite=suite.value, aspects=aspect, cost=cost, require=require, by=by.value, uses=uses, once=once,
            budget=budget, seed=seed, rules=rules,
        )  # fmt: skip
        value, lines = told(one, done, asked, verdicts, extra)
        if out is not None:
            value["paths"] = _written(out, one, done, value, verdicts, asked)
    lines += [f"Written: {path}" for path in value.get("paths", {}).values()]
    console.result(value, "\n".join(lines))
    if any(not v.met for v in verdicts):
        raise typer.Exit(FAILED)


def run(
    one: Given, *, suite: str, aspects: list[str] | None, cost: list[str] | None, require: str | None = None,
    by: str = "interval", uses: Path | None = None, once: bool = False, budget: str | None, seed: int,
    rules: Path | None = None,
) -> tuple[Vetting, tuple[Verdict, ...], list[str]]:  # fmt: skip
    """Vet a model and judge it; the third is what is said of the test set's earlier uses.

    Raises:
        SettingError: ``once`` without ``uses``.

    """
    from temperance.cli import vetting
    from temperance.cli.stations import told_command
    from temperance.evaluation.requirements import parse
    from temperance.evaluation.vetting import vet

    wanted = parse(require) if require is not None else ()
    table, subject = one.reading.table, one.subject
    extra = []
    if once and uses is None:
        raise SettingError("--once without --uses", "the file that counts", "Add --uses FILE")
    if uses is not None:
        from temperance.records.openings import open_test

        name, known = vetting.named(subject), table.fingerprint
        rows = known if one.asked is None else vetting.rows_of(one.asked, table)
        found = open_test(uses, data=rows, older=known, model=name, command=told_command(), once=once)
        extra.append(found.sentence())
    done = vet(
        vetting.with_scale(subject), table, tier=suite, seed=seed, labels=one.labels,  # type: ignore[arg-type]
        names=aspects, required=tuple(w.name for w in wanted), settings=vetting.settings_of(cost, subject, rules),
        budget_seconds=vetting.seconds_of(budget),
    )  # fmt: skip
    return done, vetting.judged(done, wanted, by), extra


def _several(
    parts: Sequence[tuple[str, str]], asked: Asked, out: Path | None, how: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Vet the models of several targets one after the other, and tell what holds for all of them together."""
    from temperance.cli import several, vetting
    from temperance.cli.vetting import make_folder
    from temperance.records.atomic import write_text
    from temperance.records.plain_json import dumps

    outputs, measured, lines = {}, [], []
    for target, place in parts:
        with vetting.given([place], asked) as (one,):
            done, verdicts, extra = run(one, **how)
            value, said = told(one, done, asked, verdicts, extra)
            if out is not None:
                value["paths"] = _written(out / Path(place).name, one, done, value, verdicts, asked)
        outputs[target] = value
        measured.append((target, one.subject.schema.target, done.evaluation, one.places_of(done.evaluation.index)))
        lines += [f"{target}:", *(f"  {line}" for line in said)]
    joint, said = several.measured(measured)
    whole: dict[str, Any] = {"data": asked.data, "outputs": outputs, "together": joint}
    if out is not None:
        make_folder(out)
        whole["paths"] = {"evaluation": str(out / "evaluation.json")}
        write_text(out / "evaluation.json", dumps(whole, indent=1))
    return whole, [*lines, "All targets together:", *(f"  {line}" for line in said)]


def told(
    one: Given, done: Vetting, asked: Asked, verdicts: tuple[Verdict, ...], extra: list[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return the result as one JSON value, and as lines."""
    studied = getattr(done.subject.predictor, "card", {}).get("details", {}).get("weight")
    notes = [*one.notes, *extra, *_unweighed(studied, asked.weight)]
    value: dict[str, Any] = {
        "model": done.subject.place, "version": done.subject.version, "data": asked.data, "notes": notes,
        "dropped": [dict(item) for item in one.reading.dropped], **done.to_dict(),
        "requirements": [v.to_dict() for v in verdicts],
    }  # fmt: skip
    lines = [*notes, *done.sentences()]
    lines += [f"Left out: {what} ({why.rstrip('.')})." for what, why in done.not_done]
    lines += [f"{'Met' if v.met else 'NOT MET'}: {v.why}" for v in verdicts]
    return value, lines


def _written(
    out: Path, one: Given, done: Vetting, value: dict[str, Any], verdicts: tuple[Verdict, ...], asked: Asked
) -> dict[str, str]:
    from temperance.cli.answers import write
    from temperance.cli.vetting import make_folder, write_results
    from temperance.evaluation.per_row import columns_of
    from temperance.evaluation.vetting_page import page

    make_folder(out)
    write(columns_of(done, one.places), out / "rows.parquet")
    text = page(done, data=asked.data, notes=value["notes"], verdicts=verdicts)
    return write_results(out, "evaluation", {**value, "paths": {"rows": str(out / "rows.parquet")}}, text)


def _unweighed(studied: str | None, weight: str | None) -> list[str]:
    """Say that the figures do not weigh rows as the study of the model did."""
    if studied is None or weight is not None:
        return []
    return [
        f"The study of this model weighed its rows by {studied!r}; here each row counts the same, those of weight 0 "
        f"too. To weigh them as it did: --weight {studied}."
    ]

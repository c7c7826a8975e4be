"""What ``evaluate``, ``compare`` and ``gate`` share: a model and its rows from two arguments, and where results go."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from temperance.records.atomic import write_text
from temperance.records.errors import BudgetError, DataError, SettingError
from temperance.records.plain_json import dumps

if TYPE_CHECKING:
    from temperance.data import Reading
    from temperance.data.choices import Choices
    from temperance.evaluation.aspects.base import Subject
    from temperance.evaluation.requirements import Requirement, Verdict
    from temperance.evaluation.vetting import Vetting
    from temperance.records.table import Table

CLUSTERS = 20  # groups below which rows of one group cannot be counted together
_SECONDS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Asked:
    """What the command line says about the data and about how they are read.

    Attributes:
        data: path or name.
        target: column to predict, or None: the model's own, or that of a bundled set.
        task: of a model that does not bring its own target.
        group: column of groups.
        time: column of times.
        weight: column of weights.
        choices: how columns are read.

    """

    data: str
    choices: Choices
    target: str | None = None
    task: str = "auto"
    group: str | None = None
    time: str | None = None
    weight: str | None = None


@dataclass(frozen=True, eq=False)
class Given:
    """A model with its rows.

    Attributes:
        subject: the model.
        reading: the rows as it reads them.
        labels: (b,) names of the groups of the rows, or None.
        notes: what is said of the data.
        asked: what the command line said.

    """

    subject: Subject
    reading: Reading
    labels: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
    asked: Asked | None = None

    @property
    def places(self) -> Any:
        """(b,) place in the file of each row, or None."""
        return None if self.reading.present is None else np.flatnonzero(self.reading.present)

    def places_of(self, index: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return which rows of the data (n,) the rows ``index`` (n,) of the table are; None where it is not known.

        Of a sample the places in the file are not known; where no row of it was left out, its own numbers do as well.
        """
        if self.places is not None:
            found: NDArray[np.int64] = self.places[index]
            return found
        return None if any(item.get("rows") for item in self.reading.dropped) else index


def parts_of(model: str) -> list[tuple[str, str]]:
    """Return what is to be opened, and its target: the model alone, or the bundles of a folder for several targets."""
    from temperance.cli.models import bundle_folder
    from temperance.deployment.several import holds_several, load_several

    if not Path(model).is_dir() or not holds_several(folder := bundle_folder(Path(model))):
        return [("", model)]
    return [(target, str(folder / name)) for name, target, _ in load_several(folder).parts]


def one_of(model: str, target: str | None) -> str:
    """Return the model itself, or of the models of several targets the bundle of ``target``.

    Raises:
        SettingError: it is not said which target is meant.

    """
    from temperance.cli.models import bundle_of

    return str(bundle_of(Path(model), target)) if len(parts_of(model)) > 1 else model


def rows_of(asked: Asked, table: Table) -> str:
    """Return what knows the rows of the data again: the same in any order of rows and columns."""
    from temperance.data.fingerprint import of_rows
    from temperance.data.source import source_of

    with tempfile.TemporaryDirectory(prefix="temperance-rows-", ignore_cleanup_errors=True) as scratch:
        contents = source_of(asked.data, choices=asked.choices).open(Path(scratch))
        whole = contents.images if contents.images is not None else contents.series
        return f"{of_rows(contents.frame, whole)} {table.schema.target.name}"


@contextmanager
def given(models: Sequence[str], asked: Asked) -> Iterator[list[Given]]:
    """Open models with the rows they are asked about; arrays of large data lie in a folder that goes afterwards.

    Raises:
        TemperanceError: a model or the data cannot be used.

    """
    scratch = Path(tempfile.mkdtemp(prefix="temperance-evaluate-"))
    try:
        yield [_one(model, asked, scratch / str(i)) for i, model in enumerate(models)]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _one(model: str, asked: Asked, workdir: Path) -> Given:
    from temperance.data import read
    from temperance.deployment.opening import open_model, what_is

    found = what_is(model)
    subject = open_model(found) if found.brings_schema else None
    if subject is not None and asked.target not in (None, subject.schema.target.name):
        raise SettingError(
            f"--target {asked.target}", f"the model predicts {subject.schema.target.name!r}", "Leave --target out"
        )
    reading = read(
        asked.data,
        target=asked.target if subject is None else subject.schema.target.name,
        task=asked.task,
        group=asked.group,
        time=asked.time,
        weight=asked.weight,
        workdir=workdir,
        choices=asked.choices,
        schema=None if subject is None else subject.schema,
    )
    _check_guides(asked, reading)
    table = reading.table
    if subject is None and found.form == "predictions":
        from temperance.deployment.opening.of_predictions import open_predictions

        subject = open_predictions(found.text, table, reading.present)
    elif subject is None:
        subject = open_model(found, table.schema)
        subject.predict(table.rows.take(slice(0, 4096)))  # says at once whether the model takes these rows
    labels, notes = _labels(reading), list(reading.notes)
    if table.group is not None:
        count = len(np.unique(table.group))
        if count < CLUSTERS:
            reading = replace(reading, table=replace(table, group=None))
            notes.append(
                f"{asked.group!r} has {count} values: they are told apart as domains. They are too few to count rows "
                f"of one together ({CLUSTERS} are needed), so intervals speak of new rows of these groups."
            )
        else:
            notes.append(f"Rows with the same {asked.group!r} are counted together: intervals speak of new groups.")
    return Given(subject, reading, labels, tuple(notes), asked)


def _labels(reading: Reading) -> NDArray[Any] | None:
    """Return the names of the groups of the rows (b,), or None."""
    group, names = reading.table.group, reading.groups
    if group is None or not names:
        return None
    return np.array([*names, "(none)"], dtype=object)[np.minimum(group, len(names))].astype(str)


def _check_guides(asked: Asked, reading: Reading) -> None:
    for option, name, part in (("group", asked.group, reading.table.group), ("time", asked.time, reading.table.time)):
        if name is not None and part is None:
            raise DataError(f"no column {name!r} for --{option}", "a column of the data", "Check its name")


def named(subject: Subject) -> str:
    """Return what a counter of test uses knows a model by: its version, the digest of its file, else its place.

    A file that was replaced under its old name is another model.
    """
    if subject.version or not Path(subject.place).is_file():
        return subject.version or subject.place
    with Path(subject.place).open("rb") as file:
        return f"{Path(subject.place).name} {hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"


def with_scale(subject: Subject) -> Subject:
    """Return the subject with what its outputs were taken for among its notes."""
    from temperance.deployment.opening.of_onnx import outputs_said

    told = tuple(one for one in outputs_said(subject.predictor) if one not in subject.notes)
    return replace(subject, notes=(*subject.notes, *told)) if told else subject


def seconds_of(text: str | None) -> float | None:
    """Read ``90s``, ``5m``, ``1h`` or plain seconds.

    Raises:
        BudgetError: not of this form.

    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|sec|m|min|h)?", text.strip().lower())
    if match is None or float(match[1]) <= 0:
        raise BudgetError(f"a budget of {text!r}", "a time such as 30s, 5m or 1h", "Write --budget 60s")
    return float(match[1]) * _SECONDS[match[2] or "s"]


def settings_of(costs: Sequence[str] | None, subject: Subject, rules: Path | None = None) -> dict[str, Any]:
    """Return the settings of aspects: a decision under the costs of ``--cost``, rules of columns of ``--rules``.

    Raises:
        DataError: a file of rules that cannot be read.
        SettingError: costs for a model of numbers, or a file that holds no rules.

    """
    found: dict[str, Any] = {}
    if rules is not None:
        from temperance.evaluation.schema.file import read

        found["adversarial"] = {"rules": read(rules)}
    if not costs:
        return found
    from temperance.records.decision import Costs, Decision, parse_costs

    if subject.task == "regression":
        raise SettingError("--cost for a model of numbers", "a model of classes", "Leave --cost out")
    prices = [price for one in costs for price in parse_costs(one)]
    return {**found, "decision": Decision(Costs.of(prices, subject.classes))}


def propose_rules(table: Table, path: Path) -> str:
    """Write the rules of columns that hold in a table, and return where.

    Raises:
        DataError: pictures, or a file that is there already or cannot be written.

    """
    from temperance.evaluation.schema.file import write
    from temperance.evaluation.schema.propose import propose

    if table.schema.kind != "table":
        raise DataError("pictures", "a table: rules are about its columns", "Leave --write-rules out")
    if path.exists():
        raise DataError(f"{path} exists", "a new file: rules that were corrected are not lost", "Name another")
    write_text(path, write(propose(table)))
    return str(path)


def judged(done: Vetting, wanted: Sequence[Requirement], by: str) -> tuple[Verdict, ...]:
    """Hold the figures of a vetting against requirements; figures of rows it learned from pass none."""
    from temperance.evaluation.requirements import judge

    found = judge(wanted, done.figures, by="point" if by == "point" else "interval", missing=_absent(done, wanted))
    if not done.own.all_learned:
        return found
    why = "all rows are rows that the model learned from, so no figure of them counts"
    return tuple(replace(v, met=False, why=f"{v.requirement}: {why}.") for v in found)


def _absent(done: Vetting, wanted: Sequence[Requirement]) -> Mapping[str, str]:
    """Return why a required figure is not there: what the aspect that claims it says."""
    from temperance.evaluation.aspects.registry import ASPECTS

    said = {one.aspect: one.not_done for one in done.readings}
    out = {}
    for one in wanted:
        for aspect in ASPECTS:
            if aspect().claims(one.name) and said.get(aspect.name):
                out[one.name] = "not measured, " + said[aspect.name][0][1]
    return out


def write_results(folder: Path, name: str, value: dict[str, Any], text: str) -> dict[str, str]:
    """Write ``NAME.md``, then ``NAME.json``: whoever finds the JSON finds all; return their paths.

    Raises:
        DataError: the folder cannot be written.

    """
    make_folder(folder)
    paths = {"page": str(folder / f"{name}.md"), name: str(folder / f"{name}.json")}
    write_text(Path(paths["page"]), text)
    write_text(Path(paths[name]), dumps({**value, "paths": {**value.get("paths", {}), **paths}}, indent=1))
    return {**value.get("paths", {}), **paths}


def check_out(folder: Path | None) -> None:
    """Refuse a place for results that is a file, before anything is measured.

    Raises:
        DataError: it is.

    """
    if folder is not None and folder.exists() and not folder.is_dir():
        raise DataError(f"--out {folder} is a file", "a folder, or a name for a new one", "Choose another")


def make_folder(folder: Path) -> None:
    """Make the folder of ``--out``.

    Raises:
        DataError: it is a file, or cannot be made.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise DataError(
            f"--out {folder}: {fault.strerror}", "a folder that may be written", "Choose another"
        ) from fault

"""Read any source into a ``Table``: types and task inferred, everything unusual said, nothing dropped in silence."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from temperance.data import forecasting
from temperance.data.arrange import guides_note, moment_of, series_of
from temperance.data.base import Contents
from temperance.data.choices import AS_FOUND, Choices
from temperance.data.clock_columns import times
from temperance.data.columns import KINDS, columns_of, listing
from temperance.data.encode import column_values, encode, require
from temperance.data.evidence import FileStyle, numbering
from temperance.data.guides import even, group_codes, group_names, weights, without_weight
from temperance.data.headers import looks_like_data
from temperance.data.kept import Kept
from temperance.data.reading import Dropped, Reading
from temperance.data.sampling import cap_of, is_sample, sampled
from temperance.data.several import aims_of
from temperance.data.source import source_of
from temperance.data.summary import profile
from temperance.data.target import Aim, known_target
from temperance.data.text import HEADLESS
from temperance.records.errors import DataError
from temperance.records.layout import Long
from temperance.records.members import HAS
from temperance.records.schema import Column, Schema, Target
from temperance.records.table import Table

VOTERS = 5000  # rows of each column that say how the file writes numbers
Guides = tuple[str | None, str | None, str | None]  # columns of group, time and weight


def read(
    source: Any,
    *,
    target: str | None = None,
    task: str = "auto",
    group: str | None = None,
    time: str | None = None,
    weight: str | None = None,
    workdir: Path | None = None,
    schema: Schema | None = None,
    choices: Choices = AS_FOUND,
    beside: Sequence[str] = (),
) -> Reading:
    """Read data.

    Args:
        source: a path (a table in one of the formats of ``source.py``, a folder of Parquet files, a folder per class
            with images), the name of a bundled set (``breast_cancer``, ``sklearn:iris``), a frame, arrays, or a
            pair (X, y).
        target: the column to predict; not needed where the source fixes it.
        task: ``auto``, ``classification``, ``regression`` …; ``multilabel``: each label of the target's cells is a
            yes/no target.
        group: column whose values must not be split between roles; it is no input.
        time: column that orders the rows; it is no input.
        weight: column of weights of the rows, 0 or more; it is no input. Rows of weight 0 are left out.
        workdir: folder for memory-mapped arrays of large data; None keeps them in memory.
        schema: read against this schema (a test file, rows to predict). Then, with ``target=None``, the target may be
            absent and no row is dropped: unknown targets are NaN or −1.
        choices: what the user decided about columns, words for "missing", separator, sheet.
        beside: further columns to predict; no inputs either, and rows that lack one of them are left out.

    Returns:
        The table with notes, what was dropped, and a profile.

    Raises:
        DataError: the data cannot be used; the message says why and what to do.

    """
    if workdir is not None:
        workdir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workdir, prefix="reading-", ignore_cleanup_errors=True) as scratch:
        cap = cap_of(choices, schema, answered=schema is not None and target is None)
        contents = source_of(source, target=target, schema=schema, choices=choices, cap=cap).open(Path(scratch))
        contents = replace(sampled(contents, cap), kept=Kept(Path(scratch)))
        known = schema.names if schema is not None else ()
        for name in choices.columns:
            if name not in known:
                contents.column(name)  # an unknown name is an error
        contents, long = series_of(contents, target, time, choices, schema)
        time = None if long is not None else time
        if schema is not None:
            found = _reread(contents, restyled(schema, choices), target, (group, time, weight), workdir, choices)
        else:
            found = _read(contents, target, task, (group, time, weight), workdir, choices, long, tuple(beside))
        present = None if is_sample(contents) else found.present
        return replace(found, labels=contents.labels, present=present)


def _read(
    contents: Contents,
    target: str | None,
    task: str,
    guides: Guides,
    workdir: Path | None,
    choices: Choices,
    long: Long | None,
    beside: tuple[str, ...],
) -> Reading:
    name = _target_name(contents, target)
    file = FileStyle(contents.separator, lambda: _vote(contents))
    aim, *more = aims_of(contents, (name, *beside), task, choices, file)
    if contents.target == name and target not in (None, name):
        aim = aim._replace(target=replace(aim.target, name=str(target)))
    guide_names = [guide for guide in guides if guide is not None]
    if {name, *beside} & set(guide_names):
        raise DataError(f"{name!r} is the target and stands beside it", "Different columns", "Choose another column")
    taken = contents.names
    when = moment_of(contents, aim, guides[1], choices)
    added = set(when.contents.names) - set(taken)
    guide_names = [*when.taken, *(guide for guide in guide_names if guide in taken and guide not in when.taken)]
    contents = when.contents
    taken = (name, *beside, *guide_names, *added)
    columns, notes, dropped, readers = columns_of(contents, taken, choices, file)
    columns = tuple(sorted((*columns, *when.columns), key=lambda column: KINDS.index(column.kind)))
    notes += [*guides_note(guides[0], guides[1], contents), *when.notes]
    if guides[2] is not None:
        notes.append(f"{guides[2]!r} weighs the rows and is no input of the model.")
    images = contents.images
    schema = Schema(
        columns=columns,
        target=aim.target,
        kind="table" if images is None else "images",
        image_shape=None if images is None else (images.shape[1], images.shape[2], images.shape[3]),
        ignored=(*(str(item["column"]) for item in dropped), *guide_names, *beside),
        notes=(*contents.notes, *aim.notes, *(note for one in more for note in one.notes), *notes),
        long=long,
        forecast=when.forecast,
    )
    if images is None and not columns:
        raise DataError(
            f"{contents.name} holds no column that can be used as an input"
            + "".join(f" ({item['column']!r}: {item['why'].rstrip('.')})" for item in dropped[:3]),
            "At least one column of numbers, categories, dates or text besides the target",
            "Add such a column; --keep COLUMN or --column 'COLUMN=text' uses one that was left out",
        )
    said = [*contents.dropped, *dropped]
    said_of = (workdir, list(schema.notes), said, choices)
    reading = _finish(contents, schema, aim, guides, *said_of, strict=True, beside=more)
    return replace(reading, readers=(*readers, *([aim.reader.bare()] if aim.reader else [])))


def _reread(
    contents: Contents,
    schema: Schema,
    target: str | None,
    guides: Guides,
    workdir: Path | None,
    choices: Choices,
) -> Reading:
    if (contents.images is not None) != (schema.kind == "images"):
        raise DataError(
            f"{contents.name} holds {'a table' if contents.images is None else 'images'}",
            f"The model takes {'images' if schema.kind == 'images' else 'a table'}",
            "Pass data of the same kind as in training",
        )
    if contents.images is not None and contents.images.shape[1:] != schema.image_shape:
        raise DataError(
            f"The images of {contents.name} have the shape {contents.images.shape[1:]}",
            f"The model takes {schema.image_shape} (height, width, channels)",
            "Resize the images",
        )
    name = contents.target or schema.target.column
    if target is not None and name not in contents.names:
        contents.column(name)  # raises with the nearest name
    aim = _known_aim(contents, schema.target, name, strict=target is not None)
    contents, lacking = forecasting.reframe(contents, schema, aim, choices)
    require(contents, schema.columns)
    used = {c.source or c.name for c in schema.columns} | {name} | set(schema.ignored) | set(guides)
    extra = [column for column in contents.names if column not in used]
    notes = [*contents.notes, *aim.notes, *lacking]
    if extra:
        notes.append(f"{len(extra)} further columns are not inputs of the model and were not read: {listing(extra)}.")
    dropped = list(contents.dropped)
    group, time = (guide if guide in contents.names else None for guide in guides[:2])
    strict = target is not None
    return _finish(contents, schema, aim, (group, time, guides[2]), workdir, notes, dropped, choices, strict=strict)


def _known_aim(contents: Contents, target: Target, name: str, *, strict: bool) -> Aim:
    if name in contents.names:
        try:
            return known_target(contents.column(name), target)
        except DataError:
            if strict:
                raise
    whole = contents.images if contents.images is not None else contents.series
    rows = len(whole) if whole is not None else _height(contents.frame)
    unknown = np.full(rows, np.nan) if target.task == "regression" else np.full(rows, -1, dtype=np.int64)
    return Aim(target, unknown)


def _finish(
    contents: Contents,
    schema: Schema,
    aim: Aim,
    guides: Guides,
    workdir: Path | None,
    notes: list[str],
    dropped: list[Dropped],
    choices: Choices,
    *,
    strict: bool,
    beside: Sequence[Aim] = (),
) -> Reading:
    present = np.ones(len(aim.values), dtype=bool)
    if strict:
        present = np.logical_and.reduce([one.known for one in (aim, *beside)])
        if not present.all():
            why = "One of the targets is missing." if beside else "The target is missing."
            dropped.append({"rows": int((~present).sum()), "column": None, "why": why})
    group = None if guides[0] is None else group_codes(contents.column(guides[0]))
    when = None if guides[1] is None else times(contents, guides[1], choices)
    if when is not None and strict and not np.isfinite(when[present]).all():
        lost = present & ~np.isfinite(when)
        dropped.append({"rows": int(lost.sum()), "column": None, "why": f"The time {guides[1]!r} is missing."})
        present &= ~lost
    weight = None if guides[2] is None else weights(contents.column(guides[2]), choices.of(guides[2]))
    if weight is not None:
        dropped += without_weight(weight, present, str(guides[2]))
        present &= weight > 0
    if not present.any():
        raise DataError(f"{contents.name} has no row with a target", "Rows with a target", "Check the target column")
    rows, misfits = encode(contents, schema, present, workdir)
    table = Table(
        schema,
        rows,
        aim.values[present],
        None if group is None else group[present],
        None if when is None else when[present],
        contents.name,
        contents.fingerprint,
        None if weight is None else even(weight[present]),
    )
    misfits = [one for one in misfits if one.sentence not in notes and not _already(one.sentence, notes)]
    files = tuple(name for name, one in zip(contents.files, present, strict=True) if one) if contents.files else ()
    long = isinstance(rows.numeric, np.memmap)  # a pass over its file for each column would cost more
    summary = profile(table, (lambda column: column_values(contents.kept, column, present)) if long else None)
    names = () if guides[0] is None else group_names(contents.column(guides[0]))
    said = (*notes, *(one.sentence for one in misfits))
    others = tuple((one.target, one.values[present]) for one in beside)
    return Reading(
        table, said, tuple(dropped), (), choices, summary, files=files, groups=names, present=present,
        misfits=tuple(misfits), beside=others,
    )  # fmt: skip


def restyled(schema: Schema, choices: Choices) -> Schema:
    """Return the schema with what the user says about how its columns are written in this file.

    Raises:
        DataError: a column would be read as something else than the model learned.

    """

    def changed(one: Any, name: str) -> Any:
        choice = choices.of(name)
        row: dict[str, Any] = {} if choice.missing is None else {"missing": choice.missing}
        if choice.style is not None:
            row |= {"format": choice.style.form}
        if choice.pattern:
            row |= {"format": choice.pattern}
        return replace(one, **row | ({"unit": choice.unit} if choice.unit else {}))

    if not choices.columns and choices.missing is None:
        return schema
    for column in schema.columns:
        _refuse_other(column.source or column.name, _learned(column), choices)
    _refuse_other(schema.target.name, "number" if schema.target.task == "regression" else "category", choices)
    columns = tuple(changed(column, column.source or column.name) for column in schema.columns)
    return replace(schema, columns=columns, target=changed(schema.target, schema.target.name))


def _learned(column: Column) -> str:
    if column.part:
        return "set" if column.part.startswith(HAS) else "date"
    return {"numeric": "number", "categorical": "category", "text": "text"}.get(column.kind, "")


def _refuse_other(name: str, learned: str, choices: Choices) -> None:
    asked = choices.of(name).read
    if learned and asked not in ("auto", "keep", learned):
        raise DataError(
            f"--column '{name}={asked}'", f"The model learned {name!r} as {learned}: it reads it so in every file",
            f"Leave it out; --column '{name}={learned},…' may say how it is written here. To read it as {asked}, train "
            "a new model",
        )  # fmt: skip


def _vote(contents: Contents) -> str:
    """Return the decimal sign of the columns that decide it themselves, or empty where they disagree or are none."""
    clear = [numbering(text).clear for text in contents.texts(VOTERS)]
    points, commas = clear.count("."), clear.count(",")
    return "." if points > commas else ("," if commas > points else "")


def _target_name(contents: Contents, target: str | None) -> str:
    if target is not None and target in contents.names:
        return target
    if contents.target:
        return contents.target
    if target is None:
        raise DataError(
            f"No target is named for {contents.name}",
            f"One of the columns {listing(list(contents.names))}",
            "Pass --target COLUMN (in Python: target=…)",
        )
    several = [part.strip() for part in target.split(",")]
    if len(several) > 1 and all(part in contents.names for part in several):
        raise DataError(
            f"The targets {listing(several)}", "One target here",
            "`temperance study` takes several: --target once for each",
        )  # fmt: skip
    try:
        contents.column(target)
    except DataError as error:
        remedy = HEADLESS if looks_like_data(contents.names) else error.remedy
        if contents.separator and len(contents.names) == 1:
            remedy = "If another sign separates the fields, name it with --sep"
        raise DataError(error.received, error.accepted, remedy) from None
    return target


def _height(frame: pl.DataFrame | pl.LazyFrame) -> int:
    return frame.height if isinstance(frame, pl.DataFrame) else int(frame.select(pl.len()).collect().item())


def _already(note: str, notes: Sequence[str]) -> bool:
    return any(note.split(" holds ")[0] in other and "read as missing" in other for other in notes)

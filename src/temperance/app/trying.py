"""Try a model: the fields of one row with sensible values in them, and the answer in words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from temperance.deployment import load
from temperance.deployment.bundle import Bundle
from temperance.records.errors import BundleError, DataError, RequestError
from temperance.records.moments import EPOCH
from temperance.records.rows import rows_from_records
from temperance.records.schema import Column, Rows

FEW = 40  # categories that are offered as a list
STEPS = 200  # of a slider
SHOWN = 12  # classes whose chances are shown


@dataclass(frozen=True)
class Box:
    """One field of the form.

    Attributes:
        name: the column of the file.
        kind: ``number``, ``choice``, ``text`` or ``date``; ``lines`` of text, or ``series``: numbers in order.
        value: that stands in it at first.
        options: of a choice.
        low: end of the slider.
        high: end of the slider.
        step: of the slider.

    """

    name: str
    kind: str
    value: str = ""
    options: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    step: str = "any"


@dataclass(frozen=True)
class Answer:
    """What the model says.

    Attributes:
        said: the class, or the number.
        chance: of the class, in parts of 100; None for numbers.
        chances: class and parts of 100, the likeliest first.
        low: lower end of the range; empty where there is none.
        high: upper end of the range.
        strange: columns whose value the model has not met in training.

    """

    said: str
    chance: float | None = None
    chances: tuple[tuple[str, float], ...] = ()
    low: str = ""
    high: str = ""
    strange: tuple[str, ...] = ()


def bundle_of(folder: Path) -> Bundle:
    """Return the model of a study's folder; it is loaded once while its files stay as they are.

    Raises:
        BundleError: there is none, or it is damaged.

    """
    place = folder / "bundle"
    if not (place / "manifest.json").is_file():
        raise BundleError("this study has no model yet", "a study that came to an end", "Start the study, or wait")
    return _load(place, (place / "manifest.json").stat().st_mtime_ns)


def boxes(bundle: Bundle, profile: Mapping[str, Any]) -> list[Box]:
    """Return the fields for one row, in the order of the columns.

    Args:
        bundle: the model.
        profile: ``data.profile`` of ``study.json``, for the usual values; may be empty.

    """
    usual = {str(row.get("name")): row for row in profile.get("columns") or [] if isinstance(row, dict)}
    found: dict[str, Box] = {}
    for column in bundle.schema.columns:
        name = column.source or column.name
        if name not in found:
            found[name] = _box(name, column, usual.get(column.name, {}))
    return list(found.values())


def answer(bundle: Bundle, given: Mapping[str, str]) -> Answer:
    """Answer one row; an empty field means that the value is not known.

    Raises:
        RequestError: a value that is not written as its column is.

    """
    names = dict.fromkeys(one.source or one.name for one in bundle.schema.columns)
    numbers = {one.source or one.name for one in bundle.schema.numeric if not one.part}
    long = {one.name: one.kind for one in bundle.schema.columns if one.kind in ("text", "series")}
    record: dict[str, Any] = {
        name: _long(name, given.get(name, ""), long[name]) if name in long
        else _value(given.get(name, ""), number=name in numbers)
        for name in names
    }  # fmt: skip
    rows = rows_from_records(bundle.schema, [record])
    return _answer(bundle, rows, strange(bundle, rows))


def answer_image(bundle: Bundle, data: bytes) -> Answer:
    """Answer one picture, brought to the size that the model takes.

    Raises:
        DataError: it is no picture.

    """
    from PIL import Image, UnidentifiedImageError

    height, width, channels = bundle.schema.image_shape or (1, 1, 1)
    try:
        with Image.open(BytesIO(data)) as opened:
            picture = opened.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BOX)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"the picture cannot be read ({type(error).__name__})", "PNG, JPEG, BMP, GIF, TIFF or WebP",
            "Save it in one of these formats",
        ) from error  # fmt: skip
    pixels = np.asarray(picture, dtype=np.uint8).reshape(1, height, width, channels)
    return _answer(bundle, Rows(np.empty((1, 0)), np.empty((1, 0), dtype=np.int32), pixels), ())


def strange(bundle: Bundle, rows: Rows) -> tuple[str, ...]:
    """Return the columns whose value lies outside of what the model met in training."""
    found = []
    for column, value in zip(bundle.schema.numeric, rows.numeric[0], strict=True):
        outside = (column.low is not None and value < column.low) or (column.high is not None and value > column.high)
        if outside and column.part in ("", "days"):
            found.append(column.source or column.name)
    for column, code in zip(bundle.schema.categorical, rows.categorical[0], strict=True):
        if code == -2:
            found.append(column.source or column.name)
    return tuple(dict.fromkeys(found))


def day(days: float, pattern: str) -> str:
    """Return days since 1970 as the column writes them; empty for a pattern that is no day of the calendar."""
    try:
        moment = EPOCH + timedelta(days=math.floor(days))
    except (OverflowError, ValueError):
        return ""
    if pattern in ("", "iso"):
        return moment.date().isoformat()
    return moment.strftime(pattern) if pattern.startswith("%") else ""


def short(value: float) -> str:
    """Return a number with as many figures as mean something, never as a power of ten where that can be helped."""
    if not math.isfinite(value):
        return "not a number"
    if value and not 1e-4 <= abs(value) < 1e12:
        return f"{value:.3g}"
    places = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{min(places, 8)}f}".rstrip("0").rstrip(".") if places else f"{value:,.0f}"


def _value(text: str, *, number: bool) -> float | str | None:
    """Return what a field holds: a number as browsers send it, else the text, which is read as its column is."""
    if not text.strip():
        return None
    if number:
        with suppress(ValueError):
            return float(text)
    return text


def _long(name: str, text: str, kind: str) -> str | list[float | None] | None:
    """Return a text as it is, or the numbers of a series; no number at all is a series of which nothing is known."""
    if kind == "text":
        return text if text.strip() else None
    words = re.split(r"[,;\s]+", text.strip().removeprefix("[").removesuffix("]").strip(" ,;"))
    try:
        return [None if word.lower() in ("", "null", "nan") else float(word) for word in words]
    except ValueError as error:
        raise RequestError(
            f"{name!r} holds what is no number: {text[:60]!r}", "numbers in order, such as 0.1, 0.4, null, 0.2",
            "Write null where a value is unknown, and points in numbers",
        ) from error  # fmt: skip


def _answer(bundle: Bundle, rows: Rows, strange: tuple[str, ...]) -> Answer:
    found = np.asarray(bundle.predict(rows), dtype=np.float64)[0]
    if not bundle.classes:
        low, high = (short(float(end[0])) for end in bundle.bounds(found[None])) if bundle.has_interval else ("", "")
        return Answer(short(float(found)), None, (), low, high, strange)
    order = np.argsort(-found, kind="stable")
    chances = tuple((bundle.classes[i], round(100 * float(found[i]), 1)) for i in order[:SHOWN])
    said = int(bundle.answers(found[None])[0])  # under costs, or of levels, not always the most probable one
    return Answer(bundle.classes[said], round(100 * float(found[said]), 1), chances, strange=strange)


@lru_cache(maxsize=4)
def _load(place: Path, changed: int) -> Bundle:
    bundle: Bundle = load(place)
    return bundle


def _box(name: str, column: Column, usual: Mapping[str, Any]) -> Box:
    middle = (usual.get("quantiles") or {}).get("0.5")
    if column.kind in ("text", "series"):
        return Box(name, "lines" if column.kind == "text" else "series")
    if column.kind == "categorical":
        top = usual.get("top") or []
        first = str(top[0][0]) if top else (column.vocabulary[0] if column.vocabulary else "")
        return Box(name, "choice" if len(column.vocabulary) <= FEW else "text", first, column.vocabulary[:FEW])
    if column.part == "days":
        return Box(name, "text", "" if middle is None else day(middle, column.format))
    if column.part:
        return Box(name, "text")
    low, high = column.low, column.high
    if low is None or high is None or low >= high or not math.isfinite(high - low):
        return Box(name, "number", "" if middle is None else f"{middle:g}")
    step = 1.0 if column.integer and high - low <= 5000 else _step(high - low)
    start = math.floor(low / step) * step
    end = math.ceil(high / step) * step
    value = "" if middle is None else f"{middle:.10g}"
    return Box(name, "number", value, (), f"{start:.10g}", f"{end:.10g}", f"{step:.10g}")


def _step(span: float) -> float:
    """Return a round step that cuts a span into about ``STEPS``."""
    rough = span / STEPS
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 5, 10) if factor * power >= rough), rough)

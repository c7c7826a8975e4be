"""Corruptions by name."""

from __future__ import annotations

from collections.abc import Sequence

from temperance.evaluation.corruption.base import Corruption, Reference
from temperance.evaluation.corruption.blur import Blur
from temperance.evaluation.corruption.brightness import Brightness
from temperance.evaluation.corruption.categories import UnknownCategory, WrongCategory
from temperance.evaluation.corruption.columns import Stuck, SwappedColumns
from temperance.evaluation.corruption.contrast import Contrast
from temperance.evaluation.corruption.dates import DateOffset
from temperance.evaluation.corruption.gaps import MissingByColumn, MissingByValue
from temperance.evaluation.corruption.jpeg import Jpeg
from temperance.evaluation.corruption.missing import Missing
from temperance.evaluation.corruption.noise import Noise
from temperance.evaluation.corruption.outliers import Outliers
from temperance.evaluation.corruption.pixel_noise import PixelNoise
from temperance.evaluation.corruption.pixelate import Pixelate
from temperance.evaluation.corruption.rotation import Rotation
from temperance.evaluation.corruption.rounding import Rounding
from temperance.evaluation.corruption.series import SERIES
from temperance.evaluation.corruption.shift import Shift
from temperance.evaluation.corruption.swap import Swap
from temperance.evaluation.corruption.typos import LostWords, Spelling, Typos
from temperance.evaluation.corruption.units import UnitError
from temperance.records.errors import SettingError, nearest

_FAMILIES: tuple[type[Corruption], ...] = (
    Noise,
    Missing,
    UnitError,
    Swap,
    Rounding,
    Outliers,
    MissingByColumn,
    MissingByValue,
    Stuck,
    SwappedColumns,
    UnknownCategory,
    WrongCategory,
    DateOffset,
    Typos,
    LostWords,
    Spelling,
    *SERIES,
    PixelNoise,
    Blur,
    Brightness,
    Contrast,
    Shift,
    Pixelate,
    Rotation,
    Jpeg,
)
CORRUPTIONS: dict[str, type[Corruption]] = {family.name: family for family in _FAMILIES}


def corruption(name: str) -> Corruption:
    """Return the family of this name.

    Raises:
        SettingError: unknown name.

    """
    if name not in CORRUPTIONS:
        raise SettingError(
            f"there is no corruption {name!r}", f"known are {', '.join(CORRUPTIONS)}", nearest(name, CORRUPTIONS)
        )
    return CORRUPTIONS[name]()


def families(reference: Reference, *, names: Sequence[str] | None = None, basic: bool = True) -> list[Corruption]:
    """Return the families to use: those named, else all that fit the data (of the quick suite, if ``basic``)."""
    if names is not None:
        return [family for family in map(corruption, names) if family.applies(reference)]
    every = (corruption(name) for name in CORRUPTIONS)
    return [family for family in every if family.applies(reference) and (family.basic or not basic)]

"""The cells: one regime on one data set, its rows cut for a seed; all fixed before the first run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from benchmarks.effects.problems import digit_images, images, scaled, table
from benchmarks.halves import half

from temperance.training.loop import Examples

Family = Literal["table", "sequence", "image", "transfer"]
TEST, FEW = 1000, 600  # most test rows; of images and sequences
OLD = 1500  # most rows of a transfer's first task

TABLES = {
    "tuned": ["attrition", "car", "kc1", "tokyo1", "cells", "spambase", "segmentation", "concrete"],
    "once": ["credit_g", "vehicle", "phoneme", "yeast", "sylvine", "wine_quality_red"],
}
LARGER = {
    "tuned": ["satimage", "covertype_15k", "adult", "california_housing"],
    "once": ["electricity_elec2", "jungle_chess", "bike_sharing_hour"],
}
NOISY = {"tuned": ["car", "cells", "segmentation", "spambase"], "once": ["vehicle", "phoneme", "sylvine"]}
SHIFTED = {
    "tuned": ["cells", "spambase", "concrete", "wine_quality_white"],
    "once": ["phoneme", "credit_g", "wine_quality_red"],
}


class Rows(NamedTuple):
    """Rows of one cell.

    Attributes:
        train: gradients come from them.
        held: stopping, choosing and controllers read them; labels as wrong as those of ``train``.
        test: labels are right.
        classes: 0 for numbers.
        old: a transfer's rows of the task before: (to train on, held out, to test on).

    """

    train: Examples
    held: Examples
    test: Examples
    classes: int
    old: tuple[Examples, Examples, Examples] | None = None

    @property
    def everything(self) -> Examples:
        """Training and held-out rows together."""
        return Examples(
            torch.cat([self.train.inputs, self.held.inputs]), torch.cat([self.train.targets, self.held.targets])
        )


@dataclass(frozen=True)
class Cell:
    """One regime on one data set.

    Attributes:
        regime: for the table.
        name: of the data set.
        family: which net and which strengths.
        read: gives inputs and answers, or None where the set is not there; for a transfer those of both tasks.
        most: most rows to train on and to hold out.
        share: of those rows that are used.
        wrong: share of their labels that is turned into another class.
        shifted: test on the quarter of the rows that lies farthest out along the first principal axis.

    """

    regime: str
    name: str
    family: Family
    read: Callable[[], Any]
    most: int = 800
    share: float = 1.0
    wrong: float = 0.0
    shifted: bool = False

    @property
    def half(self) -> str:
        """Return the half of the development sets (of the first set, where there are two)."""
        return half(self.name.split(" ")[0])

    def cut(self, seed: int) -> Rows | None:
        """Return the rows of this seed; a fifth of those that are not for the test is held out."""
        found = self.read()
        if found is None:
            return None
        if self.family == "transfer":
            (x, y), (new_x, new_y), classes = found
            old = replace(self, most=OLD)._split(x, y, classes, seed)
            new = self._split(new_x, new_y, classes, seed)
            return new._replace(old=old[:3])
        x, y = found
        return self._split(x, y, int(y.max()) + 1 if np.issubdtype(y.dtype, np.integer) else 0, seed)

    def _split(self, x: np.ndarray, y: np.ndarray, classes: int, seed: int) -> Rows:
        rng = np.random.default_rng(2000 + seed)
        order = rng.permutation(len(x))
        tested = TEST if self.family in ("table", "transfer") else FEW
        if self.shifted:
            order = order[np.argsort(_first_axis(x)[order], kind="stable")]
            cut = len(x) - len(x) // 4
            inner, outer = rng.permutation(order[:cut]), rng.permutation(order[cut:])
            known, test = inner[: self.most], outer[:tested]
        else:
            many = min(self.most, len(x) * 2 // 3)
            known, test = order[:many], order[many : many + tested]
        known = known[: max(60, round(len(known) * self.share))]
        held, train = known[: len(known) // 5], known[len(known) // 5 :]
        given = y.astype(np.int64 if classes else np.float64)
        if classes:
            off = known[rng.random(len(known)) < self.wrong]
            given[off] = (given[off] + rng.integers(1, classes, len(off))) % classes
        else:
            given = (given - given[train].mean()) / given[train].std()
        x = scaled(x, train) if x.ndim == 2 else x
        answers = torch.from_numpy(given)
        inputs = torch.from_numpy(np.ascontiguousarray(x)).float()
        cuts = [Examples(inputs[i], answers[i] if classes else answers[i].float()) for i in (train, held, test)]
        return Rows(cuts[0], cuts[1], cuts[2], classes)


def _first_axis(x: np.ndarray) -> np.ndarray:
    """Return each row's place along the first principal axis of the standardized columns."""
    z = scaled(x, np.arange(len(x)))
    _, axes = np.linalg.eigh(z.T @ z / len(z))
    axis = axes[:, -1] * np.sign(axes[np.abs(axes[:, -1]).argmax(), -1])
    return z @ axis


def cells(folder: Path, which: str) -> Iterator[Cell]:
    """Yield the cells of one half, a set of every regime in turn: a run that is cut short has seen all regimes."""
    turns: dict[str, list[Cell]] = {}
    for cell in _all(folder, which):
        turns.setdefault(cell.regime, []).append(cell)
    for place in zip_longest(*turns.values()):
        yield from (cell for cell in place if cell is not None)


def _all(folder: Path, which: str) -> Iterator[Cell]:
    for name in TABLES[which]:
        yield Cell("small tables", name, "table", table(folder, name))
    for name in LARGER[which]:
        read = table(folder, name)
        yield Cell("larger tables", name, "table", read, 6000)
        yield Cell("20 % of the rows", name, "table", read, 6000, 0.2)
        yield Cell("5 % of the rows", name, "table", read, 6000, 0.05)
    for name in NOISY[which]:
        for wrong in (0.2, 0.4, 0.6):  # at 0 % these are cells of "small tables"
            regime = f"{100 * wrong:.0f} % wrong labels"
            yield Cell(regime, name, "table", table(folder, name), wrong=wrong)
    for name in SHIFTED[which]:
        yield Cell("covariate shift", name, "table", table(folder, name), shifted=True)
    yield from (cell for cell in _pixels(folder) if cell.half == which)


def _pixels(folder: Path) -> Iterator[Cell]:
    fashion, letters, semeion = images(folder, "fashion_mnist", 2), images(folder, "notmnist_10k", 2), _semeion(folder)
    drawn = {"semeion": semeion, "fashion_mnist": fashion, "notmnist_10k": letters}
    drawn |= {"digits": digit_images}
    pairs = {"semeion → turned": _turned(semeion), "fashion_mnist → notmnist_10k": _two(fashion, letters)}
    pairs |= {"fashion_mnist 0-4 → 5-9": _classes(fashion), "notmnist_10k → fashion_mnist": _two(letters, fashion)}
    pairs |= {"semeion 0-4 → 5-9": _classes(semeion), "fashion_mnist → turned": _turned(fashion)}
    pairs |= {"digits → turned": _turned(digit_images), "digits 0-4 → 5-9": _classes(digit_images)}
    for name, pair in pairs.items():
        yield Cell("fine-tuning", name, "transfer", pair, 300)
    for name, read in drawn.items():
        yield Cell("images (small convnet)", name, "image", read, 500)
        yield Cell("images, 40 % wrong labels", name, "image", read, 500, wrong=0.4)
    lines = {name: _lines(drawn[name]) for name in ("semeion", "notmnist_10k", "digits")}
    for name, read in {**lines, "ts_italypowerdemand": _power(folder)}.items():
        yield Cell("sequences (small transformer)", name, "sequence", read, 500)


def _lines(read: Callable[[], Any]) -> Callable[[], Any]:
    """Each line of an image is one element of a sequence: (n, h, w)."""

    def change() -> Any:
        found = read()
        return None if found is None else (found[0][:, 0], found[1])

    return change


def _semeion(folder: Path) -> Callable[[], Any]:
    """Return semeion as images: (n, 1, 16, 16)."""
    read = table(folder, "semeion")

    def change() -> Any:
        found = read()
        return None if found is None else (found[0].reshape(-1, 1, 16, 16), found[1])

    return change


def _power(folder: Path) -> Callable[[], Any]:
    @cache
    def read() -> Any:
        place = folder / "ts_italypowerdemand" / "data.npz"
        if not place.exists():
            return None
        with np.load(place, allow_pickle=False) as kept:
            x = np.concatenate([kept["x_train"], kept["x_test"]])
            y = np.concatenate([kept["y_train"], kept["y_test"]])
        return np.swapaxes(x, 1, 2).astype(np.float64), np.unique(y, return_inverse=True)[1].astype(np.int64)

    return read


def _flat(x: np.ndarray) -> np.ndarray:
    flat: np.ndarray = x.reshape(len(x), -1, 1).astype(np.float64)  # three axes: not standardized column by column
    return flat / flat.max()


def _halves(read: Callable[[], Any]) -> Any:
    """Two tasks never share a row: the first gets the rows of even place."""
    found = read()
    return None if found is None else ((_flat(found[0])[::2], found[1][::2]), (_flat(found[0])[1::2], found[1][1::2]))


def _turned(read: Callable[[], Any]) -> Callable[[], Any]:
    """The same classes, each image turned by 90 degrees."""

    def pair() -> Any:
        found = _halves(read)
        if found is None:
            return None
        old, (x, y) = found
        side = round(x.shape[1] ** 0.5)
        return old, (np.rot90(x.reshape(-1, side, side), 1, (1, 2)).reshape(x.shape), y), 10

    return pair


def _two(first: Callable[[], Any], second: Callable[[], Any]) -> Callable[[], Any]:
    """Other images with other classes: outputs 10 to 19 are for them."""

    def pair() -> Any:
        found, other = first(), second()
        if found is None or other is None:
            return None
        return (_flat(found[0]), found[1]), (_flat(other[0]), other[1] + 10), 20

    return pair


def _classes(read: Callable[[], Any]) -> Callable[[], Any]:
    """Classes that were not there before."""

    def pair() -> Any:
        found = read()
        if found is None:
            return None
        x, y = found
        return (_flat(x)[y < 5], y[y < 5]), (_flat(x)[y >= 5], y[y >= 5]), 10

    return pair

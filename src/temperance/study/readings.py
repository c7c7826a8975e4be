"""Answers and weights of a folded run at several moments, kept on disk, and the mixture of them that loses least."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from temperance.evaluation import compare
from temperance.models.mixture import Pick
from temperance.study.mixture import WHOLE, Array, Evidence, entropy, nested, softened, weigh

MOST_PICKS = 3  # each ships one member per bank
WEIGHED_ROWS = 4000  # more rows hardly move the weights, and cost as much as the training
KEPT_PRIOR = 0.8  # share of the prior that lies on the best single reading


@dataclass(frozen=True, eq=False)
class Mixed:
    """What ships, and what it answers.

    Attributes:
        picks: with shares that sum to 1.
        selection: answers (b, c) or (b,) with weights found without the row's fold.
        calibration: answers with the weights that ship, softened to the sureness of the shipped net.
        attribution: one row per ingredient.

    """

    picks: list[Pick]
    selection: NDArray[Any]
    calibration: NDArray[Any]
    attribution: list[dict[str, Any]]


class Readings:
    """The readings of one run; memory holds one of them at a time.

    Args:
        folder: where answers and weights are kept meanwhile.
        truth: (b,) class codes or values of the rows that are read.
        folds: (b,) number of each row's fold.
        changed: per slot, whether its strengths differ from the recipe's.
        banks: members that the shipped net has for each pick.
        weight: (b,) weights of the rows; None: all count the same.

    """

    def __init__(
        self, folder: Path, truth: NDArray[Any], folds: NDArray[np.int64], changed: tuple[bool, ...], *, banks: int,
        weight: Array | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.truth, self.folds, self.changed, self.banks = folder, truth, folds, changed, banks
        self.weight = weight
        self.fractions: list[float] = []
        self.slots = 0

    def add(self, fraction: float, answers: NDArray[np.float32], state: dict[str, Tensor]) -> None:
        """Keep a reading: answers (b, slots, …) and the weights of that moment; one that is not finite is left out."""
        if not np.isfinite(answers).all():
            return
        number = len(self.fractions)
        np.save(self.folder / f"answers_{number}.npy", answers)
        save_file({n: t.detach().cpu().contiguous().clone() for n, t in state.items()}, self._weights(number))
        self.fractions.append(fraction)
        self.slots = answers.shape[1]

    def state(self, reading: int) -> dict[str, Tensor]:
        """Return the weights at a reading."""
        return load_file(self._weights(reading))

    def clear(self) -> None:
        """Delete what was kept on disk."""
        for number in range(len(self.fractions)):
            self._weights(number).unlink(missing_ok=True)
            (self.folder / f"answers_{number}.npy").unlink(missing_ok=True)

    def mixture(self, task: str) -> Mixed:
        """Weigh the (reading, slot) pairs and return what ships."""
        evidence = self._evidence()
        rows = np.sort(np.random.default_rng(0).permutation(len(self.truth))[:WEIGHED_ROWS])
        part, present = evidence.part(rows), np.unique(self.folds[rows])
        reading_of = np.array([reading for reading, _ in self._order])
        prior = partial(prior_of, groups=reading_of)
        shares = weigh(part, prior(part), most=MOST_PICKS)
        by_fold = nested(part, prior, np.searchsorted(present, self.folds[rows]), most=MOST_PICKS)
        picks = [Pick(*self._order[i], float(shares[i])) for i in np.flatnonzero(shares)]
        selection = self._mixed({int(fold): by_fold[i] for i, fold in enumerate(present)}, otherwise=shares)
        calibration = self._mixed({}, otherwise=shares)
        if task != "regression":
            calibration = softened(calibration, *self._sureness(shares), copies=self.banks)
        return Mixed(picks, selection, calibration, self._attribution(part, self.folds[rows], reading_of, task))

    # -- parts ----------------------------------------------------------------------------------------------------

    def _weights(self, number: int) -> Path:
        return self.folder / f"weights_{number}.safetensors"

    def _answers(self, number: int) -> NDArray[np.float32]:
        return np.asarray(np.load(self.folder / f"answers_{number}.npy", mmap_mode="r", allow_pickle=False))

    @property
    def _order(self) -> list[tuple[int, int]]:
        """The (reading, slot) of each candidate."""
        return [(reading, slot) for reading in range(len(self.fractions)) for slot in range(self.slots)]

    def _evidence(self) -> Evidence:
        found = []
        for reading in range(len(self.fractions)):
            answers = self._answers(reading)
            found.append(Evidence.of([answers[:, slot] for slot in range(self.slots)], self.truth, self.weight))
        return Evidence(np.concatenate([one.values for one in found]), found[0].target, found[0].weight)

    def _mixed(self, shares: dict[int, Array], *, otherwise: Array) -> NDArray[Any]:
        """Return Σ w · answers, each row with the weights of its fold."""
        first = self._answers(0)
        total = np.zeros((len(first), *first.shape[2:]))
        for reading in range(len(self.fractions)):
            answers, place = self._answers(reading), slice(reading * self.slots, (reading + 1) * self.slots)
            for fold in np.unique(self.folds):
                own = shares.get(int(fold), otherwise)[place]
                if own.any():
                    rows = self.folds == fold
                    total[rows] += np.einsum("bs...,s->b...", answers[rows].astype(np.float64), own)
        return total / total.sum(axis=1, keepdims=True) if total.ndim == 2 else total

    def _sureness(self, shares: Array) -> tuple[float, float]:
        """Return (mean entropy of the picks by themselves, how many equal picks the shares amount to)."""
        alone = 0.0
        for i in np.flatnonzero(shares):
            reading, slot = self._order[i]
            alone += float(shares[i]) * entropy(self._answers(reading)[:, slot].astype(np.float64))
        return alone, float(1 / np.square(shares).sum())

    def _attribution(
        self, evidence: Evidence, folds: NDArray[np.int64], reading_of: NDArray[np.int64], task: str
    ) -> list[dict[str, Any]]:
        """Return what the mixture loses when an ingredient is left out, by weights found without the row's fold."""
        changed = np.array([self.changed[slot] for _, slot in self._order])
        kept = {
            "stopping early and averaging several moments": reading_of == reading_of.max(),
            WHOLE: changed, "nets with other strengths beside them": ~changed,
        }  # fmt: skip
        whole = _nested_losses(evidence, folds, reading_of, np.ones(len(reading_of), dtype=bool))
        without = {
            name: _nested_losses(evidence, folds, reading_of, chosen)
            for name, chosen in kept.items() if chosen.any() and not chosen.all()
        }  # fmt: skip
        prior = prior_of(evidence, groups=reading_of)
        best = reading_of == reading_of[int(np.argmax(prior))]
        without["weighing the nets by their held-out answers"] = evidence.losses(best / best.sum())
        metric = "rmse" if task == "regression" else "log_loss"
        found = {name: compare(whole, losses, metric=metric) for name, losses in without.items()}
        return [
            {"ingredient": name, "metric": metric, "difference": one.difference.to_dict(), "p": one.p,
             "verdict": one.verdict}
            for name, one in found.items()
        ]  # fmt: skip


def prior_of(evidence: Evidence, *, groups: NDArray[np.int64]) -> Array:
    """Return the mixture to fall back on, (m,): all candidates of the best group alike, and a little of all others.

    Args:
        evidence: answers on held-out rows.
        groups: (m,) number of the group (the reading) of each candidate.

    """
    numbers = np.unique(groups)
    alike = [np.where(groups == g, 1.0, 0.0) / (groups == g).sum() for g in numbers]
    best = alike[int(np.argmin([evidence.loss(shares) for shares in alike]))]
    return np.asarray(KEPT_PRIOR * best + (1 - KEPT_PRIOR) / len(groups))


def _nested_losses(
    evidence: Evidence, folds: NDArray[np.int64], groups: NDArray[np.int64], kept: NDArray[np.bool_]
) -> Array:
    part = Evidence(evidence.values[kept], evidence.target, evidence.weight)
    number = np.unique(folds, return_inverse=True)[1]
    by_fold = nested(part, partial(prior_of, groups=groups[kept]), number, most=MOST_PICKS)
    losses = np.empty(len(folds))
    for fold, shares in enumerate(by_fold):
        losses[number == fold] = part.part(number == fold).losses(shares)
    return losses

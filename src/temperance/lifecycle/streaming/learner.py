"""Train once, without a budget: a folded run beside simple models, weighed out of fold, with a reference of its own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from temperance.data import save_roles
from temperance.data.roles import split
from temperance.monitoring import reference
from temperance.monitoring.reference import Arrays
from temperance.records.schema import Rows, Schema
from temperance.records.table import Table
from temperance.study.basics import WIDE, has_wide
from temperance.study.ensemble import blend, mixed
from temperance.study.parts import NONE, Part, basic_part, folded_part
from temperance.study.plan import can_fold
from temperance.study.runner import Runner
from temperance.study.store import save_table
from temperance.training.predictor import NetPredictor

SIMPLE = ("Linear", "Boosting")
FEWEST_OF_A_CLASS = 3  # fewer cannot be spread over folds


@dataclass(frozen=True, eq=False)
class Learned:
    """A trained mixture whose members can be asked one by one.

    Attributes:
        schema: columns and target.
        parts: (predictor, its share) of each candidate that was given a share.
        reference: arrays of ``monitoring.reference.build`` on rows out of fold.
        seconds: wall clock of the training.
        rows: it was trained on.

    """

    schema: Schema
    parts: tuple[tuple[Any, float], ...]
    reference: Arrays
    seconds: float
    rows: int

    def members(self, rows: Rows) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return the answers of every member, (b, k, c) or (b, k), and their shares (k,), which sum to 1."""
        answers, shares = [], []
        for predictor, share in self.parts:
            if isinstance(predictor, NetPredictor):
                each = predictor.members(rows)
                own = np.array(predictor.member_shares(each.shape[1]))
            else:
                each, own = np.asarray(predictor.predict(rows))[:, None], np.ones(1)
            answers.append(each)
            shares.append(share * own / own.sum())
        return np.concatenate(answers, axis=1), np.concatenate(shares)

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,)."""
        members, shares = self.members(rows)
        return np.tensordot(members, shares, axes=(1, 0))


def learn(table: Table, *, seed: int = 0, net: bool = True, device: str = "cpu") -> Learned:
    """Train on all rows of ``table``; their order in time is not used within the training.

    Args:
        table: labelled rows.
        seed: of weights, order, noise and folds.
        net: train the folded run beside the simple models.
        device: where the net is trained.

    Raises:
        DataError: too few rows.

    """
    began = time.monotonic()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the same seed gives the same weights
    try:
        with tempfile.TemporaryDirectory(prefix="temperance-stream-") as scratch:
            parts, roles = _parts(replace(table, time=None, group=None), Path(scratch), seed, net, device)
    finally:
        torch.set_num_threads(threads)
    truth = np.asarray(table.target)[roles.judged]
    shares = blend([part.answer for part in parts], truth, roles.parts).shares
    held = roles.judged if roles.folds else roles.calibration
    answers = mixed([part.held for part in parts], shares)
    arrays = reference.build(
        table.rows.take(held), answers, table.schema, target=np.asarray(table.target)[held], seed=seed
    )
    chosen = tuple((part.predictor, float(w)) for part, w in zip(parts, shares, strict=True) if w > 0)
    return Learned(table.schema, chosen, arrays, time.monotonic() - began, len(table))


def _parts(table: Table, scratch: Path, seed: int, net: bool, device: str) -> tuple[list[Part], Any]:
    roles = split(table, seed=seed, test=table.take(NONE))
    save_table(table, scratch / "table")
    save_roles(roles, scratch / "roles.npz")
    import temperance.regularizers
    import temperance.signals  # noqa: F401  # both fill their registries

    runner = Runner(scratch, device=device)
    parts = [folded_part(runner, seed=seed)] if net and can_fold("Tabular", roles) and _spread(table) else []
    beside: Sequence[str] = (*SIMPLE, *(WIDE if has_wide(table.schema) else ()))
    return [*parts, *(basic_part(runner, name, f"t{i:03d}", seed=seed) for i, name in enumerate(beside, 1))], roles


def _spread(table: Table) -> bool:
    """Return whether every class that occurs can be in several folds."""
    if table.schema.target.task == "regression":
        return True
    return int(np.unique(table.target, return_counts=True)[1].min()) >= FEWEST_OF_A_CLASS

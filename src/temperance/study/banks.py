"""Out-of-fold predictions of the tabular net from one training instead of one per fold."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from temperance.core.batch import call
from temperance.core.recipe import Recipe
from temperance.models import combine, loss_for
from temperance.models.folds import fold_targets, out_of_fold
from temperance.records.roles import Roles
from temperance.study.bench import Bench, Fitted, Index
from temperance.study.plan import covered_once
from temperance.study.spec import TrialSpec
from temperance.training.loop import train
from temperance.training.predictor import NetPredictor, examples
from temperance.training.price import net_cost
from temperance.training.settings import TrainSettings

MEMBERS_PER_FOLD = 4


@dataclass(frozen=True, eq=False)
class Banked:
    """A training of all folds at once: the fitted net and its out-of-fold predictions for every row of the table."""

    fitted: Fitted
    prediction: NDArray[Any]


def is_banked(spec: TrialSpec, roles: Roles) -> bool:
    """Return whether the trial can train all folds at once: our tabular net, each row held out exactly once."""
    return spec.model == "Tabular" and spec.teacher is None and bool(roles.folds) and covered_once(roles)


def as_trained(bench: Bench, spec: TrialSpec) -> tuple[TrialSpec, Index]:
    """Return the spec and the rows of one training as a trial does it, for measuring its pace."""
    roles = bench.roles
    if is_banked(spec, roles):
        return with_banks(spec, len(roles.folds)), development(roles)
    return spec, roles.folds[0][0] if roles.folds else roles.train


def with_banks(spec: TrialSpec, folds: int) -> TrialSpec:
    """Return the spec with one bank of members per fold."""
    banks = {"banks": folds, "members": MEMBERS_PER_FOLD * folds}
    return spec.changed(architecture={**spec.architecture, **banks})


def development(roles: Roles) -> Index:
    """Return all rows that some fold holds out."""
    return np.sort(np.concatenate([held for _, held in roles.folds]))


def fit_all_folds(
    bench: Bench, spec: TrialSpec, *, marks: tuple[float, ...], tick: Any, deadline: float = math.inf
) -> Banked:
    """Train one bank of members per fold; each leaves out the answers of its own fold.

    The preprocessing and the edges are those of all development rows (inputs only): medians and quantiles, no answers.

    Args:
        bench: the data.
        spec: a trial of the tabular net.
        marks: fractions at which ``tick(fraction, out-of-fold predictions)`` is asked whether to go on.
        tick: see ``marks``.
        deadline: ``time.monotonic()`` at which it ends unfinished.

    """
    rows, task = development(bench.roles), bench.schema.target.task
    folds = torch.from_numpy(_fold_of(bench.roles, rows))
    preprocess = bench.preprocess(rows)
    net = bench.net(with_banks(spec, len(bench.roles.folds)), preprocess, rows).model.to(bench.device)
    plain = examples(preprocess, bench.table, rows, bench.device)
    banked = replace(plain, targets=fold_targets(plain.targets, folds.to(bench.device), net.bank_of))

    def answers() -> NDArray[Any]:
        net.eval()
        parts = []
        with torch.no_grad():
            for batch in plain.batches():
                chosen = folds[batch.index.cpu()].to(bench.device)  # type: ignore[union-attr]
                outputs = out_of_fold(call(net, batch.inputs), chosen, net.bank_of)
                parts.append(combine(outputs.double(), task=task).cpu().numpy())
        found = np.concatenate(parts)
        found = preprocess.unscale_target(found) if task == "regression" else found
        full = np.full((len(bench.table), *found.shape[1:]), np.nan)
        full[rows] = found
        return full

    def asked(fraction: float, session: Any) -> bool:
        with session.solo.at(session.served):
            answer = bool(tick(fraction, answers()))
        session.model.train()
        return answer

    started = time.monotonic()
    trained = train(
        net, banked, loss=loss_for(task), recipe=Recipe.from_dict(spec.recipe or {}),
        settings=TrainSettings.from_dict(spec.settings), seed=spec.seed, marks=marks, tick=asked, deadline=deadline,
        until=spec.until,
    )  # fmt: skip
    one = examples(preprocess, bench.table, rows[:1], bench.device).inputs
    served = bench.net(spec, preprocess, rows).model
    cost = net_cost(served, one, seconds=time.monotonic() - started, passes=trained.passes)
    predictor = NetPredictor(bench.schema, preprocess, served, bench.device)
    return Banked(Fitted(spec, predictor, cost, trained), answers())


def _fold_of(roles: Roles, rows: Index) -> NDArray[np.int64]:
    number = np.full(int(rows.max()) + 1, -1, dtype=np.int64)
    for fold, (_, held) in enumerate(roles.folds):
        number[held] = fold
    return number[rows]

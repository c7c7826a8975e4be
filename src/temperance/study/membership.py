"""Does the winner give away which rows it learned from? The loss attack, and where it is a folded run its own banks.

Each bank of a folded run left out a fold, so for each learned row there is one net that did not learn it: a reference
without a training of its own. Rows of the test were left out by every bank; each gets one bank, drawn by the seed. So
rows of both kinds have one reference that did not learn them, and nothing but membership sets them apart.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.prediction import predict
from temperance.evaluation.privacy import attacks
from temperance.evaluation.privacy.leakage import Leakage, leakage
from temperance.evaluation.privacy.signals import chances, margins, residuals
from temperance.models.tabular import TabularNet
from temperance.records.roles import sample
from temperance.study import folded
from temperance.study.plan import has_banks
from temperance.study.runner import Fitted, Index, Runner
from temperance.training.predictor import NetPredictor

ROWS = 4000  # of each kind at most
LEAST = 30  # rows of each kind
Array = NDArray[np.float64]


def membership(
    runner: Runner, members: Sequence[Fitted], predictor: Any, learned: Index, *, seed: int,
    weights: Sequence[float] = (1.0,), budget_seconds: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return what attacks on membership achieve against the model that ships, JSON-safe.

    Args:
        runner: the data.
        members: the trials that it is made of.
        predictor: the model as it ships.
        learned: rows that every member learned.
        weights: shares of the members; their answers are averaged.
        seed: of the rows that are drawn, and of the bank of each test row.
        budget_seconds: time; what does not fit is said to be left out.

    """
    started = time.monotonic()
    inner = sample(np.sort(learned), ROWS, seed=seed)
    outer = sample(np.sort(runner.roles.test), ROWS, seed=seed)
    row: dict[str, Any] = {"attacks": [], "not_done": [], "flags": _flags(runner), "seed": seed}
    if min(len(inner), len(outer)) < LEAST:
        why = f"{len(inner)} learned and {len(outer)} other rows; it takes {LEAST} of each"
        return {**row, "not_done": [{"what": "membership", "why": why}]}
    inside = np.arange(len(inner) + len(outer)) < len(inner)
    truth = np.concatenate([runner.table.target[inner], runner.test_table.target[outer]])
    answers = _both(runner, predictor, inner, outer)
    found = [leakage("loss", _signal(runner, answers, truth), inside)]
    took = time.monotonic() - started
    nets, why = _reference_nets(runner, members)
    if nets and budget_seconds is not None and 3 * took > budget_seconds:  # each row is answered twice more
        nets, why = [], "no time left"
    if not nets:
        row["not_done"].append({"what": "attacks with reference models", "why": why})
    else:
        found += _with_banks(runner, list(zip(weights, nets, strict=True)), inner, outer, truth, inside, seed)
    row["attacks"] = [one.to_dict() for one in found]
    return {**row, "seconds": round(time.monotonic() - started, 4)}


def _with_banks(
    runner: Runner, nets: list[tuple[float, NetPredictor]], inner: Index, outer: Index, truth: NDArray[Any],
    inside: NDArray[np.bool_], seed: int,
) -> list[Leakage]:  # fmt: skip
    """Attack with the bank that left out each row's fold as its reference."""
    banks = len(runner.roles.folds)
    position = np.searchsorted(runner.roles.development, inner)
    left_out = runner.roles.parts[position]
    drawn = np.random.default_rng(seed).integers(0, banks, len(outer))
    own = np.concatenate([left_out, drawn])
    target = np.sum([w * _both(runner, net, inner, outer) for w, net in nets], axis=0)
    reference = np.empty_like(target)
    for bank in range(banks):
        chosen = np.flatnonzero(own == bank)
        first, second = chosen[chosen < len(inner)], chosen[chosen >= len(inner)] - len(inner)
        if len(chosen):
            ones = [(w, folded.of_one_bank(net, bank)) for w, net in nets]
            parts = [w * _both(runner, one, inner[first], outer[second]) for w, one in ones]
            reference[chosen] = np.sum(parts, axis=0)
    no_one = np.zeros((1, len(truth)), dtype=bool)
    phi, other = (_signal(runner, a, truth) for a in (target, reference))
    found = [leakage("lira", attacks.lira(phi, other[None], no_one), inside)]
    if target.ndim == 2:
        stated, others = (chances(a, truth) for a in (target, reference))
        found.append(leakage("rmia", attacks.rmia(stated, others[None], no_one), inside))
    return found


def _reference_nets(runner: Runner, members: Sequence[Fitted]) -> tuple[list[NetPredictor], str]:
    """Return the nets whose banks are references; none, and why, where a member has no bank for each fold."""
    if not has_banks(runner.roles) or any(one.spec.kind != "folded" for one in members):
        return [], "only folded runs over folds hold nets that did not learn a row, and not all that ships is one"
    for one in members:
        net = cast(TabularNet, one.predictor.model)
        shares = one.predictor.shares or net.shares or (1.0,) * net.members
        if len({b for b, s in zip(net.bank_of, shares, strict=True) if s > 0}) != len(runner.roles.folds):
            return [], "what ships does not hold every bank"
    return [one.predictor for one in members], ""


def _both(runner: Runner, predictor: Any, inner: Index, outer: Index) -> Array:
    parts = [predict(predictor, table, rows) for table, rows in ((runner.table, inner), (runner.test_table, outer))
             if len(rows)]  # fmt: skip
    return np.concatenate(parts)


def _signal(runner: Runner, answers: Array, truth: NDArray[Any]) -> Array:
    return residuals(answers, truth) if runner.schema.target.task == "regression" else margins(answers, truth)


def _flags(runner: Runner) -> list[str]:
    """Say where test rows differ from learned ones by more than membership."""
    table, flags = runner.table, []
    if table.time is not None or table.group is not None or runner.roles.test_is_separate:
        flags.append("test rows are of another time, group or file: that alone may set them apart from learned ones")
    return flags

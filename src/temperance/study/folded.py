"""The folded run: one training of banks × slots, read out of fold as it goes, whose best moments ship as one net.

A bank leaves out one fold, a slot has strengths of its own. Every row is answered by members that never saw its answer,
at several moments (readings) of the training. What ships is a weighted handful of (slot, reading) pairs, each with its
member in every bank: stopped, averaged and weighed on held-out answers, without a refit. Where the rows are many, there
is one bank, and the readings are of the selection rows.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from temperance.core.batch import call
from temperance.core.recipe import Recipe
from temperance.data import Preprocess
from temperance.models import build, combine, loss_for
from temperance.models.folds import fold_scales, fold_targets, out_of_fold, scale_targets
from temperance.models.mixture import Pick, gather, rescaled, settings
from temperance.models.tabular import Tabular, TabularNet
from temperance.records.atomic import write_text
from temperance.records.roles import Roles
from temperance.study.plan import can_fold, has_banks
from temperance.study.readings import Readings
from temperance.study.runner import Fitted, Index, Runner
from temperance.study.spec import TrialSpec
from temperance.training.loop import Examples, train
from temperance.training.predictor import NetPredictor, examples
from temperance.training.price import net_cost
from temperance.training.settings import TrainSettings

READINGS = 8
SLOTS = 2  # a smooth and a sharp one; what the run costs beside one training: benchmarks/records/one_run.md


@dataclass(frozen=True, eq=False)
class Folded:
    """A finished folded run.

    Attributes:
        fitted: the net that ships.
        selection: answers for the rows of the table, NaN where none: each by members that did not train on the row,
            with weights found without its fold.
        calibration: the same with the weights that ship, as sure of themselves as the shipped net is.
        attribution: what each ingredient of the mixture is worth on these rows.
        readings: fractions of the training at which answers were read.
        picks: (fraction, slot, share) of what ships.

    """

    fitted: Fitted
    selection: NDArray[Any]
    calibration: NDArray[Any]
    attribution: list[dict[str, Any]]
    readings: tuple[float, ...]
    picks: list[dict[str, Any]]


def rows_of(roles: Roles) -> Index:
    """Return the rows that a folded run trains on."""
    return roles.development if has_banks(roles) else roles.train


def with_banks(spec: TrialSpec, roles: Roles) -> TrialSpec:
    """Return the spec with one bank per fold and a member per slot and bank."""
    banks = len(roles.folds) if has_banks(roles) else 1
    count = max(2, 2 * math.ceil(len(spec.slots or range(SLOTS)) / 2))
    return spec.changed(architecture={**spec.architecture, "banks": banks, "members": banks * count})


def as_trained(runner: Runner, spec: TrialSpec) -> tuple[TrialSpec, Index]:
    """Return the spec and the rows of one training as a trial does it, for measuring its pace."""
    roles = runner.roles
    if can_fold(spec.model, roles):
        return with_banks(spec, roles), rows_of(roles)
    return spec, roles.folds[0][0] if roles.folds else roles.train


def run(runner: Runner, spec: TrialSpec, folder: Path, *, tick: Any = None, deadline: float = math.inf) -> Folded:
    """Run it; the shipped net is left in ``folder`` as ``net.json`` and ``net.safetensors``.

    Args:
        runner: the data.
        spec: a trial of the tabular net; ``slots`` are strengths by address that differ per slot.
        folder: of the trial.
        tick: ``tick(fraction, answers for the rows of the table)`` is asked at a quarter and at half whether to go on;
            one that does not ends with the readings that it has.
        deadline: ``time.monotonic()`` at which it ends in the same way.

    """
    course = _Course(runner, with_banks(spec, runner.roles), folder)
    started = time.monotonic()
    trained = train(
        course.net,
        course.targets(),
        loss=loss_for(runner.schema.target.task, **runner.schema.target.reading),
        recipe=Recipe.from_dict(spec.recipe or {}),
        settings=course.settings,
        seed=spec.seed,
        marks=tuple((i + 1) / READINGS for i in range(READINGS)),
        tick=course.asked(tick),
        deadline=deadline,
        until=spec.until,
        member_strengths=course.strengths(),
    )
    if not course.readings.fractions:
        return Folded(Fitted(spec, None, _cost(course, trained, started), trained), *_nothing(runner), [], (), [])
    mixed = course.readings.mixture(runner.schema.target.task)
    predictor = course.ship(mixed.picks)
    fitted = Fitted(spec, predictor, _cost(course, trained, started, predictor.model), trained)
    course.readings.clear()
    picks = [{"fraction": course.readings.fractions[p.reading], "slot": p.slot, "share": p.share} for p in mixed.picks]
    return Folded(
        fitted, course.spread(mixed.selection), course.spread(mixed.calibration), mixed.attribution,
        tuple(course.readings.fractions), picks,
    )  # fmt: skip


def open_shipped(runner: Runner, spec: TrialSpec) -> NetPredictor:
    """Open the net that a folded run left in its trial's folder."""
    folder, rows = runner.folder / "trials" / spec.id, rows_of(runner.roles)
    kept = json.loads((folder / "net.json").read_text(encoding="utf-8"))
    preprocess = runner.preprocess(rows)
    net = build("Tabular", runner.info(preprocess, rows), spec.seed, **kept)
    net.load_state_dict(load_file(folder / "net.safetensors"))
    return NetPredictor(runner.schema, preprocess, net.to(runner.device).eval(), runner.device)


def of_one_bank(predictor: NetPredictor, bank: int) -> NetPredictor:
    """Return the predictor with the members of one bank alone: those that left out its fold."""
    net = cast(TabularNet, predictor.model)
    shares = net.shares or (1.0 / net.members,) * net.members
    own = [share if b == bank else 0.0 for share, b in zip(shares, net.bank_of, strict=True)]
    return replace(predictor, shares=tuple(share / sum(own) for share in own))


class _Course:
    """One run: the net, its rows, what is read."""

    def __init__(self, runner: Runner, spec: TrialSpec, folder: Path) -> None:
        self.runner, self.spec, self.folder = runner, spec, folder
        roles, self.rows = runner.roles, rows_of(runner.roles)
        self.banked = has_banks(roles)
        self.preprocess: Preprocess = runner.preprocess(self.rows)
        self.info = runner.info(self.preprocess, self.rows)
        self.net: TabularNet = runner.net(spec, self.preprocess, self.rows).model.to(runner.device)
        self.held = self.rows if self.banked else roles.selection
        self.plain = examples(self.preprocess, runner.table, self.rows, runner.device)
        self.read = self.plain if self.banked else examples(self.preprocess, runner.table, self.held, runner.device)
        self.folds = torch.from_numpy(roles.parts) if self.banked else None
        self.scales = self._scales()
        plan = TrainSettings.from_dict(spec.settings)
        banks = len(roles.folds) if self.banked else 1
        # as many steps as one training on the rows of one bank
        self.settings = replace(plan, epochs=plan.epochs * (banks - 1) / banks) if banks > 1 else plan
        truth = np.asarray(runner.table.target[self.held])
        changed = tuple(bool(one) for one in self._slots())
        weight = None if runner.table.weight is None else runner.table.weight[self.held]
        self.readings = Readings(folder, truth, roles.parts, changed, banks=banks, weight=weight)

    def _slots(self) -> tuple[dict[str, float], ...]:
        return self.spec.slots or ({},) * (max(self.net.slot_of) + 1)

    def _scales(self) -> tuple[torch.Tensor, torch.Tensor] | None:
        if self.runner.schema.target.task != "regression" or self.folds is None or self.runner.schema.target.counts:
            return None
        return fold_scales(self.plain.targets, self.folds.to(self.runner.device), max(self.net.bank_of) + 1)

    def targets(self) -> Examples:
        """Return the training rows; with banks, targets per member that leave out the own fold."""
        if self.folds is None:
            return self.plain
        targets = self.plain.targets
        if self.scales is not None:
            targets = scale_targets(targets, self.net.bank_of, *self.scales)
        wanted = fold_targets(targets, self.folds.to(targets.device), self.net.bank_of)
        return replace(self.plain, targets=wanted)

    def strengths(self) -> dict[str, list[float]] | None:
        """Return the members' strengths by address: the recipe's where a slot says nothing."""
        recipe, slots = Recipe.from_dict(self.spec.recipe or {}), self._slots()
        found = {}
        for address in dict.fromkeys(a for slot in slots for a in slot):
            owner, name = address.rsplit(".", 1)
            usual = float(getattr(recipe.by_address[owner], name))
            found[address] = [slots[s].get(address, usual) if s < len(slots) else usual for s in self.net.slot_of]
        return found or None

    def asked(self, tick: Any) -> Any:
        """Return what the training calls at each mark: read, and ask whether to go on."""

        def at(fraction: float, session: Any) -> bool:
            with session.served_weights():
                answers = self.answers()
                self.readings.add(fraction, answers, self.net.state_dict())
            session.model.train()
            if tick is None or not any(abs(fraction - mark) < 0.5 / READINGS for mark in (0.25, 0.5)):
                return True
            return bool(tick(fraction, self.spread(answers.mean(axis=1))))

        return at

    def answers(self) -> NDArray[np.float32]:
        """Return what every slot says of the held-out rows, (b, slots, c) or (b, slots)."""
        self.net.eval()
        target, parts = self.runner.schema.target, []
        task, counts = target.task, target.counts
        with torch.no_grad():
            for batch in self.read.batches():
                outputs = call(self.net, batch.inputs)
                if self.scales is not None:
                    bank = torch.tensor(self.net.bank_of, device=outputs.device)
                    mean, sd = (s.to(outputs)[bank].view(1, -1, 1) for s in self.scales)
                    outputs = outputs * sd + mean
                if self.folds is not None:
                    outputs = out_of_fold(outputs, self.folds[batch.index.cpu()].to(outputs.device), self.net.bank_of)  # type: ignore[union-attr]
                by_slot = outputs.double().transpose(0, 1)
                parts.append(torch.stack([combine(one, task=task, counts=counts) for one in by_slot], 1).cpu().numpy())
        found = np.concatenate(parts)
        found = self.preprocess.unscale_target(found) if task == "regression" else found
        return found.astype(np.float32)

    def spread(self, answers: NDArray[Any]) -> NDArray[Any]:
        """Return answers for the held-out rows as an array over the table (folds), or as they are."""
        if not self.banked:
            return answers
        full = np.full((len(self.runner.table), *answers.shape[1:]), np.nan)
        full[self.held] = answers
        return full

    def ship(self, picks: list[Pick]) -> NetPredictor:
        """Build the net of the picks and leave it in the folder."""
        states = {reading: self.readings.state(reading) for reading in {pick.reading for pick in picks}}
        names = [name for name, _ in _architecture(self.net, self.spec, self.info)]
        sizes = {name: value for name, value in {**self.runner.size(self.spec), **self.spec.architecture}.items()
                 if name not in ("members", "views", "banks")}  # fmt: skip
        kept = {**sizes, **settings(self.net, names, picks)}
        net = cast(TabularNet, build("Tabular", self.info, self.spec.seed, **kept))
        weights = gather(self.net, states, picks)
        if self.scales is not None:
            weights = rescaled(weights, net, *(scale.cpu() for scale in self.scales))
        net.load_state_dict(weights)
        save_file({name: tensor.contiguous() for name, tensor in weights.items()}, self.folder / "net.safetensors")
        write_text(self.folder / "net.json", json.dumps(kept))
        return NetPredictor(self.runner.schema, self.preprocess, net.to(self.runner.device).eval(), self.runner.device)


def _architecture(net: TabularNet, spec: TrialSpec, info: Any) -> tuple[tuple[str, int], ...]:
    made = {k: v for k, v in spec.architecture.items() if k in ("views", "banks", "members", "parts")}
    return Tabular(**{"members": net.members, **made}).parts_for(info)


def _cost(course: _Course, trained: Any, started: float, net: Any = None) -> Any:
    one = examples(course.preprocess, course.runner.table, course.rows[:1], course.runner.device).inputs
    seconds = time.monotonic() - started
    return net_cost(net or course.net, one, seconds=seconds, passes=trained.passes, measure=net is not None)


def _nothing(runner: Runner) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.empty(0), np.empty(0)

"""What a worker runs trials with: the data of a study, and models fitted on parts of it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import temperance.regularizers
import temperance.signals  # noqa: F401  # both fill their registries
from temperance.control.base import Move
from temperance.control.replay import from_traces
from temperance.core.recipe import Recipe
from temperance.data import Preprocess, load_roles
from temperance.data.blocks import Blocks, fit_blocks
from temperance.data.blocks.vocabulary import MEMORY
from temperance.data.preprocess import column_names
from temperance.models import BASIC, ModelInfo, build, loss_for
from temperance.models.basic import Sample
from temperance.models.defaults import size_for
from temperance.models.edges import bin_edges
from temperance.models.loss import poisson_loss
from temperance.records.cost import TrialCost
from temperance.records.errors import TaskError
from temperance.records.roles import Roles
from temperance.records.schema import Rows, Schema
from temperance.records.table import Table
from temperance.study.distill import lessons
from temperance.study.spec import TrialSpec
from temperance.study.store import load_table
from temperance.study.task import Task, TaskInfo, load_task, make_task
from temperance.training.loop import Tick, Trained, train
from temperance.training.predictor import NetPredictor, examples
from temperance.training.price import net_cost, peak_memory_bytes
from temperance.training.settings import TrainSettings

Index = NDArray[np.int64]
LATENCY_ROWS = 256
EDGE_ROWS = 100_000
PIECES_HELD = 2**23  # of texts that were counted, 8 bytes each


@dataclass(frozen=True, eq=False)
class BasicPredictor:
    """A fitted basic model as a ``Predictor``."""

    schema: Schema
    fitted: Any

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,)."""
        answer: NDArray[Any] = self.fitted.predict(rows)
        return answer


@dataclass(eq=False)
class Fitted:
    """A fitted model: what predicts, what it cost, how its training went (nets), why it has no bundle (or empty)."""

    spec: TrialSpec
    predictor: Any
    cost: TrialCost
    trained: Trained | None = None
    chosen: dict[str, Any] | None = None
    cannot_export: str = ""


class Runner:
    """Opens a study folder; every ``fit`` is a function of the spec, the rows and nothing else.

    Args:
        folder: the study's ``work`` folder with ``table/``, ``roles.npz`` and perhaps ``test/``.
        task: ``module:function`` of a user's net, or empty.
        device: where nets are trained.

    """

    def __init__(self, folder: Path, *, task: str = "", device: str = "cpu") -> None:
        self.folder, self.device = folder, torch.device(device)
        self.table: Table = load_table(folder / "table")
        self.test_table: Table = load_table(folder / "test") if (folder / "test").exists() else self.table
        self.roles: Roles = load_roles(folder / "roles.npz")
        self.make = load_task(task) if task else None
        self._preprocess: dict[bytes, Preprocess] = {}
        self._blocks: dict[bytes, Blocks] = {}
        MEMORY.limit = PIECES_HELD

    @property
    def schema(self) -> Schema:
        """Columns and target."""
        return self.table.schema

    def preprocess(self, index: Index) -> Preprocess:
        """Return the preprocessing fitted on these rows; remembered."""
        key = _key(index)
        if key not in self._preprocess:
            if len(self._preprocess) > 12:
                self._preprocess.clear()
            blocks = self.blocks(index)
            self._preprocess[key] = Preprocess.fit(self.table, index, blocks=() if blocks is None else blocks.blocks)
        return self._preprocess[key]

    def blocks(self, index: Index) -> Blocks | None:
        """Return what turns texts and series into numbers, fitted on these rows; remembered. None: there are none."""
        if not (self.schema.text or self.schema.series):
            return None
        key = _key(index)
        if key not in self._blocks:
            if len(self._blocks) > 12:
                self._blocks.clear()
            self._blocks[key] = Blocks(fit_blocks(self.table.rows.take(index), self.schema), self.schema)
        return self._blocks[key]

    def info(self, preprocess: Preprocess, rows: Index) -> ModelInfo:
        """Return the shape of the data after preprocessing, with the edges of the numeric features."""
        target, edges = self.schema.target, None
        if self.schema.kind == "table" and preprocess.width:
            sample = rows if len(rows) <= EDGE_ROWS else rows[:: len(rows) // EDGE_ROWS]
            edges = bin_edges(preprocess.transform(self.table.rows.take(sample)).numeric)
        return ModelInfo(
            preprocess.width, preprocess.cardinalities, target.outputs, target.task, self.schema.image_shape,
            len(rows), edges,
        )  # fmt: skip

    def net(self, spec: TrialSpec, preprocess: Preprocess, rows: Index) -> Task:
        """Build a fresh net with its loss; a user's own where the study was given one."""
        if self.make is None or spec.model != "user":
            info = self.info(preprocess, rows)
            module = build(spec.model, info, spec.seed, **{**self.size(spec), **spec.architecture})
            return Task(module, loss_for(self.schema.target.task, **self.schema.target.reading))
        target = self.schema.target
        shape = self.schema.image_shape
        told = TaskInfo(
            target.task, target.outputs, target.classes, column_names(self.schema, preprocess),
            tuple(c.name for c in self.schema.categorical), preprocess.cardinalities,
            (shape[2], shape[0], shape[1]) if shape else None, len(rows), spec.seed,
            tuple(c.name for c in self.schema.numeric), largest(self.schema),
        )  # fmt: skip
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(spec.seed)
            made = make_task(self.make, told)
        loss = made.loss or (poisson_loss if target.counts else user_loss(target.task))
        return replace(made, loss=loss)

    def fed(self, made: Task, preprocess: Preprocess) -> Preprocess:
        """Return the preprocessing as a net asks for it.

        Raises:
            TaskError: tokens from columns that hold fractions.

        """
        if made.inputs == "scaled":
            return preprocess
        if made.inputs == "raw":
            return preprocess.as_they_are()
        broken = [c.name for c in self.schema.numeric if not c.integer]
        if broken:
            raise TaskError(
                f'inputs="tokens", and the column {broken[0]!r} holds fractions', "whole numbers from 0 up",
                'Use inputs="raw"',
            )  # fmt: skip
        return preprocess.as_they_are(largest(self.schema))

    def size(self, spec: TrialSpec) -> dict[str, Any]:
        """Return the size of our tabular net, chosen by the rows of a trial, so that a refit has the same."""
        if spec.model != "Tabular":
            return {}
        chosen = size_for(len(self.roles.train))
        return {"members": chosen.members, "width": chosen.width}

    # -- fitting --------------------------------------------------------------------------------------------------

    def fit(
        self,
        spec: TrialSpec,
        rows: Index,
        valid: Index,
        *,
        marks: tuple[float, ...] = (),
        tick: Any = None,
        deadline: float = math.inf,
        until: float = 1.0,
        traces: Sequence[Sequence[Move]] | None = None,
        measure: bool = True,
    ) -> Fitted:
        """Fit one model.

        Args:
            spec: what to fit.
            rows: training rows.
            valid: rows that controllers (nets) or the choice of a penalty (basic models) read; may be empty.
            marks: fractions at which ``tick(fraction, predictor)`` is asked whether to go on.
            tick: see ``marks``.
            deadline: ``time.monotonic()`` at which a training ends unfinished.
            until: stopping point of an earlier run, as a fraction of the plan.
            traces: strengths of earlier runs to replay instead of the controller.
            measure: measure latency and operations.

        """
        if spec.kind == "basic":
            return self._basic(spec, rows, valid, deadline)
        return self._net(spec, rows, valid, marks, tick, deadline, until, traces, measure)

    def _basic(self, spec: TrialSpec, rows: Index, valid: Index, deadline: float) -> Fitted:
        started = time.monotonic()
        model = BASIC[spec.model](**spec.settings)
        held = None
        if not model.settled:
            if not len(valid):
                rows, valid = _carve(rows, self.table.target, spec.seed)
            held = self.sample(valid)
        train = self.sample(rows)
        fitted = model.fit(
            train.rows, train.target, weight=train.weight, schema=self.schema, valid=held, seed=spec.seed,
            inputs=self.blocks(rows), until=deadline,
        )  # fmt: skip
        cost = TrialCost(
            seconds=time.monotonic() - started, peak_memory_bytes=peak_memory_bytes(), parameters=fitted.parameters,
            bytes=8 * fitted.parameters,
        )  # fmt: skip
        return Fitted(spec, BasicPredictor(self.schema, fitted), cost, None, fitted.rebuilt)

    def sample(self, index: Index) -> Sample:
        """Return rows, targets and weights of the table."""
        weight = None if self.table.weight is None else self.table.weight[index]
        return Sample(self.table.rows.take(index), self.table.target[index], weight)

    def _net(
        self, spec: TrialSpec, rows: Index, valid: Index, marks: tuple[float, ...], tick: Any, deadline: float,
        until: float, traces: Sequence[Sequence[Move]] | None, measure: bool,
    ) -> Fitted:  # fmt: skip
        preprocess = self.preprocess(rows)
        own = spec.model != "user"
        made = self.net(spec, preprocess, rows)
        preprocess = self.fed(made, preprocess)
        model = made.model.to(self.device)
        recipe = Recipe.from_dict(spec.recipe or {})
        if traces is not None:
            recipe = (
                Recipe(*recipe.regularizers, controller=from_traces(traces))
                if any(traces)
                else Recipe(*recipe.regularizers)
            )
        predictor = NetPredictor(self.schema, preprocess, model, self.device, own)
        loss = made.loss or loss_for(self.schema.target.task, **self.schema.target.reading)
        shown = examples(preprocess, self.table, rows, self.device, own=own)
        if spec.teacher is not None:
            teacher = TrialSpec.from_dict(spec.teacher)
            told = lessons(self.sample(rows), teacher, schema=self.schema, preprocess=preprocess)
            shown = replace(shown, targets=told.to(self.device))
        trained = train(
            model,
            shown,
            loss=loss,
            recipe=recipe,
            settings=TrainSettings.from_dict(spec.settings),
            seed=spec.seed,
            controller_rows=examples(preprocess, self.table, valid, self.device, own=own) if len(valid) else None,
            optimizer=made.optimizer(model) if made.optimizer else None,
            marks=marks,
            tick=_served_tick(tick, predictor) if tick else None,
            deadline=deadline,
            until=min(until, spec.until),
        )
        one = examples(preprocess, self.table, rows[:1], self.device, own=own).inputs
        cost = net_cost(model, one, seconds=trained.seconds, passes=trained.passes, measure=measure)
        return Fitted(spec, predictor, cost, trained)


def _key(index: Index) -> bytes:
    start = np.ascontiguousarray(index).tobytes() if len(index) < 100_000 else index[:1000].tobytes()
    return start + str(len(index)).encode()


def largest(schema: Schema) -> int:
    """Return the largest number of the numeric columns, rounded down; 0 where there are none."""
    return max((int(c.high) for c in schema.numeric if c.high is not None and c.high > 0), default=0)


def _served_tick(tick: Any, predictor: NetPredictor) -> Tick:
    def asked(fraction: float, session: Any) -> bool:
        with session.served_weights():
            answer = bool(tick(fraction, predictor))
        session.model.train()
        return answer

    return asked


def _carve(rows: Index, target: NDArray[Any], seed: int, share: float = 0.15) -> tuple[Index, Index]:
    """Split training rows in two, at random; every class keeps a row in the first part."""
    order = np.random.default_rng(seed).permutation(len(rows))
    count = max(1, round(share * len(rows)))
    inner, outer = rows[order[count:]], rows[order[:count]]
    if np.issubdtype(target.dtype, np.integer):
        lost = ~np.isin(target[outer], target[inner])
        inner, outer = np.concatenate([inner, outer[lost]]), outer[~lost]
    if not len(outer):
        return inner, inner[:1]
    return np.sort(inner), np.sort(outer)


def user_loss(task: str) -> Any:
    """Return the loss per row for a user's net: outputs (b, c) logits, (b,) or (b, 1) values or one logit."""
    from torch.nn import functional

    def regression(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return (outputs.reshape(len(targets)) - targets).square()

    def classification(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if outputs.dim() == 1 or outputs.shape[-1] == 1:
            values = outputs.reshape(len(targets))
            return functional.binary_cross_entropy_with_logits(values, targets.to(values.dtype), reduction="none")
        return functional.cross_entropy(outputs, targets, reduction="none")

    return regression if task == "regression" else classification

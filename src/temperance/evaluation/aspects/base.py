"""The seam of a vetting: any model behind one face (``Subject``), one question a file (``Aspect``), one answer form.

An aspect is asked with a ``Case``: the model, the rows with their truth, the tier and the seed. It answers with a
``Reading``: measurements, each with its count, interval and convention; sentences; per-example results from which
others compute the same figures again. What cannot be asked of this model is said, never left out without a word.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.base import Outcome
from temperance.evaluation.harness import Evaluation
from temperance.evaluation.prediction import observe
from temperance.records.errors import SettingError, TemperanceError, nearest
from temperance.records.measurement import Measurement
from temperance.records.predictor import Predictor
from temperance.records.row_marks import RowMarks
from temperance.records.schema import Column, Rows, Schema, Task
from temperance.records.table import Table

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["bundle", "onnx", "torch", "sklearn", "server", "predictions", "predictor"]
Tier = Literal["quick", "standard", "publish"]
Need = Literal["rows", "probabilities", "gradients", "features", "training_rows"]
TIERS: tuple[Tier, ...] = ("quick", "standard", "publish")
NEEDS: dict[str, str] = {
    "rows": "answers to rows that were altered",
    "probabilities": "a probability for each class, not the answer alone",
    "gradients": "gradients of the model's scores by its inputs",
    "features": "the numbers inside the net before its last layer",
    "training_rows": "the marks of the rows that the model learned from",
}


class Inputs(NamedTuple):
    """Raw rows as tensors, before any preprocessing: what ``Differentiable`` takes.

    Shapes: numeric (b, n) float64 in the file's own units, missing = NaN · categorical (b, m) int64 codes into each
    column's vocabulary (-1 missing, -2 unseen) · images (b, h, w, c) float64, 0 … 255, or None.
    """

    numeric: Tensor
    categorical: Tensor
    images: Tensor | None = None


@runtime_checkable
class Differentiable(Protocol):
    """A model in torch from raw rows on, preprocessing included, for gradients by the raw inputs."""

    def scores(self, inputs: Inputs) -> Tensor:
        """Return log-probabilities or logits (b, c), or values (b,), differentiable in ``numeric`` and ``images``."""
        ...

    def features(self, inputs: Inputs) -> Tensor | None:
        """Return the input (b, d) of the last linear layer, or None where the model has none."""
        ...


@dataclass(frozen=True, eq=False)
class Subject:
    """Any model behind one face.

    Attributes:
        predictor: raw rows in, probabilities or values out.
        kind: where it came from; ``predictions``: a file of answers, nothing else can be asked.
        name: what to call it.
        version: a short fingerprint, or empty.
        open_network: gives the same model in torch when it is first asked for; None: it has none.
        training: marks of the rows that it learned from, or None.
        record: what was measured of it when it was made (``Measurement`` by name), or empty.
        reasons: why something is not possible, by need: said instead of the general sentence.
        place: path or address that it was opened from.
        observed: answers beside the truth of every row of one table, where the model is a file of answers.
        notes: plain sentences on how it was opened: what its outputs were taken for.

    """

    predictor: Predictor
    kind: Kind = "predictor"
    name: str = "model"
    version: str = ""
    open_network: Callable[[], Differentiable] | None = None
    training: RowMarks | None = None
    record: Mapping[str, Measurement] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    observed: Outcome | None = None
    notes: tuple[str, ...] = ()

    @property
    def schema(self) -> Schema:
        """Columns and target."""
        return self.predictor.schema

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.schema.target.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels in the order of the outputs; empty for values."""
        return self.schema.target.classes

    @property
    def columns(self) -> tuple[Column, ...]:
        """Input columns; none for images."""
        return self.schema.columns

    @property
    def network(self) -> Differentiable | None:
        """The same model in torch, or None; ``why_not("gradients")`` says why."""
        return None if isinstance(self._opened, str) else self._opened

    @cached_property
    def _opened(self) -> Differentiable | str:
        if self.open_network is None:
            return f"this model ({self.kind}) does not give {NEEDS['gradients']}"
        try:
            return self.open_network()
        except TemperanceError as fault:
            return str(fault)

    def predict(self, rows: Rows) -> NDArray[Any]:
        """Return probabilities (b, c) or values (b,) for raw rows."""
        return self.predictor.predict(rows)

    def has(self, need: Need) -> bool:
        """Say whether this can be asked of the model."""
        return not self.why_not(need)

    def why_not(self, need: Need) -> str:
        """Return why ``need`` is not possible, or an empty text."""
        if need in self.reasons:
            return self.reasons[need]
        if self.kind == "predictions" and need in ("rows", "gradients", "features"):
            return "not possible from predictions: it needs " + NEEDS[need]
        if need in ("rows", "probabilities"):
            return ""
        if need == "training_rows":
            return "" if self.training is not None else f"this model ({self.kind}) does not hold {NEEDS[need]}"
        return self._opened if isinstance(self._opened, str) else ""


@dataclass(frozen=True, eq=False)
class Case:
    """What one aspect is asked: a model, rows with known truth, how much effort.

    Attributes:
        subject: the model.
        table: where the rows are.
        index: (n,) row numbers that count here.
        tier: ``quick``, ``standard`` or ``publish``.
        seed: of everything random.
        deadline: ``time.perf_counter()`` at which to stop, or None.
        labels: (len(table),) values of ``--group`` as texts, by which a domain gap is measured, or None.
        required: names of figures that ``--require`` asks for, e.g. ``robust@0.1``: the aspect that measures them sees
            to it that they are there.
        settings: further settings by aspect name, e.g. the feature rules of ``adversarial``.
        evaluation: what the harness measured of the same rows already, or None.

    """

    subject: Subject
    table: Table
    index: NDArray[np.int64]
    tier: Tier = "quick"
    seed: int = 0
    deadline: float | None = None
    labels: NDArray[Any] | None = None
    required: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Evaluation | None = None

    @cached_property
    def outcome(self) -> Outcome:
        """Answers beside the truth, in the order of ``index``; asked once for all aspects."""
        if self.subject.observed is not None:
            return self.subject.observed.take(self.index)
        if self.evaluation is not None and np.array_equal(self.evaluation.index, self.index):
            return self.evaluation.outcome
        return observe(self.subject.predictor, self.table, self.index)

    @property
    def rows(self) -> Rows:
        """The raw rows of ``index``."""
        return self.table.rows.take(self.index)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the deadline, at least 0; None without one."""
        return None if self.deadline is None else max(0.0, self.deadline - time.perf_counter())

    def but(self, **changes: Any) -> Case:
        """Return a copy with other fields; other rows are asked anew."""
        return replace(self, **changes)


@dataclass(frozen=True, eq=False)
class Reading:
    """The answer of one aspect.

    Attributes:
        aspect: name of the aspect.
        measurements: figures, each with n, interval and convention.
        sentences: the same in plain words, the most important first.
        details: JSON-safe tables beside the figures: curves, bins, settings that were used.
        examples: per-example results, (len(examples_index),) each, from which the figures follow.
        index: (n,) row numbers that ``examples`` belong to; all rows of the case where it is None.
        not_done: pairs (what, why).
        flags: reasons not to trust the figures.
        seed: of everything random in it.
        seconds: time it took.

    """

    aspect: str
    measurements: tuple[Measurement, ...] = ()
    sentences: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    examples: Mapping[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    index: NDArray[np.int64] | None = field(default=None, repr=False)
    not_done: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    seed: int = 0
    seconds: float = 0.0

    def __getitem__(self, name: str) -> Measurement:
        """Return the measurement of this name.

        Raises:
            SettingError: it was not measured.

        """
        found = {m.name: m for m in self.measurements}
        if name not in found:
            raise SettingError(f"{name!r} was not measured", f"one of {', '.join(found)}", nearest(name, found))
        return found[name]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields, without the per-example results."""
        return {
            "aspect": self.aspect,
            "measurements": {m.name: m.to_dict() for m in self.measurements},
            "sentences": list(self.sentences),
            "details": dict(self.details),
            "examples": list(self.examples),
            "not_done": [{"what": what, "why": why} for what, why in self.not_done],
            "flags": list(self.flags),
            "seed": self.seed,
            "seconds": self.seconds,
        }


class Aspect(ABC):
    """One question about a model; subclasses are final and write ``_measure`` alone.

    A subclass states ``name`` (the key in results), ``title`` (for readers), ``needs`` and ``tiers``: the suites that
    it is part of. Its measurements are found by ``--require`` under their own names. ``learned_too`` asks it with the
    rows that the model learned from as well, which a vetting leaves out of all else.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    needs: ClassVar[tuple[Need, ...]] = ()
    tiers: ClassVar[tuple[Tier, ...]] = TIERS
    learned_too: ClassVar[bool] = False

    def why_not(self, case: Case) -> str:
        """Return why the question has no meaning for this case (a task, a kind of rows), or an empty text."""
        return ""

    def claims(self, name: str) -> bool:
        """Say whether a required figure of this name (``robust@0.1``) is this aspect's to measure, in any tier."""
        return False

    def measure(self, case: Case) -> Reading:
        """Answer, or say why not: what the model lacks, what the case lacks, or that no time is left."""
        started = time.perf_counter()
        lacking = [why for why in (case.subject.why_not(need) for need in self.needs) if why]
        why = lacking[0] if lacking else self.why_not(case)
        why = why or ("no time left" if case.seconds_left == 0 else "")
        if why:
            return Reading(self.name, not_done=((self.title, why),), seed=case.seed)
        reading = self._measure(case)
        return replace(reading, aspect=self.name, seed=case.seed, seconds=time.perf_counter() - started)

    @abstractmethod
    def _measure(self, case: Case) -> Reading:
        """Answer; ``aspect``, ``seed`` and ``seconds`` are filled in by ``measure``."""

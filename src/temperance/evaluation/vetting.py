"""A vetting: which rows the model knows, the harness on the others, its record, and every aspect of the suite."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.aspects.base import Case, Reading, Subject, Tier
from temperance.evaluation.aspects.registry import aspects
from temperance.evaluation.degradation import Change, changes
from temperance.evaluation.degradation import sentences as change_sentences
from temperance.evaluation.harness import Evaluation, measured
from temperance.evaluation.metrics.registry import select
from temperance.evaluation.own_rows import OwnRows, own_rows
from temperance.evaluation.prediction import observe
from temperance.evaluation.refusing import FOREIGN, Refusing
from temperance.evaluation.words import sentence, sentences
from temperance.records.errors import DataError
from temperance.records.measurement import Measurement
from temperance.records.predictor import Predictor
from temperance.records.table import Table

ANSWER_ALONE = ("accuracy", "balanced_accuracy", "macro_f1")
HARNESS_SHARE = 0.5  # of a budget
OWN_TEST = 0.1  # share of own test rows above which a comparison with the record would compare rows with themselves


@dataclass(frozen=True, eq=False)
class Vetting:
    """All that is told of one model on one set of rows.

    Attributes:
        subject: the model.
        own: which rows it was made from.
        evaluation: the harness on the rows that it did not learn from.
        whole: figures of all rows, where it learned from some; empty else.
        changes: against its own record; empty where it has none.
        readings: the aspects.
        seed: of everything random.
        seconds: time it took.
        said: further sentences: rows that the model refused.

    """

    subject: Subject
    own: OwnRows
    evaluation: Evaluation
    whole: tuple[Measurement, ...]
    changes: tuple[Change, ...]
    readings: tuple[Reading, ...]
    seed: int
    seconds: float
    said: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, Measurement]:
        """Every measurement by name: the harness's, then those of the aspects."""
        found: dict[str, Measurement] = {}
        for m in (*self.evaluation.measurements, *(m for one in self.readings for m in one.measurements)):
            found.setdefault(m.name, m)
        return found

    @property
    def not_done(self) -> tuple[tuple[str, str], ...]:
        """Pairs (what, why) of everything that was left out."""
        pairs = [*self.evaluation.left_out, *(pair for one in self.readings for pair in one.not_done)]
        return tuple(dict.fromkeys(pairs))

    def sentences(self) -> list[str]:
        """Return what an owner should read, in this order: own rows, quality, what got worse, each aspect."""
        task = self.subject.task
        out = [*self.subject.notes, *self.own.sentences()]
        told = sentences(self.evaluation)
        if any(one.aspect == "calibration" and one.measurements for one in self.readings):
            told = [one for one in told if not one.startswith("Its stated confidence")]  # the aspect says it in full
        out += [one for one in told if not one.startswith("Left out:")]
        out += self.said
        if self.whole and not self.own.all_learned:
            both = [m for m in self.whole if m.name in ("accuracy", "mae")]
            out += [f"With the rows it learned from: {_lower(sentence(m, task=task))}" for m in both]
        out += change_sentences(self.changes)
        for one in self.readings:
            out += [text for text in one.sentences if text not in out]
            out += [f"{one.aspect}: {flag}." for flag in one.flags]
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields: those of ``Evaluation``, and beside them what a vetting adds."""
        return {
            **self.evaluation.to_dict(),
            "subject": {"name": self.subject.name, "kind": self.subject.kind, "version": self.subject.version,
                        "place": self.subject.place},
            "own_rows": self.own.to_dict(),
            "with_own_rows": {m.name: m.to_dict() for m in self.whole},
            "against_record": [c.to_dict() for c in self.changes],
            "aspects": {one.aspect: one.to_dict() for one in self.readings},
            "sentences": self.sentences(),
            "left_out": [{"what": what, "why": why} for what, why in self.not_done],
            "seed": self.seed,
            "seconds": self.seconds,
        }  # fmt: skip


def vet(
    subject: Subject,
    table: Table,
    *,
    tier: Tier = "quick",
    seed: int = 0,
    labels: NDArray[Any] | None = None,
    names: Sequence[str] | None = None,
    required: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    budget_seconds: float | None = None,
) -> Vetting:
    """Measure a model on rows with a known target, without those that it learned from.

    Args:
        subject: the model.
        table: the rows.
        tier: how much is measured.
        seed: of everything random.
        labels: (b,) values of the column of ``--group``, one for each row of the table; None: there is none.
        names: aspects by name; those of the tier where left out.
        required: names of figures that are asked for; their aspects run in any tier.
        settings: further settings of aspects.
        budget_seconds: leave out what would take longer, and name it.

    Raises:
        DataError: no rows, or answers or targets that cannot be used.
        SettingError: an unknown aspect.

    """
    start = time.perf_counter()
    deadline = None if budget_seconds is None else start + budget_seconds
    chosen = aspects(tier, names=names, required=required)
    own = own_rows(subject, table)
    rows = own.unseen
    part = None if budget_seconds is None else HARNESS_SHARE * budget_seconds
    asked = None if subject.observed is not None else subject.predictor
    refusing = Refusing(asked) if asked is not None and subject.kind in FOREIGN else None
    done = _harness(subject, refusing or asked, table, rows, tier, seed, part)
    case = Case(
        subject, table, rows, tier, seed, deadline, labels, tuple(required), dict(settings or {}), evaluation=done
    )  # fmt: skip
    everyone = case.but(index=np.arange(len(table)))
    readings = tuple(one.measure(everyone if one.learned_too else case) for one in chosen)
    whole = _whole(subject, table, seed) if own.learned.any() and not own.all_learned else ()
    then = changes(done.measurements, subject.record) if _is_new(own, rows) else ()
    said = (refusing.sentence(),) if refusing is not None and refusing.refused else ()
    return Vetting(subject, own, done, whole, then, readings, seed, time.perf_counter() - start, said)


def _is_new(own: OwnRows, rows: NDArray[np.int64]) -> bool:
    """Say whether rows can be held against the record: neither learned from, nor the very rows that it was made on."""
    return not own.all_learned and bool(own.tested[rows].mean() <= OWN_TEST)


def _harness(
    subject: Subject, asked: Predictor | None, table: Table, rows: NDArray[np.int64], tier: Tier, seed: int,
    seconds: float | None,
) -> Evaluation:  # fmt: skip
    if not len(rows):
        raise DataError("no rows to evaluate", "at least one row with a known target", "Give more rows")
    start = time.perf_counter()
    seen = subject.observed.take(rows) if subject.observed is not None else observe(subject.predictor, table, rows)
    done = measured(seen, table, rows, predictor=asked, suite=tier, seed=seed, budget_seconds=seconds, start=start)
    return done if subject.has("probabilities") else _answers_alone(subject, done)


def _answers_alone(subject: Subject, done: Evaluation) -> Evaluation:
    """Take out every figure that would need probabilities; 0 and 1 stand in their place."""
    why = subject.why_not("probabilities")
    kept = tuple(m for m in done.measurements if m.name in (*ANSWER_ALONE, "robustness"))
    left = (*done.left_out, ("figures of stated chances", why))
    losses = {name: loss for name, loss in done.losses.items() if name in ANSWER_ALONE}
    return replace(done, measurements=kept, losses=losses, reliability=(), abstention=(), left_out=left)


def _whole(subject: Subject, table: Table, seed: int) -> tuple[Measurement, ...]:
    """Return the figures of all rows, those it learned from too."""
    seen = Case(subject, table, np.arange(len(table)), seed=seed).outcome
    found = tuple(m.measure(seen) for m in select(seen, seed=seed))
    return found if subject.has("probabilities") else tuple(m for m in found if m.name in ANSWER_ALONE)


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]

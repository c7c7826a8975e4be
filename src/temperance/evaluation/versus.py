"""Two models on the same rows: one declared figure, the others corrected for their count, and what may be said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.aspects.base import Case, Subject
from temperance.evaluation.base import Outcome
from temperance.evaluation.comparison import Comparison, compare
from temperance.evaluation.metrics.registry import METRICS, metric, select
from temperance.evaluation.own_rows import OwnRows, own_rows
from temperance.evaluation.vetting import ANSWER_ALONE
from temperance.evaluation.words import sentence
from temperance.records.errors import DataError, SettingError
from temperance.records.measurement import Measurement
from temperance.records.statistics import holm
from temperance.records.table import Table

Word = Literal["better", "worse", "equivalent", "no evidence of difference"]


@dataclass(frozen=True, eq=False)
class Versus:
    """The first model against the second.

    Attributes:
        names: what the models are called.
        metric: the declared figure: its verdict is the answer.
        comparisons: by metric; p values and verdicts of all but the declared one are corrected together (Holm).
        figures: of both models, by metric.
        own: which rows each was made from.
        index: rows that neither learned from.
        outcomes: answers of both on these rows.

    """

    names: tuple[str, str]
    metric: str
    comparisons: dict[str, Comparison]
    figures: dict[str, tuple[Measurement, Measurement]]
    own: tuple[OwnRows, OwnRows]
    index: NDArray[np.int64]
    outcomes: tuple[Outcome, Outcome]

    @property
    def verdict(self) -> Word:
        """What may be said of the first model by the declared figure."""
        return word(self.comparisons[self.metric])

    def sentences(self) -> list[str]:
        """Say it in words, the answer first."""
        first, second = self.names
        c = self.comparisons[self.metric]
        d = c.difference
        what = self.metric.replace("_", " ")
        ends = "" if d.low is None or d.high is None else f" (between {d.low:+.3g} and {d.high:+.3g})"
        lead = {
            "better": f"{first} is better than {second}",
            "worse": f"{first} is worse than {second}",
            "equivalent": f"{first} and {second} differ by less than {c.margin:g}, which does not matter",
            "no evidence of difference": f"These rows do not tell {first} and {second} apart",
        }[self.verdict]
        out = [f"{lead}: {what} {d.value + 0.0:+.3g}{ends}, on the same {len(self.index):,} rows, p = {c.p:.3g}."]
        for name, own in zip(self.names, self.own, strict=True):
            out += [f"{name}: {text}" for text in own.sentences()]
        task = self.outcomes[0].task
        for name, m in zip(self.names, self.figures[self.metric], strict=True):
            out.append(f"{name}: {sentence(m, task=task)}")
        others = {k: c for k, c in self.comparisons.items() if k != self.metric}
        for kind in ("better", "worse"):
            told = [k.replace("_", " ") for k, c in others.items() if word(c) == kind]
            out += (
                [f"{first} is also {kind} by: {', '.join(told)} (corrected for {len(others)} figures)."] if told else []
            )
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "models": list(self.names), "metric": self.metric, "verdict": self.verdict, "n": len(self.index),
            "comparisons": {k: {**c.to_dict(), "word": word(c)} for k, c in self.comparisons.items()},
            "figures": {k: [m.to_dict() for m in pair] for k, pair in self.figures.items()},
            "own_rows": [one.to_dict() for one in self.own],
            "sentences": self.sentences(),
        }  # fmt: skip


def word(c: Comparison) -> Word:
    """Return the verdict: better, worse, equivalent within the margin, or that nothing is shown.

    A difference that is real but within the margin is called equivalent: it does not matter.
    """
    if c.equivalent:
        return "equivalent"
    return c.verdict


def versus(
    first: Subject,
    second: Subject,
    tables: tuple[Table, Table],
    *,
    name: str | None = None,
    margin: float = 0.005,
    alpha: float = 0.05,
    seed: int = 0,
) -> Versus:
    """Compare two models on rows that neither learned from.

    Args:
        first: the model that the verdict is about.
        second: what it is compared with.
        tables: the same rows as each model reads them, in the same order.
        name: the declared figure; accuracy, or rmse for values, where left out.
        margin: differences up to this size do not matter, in units of the figure.
        alpha: level of the declared figure, and of all others together.
        seed: of tests that draw.

    Raises:
        DataError: the rows differ, or each is one that a model learned from.
        SettingError: an unknown figure, or one that needs chances that a model does not state.

    """
    if len(tables[0]) != len(tables[1]) or not _same_truth(*tables):
        raise DataError(
            f"{len(tables[0])} and {len(tables[1])} rows that do not have the same answers",
            "the same rows for both models", "Both must predict the same target of the same file",
        )  # fmt: skip
    own = own_rows(first, tables[0]), own_rows(second, tables[1])
    index = np.flatnonzero(~(own[0].learned | own[1].learned))
    if not len(index):
        raise DataError(
            "rows that are all training rows of one of the models", "rows that neither learned from", "Give newer rows"
        )
    pairs = zip((first, second), tables, strict=True)
    seen = tuple(Case(one, table, index, seed=seed).outcome for one, table in pairs)
    seen = (seen[0], replace(seen[1], target=seen[0].target, **_reordered(seen[1], first, second)))
    names = _names(seen[0], first, second)
    declared = name or ("rmse" if first.task == "regression" else "accuracy")
    if metric(declared).name not in names:
        raise SettingError(f"the figure {declared!r}", f"one of {', '.join(names)}", "Choose another --metric")
    declared = metric(declared).name
    found = {k: _compared(k, seen, margin=margin, alpha=alpha, seed=seed) for k in names}
    rest = [k for k in names if k != declared]
    for k, p in zip(rest, holm([found[k].p for k in rest]), strict=True):
        found[k] = replace(found[k], p=p, verdict=found[k].verdict if p <= alpha else "no evidence of difference")
    figures = {k: (metric(k, seed=seed).measure(seen[0]), metric(k, seed=seed).measure(seen[1])) for k in names}
    titles = (first.name, second.name) if first.name != second.name else (f"{first.name} (1)", f"{second.name} (2)")
    return Versus(titles, declared, found, figures, own, index, (seen[0], seen[1]))


def _compared(name: str, seen: tuple[Outcome, ...], **settings: Any) -> Comparison:
    first, second = (metric(name).losses(one) for one in seen)
    return compare(first, second, metric=name, groups=seen[0].groups, **settings)


def _names(seen: Outcome, first: Subject, second: Subject) -> list[str]:
    chances = first.has("probabilities") and second.has("probabilities")
    known = [m.name for m in select(seen, basic=False) if m.better != "neither" and METRICS[m.name].basic]
    known = [k for k in known if k not in ("interval_coverage", "interval_width", "expected_cost")]
    return known if chances else [k for k in known if k in ANSWER_ALONE]


def _same_truth(first: Table, second: Table) -> bool:
    if first.schema.target.task == "regression" or second.schema.target.task == "regression":
        same = first.schema.target.task == second.schema.target.task
        return same and bool(np.allclose(first.target, second.target, rtol=1e-6, atol=0.0))
    words = [np.array(t.schema.target.classes, dtype=object)[t.target] for t in (first, second)]
    return bool((words[0] == words[1]).all()) and set(first.schema.target.classes) == set(second.schema.target.classes)


def _reordered(seen: Outcome, first: Subject, second: Subject) -> dict[str, Any]:
    """Return the second model's answers with the classes in the order of the first's."""
    if first.classes == second.classes or not first.classes:
        return {}
    order = [second.classes.index(name) for name in first.classes]
    fixed = None if seen.decision is None else np.argsort(order)[seen.label]
    return {"prediction": seen.prediction[:, order], "decision": None, "fixed": fixed}

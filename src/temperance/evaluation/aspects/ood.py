"""Aspect: does the model notice rows that are like nothing it knows? Near and far sets apart, six scores each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from temperance.evaluation.aspects.base import Aspect, Case, Need, Reading
from temperance.evaluation.aspects.robust_figures import answers
from temperance.evaluation.base import Array
from temperance.evaluation.ood import sets
from temperance.evaluation.ood.detection import Detection, detect
from temperance.evaluation.ood.scores import LOGIT_SCORES, Mahalanobis, Neighbours
from temperance.records.errors import SettingError
from temperance.records.schema import Rows

ROWS = {"quick": 500, "standard": 1000, "publish": 5000}
RESAMPLES = {"quick": 100, "standard": 200, "publish": 1000}
_LEAST = 20
_CHUNK = 2048
Scores = dict[str, Array]


class Known(NamedTuple):
    """What strange rows are compared with.

    Shapes: logits (b, c) or None for values; features (b, d).
    """

    logits: Array | None
    features: Array


@final
class OutOfDistribution(Aspect):
    """Half of the rows teach the two scores that need known rows; the other half is told from the strange ones.

    Settings ``ood``: ``{"near": {name: Rows}, "far": {name: Rows}}``; without them sets are made from the rows.
    """

    name: ClassVar[str] = "ood"
    title: ClassVar[str] = "Rows like nothing it knows"
    needs: ClassVar[tuple[Need, ...]] = ("rows",)

    def why_not(self, case: Case) -> str:
        """Enough rows for two halves."""
        count = len(case.index)
        return "" if count >= 2 * _LEAST else f"{count} rows are too few to tell anything: at least {2 * _LEAST}"

    def _measure(self, case: Case) -> Reading:
        draw = np.random.default_rng([case.seed, 0x00D])
        index = draw.permutation(case.index)[: 2 * ROWS[case.tier]]
        taught, told = index[: len(index) // 2], index[len(index) // 2 :]
        rows = case.table.rows.take(told)
        strange, not_done = _sets(case, rows)
        read = _Reader(case)
        judge = _fit(case, taught, read(case.table.rows.take(taught)))
        base, notes = judge(read(rows))
        not_done += [(f"score {name}", why) for name, why in notes.items()]
        found: list[Detection] = []
        for distance, group in strange.items():
            for name, others in group.items():
                scores, _ = judge(read(others))
                for score, known in base.items():
                    found.append(
                        detect(
                            known, scores[score], score=score, name=name, distance=distance,
                            resamples=RESAMPLES[case.tier], seed=case.seed,
                        )
                    )  # fmt: skip
        figures = tuple(one for detection in found for one in detection.figures)
        examples = {f"strangeness/{name}": value for name, value in base.items()}
        details = {
            "sets": {distance: {name: int(r.size) for name, r in group.items()} for distance, group in strange.items()},
            "features": read.told,
            "words": {"near": sets.NEAR[case.table.schema.kind], "far": sets.FAR[case.table.schema.kind]},
        }
        return Reading("", figures, _sentences(found), details, examples, told, tuple(not_done), (), case.seed)


class _Reader:
    """Logits and features of rows, from the network where there is one, else from the answers and the raw inputs."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.network = case.subject.network
        self.answers = answers(case)
        self.told = "numbers before the last layer of the net"
        self.centre: Array | None = None
        self.spread: Array | None = None

    def __call__(self, rows: Rows) -> Known:
        parts = [self._some(rows.take(slice(i, i + _CHUNK))) for i in range(0, rows.size, _CHUNK)]
        logits = None if parts[0].logits is None else np.concatenate([p.logits for p in parts if p.logits is not None])
        return Known(logits, np.concatenate([p.features for p in parts]))

    def _some(self, rows: Rows) -> Known:
        classes = self.case.subject.task != "regression"
        if self.network is None:
            logits = np.log(np.maximum(self.answers(rows), 1e-300)) if classes else None
            return Known(logits, self._raw(rows))
        import torch

        from temperance.evaluation.aspects.base import Inputs

        images = None if rows.images is None else torch.from_numpy(rows.images.astype(np.float64))
        inputs = Inputs(
            torch.from_numpy(rows.numeric.astype(np.float64)),
            torch.from_numpy(rows.categorical.astype(np.int64)),
            images,
        )
        with torch.no_grad():
            scores, inner = self.network.scores(inputs), self.network.features(inputs)
        features = self._raw(rows) if inner is None else inner.double().numpy()
        return Known(scores.double().numpy() if classes else None, features)

    def _raw(self, rows: Rows) -> Array:
        """Return the inputs themselves: standardized numbers, categories one by one, pixels; gaps at the mean."""
        self.told = "the raw inputs, standardized: the model shows no inner numbers"
        if rows.images is not None:
            return rows.images.reshape(rows.size, -1).astype(np.float64) / 255
        if self.centre is None or self.spread is None:
            x = np.where(np.isfinite(rows.numeric), rows.numeric, np.nan)
            known = np.isfinite(x)
            count = np.maximum(known.sum(axis=0), 1)
            self.centre = np.where(known, x, 0.0).sum(axis=0) / count
            away = np.where(known, x - self.centre, 0.0)
            spread = np.sqrt(np.square(away).sum(axis=0) / count)
            self.spread = np.where(spread > 0, spread, 1.0)
        z = np.where(np.isfinite(rows.numeric), (rows.numeric - self.centre) / self.spread, 0.0)
        hot = [
            (rows.categorical[:, j : j + 1] == np.arange(-2, len(column.vocabulary))).astype(np.float64)
            for j, column in enumerate(self.case.table.schema.categorical)
        ]
        return np.concatenate([z, *hot], axis=1)


def _fit(case: Case, taught: NDArray[np.int64], known: Known) -> Any:
    y = np.asarray(case.table.target[taught])
    labels = y.astype(np.int64) if case.subject.task != "regression" else np.zeros(len(y), dtype=np.int64)
    finite = np.isfinite(known.features).all(axis=1)
    distance = Mahalanobis.fit(known.features[finite], labels[finite])
    near = Neighbours.fit(known.features[finite])

    def judge(rows: Known) -> tuple[Scores, dict[str, str]]:
        scores: Scores = {}
        notes: dict[str, str] = {}
        if rows.logits is None or not case.subject.has("probabilities"):
            why = case.subject.why_not("probabilities") or "it needs the scores of classes"
            notes = dict.fromkeys(LOGIT_SCORES, why)
        else:
            known = rows.logits[np.isfinite(rows.logits).all(axis=1)]
            normal = bool((np.abs(np.logaddexp.reduce(known, axis=1)) < 1e-6).all())
            for name, score in LOGIT_SCORES.items():
                if normal and name in ("energy", "max-logit"):
                    notes[name] = (
                        "the model gives probabilities; without logits this score says what MSP says, or nothing"
                    )
                else:
                    scores[name] = score(rows.logits)
        scores["Mahalanobis"], scores["kNN"] = distance(rows.features), near(rows.features)
        worst = {name: np.where(np.isfinite(s), s, np.inf) for name, s in scores.items()}
        return {name: np.minimum(s, 1e300) for name, s in worst.items()}, notes

    return judge


def _sets(case: Case, rows: Rows) -> tuple[dict[str, Mapping[str, Rows]], list[tuple[str, str]]]:
    given = case.settings.get("ood")
    if given is not None:
        if not isinstance(given, Mapping) or set(given) - {"near", "far"} or not given:
            raise SettingError(
                f"ood = {given!r}", 'sets of rows by name under "near" and "far"', "Name at least one set"
            )
        return dict(given), []
    schema = case.table.schema
    made: dict[str, Mapping[str, Rows]] = {}
    not_done: list[tuple[str, str]] = []
    if schema.kind == "images" or len({c.source or c.name for c in schema.columns}) > 1:
        made["near"] = {"synthetic_mixed": sets.near(rows, schema, seed=case.seed)}
    else:
        not_done.append(("near rows", "one column alone has no combination that could be new"))
    if schema.kind == "images" or schema.numeric or schema.categorical or schema.series:
        made["far"] = {"synthetic_outside": sets.far(rows, schema, seed=case.seed)}
    else:
        not_done.append(("far rows", "texts are not made up; give a set of your own"))
    return made, not_done


def _sentences(found: list[Detection]) -> tuple[str, ...]:
    told = []
    for distance in ("near", "far"):
        some = [one for one in found if one.distance == distance]
        if not some:
            continue
        best = max(some, key=lambda one: one.auroc)
        kept = 100 * best.figures[3].value
        made = "made-up " if best.set.startswith("synthetic") else ""
        told.append(
            f"{made.capitalize()}{distance} strange rows: the best of {len(some)} scores ({best.score}) tells them "
            f"from known ones in {100 * best.auroc:.0f} of 100 pairs; at a threshold that keeps 95 of 100 known rows, "
            f"{kept:.0f} of 100 strange ones pass unnoticed."
        )
    return tuple(one[0].upper() + one[1:] for one in told)

"""``stream``: what each way to keep a model would have answered on data in order of time, and what it would have cost.

``OUT/stream.json``, schema 1:

=============  ========================================================================================
``metric``     ``accuracy`` or ``rmse``; ``better``: ``higher`` or ``lower``
``arms``       per way: ``value`` over all judged rows, ``gain`` against the static model with its interval,
               ``seconds`` of training and adapting, ``retrainings``, ``ms_per_row``, ``events``
``course``     ``rows`` and, per way, the metric in successive parts of the stream
``data``       rows read, rows the first model learned from, rows judged, the delay of the labels
``sentence``   the outcome in words; ``limits``: what it rests on
=============  ========================================================================================
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from temperance.data import read
from temperance.data.choices import AS_FOUND, Choices
from temperance.lifecycle.streaming.arms import Adapted, Alarmed, Arm, Persistence, Scheduled, Static
from temperance.lifecycle.streaming.learner import Learned, learn
from temperance.lifecycle.streaming.page import page
from temperance.records.atomic import write_text
from temperance.records.errors import DataError, SettingError, StudyError
from temperance.records.plain_json import dumps
from temperance.records.schema import Rows
from temperance.records.table import Table
from temperance.records.version import __version__

SCHEMA = 1
PARTS = 40  # of the course
BLOCKS = 20  # of successive rows, whose means give the interval
Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Plan:
    """How the stream is walked.

    Attributes:
        first: rows that the first model learns from; 0: a fifth of all, 200 to 5,000.
        delay: rows that pass until the truth of a row is known.
        every: labelled rows between trainings on a schedule; 0: an eighth of the stream.
        window: rows that a training uses at most.
        batch: rows that are answered at once.
        net: train the folded run beside the simple models.

    """

    first: int = 0
    delay: int = 0
    every: int = 0
    window: int = 5000
    batch: int = 32
    net: bool = True

    def __post_init__(self) -> None:
        if min(self.first, self.delay, self.every) < 0 or self.window < 100 or self.batch < 1:
            raise SettingError(
                f"first={self.first}, delay={self.delay}, every={self.every}, window={self.window}, batch={self.batch}",
                "first, delay and every from 0, window from 100, batch from 1", "Change them",
            )  # fmt: skip

    def settled(self, rows: int) -> Plan:
        """Return the plan with its counts for ``rows`` rows.

        Raises:
            DataError: too few rows for a first model and a stream.

        """
        first = self.first or min(5000, max(200, rows // 5))
        if rows < first + 200:
            raise DataError(
                f"{rows} rows, of which the first model learns {first}", "at least 200 rows to be judged after them",
                "Give more rows, or a smaller --first",
            )  # fmt: skip
        every = self.every or max(200, (rows - first) // 8)
        return Plan(first, self.delay, every, self.window, self.batch, self.net)


def stream(
    data: Any,
    *,
    target: str | None = None,
    time_column: str | None = None,
    out: str | Path,
    plan: Plan | None = None,
    task: str = "auto",
    seed: int = 0,
    device: str = "cpu",
    choices: Choices = AS_FOUND,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Walk through data in order of time and compare the ways to keep a model.

    Every row is answered before its truth is told. Columns and types are read from all rows, as a person who sets the
    stream up knows them; the models see earlier rows only.

    Args:
        data: anything that ``data.read`` takes.
        target: column to predict.
        time_column: column that orders the rows; None: as they stand.
        out: new folder for ``stream.json`` and ``stream.html``.
        plan: how the stream is walked.
        task: ``auto``, ``classification`` or ``regression``.
        seed: of all trainings.
        device: where nets are trained.
        choices: what the user decided about how the data are written.
        progress: told of every step.

    Raises:
        DataError: the data cannot be used, or are too few.
        StudyError: ``out`` holds a stream already.

    """
    place, began = Path(out), time.monotonic()
    if (place / "stream.json").exists() or (place.exists() and not place.is_dir()):
        raise StudyError(f"{str(out)!r} holds a stream, or is a file", "a new folder", "Choose another --out")
    say = progress or (lambda _: None)
    reading = read(data, target=target, task=task, time=time_column, choices=choices)
    table = _ordered(reading.table)
    settled = (plan or Plan()).settled(len(table))
    walk = _Walk(table, settled, seed, device, say, began)
    arms = walk.run()
    document = walk.document(arms, time_column)
    place.mkdir(parents=True, exist_ok=True)
    document |= {"folder": str(place), "page": str(place / "stream.html")}
    write_text(place / "stream.json", dumps(document, indent=1))
    write_text(place / "stream.html", page(document))
    return document


def _ordered(table: Table) -> Table:
    """Return the rows in order of time, equal times as they stand."""
    if table.time is None:
        return table
    return table.take(np.argsort(table.time, kind="stable"))


@dataclass(eq=False)
class _Walk:
    table: Table
    plan: Plan
    seed: int
    device: str
    say: Progress
    began: float

    def run(self) -> list[tuple[Arm, NDArray[Any]]]:
        """Return each arm with its answers for the judged rows."""
        plan, truth = self.plan, np.asarray(self.table.target)
        first = self._train(np.arange(plan.first))
        arms: list[Arm] = [
            Static(model=first),
            Scheduled(model=first, train=self._train, every=plan.every, window=plan.window, first=plan.first),
            Alarmed(model=first, train=self._train, wait=max(200, plan.window // 10), window=plan.window),
            Adapted(model=first),
            Persistence(known=truth, classes=len(self.table.schema.target.classes), delay=plan.delay),
        ]
        answers: list[list[NDArray[Any]]] = [[] for _ in arms]
        told = plan.first
        self.first_seconds = first.seconds
        for start in range(plan.first, len(self.table), plan.batch):
            index = np.arange(start, min(start + plan.batch, len(self.table)))
            rows = _plain(self.table.rows.take(index))
            known = np.arange(told, max(told, int(index[-1]) + 1 - plan.delay))
            told = max(told, int(index[-1]) + 1 - plan.delay)
            for arm, given in zip(arms, answers, strict=True):
                given.append(arm.answer(rows, index))
                if len(known):
                    arm.tell(known, truth[known])
            self._tell(start)
        return [(arm, np.concatenate(given)) for arm, given in zip(arms, answers, strict=True)]

    def _train(self, index: NDArray[np.int64]) -> Learned:
        self.say({"part": "train", "message": f"Training on {len(index):,} rows", **self._clock()})
        return learn(self.table.take(index), seed=self.seed, net=self.plan.net, device=self.device)

    def _tell(self, row: int) -> None:
        done = (row - self.plan.first) // self.plan.batch
        if done % 50 == 0:
            share = (row - self.plan.first) / (len(self.table) - self.plan.first)
            self.say({"part": "walk", "message": f"{100 * share:.0f} % of the stream", **self._clock()})

    def _clock(self) -> dict[str, Any]:
        return {"elapsed": round(time.monotonic() - self.began, 3), "left_seconds": None}

    def document(self, arms: list[tuple[Arm, NDArray[Any]]], time_column: str | None) -> dict[str, Any]:
        """Return what ``stream.json`` holds."""
        truth = np.asarray(self.table.target)[self.plan.first :]
        classify = bool(self.table.schema.target.classes)
        losses = {arm.name: _losses(answers, truth) for arm, answers in arms}
        rows = [self._row(arm, losses, classify) for arm, _ in arms]
        cuts = np.array_split(np.arange(len(truth)), min(PARTS, len(truth) // 20))
        course = {name: [_value(loss[cut], classify) for cut in cuts] for name, loss in losses.items()}
        metric = "accuracy" if classify else "rmse"
        return {
            "schema": SCHEMA, "temperance": __version__,
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "seed": self.seed,
            "metric": metric, "better": "higher" if classify else "lower",
            "sentence": _sentence(rows, metric), "arms": rows,
            "course": {"rows": [int(self.plan.first + cut[-1] + 1) for cut in cuts], **course},
            "data": {
                "name": self.table.name, "target": self.table.schema.target.name, "time": time_column,
                "rows": len(self.table), "first": self.plan.first, "judged": len(truth), "delay": self.plan.delay,
                "batch": self.plan.batch, "every": self.plan.every, "window": self.plan.window, "net": self.plan.net,
                "sha256": self.table.fingerprint,
            },
            "seconds": {"first_training": round(self.first_seconds, 3),
                        "whole": round(time.monotonic() - self.began, 3)},
            "limits": [
                "One stream, one seed: on another stretch of time the order may be another.",
                "Columns and types were read from all rows; the models saw earlier rows only.",
                f"Intervals are of {BLOCKS} successive parts of the stream; parts that hang together make them narrow.",
            ],
        }  # fmt: skip

    def _row(self, arm: Arm, losses: dict[str, NDArray[np.float64]], classify: bool) -> dict[str, Any]:
        own = losses[arm.name]
        gain, low, high = _paired(losses["static"], own)
        return {
            "arm": arm.name, "words": arm.words, "value": _value(own, classify),
            "gain": {"value": gain, "low": low, "high": high,
                     "unit": "share of answers" if classify else "mean squared error"},
            "seconds": round(arm.seconds, 3), "retrainings": arm.retrainings,
            "ms_per_row": round(1000 * arm.answering / len(own), 4),
            "events": [*arm.events, *_changes(arm)],
        }  # fmt: skip


def _plain(rows: Rows) -> Rows:
    """Return the rows with arrays in memory."""
    return Rows(*(None if part is None else np.asarray(part) for part in rows))  # type: ignore[arg-type]


def _losses(answers: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
    if answers.ndim == 2:
        return np.asarray(answers.argmax(axis=1) != truth, dtype=np.float64)
    return np.asarray((answers - truth) ** 2, dtype=np.float64)


def _value(losses: NDArray[np.float64], classify: bool) -> float:
    mean = float(losses.mean())
    return 1 - mean if classify else math.sqrt(mean)


def _paired(static: NDArray[np.float64], own: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean gain with a 95 % interval from the means of successive blocks (t with 19 degrees)."""
    parts = [float(part.mean()) for part in np.array_split(static - own, BLOCKS)]
    half = 2.093 * float(np.std(parts, ddof=1)) / math.sqrt(BLOCKS)
    mean = float((static - own).mean())
    return mean, mean - half, mean + half


def _changes(arm: Arm) -> list[dict[str, Any]]:
    """Return what the guard of an adapted model did."""
    if not isinstance(arm, Adapted) or arm.steward is None:
        return []
    logs = [arm.steward.log, *([] if arm.steward.unlabelled is None else [arm.steward.unlabelled.log])]
    return [{"row": e["row"], "event": e["event"], "why": e["reason"]} for log in logs for e in log.events]


def _sentence(rows: list[dict[str, Any]], metric: str) -> str:
    """Say which way did best, and whether more work paid against the model left as it is."""
    own = [row for row in rows if row["arm"] != "persistence"]
    best = max(own, key=lambda row: row["gain"]["value"])
    last = next(row for row in rows if row["arm"] == "persistence")
    name = metric.upper() if metric == "rmse" else metric
    if best["arm"] == "static" or best["gain"]["low"] <= 0:
        said = f"Nothing did clearly better than leaving the first model as it is ({name} {own[0]['value']:.4g})."
    else:
        said = (
            f"Best was “{best['words']}”: {name} {best['value']:.4g}, against {own[0]['value']:.4g} of the first model "
            f"left as it is."
        )
    if last["gain"]["value"] > best["gain"]["value"]:
        said += f" Repeating the last known truth does better than all of them ({last['value']:.4g})."
    return said

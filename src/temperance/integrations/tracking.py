"""A finished study as trackers take it: each trial with flat settings, its score, its readings and what it cost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import temperance.regularizers
import temperance.signals  # noqa: F401  # both fill their registries
from temperance.core.recipe import Recipe
from temperance.records.errors import StudyError
from temperance.study.events import Marked, Tried
from temperance.study.ledger import read_events
from temperance.study.results import natural

Plain = bool | int | float | str
ARTIFACTS = ("study.json", "report.html", "leaderboard.csv", "model_card.md", "dataset_card.md", "croissant.json",
             "annex_iv.md", "bundle")  # fmt: skip


@dataclass(frozen=True, eq=False)
class TrackedTrial:
    """One trial.

    Attributes:
        id: as in ``study.json``.
        name: plain words.
        status: ``done``, ``discarded``, ``failed`` or ``interrupted``.
        why: the reason, where it did not end well.
        spec: everything that decides its result, ``TrialSpec.to_dict()``.
        score: the metric that decides, on the selection rows; None unless it finished.
        readings: (share of the training, score on the selection rows there) in order, where it was read on the way.
        params: ``flat`` of recipe and training settings.
        metrics: figures by name: ``selection/…`` and ``cost/…``.

    """

    id: str
    name: str
    status: str
    why: str
    spec: dict[str, Any]
    score: float | None
    readings: tuple[tuple[float, float], ...]
    params: dict[str, Plain]
    metrics: dict[str, float]


@dataclass(frozen=True, eq=False)
class TrackedStudy:
    """A study that wrote its ``study.json``.

    Attributes:
        folder: where it lies.
        document: ``study.json``.
        trials: in their order; an ensemble comes last.

    """

    folder: Path
    document: dict[str, Any]
    trials: tuple[TrackedTrial, ...]

    @property
    def name(self) -> str:
        """Name of its data."""
        return str(self.document["data"]["name"])

    @property
    def metric(self) -> str:
        """Name of the metric that decided."""
        return str(self.document["metric"]["name"])

    @property
    def higher_is_better(self) -> bool:
        """Direction of that metric."""
        return bool(self.document["metric"]["better"] == "higher")

    @property
    def params(self) -> dict[str, Plain]:
        """What the study was asked to do and to what data."""
        row, data = self.document, self.document["data"]
        names = ("command", "seed", "device", "status", "temperance")
        told = {"data": data["name"], "sha256": data["sha256"], "rows": data["rows"], "task": data["task"]}
        told |= {"metric": self.metric, "winner": row["winner"]["trial"], "winner_name": self._winner_name()}
        return {**told, **{name: row[name] for name in names}}

    @property
    def metrics(self) -> dict[str, float]:
        """Figures of the model that ships: ``test/…``, ``served/…`` and the seconds of the study."""
        winner = self.document["winner"]
        found = {f"test/{name}": one.get("value") for name, one in winner["test"].items()}
        found |= {f"served/{name}": value for name, value in (winner.get("served") or {}).items()}
        found["seconds"] = self.document["budget"]["spent"].get("total")
        return numbers(found)

    @property
    def artifacts(self) -> tuple[Path, ...]:
        """What lies in the folder and is worth keeping: report, cards, bundle."""
        return tuple(path for name in ARTIFACTS if (path := self.folder / name).exists())

    def _winner_name(self) -> str:
        wanted = self.document["winner"]["trial"]
        return next((one.name for one in self.trials if one.id == wanted), wanted)


def opened(folder: Path) -> TrackedStudy:
    """Read a study folder.

    Raises:
        StudyError: there is no study, or it has not ended with a ``study.json``.

    """
    folder = Path(folder)
    events = read_events(folder / "ledger.jsonl")
    path = folder / "study.json"
    if not path.is_file():
        raise StudyError(
            f"the study in {folder} has no study.json: it has not ended yet", "a study that ended, early or in time",
            f"Go on with `temperance study --resume {folder}`",
        )  # fmt: skip
    document = json.loads(path.read_text(encoding="utf-8"))
    metric = document["metric"]["name"]
    tried = {str(event.spec["id"]): event for event in events if isinstance(event, Tried)}
    readings: dict[str, dict[float, float]] = {}
    for event in events:
        if isinstance(event, Marked) and event.loss is not None:
            readings.setdefault(event.trial, {})[event.fraction] = natural(event.loss, metric)
    rows = [_trial(row, tried.get(row["id"]), readings.get(row["id"], {}), metric) for row in document["trials"]]
    return TrackedStudy(folder, document, tuple(rows))


def _trial(row: Mapping[str, Any], tried: Tried | None, readings: Mapping[float, float], metric: str) -> TrackedTrial:
    spec = dict(tried.spec) if tried is not None else {key: row[key] for key in ("id", "name", "kind", "model")}
    known = (row["selection"].get(metric) or {}).get("value")
    figures = {f"selection/{name}": one.get("value") for name, one in row["selection"].items()}
    figures["selection/robustness"] = (row.get("robustness") or {}).get("value")
    figures |= {f"cost/{name}": value for name, value in row["cost"].items()}
    params: dict[str, Plain] = {"kind": row["kind"], "model": row["model"], "seed": row["seed"]}
    settings = row["settings"] if row["kind"] not in ("basic", "ensemble") else {}
    return TrackedTrial(
        row["id"], row["name"], row["status"], row["why"] or "", spec, None if known is None else float(known),
        tuple(sorted(readings.items())), {**params, **flat(row["recipe"], settings)}, numbers(figures),
    )  # fmt: skip


def flat(recipe: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> dict[str, Plain]:
    """Return a recipe and training settings as plain values by name: ``dropout.p``, ``weight_decay.rate``, ``lr``.

    ``recipe`` and ``settings`` are as ``Recipe.to_dict`` and ``TrainSettings.to_dict`` give them.
    """
    found: dict[str, Plain] = {name: value for name, value in settings.items() if isinstance(value, Plain)}
    if recipe is None:
        return found
    whole = Recipe.from_dict(recipe)
    found["techniques"] = ", ".join(whole.by_address) or "none"
    for address, one in whole.by_address.items():
        for field in fields(one):
            value = getattr(one, field.name)
            if value is not None:
                found[f"{address}.{field.name}"] = value if isinstance(value, Plain) else json.dumps(value)
    if whole.is_adaptive:
        found["controller"] = type(whole.controller).__name__
    return found


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return what is a finite number; trackers take nothing else."""
    found = {name: float(value) for name, value in values.items() if _is_number(value)}
    return {name: value for name, value in found.items() if abs(value) < float("inf")}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and value == value


def batches(items: Iterable[Any], size: int) -> list[list[Any]]:
    """Return the items in lists of at most ``size``."""
    whole = list(items)
    return [whole[start : start + size] for start in range(0, len(whole), size)]

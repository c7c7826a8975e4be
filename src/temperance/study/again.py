"""Continue an interrupted study, or run a finished one again and compare bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from temperance.records.errors import StudyError
from temperance.study.candidates import kept_candidates
from temperance.study.clock import LEAST_SECONDS, Budget
from temperance.study.ledger import read_ledger
from temperance.study.settings import StudySettings
from temperance.study.spec import TrialSpec
from temperance.study.study import Progress, Study


@dataclass(frozen=True)
class Replayed:
    """The outcome of a replay.

    Attributes:
        folder: the new study folder.
        identical: trials whose predictions on the selection rows are the same bit for bit.
        different: trials whose predictions differ.
        same_winner: the same trial was chosen.

    """

    folder: Path
    identical: tuple[str, ...]
    different: tuple[str, ...]
    same_winner: bool

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-safe fields."""
        return {
            "folder": str(self.folder),
            "identical": list(self.identical),
            "different": list(self.different),
            "same_winner": self.same_winner,
        }


def resume(folder: Path, *, budget: Budget | None = None, progress: Progress | None = None, **changed: Any) -> Path:
    """Continue the study in ``folder``: finished trials are kept, the time already spent counts.

    Raises:
        StudyError: no study there, or its data were given in memory.

    """
    settings, spent = _settings(folder)
    left = budget or _left(settings.budget, spent)
    return Study(replace(settings, out=folder, budget=left, **changed), progress=progress).run()


def replay(folder: Path, *, out: Path, progress: Progress | None = None, **changed: Any) -> Replayed:
    """Run every finished trial of ``folder`` again in ``out`` and compare.

    Raises:
        StudyError: no study there, its data were given in memory or have changed since.

    """
    settings, _ = _settings(folder)
    specs = finished_specs(folder)
    again = Study(
        replace(settings, out=out, budget=Budget(trials=max(1, len(specs))), **changed), progress=progress, replay=specs
    )
    again.run()
    was, now = _first(folder, "study"), _first(out, "study")
    if was["data"] != now["data"]:
        raise StudyError(
            f"the data of {folder} have changed since it ran", "a replay needs the same file", "Restore the file"
        )
    pairs = {spec.id: _same(folder, out, spec.id) for spec in specs}
    return Replayed(
        out,
        tuple(trial for trial, same in pairs.items() if same),
        tuple(trial for trial, same in pairs.items() if not same),
        _last(folder, "choice").get("winner") == _last(out, "choice").get("winner"),
    )


def finished_specs(folder: Path) -> list[TrialSpec]:
    """Return the finished trials of a study, in their order."""
    rows = read_ledger(folder / "ledger.jsonl")
    return [TrialSpec.from_dict(r["spec"]) for r in rows if r["event"] == "trial" and r["result"]["status"] == "done"]


def _settings(folder: Path) -> tuple[StudySettings, float]:
    row = _first(folder, "study")
    kept = row["settings"]
    if kept["data"] == "in memory" and not (folder / "work" / "data.json").exists():
        raise StudyError(
            "the data of this study were given in memory", "only a study of a file can be run again", "Start a new one"
        )
    rows = read_ledger(folder / "ledger.jsonl")
    spent = max((r["elapsed"] for r in rows if "elapsed" in r), default=0.0)
    names = ("target", "test", "task", "group", "time", "metric", "seed", "max_latency_ms", "max_bytes", "device",
             "workers", "suite", "command")  # fmt: skip
    budget = Budget(**kept["budget"])
    candidates = kept_candidates(kept.get("candidates", []), folder / "work")
    same = {name: kept[name] for name in names}
    return StudySettings(data=kept["data"], out=folder, budget=budget, candidates=candidates, **same), spent


def _left(budget: Budget, spent: float) -> Budget:
    if budget.seconds is None:
        return budget
    return Budget(seconds=max(LEAST_SECONDS, budget.seconds - spent))


def _first(folder: Path, event: str) -> dict[str, Any]:
    for row in read_ledger(folder / "ledger.jsonl"):
        if row["event"] == event:
            return row
    raise StudyError(f"the ledger of {folder} has no {event!r} line", "a study writes it first", "Give a study folder")


def _last(folder: Path, event: str) -> dict[str, Any]:
    rows = [row for row in read_ledger(folder / "ledger.jsonl") if row["event"] == event]
    return rows[-1] if rows else {}


def _same(first: Path, second: Path, trial: str) -> bool:
    name = Path("work") / "trials" / trial / "selection.npy"
    if not (first / name).exists() or not (second / name).exists():
        return False
    a, b = (np.load(folder / name, allow_pickle=False) for folder in (first, second))
    return bool(a.shape == b.shape and a.tobytes() == b.tobytes())

"""Continue an interrupted study, or run a finished one again and compare bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from temperance.records.errors import StudyError
from temperance.study.candidates import kept_candidates
from temperance.study.clock import Budget
from temperance.study.desk import Progress
from temperance.study.ledger import read_events
from temperance.study.settings import StudySettings
from temperance.study.spec import TrialSpec
from temperance.study.state import State
from temperance.study.study import Study, Then


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


def resume(
    folder: Path, *, budget: Budget | None = None, progress: Progress | None = None, then: Then | None = None,
    **changed: Any,
) -> Path:  # fmt: skip
    """Continue the study in ``folder``: its state is the fold of its ledger, and the time already spent counts.

    One that is complete is left as it is, unless a budget asks for more.

    Args:
        folder: of the study.
        budget: time from now on, or trials in all; None: what the study has left.
        progress: told of every step.
        then: see ``Study``.
        **changed: settings that are those of this session.

    Raises:
        StudyError: no study there, or its data were given in memory.

    """
    if is_complete(folder, budget=budget):
        return folder
    settings, spent = settings_of(folder)
    if budget is not None and budget.seconds is not None:
        budget = Budget(seconds=spent + budget.seconds)
    settings = replace(settings, out=folder, budget=budget or settings.budget, **changed)
    return Study(settings, progress=progress, then=then).run()


def is_complete(folder: Path, *, budget: Budget | None = None) -> bool:
    """Return whether a study has nothing left to do: it ended whole, and ``budget`` asks for no more.

    ``budget`` is in seconds from now on, or trials in all; see ``resume``.

    Raises:
        StudyError: no study there.

    """
    state = fold(folder)
    if state.status != "complete" or state.failed or not (folder / "study.json").exists():
        return False
    if budget is None or budget.runs is not None:
        return True
    return budget.trials is not None and budget.trials <= len(state.trials)


def replay(folder: Path, *, out: Path, progress: Progress | None = None, **changed: Any) -> Replayed:
    """Run every finished trial of ``folder`` again in ``out`` and compare.

    Raises:
        StudyError: no study there, its data were given in memory or have changed since.

    """
    settings, _ = settings_of(folder)
    specs = finished_specs(folder)
    again = Study(
        replace(settings, out=out, budget=Budget(trials=max(1, len(specs))), **changed), progress=progress, replay=specs
    )
    again.run()
    was, now = fold(folder), fold(out)
    if was.data != now.data:
        raise StudyError(
            f"the data of {folder} have changed since it ran", "a replay needs the same file", "Restore the file"
        )
    pairs = {spec.id: _same(folder, out, spec.id) for spec in specs}
    return Replayed(
        out,
        tuple(trial for trial, same in pairs.items() if same),
        tuple(trial for trial, same in pairs.items() if not same),
        was.choice is not None and now.choice is not None and was.choice.winner == now.choice.winner,
    )


def repeat(
    folder: Path, trial: str, *, out: Path, data: Any = None, test: Any = None, progress: Progress | None = None
) -> Path:
    """Run one finished trial of ``folder`` again in ``out`` and return the file of its answers on the selection rows.

    Args:
        folder: with the ledger of the study; nothing else of it is read.
        trial: id of the trial.
        out: a new folder.
        data: what to run it on; None: what the study names.
        test: the second file; None: what the study names.
        progress: told of every step.

    Raises:
        StudyError: no such finished trial, or the data are not those of the study.

    """
    settings, _ = settings_of(folder)
    specs = [spec for spec in finished_specs(folder) if spec.id == trial]
    if not specs:
        raise StudyError(f"there is no finished trial {trial!r}", "one of the ledger", "Look into leaderboard.csv")
    given = {name: value for name, value in (("data", data), ("test", test)) if value is not None}
    again = replace(settings, out=out, budget=Budget(trials=1), audit=False, bundle=False, **given)
    Study(again, progress=progress, replay=specs).run()
    if fold(folder).data != fold(out).data:
        raise StudyError(
            "these data are not those of the study: their SHA-256 differs", f"{fold(folder).data}", "Give the same file"
        )
    return out / "work" / "trials" / trial / "selection.npy"


def fold(folder: Path) -> State:
    """Return the state of the study in ``folder``."""
    return State.fold(read_events(folder / "ledger.jsonl"))


def finished_specs(folder: Path) -> list[TrialSpec]:
    """Return the finished trials of a study, in their order."""
    return [r.spec for r in fold(folder).trials if r.status == "done"]


def settings_of(folder: Path) -> tuple[StudySettings, float]:
    """Return the settings of the latest session and the seconds of all.

    Raises:
        StudyError: the ledger has no study, or its data were given in memory.

    """
    state = fold(folder)
    kept = dict(state.settings)
    if not kept:
        raise StudyError(
            f"the ledger of {folder} has no 'study' line", "a study writes it first", "Give a study folder"
        )
    if kept["data"] == "in memory" and not (folder / "work" / "data.json").exists():
        raise StudyError(
            "the data of this study were given in memory", "only a study of a file can be run again", "Start a new one"
        )
    known = {f.name for f in fields(StudySettings)}
    row = {name: value for name, value in kept.items() if name in known}
    candidates = kept_candidates(kept.get("candidates", []), folder / "work")
    given = {**row, "out": folder, "budget": Budget(**kept["budget"]), "candidates": candidates}
    return StudySettings(**given), state.spent


def _same(first: Path, second: Path, trial: str) -> bool:
    name = Path("work") / "trials" / trial / "selection.npy"
    if not (first / name).exists() or not (second / name).exists():
        return False
    a, b = (np.load(folder / name, allow_pickle=False) for folder in (first, second))
    return bool(a.shape == b.shape and a.tobytes() == b.tobytes())

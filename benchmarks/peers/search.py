"""Tune one boosting library within so many seconds of CPU: TPE, folds or held rows by price, refit on all rows.

The library is a ``Library``: how it fits with a stop, how it refits, its space and the settings it starts from. The
clock is the process's own CPU time, everything included (imports, search, refit), so that a busy machine takes nothing
from a peer. A setting is marked at its best number of rounds; a fit is cut off where its refit would no longer fit.
"""

from __future__ import annotations

import importlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Data = dict[str, Any]
Settings = dict[str, Any]
Stop = Callable[[], bool]
FOLDS = 5
GROWTH = 1.3  # a refit has 5/4 of the rows of a fit, and scores nothing
MOST_ROUNDS = 3000


class Library(ABC):
    """What the search needs of a boosting library; ``rows`` are numbers, then category codes (NaN: missing)."""

    module: str  # imported before the first fit is priced

    def __init__(self, data: Data) -> None:
        importlib.import_module(self.module)
        self.data, self.y = data, data["y"]
        codes = data["c"].astype(np.float64)
        wide = np.array([data["c"][:, i].max(initial=0) > 254 for i in range(codes.shape[1])], bool)
        self.categorical = np.r_[np.zeros(data["x"].shape[1], bool), ~wide]
        self.rows, self.test = (table(data, part) for part in ("", "_test"))

    @abstractmethod
    def starts(self) -> list[Settings]:
        """Return the settings that are tried before the search proposes any."""

    @abstractmethod
    def draw(self, trial: Any) -> Settings: ...

    @abstractmethod
    def curve(self, settings: Settings, fit: np.ndarray, check: np.ndarray, stop: Stop) -> np.ndarray:
        """Return the loss on the rows ``check`` after each round; end early where it rises, or ``stop()`` says so."""

    @abstractmethod
    def answer(self, settings: Settings, rounds: int) -> np.ndarray:
        """Train on all rows and return probabilities or values for the test rows."""

    def patience(self, settings: Settings) -> int:
        return 25 if settings["learning_rate"] >= 0.08 else 60

    def full(self, found: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Return probabilities with a column for each class, seen or not."""
        out = np.zeros((len(found), self.data["classes"]))
        out[:, classes.astype(int)] = found
        return out


def table(data: Data, part: str) -> np.ndarray:
    codes = data["c" + part].astype(np.float64)
    codes[codes < 0] = np.nan
    return np.hstack([data["x" + part], codes])


def folds_of(data: Data) -> list[tuple[np.ndarray, np.ndarray]]:
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = KFold if data["regression"] else StratifiedKFold
    folds = kind(FOLDS, shuffle=True, random_state=data["seed"])
    return [(fit, check) for fit, check in folds.split(np.zeros(len(data["y"])), data["y"])]


@dataclass
class Mark:
    """A setting that was tried: its loss, the rounds that reached it, what a refit is reckoned to take."""

    loss: float
    settings: Settings
    rounds: int
    refit_seconds: float
    first_fold: float


class Search:
    """One search; ``run`` returns the answers and what was tried."""

    def __init__(self, library: Library, seconds: float) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(seed=library.data["seed"], multivariate=True, n_startup_trials=8)
        self.study = optuna.create_study(sampler=sampler)
        for settings in library.starts():
            self.study.enqueue_trial(settings)
        self.library, self.seconds, self.folds = library, seconds, folds_of(library.data)
        self.best: Mark | None = None
        self.used, self.tried, self.took = 0, 0, []  # used: folds of a setting; 0: not priced yet

    def late(self, own: float) -> bool:
        """Return whether the refit of the best, or one of ``own`` seconds, would end after the budget."""
        reserve = max(self.best.refit_seconds if self.best else 0.0, own)
        return time.process_time() + reserve > 0.98 * self.seconds

    def open(self) -> bool:
        """Return whether half of a usual setting still fits before the refit of the best."""
        return time.process_time() + self.best.refit_seconds + 0.5 * float(np.median(self.took)) < 0.98 * self.seconds

    def fold(self, settings: Settings, number: int) -> tuple[np.ndarray, float, bool]:
        began, cut = time.process_time(), False

        def stop() -> bool:
            nonlocal cut
            cut = cut or self.late(GROWTH * (time.process_time() - began))
            return cut

        curve = self.library.curve(settings, *self.folds[number], stop)
        return curve, time.process_time() - began, cut

    def mark(self, settings: Settings) -> tuple[Mark | None, float]:
        """Try one setting on the folds; None where the time ended before all of them were read."""
        curve, seconds, cut = self.fold(settings, 0)
        curves, rise = [curve], float(curve.min())
        if not self.used:
            left = self.seconds - time.process_time()
            self.used = next((n for n in (FOLDS, 3) if n * seconds * 6 <= left), 1)
        if self.used > 1 and self.best and rise > self.best.first_fold * 1.15:
            return None, rise  # far off on the first fold: no second look
        for number in range(1, self.used):
            if cut and self.best:
                return None, rise
            if cut:
                break  # the first setting always leaves a mark, of the folds and rounds it reached
            more, took, cut = self.fold(settings, number)
            curves, seconds = [*curves, more], max(seconds, took)
        length = max(map(len, curves))
        mean = np.mean([np.r_[c, np.full(length - len(c), c[-1])] for c in curves], axis=0)
        rounds = int(mean.argmin()) + 1
        share = rounds / max(length, 1)
        return Mark(float(mean.min()), settings, rounds, GROWTH * seconds * share, rise), float(mean.min())

    def run(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        while self.best is None or self.open():
            trial, began = self.study.ask(), time.process_time()
            found, told = self.mark(self.library.draw(trial))
            self.study.tell(trial, told)
            self.tried += 1
            self.took = [*self.took, time.process_time() - began][-20:]
            if found and (self.best is None or found.loss < self.best.loss):
                self.best = found
        searched = time.process_time()
        answers = {"p": self.library.answer(self.best.settings, self.best.rounds)}
        return answers, {
            "tried": self.tried, "folds": self.used, "search_cpu_seconds": round(searched, 1),
            "rounds": self.best.rounds, "held_out_loss": self.best.loss, **self.best.settings,
        }  # fmt: skip

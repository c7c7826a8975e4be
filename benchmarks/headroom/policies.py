"""What each policy would have shipped, from the answers of one cell's trainings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from benchmarks.headroom.train import READINGS, Answers, Run
from numpy.typing import NDArray

Array = NDArray[np.float64]
BEST, BAGS, PICKS, KEPT = 60, 8, 12, 6  # of the weighing: candidates, bags, picks in a bag, entries that stay
HEATS = np.exp(np.linspace(-1.0, 1.5, 21))
Score = tuple[float, float]  # test loss, accuracy (of numbers: NaN)


@dataclass(frozen=True)
class Judge:
    """Losses of answers: cross-entropy for classes, squared error of standardized numbers."""

    held: NDArray[np.generic]
    test: NDArray[np.generic]
    classes: int

    def each(self, answers: Answers, truth: NDArray[np.generic]) -> Array:
        """Return the loss of every row, (…, rows)."""
        if not self.classes:
            return (answers[..., 0].astype(np.float64) - truth) ** 2
        right = answers[..., np.arange(len(truth)), truth.astype(int)]
        return -np.log(np.clip(right.astype(np.float64), 1e-7, 1.0))

    def score(self, answers: Answers) -> Score:
        """Return the test loss and the accuracy of answers on the test rows."""
        loss = float(self.each(answers, self.test).mean())
        right = float((answers.argmax(-1) == self.test).mean()) if self.classes else float("nan")
        return loss, right

    def held_losses(self, run: Run) -> Array:
        """Return the held-out loss at each reading."""
        return self.each(run.held, self.held).mean(-1)

    def held_right(self, run: Run) -> Array:
        """Return the held-out accuracy at each reading; of numbers the negative loss."""
        right: Array = (run.held.argmax(-1) == self.held).mean(-1) if self.classes else -self.held_losses(run)
        return right

    def most_right(self, runs: Sequence[Run]) -> tuple[int, int]:
        """Return the (training, reading) of the best held-out accuracy; the loss decides between equals."""
        right, loss = (np.array([f(run) for run in runs]) for f in (self.held_right, self.held_losses))
        training, reading = np.unravel_index(np.lexsort((loss.ravel(), -right.ravel()))[0], loss.shape)
        return int(training), int(reading)

    def refined(self, run: Run) -> tuple[int, float]:
        """Return the reading whose held-out loss after a temperature is least, and that temperature."""
        if not self.classes:
            return int(self.held_losses(run).argmin()), 1.0
        losses = np.array([self.each(tempered(run.held, heat), self.held).mean(-1) for heat in HEATS])
        heat, reading = np.unravel_index(losses.argmin(), losses.shape)
        return int(reading), float(HEATS[heat])


def tempered(answers: Answers, heat: float) -> Answers:
    """Return the softmax of the logits divided by ``heat``."""
    powers = np.clip(answers, 1e-30, 1.0) ** (1.0 / heat)
    calmed: Answers = powers / powers.sum(-1, keepdims=True)
    return calmed


def mean(scores: Sequence[Score]) -> Score:
    """Return the geometric mean of losses and the mean of accuracies."""
    losses, right = zip(*scores, strict=True)
    return float(np.exp(np.mean(np.log(losses)))), float(np.mean(right))


def of_one(judge: Judge, run: Run) -> dict[str, Score]:
    """Return what one training gives, by how it is ended; it holds for the default and for rules alike."""
    held = judge.held_losses(run)
    best = np.argsort(held, kind="stable")
    refined, heat = judge.refined(run)
    return {
        "last": judge.score(run.test[-1]),
        "stopped": judge.score(run.test[best[0]]),
        "stopped by accuracy": judge.score(run.test[judge.most_right([run])[1]]),
        "stopped, calibrated": judge.score(tempered(run.test[refined], heat) if judge.classes else run.test[refined]),
        "answers averaged": judge.score(run.test[READINGS // 2 :].mean(0)),
        "answers averaged, best three": judge.score(run.test[best[:3]].mean(0)),
        "weights averaged": judge.score(run.soup),
    }


def of_many(judge: Judge, runs: Sequence[Run]) -> dict[str, Score]:
    """Return what twelve trainings give together, whether they differ in strengths or in the seed alone."""
    held = np.array([judge.held_losses(run) for run in runs])
    tests = np.array([judge.each(run.test, judge.test).mean(-1) for run in runs])
    stops = held.argmin(1)
    stopped = tests[np.arange(len(runs)), stops]
    exact = judge.most_right(runs)
    chosen = np.unravel_index(held.argmin(), held.shape)
    return {
        "hindsight": judge.score(runs[int(tests[:, -1].argmin())].test[-1]),
        "hindsight, stopped": judge.score(runs[int(stopped.argmin())].test[stops[int(stopped.argmin())]]),
        "hindsight by accuracy": max(
            (judge.score(run.test[-1]) for run in runs), key=lambda s: (s[1] if judge.classes else 0.0, -s[0])
        ),
        "chosen": judge.score(runs[int(held[:, -1].argmin())].test[-1]),
        "chosen, stopped": judge.score(runs[int(chosen[0])].test[int(chosen[1])]),
        "chosen by accuracy, stopped": judge.score(runs[exact[0]].test[exact[1]]),
        "plain mean": judge.score(np.mean([run.test[-1] for run in runs], 0)),
        "plain mean, each stopped": judge.score(np.mean([r.test[s] for r, s in zip(runs, stops, strict=True)], 0)),
        "weighed": judge.score(_weighed(judge, runs, held)),
    }


def _weighed(judge: Judge, runs: Sequence[Run], losses: Array) -> Answers:
    """Return the answers of a bagged forward selection over (training, reading) on held-out rows."""
    order = np.argsort(losses, axis=None, kind="stable")[:BEST]
    places = [np.unravel_index(i, losses.shape) for i in order]
    held = np.stack([runs[int(r)].held[int(t)] for r, t in places])
    rows = np.arange(len(judge.held))
    known = held[:, rows, judge.held.astype(int)] if judge.classes else held[..., 0]
    rng, weight = np.random.default_rng(0), np.zeros(len(places))
    for _ in range(BAGS):
        bag = rng.choice(len(rows), len(rows))
        some, truth, total = known[:, bag].astype(np.float64), judge.held[bag], np.zeros(len(bag))
        for pick in range(PICKS):
            mixed = (total + some) / (pick + 1)
            loss = -np.log(np.clip(mixed, 1e-7, 1.0)) if judge.classes else (mixed - truth) ** 2
            taken = int(loss.mean(1).argmin())
            total += some[taken]
            weight[taken] += 1
    weight[np.argsort(-weight, kind="stable")[KEPT:]] = 0
    weight /= weight.sum()
    answers: Answers = sum(w * runs[int(r)].test[int(t)] for w, (r, t) in zip(weight, places, strict=True) if w)
    return answers

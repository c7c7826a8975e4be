"""What folded runs give away about their rows, and whether their own banks are good enough as reference models.

    python benchmarks/leakage.py [--seeds 2] [--out benchmarks/records/leakage.json]

Two made-up sets (five classes with little signal; two classes, 15 % of the labels wrong), 500 learned rows and 1,000
others. Each recipe is trained as a folded run and shipped in two ways: as the study ships it (a mixture that stopped
where held-out answers were best) and its last moment alone. Attacked by the loss, and by LiRA and RMIA with the banks
of the same run, and, as a check of that choice, with the banks of a run with another seed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from temperance.data import read, save_roles
from temperance.evaluation.privacy import attacks
from temperance.evaluation.privacy.leakage import leakage
from temperance.evaluation.privacy.signals import chances, margins
from temperance.models.mixture import Pick
from temperance.records.roles import Roles
from temperance.records.version import __version__
from temperance.study import folded
from temperance.study.membership import membership
from temperance.study.readings import Readings
from temperance.study.runner import Runner
from temperance.study.spec import TrialSpec
from temperance.study.store import save_table

LEARNED, OTHERS, FOLDS = 500, 1000, 5
SETTINGS = {"epochs": 20.0, "batch_size": 64, "lr": 0.01}
RECIPES: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "dropout 0.5": [{"name": "Dropout", "p": 0.5}],
    "label smoothing 0.1": [{"name": "LabelSmoothing", "eps": 0.1}],
}


def made(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and labels of a made-up set."""
    g = np.random.default_rng(seed)
    n = LEARNED + OTHERS
    if name == "five classes":
        centres = g.normal(size=(5, 20))
        y = g.integers(0, 5, n)
        return 0.35 * centres[y] + g.normal(size=(n, 20)), y
    x = g.normal(size=(n, 10))
    y = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype(int)
    return x, np.where(g.random(n) < 0.15, 1 - y, y)


def bench(folder: Path, name: str, seed: int) -> Runner:
    """Return a workbench whose first rows are learned in five folds and whose others are the test."""
    table = read(made(name, seed)).table
    rows = np.random.default_rng(seed).permutation(len(table))
    learned, test = np.sort(rows[:LEARNED]), np.sort(rows[LEARNED:])
    parts = np.random.default_rng(seed + 1).permutation(LEARNED) % FOLDS
    folds = tuple((learned[parts != f], learned[parts == f]) for f in range(FOLDS))
    none = np.empty(0, dtype=np.int64)
    save_table(table, folder / "table")
    save_roles(Roles(learned, none, none, none, test, folds, "made up"), folder / "roles.npz")
    return Runner(folder)


def shipped(runner: Runner, recipe: list[dict[str, Any]], seed: int, *, last: bool) -> Any:
    """Train a folded run and return what ships."""
    spec = TrialSpec("t000", "run", "folded", "Tabular", {"regularizers": recipe}, SETTINGS, seed=seed, slots=({}, {}))
    mixture = Readings.mixture

    def ending(self: Readings, task: str) -> Any:
        found = mixture(self, task)
        return replace(found, picks=[Pick(len(self.fractions) - 1, 0, 1.0)]) if last else found

    Readings.mixture = ending  # type: ignore[method-assign]
    try:
        with tempfile.TemporaryDirectory() as scratch:
            return folded.run(runner, spec, Path(scratch)).fitted
    finally:
        Readings.mixture = mixture  # type: ignore[method-assign]


def by_another_run(runner: Runner, target: Any, other: Any, seed: int) -> list[dict[str, Any]]:
    """Attack with the banks of a run of another seed as references: nothing of them is in the attacked model."""
    roles, table = runner.roles, runner.table
    rows = np.concatenate([roles.development, roles.test])
    drawn = np.random.default_rng(seed).integers(0, FOLDS, len(roles.test))
    own, truth = np.concatenate([roles.parts, drawn]), table.target[rows]
    reference = np.empty((len(rows), table.schema.target.outputs))
    for bank in range(FOLDS):
        chosen = np.flatnonzero(own == bank)
        reference[chosen] = folded.of_one_bank(other.predictor, bank).predict(table.rows.take(rows[chosen]))
    answers, out = target.predictor.predict(table.rows.take(rows)), np.zeros((1, len(rows)), dtype=bool)
    member = np.arange(len(rows)) < len(roles.development)
    scores = {
        "lira": attacks.lira(margins(answers, truth), margins(reference, truth)[None], out),
        "rmia": attacks.rmia(chances(answers, truth), chances(reference, truth)[None], out),
    }
    return [leakage(name, score, member).to_dict() for name, score in scores.items()]


def row(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return area and rates of each attack."""
    told = {}
    for one in found:
        rates = {f"tpr@{r['at']:g}": [round(r[key], 4) for key in ("value", "low", "high")] for r in one["rates"]}
        told[one["attack"]] = {"auc": round(one["auc"]["value"], 4), "verdict": one["verdict"], **rates}
    return told


def cell(name: str, recipe: str, seed: int) -> list[dict[str, Any]]:
    """Return the figures of one set, recipe and seed, for both ways to ship."""
    rows = []
    for last in (False, True):
        with tempfile.TemporaryDirectory() as scratch:
            runner = bench(Path(scratch), name, seed)
            nets = [shipped(runner, RECIPES[recipe], seed + extra, last=last) for extra in (0, 100)]
            started = time.perf_counter()
            found = membership(runner, nets[:1], nets[0].predictor, runner.roles.development, seed=seed)
            seconds = time.perf_counter() - started
            test = runner.roles.test
            answers = nets[0].predictor.predict(runner.table.rows.take(test))
            right = float((answers.argmax(1) == runner.table.target[test]).mean())
            learned = nets[0].predictor.predict(runner.table.rows.take(runner.roles.development)).argmax(1)
            rows.append({
                "set": name, "recipe": recipe, "seed": seed, "ships": "last moment" if last else "mixture",
                "accuracy": {"learned": float((learned == runner.table.target[runner.roles.development]).mean()),
                             "others": right},
                "own banks": row(found["attacks"]), "seconds": round(seconds, 3),
                "banks of another run": row(by_another_run(runner, *nets, seed)),
            })  # fmt: skip
    return rows


def main() -> None:
    """Run all cells and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--sets", nargs="*", default=["five classes", "two classes, 15 % wrong"])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/records/leakage.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    cells: list[dict[str, Any]] = []
    for name in given.sets:
        for recipe in RECIPES:
            for seed in range(given.seeds):
                cells += cell(name, recipe, seed)
                write(given, cells)  # as it goes: what was measured is kept where the machine is needed


def write(given: argparse.Namespace, cells: list[dict[str, Any]]) -> None:
    """Write the record."""
    words = ["python", "benchmarks/leakage.py", "--seeds", str(given.seeds), "--sets", *given.sets]
    record = {
        "command": shlex.join(words), "temperance": __version__,
        "torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1), "half": "made-up sets only; no development set was used",
        "learned": LEARNED, "others": OTHERS, "folds": FOLDS, "settings": SETTINGS, "cells": cells,
    }  # fmt: skip
    given.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()

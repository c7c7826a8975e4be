"""Champions that are made in a second, without worker processes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import temperance.regularizers
import temperance.signals  # noqa: F401
from temperance.data import read, save_roles, split
from temperance.lifecycle.champion import Champion
from temperance.study import finish, jobs
from temperance.study.runner import Runner
from temperance.study.spec import TrialSpec
from temperance.study.store import save_table

LINEAR = TrialSpec("t001", "linear", "basic", "Linear")
NET = TrialSpec(
    "t002", "small net", "cocktail", "plain",
    {"regularizers": [{"name": "WeightDecay", "rate": 0.01}], "controller": {"name": "Curriculum"}},
    {"epochs": 4.0, "batch_size": 64, "lr": 1e-2, "curve": "flat_cos", "beta2": 0.99}, adaptive=True,
)  # fmt: skip


def table(rows: int, *, seed: int = 0, flip: bool = False, words: tuple[str, ...] = ("a", "b")) -> dict[str, Any]:
    """Return columns ``x0``, ``x1``, ``c`` and ``y``; ``flip`` turns the relation round."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2))
    c = rng.integers(0, len(words), size=rows)
    score = 2 * x[:, 0] + (c == 0) + 0.5 * rng.normal(size=rows)
    label = (score > 0.5) ^ flip
    return {"x0": x[:, 0], "x1": x[:, 1], "c": [words[i] for i in c], "y": ["yes" if k else "no" for k in label]}


def make_bundle(work: Path, data: Any, members: list[tuple[float, TrialSpec]], *, target: str = "y") -> Path:
    """Fit members on data and export them as a study does."""
    found = read(data, target=target).table
    roles = split(found, seed=0)
    save_table(found, work / "table")
    save_roles(roles, work / "roles.npz")
    runner = Runner(work)
    chosen, answers = {}, []
    for weight, spec in members:
        event = jobs.trial(runner, {"spec": spec.to_dict(), "robustness": False}, lambda event: {"continue": True})
        chosen[spec.id] = event["chosen"]
        settled = spec.changed(settings=event["chosen"]) if spec.kind == "basic" else spec
        finish.refit(runner, {"spec": settled.to_dict()}, lambda event: {})
        answers.append(weight * np.load(work / "trials" / spec.id / "selection.npy"))
    np.save(work / "out_of_fold.npy", np.sum(answers, axis=0))
    regression = found.schema.target.task == "regression"
    job = {
        "members": [spec.to_dict() for _, spec in members], "weights": [weight for weight, _ in members], "seed": 0,
        "name": "first", "seconds": 0.0, "out_of_fold": "out_of_fold.npy", "bundle": str(work / "bundle"),
        "recipe": {"trial": "t", "members": [{"weight": w, **spec.to_dict()} for w, spec in members], "fraction": 1.0,
                   "traces": [], "chosen": chosen, "metric": "rmse" if regression else "log_loss", "seed": 0},
        "details": {"data": found.fingerprint},
    }  # fmt: skip
    finish.finish(runner, job, lambda event: {})
    return work / "bundle"


@pytest.fixture(scope="session")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a linear classifier of ``table(600)``."""
    return make_bundle(tmp_path_factory.mktemp("linear"), table(600), [(1.0, LINEAR)])


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a net and a linear model."""
    return make_bundle(tmp_path_factory.mktemp("pair"), table(600), [(0.5, LINEAR), (0.5, NET)])


@pytest.fixture
def champion(pair: Path) -> Champion:
    """The pair, opened."""
    from temperance.lifecycle.champion import open_champion

    return open_champion(pair)


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """What tests make champions and data of."""
    return SimpleNamespace(LINEAR=LINEAR, NET=NET, make_bundle=make_bundle, table=table)


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A finished study of three trials of a file, with its papers."""
    import time

    from temperance.lifecycle.papers import write_papers
    from temperance.records.plain_json import dumps
    from temperance.study.clock import Budget
    from temperance.study.settings import StudySettings
    from temperance.study.study import Study

    place = tmp_path_factory.mktemp("private-place")
    columns = table(160)
    file = place / "rows.csv"
    lines = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    file.write_text("\n".join([",".join(columns), *lines]) + "\n")
    settings = StudySettings(
        str(file), "y", place / "study", Budget(trials=3), workers=1, started=time.monotonic(), licence="CC-BY-4.0",
        command=f"temperance study {file} --target y --out {place / 'study'}",
    )  # fmt: skip
    folder = Study(settings).run()
    document = json.loads((folder / "study.json").read_text())
    write_papers(folder, document)
    (folder / "study.json").write_text(dumps(document, indent=1))
    return SimpleNamespace(folder=folder, file=file, document=document, place=place)

"""A small table, a bundle of a linear model of it, and a study that is made up, for the tests of the command line."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from temperance.cli import main
from temperance.testing.study_example import study_example


def lines_of(task: str, rows: int = 240, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2)).round(4)
    colour = random.choice(["red", "green"], rows)
    score = x[:, 0] + (colour == "red") + random.normal(size=rows) * 0.2
    answer = (score * 100).round(2) if task == "regression" else np.where(score > 0.5, "=yes", "no")
    head = ["size,weight,colour,answer"]
    return head + [f"{a},{b},{c},{y}" for (a, b), c, y in zip(x, colour, answer, strict=True)]


def bundle_of(folder, task: str):
    from temperance.data import read
    from temperance.deployment import Interval, basic_part, write_bundle
    from temperance.models.basic import BASIC

    table = folder / "table.csv"
    table.write_text("\n".join(lines_of(task)) + "\n")
    reading = read(table, target="answer").table
    name = next(one for one in BASIC if one.lower() == "linear")
    half = slice(0, 120), slice(120, 240)
    fitted = BASIC[name]().fit(
        reading.rows.take(half[0]), reading.target[half[0]], schema=reading.schema,
        valid=(reading.rows.take(half[1]), reading.target[half[1]]), seed=0,
    )  # fmt: skip
    predictor = SimpleNamespace(schema=reading.schema, predict=fitted.predict)
    residuals = reading.target[half[1]] - fitted.predict(reading.rows.take(half[1])) if task == "regression" else None
    write_bundle(
        folder / "bundle", part=basic_part(fitted, reading.schema), schema=reading.schema, predictor=predictor,
        rows=reading.rows.take(half[1]), interval=None if residuals is None else Interval.of(residuals),
    )  # fmt: skip
    return SimpleNamespace(folder=folder / "bundle", table=table)


@pytest.fixture(scope="session")
def classes(tmp_path_factory):
    """A bundle that tells two classes apart, one of them named like a formula."""
    return bundle_of(tmp_path_factory.mktemp("classes"), "classification")


@pytest.fixture(scope="session")
def values(tmp_path_factory):
    """A bundle that predicts a number."""
    return bundle_of(tmp_path_factory.mktemp("values"), "regression")


@pytest.fixture
def temperance(capsys):
    """Run a command; gives its exit status and what it printed, and the JSON value where it printed one."""

    def run(*words):
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        value = json.loads(out) if "--json" in words and out.strip() else None
        return SimpleNamespace(status=status, out=out, err=err, json=value)

    return run


@pytest.fixture
def made_up(monkeypatch):
    """Put a study in place of the real one that writes a made-up ``study.json`` and tells its settings."""
    seen = SimpleNamespace(settings=[], raises=None, status="complete")

    class Study:
        def __init__(self, settings, *, progress=None, replay=None, then=None):
            self.settings, self.progress, self.then = settings, progress, then
            seen.settings.append(settings)

        def run(self):
            folder = self.settings.out
            folder.mkdir(parents=True, exist_ok=True)
            trial = {"event": "trial", "spec": {"id": "t000"}, "result": {"status": "done"}}
            (folder / "ledger.jsonl").write_text(json.dumps(trial) + "\n")
            event = {
                "part": "search",
                "done": 1,
                "left_seconds": 5.0,
                "elapsed": 5.0,
                "message": "one",
                "metric": "rmse",
            }
            self.progress({**event, "best": {"name": "plain net", "quality": 0.5}})
            if seen.raises is not None:
                raise seen.raises
            document = study_example(status=seen.status)
            (folder / "study.json").write_text(json.dumps(document))
            self.then(folder)
            return folder

    import temperance.study.study as home

    monkeypatch.setattr(home, "Study", Study)
    return seen

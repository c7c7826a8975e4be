"""A small table, its workbench, and one finished study that many tests read."""

import time

import numpy as np
import pytest

from temperance.data import read, save_roles, split
from temperance.study.bench import Bench
from temperance.study.clock import Budget
from temperance.study.settings import StudySettings
from temperance.study.store import save_table
from temperance.study.study import Study


def write_csv(path, rows=160, seed=0):
    """Write two informative numbers, noise and a category; the answer is yes or no."""
    rng = np.random.default_rng(seed)
    a, b, noise = rng.normal(size=(3, rows))
    colour = rng.choice(["red", "green", "blue"], rows)
    score = 1.5 * a - b + (colour == "red") + 0.5 * rng.normal(size=rows)
    lines = ["a,b,noise,colour,answer"]
    lines += [
        f"{x:.4f},{y:.4f},{z:.4f},{c},{'yes' if s > 0.3 else 'no'}"
        for x, y, z, c, s in zip(a, b, noise, colour, score, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def csv_file(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("data") / "rows.csv")


@pytest.fixture(scope="session")
def bench(csv_file, tmp_path_factory):
    """A workbench on the small table, with folds."""
    work = tmp_path_factory.mktemp("work")
    table = read(csv_file, target="answer").table
    save_table(table, work / "table")
    save_roles(split(table, seed=0), work / "roles.npz")
    return Bench(work)


@pytest.fixture(scope="session")
def large_bench(tmp_path_factory):
    """A workbench on enough rows for controller, selection and calibration rows."""
    work = tmp_path_factory.mktemp("large")
    table = read(write_csv(work / "rows.csv", rows=2600, seed=1), target="answer").table
    save_table(table, work / "table")
    save_roles(split(table, seed=0), work / "roles.npz")
    return Bench(work)


def settings_for(source, out, trials=5, **changed):
    """Settings of a study without a clock, one worker."""
    return StudySettings(source, "answer", out, Budget(trials=trials), workers=1, started=time.monotonic(), **changed)


@pytest.fixture(scope="session")
def finished(csv_file, tmp_path_factory):
    """The folder of a finished study of six trials."""
    out = tmp_path_factory.mktemp("study") / "one"
    return Study(settings_for(csv_file, out, trials=6)).run()


@pytest.fixture(scope="session")
def make_csv():
    """Give ``write_csv``."""
    return write_csv


@pytest.fixture(scope="session")
def make_settings():
    """Give ``settings_for``."""
    return settings_for

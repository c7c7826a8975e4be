"""A small table, its workbench, and one finished study that many tests read."""

import time
from dataclasses import replace

import numpy as np
import pytest

from temperance.data import read, save_roles, split
from temperance.study.clock import Budget
from temperance.study.desk import Desk
from temperance.study.prepare import prepare
from temperance.study.runner import Runner
from temperance.study.settings import StudySettings
from temperance.study.store import load_table, save_table
from temperance.study.study import Study
from temperance.study.workers import Answer, Lease, Workers


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
def runner(csv_file, tmp_path_factory):
    """A workbench on the small table, with folds."""
    work = tmp_path_factory.mktemp("work")
    table = read(csv_file, target="answer").table
    save_table(table, work / "table")
    save_roles(split(table, seed=0), work / "roles.npz")
    return Runner(work)


@pytest.fixture(scope="session")
def large_bench(tmp_path_factory):
    """A workbench on enough rows for selection and calibration rows, where each fold would be a training of its own."""
    work = tmp_path_factory.mktemp("large")
    table = read(write_csv(work / "rows.csv", rows=2600, seed=1), target="answer").table
    save_table(table, work / "table")
    save_roles(split(table, seed=0, banked=False), work / "roles.npz")
    return Runner(work)


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


class FakeWorkers(Workers):
    """Gives each trial predictions drawn by its name; ``script`` changes what a trial says, by name.

    A script is a list of events that come before the end, or a status; ``hold`` keeps trials running.
    """

    def __init__(self, work, truth, count=2):
        self.count, self.work, self.truth = count, work, truth
        self.leases, self.started, self.replies, self.script = [], [], [], {}
        self.hold, self.stopped, self.killed, self.closed = False, [], [], False

    @property
    def idle(self):
        return self.count - len(self.leases)

    @property
    def running(self):
        return list(self.leases)

    def start(self, kind, **values):
        lease = Lease(len(self.started) + 1, {"job": kind, **values}, since=time.monotonic())
        self.leases.append(lease)
        self.started.append(lease.job)
        return lease

    def wait(self, seconds):
        found = []
        for lease in list(self.leases):
            if self.hold and lease.kind == "trial" and not lease.stopped:
                continue
            found += self.end(lease)
        if not found:
            time.sleep(min(seconds, 0.01))
        return found

    def end(self, lease):
        self.leases.remove(lease)
        events = self.script.get(lease.job.get("spec", {}).get("name", ""), [])
        if lease.kind == "trial":
            events = (
                [*events, self.trial(lease)] if not any(e["event"] in ("done", "failed") for e in events) else events
            )
        elif lease.kind == "pace":
            events = [{"event": "done", "step_seconds": 0.01, "fixed_seconds": 0.0, "own": {}}]
        elif lease.kind == "audit":
            events = [{"event": "done", "findings": [{"check": "leaks"}]}]
        elif lease.kind == "refit":
            events = events or [{"event": "done", "rows": 9, "cost": {}, "acted": [], "trace": []}]
        else:
            events = self.script.get(lease.kind) or [{"event": "done", "evaluation_seconds": 0.1, "evaluation": {}}]
        return [Answer(lease, event, self.replies.append) for event in events]

    def trial(self, lease):
        spec = lease.job["spec"]
        self.write(spec["id"], "selection.npy", spec["name"])
        cost = {"seconds": 0.1, "latency_1_ms": 0.1, "latency_256_ms": 1.0, "bytes": 10.0}
        files = {"selection": "selection.npy", "calibration": ""}
        return {"event": "done", "status": "done", "id": spec["id"], "files": files, "cost": cost, "fraction": 1.0}

    def write(self, trial, file, name):
        folder = self.work / "trials" / trial
        folder.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(sum(map(ord, name))).uniform(0.05, 0.45, len(self.truth))
        chance = np.where(self.truth == 1, 1 - noise, noise)
        np.save(folder / file, np.stack([1 - chance, chance], axis=1))

    def stop(self, lease):
        lease.stopped = True
        self.stopped.append(lease)

    def kill(self, lease):
        self.leases.remove(lease)
        self.killed.append(lease)

    def close(self):
        self.closed = True


@pytest.fixture
def opened(csv_file, tmp_path, make_settings):
    """Open a desk with fake workers in one folder, as often as asked; told events are in ``desk.state``."""
    made, settings = [], make_settings(csv_file, tmp_path / "s", trials=8)
    prepare(settings, settings.out / "work")
    truth = np.asarray(load_table(settings.out / "work" / "table").target)

    def open_desk(*, count=2, **changed):
        if made:
            made[-1].close()
        now = replace(settings, started=time.monotonic(), **changed)
        desk = Desk(now, workers=FakeWorkers(settings.out / "work", truth, count))
        made.append(desk)
        desk.open()
        return desk

    yield open_desk
    made[-1].close()

"""An app without a network, a finished study with a model, and processes that are only noted."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli.conftest import bundle_of

from temperance.app import jobs, server, waiting
from temperance.app.events import Stream
from temperance.app.guard import Rules
from temperance.app.project import Project
from temperance.records.plain_json import dumps
from temperance.study.lock import started_at
from temperance.testing.study_example import study_example

TABLE = "id;when;price;zip;left\n" + "".join(
    f"{1000 + i};{1 + i % 12:02d}/{1 + (7 * i) % 12:02d}/2024;{i},50;0{1067 + i % 3};{'yes' if i % 2 else 'no'}\n"
    for i in range(60)
)


class Client:
    """Calls the application without a network."""

    def __init__(self, root: Path, known: frozenset[str] = frozenset(), **rules: Any) -> None:
        self.root, self.rules = root, Rules(**rules)
        self.app = server.create(root, rules=self.rules, known=known, stream=Stream(interval_seconds=0.01))

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(run())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, data: dict[str, str] | None = None, *, file: tuple[str, bytes] | None = None,
             headers: dict[str, str] | None = None) -> httpx.Response:  # fmt: skip
        files = {"file": file} if file else None
        sent = {"secret": self.rules.secret, **(data or {})}
        return self.call("POST", path, data=sent, files=files, headers=headers)


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with an uploaded file; returns its folder."""
    folder = tmp_path / "temperance-sales"
    (folder / "app" / "data").mkdir(parents=True)
    (folder / "app" / "data" / "sales.csv").write_text(TABLE)
    Project("sales <b>.csv", {"kind": "upload", "name": "sales.csv"}).save(folder)
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bundle that tells two classes apart."""
    return Path(bundle_of(tmp_path_factory.mktemp("app"), "classification").folder)


@pytest.fixture
def study(tmp_path: Path, model: Path) -> Path:
    """A finished study with a model, made elsewhere; returns its folder."""
    folder = tmp_path / "done"
    folder.mkdir()
    (folder / "study.json").write_text(json.dumps(study_example()))
    (folder / "ledger.jsonl").write_text('{"event": "study", "moment": 1.0, "at": 0.1}\n')
    (folder / "report.html").write_text("<!doctype html><title>r</title>")
    shutil.copytree(model, folder / "bundle")
    return folder


class Started(list[tuple[str, list[str]]]):
    """Commands that would have been started, and processes that would have been interrupted."""

    def __init__(self) -> None:
        super().__init__()
        self.interrupted: list[int] = []
        self.pid, self.at = os.getpid(), started_at(os.getpid())


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Commands are noted instead of started; they seem to run until ``end`` is called."""
    seen = Started()

    def start(job: jobs.Job, arguments: list[str], cwd: Path) -> None:
        job.folder.mkdir(parents=True, exist_ok=True)
        seen.append((job.kind, arguments))
        (job.folder / f"{job.kind}.job").write_text(dumps({"pid": seen.pid, "started": seen.at, "arguments": []}))

    monkeypatch.setattr(jobs.Job, "start", start)
    for module in (jobs, waiting):
        monkeypatch.setattr(module, "interrupt", lambda pid, group: seen.interrupted.append(pid))
    return seen


def end(folder: Path, kind: str = "study", *, code: int | None = 0, out: str = "", err: str = "") -> None:
    """Have a job of a project end."""
    home = folder / "app"
    home.mkdir(parents=True, exist_ok=True)
    (home / f"{kind}.job").write_text(dumps({"pid": 2**22 + 1, "started": 1.0, "arguments": []}))
    (home / f"{kind}.out").write_text(out)
    (home / f"{kind}.err").write_text(err)
    if code is not None:
        (home / f"{kind}.end").write_text(dumps({"code": code}))

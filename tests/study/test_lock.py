"""One study at a time in a folder."""

import json
import os
import socket
import sys

import psutil
import pytest

from temperance.records.errors import StudyError
from temperance.study.lock import FolderLock, Owner, owner_of


def test_a_second_study_is_refused_and_says_who_is_there(tmp_path):
    first = FolderLock(tmp_path / "s")
    with pytest.raises(StudyError, match=rf"process {os.getpid()} runs a study .* choose another --out"):
        FolderLock(tmp_path / "s")
    first.release()
    FolderLock(tmp_path / "s").release()
    assert not list((tmp_path / "s").iterdir())


@pytest.mark.parametrize("text", ["", "not json", "[]"])
def test_a_damaged_lock_is_taken_over(tmp_path, text):
    (tmp_path / "lock").write_text(text)
    FolderLock(tmp_path)
    assert owner_of(tmp_path) == Owner.me()


def test_a_lock_of_a_gone_process_is_taken_over_even_if_its_number_is_used_again(tmp_path):
    row = {"pid": os.getpid(), "started": Owner.me().started - 1000.0, "host": socket.gethostname()}
    (tmp_path / "lock").write_text(json.dumps(row))
    assert not owner_of(tmp_path).is_alive
    FolderLock(tmp_path)
    assert owner_of(tmp_path) == Owner.me()


@pytest.mark.skipif(sys.platform != "linux", reason="there create_time follows the wall clock")
def test_setting_the_clock_does_not_make_the_owner_look_gone(tmp_path, monkeypatch):
    lock = FolderLock(tmp_path)
    created, booted = psutil.Process().create_time(), psutil.boot_time()
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: created + 3600.0)
    monkeypatch.setattr(psutil, "boot_time", lambda: booted + 3600.0)
    assert lock.owner.is_alive


def test_another_machine_cannot_be_asked(tmp_path):
    (tmp_path / "lock").write_text(json.dumps({"pid": 1, "started": 0.0, "host": "elsewhere"}))
    with pytest.raises(StudyError, match=r"on elsewhere .* remove"):
        FolderLock(tmp_path)


def test_only_the_owner_releases(tmp_path):
    mine = FolderLock(tmp_path)
    (tmp_path / "lock").write_text(json.dumps({"pid": 1, "started": 0.0, "host": "elsewhere"}))
    mine.release()
    assert owner_of(tmp_path).host == "elsewhere"

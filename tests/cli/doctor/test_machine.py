from collections import namedtuple
from pathlib import Path

import pytest

from temperance.cli.doctor import machine
from temperance.cli.doctor.machine import Machine, usable_cores


def found(folder: Path = Path()) -> dict:
    return {one.name: one for one in Machine(folder).examine()}


def test_this_machine_is_told_with_figures(tmp_path) -> None:
    seen = found(tmp_path)
    assert set(seen) == {"Python", "processor", "memory", "disk", "writing"}
    assert seen["disk"].facts["folder"] == str(tmp_path.resolve())
    assert seen["memory"].facts["total_bytes"] > 1e8


def test_a_container_with_half_a_core_is_seen(tmp_path) -> None:
    limits = tmp_path / "cpu.max"
    limits.write_text("50000 100000\n")
    assert usable_cores(limits) == 0.5
    limits.write_text("max 100000\n")
    assert usable_cores(limits) >= 1
    assert usable_cores(tmp_path / "none") >= 1


def test_an_old_python_is_broken(monkeypatch) -> None:
    monkeypatch.setattr(machine.sys, "version_info", (3, 9, 1, "final", 0))
    assert found()["Python"].state == "broken"


def test_threads_that_are_no_number_are_told(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert found()["processor"].state == "look"
    assert "'many'" in found()["processor"].said


def test_a_busy_machine_is_told(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(machine.os, "getloadavg", lambda: (999.0, 0.0, 0.0))
    assert "999.0 processes" in found()["processor"].said
    monkeypatch.setattr(machine.os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    assert found()["processor"].state == "fine"


def test_little_memory_and_a_full_disk_are_told(monkeypatch) -> None:
    import psutil

    memory = namedtuple("memory", "total available")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory(8e9, 1e9))
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: usage(10**10, 10**10, 10**6))
    assert (found()["memory"].state, found()["disk"].state) == ("look", "look")
    assert found()["memory"].said.startswith("1.0 of 8.0 GB")


def test_a_folder_that_takes_no_file_is_broken(monkeypatch, tmp_path) -> None:
    def refuse(**options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(machine.tempfile, "TemporaryFile", refuse)
    one = found(tmp_path)["writing"]
    assert one.state == "broken"
    assert "Permission denied" in one.said
    assert "--out" in one.remedy


@pytest.mark.parametrize("name", ["nowhere"])
def test_a_folder_that_is_gone_is_no_traceback(tmp_path, name: str) -> None:
    from temperance.cli.doctor.base import examined

    states = [one.state for one in examined([Machine(tmp_path / name)])]
    assert "broken" in states


def test_windows_is_told_what_does_not_work_there(monkeypatch) -> None:
    monkeypatch.setattr(machine.sys, "platform", "win32")
    assert found()["system"].state == "look"
    assert "WSL 2" in found()["system"].remedy

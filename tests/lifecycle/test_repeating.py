"""Others verify a shared study: hashes, and a trial that is run again bit for bit on the same data."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from temperance.lifecycle.repeating import chosen, verify_shared
from temperance.lifecycle.sharing import INDEX, digest, read_index, share
from temperance.records.errors import StudyError


@pytest.fixture(scope="module")
def shared(studied, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "shared"
    share(studied.folder, out)
    return out


@pytest.fixture
def copy(shared, tmp_path):
    return shutil.copytree(shared, tmp_path / "copy")


def cheapest(folder):
    return min(read_index(folder)["trials"], key=lambda row: row["seconds"])["id"]


def rewrite(folder, change):
    """Change files and put their hashes into the index, as somebody would who wants to deceive."""
    change()
    index = json.loads((folder / INDEX).read_text())
    index["files"] = {name: digest(folder / name) for name in index["files"]}
    index["trials"] = [{**row, "sha256": index["files"][row["file"]]} for row in index["trials"]]
    (folder / INDEX).write_text(json.dumps(index))


def test_without_a_replay_the_files_are_checked(shared) -> None:
    assert [(c.name, c.state) for c in verify_shared(shared)] == [("files", "holds"), ("replay", "not checked")]


@pytest.mark.parametrize("change", ["changed", "missing", "more"])
def test_each_change_of_the_files_is_named(copy, change) -> None:
    if change == "changed":
        (copy / "leaderboard.csv").write_text("mine is best")
    elif change == "missing":
        (copy / "leaderboard.csv").unlink()
    else:
        (copy / "extra.txt").write_text("x")
    found = verify_shared(copy, replay=True, data="iris")
    assert found[0].state == "fails"
    assert ("extra.txt" if change == "more" else "leaderboard.csv") in found[0].words
    assert found[1].state == "not checked"


def test_a_record_that_its_trial_does_not_know_is_named(copy) -> None:
    index = json.loads((copy / INDEX).read_text())
    index["trials"][0]["sha256"] = "00"
    index["trials"].append({"id": "t099", "sha256": "00"})
    (copy / INDEX).write_text(json.dumps(index))
    (files, _) = verify_shared(copy)
    assert files.state == "fails"
    assert "missing: records/t099.npy; changed: records/" in files.words


def test_a_trial_is_the_same_bit_for_bit(shared, studied) -> None:
    found = verify_shared(shared, replay=True, data=str(studied.file), trial=cheapest(shared))
    assert [c.state for c in found] == ["holds", "holds"]
    assert "bit for bit" in found[1].words


def test_records_that_were_made_up_are_found_by_the_replay(copy, studied) -> None:
    trial = cheapest(copy)
    place = copy / f"records/{trial}.npy"
    rewrite(copy, lambda: np.save(place, np.load(place) + 1e-9))
    found = verify_shared(copy, replay=True, data=str(studied.file), trial=trial)
    assert [c.state for c in found] == ["holds", "fails"]
    assert "differ by up to 1e-09" in found[1].words


def test_other_data_are_refused(shared, studied, tmp_path) -> None:
    other = tmp_path / "rows.csv"
    other.write_text("\n".join(studied.file.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(StudyError, match="SHA-256 differs"):
        verify_shared(shared, replay=True, data=str(other), trial=cheapest(shared))


def test_data_that_are_not_named_are_asked_for(shared) -> None:
    with pytest.raises(StudyError, match="--data FILE"):
        verify_shared(shared, replay=True)


def test_the_quickest_net_is_chosen_and_others_by_name() -> None:
    rows = [
        {"id": "a", "kind": "basic", "seconds": 0.1},
        {"id": "b", "kind": "plain", "seconds": 9.0},
        {"id": "c", "kind": "folded", "seconds": 5.0},
        {"id": "e", "kind": "ensemble", "seconds": 0.0},
    ]
    assert chosen({"trials": rows}, None)["id"] == "c"
    assert chosen({"trials": rows[:1]}, None)["id"] == "a"
    assert chosen({"trials": rows}, "b")["id"] == "b"
    with pytest.raises(StudyError, match="a, b, c"):
        chosen({"trials": rows}, "e")
    with pytest.raises(StudyError, match="no trial"):
        chosen({"trials": []}, None)


def test_code_of_its_own_is_not_started(copy, studied) -> None:
    def with_code() -> None:
        lines = (copy / "ledger.jsonl").read_text().splitlines()
        first = json.loads(lines[0])
        first["settings"]["task"] = "evil:net"
        (copy / "ledger.jsonl").write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n")

    rewrite(copy, with_code)
    with pytest.raises(StudyError, match="code of its own"):
        verify_shared(copy, replay=True, data=str(studied.file), trial=cheapest(copy))

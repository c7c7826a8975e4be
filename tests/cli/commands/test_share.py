"""``share``: what it writes is told; a folder that is no finished study is refused."""

import json

import numpy as np

from temperance.study.events import Began, Tried
from temperance.testing.study_example import study_example


def write_study(folder) -> None:
    """Write what ``share`` reads of a study: its record, its ledger, and the answers of one trial."""
    spec = {"id": "t000", "name": "one", "kind": "basic", "model": "Linear"}
    rows = [Began(settings={"data": "iris", "seed": 0}, workers=1), Tried(spec=spec, result={"status": "done"})]
    (folder / "ledger.jsonl").write_text("".join(json.dumps(row.to_dict()) + "\n" for row in rows))
    (folder / "study.json").write_text(json.dumps(study_example()))
    (folder / "work" / "trials" / "t000").mkdir(parents=True)
    np.save(folder / "work" / "trials" / "t000" / "selection.npy", np.ones((4, 2)))


def test_the_folder_is_written_and_can_be_verified(temperance, tmp_path) -> None:
    (tmp_path / "one").mkdir()
    write_study(tmp_path / "one")
    done = temperance("share", tmp_path / "one", "--json")
    assert done.status == 0, done.err
    assert done.json == {"folder": str(tmp_path / "one-shared"), "files": 3, "trials": ["t000"]}
    assert temperance("verify", tmp_path / "one-shared").status == 0
    assert temperance("share", tmp_path / "one").status == 2  # it is there


def test_no_study_is_refused(temperance, tmp_path) -> None:
    done = temperance("share", tmp_path)
    assert done.status == 2
    assert "study.json" in done.err

import json

import numpy as np

from temperance.records.roles import Roles


def test_the_refit_takes_train_controller_and_selection_rows() -> None:
    parts = [np.array(p, dtype=np.int64) for p in ([7, 1], [4], [2], [0], [9])]
    roles = Roles(*parts, scheme="by hand")
    assert roles.refit.tolist() == [1, 2, 4, 7]
    row = json.loads(json.dumps(roles.to_dict()))
    assert row["counts"] == {"train": 2, "controller": 1, "selection": 1, "calibration": 1, "test": 1}
    assert (row["folds"], row["scheme"], row["test_is_separate"]) == (0, "by hand", False)


def test_parts_number_the_fold_that_holds_out_each_judged_row():
    none, rows = np.empty(0, dtype=np.int64), np.array([1, 4, 6, 7])
    held = (np.array([6, 1]), np.array([4, 7]))
    folded = Roles(rows, none, none, none, none, folds=tuple((np.setdiff1d(rows, one), one) for one in held))
    assert folded.judged.tolist() == [1, 4, 6, 7]
    assert folded.parts.tolist() == [0, 1, 0, 1]
    plain = Roles(rows, none, np.array([9, 3, 5, 2]), none, none)
    assert plain.judged.tolist() == [9, 3, 5, 2]
    assert plain.parts.tolist() == [0, 1, 2, 0]

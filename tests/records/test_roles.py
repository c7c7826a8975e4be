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

"""One training gives all out-of-fold predictions, and no row's answer reaches its own prediction."""

import numpy as np

from temperance.records.table import Table
from temperance.study.banks import as_trained, development, fit_all_folds, is_banked, with_banks
from temperance.study.spec import TrialSpec

SETTINGS = {"epochs": 6.0, "batch_size": 32, "lr": 0.03}
NET = TrialSpec("t", "net", "plain", "Tabular", {"regularizers": []}, SETTINGS)


def run(bench):
    return fit_all_folds(bench, NET, marks=(), tick=None)


def test_every_development_row_is_predicted_once_and_well(bench):
    rows = development(bench.roles)
    answer = run(bench).prediction
    assert np.isfinite(answer[rows]).all()
    assert np.isnan(answer[bench.roles.test]).all()
    right = (answer[rows].argmax(axis=1) == bench.table.target[rows]).mean()
    assert right > 0.7


def test_a_rows_own_answer_changes_nothing_of_its_prediction(bench):
    before = run(bench).prediction
    row = int(bench.roles.folds[0][1][0])
    table = bench.table
    target = np.array(table.target)
    target[row] = 1 - target[row]
    other = object.__new__(type(bench))
    other.__dict__ |= vars(bench)
    other.table = Table(table.schema, table.rows, target)
    after = run(other).prediction
    assert after[row].tobytes() == before[row].tobytes()
    assert after.tobytes() != before.tobytes()


def test_only_the_tabular_net_on_full_folds_is_banked(bench, large_bench):
    assert is_banked(NET, bench.roles)
    assert not is_banked(NET, large_bench.roles)
    assert not is_banked(NET.changed(model="ResNet"), bench.roles)
    assert with_banks(NET, 5).architecture["banks"] == 5
    assert len(as_trained(bench, NET)[1]) == len(development(bench.roles))
    assert len(as_trained(large_bench, NET)[1]) == len(large_bench.roles.train)

"""The cost of use is that of the exported graph."""

import numpy as np

from temperance.study.bench import BasicPredictor
from temperance.study.serving import part_of, served_cost
from temperance.study.spec import TrialSpec

NONE = np.empty(0, dtype=np.int64)


def test_nets_and_basic_models_are_timed_as_they_are_served(bench):
    rows = bench.roles.folds[0][0]
    sample = bench.table.rows.take(rows[:64])
    net = TrialSpec("n", "n", "plain", "Tabular", {"regularizers": []}, {"epochs": 0.5, "batch_size": 64, "lr": 0.03})
    for spec in (net, TrialSpec("l", "l", "basic", "Linear")):
        fitted = bench.fit(spec, rows, NONE, measure=False)
        cost = served_cost(bench, fitted, sample)
        assert 0 < cost.latency_1_ms < 50
        assert cost.bytes > 500
        assert part_of(bench, fitted).arrays()
    assert isinstance(fitted.predictor, BasicPredictor)
